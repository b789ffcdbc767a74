/**
 * The simulators' door: what a simulated vendor is given and what it must offer.
 *
 * A simulator speaks the vendor's wire protocol (a fetch handler, so that it can be mounted on a port or in a test),
 * refuses what the vendor refuses, and takes a fault plan. Beside the wire it offers `person`: the vendor's own
 * screen, so that tests and the demo can edit records as people do.
 */
import type { Entity } from "./model/field.ts";
import type { Notices } from "./simulator-notices.ts";

export type { Entity } from "./model/field.ts";
export * as scim from "./scim/index.ts";
export { createNotices, type Notice, type NoticeAnswer, type Notices } from "./simulator-notices.ts";

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

/** The vendor's own screen: what people do there, in remote field names. Changes bump times and versions as at the vendor. */
export interface Screen {
  readonly create: (entity: Entity, fields: Readonly<Record<string, unknown>>) => string;
  readonly edit: (entity: Entity, id: string, fields: Readonly<Record<string, unknown>>) => void;
  readonly remove: (entity: Entity, id: string) => void;
  readonly restore: (entity: Entity, id: string) => void;
  /** Merges children into the master as the vendor does: children are deleted, the master changes. */
  readonly merge: (entity: Entity, masterId: string, childIds: ReadonlyArray<string>) => void;
  /** The stored fields of a live record, or undefined. */
  readonly read: (entity: Entity, id: string) => Readonly<Record<string, unknown>> | undefined;
  /** Ids of live records, in order of creation. */
  readonly list: (entity: Entity) => ReadonlyArray<string>;
}

export interface Simulator {
  /** Answers one HTTP call; throws ConnectionCut where the plan cuts the connection. */
  readonly fetch: (request: Request) => Promise<Response>;
  readonly screen: Screen;
  readonly faults: Faults;
  /** The connection's YAML keys (without `use`) that reach this simulator at this base URL. */
  readonly connection: (baseUrl: string) => Readonly<Record<string, unknown>>;
  /** Calls answered so far, by "METHOD path" with ids cut off, and writes that took effect. */
  readonly traffic: () => { readonly calls: Readonly<Record<string, number>>; readonly writes: number };
  /** The calls that it makes to customers' addresses, where the vendor makes such calls. */
  readonly notices?: Notices;
  /** Sets whom it calls, as a person does at the vendor where that is so; returns the YAML keys that take its calls. */
  readonly hookTo?: (url: string) => Readonly<Record<string, unknown>>;
}
