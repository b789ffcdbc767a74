/**
 * When a schedule is due, computed from the clock that is given: nothing here waits or rings.
 *
 * Every connection keeps a fixed distance of its own behind the instants of its cron expression, so that many of them
 * on "every five minutes" do not call at the same moment, and each still comes every five minutes exactly.
 */
import { createHash } from "node:crypto";
import { Cron, Result } from "effect";

export interface Schedule {
  readonly cron: Cron.Cron;
  /** How far behind the cron's instants this connection comes. */
  readonly behindMs: number;
}

const behindShare = 0.1;
const behindMsMax = 30_000;

/** Null for "only on request", and for an expression that never comes, such as 30 February. */
export function scheduleOf(
  expression: string | null,
  { timeZone, name, now }: { readonly timeZone: string; readonly name: string; readonly now: number },
): Schedule | null {
  if (expression === null) return null;
  const parsed = Cron.parse(expression, timeZone);
  if (Result.isFailure(parsed)) return null;
  const cron = parsed.success;
  const first = cronNext(cron, now);
  const second = first === null ? null : cronNext(cron, first);
  if (first === null || second === null) return null;
  const spreadMs = Math.min(behindMsMax, (second - first) * behindShare);
  const share = createHash("sha256").update(name).digest().readUInt32BE(0) / 2 ** 32;
  return { cron, behindMs: Math.floor(spreadMs * share) };
}

/** The first instant after `after`. */
export function nextAt({ cron, behindMs }: Schedule, after: number): number | null {
  const next = cronNext(cron, after - behindMs);
  return next === null ? null : next + behindMs;
}

/**
 * The instant that is due: the latest one up to now that lies after the last that was fired; null if there is none.
 * Instants that a stop has skipped are made good by one, not by one each.
 */
export function dueAt({ cron, behindMs }: Schedule, firedAt: number | null, now: number): number | null {
  // The instant itself counts; the cron knows only what lies before.
  const latest = safely(() => Cron.prev(cron, new Date(now - behindMs + 1)));
  if (latest === null) return null;
  const due = latest + behindMs;
  return firedAt !== null && due <= firedAt ? null : due;
}

const cronNext = (cron: Cron.Cron, after: number): number | null => safely(() => Cron.next(cron, new Date(after)));

function safely(find: () => Date): number | null {
  try {
    return find().getTime();
  } catch {
    return null;
  }
}
