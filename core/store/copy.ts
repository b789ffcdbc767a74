/** A throw-away copy of a store: for plans, which must not touch the real one. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { drizzle } from "drizzle-orm/node-sqlite";
import { Effect } from "effect";
import { Database } from "./database.ts";
import { storeFailedOf } from "./failure.ts";
import type { Store } from "./open.ts";

/**
 * Copies the store as it is now, under the same key, beside its file. Closing the copy removes it.
 *
 * Errors  StoreFailed when there is no room for a second store.
 */
export const copyStore = Effect.fn("store.copy")(function* (store: Store) {
  return yield* Effect.tryPromise({
    try: () => copied(store),
    catch: (error) => storeFailedOf("copying the store for the plan", error),
  });
});

async function copied(store: Store): Promise<Store> {
  const beside = store.file === ":memory:" ? tmpdir() : dirname(store.file);
  const folder = mkdtempSync(join(beside, ".plan-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const file = join(folder, "plan.db");
    await backup(store.database.client, file);
    const client = new DatabaseSync(file);
    // Nobody needs the copy after a crash.
    client.exec("pragma journal_mode = memory; pragma synchronous = off; pragma temp_store = memory");
    return {
      database: new Database(drizzle({ client }), client, { throwaway: true }),
      sealer: store.sealer,
      file,
      close: () => {
        client.close();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}
