import { describe, expect, it } from "vitest";
import { playKills } from "./kills.ts";

describe("a hub that is killed 100 times and stopped now and then", () => {
  it("loses no edit and no acknowledged call, makes no account twice, and ends with all systems the same", async () => {
    const report = await playKills({ count: 100, seed: 1 });
    expect(report).toMatchObject({ kills: 100, lost: [], differences: [], exits: [0, 0] });
    // So that a run in which nothing happened cannot pass.
    expect(report.killedInStart).toBeGreaterThan(10);
    expect(report.stops).toBeGreaterThan(10);
    expect(report.creates).toBeGreaterThan(50);
    expect(report.edits).toBeGreaterThan(200);
    expect(report.calledAgain).toBeGreaterThan(50);
  }, 900_000);
});
