/** What the bulk statements of both engines need to know of a table's columns. */
import { type Column, getColumns, getTableName, is, Placeholder } from "drizzle-orm";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";

export const tableName = (table: SQLiteTable): string => getTableName(table);

/** The columns of a table by the names that rows have them under. */
export const columnsOf = (table: SQLiteTable): Record<string, Column> => getColumns(table) as Record<string, Column>;

export function columnOf(columns: Readonly<Record<string, Column>>, name: string): Column {
  const column = columns[name];
  if (column === undefined) throw new Error(`there is no column ${name}`);
  return column;
}

/** The columns that an insert names: the database numbers the others itself. */
export const insertedNames = (table: SQLiteTable): ReadonlyArray<string> =>
  Object.entries(columnsOf(table))
    .filter(([, column]) => !isAutoIncrement(column))
    .map(([name]) => name);

export const isAutoIncrement = (column: Column & { readonly autoIncrement?: boolean }): boolean =>
  column.autoIncrement === true;

export const isJson = (column: Column): boolean =>
  column.columnType === "SQLiteCustomColumn" && column.getSQLType() === "text";

/** The names of a statement's placeholders, in the order of its parameters. */
export const placeholderNames = (params: ReadonlyArray<unknown>): ReadonlyArray<string> =>
  // drizzle keeps the name protected, and offers no other way to learn it.
  params.map((param) => (is(param, Placeholder) ? String((param as unknown as { readonly name: string }).name) : ""));

/** Makes rows of a table from what a driver gives by column name. */
export function rowReader(
  columns: Readonly<Record<string, Column>>,
): (row: Readonly<Record<string, unknown>>) => unknown {
  const fields = Object.entries(columns).map(([name, column]) => ({ name, from: column.name, json: isJson(column) }));
  return (row) => {
    const result: Record<string, unknown> = {};
    for (const { name, from, json } of fields) {
      const value = row[from];
      result[name] = json && typeof value === "string" ? JSON.parse(value) : value;
    }
    return result;
  };
}
