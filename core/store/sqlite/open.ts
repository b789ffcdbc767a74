/** Opens a store in a file of SQLite: the file and its mode, migrations, key. */
import { chmodSync, existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { type HubKey, loadHubKey } from "../../security/hub-key.ts";
import { createSealer, type Sealer } from "../../security/seal.ts";
import { StoreFailed } from "../failure.ts";
import { checkKey } from "../key-check.ts";
import { missingMigrations, readMigrations } from "../migrations.ts";
import type { OpenOptions, Store } from "../open.ts";
import type { TablePage } from "../table-pages.ts";
import { copyStore } from "./copy.ts";
import { SqliteDatabase } from "./database.ts";
import { readRanges } from "./export.ts";
import { createInboxWriter } from "./inbox-writer.ts";
import { pragmas } from "./pragmas.ts";
import { fillTables, readTables } from "./table-pages.ts";

export interface SqliteStore extends Store {
  readonly database: SqliteDatabase;
  /** The file, or `:memory:`. */
  readonly file: string;
}

const migrationsFolder = fileURLToPath(new URL("../migrations", import.meta.url));

export function openSqlite(file: string, options: OpenOptions): SqliteStore {
  const inMemory = file === ":memory:";
  if (options.readOnly === true && !existsSync(file)) {
    throw new StoreFailed(
      `There is no store at ${file} yet.`,
      "Run `npx syncline sync` first, or check hub.store in the YAML.",
      undefined,
    );
  }
  if (!inMemory) mkdirSync(dirname(file), { recursive: true });
  const client = new DatabaseSync(file, { timeout: 5000 });
  try {
    if (!inMemory) chmodSync(file, 0o600);
    client.exec(pragmas);
    migrate(client);
    const noted = client.prepare("select value from meta where name = 'key-check'").get()?.value;
    const hubKey = keyOf(options.key, inMemory ? undefined : `${file}.key`, noted !== undefined);
    checkKey(noted === undefined ? undefined : String(noted), hubKey, file);
    if (noted === undefined) client.prepare("insert into meta (name, value) values ('key-check', ?)").run(hubKey.check);
    return sqliteStore({ client, sealer: createSealer(hubKey), file });
  } catch (error) {
    client.close();
    throw error;
  }
}

/** `onClose` is called after the database was closed; the sealer is closed only with the store that it was made for. */
export function sqliteStore(parts: {
  readonly client: DatabaseSync;
  readonly sealer: Sealer;
  readonly file: string;
  readonly throwaway?: { readonly onClose: () => void };
}): SqliteStore {
  const { client, sealer, file, throwaway } = parts;
  const database = new SqliteDatabase(client, { throwaway: throwaway !== undefined });
  const store: SqliteStore = {
    database,
    sealer,
    file,
    place: file,
    inboxWriter: () => createInboxWriter(store),
    exportRows: (request) => readRanges(store, request),
    copy: () => copyStore(store),
    pages: () => readInMoment(store),
    fill: (pages) => fillTables(client, pages),
    close: async () => {
      if (throwaway === undefined) sealer.close();
      client.close();
      throwaway?.onClose();
    },
  };
  return store;
}

/** Over a connection of its own, which sees the store as it is when the first page is read. */
async function* readInMoment({ file, database }: SqliteStore): AsyncGenerator<TablePage> {
  if (file === ":memory:") return yield* readTables(database.client);
  const client = new DatabaseSync(file, { readOnly: true });
  try {
    client.exec("begin");
    yield* readTables(client);
  } finally {
    client.close();
  }
}

function keyOf(environment: string | undefined, keyFile: string | undefined, storeHoldsData: boolean): HubKey {
  // Nothing in memory outlives the process, so nobody needs to keep its key.
  if (keyFile === undefined && (environment === undefined || environment === ""))
    return loadHubKey({ environment: Buffer.alloc(32, 7).toString("base64"), keyFile: "", storeHoldsData: false });
  return loadHubKey({ environment, keyFile: keyFile ?? "", storeHoldsData });
}

/** Applies the migrations that are not in yet, each in a transaction. */
export function migrate(client: DatabaseSync): void {
  client.exec(
    "create table if not exists migrations (name text primary key, digest text not null, at integer not null)",
  );
  const applied = client
    .prepare("select name from migrations")
    .all()
    .map((row) => String(row.name));
  for (const { name, statements, digest } of missingMigrations(readMigrations(migrationsFolder), applied)) {
    client.exec("begin immediate");
    try {
      for (const statement of statements) client.exec(statement);
      client.prepare("insert into migrations (name, digest, at) values (?, ?, ?)").run(name, digest, Date.now());
      client.exec("commit");
    } catch (error) {
      client.exec("rollback");
      throw error;
    }
  }
}
