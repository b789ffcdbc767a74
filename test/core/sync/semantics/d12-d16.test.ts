import { Effect } from "effect";
import { describe, expect, it } from "vitest";
import { decideRestore } from "../../../../core/model/link-decisions.ts";
import { createKit, type Kit } from "../../../kit/engine-kit.ts";
import { lostAnswer } from "../../../kit/toy-system.ts";
import { accountId, company, edit, held, minute, only, seeded, systems, writesTo } from "./world.ts";

const two = { a: systems.a, c: systems.c };

/** The next create is sent, and nothing is heard of it; it does not land by itself. */
function swallowCreate(kit: Kit, name: string): void {
  const { hooks } = kit.toy(name);
  hooks.beforePush = () => {
    delete hooks.beforePush;
    lostAnswer();
  };
}

/** A person makes an account between the pull and the push of one sync. */
function afterAccountsAreRead(kit: Kit, name: string, fields: Record<string, unknown>): void {
  const { hooks } = kit.toy(name);
  hooks.beforePage = (entity) => {
    if (entity !== "contact") return;
    delete hooks.beforePage;
    kit.toy(name).create("account", fields);
  };
}

describe("D12: creates", () => {
  it("D12: a create that nobody answered is not repeated before lateMs, and the one that lands late is linked", async () => {
    const kit = await createKit({ systems: two });
    kit.toy("a").create("account", company(1));
    swallowCreate(kit, "c");
    await kit.sync();
    kit.clock.advance(30_000);
    await kit.sync();
    expect(kit.toy("c").live("account")).toEqual([]);
    kit.toy("c").create("account", { ...company(1), Hub_Id: await accountId(kit) });
    kit.clock.advance(2 * minute);
    await kit.settle();
    expect(kit.toy("c").live("account")).toHaveLength(1);
    expect(await kit.accounts()).toHaveLength(1);
    expect(await kit.openSent()).toBe(0);
  });

  it("D12: after lateMs an unanswered create that was not found is made again", async () => {
    const kit = await createKit({ systems: two });
    kit.toy("a").create("account", company(1));
    swallowCreate(kit, "c");
    await kit.sync();
    kit.clock.advance(2 * minute);
    await kit.settle();
    expect(only(kit, "c").fields).toMatchObject(company(1));
  });

  it("D12: an empty look-up counts only after the lag of the index", async () => {
    const kit = await createKit({ systems: { a: systems.a, c: { ...systems.c, settleMs: 5 * minute } } });
    kit.toy("a").create("account", company(1));
    kit.toy("c").hooks.afterWrite = (operation, id) => {
      if (operation.kind !== "create") return;
      delete kit.toy("c").hooks.afterWrite;
      kit.toy("c").unindexed.add(id);
      kit.toy("c").hiddenRecords.add(id);
      lostAnswer();
    };
    await kit.sync();
    kit.clock.advance(2 * minute);
    await kit.sync();
    kit.toy("c").unindexed.clear();
    kit.toy("c").hiddenRecords.clear();
    kit.clock.advance(6 * minute);
    await kit.settle();
    expect(kit.toy("c").live("account")).toHaveLength(1);
  });

  it("D12: a late create with the values of an older attempt is our own: its values are no news", async () => {
    const kit = await createKit({ systems: two });
    const remote = kit.toy("a").create("account", company(1));
    swallowCreate(kit, "c");
    await kit.sync();
    kit.toy("a").edit("account", remote, { Phone: "+4930222222" });
    await kit.sync();
    kit.toy("c").create("account", { ...company(1), Hub_Id: await accountId(kit) });
    await kit.settle();
    expect(held(kit, "Phone")).toEqual({ a: "+4930222222", c: "+4930222222" });
    expect(await kit.conflicts("value")).toEqual([]);
  });

  it("D12: a late create in a system that rewrites a field is known by its letters, and reverts nothing", async () => {
    const kit = await createKit({ systems: { a: systems.a, b: { ...systems.b, opaque: true } } });
    const remote = kit.toy("a").create("account", { ...company(1), Industry: "Steel" });
    swallowCreate(kit, "b");
    await kit.sync();
    kit.toy("a").edit("account", remote, { Industry: "Coal" });
    await kit.sync();
    kit.toy("b").create("account", { ...company(1), Industry: "STEEL", Hub_Id: await accountId(kit) });
    await kit.settle();
    expect(held(kit, "Industry")).toEqual({ a: "Coal", b: "Coal" });
    expect(await kit.conflicts("value")).toEqual([]);
  });

  it("D12: a created record that is read before its settle is our own create, and the settle does not move it back", async () => {
    const kit = await createKit({ systems: two });
    kit.toy("a").create("account", company(1));
    kit.toy("c").hooks.afterWrite = (_, id) => {
      delete kit.toy("c").hooks.afterWrite;
      kit.toy("c").edit("account", id, { Phone: "+4930222222" });
    };
    kit.toy("c").hooks.beforeFetch = async (ids) => {
      delete kit.toy("c").hooks.beforeFetch;
      // The webhook is faster than our own read-back.
      await kit.apply("c", await kit.read("c", ids));
    };
    await kit.settle();
    expect(held(kit, "Phone")).toEqual({ a: "+4930222222", c: "+4930222222" });
    expect(await kit.conflicts("value")).toEqual([]);
    expect(await kit.accounts()).toHaveLength(1);
  });

  it("D12: a record that somebody made with the same key is found before the create, and linked", async () => {
    const kit = await createKit({ systems: two });
    await kit.sync();
    kit.toy("a").create("account", company(1));
    await kit.sync({ names: ["a"] });
    afterAccountsAreRead(kit, "c", { Name: "Company one", Domain: company(1).Domain });
    await kit.settle();
    expect(kit.toy("c").live("account")).toHaveLength(1);
    expect(await kit.accounts()).toHaveLength(1);
  });

  it.each([
    ["website", { Website: "https://one.example/en" }, { Website: "http://www.one.example" }],
    ["domain, in a website and in an address", { Website: "https://one.example" }, { Email: "info@one.example" }],
    ["phone", { Phone: "+49 30 123456" }, { Phone: "030-123456" }],
  ])("D12: a record made meanwhile that shares only its %s is found before the create", async (_, ours, theirs) => {
    const kit = await createKit({ systems: two });
    await kit.sync();
    kit.toy("a").create("account", { Name: "Company one", ...ours });
    await kit.sync({ names: ["a"] });
    afterAccountsAreRead(kit, "c", { Name: "Company One", ...theirs });
    await kit.settle();
    expect(kit.toy("c").live("account")).toHaveLength(1);
    expect(await kit.accounts()).toHaveLength(1);
  });

  it("D12: a record whose website only ends alike is not taken for the one that is looked up", async () => {
    const kit = await createKit({ systems: two });
    await kit.sync();
    kit.toy("a").create("account", { Name: "Company one", Website: "https://one.example" });
    await kit.sync({ names: ["a"] });
    afterAccountsAreRead(kit, "c", { Name: "Company one", Website: "https://twenty-one.example" });
    await kit.settle();
    expect(kit.toy("c").live("account")).toHaveLength(2);
    expect(await kit.accounts()).toHaveLength(2);
  });

  it("D12: a clone that copied the hub's id is a duplicate case, and is not linked by the key", async () => {
    const kit = await createKit({ systems: two });
    await seeded(kit);
    kit.toy("c").create("account", { ...only(kit, "c").fields, Name: "Company 1 (copy)" });
    await kit.sync();
    const rows = await kit.conflicts("duplicate");
    expect(rows.map((row) => row.state)).toEqual(["open"]);
    expect(only(kit, "a").fields.Name).toBe("Company 1");
    expect(await kit.accounts()).toHaveLength(1);
    expect(await kit.answer("duplicate", { kind: "separate" })).toEqual({ kind: "done" });
    await kit.settle();
    expect((await kit.accounts()).map((account) => account.name).sort()).toEqual(["Company 1", "Company 1 (copy)"]);
  });

  it("D12: a person and the hub who create the same company at once leave a duplicate case", async () => {
    const kit = await createKit({ systems: two });
    kit.toy("a").create("account", company(1));
    kit.toy("c").hooks.beforePush = async () => {
      delete kit.toy("c").hooks.beforePush;
      const id = kit.toy("c").create("account", { ...company(1), Name: "By hand" });
      await kit.apply("c", await kit.read("c", [id]));
    };
    await kit.sync();
    await kit.sync();
    expect((await kit.conflicts("duplicate")).map((row) => row.state)).toEqual(["open"]);
    expect(await kit.accounts()).toHaveLength(1);
    expect(kit.toy("a").live("account")).toHaveLength(1);
  });
});

describe("D13: refusals", () => {
  const refusePhone = (kit: Kit, named: boolean): void => {
    kit.toy("c").hooks.refuse = (operation) =>
      operation.kind !== "delete" && "Phone" in operation.fields
        ? {
            kind: "rejected",
            code: "INVALID",
            reason: "not a phone",
            remedy: "mend it",
            ...(named ? { field: "Phone" } : {}),
          }
        : undefined;
  };

  it("D13: the refused field counts as disagreeing and stays as it is, the others arrive", async () => {
    const kit = await createKit({ systems: two });
    await seeded(kit);
    refusePhone(kit, true);
    edit(kit, "a", { Phone: "+4930111111", Name: "Renamed" });
    const report = await kit.settle();
    expect(only(kit, "c").fields).toMatchObject({ Name: "Renamed", Phone: company(1).Phone });
    expect(report.agreement.pairs - report.agreement.agreeing).toBe(1);
    expect(report.outbox).toBe(0);
  });

  it("D13: a value that changes while the refused one is under way is tried", async () => {
    const kit = await createKit({ systems: two });
    await seeded(kit);
    edit(kit, "a", { Phone: "+4930111111" });
    kit.toy("c").hooks.beforePush = async () => {
      delete kit.toy("c").hooks.beforePush;
      edit(kit, "a", { Phone: "+4930222222" });
      await kit.apply("a", await kit.read("a", [only(kit, "a").id]));
    };
    kit.toy("c").hooks.refuse = (operation) =>
      operation.kind === "update" && operation.fields.Phone === "+4930111111"
        ? { kind: "rejected", field: "Phone", code: "INVALID", reason: "no", remedy: "mend it" }
        : undefined;
    await kit.settle();
    expect(held(kit, "Phone")).toEqual({ a: "+4930222222", c: "+4930222222" });
    expect(await kit.deadLetters()).toEqual([]);
  });

  it("D13: a refusal that names no field is bisected once: the half without the fault arrives whole", async () => {
    const kit = await createKit({ systems: two });
    await seeded(kit);
    refusePhone(kit, false);
    edit(kit, "a", { Name: "Renamed", Phone: "+4930111111", Industry: "Steel", Notes: "note" });
    await kit.settle();
    const { fields } = only(kit, "c");
    expect(fields.Phone).toBe(company(1).Phone);
    expect([fields.Industry, fields.Notes]).toEqual(["Steel", "note"]);
    expect((await kit.deadLetters()).map((letter) => letter.field).sort()).toEqual(["name", "phone"]);
  });

  it("D13: the halves are tried once each, and writes are counted once, where a database runs its transactions twice", async () => {
    const kit = await createKit({ systems: two });
    await seeded(kit);
    const { database } = kit.store;
    const write = database.write.bind(database) as typeof database.write;
    const twice: typeof database.write = (what, body, kept) => {
      const givenUp = write(what, () => body().then(() => Promise.reject(new Error("given up"))), kept);
      return Effect.andThen(Effect.ignore(givenUp), write(what, body, kept));
    };
    Object.assign(database, { write: twice });
    refusePhone(kit, false);
    edit(kit, "a", { Name: "Renamed", Phone: "+4930111111", Industry: "Steel", Notes: "note" });
    const { connections } = await kit.sync();
    const { fields } = only(kit, "c");
    expect([fields.Phone, fields.Industry, fields.Notes]).toEqual([company(1).Phone, "Steel", "note"]);
    expect((await kit.deadLetters()).map((letter) => letter.field).sort()).toEqual(["name", "phone"]);
    expect(connections.find(({ name }) => name === "c")?.pushed.updated).toBe(1);
  });

  it("D13: a create whose refusal names no field is bisected too: the record is made without the field at fault", async () => {
    const kit = await createKit({ systems: two });
    kit.toy("c").hooks.refuse = (operation) =>
      operation.kind !== "delete" && operation.fields.Notes === "bad"
        ? { kind: "rejected", code: "INVALID", reason: "no", remedy: "mend it" }
        : undefined;
    kit.toy("a").create("account", { ...company(1), Industry: "Steel", Notes: "bad" });
    await kit.settle();
    const { fields } = only(kit, "c");
    expect([fields.Name, fields.Phone, fields.Industry]).toEqual([company(1).Name, company(1).Phone, "Steel"]);
    expect(fields.Notes ?? null).toBeNull();
    expect((await kit.deadLetters()).map((letter) => letter.field)).toContain("description");
  });

  it("D13: a create that is refused as a whole is not sent again until the account changes", async () => {
    const kit = await createKit({ systems: two });
    let refused = 0;
    kit.toy("c").hooks.refuse = (operation) => {
      if (operation.kind !== "create") return undefined;
      refused += 1;
      return { kind: "rejected", code: "INVALID", reason: "no", remedy: "mend it" };
    };
    kit.toy("a").create("account", company(1));
    await kit.settle();
    expect((await kit.deadLetters()).map((letter) => letter.field)).toEqual([""]);
    const before = refused;
    kit.clock.advance(minute);
    await kit.sync({ full: true });
    expect(refused).toBe(before);
    edit(kit, "a", { Industry: "Steel" });
    delete kit.toy("c").hooks.refuse;
    await kit.settle();
    expect(only(kit, "c").fields.Industry).toBe("Steel");
    expect(await kit.deadLetters()).toEqual([]);
  });

  it("D13: a field left out of a create is recorded on the record alike, and is not sent again until it changes", async () => {
    const kit = await createKit({ systems: two });
    refusePhone(kit, true);
    kit.toy("a").create("account", company(1));
    const report = await kit.settle();
    expect(only(kit, "c").fields.Phone ?? null).toBeNull();
    expect(report.agreement.pairs - report.agreement.agreeing).toBe(1);
    const letters = await kit.deadLetters();
    expect(letters.map((letter) => [letter.field, letter.remoteId])).toEqual([["phone", only(kit, "c").id]]);
    const before = writesTo(kit, "c");
    kit.clock.advance(minute);
    await kit.settle();
    expect(writesTo(kit, "c")).toBe(before);
    delete kit.toy("c").hooks.refuse;
    edit(kit, "a", { Phone: "+4930222222" });
    await kit.settle();
    expect(only(kit, "c").fields.Phone).toBe("+4930222222");
    expect(await kit.deadLetters()).toEqual([]);
  });

  it("D13: a refused create stays a dead letter, and is tried again when the account changes", async () => {
    const kit = await createKit({ systems: two });
    kit.toy("c").hooks.refuse = () => ({ kind: "rejected", code: "RULE", reason: "refused", remedy: "look" });
    kit.toy("a").create("account", company(1));
    await kit.settle();
    expect((await kit.deadLetters()).map((letter) => [letter.connection, letter.field, letter.code])).toEqual([
      ["c", "", "RULE"],
    ]);
    delete kit.toy("c").hooks.refuse;
    kit.clock.advance(minute);
    edit(kit, "a", { Name: "Renamed" });
    await kit.settle();
    expect(only(kit, "c").fields.Name).toBe("Renamed");
    expect(await kit.deadLetters()).toEqual([]);
  });

  it("D13: what was refused is tried again when the policy or the map changes", async () => {
    const kit = await createKit({ systems: two });
    await seeded(kit);
    refusePhone(kit, true);
    edit(kit, "a", { Phone: "+4930111111" });
    await kit.settle();
    delete kit.toy("c").hooks.refuse;
    await kit.settle();
    expect(only(kit, "c").fields.Phone).toBe(company(1).Phone);
    const changed = await createKit({ systems: two, policy: { fields: { phone: ["longest"] } } }, kit);
    await changed.settle();
    expect(only(kit, "c").fields.Phone).toBe("+4930111111");
    expect(await changed.deadLetters()).toEqual([]);
  });
});

describe("D14: detached", () => {
  it("D14: a deleted record is not created again there, however the account changes", async () => {
    const kit = await createKit({ systems });
    await seeded(kit);
    kit.toy("a").remove("account", only(kit, "a").id);
    await kit.settle();
    kit.clock.advance(minute);
    edit(kit, "b", { Name: "Renamed" });
    await kit.settle();
    expect(kit.toy("a").live("account")).toEqual([]);
    expect(only(kit, "c").fields.Name).toBe("Renamed");
  });

  it("D14: the same record seen alive again is a restore: it is linked with its old shadow", async () => {
    const kit = await createKit({ systems });
    await seeded(kit);
    const { id } = only(kit, "a");
    kit.toy("a").remove("account", id);
    await kit.settle();
    kit.clock.advance(minute);
    edit(kit, "b", { Name: "Renamed" });
    await kit.settle();
    kit.toy("a").restore("account", id);
    kit.toy("a").edit("account", id, { Phone: "+4930111111" });
    await kit.settle();
    expect(held(kit, "Name")).toEqual({ a: "Renamed", b: "Renamed", c: "Renamed" });
    expect(held(kit, "Phone")).toEqual({ a: "+4930111111", b: "+4930111111", c: "+4930111111" });
    expect(await kit.conflicts("value")).toEqual([]);
    expect(await kit.accounts()).toHaveLength(1);
  });

  it("D14: a record that a person makes there ends it", async () => {
    const kit = await createKit({ systems });
    await seeded(kit);
    kit.toy("a").remove("account", only(kit, "a").id);
    await kit.settle();
    kit.toy("a").create("account", { Name: "Company 1", Domain: company(1).Domain });
    await kit.settle();
    expect(only(kit, "a").fields).toMatchObject(company(1));
    expect(await kit.accounts()).toHaveLength(1);
  });

  it("D14: a person can ask for it: then it is created there once", async () => {
    const kit = await createKit({ systems });
    const id = await seeded(kit);
    kit.toy("a").remove("account", only(kit, "a").id);
    await kit.settle();
    const outcome = await kit.decide([id], (world, moment) =>
      decideRestore(world, kit.engine.settings, { canonicalId: id, connection: "a" }, moment),
    );
    expect(outcome).toEqual({ kind: "done" });
    await kit.settle();
    expect(only(kit, "a").fields).toMatchObject(company(1));
    kit.toy("a").remove("account", only(kit, "a").id);
    await kit.settle();
    expect(kit.toy("a").live("account")).toEqual([]);
  });

  it("D14: leaving the filter of creates freezes nothing and deletes nothing", async () => {
    const filter = { field: "industry", is: "Steel" } as const;
    const kit = await createKit({
      systems: { a: systems.a, c: { ...systems.c, setup: { create: { account: filter } } } },
    });
    kit.toy("a").create("account", { ...company(2), Industry: "Coal" });
    await seeded(kit, { ...company(1), Industry: "Steel" }).catch(() => undefined);
    expect(kit.toy("c").live("account")).toHaveLength(1);
    const [steel] = kit
      .toy("a")
      .live("account")
      .filter((id) => kit.toy("a").read("account", id)?.Industry === "Steel");
    kit.toy("a").edit("account", steel ?? "", { Industry: "Coal", Name: "Renamed" });
    await kit.settle();
    expect(only(kit, "c").fields).toMatchObject({ Industry: "Coal", Name: "Renamed" });
  });
});

describe("D15: tombstones", () => {
  it("D15: a page that was read before the delete is dropped, also with a higher version than the last one read", async () => {
    const kit = await createKit({ systems });
    await seeded(kit);
    const { id } = only(kit, "a");
    edit(kit, "a", { Name: "Renamed" });
    const stale = await kit.read("a", [id]);
    kit.toy("a").remove("account", id);
    await kit.settle();
    await kit.apply("a", stale);
    await kit.settle();
    expect(kit.toy("a").live("account")).toEqual([]);
    expect(await kit.accounts()).toHaveLength(1);
    expect(only(kit, "c").fields.Name).toBe("Company 1");
  });

  it("D15: a tombstone that was read before the record was seen alive is dropped", async () => {
    const kit = await createKit({ systems });
    await seeded(kit);
    const { id } = only(kit, "a");
    const began = kit.clock.now();
    kit.clock.advance(1000);
    await kit.apply("a", await kit.read("a", [id]));
    const applied = await kit.apply("a", {
      changes: [{ kind: "deleted", id }],
      readBegan: began,
      readEnded: began + 1,
    });
    expect(applied.counts).toMatchObject({ stale: 1, deleted: 0 });
    edit(kit, "b", { Name: "Renamed" });
    await kit.settle();
    expect(only(kit, "a").fields.Name).toBe("Renamed");
  });

  it("D15: a record that comes back after its delete was carried to the others opens a case", async () => {
    const kit = await createKit({ systems: { ...systems, a: { ...systems.a, setup: { deletes: "propagate" } } } });
    await seeded(kit);
    const { id } = only(kit, "a");
    kit.toy("a").remove("account", id);
    await kit.settle();
    expect(kit.toy("c").live("account")).toEqual([]);
    kit.clock.advance(minute);
    kit.toy("a").restore("account", id);
    await kit.settle();
    expect((await kit.conflicts("restore")).map((row) => row.state)).toEqual(["open"]);
    expect(kit.toy("c").live("account")).toEqual([]);
    expect(await kit.answer("restore", { kind: "keep" })).toEqual({ kind: "done" });
    await kit.settle();
    expect(await kit.accounts()).toHaveLength(1);
    expect(only(kit, "a").fields).toMatchObject(company(1));
  });

  it("D15: a dead account is matched, never made anew", async () => {
    const kit = await createKit({ systems: { ...systems, a: { ...systems.a, setup: { deletes: "propagate" } } } });
    await seeded(kit);
    kit.toy("a").remove("account", only(kit, "a").id);
    await kit.settle();
    kit.clock.advance(minute);
    kit.toy("b").create("account", company(1));
    await kit.settle();
    expect(await kit.accounts()).toEqual([]);
    expect((await kit.conflicts("restore")).map((row) => row.state)).toEqual(["open"]);
    expect(kit.toy("a").live("account")).toEqual([]);
  });

  it("D15: 'gone' for a hidden record is no proof: nothing is deleted, and the write becomes a dead letter", async () => {
    const kit = await createKit({
      systems: { a: { ...systems.a, setup: { deletes: "propagate" }, goneIsProof: false }, c: systems.c },
    });
    await seeded(kit);
    const { id } = only(kit, "a");
    kit.toy("a").hiddenRecords.add(id);
    edit(kit, "c", { Phone: "+4930111111" });
    for (let round = 0; round < 4; round++) {
      await kit.sync();
      kit.clock.advance(2 * minute);
    }
    expect((await kit.sync()).outbox).toBe(0);
    expect(kit.toy("c").live("account")).toHaveLength(1);
    expect(await kit.accounts()).toHaveLength(1);
    expect((await kit.deadLetters()).map((letter) => letter.code)).toEqual(["not-reachable"]);
    await kit.sync({ full: true });
    expect(kit.toy("c").live("account")).toHaveLength(1);
  });
});

describe("D16: deletes that are carried on", () => {
  const propagating = { ...systems, a: { ...systems.a, setup: { deletes: "propagate" as const } } };

  it("D16: news found by the fetch before the delete goes to the policy, and both are logged with the value", async () => {
    const kit = await createKit({ systems: propagating });
    const id = await seeded(kit);
    kit.toy("a").remove("account", only(kit, "a").id);
    kit.toy("c").hooks.beforeFetch = () => {
      delete kit.toy("c").hooks.beforeFetch;
      edit(kit, "c", { Phone: "+4930888888" });
    };
    await kit.settle();
    expect(only(kit, "c").fields.Phone).toBe("+4930888888");
    const [row] = await kit.conflicts("delete");
    expect([row?.connection, row?.candidates.map((candidate) => candidate.value)]).toEqual(["a", ["+4930888888"]]);
    expect((await kit.history(id)).map((change) => change.kind)).toContain("deleted");
  });

  it("D16: an edit that was applied since the delete was read goes to the policy as well", async () => {
    const kit = await createKit({ systems: propagating });
    await seeded(kit);
    edit(kit, "c", { Phone: "+4930888888" });
    await kit.sync({ names: ["c"] });
    kit.toy("a").remove("account", only(kit, "a").id);
    await kit.sync({ names: ["a"] });
    await kit.settle();
    expect(only(kit, "b").fields.Phone).toBe("+4930888888");
    expect((await kit.conflicts("delete")).map((row) => row.rule)).toEqual(["delete against update: keep"]);
  });

  it("D16: a policy that lets the delete win deletes everywhere and keeps the lost edit in the row", async () => {
    const kit = await createKit({
      systems: { ...systems, a: { ...systems.a, setup: { deletes: "propagate", deleteAgainstUpdate: "delete" } } },
    });
    await seeded(kit);
    edit(kit, "c", { Phone: "+4930888888" });
    await kit.sync({ names: ["c"] });
    kit.toy("a").remove("account", only(kit, "a").id);
    await kit.settle();
    expect([...kit.toy("b").live("account"), ...kit.toy("c").live("account")]).toEqual([]);
    const [row] = await kit.conflicts("delete");
    expect(row?.candidates.map((candidate) => candidate.value)).toEqual(["+4930888888"]);
  });

  it("D16: a policy that asks keeps the account until a person answers", async () => {
    const kit = await createKit({
      systems: { ...systems, a: { ...systems.a, setup: { deletes: "propagate", deleteAgainstUpdate: "ask" } } },
    });
    await seeded(kit);
    edit(kit, "c", { Phone: "+4930888888" });
    await kit.sync({ names: ["c"] });
    kit.toy("a").remove("account", only(kit, "a").id);
    await kit.settle();
    expect(kit.toy("b").live("account")).toHaveLength(1);
    expect(await kit.answer("delete", { kind: "deleted" })).toEqual({ kind: "done" });
    await kit.settle();
    expect([...kit.toy("b").live("account"), ...kit.toy("c").live("account")]).toEqual([]);
  });

  it("D16: what was last read of a deleted record is in the log, and a person can bring it back everywhere", async () => {
    const kit = await createKit({ systems: propagating });
    const id = await seeded(kit);
    kit.toy("a").remove("account", only(kit, "a").id);
    await kit.settle();
    const deletes = (await kit.history(id)).filter((row) => row.kind === "pushed" && row.note?.delete === true);
    expect(deletes.map((row) => [row.connection, row.news?.name]).sort()).toEqual([
      ["b", "Company 1"],
      ["c", "Company 1"],
    ]);
    await kit.decide([id], (world, moment) => decideRestore(world, kit.engine.settings, { canonicalId: id }, moment));
    await kit.settle();
    expect(held(kit, "Phone")).toEqual({ a: company(1).Phone, b: company(1).Phone, c: company(1).Phone });
    expect(await kit.accounts()).toHaveLength(1);
  });

  it("D16: a delete whose answer was lost is finished, and its tombstone is no delete by the other system", async () => {
    const kit = await createKit({ systems: propagating });
    await seeded(kit);
    kit.toy("a").remove("account", only(kit, "a").id);
    kit.toy("c").hooks.afterWrite = () => {
      delete kit.toy("c").hooks.afterWrite;
      lostAnswer();
    };
    await kit.settle();
    expect(kit.toy("c").live("account")).toEqual([]);
    expect(await kit.openSent()).toBe(0);
  });
});
