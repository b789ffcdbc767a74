/**
 * All rows of a store, as the engines hold them, for a copy of it: what is sealed stays sealed.
 */
import { createHash } from "node:crypto";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import { columnsOf, tableName } from "./columns.ts";
import type { Bound } from "./database.ts";
import { StoreFailed } from "./failure.ts";
import { storable } from "./storable.ts";
import { leases, meta, tables } from "./tables.ts";

export interface TablePage {
  readonly table: SQLiteTable;
  /** Values in the order of the table's columns; JSON as its text. */
  readonly rows: ReadonlyArray<ReadonlyArray<Bound>>;
}

/** What was counted of a table: equal sums hold the same rows, in whatever order. */
export interface TableSum {
  readonly table: string;
  readonly rows: number;
  readonly sum: string;
}

/** Rows of one page of a copy. */
export const pageRows = 1000;

/** Who works on a store is no part of it. */
export const copiedTables: ReadonlyArray<SQLiteTable> = Object.values(tables).filter((table) => table !== leases);

/** Tables that have rows before anything was kept: the check of the key. */
export const isFilledAtOnce = (table: SQLiteTable): boolean => table === meta;

/** The names that columns have in the database. */
export const storedNames = (table: SQLiteTable): ReadonlyArray<string> =>
  Object.values(columnsOf(table)).map((column) => column.name);

export interface Summing {
  readonly add: (page: TablePage) => void;
  /** One a table, in the order of the tables. */
  readonly sums: () => ReadonlyArray<TableSum>;
}

export function createSumming(): Summing {
  const counted = new Map(copiedTables.map((table) => [table, { rows: 0, sum: 0n }]));
  return {
    add: ({ table, rows }) => {
      const one = counted.get(table);
      if (one === undefined) return;
      one.rows += rows.length;
      for (const row of rows) one.sum = BigInt.asUintN(128, one.sum + numberOf(row));
    },
    sums: () =>
      [...counted].map(([table, { rows, sum }]) => ({
        table: tableName(table),
        rows,
        sum: sum.toString(16).padStart(32, "0"),
      })),
  };
}

/** The sums of all pages. */
export async function sumOf(pages: AsyncIterable<TablePage>): Promise<ReadonlyArray<TableSum>> {
  const summing = createSumming();
  for await (const page of pages) summing.add(page);
  return summing.sums();
}

/** Errors  StoreFailed where a table holds other rows than it was given. */
export function checkSums(given: ReadonlyArray<TableSum>, kept: ReadonlyArray<TableSum>): void {
  const wrong = given.find((one, index) => one.rows !== kept[index]?.rows || one.sum !== kept[index]?.sum);
  if (wrong === undefined) return;
  throw new StoreFailed(
    `The table ${wrong.table} does not hold what was copied into it; nothing was kept.`,
    "Run again; if it happens again, look at the disks of both stores.",
    undefined,
  );
}

export function notEmpty(table: SQLiteTable): StoreFailed {
  return new StoreFailed(
    `The store to copy into is not empty: its table ${tableName(table)} holds rows.`,
    "Name a new file or an empty database; a copy never mixes two stores.",
    undefined,
  );
}

/** A row as a number that hardly another row has. */
function numberOf(row: ReadonlyArray<Bound>): bigint {
  const text = JSON.stringify(
    row.map((value) => (value instanceof Uint8Array ? [Buffer.from(value).toString("base64")] : value)),
  );
  return BigInt(`0x${createHash("sha256").update(text).digest("hex").slice(0, 32)}`);
}

/** Both engines can hold the text. */
export const storableRow = (row: ReadonlyArray<Bound>): ReadonlyArray<Bound> =>
  row.map((value) => (typeof value === "string" ? storable(value) : value));
