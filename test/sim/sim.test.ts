/** The simulation itself: it repeats, and the seeds that once broke a promise keep it. */
import { describe, expect, it } from "vitest";
import { brokenOf } from "./judged.ts";
import { play } from "./run.ts";
import { scenarioOf } from "./scenario.ts";

/** Seeds that have found a fault of the engine, and which. */
const found: ReadonlyArray<readonly [number, string]> = [
  [21, "an edit right after our create was taken for a default"],
  [49, "a create that was refused as a whole was sent at every sweep"],
  [61, "a write that landed late after a second try was taken for a person's edit"],
  [73, "a first load that one failed write cut left the hub idle"],
  [128, "the intent of a create that a read had shown had no outcome"],
  [171, "a late landing in a field that the system rewrites was taken for a person's edit"],
  [156, "a value that was read while a write was under way, and covered by it, was not in the log"],
  [323, "a system's rewrite of our value that came back with a later time was taken for an edit"],
  [1525, "a record with a reference that waited was not seen to be gone"],
  [1540, "a late landing over an edit that nobody had read left no row"],
];

describe("a seed", () => {
  it("plays the same run every time", { timeout: 60_000 }, async () => {
    const [one, other] = [await play(scenarioOf(7)), await play(scenarioOf(7))];
    expect(other.story).toEqual(one.story);
    expect(one.story.length).toBeGreaterThan(100);
  });

  for (const [seed, what] of found) {
    it(`${seed} keeps every promise: ${what}`, { timeout: 60_000 }, async () => {
      expect(brokenOf(await play(scenarioOf(seed)))).toEqual([]);
    });
  }
});
