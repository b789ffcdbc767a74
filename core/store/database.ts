/**
 * What the hub asks of a database, whichever engine is behind it: transactions, bulk statements, and drizzle's queries.
 *
 * Queries are written with drizzle's builder for SQLite on both engines. Its text is what PostgreSQL understands too,
 * but for the marks of parameters, which the engine writes; what the two say differently stands in `Words`. So there is
 * one set of queries, and the rows of both have the types of the one table definition.
 */
import type { Column, InferInsertModel, InferSelectModel, SQL } from "drizzle-orm";
import type { SQLiteAsyncDatabase, SQLiteTable } from "drizzle-orm/sqlite-core";
import type { Effect } from "effect";
import type { Every } from "./every.ts";
import type { StoreFailed } from "./failure.ts";

export type Row<T extends SQLiteTable> = InferSelectModel<T>;
export type NewRow<T extends SQLiteTable> = InferInsertModel<T>;

/** drizzle's queries, awaited; inside a transaction's body they are part of it. */
export type Queries = SQLiteAsyncDatabase<"async", unknown>;

/** What may be bound to a statement. */
export type Bound = string | number | bigint | Uint8Array | null;

/** A further condition of a select: its name keys the prepared statement, its values are placeholders. */
export interface Where {
  readonly name: string;
  readonly condition: SQL;
  readonly params: Readonly<Record<string, Bound>>;
}

/** `insert` fails on a row that is there, `replace` overwrites the one with the same primary key, `ignore` keeps it. */
export type InsertMode = "insert" | "ignore" | "replace";

/** Conditions that the engines write differently. Paths name members of a JSON column from its outside in. */
export interface Words {
  /** The text holds the part somewhere; small and capital letters of ASCII are the same. */
  readonly contains: (column: Column, part: string) => SQL;
  readonly equalsAt: (column: Column, path: ReadonlyArray<string>, value: string | number | boolean | null) => SQL;
  /** Epoch milliseconds by the database's own clock. */
  readonly now: SQL;
  /** The list at the path has this member. */
  readonly hasMemberAt: (column: Column, path: ReadonlyArray<string>, member: string) => SQL;
}

export interface Database {
  readonly db: Queries;
  readonly words: Words;
  /** How many processes may move records at a time. */
  readonly processes: "one" | "many";
  /**
   * Runs the body in one transaction that sees and leaves the store as if nobody else wrote; a failed body leaves nothing
   * behind. The body awaits nothing but the database and may run twice.
   *
   * Where a fence stands (`CurrentFence`), it is asked first.
   *
   * `kept: "soon"` does not wait for the disk: a death of the process loses nothing, a loss of power may take the last
   * of these transactions back as a whole. It is for what would then be read again, cursor and all; never for what was
   * promised to somebody, or is about to be sent.
   */
  write<A>(what: string, body: () => Promise<A>, kept?: "now" | "soon"): Effect.Effect<A, StoreFailed>;
  /**
   * As `write`, durable and before no fence, but it does not wait for a transaction of this process where the engine
   * takes several. `quiet`: other processes need not look.
   */
  append<A>(what: string, body: () => Promise<A>, told?: "told" | "quiet"): Effect.Effect<A, StoreFailed>;
  /** Reads outside a transaction of its own. */
  read<A>(what: string, body: () => Promise<A>): Effect.Effect<A, StoreFailed>;
  /**
   * Calls when another process may have committed something, also for nothing. The answer ends it.
   */
  onNews(listener: () => void, every?: Every): () => Promise<void>;
  insert<T extends SQLiteTable>(table: T, rows: ReadonlyArray<NewRow<T>>, mode?: InsertMode): Promise<void>;
  /** Inserts rows that break no unique index; one answer per row, in order: whether it went in. */
  insertNew<T extends SQLiteTable>(table: T, rows: ReadonlyArray<NewRow<T>>): Promise<ReadonlyArray<boolean>>;
  /** Updates the named columns of rows found by their key columns. Returns how many rows changed. */
  update<T extends SQLiteTable>(
    table: T,
    keys: ReadonlyArray<keyof NewRow<T> & string>,
    columns: ReadonlyArray<keyof NewRow<T> & string>,
    rows: ReadonlyArray<Partial<NewRow<T>>>,
  ): Promise<number>;
  /** Deletes rows by their key columns. */
  remove<T extends SQLiteTable>(
    table: T,
    keys: ReadonlyArray<keyof NewRow<T> & string>,
    rows: ReadonlyArray<Partial<NewRow<T>>>,
  ): Promise<void>;
  /** Rows whose column is one of the values; one statement, whatever the number of values. */
  selectIn<T extends SQLiteTable>(
    table: T,
    column: keyof NewRow<T> & string,
    values: ReadonlyArray<string | number>,
    where?: Where,
  ): Promise<Array<Row<T>>>;
  /** Moves the evidence of many links at once: an equal read was made. */
  advanceReads(ids: ReadonlyArray<number>, began: number, ended: number): Promise<void>;
}
