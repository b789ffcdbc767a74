/**
 * PostgreSQL behind the store: one writing transaction at a time in this process, reads beside it, over a bounded pool.
 *
 * Writes are serializable: what a decision saw, and what it saw to be missing, is still so when it commits, as in SQLite,
 * whoever else writes. Where the database cannot promise that, it gives the transaction up, and the body runs again.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { and, asc, sql } from "drizzle-orm";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import { SQLiteRemoteSession, SqliteRemoteDatabase } from "drizzle-orm/sqlite-proxy";
import { Effect, Semaphore } from "effect";
import type { Pool, PoolClient, QueryArrayResult, QueryResult } from "pg";
import { columnOf, columnsOf, placeholderNames, rowReader } from "../columns.ts";
import type { Database, InsertMode, NewRow, Queries, Row, Where } from "../database.ts";
import { everyReal } from "../every.ts";
import { type StoreFailed, storeFailedOf } from "../failure.ts";
import { fenced } from "../fence.ts";
import { storable } from "../storable.ts";
import { changes, links } from "../tables.ts";
import { News } from "./news.ts";
import {
  arrayTypeOf,
  type Bulk,
  bulkName,
  identityOf,
  insertion,
  keyText,
  lastOfEach,
  PostgresMarks,
  removing,
  textOf,
  updating,
} from "./statements.ts";
import { postgresWords } from "./words.ts";

type AnyRow = Readonly<Record<string, unknown>>;

interface Select {
  readonly text: string;
  readonly order: ReadonlyArray<string>;
  readonly read: (row: AnyRow) => unknown;
}

/** A transaction that others came in the way of so often is given up. */
const triesMax = 12;
const retryMs = 5;
const retryMsMax = 500;

/** Statements of that many different texts are prepared in each session; others are parsed each time. */
const preparedMax = 500;

/** Whose numbers tell the order of commits: nobody who reads on from a number may miss a smaller one. */
const ordered: ReadonlySet<SQLiteTable> = new Set<SQLiteTable>([changes]);
/** Any number that nothing else in the database locks. */
const orderLock = 7_345_091;
/** All writing transactions share it, until one that came in others' way too often wants to be alone. */
const turnLock = 7_345_092;
const togetherTries = 4;
/** A process that stalls in the middle of a transaction keeps its locks for so long; then the server ends its session. */
const stalledMs = 10_000;
const takeTurn = `set idle_session_timeout = ${stalledMs}; select pg_advisory_lock(${turnLock})`;
const endTurn = `select pg_advisory_unlock(${turnLock}); reset idle_session_timeout`;

export class PostgresDatabase implements Database {
  readonly db: Queries;
  readonly words = postgresWords;
  readonly processes = "many";
  readonly pool: Pool;
  readonly news: News;
  readonly #gate = Semaphore.makeUnsafe(1);
  /** The session of the transaction that a body belongs to, and whether it holds the order of commits. */
  readonly #current = new AsyncLocalStorage<Session>();
  readonly #names = new Map<string, string>();
  readonly #bulks = new Map<string, Bulk>();
  readonly #selects = new Map<string, Select>();

  constructor(pool: Pool) {
    this.pool = pool;
    this.news = new News(pool);
    const dialect = new PostgresMarks();
    const executors = {
      all: async (text: string, params: ReadonlyArray<unknown>, mode: "array" | "object") =>
        (await this.#drizzled(text, params, mode)).rows,
      get: async (text: string, params: ReadonlyArray<unknown>, mode: "array" | "object") =>
        (await this.#drizzled(text, params, mode)).rows[0],
      run: (text: string, params: ReadonlyArray<unknown>) => this.#drizzled(text, params, "object"),
    };
    const options = { paramsInErrors: false };
    // Its results are ours; the type names those of drizzle's own proxy.
    this.db = new SqliteRemoteDatabase(
      "async",
      dialect,
      new SQLiteRemoteSession(executors as never, dialect, {}, options),
      {},
    ) as unknown as Queries;
  }

  write<A>(what: string, body: () => Promise<A>, kept: "now" | "soon" = "now"): Effect.Effect<A, StoreFailed> {
    return Effect.flatMap(fenced(body), (whole) =>
      this.#gate.withPermits(1)(this.#transaction(what, whole, { kept, told: true })),
    );
  }

  append<A>(what: string, body: () => Promise<A>, told: "told" | "quiet" = "told"): Effect.Effect<A, StoreFailed> {
    return this.#transaction(what, body, { kept: "now", told: told === "told" });
  }

  read<A>(what: string, body: () => Promise<A>): Effect.Effect<A, StoreFailed> {
    return Effect.uninterruptible(
      Effect.tryPromise({
        try: async () => (await this.#inSession("begin isolation level repeatable read read only", body, false)).result,
        catch: (error) => storeFailedOf(what, error),
      }),
    );
  }

  onNews(listener: () => void, every = everyReal): () => Promise<void> {
    return this.news.hear(listener, every);
  }

  async insert<T extends SQLiteTable>(
    table: T,
    rows: ReadonlyArray<NewRow<T>>,
    mode: InsertMode = "insert",
  ): Promise<void> {
    if (rows.length === 0) return;
    await this.#keepOrder(table);
    const bulk = this.#bulk(bulkName(mode, table), () => insertion(table, mode));
    const given = mode === "replace" ? lastOfEach(asRows(rows), identityOf(table)) : asRows(rows);
    await this.#query(bulk.text, bulk.values(given));
  }

  async insertNew<T extends SQLiteTable>(table: T, rows: ReadonlyArray<NewRow<T>>): Promise<ReadonlyArray<boolean>> {
    if (rows.length === 0) return [];
    await this.#keepOrder(table);
    const keys = identityOf(table);
    const bulk = this.#bulk(bulkName("new", table), () => insertion(table, "ignore", keys));
    const columns = columnsOf(table);
    const read = rowReader(Object.fromEntries(keys.map((name) => [name, columnOf(columns, name)])));
    const result = await this.#query(bulk.text, bulk.values(asRows(rows)));
    // Each key went in as often as it came back: once, or as often as it was given where it holds an empty value.
    const left = new Map<string, number>();
    for (const row of result.rows) {
      const key = keyText(asRow(read(row)), keys);
      left.set(key, (left.get(key) ?? 0) + 1);
    }
    return asRows(rows).map((row) => {
      const key = keyText(row, keys);
      const count = left.get(key) ?? 0;
      left.set(key, count - 1);
      return count > 0;
    });
  }

  async update<T extends SQLiteTable>(
    table: T,
    keys: ReadonlyArray<keyof NewRow<T> & string>,
    columns: ReadonlyArray<keyof NewRow<T> & string>,
    rows: ReadonlyArray<Partial<NewRow<T>>>,
  ): Promise<number> {
    if (rows.length === 0) return 0;
    const bulk = this.#bulk(bulkName("update", table, keys, columns), () => updating(table, keys, columns));
    const result = await this.#query(bulk.text, bulk.values(lastOfEach(asRows(rows), keys)));
    return result.rowCount ?? 0;
  }

  async remove<T extends SQLiteTable>(
    table: T,
    keys: ReadonlyArray<keyof NewRow<T> & string>,
    rows: ReadonlyArray<Partial<NewRow<T>>>,
  ): Promise<void> {
    if (rows.length === 0) return;
    const bulk = this.#bulk(bulkName("remove", table, keys), () => removing(table, keys));
    await this.#query(bulk.text, bulk.values(asRows(rows)));
  }

  async selectIn<T extends SQLiteTable>(
    table: T,
    column: keyof NewRow<T> & string,
    values: ReadonlyArray<string | number>,
    where?: Where,
  ): Promise<Array<Row<T>>> {
    if (values.length === 0) return [];
    const { text, order, read } = this.#selecting(table, column, where);
    const given = values.map((value) => (typeof value === "string" ? storable(value) : value));
    const params: Readonly<Record<string, unknown>> = { ...where?.params, values: given };
    const result = await this.#query(
      text,
      order.map((name) => params[name] ?? null),
    );
    // The reader gives a row of this table: its columns are the ones that were selected.
    return result.rows.map(read) as Array<Row<T>>;
  }

  async advanceReads(ids: ReadonlyArray<number>, began: number, ended: number): Promise<void> {
    const text = textOf(
      sql`update ${links} set read_began = greatest(read_began, $1), read_ended = greatest(read_ended, $2) where id = any($3::bigint[])`,
    ).sql;
    await this.#query(text, [began, ended, ids]);
  }

  #transaction<A>(
    what: string,
    body: () => Promise<A>,
    { kept, told }: { readonly kept: "now" | "soon"; readonly told: boolean },
  ): Effect.Effect<A, StoreFailed> {
    const begin = [
      "begin isolation level serializable",
      `set local idle_in_transaction_session_timeout = ${stalledMs}`,
      ...(kept === "soon" ? ["set local synchronous_commit = off"] : []),
    ];
    const shared = [...begin, `select pg_advisory_xact_lock_shared(${turnLock})`].join("; ");
    return Effect.uninterruptible(
      Effect.tryPromise({
        try: async () => {
          for (let tries = 1; ; tries++) {
            try {
              const { result, wrote } =
                tries <= togetherTries
                  ? await this.#inSession(shared, body, false)
                  : await this.#inSession(begin.join("; "), body, true);
              if (wrote && told) this.news.tell();
              return result;
            } catch (error) {
              if (tries >= triesMax || !isContention(error)) throw error;
              // Who came in each other's way shall not do so again.
              await sleep(Math.min(retryMs * 2 ** tries, retryMsMax) * (0.5 + Math.random()));
            }
          }
        },
        catch: (error) => storeFailedOf(what, error),
      }),
    );
  }

  /** `alone`: under a lock that is held before the transaction looks at anything, and until it has ended. */
  async #inSession<A>(
    begin: string,
    body: () => Promise<A>,
    alone: boolean,
  ): Promise<{ readonly result: A; readonly wrote: boolean }> {
    const client = await this.pool.connect();
    let broken: Error | undefined;
    try {
      if (alone) await client.query(takeTurn);
      await client.query(begin);
      try {
        const result = await this.#current.run({ client, holdsOrder: false }, body);
        // Only what has changed something has a number of its own.
        const ended = await client.query("select pg_current_xact_id_if_assigned() is not null as wrote; commit");
        return { result, wrote: hasWritten(ended) };
      } catch (error) {
        // A session that does not even roll back is of no more use.
        await client.query("rollback").catch((lost: Error) => {
          broken = lost;
        });
        throw error;
      }
    } catch (error) {
      if (isLost(error)) broken = error instanceof Error ? error : new Error(String(error));
      throw error;
    } finally {
      if (alone && broken === undefined)
        await client.query(endTurn).catch((lost: Error) => {
          broken = lost;
        });
      // The locks of a session that is thrown away go with it.
      client.release(broken);
    }
  }

  /**
   * A number of the log can be read only once every smaller one is committed or gone: whoever takes one waits for the
   * others who have, from the first number to the end of the transaction.
   */
  async #keepOrder(table: SQLiteTable): Promise<void> {
    const session = this.#current.getStore();
    if (session === undefined || session.holdsOrder || !ordered.has(table)) return;
    await this.#query("select pg_advisory_xact_lock($1)", [orderLock]);
    session.holdsOrder = true;
  }

  #bulk(name: string, make: () => Bulk): Bulk {
    const found = this.#bulks.get(name);
    if (found !== undefined) return found;
    const bulk = make();
    this.#bulks.set(name, bulk);
    return bulk;
  }

  #selecting(table: SQLiteTable, column: string, where: Where | undefined): Select {
    const key = bulkName("select", table, [column], [where?.name ?? ""]);
    const found = this.#selects.get(key);
    if (found !== undefined) return found;
    const columns = columnsOf(table);
    const wanted = columnOf(columns, column);
    const list = sql`${wanted} = any(${sql.placeholder("values")}::${sql.raw(arrayTypeOf(wanted))})`;
    const query = this.db
      .select()
      .from(table)
      .where(where === undefined ? list : and(where.condition, list))
      // A row moves when it is written; decisions look at rows in an order that does not.
      .orderBy(asc(wanted), ...identityOf(table).map((name) => asc(columnOf(columns, name))))
      .toSQL();
    const select: Select = { text: query.sql, order: placeholderNames(query.params), read: rowReader(columns) };
    this.#selects.set(key, select);
    return select;
  }

  #drizzled(text: string, params: ReadonlyArray<unknown>, mode: "array" | "object") {
    const values = params.map((value) => (typeof value === "string" ? storable(value) : value));
    return this.#query(text, values, mode);
  }

  #query(text: string, values: ReadonlyArray<unknown>, mode?: "object"): Promise<QueryResult>;
  #query(
    text: string,
    values: ReadonlyArray<unknown>,
    mode: "array" | "object",
  ): Promise<QueryResult | QueryArrayResult>;
  #query(
    text: string,
    values: ReadonlyArray<unknown>,
    mode: "array" | "object" = "object",
  ): Promise<QueryResult | QueryArrayResult> {
    const target: PoolClient | Pool = this.#current.getStore()?.client ?? this.pool;
    const name = this.#nameOf(text);
    const query = { text, values: [...values], ...(name === undefined ? {} : { name }) };
    return mode === "array" ? target.query({ ...query, rowMode: "array" }) : target.query(query);
  }

  /** What is named is prepared in its session when it first runs there. */
  #nameOf(text: string): string | undefined {
    const found = this.#names.get(text);
    if (found !== undefined || this.#names.size >= preparedMax) return found;
    const name = `s${this.#names.size}`;
    this.#names.set(text, name);
    return name;
  }
}

interface Session {
  readonly client: PoolClient;
  holdsOrder: boolean;
}

// A row of a table is a record of its columns; the generic types hide that.
const asRows = (rows: ReadonlyArray<unknown>): ReadonlyArray<AnyRow> => rows as ReadonlyArray<AnyRow>;
const asRow = (row: unknown): AnyRow => row as AnyRow;

/** Several statements in one text have several results. */
function hasWritten(results: unknown): boolean {
  const [first] = Array.isArray(results) ? results : [results];
  // The first of the two statements that end a transaction.
  return (first as QueryResult<{ wrote: boolean }>).rows[0]?.wrote === true;
}

const codeOf = (error: unknown): string | undefined => {
  for (let inner: unknown = error; inner instanceof Error; inner = inner.cause) {
    if ("code" in inner && typeof inner.code === "string") return inner.code;
  }
  return undefined;
};

/** Serialization failure, deadlock. */
const isContention = (error: unknown): boolean => ["40001", "40P01"].includes(codeOf(error) ?? "");

/** The server ended the session, or the connection broke. */
function isLost(error: unknown): boolean {
  const code = codeOf(error);
  return code === undefined ? /terminated|timeout|ended/i.test(String(error)) : /^(57P|08|E[A-Z]+)/.test(code);
}
