/** apply-postgres: a first load and an unchanged re-pull in PostgreSQL, beside the same in SQLite. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { administer, startServer } from "../kit/postgres-server.ts";
import { load, openEngine } from "./apply.ts";
import { type Figure, rssMb } from "./figure.ts";

const records = 50_000;
const warmUpRecords = 5_000;

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
    const common = { unit: "records/s", records, rssMb: rssMb() };
    return [
      { name: "apply-postgres", value: postgres.first, limit: sqlite.first, ...common },
      { name: "apply-postgres-unchanged", value: postgres.unchanged, limit: sqlite.unchanged, ...common },
    ];
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
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
