/** What a running hub is measured by, counted in the store: a handful of statements over indexes, whatever its size. */
import { and, count, desc, eq, gt, inArray, isNotNull, min } from "drizzle-orm";
import type { Database } from "./database.ts";
import { conflicts, deadLetters, inbox, outbox, runs, subscriptions } from "./tables.ts";
import { isQuestion, isWaiting } from "./waiting.ts";

export interface ConnectionCounts {
  readonly outbox: number;
  /** When the row that waits longest became due, or is tried again. */
  readonly outboxDueAt: number | null;
  /** Records that were tried and wait for another try; a bounded number. */
  readonly postponed: ReadonlyArray<string>;
  readonly deadLetters: number;
  readonly unread: number;
  /** When the oldest call that nobody has read was received. */
  readonly unreadSince: number | null;
  /** When the last pull that succeeded ended. */
  readonly pulledAt: number | null;
  /** Channels whose last try with the vendor failed. */
  readonly lostChannels: number;
}

export interface OpenConflicts {
  /** "" where the question is not about one connection. */
  readonly connection: string;
  readonly kind: string;
  readonly count: number;
}

export interface StoreCounts {
  readonly connections: ReadonlyMap<string, ConnectionCounts>;
  readonly openConflicts: ReadonlyArray<OpenConflicts>;
}

const postponedMax = 1_000;
/** Runs that are looked through for one that succeeded. */
const runsMax = 500;

/** Counts for these connections. */
export const readCounts = (database: Database, names: ReadonlyArray<string>, now: number) =>
  database.read("counting", async (): Promise<StoreCounts> => {
    const { db } = database;
    const due = await db
      .select({ connection: outbox.connection, count: count(), dueAt: min(outbox.dueAt) })
      .from(outbox)
      .groupBy(outbox.connection);
    const letters = await db
      .select({ connection: deadLetters.connection, count: count() })
      .from(deadLetters)
      .where(eq(deadLetters.state, "open"))
      .groupBy(deadLetters.connection);
    const unread = await db
      .select({ connection: inbox.connection, count: count(), first: min(inbox.id) })
      .from(inbox)
      .where(and(isWaiting, eq(inbox.state, "unread")))
      .groupBy(inbox.connection);
    const lost = await db
      .select({ connection: subscriptions.connection, count: count() })
      .from(subscriptions)
      .where(isNotNull(subscriptions.reason))
      .groupBy(subscriptions.connection);
    const open = await db
      .select({ connection: conflicts.connection, kind: conflicts.kind, count: count() })
      .from(conflicts)
      .where(isQuestion)
      .groupBy(conflicts.connection, conflicts.kind);
    const connections = new Map<string, ConnectionCounts>();
    for (const name of names) {
      const isOf = (row: { readonly connection: string }): boolean => row.connection === name;
      const waiting = due.find(isOf);
      const calls = unread.find(isOf);
      connections.set(name, {
        outbox: waiting?.count ?? 0,
        outboxDueAt: waiting?.dueAt ?? null,
        postponed: waiting === undefined ? [] : await postponedOf(database, name, now),
        deadLetters: letters.find(isOf)?.count ?? 0,
        unread: calls?.count ?? 0,
        unreadSince: calls?.first == null ? null : await receivedAt(database, calls.first),
        pulledAt: await pulledAt(database, name),
        lostChannels: lost.find(isOf)?.count ?? 0,
      });
    }
    return {
      connections,
      openConflicts: open.map((row) => ({ ...row, connection: row.connection ?? "" })),
    };
  });

/** What was never tried is due at once: only rows that were tried lie ahead. */
async function postponedOf({ db }: Database, name: string, now: number): Promise<ReadonlyArray<string>> {
  const rows = await db
    .select({ id: outbox.canonicalId })
    .from(outbox)
    .where(and(eq(outbox.connection, name), gt(outbox.dueAt, now)))
    .limit(postponedMax);
  return rows.map((row) => row.id);
}

async function receivedAt({ db }: Database, id: number): Promise<number | null> {
  const row = await db.select({ at: inbox.receivedAt }).from(inbox).where(eq(inbox.id, id)).get();
  return row?.at ?? null;
}

async function pulledAt({ db }: Database, name: string): Promise<number | null> {
  const latest = db
    .select({ id: runs.id })
    .from(runs)
    .where(eq(runs.connection, name))
    .orderBy(desc(runs.startedAt))
    .limit(runsMax);
  const row = await db
    .select({ endedAt: runs.endedAt })
    .from(runs)
    .where(and(inArray(runs.id, latest), eq(runs.outcome, "ok")))
    .orderBy(desc(runs.startedAt))
    .limit(1)
    .get();
  return row?.endedAt ?? null;
}
