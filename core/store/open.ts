/** Opens a store: file, mode, migrations, key. The one place that knows which engine it is. */
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { drizzle } from "drizzle-orm/node-sqlite";
import { Effect } from "effect";
import { type HubKey, KeyProblem, loadHubKey } from "../security/hub-key.ts";
import { createSealer, type Sealer } from "../security/seal.ts";
import { Database } from "./database.ts";
import { StoreFailed, storeFailedOf } from "./failure.ts";
import { pragmas } from "./pragmas.ts";

export interface Store {
  readonly database: Database;
  readonly sealer: Sealer;
  /** The file, or `:memory:`. */
  readonly file: string;
  readonly close: () => void;
}

export interface OpenOptions {
  /** Path of the database file; `:memory:` for tests. */
  readonly file: string;
  /** SYNCLINE_KEY, if set. */
  readonly key: string | undefined;
  /** A store that is only read may be open beside a running hub. */
  readonly readOnly?: boolean;
}

const migrationsFolder = fileURLToPath(new URL("./migrations", import.meta.url));

/**
 * Opens the store and brings it to the newest schema.
 *
 * Errors  StoreFailed (unreadable, full, not a store, from a newer version), KeyProblem (missing or wrong key).
 */
export const openStore = Effect.fn("store.open")(function* (options: OpenOptions) {
  return yield* Effect.try({
    try: () => open(options),
    catch: (error) =>
      error instanceof KeyProblem || error instanceof StoreFailed
        ? error
        : storeFailedOf(`opening ${options.file}`, error),
  });
});

function open(options: OpenOptions): Store {
  const { file } = options;
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
    const holdsData = migrate(client);
    const keyFile = inMemory ? undefined : `${file}.key`;
    const hubKey: HubKey =
      keyFile === undefined && (options.key === undefined || options.key === "")
        ? loadHubKey({ environment: Buffer.alloc(32, 7).toString("base64"), keyFile: "", storeHoldsData: false })
        : loadHubKey({ environment: options.key, keyFile: keyFile ?? "", storeHoldsData: holdsData });
    checkKey(client, hubKey, file);
    const sealer = createSealer(hubKey);
    return {
      database: new Database(drizzle({ client }), client),
      sealer,
      file,
      close: () => {
        sealer.close();
        client.close();
      },
    };
  } catch (error) {
    client.close();
    throw error;
  }
}

/** Applies the migrations that are not in yet, each in a transaction. Returns whether the store holds data. */
function migrate(client: DatabaseSync): boolean {
  client.exec(
    "create table if not exists migrations (name text primary key, digest text not null, at integer not null)",
  );
  const names = readdirSync(migrationsFolder)
    .filter((name) => existsSync(join(migrationsFolder, name, "migration.sql")))
    .sort();
  const applied = new Map(
    client
      .prepare("select name, digest from migrations")
      .all()
      .map((row) => [String(row.name), String(row.digest)]),
  );
  for (const name of applied.keys()) {
    if (!names.includes(name)) {
      throw new StoreFailed(
        `The store was made by a newer Syncline (migration ${name} is not known here).`,
        "Run the newer version, or restore the backup that was made before the upgrade.",
        undefined,
      );
    }
  }
  for (const name of names) {
    if (applied.has(name)) continue;
    const text = readFileSync(join(migrationsFolder, name, "migration.sql"), "utf8");
    client.exec("begin immediate");
    try {
      for (const statement of text.split("--> statement-breakpoint")) client.exec(statement);
      client
        .prepare("insert into migrations (name, digest, at) values (?, ?, ?)")
        .run(name, createHash("sha256").update(text).digest("hex"), Date.now());
      client.exec("commit");
    } catch (error) {
      client.exec("rollback");
      throw error;
    }
  }
  return client.prepare("select 1 from meta where name = 'key-check'").get() !== undefined;
}

/** The first key is noted; every later one must be the same. */
function checkKey(client: DatabaseSync, hubKey: HubKey, file: string): void {
  const noted = client.prepare("select value from meta where name = 'key-check'").get();
  if (noted === undefined) {
    client.prepare("insert into meta (name, value) values ('key-check', ?)").run(hubKey.check);
    return;
  }
  if (noted.value !== hubKey.check) {
    throw new KeyProblem(
      `The key does not fit the store ${file}: it was sealed with another one.`,
      "Set SYNCLINE_KEY to the key of this store, or restore its key file from the backup.",
    );
  }
}
