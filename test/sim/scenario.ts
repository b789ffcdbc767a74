/**
 * What happens in one run, drawn from its seed before it begins: what people do and when, when the hub dies, and how
 * often each thing goes wrong. A scenario is plain data, so that a failing one can be made smaller.
 */
import type { Shares, Storm } from "./nemesis.ts";
import { createRandom, type Random } from "./random.ts";

export type Act =
  | "create account"
  | "create contact"
  | "edit"
  | "clear"
  | "tags"
  | "delete"
  | "same edit"
  | "delete while edited"
  | "pin"
  | "resolve"
  | "undo"
  | "clone"
  | "merge"
  | "edit all";

export interface Step {
  readonly at: number;
  readonly act: Act;
  /** The system in which it happens; of decisions made in the hub it means nothing. */
  readonly system: string;
  /** In [0, 1): picks among what is there then. */
  readonly draw: readonly [number, number, number];
}

export interface Crash {
  readonly at: number;
  readonly downMs: number;
}

export interface Scenario {
  readonly seed: number;
  readonly steps: ReadonlyArray<Step>;
  readonly crashes: ReadonlyArray<Crash>;
  readonly storms: ReadonlyArray<Storm>;
  readonly shares: Omit<Shares, "twice">;
  readonly deletes: Readonly<Record<string, "detach" | "archive" | "propagate" | "ignore">>;
  readonly manual: boolean;
  /** A workflow of the third system puts every phone number back that the hub writes. */
  readonly stubborn: boolean;
  readonly accounts: number;
  readonly extras: Extras;
}

/** What happens in some runs only; drawn apart, so that the others stay as they are. */
export interface Extras {
  /** How far the clock of each system is from the hub's, in milliseconds; within `skewMsMax`. */
  readonly skewMs: Readonly<Record<string, number>>;
  /** People make records twice in one system and merge them; the first system names the one that stays. */
  readonly merging: boolean;
  /** A few records within a minute stop a system, until a person decides. */
  readonly braked: boolean;
  /** The third system lists by index, so that rows shift from page to page. */
  readonly shifting: boolean;
  /** Share of transactions that a database gives up at their end, and that run again. */
  readonly twice: number;
}

export const skewMsMax = 10_000;
/** A system that has a brake takes so many records within the window. */
export const brake = { records: 4, windowMs: 60_000 } as const;

export const systemNames = ["a", "b", "c"] as const;
/** How long people are busy, in virtual milliseconds. */
export const busyMs = 360_000;

const acts: ReadonlyArray<readonly [Act, number]> = [
  ["edit", 40],
  ["tags", 10],
  ["clear", 7],
  ["create account", 7],
  ["create contact", 9],
  ["delete", 4],
  ["same edit", 5],
  ["delete while edited", 4],
  ["pin", 3],
  ["resolve", 6],
  ["undo", 3],
];

export function scenarioOf(seed: number): Scenario {
  const random = createRandom(seed, "scenario");
  const calm = random.chance(0.2);
  const share = (most: number): number => (calm || random.chance(0.3) ? 0 : random.next() * most);
  const further = createRandom(seed, "extras");
  const extras = extrasOf(further);
  const usual = Array.from({ length: random.int(12, 40) }, (): Step => stepOf(random));
  const steps = [...usual, ...furtherSteps(further, extras)].sort((one, other) => one.at - other.at);
  return {
    seed,
    steps,
    crashes: calm
      ? []
      : Array.from({ length: random.int(0, 3) }, () => ({
          at: random.int(5_000, busyMs),
          downMs: random.int(100, 40_000),
        })).sort((one, other) => one.at - other.at),
    storms: calm ? [] : Array.from({ length: random.int(0, 3) }, () => stormOf(random)),
    shares: {
      answerLost: share(0.06),
      late: share(0.08),
      slow: share(0.25),
      halfFails: share(0.1),
      hookDropped: share(0.4),
      hookDoubled: share(0.4),
      hookDelayed: share(0.5),
      storeFails: share(0.01),
    },
    deletes: Object.fromEntries(
      systemNames.map((name) => [
        name,
        random.pick(["detach", "archive", "propagate", "propagate", "ignore"] as const) ?? "detach",
      ]),
    ),
    manual: random.chance(0.15),
    stubborn: random.chance(0.1),
    accounts: random.int(2, 6),
    extras,
  };
}

function extrasOf(random: Random): Extras {
  const isSkewed = random.chance(0.25);
  return {
    skewMs: Object.fromEntries(
      systemNames.map((name) => {
        const offset = random.int(-skewMsMax, skewMsMax);
        return [name, isSkewed ? offset : 0];
      }),
    ),
    merging: random.chance(0.2),
    braked: random.chance(0.15),
    shifting: random.chance(0.25),
    twice: random.chance(0.3) ? random.next() * 0.2 : 0,
  };
}

/** The acts of people in runs that have more of them. */
function furtherSteps(random: Random, { merging, braked }: Extras): ReadonlyArray<Step> {
  const acts: ReadonlyArray<Act> = [
    ...(merging ? (["clone", "merge", "merge"] as const) : []),
    ...(braked ? (["edit all"] as const) : []),
  ];
  if (acts.length === 0) return [];
  return Array.from({ length: random.int(2, 6) }, () => ({ ...stepOf(random), act: random.pick(acts) ?? "clone" }));
}

function stepOf(random: Random): Step {
  const total = acts.reduce((sum, [, weight]) => sum + weight, 0);
  let left = random.next() * total;
  const act =
    acts.find(([, weight]) => {
      left -= weight;
      return left < 0;
    })?.[0] ?? "edit";
  return {
    // People often act at the same moment, which is when it gets hard.
    at: random.chance(0.4) ? random.int(0, 11) * 30_000 + random.int(0, 3_000) : random.int(0, busyMs),
    act,
    system: random.pick(systemNames) ?? "a",
    draw: [random.next(), random.next(), random.next()],
  };
}

function stormOf(random: Random): Storm {
  const from = random.int(0, busyMs);
  return {
    system: random.pick(systemNames) ?? "a",
    kind: random.pick(["429 storm", "5xx storm", "token lost"] as const) ?? "5xx storm",
    from,
    to: from + random.int(2_000, 45_000),
  };
}
