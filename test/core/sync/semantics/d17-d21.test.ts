import { describe, expect, it } from "vitest";
import { decideEdit, decideUndo, releaseHold } from "../../../../core/model/edits.ts";
import { decideUndoStep, undoSteps } from "../../../../core/model/undo.ts";
import type { Value } from "../../../../core/model/value.ts";
import { createKit, type Kit } from "../../../kit/engine-kit.ts";
import { accountId, company, edit, held, minute, only, seeded, systems, writesTo } from "./world.ts";

/** A person's edit of a field of the one account, over the value that they see. */
async function editByHand(kit: Kit, field: string, value: Value, base: Value, hold = false) {
  const id = await accountId(kit);
  return kit.decide([id], (world, moment) =>
    decideEdit(world, kit.engine.settings, { canonicalId: id, field, value, base, hold }, moment),
  );
}

/** Undoes the one row of this kind. */
async function undo(kit: Kit, kind: string) {
  const [row] = await kit.conflicts(kind);
  const id = await accountId(kit);
  return kit.decide([id], (world, moment) => {
    const conflict = world.conflicts.get(row?.id ?? "");
    if (conflict === undefined) throw new Error("the row is not there");
    return decideUndo(world, kit.engine.settings, conflict, moment);
  });
}

describe("D17: wars", () => {
  it("D17: a system that undoes what the hub writes is frozen in that field only, and the war ends", async () => {
    const kit = await createKit({ systems, policy: { fields: { industry: [{ only: "c" }] } } });
    kit.toy("c").create("account", { ...company(1), Industry: "Steel" });
    await kit.settle();
    kit.clock.advance(minute);
    // A workflow of b sets the industry back at every change.
    kit.toy("b").hooks.store = (fields) => ("Industry" in fields ? { ...fields, Industry: "Coal" } : fields);
    kit.toy("b").hooks.afterWrite = (_, id) => {
      kit.clock.advance(2000);
      if (kit.toy("b").read("account", id)?.Industry === "Coal") kit.toy("b").edit("account", id, { Industry: "Coal" });
    };
    edit(kit, "b", { Industry: "Coal" });
    await kit.settle();
    const rows = await kit.conflicts("freeze");
    expect(rows.map((row) => [row.connection, row.field, row.state])).toEqual([["b", "industry", "open"]]);
    const before = writesTo(kit, "b");
    kit.clock.advance(minute);
    edit(kit, "c", { Industry: "Iron", Name: "Renamed" });
    await kit.settle();
    expect(held(kit, "Industry")).toEqual({ a: "Iron", b: "Coal", c: "Iron" });
    expect(held(kit, "Name").b).toBe("Renamed");
    expect(writesTo(kit, "b") - before).toBe(1);
    kit.clock.advance(minute);
    edit(kit, "b", { Industry: "Peat" });
    await kit.settle();
    expect(held(kit, "Industry")).toEqual({ a: "Iron", b: "Peat", c: "Iron" });
    const [row] = await kit.conflicts("freeze");
    expect(row?.candidates.map((candidate) => candidate.value)).toContain("Peat");
  });

  it("D17: a canonical value that comes back once too often is frozen where it comes from", async () => {
    const kit = await createKit({ systems, flipsMax: 2 });
    await seeded(kit, { ...company(1), Industry: "Steel" });
    for (let round = 0; round < 3; round++) {
      for (const [name, value] of [
        ["a", "Coal"],
        ["b", "Steel"],
      ] as const) {
        kit.clock.advance(minute);
        edit(kit, name, { Industry: value });
        await kit.settle();
      }
    }
    const rows = await kit.conflicts("freeze");
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.every((row) => row.field === "industry" && row.state === "open")).toBe(true);
    expect(new Set(Object.values(held(kit, "Industry"))).size).toBe(2);
  });

  it("D17: people who alternate new values are no war", async () => {
    const kit = await createKit({ systems, flipsMax: 2 });
    await seeded(kit);
    for (let round = 0; round < 6; round++) {
      kit.clock.advance(minute);
      edit(kit, round % 2 === 0 ? "a" : "b", { Industry: `industry ${round}` });
      await kit.settle();
    }
    expect(await kit.conflicts("freeze")).toEqual([]);
    expect(held(kit, "Industry")).toEqual({ a: "industry 5", b: "industry 5", c: "industry 5" });
  });

  it("D17: answering the row unfreezes the field, and the answer is written there", async () => {
    const kit = await createKit({ systems, flipsMax: 1 });
    await seeded(kit, { ...company(1), Industry: "Steel" });
    kit.clock.advance(minute);
    edit(kit, "a", { Industry: "Coal" });
    await kit.settle();
    kit.clock.advance(minute);
    edit(kit, "b", { Industry: "Steel" });
    await kit.settle();
    expect(held(kit, "Industry")).toEqual({ a: "Coal", b: "Steel", c: "Coal" });
    expect(await kit.answer("freeze", { kind: "source", source: "b", hold: false })).toEqual({ kind: "done" });
    await kit.settle();
    expect(held(kit, "Industry")).toEqual({ a: "Steel", b: "Steel", c: "Steel" });
    kit.clock.advance(minute);
    edit(kit, "b", { Industry: "Iron" });
    await kit.settle();
    expect(held(kit, "Industry")).toEqual({ a: "Iron", b: "Iron", c: "Iron" });
  });
});

describe("D18: manual", () => {
  const policy = { fields: { phone: ["manual"] } } as const;

  async function disputed(): Promise<Kit> {
    const kit = await createKit({ systems, policy });
    await seeded(kit);
    edit(kit, "a", { Phone: "+4930111111" });
    edit(kit, "b", { Phone: "+4930222222" });
    // The first of the two is heard first, however long the store takes for each.
    await kit.sync({ names: ["a"], pushes: false });
    await kit.sync();
    await kit.settle();
    return kit;
  }

  it("D18: while a conflict is open the field is pushed to nobody", async () => {
    const kit = await disputed();
    const before = held(kit, "Phone");
    expect(before).toMatchObject({ a: "+4930111111", b: "+4930222222" });
    const report = await kit.settle();
    expect(held(kit, "Phone")).toEqual(before);
    expect(report.agreement.open).toBeGreaterThan(0);
    expect(report.agreement.share).toBe(1);
  });

  it("D18: further news updates its own candidate, opens no second row and leaves the canonical value", async () => {
    const kit = await disputed();
    const [before] = await kit.accounts();
    kit.clock.advance(minute);
    edit(kit, "b", { Phone: "+4930333333" });
    await kit.settle();
    const rows = await kit.conflicts("value");
    expect(rows.map((row) => row.state)).toEqual(["open"]);
    const values = rows[0]?.candidates.map((candidate) => candidate.value);
    expect(values).toContain("+4930333333");
    expect(values).not.toContain("+4930222222");
    expect((await kit.accounts())[0]?.phone).toBe(before?.phone);
  });

  it("D18: when all who speak agree, the row closes by itself and everybody gets the value", async () => {
    const kit = await disputed();
    kit.clock.advance(minute);
    edit(kit, "b", { Phone: "+4930111111" });
    await kit.settle();
    expect((await kit.conflicts("value")).map((row) => row.state)).toEqual(["closed"]);
    expect(held(kit, "Phone")).toEqual({ a: "+4930111111", b: "+4930111111", c: "+4930111111" });
  });

  it("D18: all may also come to a third value", async () => {
    const kit = await disputed();
    kit.clock.advance(minute);
    edit(kit, "a", { Phone: "+4930444444" });
    edit(kit, "b", { Phone: "+4930444444" });
    await kit.settle();
    expect((await kit.conflicts("value")).map((row) => row.state)).toEqual(["closed"]);
    expect(held(kit, "Phone")).toEqual({ a: "+4930444444", b: "+4930444444", c: "+4930444444" });
  });

  it("D18: the row closes when the record of the other side is deleted", async () => {
    const kit = await disputed();
    const winner = (await kit.accounts())[0]?.phone === "+4930111111" ? "a" : "b";
    const other = winner === "a" ? "b" : "a";
    kit.toy(other).remove("account", only(kit, other).id);
    await kit.settle();
    expect((await kit.conflicts("value")).map((row) => row.state)).toEqual(["closed"]);
    expect(only(kit, "c").fields.Phone).toBe(only(kit, winner).fields.Phone);
  });

  it("D18: resolving makes one edit of the hub, for the candidates as they were shown", async () => {
    const kit = await disputed();
    const [row] = await kit.conflicts("value");
    const shownAt = row?.updatedAt ?? 0;
    expect(await kit.answer("value", { kind: "source", source: "b", hold: false, shownAt })).toEqual({ kind: "done" });
    await kit.settle();
    expect(held(kit, "Phone")).toEqual({ a: "+4930222222", b: "+4930222222", c: "+4930222222" });
    expect((await kit.conflicts("value")).map((one) => [one.state, one.winner, one.result])).toEqual([
      ["resolved", "b", "+4930222222"],
    ]);
  });

  it("D18: taking an answer back before it was written asks again, and each system keeps its own value", async () => {
    const kit = await disputed();
    const before = held(kit, "Phone");
    const [question] = await kit.conflicts("value");
    const [shown] = await kit.accounts();
    await kit.answer("value", { kind: "source", source: "b", hold: false });
    expect((await undo(kit, "value")).kind).toBe("reopened");
    await kit.settle();
    expect(held(kit, "Phone")).toEqual(before);
    expect((await kit.accounts())[0]?.phone).toBe(shown?.phone);
    const rows = await kit.conflicts("value");
    expect(rows.map((row) => row.state)).toEqual(["reopened"]);
    const told = (row: typeof question) => row?.candidates.map(({ source, value }) => [source, value]);
    expect(told(rows[0])).toEqual(told(question));
  });

  it.each([
    ["a", "+4930111111", "b", "+4930222222"],
    ["b", "+4930222222", "a", "+4930111111"],
  ])(
    "D18: an answer for %s that was written can be taken back: nothing moves until it is answered again",
    async (...names) => {
      const [taken, value, other, otherValue] = names;
      const kit = await disputed();
      await kit.answer("value", { kind: "source", source: taken, hold: false });
      await kit.settle();
      expect(held(kit, "Phone")).toEqual({ a: value, b: value, c: value });
      expect((await undo(kit, "value")).kind).toBe("reopened");
      kit.toy("c").remove("account", only(kit, "c").id);
      await kit.settle();
      expect({ a: only(kit, "a").fields.Phone, b: only(kit, "b").fields.Phone }).toEqual({ a: value, b: value });
      const [row] = await kit.conflicts("value");
      expect(row?.state).toBe("reopened");
      expect(Object.fromEntries((row?.candidates ?? []).map((one) => [one.source, one.value]))).toEqual({
        a: "+4930111111",
        b: "+4930222222",
      });
      expect(await kit.answer("value", { kind: "source", source: other, hold: false })).toEqual({ kind: "done" });
      await kit.settle();
      expect({ a: only(kit, "a").fields.Phone, b: only(kit, "b").fields.Phone }).toEqual({
        a: otherValue,
        b: otherValue,
      });
    },
  );

  it("D18: news of a system takes the place of what a question that is asked again remembers of it", async () => {
    const kit = await disputed();
    await kit.answer("value", { kind: "source", source: "a", hold: false });
    await kit.settle();
    await undo(kit, "value");
    kit.clock.advance(minute);
    edit(kit, "b", { Phone: "+4930333333" });
    await kit.settle();
    const [row] = await kit.conflicts("value");
    expect(row?.candidates.map(({ source, value }) => [source, value])).toEqual([
      ["a", "+4930111111"],
      ["b", "+4930333333"],
    ]);
    expect(held(kit, "Phone")).toMatchObject({ a: "+4930111111", b: "+4930333333" });
  });

  it("D18: if a candidate has changed since the row was shown, it asks again and changes nothing", async () => {
    const kit = await disputed();
    const [row] = await kit.conflicts("value");
    kit.clock.advance(minute);
    edit(kit, "b", { Phone: "+4930333333" });
    await kit.settle();
    const shownAt = row?.updatedAt ?? 0;
    const outcome = await kit.answer("value", { kind: "source", source: "b", hold: false, shownAt });
    expect(outcome.kind).toBe("asks");
    expect((await kit.conflicts("value")).map((one) => one.state)).toEqual(["open"]);
    expect(held(kit, "Phone")).toMatchObject({ a: "+4930111111", b: "+4930333333" });
  });

  it("D18: the same disagreement is not raised twice", async () => {
    const kit = await disputed();
    await kit.answer("value", { kind: "source", source: "a", hold: false });
    await kit.settle();
    kit.clock.advance(minute);
    edit(kit, "b", { Name: "Renamed" });
    await kit.settle();
    expect(await kit.conflicts("value")).toHaveLength(1);
  });

  it("D18: an edit by hand of a field in dispute becomes a candidate and does not decide it", async () => {
    const kit = await disputed();
    const before = (await kit.accounts())[0]?.phone;
    const outcome = await editByHand(kit, "phone", "+4930999999", typeof before === "string" ? before : null);
    expect(outcome.kind).toBe("asks");
    kit.clock.advance(minute);
    edit(kit, "b", { Phone: "+4930333333" });
    await kit.settle();
    const [row] = await kit.conflicts("value");
    expect(row?.state).toBe("reopened");
    expect(row?.candidates.map((candidate) => candidate.value)).toEqual(
      expect.arrayContaining(["+4930999999", "+4930333333"]),
    );
    expect((await kit.accounts())[0]?.phone).toBe(before);
  });
});

describe("D19: undo, pins and edits", () => {
  async function settled(): Promise<Kit> {
    const kit = await createKit({ systems, policy: { default: [{ prefer: ["b", "a", "c"] }] } });
    await seeded(kit);
    edit(kit, "a", { Phone: "+4930111111" });
    edit(kit, "b", { Phone: "+4930222222" });
    await kit.settle();
    return kit;
  }

  it("D19: undo restores the value of before, everywhere, as a pin", async () => {
    const kit = await settled();
    expect(held(kit, "Phone")).toEqual({ a: "+4930222222", b: "+4930222222", c: "+4930222222" });
    expect(await undo(kit, "value")).toEqual({ kind: "done" });
    await kit.settle();
    expect(held(kit, "Phone")).toEqual({ a: "+4930111111", b: "+4930111111", c: "+4930111111" });
    expect((await kit.conflicts("value")).map((row) => row.state)).toEqual(["undone"]);
  });

  it("D19: undo after a further edit does not destroy that edit: it asks", async () => {
    const kit = await settled();
    kit.clock.advance(minute);
    edit(kit, "c", { Phone: "+4930555555" });
    await kit.settle();
    expect((await undo(kit, "value")).kind).toBe("asks");
    await kit.settle();
    expect(held(kit, "Phone")).toEqual({ a: "+4930555555", b: "+4930555555", c: "+4930555555" });
    const open = (await kit.conflicts("value")).filter((row) => row.state === "reopened");
    expect(open.map((row) => row.candidates.map((candidate) => candidate.value))).toEqual([
      ["+4930555555", "+4930111111"],
    ]);
    expect(await kit.answer("value", { kind: "source", source: "hub", hold: false })).toEqual({ kind: "done" });
    await kit.settle();
    expect(held(kit, "Phone")).toEqual({ a: "+4930111111", b: "+4930111111", c: "+4930111111" });
  });

  it("D19: a pin beats what is not provably later, and yields to what is", async () => {
    const kit = await createKit({ systems });
    await seeded(kit);
    edit(kit, "a", { Phone: "+4930111111" });
    expect(await editByHand(kit, "phone", "+4930777777", company(1).Phone)).toEqual({ kind: "done" });
    await kit.settle();
    expect(held(kit, "Phone")).toEqual({ a: "+4930777777", b: "+4930777777", c: "+4930777777" });
    const log = JSON.stringify([await kit.history(await accountId(kit)), await kit.conflicts()]);
    expect(log).toContain("+4930111111");
    kit.clock.advance(minute);
    edit(kit, "a", { Phone: "+4930888888" });
    await kit.settle();
    expect(held(kit, "Phone")).toEqual({ a: "+4930888888", b: "+4930888888", c: "+4930888888" });
  });

  it("D19: a later edit in a system that held the pinned value all along wins as well", async () => {
    const kit = await createKit({ systems, policy: { fields: { phone: ["manual"] } } });
    await seeded(kit);
    edit(kit, "a", { Phone: "+4930111111" });
    edit(kit, "b", { Phone: "+4930222222" });
    await kit.settle();
    await kit.answer("value", { kind: "source", source: "a", hold: false });
    await kit.settle();
    kit.clock.advance(minute);
    edit(kit, "a", { Phone: "+4930888888" });
    await kit.settle();
    expect(held(kit, "Phone")).toEqual({ a: "+4930888888", b: "+4930888888", c: "+4930888888" });
  });

  it("D19: a hold keeps every edit out until it is released", async () => {
    const kit = await createKit({ systems });
    const id = await seeded(kit);
    await editByHand(kit, "phone", "+4930777777", company(1).Phone, true);
    await kit.settle();
    kit.clock.advance(minute);
    edit(kit, "a", { Phone: "+4930888888" });
    await kit.settle();
    expect(held(kit, "Phone")).toEqual({ a: "+4930777777", b: "+4930777777", c: "+4930777777" });
    await kit.decide([id], (world, moment) => {
      const canonical = world.canonical(id);
      if (canonical !== undefined) releaseHold(world, canonical, "phone", moment);
    });
    kit.clock.advance(minute);
    edit(kit, "a", { Phone: "+4930888888" });
    await kit.settle();
    expect(held(kit, "Phone")).toEqual({ a: "+4930888888", b: "+4930888888", c: "+4930888888" });
  });

  it("D19: an edit over a value that has changed since asks and writes nothing", async () => {
    const kit = await createKit({ systems });
    await seeded(kit);
    edit(kit, "a", { Phone: "+4930111111" });
    await kit.settle();
    expect((await editByHand(kit, "phone", "+4930777777", company(1).Phone)).kind).toBe("asks");
    await kit.settle();
    expect(held(kit, "Phone").c).toBe("+4930111111");
  });
});

describe("D20: evidence intervals", () => {
  it("D20: two edits whose times do not overlap are decided by the later one, whoever is preferred", async () => {
    const kit = await createKit({ systems });
    await seeded(kit);
    for (const name of ["a", "c"]) await kit.apply(name, await kit.read(name, [only(kit, name).id]));
    kit.clock.advance(minute);
    edit(kit, "a", { Industry: "earlier" });
    kit.clock.advance(minute);
    await kit.apply("c", await kit.read("c", [only(kit, "c").id]));
    kit.clock.advance(minute);
    edit(kit, "c", { Industry: "later" });
    await kit.settle();
    expect(held(kit, "Industry")).toEqual({ a: "later", b: "later", c: "later" });
    expect((await kit.conflicts("value")).map((row) => row.rule)).toEqual(["newest"]);
  });

  it("D20: within one resolution of the coarser clock the order is unknown and the next rule decides", async () => {
    const kit = await createKit({ systems });
    await seeded(kit);
    kit.clock.advance(1000 - (kit.clock.now() % 1000));
    for (const name of ["a", "b"]) await kit.apply(name, await kit.read(name, [only(kit, name).id]));
    edit(kit, "b", { Industry: "from b" });
    await kit.apply("a", await kit.read("a", [only(kit, "a").id]));
    edit(kit, "a", { Industry: "from a" });
    await kit.settle();
    expect((await kit.conflicts("value")).map((row) => [row.rule, row.result])).toEqual([["prefer", "from a"]]);
  });

  it("D20: a measured skew widens the interval until the order is unknown", async () => {
    const kit = await createKit({ systems: { ...systems, c: { ...systems.c, setup: { skewMs: 10 * minute } } } });
    await seeded(kit);
    kit.clock.advance(30 * minute);
    await kit.settle();
    for (const name of ["a", "c"]) await kit.apply(name, await kit.read(name, [only(kit, name).id]));
    edit(kit, "c", { Industry: "earlier" });
    kit.clock.advance(minute);
    await kit.apply("a", await kit.read("a", [only(kit, "a").id]));
    edit(kit, "a", { Industry: "later" });
    await kit.settle();
    expect((await kit.conflicts("value")).map((row) => [row.rule, row.result])).toEqual([["prefer", "later"]]);
  });
});

describe("D21: first meetings", () => {
  it("D21: fills of empty fields are counted in the summary and listed with their values", async () => {
    const kit = await createKit({ systems: { a: systems.a, c: systems.c } });
    kit.toy("a").create("account", company(1));
    kit.toy("c").create("account", { ...company(1), Industry: "Steel", Notes: "note" });
    const report = await kit.sync();
    expect(report.connections.reduce((sum, one) => sum + one.applied.filled, 0)).toBe(2);
    const fills = (await kit.history(await accountId(kit))).filter((row) => row.kind === "filled");
    expect(fills.map((row) => row.set)).toEqual(
      expect.arrayContaining([{ industry: "Steel" }, { description: "note" }]),
    );
  });

  it("D21: the fills of a load can be undone as one batch", async () => {
    const kit = await createKit({ systems: { a: systems.a, c: systems.c } });
    kit.toy("a").create("account", company(1));
    kit.toy("c").create("account", { ...company(1), Industry: "Steel", Notes: "note" });
    await kit.settle();
    expect(held(kit, "Industry")).toEqual({ a: "Steel", c: "Steel" });
    const id = await accountId(kit);
    const steps = undoSteps((await kit.history(id)).filter((row) => row.kind === "filled"));
    const outcomes = await kit.decide([id], (world, moment) =>
      steps.map((step) => decideUndoStep(world, kit.engine.settings, step, "run_test", moment)),
    );
    expect(outcomes).toEqual([{ kind: "done" }, { kind: "done" }]);
    await kit.settle();
    expect([held(kit, "Industry"), held(kit, "Notes")]).toEqual([
      { a: null, c: null },
      { a: null, c: null },
    ]);
  });

  it("D21: a record that waits for a person merges nothing", async () => {
    const kit = await createKit({ systems: { a: systems.a, c: systems.c } });
    kit.toy("a").create("account", { Name: "Acme", Phone: "+4930123456" });
    kit.toy("c").create("account", { Name: "Other", Phone: "+4930123456", Industry: "Steel" });
    await kit.settle();
    expect((await kit.conflicts("match")).map((row) => row.state)).toEqual(["open"]);
    expect(only(kit, "a").fields.Industry ?? null).toBeNull();
    expect(await kit.answer("match", { kind: "link", canonicalId: await accountId(kit) })).toEqual({ kind: "done" });
    await kit.settle();
    expect(only(kit, "a").fields.Industry).toBe("Steel");
  });
});
