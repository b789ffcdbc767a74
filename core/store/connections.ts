/** What is noted of a connection beside its runs: why it does not run, and whether a person stopped it. */
import { asc, isNotNull } from "drizzle-orm";
import { noteAudit } from "./audit.ts";
import type { Database } from "./database.ts";
import { connections } from "./tables.ts";

export interface ConnectionNote {
  readonly name: string;
  readonly system: string;
  readonly outcome:
    | { readonly kind: "ok" }
    | { readonly kind: "paused"; readonly until: number | null; readonly reason: string }
    | { readonly kind: "held"; readonly reason: string }
    | { readonly kind: "failed"; readonly reason: string };
}

/** Notes why a connection does not run, for `connections` to show; its cursor and its links stay as they are. */
export const noteConnections = (database: Database, notes: ReadonlyArray<ConnectionNote>) =>
  database.write("noting connections", async () => {
    for (const { name, system, outcome } of notes) {
      if (outcome.kind === "ok" || outcome.kind === "held") continue;
      const state = outcome.kind === "paused" ? "paused" : "failing";
      const pausedUntil = outcome.kind === "paused" ? outcome.until : null;
      await database.db
        .insert(connections)
        .values({ name, system, state, reason: outcome.reason, pausedUntil, loaded: [], mapPrint: {} })
        .onConflictDoUpdate({ target: connections.name, set: { state, reason: outcome.reason, pausedUntil } });
    }
  });

/** Who stopped which connection. */
export const readStopped = (database: Database) =>
  database.read("reading who is stopped", async () => {
    const rows = await database.db.select().from(connections).where(isNotNull(connections.stoppedBy));
    return new Map(rows.map((row) => [row.name, row.stoppedBy ?? ""]));
  });

/** Stops a connection, or lets it go on (`by` null). */
export const noteStopped = (
  database: Database,
  note: {
    readonly name: string;
    readonly system: string;
    readonly by: string | null;
    readonly at: number;
    readonly actor: string;
  },
) =>
  database.write("stopping a connection", async () => {
    const { name, system, by, at, actor } = note;
    const set = { stoppedBy: by, stoppedAt: by === null ? null : at };
    await database.db
      .insert(connections)
      .values({ name, system, state: "active", loaded: [], mapPrint: {}, ...set })
      .onConflictDoUpdate({ target: connections.name, set });
    await noteAudit(database, [{ at, actor, action: by === null ? "resume" : "pause", subject: name }]);
  });

/** What is noted of every connection. */
export const readConnections = (database: Database) =>
  database.read("reading the connections", async () =>
    database.db
      .select({
        name: connections.name,
        system: connections.system,
        state: connections.state,
        reason: connections.reason,
        pausedUntil: connections.pausedUntil,
        stoppedBy: connections.stoppedBy,
      })
      .from(connections)
      .orderBy(asc(connections.name)),
  );

/** All that the store knows by name, also those that are gone from the YAML. */
export const readNames = (database: Database) =>
  database.read("reading the connections", async () =>
    database.db
      .select({ name: connections.name, system: connections.system })
      .from(connections)
      .orderBy(asc(connections.name)),
  );
