/**
 * Credits of a rolling day, calls at the same time, and the lower bound for heavy calls.
 *
 * Source  Zoho CRM API v8, "API Limits".
 */
import { Refused } from "./wire.ts";

export interface GateOptions {
  readonly now: () => number;
  readonly credits: number;
  readonly calls: number;
  readonly heavy: number;
}

const dayMs = 86_400_000;
/** Credits are counted by the minute, which is fine enough for a day. */
const bucketMs = 60_000;

export type Gate = ReturnType<typeof createGate>;

export function createGate({ now, credits, calls, heavy }: GateOptions) {
  const spent = new Map<number, number>();
  let under = 0;
  let heavyUnder = 0;

  const used = (): number => {
    let sum = 0;
    for (const [bucket, cost] of spent) {
      if (bucket * bucketMs <= now() - dayMs) spent.delete(bucket);
      else sum += cost;
    }
    return sum;
  };

  const tooMany = () =>
    new Refused(429, "TOO_MANY_REQUESTS", "You have made too many requests. Please try again after some time.");

  return {
    /** Takes a place; the returned function gives it back. */
    enter: (cost: number, isHeavy: boolean): (() => void) => {
      if (used() + cost > credits || under >= calls || (isHeavy && heavyUnder >= heavy)) throw tooMany();
      const bucket = Math.floor(now() / bucketMs);
      spent.set(bucket, (spent.get(bucket) ?? 0) + cost);
      under += 1;
      heavyUnder += isHeavy ? 1 : 0;
      return () => {
        under -= 1;
        heavyUnder -= isHeavy ? 1 : 0;
      };
    },
    /** Shown only once half of the day's credits are used. */
    remaining: (): number | undefined => {
      const left = credits - used();
      return left <= credits / 2 ? left : undefined;
    },
    used,
  };
}
