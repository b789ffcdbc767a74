/**
 * The named limits of a connection: calls at the same time, calls in a sliding window, cost units a day.
 *
 * A short wait is waited for; a long one is told as RateLimited, so that the run pauses instead of holding its place.
 */
import type { Clock } from "../connector.ts";
import { RateLimited, Unavailable } from "./fault.ts";
import type { Limit, Limits } from "./http.ts";

/** Where the daily counts are kept between runs. */
export interface Counters {
  /** Units used on that day; zero for another day than the one kept. */
  readonly used: (name: string, day: string) => Promise<number>;
  readonly set: (name: string, day: string, used: number) => Promise<void>;
}

export interface Gates {
  /**
   * Waits until all named limits let one call of this cost begin. The answer gives the places back.
   *
   * Errors  RateLimited (a wait beyond the bound, or the day's units are used up), Unavailable (stopped by the signal).
   */
  readonly enter: (request: {
    readonly names: ReadonlyArray<string>;
    readonly cost: number;
    readonly signal: AbortSignal | undefined;
  }) => Promise<() => void>;
}

/** A longer wait for a sliding window ends the call. */
export const waitMsMax = 60_000;
/** How often a call may find that others took the place that it waited for. */
const roundsMax = 1_000;
const dayMs = 86_400_000;

interface Gate {
  readonly name: string;
  readonly limit: Limit;
  readonly places: Places | undefined;
  /** When calls began, oldest first; only those inside the window. */
  readonly begun: Array<number>;
  /** The day's count, one change after the other. */
  counting: Promise<unknown>;
}

export function createGates(
  limits: Limits,
  tools: { readonly clock: Clock; readonly counters: Counters | undefined },
): Gates {
  const { clock, counters } = tools;
  const gates = new Map(
    Object.entries(limits).map(([name, limit]): [string, Gate] => {
      const places = limit.concurrency === undefined ? undefined : createPlaces(limit.concurrency);
      return [name, { name, limit, places, begun: [], counting: Promise.resolve() }];
    }),
  );
  const known = (name: string): Gate => {
    const gate = gates.get(name);
    if (gate === undefined) throw new Error(`The connector names a limit "${name}" that it does not declare.`);
    return gate;
  };
  const memory = counters ?? createMemoryCounters();
  return {
    enter: async ({ names, cost, signal }) => {
      // Everyone takes places in one order, so that no two calls wait for each other.
      const wanted = [...new Set(names)].sort().map(known);
      const taken: Array<Places> = [];
      const leave = (): void => {
        for (const places of taken.splice(0)) places.give();
      };
      try {
        for (const { places } of wanted) {
          if (places === undefined) continue;
          await places.take(signal);
          taken.push(places);
        }
        await begin(wanted, clock, signal);
        for (const gate of wanted) await spend(gate, { cost, clock, counters: memory });
        return leave;
      } catch (error) {
        leave();
        throw error;
      }
    },
  };
}

// ---- calls at the same time ----

interface Places {
  readonly take: (signal: AbortSignal | undefined) => Promise<void>;
  readonly give: () => void;
}

/** First come, first served. */
function createPlaces(count: number): Places {
  let free = count;
  const waiting: Array<() => void> = [];
  return {
    take: (signal) => {
      if (signal?.aborted === true) return Promise.reject(stopped());
      if (free > 0) {
        free -= 1;
        return Promise.resolve();
      }
      return new Promise((resolve, reject) => {
        const onAbort = (): void => {
          waiting.splice(waiting.indexOf(enter), 1);
          reject(stopped());
        };
        const enter = (): void => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        };
        signal?.addEventListener("abort", onAbort, { once: true });
        waiting.push(enter);
      });
    },
    give: () => {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    },
  };
}

const stopped = (): Unavailable => new Unavailable("The call was stopped before it was sent.", { sent: false });

// ---- calls in a sliding window ----

async function begin(gates: ReadonlyArray<Gate>, clock: Clock, signal: AbortSignal | undefined): Promise<void> {
  for (let round = 0; round < roundsMax; round += 1) {
    const now = clock.now();
    const waits = gates.map((gate) => ({ name: gate.name, waitMs: waitOf(gate, now) }));
    const longest = waits.reduce((most, one) => (one.waitMs > most.waitMs ? one : most), { name: "", waitMs: 0 });
    if (longest.waitMs <= 0) {
      // No other call can come in between: there is no await since the look.
      for (const gate of gates) if (gate.limit.rate !== undefined) gate.begun.push(now);
      return;
    }
    if (longest.waitMs > waitMsMax) {
      throw new RateLimited(`The limit "${longest.name}" is used up for now.`, now + longest.waitMs);
    }
    await clock.sleep(longest.waitMs, signal);
    if (signal?.aborted === true) throw stopped();
  }
  throw new RateLimited("Too many calls wait for the same limit.", clock.now() + waitMsMax);
}

function waitOf({ limit, begun }: Gate, now: number): number {
  const { rate } = limit;
  if (rate === undefined) return 0;
  while (begun[0] !== undefined && begun[0] <= now - rate.windowMs) begun.shift();
  const oldest = begun[begun.length - rate.count];
  return oldest === undefined ? 0 : oldest + rate.windowMs - now;
}

// ---- cost units a day ----

interface Spending {
  readonly cost: number;
  readonly clock: Clock;
  readonly counters: Counters;
}

async function spend(gate: Gate, { cost, clock, counters }: Spending): Promise<void> {
  const { name, limit } = gate;
  const { daily } = limit;
  if (daily === undefined) return;
  const turn = gate.counting.then(async () => {
    const localNow = clock.now() + daily.offsetMinutes * 60_000;
    const day = new Date(localNow).toISOString().slice(0, 10);
    const used = await counters.used(name, day);
    if (used + cost > daily.count) {
      const dayEnds = (Math.floor(localNow / dayMs) + 1) * dayMs - daily.offsetMinutes * 60_000;
      throw new RateLimited(`The daily limit "${name}" is used up: ${used} of ${daily.count}.`, dayEnds);
    }
    await counters.set(name, day, used + cost);
  });
  // One refusal must not refuse those that wait behind it.
  gate.counting = turn.catch(() => undefined);
  await turn;
}

function createMemoryCounters(): Counters {
  const kept = new Map<string, { readonly day: string; readonly used: number }>();
  return {
    used: async (name, day) => {
      const counter = kept.get(name);
      return counter?.day === day ? counter.used : 0;
    },
    set: async (name, day, used) => {
      kept.set(name, { day, used });
    },
  };
}
