/**
 * The named limits of a connection: calls at the same time, calls in a sliding window, cost units a day.
 *
 * A short wait is waited for; a long one is told as RateLimited, so that the run pauses instead of holding its place.
 */
import type { Clock } from "../connector.ts";
import { RateLimited, Unavailable } from "./fault.ts";
import type { Limit, Limits } from "./http.ts";
import { type Lane, rankOf, reserves } from "./lanes.ts";

/** Where the daily counts are kept between runs. */
export interface Counters {
  /** Units used on that day; zero for another day than the one kept. */
  readonly used: (name: string, day: string) => Promise<number>;
  readonly set: (name: string, day: string, used: number) => Promise<void>;
}

/** Calls that began lately: how many milliseconds ago, by the name of their limit. */
export type Spent = Readonly<Record<string, ReadonlyArray<number>>>;

/** Another process used the same limits before: until so many milliseconds ago, and what it told of its calls. */
export interface Before {
  readonly agoMs: number;
  /** Null where it could tell nothing: then it may have used all that it could. */
  readonly spent: Spent | null;
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
    /** How urgent the call is; `user` unless said. */
    readonly lane?: Lane;
  }) => Promise<() => void>;
  /** What is left of the daily budgets, by name of the limit. */
  readonly left: () => Promise<Readonly<Record<string, { readonly used: number; readonly of: number }>>>;
  /** The calls inside the sliding windows, for the next process that uses these limits. */
  readonly spent: () => Spent;
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
  /** How many calls of each rank wait for the window: a less urgent one does not slip in before them. */
  readonly waiting: Array<number>;
  /** The day's count, one change after the other. */
  counting: Promise<unknown>;
}

export function createGates(
  limits: Limits,
  tools: { readonly clock: Clock; readonly counters: Counters | undefined; readonly before?: Before | null },
): Gates {
  const { clock, counters, before = null } = tools;
  const gates = new Map(
    Object.entries(limits).map(([name, limit]): [string, Gate] => {
      const places = limit.concurrency === undefined ? undefined : createPlaces(limit.concurrency);
      const begun = before === null ? [] : begunBefore(name, limit, before, clock.now());
      return [name, { name, limit, places, begun, waiting: [], counting: Promise.resolve() }];
    }),
  );
  const known = (name: string): Gate => {
    const gate = gates.get(name);
    if (gate === undefined) throw new Error(`The connector names a limit "${name}" that it does not declare.`);
    return gate;
  };
  const memory = counters ?? createMemoryCounters();
  return {
    enter: async ({ names, cost, signal, lane = "user" }) => {
      // Everyone takes places in one order, so that no two calls wait for each other.
      const wanted = [...new Set(names)].sort().map(known);
      const taken: Array<Places> = [];
      const leave = (): void => {
        for (const places of taken.splice(0)) places.give();
      };
      try {
        for (const { places } of wanted) {
          if (places === undefined) continue;
          await places.take(signal, rankOf(lane));
          taken.push(places);
        }
        await begin(wanted, { clock, signal, rank: rankOf(lane) });
        for (const gate of wanted) await spend(gate, { cost, lane, clock, counters: memory });
        return leave;
      } catch (error) {
        leave();
        throw error;
      }
    },
    left: async () => {
      const left: Record<string, { readonly used: number; readonly of: number }> = {};
      for (const [name, { limit }] of gates) {
        if (limit.daily === undefined) continue;
        const used = await memory.used(name, dayOf(clock.now(), limit.daily.offsetMinutes));
        left[name] = { used, of: limit.daily.count };
      }
      return left;
    },
    spent: () => {
      const now = clock.now();
      const rated = [...gates.values()].filter(({ limit }) => limit.rate !== undefined);
      return Object.fromEntries(rated.map(({ name, begun }) => [name, begun.map((at) => now - at)]));
    },
  };
}

function begunBefore(name: string, { rate }: Limit, { agoMs, spent }: Before, now: number): Array<number> {
  if (rate === undefined) return [];
  const told = spent?.[name] ?? (spent === null ? Array.from({ length: rate.count }, () => 0) : []);
  return told.map((ms) => now - agoMs - ms).sort((one, other) => one - other);
}

/** The day of a budget, whose midnight lies that far from UTC's. */
const dayOf = (now: number, offsetMinutes: number): string =>
  new Date(now + offsetMinutes * 60_000).toISOString().slice(0, 10);

// ---- calls at the same time ----

interface Places {
  readonly take: (signal: AbortSignal | undefined, rank: number) => Promise<void>;
  readonly give: () => void;
}

/** The most urgent first; among equals, first come, first served. */
function createPlaces(count: number): Places {
  let free = count;
  const waiting: Array<{ readonly rank: number; readonly enter: () => void }> = [];
  return {
    take: (signal, rank) => {
      if (signal?.aborted === true) return Promise.reject(stopped());
      if (free > 0) {
        free -= 1;
        return Promise.resolve();
      }
      return new Promise((resolve, reject) => {
        const onAbort = (): void => {
          waiting.splice(waiting.indexOf(one), 1);
          reject(stopped());
        };
        const enter = (): void => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        };
        const one = { rank, enter };
        signal?.addEventListener("abort", onAbort, { once: true });
        const behind = waiting.findIndex((other) => other.rank > rank);
        waiting.splice(behind < 0 ? waiting.length : behind, 0, one);
      });
    },
    give: () => {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next.enter();
    },
  };
}

const stopped = (): Unavailable => new Unavailable("The call was stopped before it was sent.", { sent: false });

// ---- calls in a sliding window ----

interface Beginning {
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
  readonly rank: number;
}

async function begin(gates: ReadonlyArray<Gate>, { clock, signal, rank }: Beginning): Promise<void> {
  for (let round = 0; round < roundsMax; round += 1) {
    const now = clock.now();
    const waits = gates.map((gate) => ({ name: gate.name, waitMs: waitOf(gate, now, rank) }));
    const longest = waits.reduce((most, one) => (one.waitMs > most.waitMs ? one : most), { name: "", waitMs: 0 });
    if (longest.waitMs <= 0) {
      // No other call can come in between: there is no await since the look.
      for (const gate of gates) if (gate.limit.rate !== undefined) gate.begun.push(now);
      return;
    }
    if (longest.waitMs > waitMsMax) {
      throw new RateLimited(`The limit "${longest.name}" is used up for now.`, now + longest.waitMs);
    }
    for (const gate of gates) gate.waiting[rank] = (gate.waiting[rank] ?? 0) + 1;
    await clock.sleep(longest.waitMs, signal);
    for (const gate of gates) gate.waiting[rank] = (gate.waiting[rank] ?? 0) - 1;
    if (signal?.aborted === true) throw stopped();
  }
  throw new RateLimited("Too many calls wait for the same limit.", clock.now() + waitMsMax);
}

/** How long a less urgent call steps back while others wait for the same window. */
const stepBackMs = 50;

function waitOf({ limit, begun, waiting }: Gate, now: number, rank: number): number {
  const { rate } = limit;
  if (rate === undefined) return 0;
  while (begun[0] !== undefined && begun[0] <= now - rate.windowMs) begun.shift();
  const oldest = begun[begun.length - rate.count];
  const waitMs = oldest === undefined ? 0 : oldest + rate.windowMs - now;
  const isBehind = waiting.slice(0, rank).some((count) => count > 0);
  return isBehind ? Math.max(waitMs, stepBackMs) : waitMs;
}

// ---- cost units a day ----

interface Spending {
  readonly cost: number;
  readonly lane: Lane;
  readonly clock: Clock;
  readonly counters: Counters;
}

async function spend(gate: Gate, { cost, lane, clock, counters }: Spending): Promise<void> {
  const { name, limit } = gate;
  const { daily } = limit;
  if (daily === undefined) return;
  const turn = gate.counting.then(async () => {
    const localNow = clock.now() + daily.offsetMinutes * 60_000;
    const day = dayOf(clock.now(), daily.offsetMinutes);
    const used = await counters.used(name, day);
    const most = Math.floor(daily.count * (1 - reserves[lane]));
    if (used + cost > most) {
      const dayEnds = (Math.floor(localNow / dayMs) + 1) * dayMs - daily.offsetMinutes * 60_000;
      const kept = most === daily.count ? "" : ` (${daily.count - most} are kept for what is more urgent)`;
      throw new RateLimited(`The daily limit "${name}" is used up: ${used} of ${daily.count}${kept}.`, dayEnds);
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
