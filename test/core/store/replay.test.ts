import { eq } from "drizzle-orm";
import { Effect } from "effect";
import { expect, it } from "vitest";
import { decideEdit, releaseHold } from "../../../core/model/edits.ts";
import { decideMerge, decideUnmerge } from "../../../core/model/merge-accounts.ts";
import type { ChangeRow } from "../../../core/model/world.ts";
import { renameConnection } from "../../../core/store/connection-names.ts";
import { replayLog } from "../../../core/store/replay.ts";
import { canonicals, changes } from "../../../core/store/tables.ts";
import { createKit, type Kit } from "../../kit/engine-kit.ts";

// Every kit proves its log when its test ends; what is asked here is that it sees what was changed behind the hub's back.

const replayed = (kit: Kit) => kit.run(replayLog({ store: kit.store, model: kit.engine.model }, () => {}));

async function filled(): Promise<{ readonly kit: Kit; readonly one: string; readonly other: string }> {
  const kit = await createKit({ systems: { a: {}, b: {} } });
  kit.toy("a").create("account", { Name: "Acme Tools", City: "Leeds", Domain: "acme.example" });
  kit.toy("b").create("account", { Name: "Birch Foods", Phone: "+4930123456", Domain: "birch.example" });
  await kit.settle();
  const ids = (await kit.accounts()).map(({ id }) => id);
  return { kit, one: ids[0] ?? "", other: ids[1] ?? "" };
}

const editOf = (canonicalId: string, value: string | null, base: string | null, hold: boolean) => ({
  canonicalId,
  field: "industry",
  value,
  base,
  hold,
});

it("folds merges, partings, holds and renamed connections to what the store holds", async () => {
  const { kit, one, other } = await filled();
  const { settings } = kit.engine;
  await kit.decide([one, other], (world, moment) => decideMerge(world, settings, one, other, moment));
  await kit.decide([one], (world, moment) => decideEdit(world, settings, editOf(one, "Retail", null, true), moment));
  await kit.decide([one], (world, moment) => {
    const canonical = world.canonical(one);
    return canonical === undefined ? undefined : releaseHold(world, canonical, "industry", moment);
  });
  const merged = (await kit.history(one)).find((row: ChangeRow) => row.kind === "merged");
  if (merged === undefined) throw new Error("no row of the merge");
  await kit.decide([one, other], (world, moment) => decideUnmerge(world, settings, merged, moment));
  const shelf = { store: kit.store, model: kit.engine.model };
  await kit.run(renameConnection(shelf, { from: "a", to: "crm", actor: "test", at: kit.clock.now() }));
  const { canonicals: count, changes: rows, different, orphans } = await replayed(kit);
  expect({ count, different, orphans }).toEqual({ count: 2, different: 0, orphans: [] });
  expect(rows).toBeGreaterThan(6);
  const provenance = await kit.store.database.db.select().from(canonicals).where(eq(canonicals.id, one));
  expect(JSON.stringify(provenance[0]?.provenance)).toContain("crm");
});

it.each([
  ["a value", { clear: { v: { name: "Forged Ltd" } } }, "name"],
  ["a source", { provenance: { "": ["b", 1, 2] } }, "source of name"],
  ["the state", { state: "dead" }, "state"],
  ["when it came", { createdAt: 1 }, "createdAt"],
] as const)("sees %s that was changed behind the hub's back", async (_what, change, named) => {
  const { kit, one } = await filled();
  const { database } = kit.store;
  const [before] = await database.db.select().from(canonicals).where(eq(canonicals.id, one));
  await kit.run(
    database.write("forging", async () => database.db.update(canonicals).set(change).where(eq(canonicals.id, one))),
  );
  const found = await replayed(kit);
  expect(found).toMatchObject({ different: 1, differences: [{ id: one, what: expect.arrayContaining([named]) }] });
  if (before !== undefined) {
    await kit.run(
      database.write("mending", async () => database.db.update(canonicals).set(before).where(eq(canonicals.id, one))),
    );
  }
});

it("sees an account that the log does not know, and one that only the log knows", async () => {
  const { kit, one, other } = await filled();
  const { database } = kit.store;
  const log = await database.db.select().from(changes);
  const [row] = await database.db.select().from(canonicals).where(eq(canonicals.id, other));
  await kit.run(
    database.write("forging", async () => {
      await database.db.delete(changes).where(eq(changes.canonicalId, one));
      await database.db.delete(canonicals).where(eq(canonicals.id, other));
    }),
  );
  expect(await replayed(kit)).toMatchObject({ different: 1, differences: [{ id: one, what: [] }], orphans: [other] });
  await Effect.runPromise(
    database.write("mending", async () => {
      await database.db.delete(changes);
      await database.insert(changes, log);
      if (row !== undefined) await database.insert(canonicals, [row]);
    }),
  );
});
