/** Reads whole tables of PostgreSQL. */
import type { Pool } from "pg";
import { tableName } from "../columns.ts";
import type { Bound } from "../database.ts";
import { allTables, pageRows, storedNames, type TablePage } from "../table-pages.ts";
import { inSnapshot } from "./snapshot.ts";

/** All rows of one moment. */
export const readTables = (pool: Pool): AsyncGenerator<TablePage> =>
  inSnapshot(pool, async function* (client) {
    for (const table of allTables) {
      const names = storedNames(table).map((name) => `"${name}"`);
      await client.query(`declare rows no scroll cursor for select ${names.join()} from "${tableName(table)}"`);
      for (;;) {
        const { rows } = await client.query<Array<unknown>>({ text: `fetch ${pageRows} from rows`, rowMode: "array" });
        // Texts, numbers and bytes are all that the columns hold.
        if (rows.length > 0) yield { table, rows: rows as ReadonlyArray<ReadonlyArray<Bound>> };
        if (rows.length < pageRows) break;
      }
      await client.query("close rows");
    }
  });
