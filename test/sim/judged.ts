/** Seeds as tests: each plays a run and shows what is wrong with it. */
import { expect } from "vitest";
import { type FaultKind, faultKinds } from "./nemesis.ts";
import { type Outcome, play } from "./run.ts";
import { scenarioOf } from "./scenario.ts";

/** Plays seeds one after the other; what breaks is shown with the seed, which `npm run sim -- --story` tells whole. */
export async function playSeeds(from: number, count: number): Promise<Readonly<Record<FaultKind, number>>> {
  const faults = Object.fromEntries(faultKinds.map((kind) => [kind, 0])) as Record<FaultKind, number>;
  for (let seed = from; seed < from + count; seed++) {
    const outcome = await play(scenarioOf(seed));
    expect(brokenOf(outcome), `seed ${seed}`).toEqual([]);
    for (const kind of faultKinds) faults[kind] += outcome.faults[kind];
  }
  return faults;
}

export const brokenOf = ({ violations }: Outcome): ReadonlyArray<string> =>
  violations.map(({ property, what }) => `${property} ${what}`);
