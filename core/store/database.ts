/**
 * One open store: transactions one at a time, bulk statements prepared once.
 *
 * Statements are built by drizzle from the tables and prepared on the driver; a page costs a few statements, whatever
 * its size. A transaction's body awaits nothing but the database and may run twice.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import {
  and,
  type Column,
  getColumns,
  getTableName,
  type InferInsertModel,
  type InferSelectModel,
  is,
  Placeholder,
  type SQL,
  sql,
} from "drizzle-orm";
import type { NodeSQLiteDatabase } from "drizzle-orm/node-sqlite";
import { SQLiteDialect, type SQLiteTable } from "drizzle-orm/sqlite-core";
import { Effect, Semaphore } from "effect";
import { type StoreFailed, storeFailedOf } from "./failure.ts";

export type Row<T extends SQLiteTable> = InferSelectModel<T>;
export type NewRow<T extends SQLiteTable> = InferInsertModel<T>;

interface Prepared {
  readonly sql: string;
  readonly order: ReadonlyArray<string>;
  readonly statement: StatementSync;
  readonly bind: (row: Readonly<Record<string, unknown>>) => Array<SQLInputValue>;
}

interface Select {
  readonly statement: StatementSync;
  readonly order: ReadonlyArray<string>;
  readonly read: (row: Record<string, unknown>) => unknown;
}

/** A further condition of a select: its name keys the prepared statement, its values are placeholders. */
export interface Where {
  readonly name: string;
  readonly condition: SQL;
  readonly params: Readonly<Record<string, SQLInputValue>>;
}

export class Database {
  readonly db: NodeSQLiteDatabase;
  readonly client: DatabaseSync;
  readonly #dialect = new SQLiteDialect();
  readonly #gate = Semaphore.makeUnsafe(1);
  #advance: StatementSync | undefined;
  readonly #throwaway: boolean;
  /** As the store is opened. */
  #kept: "now" | "soon" = "now";
  readonly #prepared = new Map<string, Prepared>();
  readonly #selects = new Map<string, Select>();

  /** `throwaway`: nobody needs it after a crash, so no transaction waits for the disk. */
  constructor(db: NodeSQLiteDatabase, client: DatabaseSync, { throwaway = false } = {}) {
    this.db = db;
    this.client = client;
    this.#throwaway = throwaway;
  }

  /**
   * Runs the body in one immediate transaction; others wait. A failed body leaves nothing behind.
   *
   * `kept: "soon"` does not wait for the disk: a death of the process loses nothing, a loss of power may take the last
   * of these transactions back as a whole. It is for what would then be read again, cursor and all; never for what was
   * promised to somebody, or is about to be sent.
   */
  write<A>(what: string, body: () => Promise<A>, kept: "now" | "soon" = "now"): Effect.Effect<A, StoreFailed> {
    return this.#gate.withPermits(1)(
      Effect.uninterruptible(
        Effect.tryPromise({
          try: async () => {
            this.#keep(kept);
            this.client.exec("begin immediate");
            try {
              const result = await body();
              this.client.exec("commit");
              return result;
            } catch (error) {
              if (this.client.isTransaction) this.client.exec("rollback");
              throw error;
            }
          },
          catch: (error) => storeFailedOf(what, error),
        }),
      ),
    );
  }

  #keep(kept: "now" | "soon"): void {
    if (this.#throwaway || this.#kept === kept) return;
    this.client.exec(`pragma synchronous = ${kept === "now" ? "full" : "normal"}`);
    this.#kept = kept;
  }

  /** Reads outside a transaction of its own. */
  read<A>(what: string, body: () => Promise<A>): Effect.Effect<A, StoreFailed> {
    return this.#gate.withPermits(1)(
      Effect.uninterruptible(Effect.tryPromise({ try: body, catch: (error) => storeFailedOf(what, error) })),
    );
  }

  /** A number that changes when another process has committed something. */
  foreignCommits(): Effect.Effect<number, StoreFailed> {
    return this.read("looking for news of other processes", async () =>
      Number(this.client.prepare("pragma data_version").get()?.data_version ?? 0),
    );
  }

  /** Inserts rows; `replace` overwrites the row with the same primary key, `ignore` keeps it. */
  async insert<T extends SQLiteTable>(
    table: T,
    rows: ReadonlyArray<NewRow<T>>,
    mode: "insert" | "ignore" | "replace" = "insert",
  ): Promise<void> {
    if (rows.length === 0) return;
    const { statement, bind } = this.#insertion(table, mode);
    // A row of a table is a record of its columns; the generic type hides that.
    for (const row of rows as ReadonlyArray<Readonly<Record<string, unknown>>>) statement.run(...bind(row));
  }

  /** Inserts rows that break no unique index; one answer per row, in order: whether it went in. */
  async insertNew<T extends SQLiteTable>(table: T, rows: ReadonlyArray<NewRow<T>>): Promise<ReadonlyArray<boolean>> {
    if (rows.length === 0) return [];
    const { statement, bind } = this.#insertion(table, "ignore");
    return (rows as ReadonlyArray<Readonly<Record<string, unknown>>>).map(
      (row) => Number(statement.run(...bind(row)).changes) > 0,
    );
  }

  /** The text of an insert and the order of its values, for a thread that writes by itself. */
  insertion(table: SQLiteTable, mode: "insert" | "ignore" | "replace"): Pick<Prepared, "sql" | "order"> {
    return this.#insertion(table, mode);
  }

  /** Updates the named columns of rows found by their key columns. Returns how many rows changed. */
  async update<T extends SQLiteTable>(
    table: T,
    keys: ReadonlyArray<keyof NewRow<T> & string>,
    columns: ReadonlyArray<keyof NewRow<T> & string>,
    rows: ReadonlyArray<Partial<NewRow<T>>>,
  ): Promise<number> {
    if (rows.length === 0) return 0;
    const { statement, bind } = this.#updating(table, keys, columns);
    let changed = 0;
    for (const row of rows as ReadonlyArray<Readonly<Record<string, unknown>>>)
      changed += Number(statement.run(...bind(row)).changes);
    return changed;
  }

  /** Deletes rows by their key columns. */
  async remove<T extends SQLiteTable>(
    table: T,
    keys: ReadonlyArray<keyof NewRow<T> & string>,
    rows: ReadonlyArray<Partial<NewRow<T>>>,
  ): Promise<void> {
    if (rows.length === 0) return;
    const { statement, bind } = this.#removing(table, keys);
    for (const row of rows as ReadonlyArray<Readonly<Record<string, unknown>>>) statement.run(...bind(row));
  }

  /** Rows whose column is one of the values; one statement, whatever the number of values. */
  async selectIn<T extends SQLiteTable>(
    table: T,
    column: keyof NewRow<T> & string,
    values: ReadonlyArray<string | number>,
    where?: Where,
  ): Promise<Array<Row<T>>> {
    if (values.length === 0) return [];
    const { statement, order, read } = this.#selecting(table, column, where);
    const parameters: Readonly<Record<string, SQLInputValue>> = { ...where?.params, values: JSON.stringify(values) };
    const bound = order.map((name) => parameters[name] ?? null);
    // The reader gives a row of this table: its columns are the ones that were selected.
    return statement.all(...bound).map(read) as Array<Row<T>>;
  }

  #selecting(table: SQLiteTable, column: string, where: Where | undefined): Select {
    const key = `${tableName(table)} ${column} ${where?.name ?? ""}`;
    const found = this.#selects.get(key);
    if (found !== undefined) return found;
    const columns = getColumns(table) as Record<string, Column>;
    const list = sql`${columnOf(columns, column)} in (select value from json_each(${sql.placeholder("values")}))`;
    const query = this.db
      .select()
      .from(table)
      .where(where === undefined ? list : and(where.condition, list))
      .toSQL();
    const select: Select = {
      statement: this.client.prepare(query.sql),
      order: query.params.map((parameter) => (is(parameter, Placeholder) ? placeholderName(parameter) : "")),
      read: reader(columns),
    };
    this.#selects.set(key, select);
    return select;
  }

  /** Moves the evidence of many links at once: an equal read was made. */
  advanceReads(ids: ReadonlyArray<number>, began: number, ended: number): void {
    this.#advance ??= this.client.prepare(
      "update links set read_began = max(read_began, ?), read_ended = max(read_ended, ?) where id in (select value from json_each(?))",
    );
    this.#advance.run(began, ended, JSON.stringify(ids));
  }

  #insertion(table: SQLiteTable, mode: "insert" | "ignore" | "replace"): Prepared {
    return this.#cached(`${mode} ${tableName(table)}`, () => {
      const columns = getColumns(table) as Record<string, Column>;
      const names = Object.keys(columns).filter((name) => !isAutoIncrement(table, name));
      const verb = mode === "insert" ? sql`insert` : mode === "ignore" ? sql`insert or ignore` : sql`insert or replace`;
      const target = sql.join(
        names.map((name) => sql.identifier(columnOf(columns, name).name)),
        sql`, `,
      );
      const marks = sql.join(
        names.map((name) => sql`${sql.placeholder(name)}`),
        sql`, `,
      );
      return { statement: sql`${verb} into ${table} (${target}) values (${marks})`, names, columns };
    });
  }

  #updating(table: SQLiteTable, keys: ReadonlyArray<string>, names: ReadonlyArray<string>): Prepared {
    return this.#cached(`update ${tableName(table)} ${keys.join()} ${names.join()}`, () => {
      const columns = getColumns(table) as Record<string, Column>;
      const sets = sql.join(
        names.map((name) => sql`${sql.identifier(columnOf(columns, name).name)} = ${sql.placeholder(name)}`),
        sql`, `,
      );
      return {
        statement: sql`update ${table} set ${sets} where ${matching(columns, keys)}`,
        names: [...names, ...keys],
        columns,
      };
    });
  }

  #removing(table: SQLiteTable, keys: ReadonlyArray<string>): Prepared {
    return this.#cached(`remove ${tableName(table)} ${keys.join()}`, () => {
      const columns = getColumns(table) as Record<string, Column>;
      return { statement: sql`delete from ${table} where ${matching(columns, keys)}`, names: [...keys], columns };
    });
  }

  #cached(
    key: string,
    build: () => {
      readonly statement: SQL;
      readonly names: ReadonlyArray<string>;
      readonly columns: Record<string, Column>;
    },
  ): Prepared {
    const found = this.#prepared.get(key);
    if (found !== undefined) return found;
    const { statement, columns } = build();
    const query = this.#dialect.sqlToQuery(statement);
    const order = query.params.map((parameter) => (is(parameter, Placeholder) ? placeholderName(parameter) : ""));
    const encoders = order.map((name) => encoder(columnOf(columns, name)));
    const prepared: Prepared = {
      sql: query.sql,
      order,
      statement: this.client.prepare(query.sql),
      bind: (row) => order.map((name, index) => encoders[index]?.(row[name]) ?? null),
    };
    this.#prepared.set(key, prepared);
    return prepared;
  }
}

function matching(columns: Record<string, Column>, keys: ReadonlyArray<string>): SQL {
  return sql.join(
    keys.map((name) => sql`${sql.identifier(columnOf(columns, name).name)} = ${sql.placeholder(name)}`),
    sql` and `,
  );
}

function columnOf(columns: Record<string, Column>, name: string): Column {
  const column = columns[name];
  if (column === undefined) throw new Error(`there is no column ${name}`);
  return column;
}

const tableName = (table: SQLiteTable): string => getTableName(table);

// drizzle keeps the name protected, and offers no other way to learn it.
const placeholderName = (placeholder: unknown): string => String((placeholder as { readonly name: string }).name);

function isAutoIncrement(table: SQLiteTable, name: string): boolean {
  const column = (getColumns(table) as Record<string, Column & { readonly autoIncrement?: boolean }>)[name];
  return column?.autoIncrement === true;
}

const isJson = (column: Column): boolean =>
  column.columnType === "SQLiteCustomColumn" && column.getSQLType() === "text";

/** What the driver takes: drizzle's own mapping, with the two common cases cut short. */
function encoder(column: Column): (value: unknown) => SQLInputValue {
  if (isJson(column)) return (value) => (value === null || value === undefined ? null : JSON.stringify(value));
  // Clear columns of the tables are text, integers and bytes only, which the driver takes as they are.
  return (value) => (value === undefined ? null : (value as SQLInputValue));
}

function reader(columns: Record<string, Column>): (row: Record<string, unknown>) => unknown {
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
