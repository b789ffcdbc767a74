/**
 * apply-postgres: a first load and an unchanged re-pull in PostgreSQL, beside the same in SQLite.
 *
 * apply-postgres-1 and -2: two connections of other companies each are loaded by one process, one after the other, and by
 * two processes at the same time, on one database.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { administer, startServer } from "../kit/postgres-server.ts";
import { load, openEngine } from "./apply.ts";
import { firstLine } from "./child.ts";
import { type Figure, rssMb } from "./figure.ts";

const records = 50_000;
const warmUpRecords = 5_000;
/** Of each connection, where two are loaded. */
const shareRecords = 20_000;

interface Measured {
  readonly first: number;
  readonly unchanged: number;
}

/** The server keeps its promises to the disk here, as SQLite does. */
export async function benchPostgres(): Promise<ReadonlyArray<Figure>> {
  const folder = mkdtempSync(join(tmpdir(), "syncline-bench-"));
  const server = await startServer({ durable: true });
  try {
    await administer(server.base, "create database warm");
    await administer(server.base, "create database bench");
    await measure(join(folder, "warm.db"), warmUpRecords);
    await measure(`${server.base}warm`, warmUpRecords);
    const sqlite = await measure(join(folder, "hub.db"), records);
    const postgres = await measure(`${server.base}bench`, records);
    const one = await loadTogether(server.base, ["ab"]);
    const two = await loadTogether(server.base, ["a", "b"]);
    const common = { unit: "records/s", records, rssMb: rssMb() };
    return [
      { name: "apply-postgres", value: postgres.first, limit: sqlite.first, ...common },
      { name: "apply-postgres-unchanged", value: postgres.unchanged, limit: sqlite.unchanged, ...common },
      { name: "apply-postgres-2", value: two, limit: one, ...common, records: shareRecords * 2 },
    ];
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Each process loads the connections of its letters; the answer is records a second over all of them. */
async function loadTogether(base: string, shares: ReadonlyArray<string>): Promise<number> {
  const name = `together${shares.length}`;
  await administer(base, `create database ${name}`);
  const loader = new URL("./postgres-loader.ts", import.meta.url).pathname;
  const children = shares.map((share) =>
    spawn(process.execPath, [loader, `${base}${name}`, share, String(shareRecords)], {
      stdio: ["pipe", "pipe", "inherit"],
    }),
  );
  try {
    // All of them are warm before any of them begins.
    await Promise.all(children.map(firstLine));
    const began = performance.now();
    const ended = children.map((child) => new Promise<number | null>((done) => child.once("close", done)));
    for (const child of children) child.stdin?.end("go");
    const codes = await Promise.all(ended);
    if (codes.some((code) => code !== 0)) throw new Error(`a loader ended with ${codes.join(", ")}`);
    return (shareRecords * 2 * 1000) / (performance.now() - began);
  } finally {
    for (const child of children) child.kill();
  }
}

async function measure(place: string, count: number): Promise<Measured> {
  const engine = await openEngine(place);
  try {
    const first = await load(engine, count);
    return { first, unchanged: await load(engine, count) };
  } finally {
    await engine.store.close();
  }
}
