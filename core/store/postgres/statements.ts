/**
 * Bulk statements of PostgreSQL: one a table and page, whatever the number of rows, which come as one array a column.
 */
import { type Column, type SQL, sql } from "drizzle-orm";
import { getTableConfig, SQLiteDialect, type SQLiteTable } from "drizzle-orm/sqlite-core";
import { columnOf, columnsOf, insertedNames, isAutoIncrement, isJson, tableName } from "../columns.ts";
import type { Bound, InsertMode } from "../database.ts";
import { storable } from "../storable.ts";

type AnyRow = Readonly<Record<string, unknown>>;

/** What one statement takes: its text, and what it binds for these rows. */
export interface Bulk {
  readonly text: string;
  readonly values: (rows: ReadonlyArray<AnyRow>) => Array<Array<Bound>>;
}

/** drizzle's builder for SQLite, with the marks that PostgreSQL has for parameters. */
export class PostgresMarks extends SQLiteDialect {
  override escapeParam(index: number): string {
    return `$${index + 1}`;
  }

  /** The columns of a conflict are named without their table, which PostgreSQL does not take there. */
  override sqlToQuery(query: SQL, source?: "indexes"): ReturnType<SQLiteDialect["sqlToQuery"]> {
    const made = super.sqlToQuery(query, source);
    const bare = (target: string): string => target.replaceAll(/"\w+"\.("\w+")/g, "$1");
    return { ...made, sql: made.sql.replace(/ on conflict \([^)]+\)/, bare) };
  }
}

const dialect = new PostgresMarks();
export const textOf = (query: SQL): { readonly sql: string; readonly params: ReadonlyArray<unknown> } =>
  dialect.sqlToQuery(query);

/** `returning`: the columns that tell which rows went in. */
export function insertion(table: SQLiteTable, mode: InsertMode, returning: ReadonlyArray<string> = []): Bulk {
  const columns = columnsOf(table);
  const names = insertedNames(table);
  const target = listed(names.map((name) => nameOf(columns, name)));
  const answer =
    returning.length === 0 ? sql`` : sql` returning ${listed(returning.map((name) => nameOf(columns, name)))}`;
  // The rows of unnest come in order, and nothing sorts them: so they are numbered in order too.
  const text = sql`insert into ${table} (${target}) select * from ${unnest(columns, names)}${onConflict(table, mode, names)}${answer}`;
  return bulk(text, columns, names);
}

/** All columns, also those that the database numbers itself otherwise; for values as they are stored. */
export function copying(table: SQLiteTable): string {
  const columns = columnsOf(table);
  const names = Object.keys(columns);
  const target = listed(names.map((name) => nameOf(columns, name)));
  return textOf(sql`insert into ${table} (${target}) select * from ${unnest(columns, names)}`).sql;
}

export function updating(table: SQLiteTable, keys: ReadonlyArray<string>, names: ReadonlyArray<string>): Bulk {
  const columns = columnsOf(table);
  const all = [...names, ...keys];
  const sets = listed(names.map((name) => sql`${nameOf(columns, name)} = given.${nameOf(columns, name)}`));
  const given = sql`${unnest(columns, all)} as given (${listed(all.map((name) => nameOf(columns, name)))})`;
  return bulk(sql`update ${table} as kept set ${sets} from ${given} where ${matching(columns, keys)}`, columns, all);
}

export function removing(table: SQLiteTable, keys: ReadonlyArray<string>): Bulk {
  const columns = columnsOf(table);
  const given = sql`${unnest(columns, keys)} as given (${listed(keys.map((name) => nameOf(columns, name)))})`;
  return bulk(sql`delete from ${table} as kept using ${given} where ${matching(columns, keys)}`, columns, keys);
}

/** The columns of the primary key, or of the first unique index where the database makes the key itself. */
export function identityOf(table: SQLiteTable): ReadonlyArray<string> {
  const { primaryKeys, indexes } = getTableConfig(table);
  const columns = columnsOf(table);
  const nameIn = (column: { readonly name: string }): string =>
    Object.keys(columns).find((name) => columns[name]?.name === column.name) ?? column.name;
  const composite = primaryKeys[0]?.columns;
  if (composite !== undefined) return composite.map(nameIn);
  const single = Object.entries(columns).find(([, column]) => column.primary && !isAutoIncrement(column));
  if (single !== undefined) return [single[0]];
  const unique = indexes.find((index) => index.config.unique)?.config.columns ?? [];
  // An index over an expression has no name to match by; no table has one.
  return unique.flatMap((column) => ("name" in column ? [nameIn({ name: String(column.name) })] : []));
}

/** A key of several rows: the last one is what SQLite would leave, and PostgreSQL takes a key once a statement. */
export function lastOfEach<R extends AnyRow>(rows: ReadonlyArray<R>, keys: ReadonlyArray<string>): ReadonlyArray<R> {
  if (rows.length < 2) return rows;
  const last = new Map<string, R>();
  for (const row of rows) last.set(keyText(row, keys), row);
  return last.size === rows.length ? rows : [...last.values()];
}

export const keyText = (row: AnyRow, keys: ReadonlyArray<string>): string =>
  JSON.stringify(keys.map((name) => row[name] ?? null));

function onConflict(table: SQLiteTable, mode: InsertMode, names: ReadonlyArray<string>): SQL {
  if (mode === "insert") return sql``;
  if (mode === "ignore") return sql` on conflict do nothing`;
  const columns = columnsOf(table);
  const keys = identityOf(table);
  const rest = names.filter((name) => !keys.includes(name));
  const target = listed(keys.map((name) => nameOf(columns, name)));
  if (rest.length === 0) return sql` on conflict do nothing`;
  const sets = listed(rest.map((name) => sql`${nameOf(columns, name)} = excluded.${nameOf(columns, name)}`));
  return sql` on conflict (${target}) do update set ${sets}`;
}

function bulk(text: SQL, columns: Readonly<Record<string, Column>>, names: ReadonlyArray<string>): Bulk {
  const encoders = names.map((name) => encoder(columnOf(columns, name)));
  return {
    text: textOf(text).sql,
    values: (rows) => names.map((name, index) => rows.map((row) => encoders[index]?.(row[name]) ?? null)),
  };
}

const unnest = (columns: Readonly<Record<string, Column>>, names: ReadonlyArray<string>): SQL =>
  sql`unnest(${listed(names.map((name, index) => sql.raw(`$${index + 1}::${arrayTypeOf(columnOf(columns, name))}`)))})`;

/** The names are parts of the statement, and its parameters are the arrays in the same order. */
const matching = (columns: Readonly<Record<string, Column>>, keys: ReadonlyArray<string>): SQL =>
  sql.join(
    keys.map((name) => sql`kept.${nameOf(columns, name)} = given.${nameOf(columns, name)}`),
    sql` and `,
  );

const nameOf = (columns: Readonly<Record<string, Column>>, name: string): SQL =>
  sql`${sql.identifier(columnOf(columns, name).name)}`;

const listed = (parts: ReadonlyArray<SQL>): SQL => sql.join([...parts], sql`, `);

const arrayTypes: Readonly<Record<string, string>> = { text: "text[]", integer: "bigint[]", blob: "bytea[]" };

export function arrayTypeOf(column: Column): string {
  const type = arrayTypes[column.getSQLType()];
  if (type === undefined) throw new Error(`the column ${column.name} has a type without a counterpart in PostgreSQL`);
  return type;
}

/** Names a statement of a table, so that it is made and prepared once. */
export const bulkName = (verb: string, table: SQLiteTable, ...names: ReadonlyArray<ReadonlyArray<string>>): string =>
  [verb, tableName(table), ...names.map((list) => list.join())].join(" ");

function encoder(column: Column): (value: unknown) => Bound {
  if (isJson(column)) return (value) => (value === null || value === undefined ? null : JSON.stringify(value));
  if (column.getSQLType() === "text") return (value) => (typeof value === "string" ? storable(value) : null);
  // The other clear columns are integers and bytes.
  return (value) => (value === undefined ? null : (value as Bound));
}
