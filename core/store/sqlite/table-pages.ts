/** Reads and fills whole tables of SQLite. */
import type { DatabaseSync } from "node:sqlite";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import { tableName } from "../columns.ts";
import type { Bound } from "../database.ts";
import { allTables, pageRows, storedNames, type TablePage } from "../table-pages.ts";

/** All rows of one moment, if the connection has begun a transaction. */
export async function* readTables(client: DatabaseSync): AsyncGenerator<TablePage> {
  for (const table of allTables) {
    const statement = client.prepare(`select ${listOf(table)} from ${quoted(tableName(table))}`);
    statement.setReturnArrays(true);
    let rows: Array<ReadonlyArray<Bound>> = [];
    for (const row of statement.iterate()) {
      // Arrays were asked for, of what the driver gives.
      rows.push(row as unknown as ReadonlyArray<Bound>);
      if (rows.length < pageRows) continue;
      yield { table, rows };
      rows = [];
    }
    if (rows.length > 0) yield { table, rows };
  }
}

/** Puts rows into tables that hold none of their keys; all of them or none. */
export async function fillTables(client: DatabaseSync, pages: AsyncIterable<TablePage>): Promise<void> {
  client.exec("begin immediate");
  try {
    for await (const { table, rows } of pages) {
      const marks = storedNames(table).map(() => "?");
      const statement = client.prepare(
        `insert or replace into ${quoted(tableName(table))} (${listOf(table)}) values (${marks.join()})`,
      );
      for (const row of rows) statement.run(...row);
    }
    client.exec("commit");
  } catch (error) {
    if (client.isTransaction) client.exec("rollback");
    throw error;
  }
}

const quoted = (name: string): string => `"${name}"`;
const listOf = (table: SQLiteTable): string => storedNames(table).map(quoted).join();
