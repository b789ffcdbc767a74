import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createKit, type Kit, type KitOptions } from "../../kit/engine-kit.ts";
import { lostAnswer, rateLimited } from "../../kit/toy-system.ts";

const folders: Array<string> = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function storeFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "syncline-"));
  folders.push(folder);
  return join(folder, "hub.db");
}

const three: KitOptions["systems"] = {
  a: { conditional: "version", returnsStored: true, nameMax: 20 },
  b: { conditional: "time", resolutionMs: 1000, counter: false, returnsTime: true },
  c: { conditional: "none", counter: true },
};

const company = (index: number) => ({
  Name: `Company ${index}`,
  Domain: `company-${index}.test`,
  Phone: `+49301${100_000 + index}`,
});

/** Each system's records by domain, without ids and keys. */
function contents(kit: Kit, name: string): ReadonlyMap<string, Record<string, unknown>> {
  const toy = kit.toy(name);
  return new Map(
    toy.live("account").map((id) => {
      const { Hub_Id: _, ...fields } = toy.read("account", id) ?? {};
      return [String(fields.Domain), fields];
    }),
  );
}

describe("what goes wrong on the way", () => {
  it("loses nothing when the process dies after every single page", async () => {
    const file = storeFile();
    let kit = await createKit({ systems: { a: { ...three.a, pageSize: 3 }, c: three.c ?? {} }, file });
    for (let index = 0; index < 20; index++) kit.toy("a").create("account", company(index));
    const { toys, clock } = kit;
    for (let pages = 0; pages < 8; pages++) {
      let read = 0;
      kit.toy("a").hooks.beforePage = (entity) => {
        if (entity === "account" && ++read > 1) throw new Error("killed");
      };
      await kit.sync({ pushes: false });
      kit.close();
      kit = await createKit({ systems: { a: { ...three.a, pageSize: 3 }, c: three.c ?? {} }, file }, { toys, clock });
    }
    delete kit.toy("a").hooks.beforePage;
    const report = await kit.settle();
    expect(contents(kit, "c").size).toBe(20);
    expect(report.agreement.share).toBe(1);
    kit.close();
  });

  it("sees an edit that lands while the pull runs", async () => {
    const kit = await createKit({ systems: { a: { ...three.a, pageSize: 2 }, c: three.c ?? {} } });
    const ids = Array.from({ length: 7 }, (_, index) => kit.toy("a").create("account", company(index)));
    let edited = false;
    kit.toy("a").hooks.beforePage = (entity, index) => {
      if (entity === "account" && index === 2 && !edited) {
        edited = true;
        kit.toy("a").edit("account", ids[0] ?? "", { Phone: "+4930555555" });
      }
    };
    await kit.settle();
    expect(contents(kit, "c").get("company-0.test")).toMatchObject({ Phone: "+4930555555" });
  });

  for (const target of ["a", "b", "c"] as const) {
    it(`D12: a create whose answer is lost is not created twice (${target})`, async () => {
      const source = target === "a" ? "b" : "a";
      const kit = await createKit({ systems: { [source]: three[source] ?? {}, [target]: three[target] ?? {} } });
      kit.toy(source).create("account", company(1));
      let lost = 0;
      kit.toy(target).hooks.afterWrite = (operation) => {
        if (operation.kind === "create" && lost++ === 0) lostAnswer();
      };
      await kit.sync();
      for (let round = 0; round < 4; round++) {
        kit.clock.advance(61_000);
        await kit.sync();
      }
      expect(lost).toBeGreaterThan(0);
      expect(kit.toy(target).live("account")).toHaveLength(1);
      expect((await kit.accounts()).length).toBe(1);
      await kit.settle();
    });

    it(`D2: an update whose answer is lost is an echo, not a conflict (${target})`, async () => {
      const source = target === "a" ? "b" : "a";
      const kit = await createKit({ systems: { [source]: three[source] ?? {}, [target]: three[target] ?? {} } });
      const id = kit.toy(source).create("account", company(1));
      await kit.settle();
      kit.clock.advance(60_000);
      kit.toy(source).edit("account", id, { Phone: "+4930222222" });
      let lost = 0;
      kit.toy(target).hooks.afterWrite = () => {
        if (lost++ === 0) lostAnswer();
      };
      await kit.sync();
      kit.clock.advance(60_000);
      kit.toy(source).edit("account", id, { Phone: "+4930333333" });
      await kit.settle();
      expect(contents(kit, target).get("company-1.test")).toMatchObject({ Phone: "+4930333333" });
      expect(contents(kit, source).get("company-1.test")).toMatchObject({ Phone: "+4930333333" });
      expect(await kit.conflicts("value")).toEqual([]);
    });
  }

  it("half of a batch fails: the good half is written, the bad half is reported", async () => {
    const kit = await createKit({ systems: { a: three.a ?? {}, c: three.c ?? {} } });
    for (let index = 0; index < 10; index++) kit.toy("a").create("account", company(index));
    kit.toy("c").hooks.refuse = (operation) =>
      operation.kind === "create" && Number(String(operation.fields.Name).slice(8)) % 2 === 1
        ? { kind: "rejected", code: "DUPLICATE_RULE", reason: "refused by a rule", remedy: "look at the rule" }
        : undefined;
    await kit.sync();
    expect(contents(kit, "c").size).toBe(5);
    expect(await kit.deadLetters()).toHaveLength(5);
  });

  it("a rate limit is the third outcome: paused until, not failed, and nothing is lost", async () => {
    const kit = await createKit({ systems: { a: three.a ?? {}, c: three.c ?? {} } });
    kit.toy("a").create("account", company(1));
    const until = kit.clock.now() + 120_000;
    kit.toy("c").hooks.beforePush = () => rateLimited(until);
    const report = await kit.sync();
    expect(report.connections.find((one) => one.name === "c")?.outcome).toMatchObject({ kind: "paused", until });
    expect(report.outbox).toBe(1);
    delete kit.toy("c").hooks.beforePush;
    const during = await kit.sync();
    expect(during.connections.find((one) => one.name === "c")?.outcome.kind).toBe("paused");
    kit.clock.advance(130_000);
    await kit.settle();
    expect(contents(kit, "c").size).toBe(1);
  });

  it("three systems, one edit: every one gets it once and the loop ends", async () => {
    const kit = await createKit({ systems: three });
    const id = kit.toy("a").create("account", company(1));
    await kit.settle();
    kit.clock.advance(60_000);
    const before = [kit.toy("a"), kit.toy("b"), kit.toy("c")].map((toy) => toy.writes.length);
    kit.toy("a").edit("account", id, { Phone: "+4930777777" });
    await kit.settle();
    const writes = [kit.toy("a"), kit.toy("b"), kit.toy("c")].map(
      (toy, index) => toy.writes.length - (before[index] ?? 0),
    );
    expect(writes).toEqual([0, 1, 1]);
    expect(contents(kit, "b").get("company-1.test")).toMatchObject({ Phone: "+4930777777" });
    expect(contents(kit, "c").get("company-1.test")).toMatchObject({ Phone: "+4930777777" });
  });

  it("D9: a system that cuts names does not cut them elsewhere", async () => {
    const kit = await createKit({ systems: three });
    kit.toy("c").create("account", { Name: "Shanghai Electric Group Company Limited", Domain: "sec.test" });
    await kit.settle();
    expect(contents(kit, "a").get("sec.test")).toMatchObject({ Name: "Shanghai Electric Gr" });
    expect(contents(kit, "b").get("sec.test")).toMatchObject({ Name: "Shanghai Electric Group Company Limited" });
    expect(contents(kit, "c").get("sec.test")).toMatchObject({ Name: "Shanghai Electric Group Company Limited" });
  });
});

describe("deletes", () => {
  it("propagate deletes it in the others, once, and nothing comes back", async () => {
    const systems = { ...three, a: { ...three.a, setup: { deletes: "propagate" as const } } };
    const kit = await createKit({ systems });
    const id = kit.toy("a").create("account", company(1));
    await kit.settle();
    kit.clock.advance(60_000);
    kit.toy("a").remove("account", id);
    await kit.settle();
    for (const name of ["a", "b", "c"]) expect(kit.toy(name).live("account")).toEqual([]);
  });

  it("archive marks it archived everywhere else", async () => {
    const systems = { ...three, a: { ...three.a, setup: { deletes: "archive" as const } } };
    const kit = await createKit({ systems });
    const id = kit.toy("a").create("account", company(1));
    await kit.settle();
    kit.clock.advance(60_000);
    kit.toy("a").remove("account", id);
    await kit.settle();
    expect(contents(kit, "b").get("company-1.test")).toMatchObject({ Status: "archived" });
    expect(contents(kit, "c").get("company-1.test")).toMatchObject({ Status: "archived" });
  });

  it("a merge that the system names is a re-link: nothing is deleted downstream", async () => {
    const systems = {
      a: { ...three.a, namesMaster: true, setup: { deletes: "propagate" as const, duplicates: "separate" as const } },
      c: three.c ?? {},
    };
    const kit = await createKit({ systems });
    const child = kit.toy("a").create("account", { Name: "Acme", Domain: "acme.test", Tax: "A1" });
    const master = kit.toy("a").create("account", { Name: "Acme AG", Domain: "acme-ag.test", Tax: "B2" });
    await kit.settle();
    expect(contents(kit, "c").size).toBe(2);
    kit.clock.advance(60_000);
    kit.toy("a").remove("account", child, master);
    kit.toy("a").edit("account", master, { Phone: "+4930123123" });
    await kit.settle();
    expect((await kit.accounts()).length).toBe(1);
    expect(kit.toy("c").live("account").length).toBe(2);
  });

  it("a merge that nobody names opens a case and deletes nothing until it is answered", async () => {
    const systems = {
      a: { ...three.a, setup: { deletes: "propagate" as const, duplicates: "separate" as const } },
      c: three.c ?? {},
    };
    const kit = await createKit({ systems });
    const child = kit.toy("a").create("account", { Name: "Acme", Domain: "acme.test" });
    const master = kit.toy("a").create("account", { Name: "Acme AG", Domain: "acme.test" });
    await kit.settle();
    kit.clock.advance(60_000);
    kit.toy("a").edit("account", master, { Phone: "+4930123123" });
    kit.toy("a").remove("account", child);
    await kit.settle();
    expect((await kit.conflicts("merge")).map((row) => row.state)).toEqual(["open"]);
    expect(kit.toy("c").live("account").length).toBe(2);
  });
});
