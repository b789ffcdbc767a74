/** A throw-away copy of a store in SQLite, beside its file. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import type { Sealer } from "../../security/seal.ts";
import { type SqliteStore, sqliteStore } from "./open.ts";

/** Copies the store as it is now. Errors  SQLite's own, such as no room for a second store. */
export const copyStore = (store: SqliteStore): Promise<SqliteStore> =>
  throwawayStore({
    beside: store.file === ":memory:" ? tmpdir() : dirname(store.file),
    sealer: store.sealer,
    fill: async (file) => void (await backup(store.database.client, file)),
  });

/** A store in a new file, which `fill` brings its tables and rows into; closing it removes the file. */
export async function throwawayStore(parts: {
  readonly beside: string;
  readonly sealer: Sealer;
  readonly fill: (file: string) => Promise<void>;
}): Promise<SqliteStore> {
  const folder = mkdtempSync(join(parts.beside, ".plan-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const file = join(folder, "plan.db");
    await parts.fill(file);
    const client = new DatabaseSync(file);
    // Nobody needs the copy after a crash.
    client.exec("pragma journal_mode = memory; pragma synchronous = off; pragma temp_store = memory");
    return sqliteStore({ client, sealer: parts.sealer, file, throwaway: { onClose: remove } });
  } catch (error) {
    remove();
    throw error;
  }
}
