/** Outcomes of connections that never got as far as a run. */
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
