/** Opens a store. The one place that knows which engines there are. */
import { Effect } from "effect";
import { KeyProblem } from "../security/hub-key.ts";
import type { Sealer } from "../security/seal.ts";
import type { Database } from "./database.ts";
import type { ExportChunk, ExportRequest } from "./export-rows.ts";
import { StoreFailed, storeFailedOf } from "./failure.ts";
import type { InboxWriter } from "./inbox-writer.ts";
import { placeOf } from "./place.ts";
import type { TablePage, TableSum } from "./table-pages.ts";

export interface Store {
  readonly database: Database;
  readonly sealer: Sealer;
  /** Where it is, for people: a file, or the address of a server without the password. */
  readonly place: string;
  /** What puts webhook calls on disk, beside the moves. */
  readonly inboxWriter: () => InboxWriter;
  /** The rows of an export, all of one moment. */
  readonly exportRows: (request: ExportRequest) => AsyncGenerator<ExportChunk>;
  /**
   * A throw-away copy of the store as it is now, under the same key: for plans, which must not touch the real one.
   * Closing the copy removes it.
   */
  readonly copy: () => Promise<Store>;
  /** All rows, of one moment. */
  readonly pages: () => AsyncGenerator<TablePage>;
  /** Takes all rows of another store, if it is empty; all of them or none. */
  readonly fill: (pages: AsyncIterable<TablePage>) => Promise<ReadonlyArray<TableSum>>;
  readonly close: () => Promise<void>;
}

export interface OpenOptions {
  /** `sqlite:` and a file, or a file alone; `:memory:` for tests; `postgres://` and the address of a database. */
  readonly place: string;
  /** SYNCLINE_KEY, if set. */
  readonly key: string | undefined;
  /** A store that is only read may be open beside a running hub; it must be there already. */
  readonly readOnly?: boolean;
  /** Sessions with PostgreSQL at a time; 10 unless said. With one, all that is asked happens in the order of asking. */
  readonly sessions?: number;
}

/**
 * Opens the store and brings it to the newest schema.
 *
 * Errors  StoreFailed (unreadable, full, not a store, from a newer version, server not reached), KeyProblem (missing or
 *         wrong key).
 */
export const openStore = Effect.fn("store.open")(function* (options: OpenOptions) {
  const place = placeOf(options.place);
  return yield* Effect.tryPromise({
    // The driver of the other engine is not even loaded.
    try: async (): Promise<Store> =>
      place.engine === "sqlite"
        ? (await import("./sqlite/open.ts")).openSqlite(place.file, options)
        : (await import("./postgres/open.ts")).openPostgres(place, options),
    catch: (error) =>
      error instanceof KeyProblem || error instanceof StoreFailed
        ? error
        : storeFailedOf(`opening ${place.shown}`, error),
  });
});
