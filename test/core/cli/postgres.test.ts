import { readFileSync, writeFileSync } from "node:fs";
import { Effect } from "effect";
import { expect, it, onTestFinished } from "vitest";
import { join as joinStore } from "../../../core/store/leases.ts";
import { openStore } from "../../../core/store/open.ts";
import { type CliKit, createCliKit } from "../../kit/cli-kit.ts";
import { placeFor } from "../../kit/engine-place.ts";

it("keeps a hub in PostgreSQL, from its check to its export", async () => {
  const place = await placeFor();
  const kit = createCliKit({ env: { SYNCLINE_KEY: Buffer.alloc(32, 6).toString("base64") } });
  onTestFinished(kit.remove);
  const csv = (name: string) => kit.file(`${name}.csv`);
  writeFileSync(csv("one"), "No,Company,Website,Phone\n1,Acme Tools,www.acme-tools.com,+1 512-555-1074\n");
  writeFileSync(
    csv("two"),
    "No,Company,Website,Tags\n7,ACME Tools,acme-tools.com,key\n8,上海华锦电子有限公司,www.huajin.cn,\n",
  );
  writeFileSync(
    kit.file("syncline.yaml"),
    [
      `hub: { store: "${place}" }`,
      "connections:",
      `  one: { use: file, path: "${csv("one")}", id: No }`,
      `  two: { use: file, path: "${csv("two")}", id: No }`,
    ].join("\n"),
  );
  const ok = async (...argv: ReadonlyArray<string>) => {
    const ran = await kit.run(...argv);
    expect([argv[0], ran.code, ran.err]).toEqual([argv[0], 0, ran.err]);
    return ran;
  };
  const early = await kit.run("accounts", "list");
  expect([early.code, early.out + early.err]).not.toEqual([0, ""]);
  await ok("check");
  // A plan is made on a copy, and leaves nothing behind.
  const planned = (await ok("plan", "--json")).json() as { connections: ReadonlyArray<{ canonicals: number }> };
  expect(planned.connections.map(({ canonicals }) => canonicals)).toEqual([1, 1]);
  expect(((await ok("accounts", "list", "--json")).json() as { items: ReadonlyArray<unknown> }).items).toEqual([]);
  await ok("sync");
  await ok("sync");
  const { items } = (await ok("accounts", "list", "--json")).json() as {
    items: ReadonlyArray<{ readonly id: string; readonly values: Readonly<Record<string, unknown>> }>;
  };
  expect(items).toHaveLength(2);
  const [acme] = items;
  // Small letters find capital ones, as in SQLite; and a sign at the end is a sign.
  const found = async (text: string) =>
    ((await kit.run("accounts", "search", text, "--json")).json() as { items?: ReadonlyArray<unknown> }).items
      ?.length ?? 0;
  expect([await found("acme TOOLS"), await found("华锦"), await found("tools\\"), await found("%")]).toEqual([
    1, 1, 0, 2,
  ]);
  expect((await ok("explain", acme?.id ?? "")).out).toContain("+15125551074");
  await ok("export", "--output", kit.file("all.csv"));
  const lines = readFileSync(kit.file("all.csv"), "utf8").trim().split(/\r?\n/);
  expect(lines).toHaveLength(3);
  expect(lines.join("\n")).toContain("+15125551074");
  expect((await ok("audit", "verify", "--json")).json()).toMatchObject({ broken: null });
}, 60_000);

it("moves a hub from SQLite to PostgreSQL and back, with every row, and goes on where it was", async () => {
  const kit = createCliKit();
  onTestFinished(kit.remove);
  const customers = kit.file("customers.csv");
  const lines = [
    "No,Company,Website,Phone",
    "1,Acme Tools,www.acme-tools.com,+1 512-555-1074",
    "2,Hua\u0000jin,huajin.cn,",
  ];
  writeFileSync(customers, lines.join("\n"));
  const keyFile = kit.file("hub.db.key");
  const here = `sqlite:${kit.file("hub.db")}`;
  const there = await placeFor();
  const back = `sqlite:${kit.file("back.db")}`;
  const useStore = (store: string) =>
    writeFileSync(
      kit.file("syncline.yaml"),
      `hub: { store: "${store}" }\nconnections: { list: { use: file, path: "${customers}", id: No } }\n`,
    );
  useStore(here);
  expect((await kit.run("sync")).code).toBe(0);
  const text = async (run: CliKit["run"]) => (await run("export", "--format", "jsonl")).out;
  const before = await text(kit.run);

  const toPostgres = await kit.run("store", "copy", here, there, "--json");
  expect(toPostgres.err).toBe("");
  expect(toPostgres.out).not.toContain("error");
  const { tables } = toPostgres.json() as { tables: ReadonlyArray<{ table: string; rows: number; sum: string }> };
  expect(tables.find(({ table }) => table === "canonicals")).toMatchObject({ rows: 2 });

  const key = readFileSync(keyFile, "utf8").trim();
  const keyed = createCliKit({ env: { SYNCLINE_KEY: key } });
  onTestFinished(keyed.remove);
  const run: CliKit["run"] = (...argv) => keyed.run("--config", kit.file("syncline.yaml"), ...argv);
  useStore(there);
  expect(await text(run)).toBe(before);
  // Nothing is read or written twice, and what is new is numbered behind what was copied.
  expect((await run("sync", "--json")).json()).toMatchObject({ outbox: 0 });
  expect((await run("audit", "verify", "--json")).json()).toMatchObject({ broken: null });

  // Not into what holds something, not into itself, not while somebody works on it, and not under another key.
  expect((await kit.run("store", "copy", here, there)).err).toMatch(/not empty.*its table/);
  expect((await run("store", "copy", there, there)).err).toContain("is the store itself");
  const other = createCliKit({ env: { SYNCLINE_KEY: Buffer.alloc(32, 9).toString("base64") } });
  onTestFinished(other.remove);
  expect((await other.run("store", "copy", there, back)).err).toContain("does not fit the store");
  const store = await Effect.runPromise(openStore({ place: there, key }));
  const member = await Effect.runPromise(joinStore(store.database, { command: "serve" }));
  expect((await run("store", "copy", there, back)).err).toContain("Another Syncline process works on this store");
  await Effect.runPromise(member.leave);
  await store.close();

  expect((await run("store", "copy", there, back, "--json")).code).toBe(0);
  useStore(back);
  expect(await text(run)).toBe(before);
  expect((await run("audit", "verify", "--json")).json()).toMatchObject({ broken: null });
}, 60_000);
