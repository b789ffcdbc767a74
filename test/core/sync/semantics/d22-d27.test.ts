import { describe, expect, it } from "vitest";
import { decideLink, decideUnlink } from "../../../../core/model/link-decisions.ts";
import { decideMerge, decideUnmerge } from "../../../../core/model/merge-accounts.ts";
import { createKit, type Kit } from "../../../kit/engine-kit.ts";
import { accountId, company, edit, held, minute, only, seeded, systems, writesTo } from "./world.ts";

const two = { a: systems.a, c: systems.c };

const linkOf = async (kit: Kit, id: string, name: string) =>
  (await kit.links(id)).find((one) => one.connection === name);

describe("D22: policy and map", () => {
  it("D22: a policy change moves no value, and binds from the next merge", async () => {
    const kit = await createKit({ systems: two, policy: { default: [{ prefer: ["a", "c"] }] } });
    await seeded(kit);
    edit(kit, "a", { Phone: "+4930111111" });
    edit(kit, "c", { Phone: "+4930222222" });
    await kit.settle();
    const before = held(kit, "Phone");
    const changed = await createKit({ systems: two, policy: { default: [{ prefer: ["c", "a"] }] } }, kit);
    const writes = writesTo(kit, "a") + writesTo(kit, "c");
    await changed.settle();
    expect(held(kit, "Phone")).toEqual(before);
    expect(writesTo(kit, "a") + writesTo(kit, "c")).toBe(writes);
    kit.clock.advance(minute);
    edit(kit, "a", { Phone: "+4930333333" });
    edit(kit, "c", { Phone: "+4930444444" });
    await changed.settle();
    expect(held(kit, "Phone")).toEqual({ a: "+4930444444", c: "+4930444444" });
  });

  it("D22: a newly mapped field is a first meeting on every link that is there already", async () => {
    const unmapped = { ...systems.c, setup: { map: { account: { industry: false, description: false } } } } as const;
    const policy = { default: [{ prefer: ["a", "c"] }] } as const;
    const kit = await createKit({ systems: { a: systems.a, c: unmapped }, policy });
    kit.toy("a").create("account", { ...company(1), Industry: "Steel" });
    kit.toy("a").create("account", { ...company(2), Industry: "Steel" });
    kit.toy("c").create("account", { ...company(1), Industry: "Coal", Notes: "only in c" });
    await kit.settle();
    expect(only(kit, "c", "company-1.test").fields.Industry).toBe("Coal");
    const mapped = await createKit({ systems: two, policy }, kit);
    await mapped.settle();
    expect(only(kit, "a", "company-1.test").fields).toMatchObject({ Industry: "Steel", Notes: "only in c" });
    expect(only(kit, "c", "company-1.test").fields.Industry).toBe("Steel");
    expect(only(kit, "c", "company-2.test").fields.Industry).toBe("Steel");
    const rows = await kit.conflicts("value");
    expect(rows.map((row) => [row.field, row.candidates.map((candidate) => candidate.value).sort()])).toEqual([
      ["industry", ["Coal", "Steel"]],
    ]);
  });

  it("D22: everything is read again only once for a new map", async () => {
    const unmapped = { ...systems.c, setup: { map: { account: { industry: false } } } } as const;
    const kit = await createKit({ systems: { a: systems.a, c: unmapped } });
    await seeded(kit);
    const mapped = await createKit({ systems: two }, kit);
    await mapped.settle();
    const report = await mapped.sync();
    expect(report.connections.map((one) => one.pulled)).toEqual([0, 0]);
  });

  it("D22: a field that becomes readable later meets then", async () => {
    const kit = await createKit({ systems: two });
    kit.toy("c").hidden.add("Industry");
    kit.toy("a").create("account", company(1));
    kit.toy("c").create("account", { ...company(1), Industry: "Coal" });
    await kit.settle();
    expect(only(kit, "a").fields.Industry ?? null).toBeNull();
    kit.toy("c").hidden.clear();
    await kit.sync({ full: true });
    await kit.settle();
    expect(only(kit, "a").fields.Industry).toBe("Coal");
  });
});

describe("D23: unlink, unmerge, merges in a system", () => {
  it("D23: an unlinked record keeps its shadow, is neither read nor written, and no read links it again", async () => {
    const kit = await createKit({ systems: two });
    const id = await seeded(kit);
    await kit.decide([id], (world, moment) => {
      const [link] = world.liveLinks(id, "c");
      return link === undefined ? undefined : decideUnlink(world, kit.engine.settings, link, moment);
    });
    edit(kit, "a", { Name: "Renamed in a" });
    edit(kit, "c", { Phone: "+4930111111" });
    await kit.settle();
    expect(held(kit, "Name")).toEqual({ a: "Renamed in a", c: "Company 1" });
    expect(held(kit, "Phone").a).toBe(company(1).Phone);
    const link = await linkOf(kit, id, "c");
    expect([link?.state, link?.shadow.fields.name?.base]).toEqual(["detached", "Company 1"]);
    expect(await kit.accounts()).toHaveLength(1);
  });

  it("D23: linked again to its account, it goes on from its old shadow without a conflict", async () => {
    const kit = await createKit({ systems: two });
    const id = await seeded(kit);
    const decide = (what: "unlink" | "link") =>
      kit.decide([id], (world, moment) => {
        const link = world.linksFor(id).find((one) => one.connection === "c");
        if (link === undefined) throw new Error("no link");
        return what === "unlink"
          ? decideUnlink(world, kit.engine.settings, link, moment)
          : decideLink(world, kit.engine.settings, link, id, moment);
      });
    await decide("unlink");
    edit(kit, "a", { Name: "Renamed in a" });
    edit(kit, "c", { Phone: "+4930111111" });
    await kit.settle();
    expect(await decide("link")).toEqual({ kind: "done" });
    await kit.settle();
    expect([held(kit, "Name"), held(kit, "Phone")]).toEqual([
      { a: "Renamed in a", c: "Renamed in a" },
      { a: "+4930111111", c: "+4930111111" },
    ]);
    expect(await kit.conflicts("value")).toEqual([]);
  });

  it("D23: an unlinked record can become an account of its own", async () => {
    const kit = await createKit({ systems: two });
    const id = await seeded(kit);
    const { id: remoteId } = only(kit, "c");
    for (const step of ["unlink", "separate"] as const) {
      await kit.decide([id], (world, moment) => {
        const link = world.link("c", "account", remoteId);
        if (link === undefined) throw new Error("no link");
        return step === "unlink"
          ? decideUnlink(world, kit.engine.settings, link, moment)
          : decideLink(world, kit.engine.settings, link, null, moment);
      });
    }
    await kit.sync({ pushes: false });
    expect(await kit.accounts()).toHaveLength(2);
  });

  async function merged(kit: Kit): Promise<{ survivor: string; absorbed: string }> {
    kit.toy("a").create("account", { ...company(1), Industry: "Steel" });
    kit.toy("c").create("account", { ...company(2), Industry: "Coal", Notes: "note" });
    await kit.sync({ pushes: false });
    const accounts = await kit.accounts();
    const [survivor, absorbed] = ["Company 1", "Company 2"].map(
      (name) => accounts.find((account) => account.name === name)?.id ?? "",
    );
    const pair = { survivor: survivor ?? "", absorbed: absorbed ?? "" };
    await kit.decide([pair.survivor, pair.absorbed], (world, moment) =>
      decideMerge(world, kit.engine.settings, pair.survivor, pair.absorbed, moment),
    );
    await kit.settle();
    return pair;
  }

  async function unmerge(kit: Kit, survivor: string, absorbed: string) {
    const row = (await kit.history(survivor)).find((change) => change.kind === "merged");
    if (row === undefined) throw new Error("no merge in the log");
    return kit.decide([survivor, absorbed], (world, moment) => decideUnmerge(world, kit.engine.settings, row, moment));
  }

  it("D21: a merge of accounts fills empties, judges what differs, and the systems get one content", async () => {
    const kit = await createKit({ systems: two });
    await merged(kit);
    expect(await kit.accounts()).toHaveLength(1);
    expect([held(kit, "Notes"), held(kit, "Name")]).toEqual([
      { a: "note", c: "note" },
      { a: "Company 1", c: "Company 1" },
    ]);
    const rows = await kit.conflicts("value");
    expect(rows.map((row) => row.field).sort()).toEqual(["domain", "industry", "name", "phone"]);
  });

  it("D23: unmerge restores what each side was, in the systems too", async () => {
    const kit = await createKit({ systems: two });
    const { survivor, absorbed } = await merged(kit);
    expect(await unmerge(kit, survivor, absorbed)).toEqual({ kind: "done" });
    await kit.sync();
    await kit.settle();
    expect(await kit.accounts()).toHaveLength(2);
    expect(only(kit, "a", "company-1.test").fields).toMatchObject({ ...company(1), Industry: "Steel", Notes: null });
    expect(only(kit, "c", "company-2.test").fields).toMatchObject({ ...company(2), Industry: "Coal", Notes: "note" });
  });

  it("D23: what changed since the merge stays on the side whose records reported it", async () => {
    const kit = await createKit({ systems: two });
    const { survivor, absorbed } = await merged(kit);
    kit.clock.advance(minute);
    edit(kit, "c", { Notes: "changed in c" });
    edit(kit, "a", { Industry: "changed in a" });
    await kit.settle();
    expect(await unmerge(kit, survivor, absorbed)).toEqual({ kind: "done" });
    await kit.settle();
    expect(only(kit, "a", "company-1.test").fields).toMatchObject({ Industry: "changed in a", Notes: null });
    expect(only(kit, "c", "company-2.test").fields).toMatchObject({ Industry: "Coal", Notes: "changed in c" });
  });

  it("D23: unmerged accounts are found by their keys again, and are not merged anew", async () => {
    const kit = await createKit({ systems: two });
    const { survivor, absorbed } = await merged(kit);
    await unmerge(kit, survivor, absorbed);
    await kit.settle();
    await kit.sync({ full: true });
    await kit.settle();
    expect((await kit.accounts()).map((account) => account.id).sort()).toEqual([survivor, absorbed].sort());
    expect(kit.toy("a").live("account")).toHaveLength(2);
    expect(kit.toy("c").live("account")).toHaveLength(2);
  });

  it("D23: a master that changes after the child has disappeared is found at the end of the quarantine", async () => {
    const setup = { deletes: "propagate", duplicates: "separate", quarantineMs: 10 * minute } as const;
    const kit = await createKit({ systems: { a: { ...systems.a, setup }, c: systems.c } });
    const child = kit.toy("a").create("account", { Name: "Acme", Domain: "acme.test" });
    const master = kit.toy("a").create("account", { Name: "Acme AG", Domain: "acme.test" });
    await kit.settle();
    kit.clock.advance(minute);
    kit.toy("a").remove("account", child);
    await kit.sync();
    kit.toy("a").edit("account", master, { Phone: "+4930123123" });
    await kit.sync();
    expect(kit.toy("c").live("account")).toHaveLength(2);
    kit.clock.advance(11 * minute);
    await kit.settle();
    expect((await kit.conflicts("merge")).map((row) => row.state)).toEqual(["open"]);
    expect(kit.toy("c").live("account")).toHaveLength(2);
    expect(await kit.answer("merge", { kind: "merged" })).toEqual({ kind: "done" });
    await kit.settle();
    expect(await kit.accounts()).toHaveLength(1);
    expect(kit.toy("c").live("account")).toHaveLength(2);
  });

  it("D23: a delete without a master is carried out after one quarantine, and not before", async () => {
    const setup = { deletes: "propagate", quarantineMs: 10 * minute } as const;
    const kit = await createKit({ systems: { a: { ...systems.a, setup }, c: systems.c } });
    await seeded(kit);
    kit.toy("a").remove("account", only(kit, "a").id);
    await kit.sync();
    expect(kit.toy("c").live("account")).toHaveLength(1);
    kit.clock.advance(11 * minute);
    await kit.settle();
    expect(kit.toy("c").live("account")).toEqual([]);
  });

  it("D23: a record that comes back within the quarantine was never deleted", async () => {
    const setup = { deletes: "propagate", quarantineMs: 10 * minute } as const;
    const kit = await createKit({ systems: { a: { ...systems.a, setup }, c: systems.c } });
    await seeded(kit);
    const { id } = only(kit, "a");
    kit.toy("a").remove("account", id);
    await kit.sync();
    kit.toy("a").restore("account", id);
    kit.clock.advance(11 * minute);
    await kit.settle();
    edit(kit, "a", { Name: "Renamed" });
    await kit.settle();
    expect(held(kit, "Name")).toEqual({ a: "Renamed", c: "Renamed" });
  });
});

describe("D24: the brake", () => {
  const propagating = { a: { ...systems.a, setup: { deletes: "propagate" as const } }, c: systems.c };

  async function loaded(count: number): Promise<{ kit: Kit; ids: ReadonlyArray<string> }> {
    const kit = await createKit({ systems: propagating });
    const ids = Array.from({ length: count }, (_, index) => kit.toy("a").create("account", company(index)));
    await kit.settle();
    kit.clock.advance(2 * 60 * minute);
    return { kit, ids };
  }

  it("D24: deletes are counted over a sliding window, also those of earlier pages and webhooks", async () => {
    const { kit, ids } = await loaded(100);
    for (const [index, id] of ids.slice(0, 30).entries()) {
      kit.toy("a").remove("account", id);
      if (index % 10 === 9) await kit.apply("a", await kit.read("a", ids.slice(index - 9, index + 1)));
    }
    await kit.sync();
    expect((await kit.conflicts("brake")).map((row) => row.state)).toEqual(["open"]);
    expect(kit.toy("c").live("account").length).toBeGreaterThanOrEqual(80);
    expect(kit.toy("c").live("account").length).toBeLessThan(100);
  });

  it("D24: the same deletes, spread over more than the window, stop nothing", async () => {
    const { kit, ids } = await loaded(100);
    for (const [index, id] of ids.slice(0, 30).entries()) {
      kit.toy("a").remove("account", id);
      if (index % 10 !== 9) continue;
      await kit.sync();
      kit.clock.advance(61 * minute);
    }
    await kit.settle();
    expect(await kit.conflicts("brake")).toEqual([]);
    expect(kit.toy("c").live("account")).toHaveLength(70);
  });

  it("D24: a record counts once, however often it is edited within the window", async () => {
    const { kit, ids } = await loaded(60);
    for (let round = 0; round < 10; round += 1) {
      for (const id of ids.slice(0, 10)) kit.toy("a").edit("account", id, { Name: `Name ${id} ${round}` });
      kit.clock.advance(minute);
      await kit.sync();
    }
    expect(await kit.conflicts("brake")).toEqual([]);
    // Beyond the allowance the next records stop it: 10 and 15 of 60 are more than 20.
    for (const id of ids.slice(10, 25)) kit.toy("a").edit("account", id, { Name: `Name ${id}` });
    await kit.sync();
    expect((await kit.conflicts("brake")).map((row) => row.state)).toEqual(["open"]);
  });

  it("D24: held deletes that are released are carried out as one decision", async () => {
    const { kit, ids } = await loaded(60);
    for (const id of ids.slice(0, 40)) kit.toy("a").remove("account", id);
    await kit.sync();
    expect(kit.toy("c").live("account")).toHaveLength(60);
    expect(await kit.answer("brake", { kind: "release" })).toEqual({ kind: "done" });
    await kit.settle();
    expect(kit.toy("c").live("account")).toHaveLength(20);
    expect(await kit.accounts()).toHaveLength(20);
  });

  it("D24: held deletes that are rejected cost only the source its records", async () => {
    const { kit, ids } = await loaded(60);
    for (const id of ids.slice(0, 40)) kit.toy("a").remove("account", id);
    await kit.sync();
    expect(await kit.answer("brake", { kind: "reject" })).toEqual({ kind: "done" });
    await kit.settle();
    expect(kit.toy("c").live("account")).toHaveLength(60);
    expect(await kit.accounts()).toHaveLength(60);
    expect(kit.toy("a").live("account")).toHaveLength(20);
  });

  it("D24: blanks that are rejected are corrected in the source", async () => {
    const { kit, ids } = await loaded(60);
    for (const id of ids) kit.toy("a").edit("account", id, { Phone: null });
    await kit.sync();
    await kit.answer("brake", { kind: "reject" });
    await kit.settle();
    expect(ids.map((id) => kit.toy("a").read("account", id)?.Phone)).toEqual(
      ids.map((_, index) => company(index).Phone),
    );
  });

  it("D24: while it is held, nothing is written into the source and no page is lost", async () => {
    const { kit, ids } = await loaded(60);
    for (const id of ids.slice(0, 40)) kit.toy("a").remove("account", id);
    await kit.sync();
    const [survivor] = ids.slice(50);
    kit.toy("a").edit("account", survivor ?? "", { Name: "Renamed in a" });
    const other = kit
      .toy("c")
      .live("account")
      .find((id) => kit.toy("c").read("account", id)?.Name === "Company 55");
    kit.toy("c").edit("account", other ?? "", { Phone: "+4930111111" });
    const before = writesTo(kit, "a");
    for (let round = 0; round < 3; round++) await kit.sync();
    expect(writesTo(kit, "a")).toBe(before);
    await kit.answer("brake", { kind: "release" });
    await kit.settle();
    expect(only(kit, "c", "company-50.test").fields.Name).toBe("Renamed in a");
    expect(only(kit, "a", "company-55.test").fields.Phone).toBe("+4930111111");
  });

  it("D24: a brake that trips at the read before a write stops that write", async () => {
    const { kit, ids } = await loaded(60);
    for (const id of kit.toy("c").live("account")) kit.toy("c").edit("account", id, { Industry: "Steel" });
    await kit.sync({ names: ["c"], pushes: false });
    kit.toy("a").hooks.beforeFetch = () => {
      delete kit.toy("a").hooks.beforeFetch;
      for (const id of ids) kit.toy("a").edit("account", id, { Phone: null });
    };
    const before = writesTo(kit, "a");
    const report = await kit.sync({ names: ["a"] });
    expect(report.connections[0]?.outcome.kind).toBe("held");
    expect(writesTo(kit, "a")).toBe(before);
  });
});

describe("D25: references", () => {
  it("D25: two accounts that are each other's parent are both created, the references follow, and a case says so", async () => {
    const kit = await createKit({ systems: two });
    const one = kit.toy("a").create("account", company(1));
    const other = kit.toy("a").create("account", { ...company(2), Parent: one });
    kit.toy("a").edit("account", one, { Parent: other });
    for (let round = 0; round < 4; round++) {
      await kit.sync();
      kit.clock.advance(2 * minute);
    }
    await kit.settle();
    const [first, second] = [only(kit, "c", "company-1.test"), only(kit, "c", "company-2.test")];
    expect([first.fields.Parent, second.fields.Parent]).toEqual([second.id, first.id]);
    expect((await kit.conflicts("cycle")).map((row) => row.state)).toContain("open");
  });

  it("D25: a child that came before its parent gets its reference with the same load", async () => {
    const kit = await createKit({ systems: { a: { ...systems.a, pageSize: 1 }, c: systems.c } });
    const child = kit.toy("a").create("account", company(1));
    const parent = kit.toy("a").create("account", company(2));
    Object.assign(kit.toy("a").rows.account.get(child)?.fields ?? {}, { Parent: parent });
    await kit.settle();
    expect(only(kit, "c", "company-1.test").fields.Parent).toBe(only(kit, "c", "company-2.test").id);
  });

  it("D25: a reference that waits longer than the bound is left out of the create and written later", async () => {
    const filter = { field: "industry", is: "Steel" } as const;
    const kit = await createKit({
      systems: { a: systems.a, c: { ...systems.c, setup: { create: { account: filter } } } },
    });
    const parent = kit.toy("a").create("account", company(1));
    kit.toy("a").create("account", { ...company(2), Industry: "Steel", Parent: parent });
    await kit.sync();
    expect(kit.toy("c").live("account")).toEqual([]);
    for (let round = 0; round < 5; round++) {
      kit.clock.advance(2 * minute);
      await kit.sync();
    }
    expect(only(kit, "c").fields).toMatchObject({ Name: "Company 2" });
    kit.toy("a").edit("account", parent, { Industry: "Steel" });
    await kit.settle();
    expect(only(kit, "c", "company-2.test").fields.Parent).toBe(only(kit, "c", "company-1.test").id);
  });
});

describe("D26: groups from a system that lacks a member", () => {
  const lacking = {
    ...systems.c,
    setup: {
      map: {
        account: {
          billingAddress: { path: { street: "Street", city: "City", postalCode: "Zip", country: "Country" } },
        },
      },
    },
  } as const;

  async function withAddress(): Promise<Kit> {
    const kit = await createKit({ systems: { a: systems.a, c: lacking } });
    await seeded(kit, {
      ...company(1),
      Street: "Main 1",
      City: "Munich",
      State: "Bavaria",
      Zip: "80331",
      Country: "DE",
    });
    return kit;
  }

  it("D26: a change of the street alone keeps the state", async () => {
    const kit = await withAddress();
    edit(kit, "c", { Street: "Main 2" });
    await kit.settle();
    expect(only(kit, "a").fields).toMatchObject({ Street: "Main 2", State: "Bavaria", City: "Munich" });
  });

  it("D26: another city empties the state, and the old value is in the log", async () => {
    const kit = await withAddress();
    edit(kit, "c", { City: "Berlin", Zip: "10115" });
    await kit.settle();
    expect(only(kit, "a").fields).toMatchObject({ City: "Berlin", State: null });
    const [row] = (await kit.history(await accountId(kit))).filter((change) => change.kind === "changed");
    expect(row?.from).toEqual({ billingAddress: expect.objectContaining({ state: "Bavaria", city: "Munich" }) });
  });
});

describe("D27: null and absent", () => {
  it("D27: an emptied field is news and is emptied everywhere", async () => {
    const kit = await createKit({ systems: two });
    await seeded(kit);
    edit(kit, "a", { Phone: null });
    await kit.settle();
    expect(held(kit, "Phone")).toEqual({ a: null, c: null });
  });

  it("D27: a field that the answer leaves out is not known: nothing is emptied, and an edit of it elsewhere stands", async () => {
    const kit = await createKit({ systems: two });
    await seeded(kit);
    kit.toy("a").hidden.add("Phone");
    edit(kit, "a", { Name: "Renamed" });
    edit(kit, "c", { Phone: "+4930111111" });
    await kit.settle();
    expect(only(kit, "c").fields).toMatchObject({ Name: "Renamed", Phone: "+4930111111" });
    kit.toy("a").hidden.clear();
    await kit.sync({ full: true });
    expect(held(kit, "Phone")).toEqual({ a: "+4930111111", c: "+4930111111" });
  });

  it("D27: a blank-out of many records is braked before it reaches the others", async () => {
    const kit = await createKit({ systems: two });
    const ids = Array.from({ length: 60 }, (_, index) => kit.toy("a").create("account", company(index)));
    await kit.settle();
    kit.clock.advance(2 * 60 * minute);
    for (const id of ids) kit.toy("a").edit("account", id, { Phone: null, Domain: null });
    await kit.sync();
    expect((await kit.conflicts("brake")).map((row) => row.state)).toEqual(["open"]);
    const phones = kit
      .toy("c")
      .live("account")
      .map((id) => kit.toy("c").read("account", id)?.Phone);
    expect(phones.every((phone) => typeof phone === "string")).toBe(true);
  });

  it("D27: a system that cannot be emptied refuses, and the others are emptied", async () => {
    const kit = await createKit({ systems });
    await seeded(kit);
    kit.toy("c").hooks.refuse = (operation) =>
      operation.kind === "update" && operation.fields.Phone === null
        ? { kind: "rejected", field: "Phone", code: "REQUIRED", reason: "must not be empty", remedy: "fill it" }
        : undefined;
    edit(kit, "a", { Phone: null });
    await kit.settle();
    expect(held(kit, "Phone")).toEqual({ a: null, b: null, c: company(1).Phone });
    expect((await kit.deadLetters()).map((letter) => [letter.connection, letter.field])).toEqual([["c", "phone"]]);
  });
});

describe("D24: the second line, at the target", () => {
  /** Two sources that each stay below their own brake, and a target that gets both. */
  async function flooded(): Promise<Kit> {
    const kit = await createKit({ systems: { a: systems.a, b: systems.b, c: systems.c } });
    const ids = Array.from({ length: 60 }, (_, index) =>
      kit.toy("a").create("account", { ...company(index), Industry: "Steel" }),
    );
    await kit.settle();
    kit.clock.advance(2 * 60 * minute);
    for (const id of ids.slice(0, 15)) kit.toy("a").edit("account", id, { Industry: "Coal" });
    for (const id of kit.toy("b").live("account").slice(30, 45)) kit.toy("b").edit("account", id, { Industry: "Coal" });
    return kit;
  }

  const coalIn = (kit: Kit): number =>
    kit
      .toy("c")
      .live("account")
      .filter((id) => kit.toy("c").read("account", id)?.Industry === "Coal").length;

  it("D24: more overwrites than the share stop the target before its first write", async () => {
    const kit = await flooded();
    const report = await kit.sync();
    expect(report.connections.find((one) => one.name === "c")?.outcome.kind).toBe("held");
    expect(coalIn(kit)).toBe(0);
    expect((await kit.conflicts("brake")).map((row) => [row.connection, row.state, row.detail.overwrites])).toEqual([
      ["c", "open", 30],
    ]);
  });

  it("D24: while it is open the target is read, and not written", async () => {
    const kit = await flooded();
    await kit.sync();
    const last = kit.toy("c").live("account").at(-1) ?? "";
    kit.toy("c").edit("account", last, { Name: "Renamed in c" });
    const before = writesTo(kit, "c");
    await kit.sync();
    expect(writesTo(kit, "c")).toBe(before);
    expect((await kit.accounts()).map((account) => account.name)).toContain("Renamed in c");
  });

  it("D24: released, everything is written without a second question", async () => {
    const kit = await flooded();
    await kit.sync();
    expect(await kit.answer("brake", { kind: "release" })).toEqual({ kind: "done" });
    await kit.settle();
    expect(coalIn(kit)).toBe(30);
    expect(await kit.conflicts("brake")).toHaveLength(1);
  });

  it("D24: rejected, the target keeps its values, and each is a dead letter", async () => {
    const kit = await flooded();
    await kit.sync();
    expect(await kit.answer("brake", { kind: "reject" })).toEqual({ kind: "done" });
    const report = await kit.settle();
    expect(coalIn(kit)).toBe(0);
    expect(new Set((await kit.deadLetters()).map((letter) => letter.code))).toEqual(new Set(["rejected-at-brake"]));
    expect(report.agreement.pairs - report.agreement.agreeing).toBe(30);
  });

  it("D24: a first load, whose differences were just settled, stops nothing", async () => {
    const kit = await createKit({
      systems: { a: systems.a, c: systems.c },
      policy: { default: [{ prefer: ["a", "c"] }] },
    });
    for (let index = 0; index < 60; index++) {
      kit.toy("a").create("account", { ...company(index), Industry: "Steel" });
      kit.toy("c").create("account", { ...company(index), Industry: "Coal" });
    }
    await kit.settle();
    expect(coalIn(kit)).toBe(0);
    expect(await kit.conflicts("brake")).toEqual([]);
  });

  it("D24: what was released at the source is not asked about again at the target", async () => {
    const kit = await createKit({ systems: { a: systems.a, c: systems.c } });
    const ids = Array.from({ length: 60 }, (_, index) =>
      kit.toy("a").create("account", { ...company(index), Industry: "Steel" }),
    );
    await kit.settle();
    kit.clock.advance(2 * 60 * minute);
    for (const id of ids) kit.toy("a").edit("account", id, { Industry: "Coal" });
    await kit.sync();
    await kit.answer("brake", { kind: "release" });
    await kit.settle();
    expect(coalIn(kit)).toBe(60);
    expect(await kit.conflicts("brake")).toHaveLength(1);
  });
});
