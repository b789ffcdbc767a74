/** One process per store runs the moves: a lease with a heartbeat, and a refusal that names who holds it. */
import { hostname } from "node:os";
import { eq } from "drizzle-orm";
import { Effect } from "effect";
import type { Database } from "./database.ts";
import { leases } from "./tables.ts";

export class StoreBusy extends Error {
  readonly _tag = "StoreBusy";
  readonly remedy: string;
  constructor(holder: Holder) {
    super(`Another Syncline process works on this store: pid ${holder.pid} on ${holder.host} (${holder.command}).`);
    this.name = "StoreBusy";
    this.remedy = "Wait for it to end or stop it. Reading commands and decisions on conflicts work beside it.";
  }
}

interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly command: string;
}

const leaseMs = 30_000;
const beatMs = 10_000;
const name = "moves";

export interface KeptLease {
  readonly release: Effect.Effect<void>;
}

/**
 * Takes the lease of the moves and keeps it until it is released.
 *
 * Errors  StoreBusy when a living process holds it. A holder on this host that is dead is replaced at once, one on
 *         another host when its lease has run out.
 */
export const keepLease = Effect.fn("lease.keep")(function* (database: Database, command: string) {
  const holder: Holder = { pid: process.pid, host: hostname(), command };
  const text = JSON.stringify(holder);
  const other = yield* database.write("taking the lease", async () => {
    const row = await database.db.select().from(leases).where(eq(leases.name, name)).get();
    if (row !== undefined && row.holder !== text) {
      // Written by this file only.
      const held = JSON.parse(row.holder) as Holder;
      if (isAlive(held, row.until)) return held;
    }
    await database.insert(leases, [{ name, holder: text, until: Date.now() + leaseMs }], "replace");
    return null;
  });
  if (other !== null) return yield* Effect.fail(new StoreBusy(other));
  const beat = database.write("keeping the lease", async () =>
    database.update(leases, ["name"], ["until"], [{ name, until: Date.now() + leaseMs }]),
  );
  const timer = setInterval(() => void Effect.runPromise(Effect.ignore(beat)), beatMs).unref();
  const release = database.write("giving the lease back", async () =>
    database.remove(leases, ["name", "holder"], [{ name, holder: text }]),
  );
  return {
    release: Effect.andThen(
      Effect.sync(() => clearInterval(timer)),
      Effect.ignore(release),
    ),
  } satisfies KeptLease;
});

/**
 * Holds the lease of the moves while the effect runs.
 *
 * Errors  StoreBusy, as `keepLease`.
 */
export function withLease<A, E, R>(database: Database, command: string, work: Effect.Effect<A, E, R>) {
  return Effect.acquireUseRelease(
    keepLease(database, command),
    () => work,
    (lease) => lease.release,
  );
}

/** Who holds the lease now, if anybody. */
export const leaseHolder = (database: Database) =>
  database.read("reading the lease", async () => {
    const row = await database.db.select().from(leases).where(eq(leases.name, name)).get();
    if (row === undefined) return null;
    const holder = JSON.parse(row.holder) as Holder;
    return isAlive(holder, row.until) ? holder : null;
  });

function isAlive(holder: Holder, until: number): boolean {
  if (holder.host !== hostname()) return until > Date.now();
  if (holder.pid === process.pid) return true;
  try {
    process.kill(holder.pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, but belongs to somebody else.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
