import { describe, expect, it } from "vitest";
import { Unavailable } from "../../../../core/connector.ts";
import { audit } from "../../../../core/store/tables.ts";
import { createKit, type Kit } from "../../../kit/engine-kit.ts";
import { lostAnswer } from "../../../kit/toy-system.ts";
import { accountId, company, edit, held, minute, only, seeded, systems, writesTo } from "./world.ts";

/** The next write is done, its answer is lost, and the system cannot be read right after it. */
function loseAnswer(kit: Kit, name: string): void {
  const { hooks } = kit.toy(name);
  hooks.afterWrite = () => {
    delete hooks.afterWrite;
    hooks.beforeFetch = () => {
      delete hooks.beforeFetch;
      throw new Unavailable("no answer", { sent: false });
    };
    lostAnswer();
  };
}

/** The intents that the audit holds, or those whose outcome it holds, in order. */
const noted = async (kit: Kit, action: RegExp): Promise<ReadonlyArray<string>> => {
  const rows = await kit.store.database.db.select().from(audit);
  // Written by the claim and by whoever finds the outcome.
  const details = rows.flatMap((row) => (action.test(row.action) ? [row.detail as { readonly intent: string }] : []));
  return details.map(({ intent }) => intent).sort();
};
const intents = (kit: Kit) => noted(kit, /^write /);
const outcomes = (kit: Kit) => noted(kit, /^outcome /);

const owned = { fields: { owner: [{ only: "c" }] } } as const;

describe("D1: base and held", () => {
  it("D1: a change of a field that another system owns is corrected, once, and then both are at rest", async () => {
    const kit = await createKit({ systems, policy: owned });
    kit.toy("c").create("account", { ...company(1), Owner: "ann@hub.test" });
    await kit.settle();
    kit.clock.advance(minute);
    const before = writesTo(kit, "b");
    edit(kit, "b", { Owner: "bob@hub.test" });
    const report = await kit.settle();
    expect(held(kit, "Owner")).toEqual({ a: "ann@hub.test", b: "ann@hub.test", c: "ann@hub.test" });
    expect(writesTo(kit, "b") - before).toBe(1);
    expect(report.agreement).toMatchObject({ share: 1, open: 0, pending: 0 });
    const history = await kit.history(await accountId(kit));
    expect(history.filter((row) => row.kind === "overruled").map((row) => row.news)).toEqual([
      { owner: "bob@hub.test" },
    ]);
  });

  it("D1: a system that keeps a shorter form of the value is not due for ever", async () => {
    const kit = await createKit({ systems });
    await seeded(kit);
    edit(kit, "c", { Name: "Shanghai Electric Group Company Limited" });
    await kit.settle();
    expect(only(kit, "a").fields.Name).toBe("Shanghai Electric Gr");
    const before = writesTo(kit, "a");
    kit.clock.advance(minute);
    expect((await kit.settle()).outbox).toBe(0);
    expect(writesTo(kit, "a")).toBe(before);
  });

  it("D1: a settle sets the base to what was sent, so a change that lands during the push stays due", async () => {
    const kit = await createKit({ systems: { a: systems.a, c: systems.c } });
    await seeded(kit);
    edit(kit, "a", { Phone: "+4930111111" });
    let landed = false;
    kit.toy("c").hooks.afterWrite = () => {
      landed = true;
      delete kit.toy("c").hooks.afterWrite;
    };
    await kit.sync({ names: ["a"] });
    kit.toy("c").hooks.beforePush = async () => {
      delete kit.toy("c").hooks.beforePush;
      edit(kit, "a", { Phone: "+4930222222" });
      await kit.apply("a", await kit.read("a", [only(kit, "a").id]));
    };
    await kit.sync({ names: ["c"] });
    await kit.settle();
    expect(landed).toBe(true);
    expect(held(kit, "Phone")).toEqual({ a: "+4930222222", c: "+4930222222" });
  });
});

describe("D2: writes whose outcome is open", () => {
  for (const target of ["a", "b", "c"] as const) {
    it(`D2: our own write, read back after its answer was lost, does not revert what came after it (${target})`, async () => {
      const source = target === "b" ? "a" : "b";
      const kit = await createKit({ systems: { [source]: systems[source], [target]: systems[target] } });
      await seeded(kit);
      edit(kit, source, { Name: "Shanghai Electric Group Company Limited" });
      await kit.sync({ names: [source] });
      loseAnswer(kit, target);
      await kit.sync({ names: [target] });
      expect(await kit.openSent()).toBe(1);
      edit(kit, source, { Name: "SEC" });
      await kit.settle();
      expect(held(kit, "Name")).toEqual({ [source]: "SEC", [target]: "SEC" });
      expect(await kit.conflicts("value")).toEqual([]);
      expect(await kit.openSent()).toBe(0);
    });
  }

  it("D2: a person's return to a value that was sent and settled is news, not an echo", async () => {
    const kit = await createKit({ systems: { a: systems.a, c: systems.c } });
    await seeded(kit);
    edit(kit, "a", { Phone: "+4930111111" });
    await kit.settle();
    edit(kit, "a", { Phone: "+4930222222" });
    await kit.settle();
    kit.clock.advance(1000);
    edit(kit, "c", { Phone: "+4930111111" });
    await kit.settle();
    expect(held(kit, "Phone")).toEqual({ a: "+4930111111", c: "+4930111111" });
  });

  it("D2: a write that lands late and covers a later value is logged with that value before it is written over", async () => {
    const kit = await createKit({ systems: { a: systems.a, c: systems.c } });
    await seeded(kit);
    edit(kit, "a", { Phone: "+4930111111" });
    kit.toy("c").hooks.beforePush = () => {
      delete kit.toy("c").hooks.beforePush;
      lostAnswer();
    };
    await kit.sync();
    edit(kit, "a", { Phone: "+4930222222" });
    kit.toy("c").hooks.beforePush = () => {
      throw new Error("c is away");
    };
    await kit.sync();
    edit(kit, "c", { Phone: "+4930111111" });
    delete kit.toy("c").hooks.beforePush;
    await kit.settle();
    expect(held(kit, "Phone")).toEqual({ a: "+4930222222", c: "+4930222222" });
    const rows = await kit.conflicts("late");
    expect(rows.map((row) => [row.field, row.candidates.map((candidate) => candidate.value)])).toEqual([
      ["phone", ["+4930111111"]],
    ]);
  });

  it("D2: a write that lands late after a second try with the same value is no person's edit", async () => {
    const kit = await createKit({ systems: { a: systems.a, c: systems.c } });
    await seeded(kit);
    edit(kit, "a", { Phone: "+4930111111" });
    kit.toy("c").hooks.beforePush = () => {
      delete kit.toy("c").hooks.beforePush;
      lostAnswer();
    };
    await kit.sync();
    await kit.sync();
    expect(held(kit, "Phone")).toEqual({ a: "+4930111111", c: "+4930111111" });
    edit(kit, "a", { Phone: "+4930222222" });
    await kit.sync();
    // The first try lands at last.
    edit(kit, "c", { Phone: "+4930111111" });
    await kit.settle();
    expect(held(kit, "Phone")).toEqual({ a: "+4930222222", c: "+4930222222" });
    const late = await kit.conflicts("late");
    expect(new Set(late.flatMap((row) => row.candidates.map(({ value }) => value)))).toContain("+4930111111");
    kit.clock.advance(minute);
    await kit.settle();
    expect(await kit.openSent()).toBe(0);
  });

  it("D2: a late landing in a field that the system rewrites is known by its letters, and reverts nothing", async () => {
    const kit = await createKit({ systems: { a: systems.a, b: { ...systems.b, opaque: true } } });
    await seeded(kit);
    kit.toy("b").hooks.store = (fields) =>
      typeof fields.Industry === "string" ? { ...fields, Industry: fields.Industry.toUpperCase() } : fields;
    edit(kit, "a", { Industry: "Steel" });
    kit.toy("b").hooks.beforePush = () => {
      delete kit.toy("b").hooks.beforePush;
      lostAnswer();
    };
    await kit.sync();
    edit(kit, "a", { Industry: "Coal" });
    kit.toy("b").hooks.beforePush = () => {
      throw new Error("b is away");
    };
    await kit.sync();
    delete kit.toy("b").hooks.beforePush;
    edit(kit, "b", { Industry: "STEEL" });
    await kit.settle();
    expect(held(kit, "Industry")).toEqual({ a: "Coal", b: "COAL" });
  });

  it("D2: a write that lands late over an edit that nobody had read is a possible overwrite", async () => {
    const kit = await createKit({ systems: { a: systems.a, c: systems.c } });
    await seeded(kit);
    edit(kit, "a", { Phone: "+4930111111" });
    kit.toy("c").hooks.beforePush = () => {
      delete kit.toy("c").hooks.beforePush;
      kit.toy("c").hooks.beforeFetch = () => {
        delete kit.toy("c").hooks.beforeFetch;
        throw new Unavailable("no answer", { sent: false });
      };
      lostAnswer();
    };
    await kit.sync();
    edit(kit, "c", { Phone: "+4930222222" });
    // The write lands at last, before anybody has read.
    edit(kit, "c", { Phone: "+4930111111" });
    await kit.settle();
    const rows = await kit.conflicts("overwrite");
    expect(rows.map((row) => [row.connection, row.detail.fields])).toEqual([["c", ["phone"]]]);
  });

  it("D2: an old value read back while the write is open, with a moved version, is kept as a possible reversal", async () => {
    const kit = await createKit({ systems: { a: systems.a, c: systems.c } });
    await seeded(kit);
    edit(kit, "a", { Phone: "+4930111111" });
    loseAnswer(kit, "c");
    await kit.sync();
    edit(kit, "c", { Phone: "+49301100001" });
    await kit.settle();
    const rows = await kit.conflicts("late");
    expect(rows.map((row) => row.candidates.map((candidate) => candidate.value))).toEqual([["+49301100001"]]);
  });

  it("D2: an unclear write that never landed is closed after lateMs, although the record did not change", async () => {
    const kit = await createKit({ systems: { a: systems.a, c: systems.c } });
    await seeded(kit);
    edit(kit, "a", { Phone: "+4930111111" });
    kit.toy("c").hooks.beforePush = () => lostAnswer();
    await kit.sync();
    await kit.sync();
    expect(await kit.openSent()).toBeGreaterThan(0);
    kit.toy("c").hooks.beforePush = () => {
      throw new Error("c takes no writes");
    };
    edit(kit, "a", { Phone: "+49301100001" });
    kit.clock.advance(2 * minute);
    await kit.sync();
    await kit.sync();
    expect(await kit.openSent()).toBe(0);
  });

  it("D2: a write with a version is closed by a read past that version", async () => {
    const kit = await createKit({ systems: { a: systems.a, b: systems.b } });
    await seeded(kit);
    edit(kit, "b", { Phone: "+4930111111" });
    await kit.sync({ names: ["b"] });
    kit.toy("a").hooks.beforePush = () => {
      delete kit.toy("a").hooks.beforePush;
      lostAnswer();
    };
    await kit.sync({ names: ["a"] });
    expect(await kit.openSent()).toBe(1);
    edit(kit, "a", { Notes: "somebody else" });
    await kit.apply("a", await kit.read("a", [only(kit, "a").id]));
    expect(await kit.openSent()).toBe(0);
  });

  it("D2: in a batch no version is named, so a later version alone does not close it", async () => {
    const kit = await createKit({ systems: { a: systems.a, b: { ...systems.b, lateMs: 10 * minute } } });
    const ids = Array.from({ length: 12 }, (_, index) => kit.toy("a").create("account", company(index)));
    await kit.settle();
    kit.clock.advance(minute);
    for (const [index, id] of ids.entries()) kit.toy("a").edit("account", id, { Phone: `+49302${100_000 + index}` });
    await kit.sync({ names: ["a"] });
    kit.toy("b").hooks.beforePush = () => {
      delete kit.toy("b").hooks.beforePush;
      lostAnswer();
    };
    await kit.sync({ names: ["b"] });
    expect(await kit.openSent()).toBe(12);
    const [first] = kit.toy("b").live("account");
    kit.clock.advance(5000);
    kit.toy("b").edit("account", first ?? "", { Notes: "somebody else" });
    await kit.apply("b", await kit.read("b", [first ?? ""]));
    expect(await kit.openSent()).toBe(12);
  });
});

describe("D3: reads during a write", () => {
  it("D3: what is read while a write is claimed is fetched again after the settle", async () => {
    const kit = await createKit({ systems: { a: systems.a, c: systems.c } });
    await seeded(kit);
    edit(kit, "a", { Phone: "+4930111111" });
    kit.toy("c").hooks.beforePush = async () => {
      delete kit.toy("c").hooks.beforePush;
      edit(kit, "c", { Name: "Renamed", Phone: "+4930333333" });
      const page = await kit.read("c", [only(kit, "c").id]);
      await kit.apply("c", page);
    };
    await kit.sync();
    await kit.settle();
    expect(held(kit, "Name")).toEqual({ a: "Renamed", c: "Renamed" });
    expect((await kit.conflicts("overwrite")).map((row) => row.rule)).toEqual(["possible overwrite"]);
    // The read had shown it, and our write has covered it: the log has the value.
    const [account] = await kit.accounts();
    const history = await kit.history(account?.id ?? "");
    expect(history.filter(({ news }) => news?.phone === "+4930333333")).toMatchObject([{ kind: "noted" }]);
  });

  it("D3: a read that began before the settle is fetched again and does not move the shadow back", async () => {
    const kit = await createKit({ systems: { a: systems.a, b: systems.b } });
    await seeded(kit);
    edit(kit, "a", { Phone: "+4930111111" });
    await kit.sync({ names: ["a"] });
    const stale = await kit.read("b", [only(kit, "b").id]);
    await kit.sync({ names: ["b"] });
    expect(only(kit, "b").fields.Phone).toBe("+4930111111");
    await kit.apply("b", stale);
    await kit.settle();
    expect(held(kit, "Phone")).toEqual({ a: "+4930111111", b: "+4930111111" });
    expect(await kit.conflicts("value")).toEqual([]);
  });

  it("D3: after a crash between the write and its settle, the record is fetched before anything is written", async () => {
    const kit = await createKit({ systems: { a: systems.a, c: systems.c } });
    await seeded(kit);
    edit(kit, "a", { Phone: "+4930111111" });
    // The process dies with the write done and the settle not begun.
    const { store } = kit;
    const write = store.database.write.bind(store.database);
    Object.assign(store.database, {
      write: (what: string, body: () => Promise<unknown>) =>
        what.startsWith("settling") ? write(what, () => Promise.reject(new Error("killed"))) : write(what, body),
    });
    await expect(kit.sync()).rejects.toThrow("killed");
    Object.assign(store.database, { write });
    kit.clock.advance(1000);
    edit(kit, "c", { Name: "Renamed" });
    const writes = writesTo(kit, "c");
    const fetches = kit.toy("c").fetches.length;
    await kit.settle();
    expect(kit.toy("c").fetches.length).toBeGreaterThan(fetches);
    expect(writesTo(kit, "c")).toBe(writes);
    expect(held(kit, "Phone")).toEqual({ a: "+4930111111", c: "+4930111111" });
    expect(held(kit, "Name")).toEqual({ a: "Renamed", c: "Renamed" });
    expect(await kit.conflicts("value")).toEqual([]);
    expect(await kit.openSent()).toBe(0);
    expect(await outcomes(kit)).toEqual(await intents(kit));
  });

  it("D3: the intent of a create that a read has shown, and nobody has settled, has one outcome too", async () => {
    const kit = await createKit({ systems: { a: systems.a, c: systems.c } });
    const { store } = kit;
    const write = store.database.write.bind(store.database);
    kit.toy("a").create("account", company(1));
    Object.assign(store.database, {
      write: (what: string, body: () => Promise<unknown>) =>
        what.startsWith("settling") ? write(what, () => Promise.reject(new Error("killed"))) : write(what, body),
    });
    await expect(kit.sync()).rejects.toThrow("killed");
    await kit.apply("c", await kit.read("c", kit.toy("c").live("account")));
    Object.assign(store.database, { write });
    await kit.settle();
    expect(kit.toy("c").live("account")).toHaveLength(1);
    expect(await outcomes(kit)).toEqual(await intents(kit));
  });

  it("D3: a second sync does not take the claims of a push that is under way", async () => {
    const kit = await createKit({ systems: { a: systems.a, c: systems.c } });
    await seeded(kit);
    edit(kit, "a", { Phone: "+4930111111" });
    await kit.sync({ names: ["a"] });
    kit.toy("c").hooks.beforePush = async () => {
      delete kit.toy("c").hooks.beforePush;
      await kit.sync({ names: ["a"] });
      await kit.sync({ names: ["c"] });
    };
    const before = writesTo(kit, "c");
    await kit.sync({ names: ["c"] });
    await kit.settle();
    expect(writesTo(kit, "c") - before).toBe(1);
    expect(await kit.conflicts("overwrite")).toEqual([]);
  });
});

describe("D4: what the system made of it", () => {
  it("D4: a user's edit between our write and the read-back is news, not what the system made of it", async () => {
    const kit = await createKit({ systems: { a: systems.a, c: systems.c } });
    await seeded(kit);
    edit(kit, "a", { Phone: "+4930111111" });
    kit.toy("c").hooks.afterWrite = (_, id) => {
      delete kit.toy("c").hooks.afterWrite;
      kit.toy("c").edit("account", id, { Phone: "+4930222222" });
    };
    await kit.settle();
    expect(held(kit, "Phone")).toEqual({ a: "+4930222222", c: "+4930222222" });
  });

  it("D4: a rewrite that the counter proves to be the system's own is held, and shown as stored differently", async () => {
    const kit = await createKit({ systems: { a: systems.a, c: systems.c } });
    await seeded(kit);
    kit.toy("c").hooks.store = (fields) =>
      typeof fields.Industry === "string" ? { ...fields, Industry: fields.Industry.toUpperCase() } : fields;
    edit(kit, "a", { Industry: "Steel" });
    await kit.settle();
    expect(held(kit, "Industry")).toEqual({ a: "Steel", c: "STEEL" });
    const rows = await kit.conflicts("stored-differently");
    expect(rows.map((row) => [row.connection, row.field, row.base, row.candidates[0]?.value])).toEqual([
      ["c", "industry", "Steel", "STEEL"],
    ]);
  });

  it("D4: an opaque field read with the time of the receipt is the system's rewrite; with a later time it is news", async () => {
    const kit = await createKit({ systems: { a: systems.a, b: { ...systems.b, opaque: true } } });
    await seeded(kit);
    kit.toy("b").hooks.store = (fields) =>
      typeof fields.Industry === "string" ? { ...fields, Industry: fields.Industry.toUpperCase() } : fields;
    edit(kit, "a", { Industry: "Steel" });
    await kit.settle();
    expect(held(kit, "Industry")).toEqual({ a: "Steel", b: "STEEL" });
    expect(await kit.conflicts("stored-differently")).toHaveLength(1);
    kit.clock.advance(minute);
    edit(kit, "b", { Industry: "Coal" });
    await kit.settle();
    expect(held(kit, "Industry")).toEqual({ a: "Coal", b: "Coal" });
  });

  it("D4: an opaque field is the system's rewrite also where another field was edited since, if only its letters differ", async () => {
    const kit = await createKit({ systems: { a: systems.a, b: { ...systems.b, opaque: true } } });
    await seeded(kit);
    kit.toy("b").hooks.store = (fields) =>
      typeof fields.Industry === "string" ? { ...fields, Industry: fields.Industry.toUpperCase() } : fields;
    edit(kit, "a", { Industry: "Steel" });
    kit.toy("b").hooks.afterWrite = (_, id) => {
      delete kit.toy("b").hooks.afterWrite;
      queueMicrotask(() => {
        kit.clock.advance(1500);
        kit.toy("b").edit("account", id, { Employees: 70 });
      });
    };
    await kit.settle();
    expect(held(kit, "Employees")).toEqual({ a: 70, b: 70 });
    expect(held(kit, "Industry")).toEqual({ a: "Steel", b: "STEEL" });
  });

  it("D4: a default that the system fills in on create is held, not news", async () => {
    for (const target of ["a", "b", "c"] as const) {
      const source = target === "a" ? "b" : "a";
      const kit = await createKit({ systems: { [source]: systems[source], [target]: systems[target] } });
      kit.toy(target).hooks.store = (fields) => ({ Industry: "Unknown", ...fields });
      await seeded(kit);
      expect(held(kit, "Industry")).toEqual({ [source]: null, [target]: "Unknown" });
      kit.clock.advance(minute);
      edit(kit, target, { Industry: "Steel" });
      await kit.settle();
      expect(held(kit, "Industry")).toEqual({ [source]: "Steel", [target]: "Steel" });
    }
  });

  it("D4: what a person enters right after our create is news, not a default", async () => {
    for (const target of ["a", "b", "c"] as const) {
      const source = target === "a" ? "b" : "a";
      const kit = await createKit({ systems: { [source]: systems[source], [target]: systems[target] } });
      const toy = kit.toy(target);
      toy.hooks.afterWrite = (operation, id) => {
        if (operation.kind !== "create") return;
        queueMicrotask(() => {
          kit.clock.advance(1500);
          toy.edit("account", id, { Employees: 70 });
        });
      };
      await seeded(kit);
      await kit.settle();
      expect(held(kit, "Employees")).toEqual({ [source]: 70, [target]: 70 });
    }
  });

  it("D4: what was entered in the second of our create may be a default, and is kept in the log", async () => {
    const kit = await createKit({ systems: { a: systems.a, b: systems.b } });
    const toy = kit.toy("b");
    toy.hooks.afterWrite = (operation, id) => {
      const row = toy.rows.account.get(id);
      if (operation.kind === "create" && row !== undefined) row.fields = { ...row.fields, Employees: 70 };
    };
    await seeded(kit);
    await kit.settle();
    expect(held(kit, "Employees")).toEqual({ a: null, b: 70 });
    const [account] = await kit.accounts();
    const history = await kit.history(account?.id ?? "");
    expect(history.filter((change) => change.kind === "noted").map((change) => change.news)).toEqual([
      { employees: 70 },
    ]);
  });

  it("D4: a receipt does not hide what a user changed in another field", async () => {
    const kit = await createKit({ systems: { a: systems.a, b: systems.b } });
    await seeded(kit);
    edit(kit, "a", { Phone: "+4930111111" });
    kit.toy("b").hooks.afterWrite = (_, id) => {
      delete kit.toy("b").hooks.afterWrite;
      kit.toy("b").edit("account", id, { Name: "Renamed" });
    };
    await kit.settle();
    expect(held(kit, "Name")).toEqual({ a: "Renamed", b: "Renamed" });
  });
});

describe("D5: no conditional update", () => {
  it("D5: an edit that nobody had read is found by the fetch before the write, and both survive", async () => {
    const kit = await createKit({ systems: { a: systems.a, c: systems.c } });
    await seeded(kit);
    edit(kit, "a", { Phone: "+4930111111" });
    await kit.sync({ names: ["a"] });
    edit(kit, "c", { Phone: "+4930222222", Name: "Renamed" });
    kit.toy("c").hooks.beforePage = () => {
      throw new Error("the pull of c is down");
    };
    await kit.sync({ names: ["c"] });
    delete kit.toy("c").hooks.beforePage;
    await kit.settle();
    expect(held(kit, "Name")).toEqual({ a: "Renamed", c: "Renamed" });
    const rows = await kit.conflicts("value");
    expect(rows.map((row) => row.candidates.map((candidate) => candidate.value).sort())).toEqual([
      ["+4930111111", "+4930222222"],
    ]);
  });

  it("D5: a patch carries only the fields that are due", async () => {
    const kit = await createKit({ systems: { a: systems.a, c: systems.c } });
    await seeded(kit);
    edit(kit, "a", { Phone: "+4930111111" });
    await kit.settle();
    const last = kit.toy("c").writes.at(-1);
    expect(last?.kind === "update" ? last.fields : null).toEqual({ Phone: "+4930111111" });
  });

  it("D5: an edit between our fetch and our write shows as a possible overwrite with both versions", async () => {
    const kit = await createKit({ systems: { a: systems.a, c: systems.c } });
    await seeded(kit);
    edit(kit, "a", { Phone: "+4930111111" });
    kit.toy("c").hooks.beforePush = () => {
      delete kit.toy("c").hooks.beforePush;
      edit(kit, "c", { Phone: "+4930222222" });
    };
    const before = Number((await kit.links(await accountId(kit))).find((link) => link.connection === "c")?.version);
    await kit.settle();
    const rows = await kit.conflicts("overwrite");
    expect(rows.map((row) => [row.rule, row.detail])).toEqual([
      [
        "possible overwrite",
        expect.objectContaining({
          fields: ["phone"],
          versionBefore: String(before),
          versionAfter: String(before + 2),
        }),
      ],
    ]);
    expect(rows[0]?.connection).toBe("c");
  });

  it("D5: a write that nobody disturbed leaves no row", async () => {
    const kit = await createKit({ systems: { a: systems.a, c: systems.c } });
    await seeded(kit);
    edit(kit, "a", { Phone: "+4930111111" });
    await kit.settle();
    expect(held(kit, "Phone").c).toBe("+4930111111");
    expect(await kit.conflicts()).toEqual([]);
  });

  it("D5: without a counter every such write is reported as unverifiable", async () => {
    const kit = await createKit({ systems: { a: systems.a, c: { conditional: "none", counter: false } } });
    await seeded(kit);
    edit(kit, "a", { Phone: "+4930111111" });
    await kit.settle();
    expect((await kit.conflicts("overwrite")).map((row) => [row.rule, row.connection])).toEqual([
      ["unverifiable write", "c"],
    ]);
  });

  it("D5: a record that cannot be read is not written over", async () => {
    const kit = await createKit({ systems: { a: systems.a, c: { ...systems.c, goneIsProof: false } } });
    await seeded(kit);
    edit(kit, "a", { Phone: "+4930111111" });
    const { id } = only(kit, "c");
    kit.toy("c").hiddenRecords.add(id);
    const before = writesTo(kit, "c");
    await kit.sync();
    expect(writesTo(kit, "c")).toBe(before);
    kit.toy("c").hiddenRecords.delete(id);
    kit.clock.advance(2 * minute);
    await kit.settle();
    expect(held(kit, "Phone")).toEqual({ a: "+4930111111", c: "+4930111111" });
  });
});
