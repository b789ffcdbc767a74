import { describe, expect, it } from "vitest";
import { agreed, settingsOf, tell, valuesOf } from "./world.ts";

describe("candidates of a dispute", () => {
  it("leave out who says what somebody else has seen and changed since", () => {
    const settings = settingsOf([{ name: "a" }, { name: "b" }, { name: "c" }], [{ prefer: ["c", "a", "b"] }]);
    const world = agreed(settings, { name: "Acme", industry: "Steel", tags: null });
    const report = (connection: string, industry: string, at: number) =>
      tell(world, settings, { connection, fields: { Name: "Acme", Industry: industry, Tags: null }, since: 1, at });
    report("a", "Coal", 10);
    report("c", "Coal", 11);
    // b has been given the coal, and its user makes iron of it: c's coal is over, although c is preferred.
    const shadow = world.link("b", "account", "b")?.shadow.fields.industry;
    Object.assign(shadow ?? {}, { base: "Coal", held: "Coal" });
    report("b", "Iron", 20);
    report("a", "Peat", 21);
    expect(valuesOf(world).industry).toBe("Peat");
    const rows = [...world.conflicts.values()].map((row) => row.candidates.map((one) => [one.source, one.value]));
    expect(rows).toEqual([
      [
        ["b", "Iron"],
        ["a", "Peat"],
      ],
    ]);
  });
});
