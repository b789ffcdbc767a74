/** The connection under a store in SQLite, for tests of what only SQLite does. */
import type { DatabaseSync } from "node:sqlite";
import type { Store } from "../../core/store/open.ts";
import { SqliteDatabase } from "../../core/store/sqlite/database.ts";

export function sqliteClient({ database }: Store): DatabaseSync {
  if (!(database instanceof SqliteDatabase)) throw new Error("this store is not in SQLite");
  return database.client;
}
