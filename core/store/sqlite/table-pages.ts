/** Reads and fills whole tables of SQLite. */
import type { DatabaseSync } from "node:sqlite";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import { tableName } from "../columns.ts";
import type { Bound } from "../database.ts";
import {
  checkSums,
  copiedTables,
  createSumming,
  isFilledAtOnce,
  notEmpty,
  pageRows,
  storableRow,
  storedNames,
  sumOf,
  type TablePage,
  type TableSum,
} from "../table-pages.ts";

/** All rows of one moment, if the connection has begun a transaction. */
export async function* readTables(client: DatabaseSync): AsyncGenerator<TablePage> {
  for (const table of copiedTables) {
    const statement = client.prepare(`select ${listOf(table)} from ${quoted(tableName(table))}`);
    statement.setReturnArrays(true);
    let rows: Array<ReadonlyArray<Bound>> = [];
    for (const row of statement.iterate()) {
      // Arrays were asked for, of what the driver gives.
      rows.push(storableRow(row as unknown as ReadonlyArray<Bound>));
      if (rows.length < pageRows) continue;
      yield { table, rows };
      rows = [];
    }
    if (rows.length > 0) yield { table, rows };
  }
}

/**
 * Puts rows into an empty store, all of them or none, and reads them again before they are kept.
 *
 * Errors  StoreFailed when the store is not empty, or holds other rows afterwards.
 */
export async function fillTables(
  client: DatabaseSync,
  pages: AsyncIterable<TablePage>,
): Promise<ReadonlyArray<TableSum>> {
  client.exec("begin immediate");
  try {
    empty(client);
    const summing = createSumming();
    for await (const page of pages) {
      summing.add(page);
      insert(client, page);
    }
    const sums = summing.sums();
    checkSums(sums, await sumOf(readTables(client)));
    client.exec("commit");
    return sums;
  } catch (error) {
    if (client.isTransaction) client.exec("rollback");
    throw error;
  }
}

function empty(client: DatabaseSync): void {
  for (const table of copiedTables) {
    const name = quoted(tableName(table));
    if (isFilledAtOnce(table)) client.exec(`delete from ${name}`);
    else if (client.prepare(`select 1 from ${name} limit 1`).get() !== undefined) throw notEmpty(table);
  }
}

function insert(client: DatabaseSync, { table, rows }: TablePage): void {
  const marks = storedNames(table).map(() => "?");
  const statement = client.prepare(
    `insert into ${quoted(tableName(table))} (${listOf(table)}) values (${marks.join()})`,
  );
  for (const row of rows) statement.run(...row);
}

const quoted = (name: string): string => `"${name}"`;
const listOf = (table: SQLiteTable): string => storedNames(table).map(quoted).join();
