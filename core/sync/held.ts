/** Work that a brake held, after a person has decided: applied as it was received, or overruled as one (D24). */
import { and, asc, eq } from "drizzle-orm";
import { Effect } from "effect";
import type { Entity } from "../model/field.ts";
import { type Counts, isOpen, noCounts } from "../model/world.ts";
import { conflicts, connections, inbox } from "../store/tables.ts";
import { isWaiting } from "../store/waiting.ts";
import { addCounts, applyPage, type HeldPage } from "./apply.ts";
import type { Engine, LiveConnection } from "./engine.ts";

/** Held pages of one run; what is left is applied in the next. */
const pagesMax = 100_000;

/** Applies held pages whose case is answered. Returns null while a case is open. */
export const applyHeld = Effect.fn("held.apply")(function* (
  engine: Engine,
  live: LiveConnection,
  run: string,
  deferMeetings: boolean,
) {
  const { database, sealer } = engine.store;
  const counts: Counts = noCounts();
  for (let page = 0; page < pagesMax; page++) {
    const row = yield* database.read("reading held work", async () =>
      database.db
        .select()
        .from(inbox)
        .where(and(isWaiting, eq(inbox.connection, live.name), eq(inbox.state, "held")))
        .orderBy(asc(inbox.id))
        .limit(1)
        .get(),
    );
    if (row === undefined) return counts;
    const decision = yield* database.read("reading the decision", async () =>
      row.caseId === null ? undefined : database.db.select().from(conflicts).where(eq(conflicts.id, row.caseId)).get(),
    );
    if (decision === undefined || isOpen(decision)) return null;
    // Written by holdPage only.
    const page = sealer.openHub("inbox", row.sealed) as HeldPage;
    const applied = yield* applyPage(engine, {
      live,
      entity: row.entity as Entity,
      page,
      run,
      deferMeetings,
      decided: decision.winner === "reject" ? "rejected" : "released",
    });
    addCounts(counts, applied.counts);
    yield* database.write("closing held work", async () => {
      await database.db.delete(inbox).where(eq(inbox.id, row.id));
      await database.db
        .update(connections)
        .set({ state: "active", reason: null })
        .where(and(eq(connections.name, live.name), eq(connections.state, "held")));
    });
  }
  return counts;
});
