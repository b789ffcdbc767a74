/**
 * All rows of a store, as the engines hold them, for a copy of it: what is sealed stays sealed.
 */
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import { columnsOf } from "./columns.ts";
import type { Bound } from "./database.ts";
import { tables } from "./tables.ts";

export interface TablePage {
  readonly table: SQLiteTable;
  /** Values in the order of the table's columns; JSON as its text. */
  readonly rows: ReadonlyArray<ReadonlyArray<Bound>>;
}

/** Rows of one page of a copy. */
export const pageRows = 1000;

export const allTables: ReadonlyArray<SQLiteTable> = Object.values(tables);

/** The names that columns have in the database. */
export const storedNames = (table: SQLiteTable): ReadonlyArray<string> =>
  Object.values(columnsOf(table)).map((column) => column.name);
