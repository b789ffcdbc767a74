/**
 * A throw-away copy of a store in PostgreSQL, for plans: in SQLite, in a folder of this machine. The tables and the
 * queries are the same, and the server need not lend room or rights for a second schema.
 */
import { DatabaseSync } from "node:sqlite";
import { throwawayStore } from "../sqlite/copy.ts";
import { migrate, type SqliteStore } from "../sqlite/open.ts";
import { fillTables } from "../sqlite/table-pages.ts";
import type { PostgresStore } from "./open.ts";
import { readTables } from "./table-pages.ts";

export const copyToSqlite = (store: PostgresStore, folder: string): Promise<SqliteStore> =>
  throwawayStore({
    beside: folder,
    sealer: store.sealer,
    fill: async (file) => {
      const client = new DatabaseSync(file);
      try {
        client.exec("pragma journal_mode = memory; pragma synchronous = off");
        migrate(client);
        await fillTables(client, readTables(store.database.pool));
      } finally {
        client.close();
      }
    },
  });
