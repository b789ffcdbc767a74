import { describe, expect, it } from "vitest";
import { decideEdit } from "../../../../core/model/edits.ts";
import { createKit } from "../../../kit/engine-kit.ts";
import { accountId, company, edit, held, minute, only, seeded, systems } from "./world.ts";

describe("D6: whole seconds", () => {
  it("D6: a record that was changed in the present second is not written until that second is over", async () => {
    const kit = await createKit({ systems: { a: systems.a, b: systems.b } });
    await seeded(kit);
    edit(kit, "a", { Phone: "+4930111111" });
    edit(kit, "b", { Name: "First" });
    await kit.sync();
    // The second edit of the same second: its time is the one that the hub has read.
    edit(kit, "b", { Name: "Second" });
    await kit.sync();
    await kit.settle();
    expect(held(kit, "Name")).toEqual({ a: "Second", b: "Second" });
    expect(held(kit, "Phone")).toEqual({ a: "+4930111111", b: "+4930111111" });
  });

  it("D6: only a closed version goes as a precondition, and only with single updates", async () => {
    const kit = await createKit({ systems: { a: systems.a, b: systems.b } });
    const ids = Array.from({ length: 12 }, (_, index) => kit.toy("a").create("account", company(index)));
    await kit.settle();
    kit.clock.advance(minute);
    kit.toy("a").edit("account", ids[0] ?? "", { Phone: "+4930111111" });
    await kit.settle();
    const single = kit.toy("b").writes.at(-1);
    expect(single?.kind === "update" && single.precondition !== undefined).toBe(true);
    kit.clock.advance(minute);
    for (const id of ids) kit.toy("a").edit("account", id, { Industry: "Steel" });
    await kit.settle();
    const batch = kit.toy("b").writes.slice(-12);
    expect(batch.map((write) => write.kind === "update" && write.precondition === undefined)).toEqual(
      batch.map(() => true),
    );
  });

  it("D6: an edit that passes a precondition of an older second is found and carried, not covered", async () => {
    const kit = await createKit({ systems: { a: systems.a, b: systems.b } });
    await seeded(kit);
    edit(kit, "a", { Phone: "+4930111111" });
    await kit.sync({ names: ["a"] });
    edit(kit, "b", { Phone: "+4930222222" });
    kit.clock.advance(5000);
    kit.toy("b").hooks.beforePage = () => {
      throw new Error("the pull of b is down");
    };
    await kit.sync({ names: ["b"] });
    delete kit.toy("b").hooks.beforePage;
    await kit.settle();
    const [row] = await kit.conflicts("value");
    expect(row?.candidates.map((candidate) => candidate.value).sort()).toEqual(["+4930111111", "+4930222222"]);
  });
});

describe("D7: which read to believe", () => {
  it("D7: of two reads of one version, applied in the wrong order, neither is believed: the record is fetched", async () => {
    const kit = await createKit({ systems: { b: systems.b, a: systems.a } });
    await seeded(kit);
    const { id } = only(kit, "b");
    const read = async (name: string) => {
      kit.toy("b").edit("account", id, { Name: name });
      return kit.read("b", [id]);
    };
    const began = kit.clock.now();
    const [older, newer] = [await read("Older"), await read("Newer")];
    const overlapping = { ...older, readBegan: began, readEnded: newer.readEnded };
    await kit.apply("b", newer);
    await kit.apply("b", overlapping);
    await kit.settle();
    expect(held(kit, "Name")).toEqual({ b: "Newer", a: "Newer" });
  });

  it("D7: a lower version whose read did not begin after the last one ended is dropped", async () => {
    const kit = await createKit({ systems: { a: systems.a, b: systems.b } });
    await seeded(kit);
    const stale = await kit.read("a", [only(kit, "a").id]);
    edit(kit, "a", { Phone: "+4930111111" });
    await kit.sync();
    const applied = await kit.apply("a", stale);
    expect(applied.counts.stale).toBe(1);
    await kit.settle();
    expect(held(kit, "Phone")).toEqual({ a: "+4930111111", b: "+4930111111" });
  });

  it("D7: after a backup restore the smaller versions are believed, and counted as gone back", async () => {
    const kit = await createKit({ systems: { a: systems.a, b: systems.b } });
    await seeded(kit);
    edit(kit, "a", { Phone: "+4930111111" });
    edit(kit, "a", { Notes: "more" });
    await kit.settle();
    kit.clock.advance(minute);
    kit.toy("a").rollBack("account", only(kit, "a").id, { Phone: "+49301100001" }, 1, kit.clock.now() - 30 * minute);
    const report = await kit.sync();
    expect(report.connections.find((one) => one.name === "a")?.applied.wentBack).toBe(1);
    await kit.settle();
    expect(held(kit, "Phone")).toEqual({ a: "+49301100001", b: "+49301100001" });
  });

  it("D7: a restore of a whole backup feeds the brake of the source", async () => {
    const kit = await createKit({ systems: { a: systems.a, b: systems.b } });
    const ids = Array.from({ length: 60 }, (_, index) => kit.toy("a").create("account", company(index)));
    await kit.settle();
    for (const id of ids) kit.toy("a").edit("account", id, {});
    await kit.settle();
    kit.clock.advance(2 * 60 * minute);
    for (const id of ids) kit.toy("a").rollBack("account", id, { Industry: "Old" }, 1, kit.clock.now() - 60 * minute);
    const report = await kit.sync();
    expect(report.connections.find((one) => one.name === "a")?.outcome.kind).toBe("held");
    expect(
      kit
        .toy("b")
        .live("account")
        .map((id) => kit.toy("b").read("account", id)?.Industry ?? null),
    ).toEqual(ids.map(() => null));
  });

  it("D7: a change that does not move the version is believed when the read began later", async () => {
    const kit = await createKit({ systems: { a: systems.a, b: systems.b } });
    await seeded(kit);
    const { id } = only(kit, "a");
    const row = kit.toy("a").rows.account.get(id);
    kit.toy("a").rollBack("account", id, { Owner: "bob@hub.test" }, row?.version ?? 0, row?.modifiedAt ?? 0);
    await kit.settle();
    expect(held(kit, "Owner")).toEqual({ a: "bob@hub.test", b: "bob@hub.test" });
  });

  it("D7: an equal read advances the evidence, so that a stale page after it is dropped", async () => {
    const kit = await createKit({ systems: { a: systems.a, b: systems.b } });
    const id = await seeded(kit);
    const { id: remoteId } = only(kit, "a");
    await kit.apply("a", await kit.read("a", [remoteId]));
    const before = (await kit.links(id)).find((link) => link.connection === "a")?.readEnded ?? 0;
    await kit.apply("a", await kit.read("a", [remoteId]));
    const after = (await kit.links(id)).find((link) => link.connection === "a")?.readEnded ?? 0;
    expect(after).toBeGreaterThan(before);
  });
});

describe("D8: sets and groups", () => {
  it("D8: a tag removed in one system and another added in a second both take effect", async () => {
    const kit = await createKit({ systems });
    await seeded(kit, { ...company(1), Tags: ["x", "y"] });
    edit(kit, "a", { Tags: ["x"] });
    edit(kit, "b", { Tags: ["x", "y", "z"] });
    await kit.settle();
    expect(held(kit, "Tags")).toEqual({ a: ["x", "z"], b: ["x", "z"], c: ["x", "z"] });
    expect(await kit.conflicts("value")).toEqual([]);
  });

  it("D8: a system that keeps three tags and loses one of them removes one, not two", async () => {
    const kit = await createKit({ systems: { a: systems.a, c: systems.c } });
    kit.toy("c").hooks.store = (fields) =>
      Array.isArray(fields.Tags) ? { ...fields, Tags: fields.Tags.slice(0, 3) } : fields;
    await seeded(kit, { ...company(1), Tags: ["p", "q", "r", "s"] });
    expect(held(kit, "Tags").c).toEqual(["p", "q", "r"]);
    edit(kit, "c", { Tags: ["p", "q"] });
    await kit.settle();
    expect(held(kit, "Tags").a).toEqual(["p", "q", "s"]);
  });

  it("D8: lists that meet for the first time are joined, and each system gets the whole", async () => {
    const kit = await createKit({ systems });
    kit.toy("a").create("account", { ...company(1), Tags: ["x"] });
    kit.toy("b").create("account", { ...company(1), Tags: ["y"] });
    kit.toy("c").create("account", { ...company(1), Tags: ["z"] });
    await kit.settle();
    expect(held(kit, "Tags")).toEqual({ a: ["x", "y", "z"], b: ["x", "y", "z"], c: ["x", "y", "z"] });
  });

  it("D8: of two people who change other members of one address at once one unit stands, and the row keeps the other", async () => {
    const kit = await createKit({ systems: { a: systems.a, b: systems.b } });
    await seeded(kit, { ...company(1), Street: "Main 1", City: "Berlin", Zip: "10115", Country: "DE" });
    kit.clock.advance(minute);
    edit(kit, "a", { City: "Potsdam" });
    edit(kit, "b", { Street: "Main 2" });
    await kit.settle();
    const [one, two] = [only(kit, "a").fields, only(kit, "b").fields];
    expect([one.Street, one.City]).toEqual([two.Street, two.City]);
    const rows = await kit.conflicts("value");
    const kept = JSON.stringify(rows.map((row) => row.candidates.map(({ value }) => value)));
    expect(kept).toContain("Potsdam");
    expect(kept).toContain("Main 2");
  });

  it("D8: only the changed members of a group replace the others, and the unit is carried whole", async () => {
    const kit = await createKit({ systems: { a: systems.a, b: systems.b } });
    await seeded(kit, { ...company(1), Street: "Main 1", City: "Berlin", Zip: "10115", Country: "DE" });
    edit(kit, "a", { Street: "Main 2" });
    edit(kit, "b", { Zip: "10117" });
    await kit.settle();
    const [a, b] = [only(kit, "a").fields, only(kit, "b").fields];
    expect([a.Street, a.Zip, a.City]).toEqual([b.Street, b.Zip, b.City]);
    const rows = await kit.conflicts("value");
    expect(rows.map((row) => row.field)).toEqual(["billingAddress"]);
    expect(rows[0]?.candidates.map((candidate) => candidate.value)).toContainEqual(
      expect.objectContaining({ street: "Main 1", postalCode: "10117" }),
    );
  });

  it("D8: members that our own unconfirmed write added are an echo beside what the user added", async () => {
    const kit = await createKit({ systems: { a: systems.a, c: systems.c } });
    await seeded(kit, { ...company(1), Tags: ["x"] });
    edit(kit, "a", { Tags: ["x", "ours"] });
    kit.toy("c").hooks.afterWrite = (_, id) => {
      delete kit.toy("c").hooks.afterWrite;
      kit.toy("c").edit("account", id, { Tags: ["x", "ours", "theirs"] });
      throw new Error("the answer was lost");
    };
    await kit.sync();
    expect(held(kit, "Tags").a).toEqual(["ours", "theirs", "x"]);
    edit(kit, "a", { Tags: ["theirs", "x"] });
    await kit.settle();
    expect(held(kit, "Tags")).toEqual({ a: ["theirs", "x"], c: ["theirs", "x"] });
  });
});

describe("D9: lossy agreement", () => {
  it("D9: a system that holds the cut form of a new name agrees with it, whoever was read first", async () => {
    for (const order of [
      ["a", "b"],
      ["b", "a"],
    ] as const) {
      const kit = await createKit({ systems: Object.fromEntries(order.map((name) => [name, systems[name]])) });
      kit.toy("a").create("account", { ...company(1), Name: "Shanghai Electric Gr" });
      kit.toy("b").create("account", { ...company(1), Name: "Shanghai Electric Group Company" });
      await kit.settle();
      expect(held(kit, "Name")).toEqual({ a: "Shanghai Electric Gr", b: "Shanghai Electric Group Company" });
      expect((await kit.accounts())[0]?.name).toBe("Shanghai Electric Group Company");
      expect(await kit.conflicts("value")).toEqual([]);
    }
  });

  it("D9: the cut form and the whole, edited at the same time, are no conflict by letters", async () => {
    const kit = await createKit({ systems: { a: systems.a, b: systems.b } });
    await seeded(kit);
    edit(kit, "a", { Name: "Shanghai Electric Gr" });
    edit(kit, "b", { Name: "Shanghai Electric Group Company" });
    await kit.settle();
    expect(held(kit, "Name").b).toBe("Shanghai Electric Group Company");
    expect((await kit.accounts())[0]?.name).toBe("Shanghai Electric Group Company");
    expect(await kit.conflicts("value")).toEqual([]);
  });

  it("D9: a change that fills the declared length is taken, and the log holds the full value it replaced", async () => {
    const kit = await createKit({ systems: { a: systems.a, b: systems.b } });
    const id = await seeded(kit, { ...company(1), Name: "Short" });
    edit(kit, "b", { Name: "A name that is longer than twenty" });
    await kit.settle();
    edit(kit, "a", { Name: "Exactly twenty chars" });
    await kit.settle();
    expect(held(kit, "Name").b).toBe("Exactly twenty chars");
    const [last] = (await kit.history(id)).filter((row) => row.kind === "changed");
    expect([last?.from, last?.note]).toEqual([{ name: "A name that is longer than twenty" }, { fillsLength: 20 }]);
  });
});

describe("D10: the chain over the whole set", () => {
  const orders = [
    ["a", "b", "c"],
    ["a", "c", "b"],
    ["b", "a", "c"],
    ["b", "c", "a"],
    ["c", "a", "b"],
    ["c", "b", "a"],
  ] as const;

  for (const order of orders) {
    it(`D10: three changes, heard of in the order ${order.join(", ")}, have one winner`, async () => {
      const kit = await createKit({ systems, policy: { default: ["newest", { prefer: ["a", "b", "c"] }] } });
      await seeded(kit);
      const { clock } = kit;
      for (const name of ["a", "b", "c"]) await kit.apply(name, await kit.read(name, [only(kit, name).id]));
      clock.advance(10_000);
      edit(kit, "a", { Industry: "from a" });
      clock.advance(5000);
      for (const name of ["b", "c"]) await kit.apply(name, await kit.read(name, [only(kit, name).id]));
      clock.advance(5000);
      edit(kit, "b", { Industry: "from b" });
      clock.advance(2000);
      edit(kit, "c", { Industry: "from c" });
      clock.advance(5000);
      for (const name of order) await kit.sync({ names: [name], pushes: false });
      await kit.settle();
      // a is wholly older than the others; of b and c, whose times overlap, b is preferred.
      expect(held(kit, "Industry")).toEqual({ a: "from b", b: "from b", c: "from b" });
    });

    it(`D10: a first load judged in the order ${order.join(", ")} has one outcome`, async () => {
      const kit = await createKit({
        systems: Object.fromEntries(order.map((name) => [name, systems[name]])),
        policy: { default: ["newest", { prefer: ["c", "b", "a"] }] },
      });
      kit.toy("a").create("account", { ...company(1), Industry: "x" });
      kit.toy("b").create("account", { ...company(1), Industry: "y" });
      kit.toy("c").create("account", { ...company(1), Industry: "x" });
      await kit.settle();
      expect(held(kit, "Industry")).toEqual(Object.fromEntries(order.map((name) => [name, "x"])));
      expect((await kit.conflicts("value")).map((row) => [row.field, row.winner])).toEqual([["industry", "c"]]);
    });
  }

  it("D10: a field's own policy replaces the chain", async () => {
    const kit = await createKit({ systems, policy: { fields: { industry: ["longest"] } } });
    kit.toy("a").create("account", { ...company(1), Industry: "Steel" });
    kit.toy("c").create("account", { ...company(1), Industry: "Steel and coal" });
    await kit.settle();
    expect(held(kit, "Industry")).toEqual({ a: "Steel and coal", b: "Steel and coal", c: "Steel and coal" });
  });
});

describe("D11: an owner that cannot speak", () => {
  const policy = { fields: { owner: [{ only: "c" }] } } as const;

  it("D11: an owner without the account has no opinion", async () => {
    const kit = await createKit({
      systems: { a: systems.a, b: systems.b, c: { ...systems.c, writable: false } },
      policy,
    });
    kit.toy("a").create("account", { ...company(1), Owner: "ann@hub.test" });
    await kit.settle();
    expect(only(kit, "b").fields.Owner).toBe("ann@hub.test");
    expect(only(kit, "a").fields.Owner).toBe("ann@hub.test");
  });

  it("D11: an owner that holds empty has no opinion, and what the hub wrote there does not make it speak", async () => {
    const kit = await createKit({ systems, policy });
    kit.toy("a").create("account", { ...company(1), Owner: "ann@hub.test" });
    kit.toy("c").create("account", company(1));
    await kit.settle();
    expect(held(kit, "Owner")).toEqual({ a: "ann@hub.test", b: "ann@hub.test", c: "ann@hub.test" });
    kit.clock.advance(minute);
    edit(kit, "a", { Owner: "bob@hub.test" });
    await kit.settle();
    expect(held(kit, "Owner")).toEqual({ a: "bob@hub.test", b: "bob@hub.test", c: "bob@hub.test" });
  });

  it("D11: when it starts to bind its value wins, and the replaced one is logged", async () => {
    const kit = await createKit({ systems, policy });
    kit.toy("a").create("account", { ...company(1), Owner: "ann@hub.test" });
    await kit.settle();
    kit.clock.advance(minute);
    edit(kit, "c", { Owner: "cid@hub.test" });
    edit(kit, "a", { Owner: "bob@hub.test" });
    await kit.settle();
    expect(held(kit, "Owner")).toEqual({ a: "cid@hub.test", b: "cid@hub.test", c: "cid@hub.test" });
    const log = JSON.stringify([await kit.history(await accountId(kit)), await kit.conflicts()]);
    expect(log).toContain("bob@hub.test");
    kit.clock.advance(minute);
    edit(kit, "a", { Owner: "bob@hub.test" });
    await kit.settle();
    expect(held(kit, "Owner").a).toBe("cid@hub.test");
  });

  it("D11: a person's hold keeps out even the owner", async () => {
    const kit = await createKit({ systems, policy });
    kit.toy("c").create("account", { ...company(1), Owner: "cid@hub.test" });
    await kit.settle();
    const id = await accountId(kit);
    await kit.decide([id], (world, moment) =>
      decideEdit(
        world,
        kit.engine.settings,
        { canonicalId: id, field: "owner", value: "dan@hub.test", base: "cid@hub.test", hold: true },
        moment,
      ),
    );
    await kit.settle();
    kit.clock.advance(minute);
    edit(kit, "c", { Owner: "eve@hub.test" });
    await kit.settle();
    expect(held(kit, "Owner")).toEqual({ a: "dan@hub.test", b: "dan@hub.test", c: "dan@hub.test" });
  });
});
