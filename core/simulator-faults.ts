/** Faults of simulated vendors: the plan that says which calls are struck, and what a struck call comes to. */

export interface SimulatorClock {
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** Kinds of faults; a simulator ignores those that make no sense on its wire. */
export const faultKinds = [
  "status-429", // refused for rate, without Retry-After
  "status-429-retry-after",
  "rate-over-200", // refused for rate in the vendor's body over HTTP 200, where it has such a thing
  "status-500",
  "status-503",
  "drop", // the connection is cut before anything is done
  "lost-reply", // done, then the connection is cut
  "hang-after", // done, then no answer for `delayMs`
  "late-commit", // the answer is cut at once, the write lands `delayMs` later
  "slow", // answered after `delayMs`
  "expire-token", // the access token presented is not valid any more
  "half-batch", // of a batch write, every second record is refused
  "equal-times", // while it lasts, all writes get one and the same modified time
  "not-json", // an intermediary's HTML page
] as const;

export type FaultKind = (typeof faultKinds)[number];

/** One line of a fault plan: which calls it strikes and how often. */
export interface FaultRule {
  readonly fault: FaultKind;
  /** Part of the path, such as `/Accounts`; every path without it. */
  readonly path?: string;
  readonly method?: string;
  /** Strikes from the n-th matching call on (1 is the first). */
  readonly from?: number;
  /** Strikes that many times; once unless said. */
  readonly times?: number;
  /** Strikes each matching call with this chance (0 to 1), drawn from the plan's seed. */
  readonly chance?: number;
  readonly delayMs?: number;
}

export interface FaultPlan {
  readonly seed?: number;
  readonly rules: ReadonlyArray<FaultRule>;
}

/** What struck, counted, so that a test can show that its faults happened. */
export interface Faults {
  /** The fault for this call, if one strikes; counts the call. */
  readonly strike: (call: { readonly method: string; readonly path: string }) => FaultRule | undefined;
  readonly add: (rule: FaultRule) => void;
  readonly struck: () => Readonly<Partial<Record<FaultKind, number>>>;
}

/** Thrown by a handler to make the mounting server cut the connection without an answer. */
export class ConnectionCut extends Error {
  constructor() {
    super("connection cut by the fault plan");
    this.name = "ConnectionCut";
  }
}

/** A small seeded generator (mulberry32): the same seed gives the same numbers in [0, 1). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export function createFaults(plan: FaultPlan): Faults {
  const random = seededRandom(plan.seed ?? 1);
  const rules = plan.rules.map((rule) => ({
    rule,
    seen: 0,
    left: rule.times ?? (rule.chance === undefined ? 1 : Number.POSITIVE_INFINITY),
  }));
  const counts: Partial<Record<FaultKind, number>> = {};
  return {
    strike: ({ method, path }) => {
      for (const entry of rules) {
        const { rule } = entry;
        if (rule.method !== undefined && rule.method !== method) continue;
        if (rule.path !== undefined && !path.includes(rule.path)) continue;
        entry.seen += 1;
        if (entry.left <= 0 || entry.seen < (rule.from ?? 1)) continue;
        if (rule.chance !== undefined && random() >= rule.chance) continue;
        entry.left -= 1;
        counts[rule.fault] = (counts[rule.fault] ?? 0) + 1;
        return rule;
      }
      return undefined;
    },
    add: (rule) => {
      rules.push({ rule, seen: 0, left: rule.times ?? 1 });
    },
    struck: () => counts,
  };
}

// ---- what a struck call comes to: the same at every vendor, but for the words of its refusals ----

export interface StrikeWays {
  readonly clock: SimulatorClock;
  /** Answers as ever. */
  readonly dispatch: (request: Request) => Promise<Response> | Response;
  /** What a call holds while it is answered, or waits to be. */
  readonly holding?: (request: Request, work: () => Promise<Response> | Response) => Promise<Response> | Response;
  /** While it is true, all writes get one and the same modified time. */
  readonly freeze: (isFrozen: boolean) => void;
  /** The access token of this call is not valid any more; where it is left out, the vendor has none. */
  readonly revoke?: (request: Request) => Promise<void> | void;
  /** The vendor's own refusals; an intermediary's page where it has none. */
  readonly refusals?: Partial<Record<Refusal, (headers: Readonly<Record<string, string>>) => Response>>;
  /** `hang-after` keeps the caller waiting before the connection is cut; false cuts it at once. */
  readonly hangs: boolean;
}

type Refusal = 429 | 500 | 503 | "over-200";

export type Strike = (rule: FaultRule | undefined, request: Request) => Promise<Response>;

/** An answer of somebody between the vendor and its caller. */
const intermediary = (status: number, headers: Readonly<Record<string, string>> = {}): Response =>
  new Response("<html><body>intermediary</body></html>", {
    status,
    headers: { "content-type": "text/html", ...headers },
  });

export function createStrike(ways: StrikeWays): Strike {
  const { clock, dispatch, holding = (_request, work) => work(), freeze, revoke, refusals = {}, hangs } = ways;
  const carryOut = (request: Request, afterMs = 0): Promise<Response> | Response =>
    holding(request, () => (afterMs > 0 ? clock.sleep(afterMs).then(() => dispatch(request)) : dispatch(request)));
  const refuse = (status: 429 | 500 | 503, headers: Readonly<Record<string, string>> = {}): Response =>
    refusals[status]?.(headers) ?? intermediary(status, headers);
  return async (rule, request) => {
    const delayMs = rule?.delayMs ?? 1_000;
    freeze(rule?.fault === "equal-times");
    switch (rule?.fault) {
      case "status-429":
        return refuse(429);
      case "status-429-retry-after":
        return refuse(429, { "retry-after": String(Math.ceil(delayMs / 1000)) });
      case "rate-over-200":
        return refusals["over-200"]?.({}) ?? carryOut(request);
      case "status-500":
        return refuse(500);
      case "status-503":
        return refuse(503);
      case "not-json":
        return intermediary(200);
      case "drop":
        throw new ConnectionCut();
      case "lost-reply":
        await carryOut(request);
        throw new ConnectionCut();
      case "hang-after":
        await carryOut(request);
        if (hangs) await clock.sleep(delayMs);
        throw new ConnectionCut();
      case "late-commit":
        // The write lands when the delay is over, whatever the caller does meanwhile.
        void carryOut(request, delayMs);
        throw new ConnectionCut();
      case "slow":
        return carryOut(request, delayMs);
      case "expire-token":
        await revoke?.(request);
        return carryOut(request);
      default:
        return carryOut(request);
    }
  };
}
