/** Reads and fills whole tables of PostgreSQL. */
import type { Pool, PoolClient } from "pg";
import { columnsOf, isAutoIncrement, tableName } from "../columns.ts";
import type { Bound } from "../database.ts";
import {
  checkSums,
  copiedTables,
  createSumming,
  isFilledAtOnce,
  notEmpty,
  pageRows,
  storedNames,
  sumOf,
  type TablePage,
  type TableSum,
} from "../table-pages.ts";
import { inSnapshot } from "./snapshot.ts";
import { copying } from "./statements.ts";

/** All rows of one moment. */
export const readTables = (pool: Pool): AsyncGenerator<TablePage> => inSnapshot(pool, pagesOf);

async function* pagesOf(client: PoolClient): AsyncGenerator<TablePage> {
  for (const table of copiedTables) {
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
}

/**
 * Puts rows into an empty store, all of them or none, and reads them again before they are kept.
 *
 * Errors  StoreFailed when the store is not empty, or holds other rows afterwards.
 */
export async function fillTables(pool: Pool, pages: AsyncIterable<TablePage>): Promise<ReadonlyArray<TableSum>> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query("begin");
    await empty(client);
    const summing = createSumming();
    for await (const page of pages) {
      summing.add(page);
      await insert(client, page);
    }
    await numberOn(client);
    const sums = summing.sums();
    checkSums(sums, await sumOf(pagesOf(client)));
    await client.query("commit");
    // The planner knows the tables as empty ones.
    await client.query("analyze");
    return sums;
  } catch (error) {
    await client.query("rollback").catch((lost: Error) => {
      broken = lost;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}

/** Nobody writes into the tables meanwhile. */
async function empty(client: PoolClient): Promise<void> {
  const names = copiedTables.map((table) => `"${tableName(table)}"`);
  await client.query(`lock table ${names.join()} in share row exclusive mode`);
  for (const table of copiedTables) {
    const name = `"${tableName(table)}"`;
    if (isFilledAtOnce(table)) await client.query(`delete from ${name}`);
    else if ((await client.query(`select 1 from ${name} limit 1`)).rows.length > 0) throw notEmpty(table);
  }
}

async function insert(client: PoolClient, { table, rows }: TablePage): Promise<void> {
  const values = storedNames(table).map((_, index) => rows.map((row) => row[index] ?? null));
  await client.query({ name: `copy ${tableName(table)}`, text: copying(table), values });
}

/** New rows are numbered behind those that were copied. */
async function numberOn(client: PoolClient): Promise<void> {
  for (const table of copiedTables) {
    const numbered = Object.values(columnsOf(table)).find(isAutoIncrement);
    if (numbered === undefined) continue;
    const [name, column] = [tableName(table), numbered.name];
    await client.query(
      `select setval(pg_get_serial_sequence('${name}', '${column}'), coalesce(max("${column}"), 0) + 1, false) from "${name}"`,
    );
  }
}
