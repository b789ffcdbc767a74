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

/**
 * Holds the lease of the moves while the effect runs.
 *
 * Errors  StoreBusy when a living process holds it. A holder on this host that is dead is replaced at once, one on
 *         another host when its lease has run out.
 */
export function withLease<A, E, R>(database: Database, command: string, work: Effect.Effect<A, E, R>) {
  const holder: Holder = { pid: process.pid, host: hostname(), command };
  const text = JSON.stringify(holder);
  const take = database.write("taking the lease", async () => {
    const row = await database.db.select().from(leases).where(eq(leases.name, name)).get();
    if (row !== undefined && row.holder !== text) {
      // Written by this file only.
      const other = JSON.parse(row.holder) as Holder;
      if (isAlive(other, row.until)) return other;
    }
    await database.insert(leases, [{ name, holder: text, until: Date.now() + leaseMs }], "replace");
    return null;
  });
  const beat = database.write("keeping the lease", async () =>
    database.update(leases, ["name"], ["until"], [{ name, until: Date.now() + leaseMs }]),
  );
  const acquire = Effect.flatMap(take, (other) => (other === null ? Effect.void : Effect.fail(new StoreBusy(other))));
  const release = database.write("giving the lease back", async () =>
    database.remove(leases, ["name", "holder"], [{ name, holder: text }]),
  );
  return Effect.acquireUseRelease(
    acquire,
    () =>
      Effect.acquireUseRelease(
        Effect.sync(() => setInterval(() => void Effect.runPromise(Effect.ignore(beat)), beatMs).unref()),
        () => work,
        (timer) => Effect.sync(() => clearInterval(timer)),
      ),
    () => Effect.ignore(release),
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
