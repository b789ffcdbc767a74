/** Some seeds with the store on a PostgreSQL; `npm run sim -- --postgres --seeds 100` plays more. */
import { expect, it } from "vitest";
import { placeFor } from "../kit/engine-place.ts";
import { brokenOf } from "./judged.ts";
import { play } from "./run.ts";
import { scenarioOf } from "./scenario.ts";

const seeds = Array.from({ length: 12 }, (_, index) => index + 1);

it.each(seeds)("keeps every promise in the run of seed %i on PostgreSQL", { timeout: 180_000 }, async (seed) => {
  expect(brokenOf(await play(scenarioOf(seed), await placeFor()))).toEqual([]);
});
