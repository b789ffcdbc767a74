/** Opens a store in a database of PostgreSQL: sessions, migrations, key. */
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { Pool, types } from "pg";
import { type HubKey, hubKeyOf, KeyProblem, parseKey } from "../../security/hub-key.ts";
import { createSealer } from "../../security/seal.ts";
import { StoreFailed } from "../failure.ts";
import { checkKey } from "../key-check.ts";
import { missingMigrations, readMigrations } from "../migrations.ts";
import type { OpenOptions, Store } from "../open.ts";
import type { Place } from "../place.ts";
import { copyToSqlite } from "./copy.ts";
import { PostgresDatabase } from "./database.ts";
import { readRows } from "./export.ts";
import { writerBeside } from "./inbox-writer.ts";
import { fillTables, readTables } from "./table-pages.ts";

export interface PostgresStore extends Store {
  readonly database: PostgresDatabase;
}

/** Sessions at a time: one writes, one receives calls, the others read. */
const sessionsMax = 10;
const connectMs = 10_000;
const idleMs = 60_000;

/**
 * A table that is read from end to end counts as read in every row, and so comes in the way of everybody who writes one;
 * small tables, for which that would be cheap, are read by their indexes too.
 */
const sessionOptions = "-c enable_seqscan=off";

const migrationsFolder = fileURLToPath(new URL("./migrations", import.meta.url));
/** Any number that nothing else in the database locks. */
const migrationLock = 7_345_090;

export async function openPostgres(
  place: Extract<Place, { readonly engine: "postgres" }>,
  options: OpenOptions,
): Promise<PostgresStore> {
  const pool = new Pool({
    connectionString: place.url,
    application_name: "syncline",
    options: sessionOptions,
    max: options.sessions ?? sessionsMax,
    connectionTimeoutMillis: connectMs,
    idleTimeoutMillis: idleMs,
    keepAlive: true,
    types: { getTypeParser: parserOf },
  });
  // A session that ends while nobody uses it is replaced when one is needed. Who uses one hears of it by his query; but
  // the driver tells it as an event too, and an event that nobody hears would end the process.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  try {
    if (options.readOnly === true) await mustExist(pool, place.shown);
    await migrate(pool);
    const hubKey = await keyOf(pool, options.key, place.shown);
    return postgresStore(pool, place.shown, hubKey);
  } catch (error) {
    await pool.end();
    throw error;
  }
}

function postgresStore(pool: Pool, place: string, hubKey: HubKey): PostgresStore {
  const database = new PostgresDatabase(pool);
  const sealer = createSealer(hubKey);
  let closing: Promise<void> | undefined;
  const store: PostgresStore = {
    database,
    sealer,
    place,
    inboxWriter: () => writerBeside(database),
    exportRows: (request) => readRows(store, request),
    copy: () => copyToSqlite(store, tmpdir()),
    pages: () => readTables(pool),
    fill: (pages) => fillTables(pool, pages),
    close: () => {
      closing ??= database.news.flush().then(() => pool.end());
      sealer.close();
      return closing;
    },
  };
  return store;
}

/** Numbers of 64 bits are instants, counts and ids, which are exact in JavaScript; texts stay as they are. */
function parserOf(type: number, format?: "text" | "binary"): (text: string) => unknown {
  return type === types.builtins.INT8 ? Number : types.getTypeParser(type, format as "text");
}

async function mustExist(pool: Pool, place: string): Promise<void> {
  const { rows } = await pool.query("select to_regclass('migrations') is not null as there");
  if (rows[0]?.there === true) return;
  throw new StoreFailed(
    `There is no store in ${place} yet.`,
    "Run `npx syncline sync` first, or check hub.store in the YAML.",
    undefined,
  );
}

/** Applies the migrations that are not in yet, all in one transaction; a second process waits for it. */
async function migrate(pool: Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query("begin");
    await client.query("select pg_advisory_xact_lock($1)", [migrationLock]);
    const there = await client.query("select to_regclass('migrations') is not null as there");
    if (there.rows[0]?.there !== true)
      await client.query("create table migrations (name text primary key, digest text not null, at bigint not null)");
    const applied = await client.query<{ name: string }>("select name from migrations");
    const names = applied.rows.map((row) => row.name);
    for (const { name, statements, digest } of missingMigrations(readMigrations(migrationsFolder), names)) {
      await client.query(statements.join("\n"));
      await client.query("insert into migrations (name, digest, at) values ($1, $2, $3)", [name, digest, Date.now()]);
    }
    await client.query("commit");
  } catch (error) {
    await client.query("rollback").catch(() => {});
    throw error;
  } finally {
    client.release();
  }
}

/** A database has no folder beside it for a key file, and several machines may use it: the key is given to each. */
async function keyOf(pool: Pool, given: string | undefined, place: string): Promise<HubKey> {
  const { rows } = await pool.query<{ value: string }>("select value from meta where name = 'key-check'");
  const noted = rows[0]?.value;
  if (given === undefined || given === "") {
    throw new KeyProblem(
      `The store ${place} needs its key in SYNCLINE_KEY, which is not set.`,
      noted === undefined
        ? "Set it to 32 random bytes, such as from: openssl rand -base64 32, and keep them: without them the store is lost."
        : "Set it to the key of this store. A new key could never open it.",
    );
  }
  const hubKey = hubKeyOf(parseKey(given, "SYNCLINE_KEY"));
  checkKey(noted, hubKey, place);
  // Whoever comes first notes its key; a second process with another one is refused.
  await pool.query("insert into meta (name, value) values ('key-check', $1) on conflict do nothing", [hubKey.check]);
  const { rows: after } = await pool.query<{ value: string }>("select value from meta where name = 'key-check'");
  checkKey(after[0]?.value, hubKey, place);
  return hubKey;
}
