/**
 * SQLite behind the store: transactions one at a time, bulk statements prepared once.
 *
 * Statements are built by drizzle from the tables and prepared on the driver; a page costs a few statements, whatever
 * its size.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { and, type Column, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-sqlite";
import { SQLiteDialect, type SQLiteTable } from "drizzle-orm/sqlite-core";
import { Effect, Semaphore } from "effect";
import { columnOf, columnsOf, insertedNames, isJson, placeholderNames, rowReader, tableName } from "../columns.ts";
import type { Bound, Database, InsertMode, NewRow, Queries, Row, Where } from "../database.ts";
import { everyReal } from "../every.ts";
import { type StoreFailed, storeFailedOf } from "../failure.ts";
import { fenced } from "../fence.ts";
import { sqliteWords } from "./words.ts";

/** How often it is looked whether another process has committed something. */
const newsMs = 250;

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

export class SqliteDatabase implements Database {
  readonly db: Queries;
  readonly words = sqliteWords;
  readonly processes = "one";
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
  constructor(client: DatabaseSync, { throwaway = false } = {}) {
    // This driver answers at once, and awaiting an answer that is there gives it: whoever awaits sees no difference.
    this.db = drizzle({ client }) as unknown as Queries;
    this.client = client;
    this.#throwaway = throwaway;
  }

  /** One immediate transaction; others wait. */
  write<A>(what: string, body: () => Promise<A>, kept: "now" | "soon" = "now"): Effect.Effect<A, StoreFailed> {
    return Effect.flatMap(fenced(body), (whole) => this.#transaction(what, whole, kept));
  }

  /** There is one session, so it waits like any other. */
  append<A>(what: string, body: () => Promise<A>): Effect.Effect<A, StoreFailed> {
    return this.#transaction(what, body, "now");
  }

  #transaction<A>(what: string, body: () => Promise<A>, kept: "now" | "soon"): Effect.Effect<A, StoreFailed> {
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

  read<A>(what: string, body: () => Promise<A>): Effect.Effect<A, StoreFailed> {
    return this.#gate.withPermits(1)(
      Effect.uninterruptible(Effect.tryPromise({ try: body, catch: (error) => storeFailedOf(what, error) })),
    );
  }

  onNews(listener: () => void, every = everyReal): () => Promise<void> {
    const look = this.client.prepare("pragma data_version");
    const version = (): unknown => look.get()?.data_version;
    let known = version();
    const still = every(newsMs, () => {
      // A transaction of ours sees no other's commit before its end.
      if (!this.client.isOpen || this.client.isTransaction) return;
      try {
        const found = version();
        if (found === known) return;
        known = found;
      } catch {
        // A store that fails shows it to whoever looks.
      }
      listener();
    });
    return async () => still();
  }

  async insert<T extends SQLiteTable>(
    table: T,
    rows: ReadonlyArray<NewRow<T>>,
    mode: InsertMode = "insert",
  ): Promise<void> {
    if (rows.length === 0) return;
    const { statement, bind } = this.#insertion(table, mode);
    // A row of a table is a record of its columns; the generic type hides that.
    for (const row of rows as ReadonlyArray<Readonly<Record<string, unknown>>>) statement.run(...bind(row));
  }

  async insertNew<T extends SQLiteTable>(table: T, rows: ReadonlyArray<NewRow<T>>): Promise<ReadonlyArray<boolean>> {
    if (rows.length === 0) return [];
    const { statement, bind } = this.#insertion(table, "ignore");
    return (rows as ReadonlyArray<Readonly<Record<string, unknown>>>).map(
      (row) => Number(statement.run(...bind(row)).changes) > 0,
    );
  }

  /** The text of an insert and the order of its values, for a thread that writes by itself. */
  insertion(table: SQLiteTable, mode: InsertMode): Pick<Prepared, "sql" | "order"> {
    return this.#insertion(table, mode);
  }

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

  async remove<T extends SQLiteTable>(
    table: T,
    keys: ReadonlyArray<keyof NewRow<T> & string>,
    rows: ReadonlyArray<Partial<NewRow<T>>>,
  ): Promise<void> {
    if (rows.length === 0) return;
    const { statement, bind } = this.#removing(table, keys);
    for (const row of rows as ReadonlyArray<Readonly<Record<string, unknown>>>) statement.run(...bind(row));
  }

  async selectIn<T extends SQLiteTable>(
    table: T,
    column: keyof NewRow<T> & string,
    values: ReadonlyArray<string | number>,
    where?: Where,
  ): Promise<Array<Row<T>>> {
    if (values.length === 0) return [];
    const { statement, order, read } = this.#selecting(table, column, where);
    const parameters: Readonly<Record<string, Bound>> = { ...where?.params, values: JSON.stringify(values) };
    const bound = order.map((name) => parameters[name] ?? null);
    // The reader gives a row of this table: its columns are the ones that were selected.
    return statement.all(...bound).map(read) as Array<Row<T>>;
  }

  #selecting(table: SQLiteTable, column: string, where: Where | undefined): Select {
    const key = `${tableName(table)} ${column} ${where?.name ?? ""}`;
    const found = this.#selects.get(key);
    if (found !== undefined) return found;
    const columns = columnsOf(table);
    const list = sql`${columnOf(columns, column)} in (select value from json_each(${sql.placeholder("values")}))`;
    const query = this.db
      .select()
      .from(table)
      .where(where === undefined ? list : and(where.condition, list))
      .toSQL();
    const select: Select = {
      statement: this.client.prepare(query.sql),
      order: placeholderNames(query.params),
      read: rowReader(columns),
    };
    this.#selects.set(key, select);
    return select;
  }

  async advanceReads(ids: ReadonlyArray<number>, began: number, ended: number): Promise<void> {
    this.#advance ??= this.client.prepare(
      "update links set read_began = max(read_began, ?), read_ended = max(read_ended, ?) where id in (select value from json_each(?))",
    );
    this.#advance.run(began, ended, JSON.stringify(ids));
  }

  #insertion(table: SQLiteTable, mode: InsertMode): Prepared {
    return this.#cached(`${mode} ${tableName(table)}`, () => {
      const columns = columnsOf(table);
      const names = insertedNames(table);
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
      const columns = columnsOf(table);
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
      const columns = columnsOf(table);
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
    const order = placeholderNames(query.params);
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

/** What the driver takes: drizzle's own mapping, with the two common cases cut short. */
function encoder(column: Column): (value: unknown) => SQLInputValue {
  if (isJson(column)) return (value) => (value === null || value === undefined ? null : JSON.stringify(value));
  // Clear columns of the tables are text, integers and bytes only, which the driver takes as they are.
  return (value) => (value === undefined ? null : (value as SQLInputValue));
}
