import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Effect } from "effect";
import { expect, it, onTestFinished } from "vitest";
import { openStore, type Store } from "../../../core/store/open.ts";
import { sumOf, type TablePage } from "../../../core/store/table-pages.ts";
import { canonicals, changes } from "../../../core/store/tables.ts";
import { transfer } from "../../../core/store/transfer.ts";
import { createKit, type Kit } from "../../kit/engine-kit.ts";
import { onPostgres, placeFor } from "../../kit/engine-place.ts";
import { sqliteClient } from "../../kit/sqlite-client.ts";

const key = Buffer.alloc(32, 5).toString("base64");

async function filled(folder: string): Promise<Kit> {
  const kit = await createKit({ systems: { a: {}, b: {} }, file: join(folder, "from.db") });
  for (let index = 0; index < 30; index++) {
    kit.toy("a").create("account", { Name: `Company ${index}`, Domain: `c${index}.test`, Phone: `+49301100${index}` });
  }
  await kit.settle();
  onTestFinished(kit.close);
  return kit;
}

async function target(folder: string): Promise<Store> {
  const store = await Effect.runPromise(openStore({ place: await placeFor(join(folder, "to.db")), key }));
  onTestFinished(store.close);
  return store;
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "syncline-transfer-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

it("copies all rows or none: one that breaks off leaves an empty store, which can be filled", async () => {
  const folder = newFolder();
  const { store: from } = await filled(folder);
  const to = await target(folder);
  let pages = 0;
  const breakOff = (_: TablePage): void => {
    pages += 1;
    if (pages === 6) throw new Error("the cable was pulled");
  };
  await expect(Effect.runPromise(transfer(from, to, breakOff))).rejects.toThrow("the cable was pulled");
  expect(await to.database.db.$count(canonicals)).toBe(0);
  const given = await Effect.runPromise(transfer(from, to, () => {}));
  expect(given.find(({ table }) => table === "canonicals")?.rows).toBe(30);
  expect(await sumOf(to.pages())).toEqual(await sumOf(from.pages()));
  // A second one would mix two stores.
  await expect(Effect.runPromise(transfer(from, to, () => {}))).rejects.toThrow("is not empty");
});

it("numbers new rows behind those that were copied", async () => {
  const folder = newFolder();
  const { store: from } = await filled(folder);
  const to = await target(folder);
  await Effect.runPromise(transfer(from, to, () => {}));
  const before = await to.database.db.select().from(changes);
  const [one] = before;
  if (one === undefined) throw new Error("nothing was logged");
  await Effect.runPromise(to.database.write("logging", () => to.database.insert(changes, [one])));
  const after = await to.database.db.select().from(changes);
  expect(Math.max(...after.map(({ position }) => position))).toBe(
    Math.max(...before.map(({ position }) => position)) + 1,
  );
  expect(after).toHaveLength(before.length + 1);
});

it.skipIf(onPostgres)("keeps nothing where the new place holds other rows than it was given", async () => {
  const folder = newFolder();
  const { store: from } = await filled(folder);
  const to = await target(folder);
  sqliteClient(to).exec(
    "create trigger bad after insert on canonicals when new.name = 'Company 7' begin update canonicals set revision = revision + 1 where id = new.id; end",
  );
  await expect(Effect.runPromise(transfer(from, to, () => {}))).rejects.toThrow(
    "The table canonicals does not hold what was copied into it; nothing was kept.",
  );
  expect(await to.database.db.$count(canonicals)).toBe(0);
});
