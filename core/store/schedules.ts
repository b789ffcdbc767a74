/** Schedules that were fired, and when something is due in a connection. */
import { and, asc, eq, inArray, isNotNull, isNull, lt, or } from "drizzle-orm";
import { Effect } from "effect";
import type { Database } from "./database.ts";
import { inbox, links, outbox, schedules } from "./tables.ts";
import { isWaiting } from "./waiting.ts";

export const readFired = (database: Database, connection: string, kind: string) =>
  database.read("reading the schedules", async () => {
    const row = await database.db
      .select()
      .from(schedules)
      .where(and(eq(schedules.connection, connection), eq(schedules.kind, kind)))
      .get();
    return row?.firedAt ?? null;
  });

/** Takes one instant of a schedule; false if another process has taken it, or a later one. */
export const claimSchedule = (
  database: Database,
  { connection, kind, at }: { readonly connection: string; readonly kind: string; readonly at: number },
) =>
  database.write("firing a schedule", async () => {
    const inserted = await database.insertNew(schedules, [
      { connection, kind, firedAt: at, holder: null, until: null },
    ]);
    if (inserted[0] === true) return true;
    const moved = await database.db
      .update(schedules)
      .set({ firedAt: at })
      .where(
        and(
          eq(schedules.connection, connection),
          eq(schedules.kind, kind),
          or(isNull(schedules.firedAt), lt(schedules.firedAt, at)),
        ),
      )
      .returning({ at: schedules.firedAt });
    return moved.length > 0;
  });

const asked = { true: "asked sweep", false: "asked pull" } as const;

/** Asks whichever process keeps the connection going to read it soon. */
export const askFor = (
  database: Database,
  { connection, full, at }: { readonly connection: string; readonly full: boolean; readonly at: number },
) =>
  database.write("asking for a pull", () =>
    database.insert(
      schedules,
      [{ connection, kind: asked[`${full}`], firedAt: at, holder: null, until: null }],
      "replace",
    ),
  );

/** Takes what was asked of these connections. */
export const takeAsked = Effect.fn("schedules.take-asked")(function* (
  database: Database,
  names: ReadonlyArray<string>,
) {
  const mine = and(inArray(schedules.kind, Object.values(asked)), inArray(schedules.connection, [...names]));
  const found = yield* database.read("finding what was asked for", async () =>
    database.db.select({ connection: schedules.connection }).from(schedules).where(mine).limit(1),
  );
  if (found.length === 0) return [];
  const rows = yield* database.write("taking what was asked for", async () =>
    database.db.delete(schedules).where(mine).returning({ connection: schedules.connection, kind: schedules.kind }),
  );
  return rows.map(({ connection, kind }) => ({ connection, full: kind === asked.true }));
});

/** When the next unclaimed row of this connection is due; null if there is none. */
export const nextDue = (database: Database, connection: string) =>
  database.read("finding what is due", async () => {
    const row = await database.db
      .select({ dueAt: outbox.dueAt })
      .from(outbox)
      .where(and(eq(outbox.connection, connection), isNull(outbox.claim)))
      .orderBy(asc(outbox.dueAt))
      .limit(1)
      .get();
    return row?.dueAt ?? null;
  });

/** What waits to be read in a connection: unread calls, held pages, records that must be fetched again. */
export interface WaitingReads {
  readonly unread: boolean;
  readonly held: boolean;
  readonly due: boolean;
  /** When the next record must be fetched again, if none is due now. */
  readonly nextAt: number | null;
}

export const waitingReads = (
  database: Database,
  { connection, now }: { readonly connection: string; readonly now: number },
) =>
  database.read("finding what waits to be read", async (): Promise<WaitingReads> => {
    const open = await database.db
      .selectDistinct({ state: inbox.state })
      .from(inbox)
      .where(and(isWaiting, eq(inbox.connection, connection)));
    const states = new Set(open.map((row) => row.state));
    const next = await database.db
      .select({ at: links.fetchAfter })
      .from(links)
      .where(and(eq(links.connection, connection), isNotNull(links.fetchAfter)))
      .orderBy(asc(links.fetchAfter))
      .limit(1)
      .get();
    const nextAt = next?.at ?? null;
    const due = nextAt !== null && nextAt <= now;
    return { unread: states.has("unread"), held: states.has("held"), due, nextAt: due ? null : nextAt };
  });
