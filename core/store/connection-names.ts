/**
 * Gives a connection another name, or takes it out of the store: every row that names it, in one transaction.
 *
 * The change log and the audit are history and keep the name that was true then; what decides from now on (links,
 * provenance, candidates of conflicts) follows.
 */
import { and, asc, eq, gt, inArray, isNotNull } from "drizzle-orm";
import { Effect } from "effect";
import type { Conflict } from "../model/world.ts";
import { noteAudit } from "./audit.ts";
import { type Shelf, sealingFor } from "./browse.ts";
import { conflictOf, conflictRow } from "./rows.ts";
import {
  alerts,
  apiKeys,
  brakeMarks,
  canonicals,
  changes,
  conflicts,
  connections,
  counters,
  cursors,
  deadLetters,
  inbox,
  links,
  outbox,
  resources,
  runs,
  schedules,
  sent,
  shadows,
  subscriptions,
  tokens,
} from "./tables.ts";
import { isQuestion } from "./waiting.ts";

/** What the store holds of one connection. */
export interface ConnectionTally {
  readonly known: boolean;
  readonly links: number;
  /** Writes that are due. */
  readonly due: number;
  /** Questions about its records that wait for a person. */
  readonly open: number;
  readonly deadLetters: number;
  /** A channel at the vendor that calls us, and when it ends by itself. */
  readonly channel: { readonly id: string; readonly expiresAt: number | null } | null;
}

export const tallyConnection = Effect.fn("connection.tally")(function* ({ store }: Pick<Shelf, "store">, name: string) {
  const { database } = store;
  return yield* database.read("counting what a connection holds", async () => {
    const { db } = database;
    const [known] = await db.select().from(connections).where(eq(connections.name, name));
    const [channel] = await db.select().from(subscriptions).where(eq(subscriptions.connection, name));
    return {
      known: known !== undefined,
      links: await db.$count(links, eq(links.connection, name)),
      due: await db.$count(outbox, eq(outbox.connection, name)),
      open: await db.$count(conflicts, and(eq(conflicts.connection, name), isQuestion)),
      deadLetters: await db.$count(deadLetters, and(eq(deadLetters.connection, name), eq(deadLetters.state, "open"))),
      channel: channel === undefined ? null : { id: channel.remoteId, expiresAt: channel.expiresAt },
    } satisfies ConnectionTally;
  });
});

/** Tables that name the connection in a column and nowhere else. */
const naming = [
  cursors,
  counters,
  links,
  outbox,
  sent,
  inbox,
  deadLetters,
  runs,
  brakeMarks,
  schedules,
  conflicts,
  resources,
] as const;

interface Asked {
  readonly actor: string;
  readonly at: number;
}

/** The caller has made sure that nothing is known of `to`. Access tokens and channels are got anew: they are bound to the name. */
export const renameConnection = (
  shelf: Shelf,
  { from, to, actor, at }: Asked & { readonly from: string; readonly to: string },
) => {
  const { database } = shelf.store;
  return database.write(`renaming ${from}`, async () => {
    const { db } = database;
    for (const table of naming) {
      // All of them have this one column in common; the union of their types hides it.
      const one = table as typeof cursors;
      await db.update(one).set({ connection: to }).where(eq(one.connection, from));
    }
    await db.update(connections).set({ name: to }).where(eq(connections.name, from));
    await db.update(apiKeys).set({ connection: to }).where(eq(apiKeys.connection, from));
    await forget(shelf, from);
    await renameSources(shelf, from, to);
    // Whoever folds the log knows by this row whom earlier rows mean.
    await database.insert(changes, [
      {
        at,
        run: actor,
        connection: to,
        entity: "account",
        canonicalId: null,
        remoteId: null,
        kind: "renamed",
        clear: { note: { from } },
        sealed: null,
      },
    ]);
    await noteAudit(database, [{ at, actor, action: "rename connection", subject: to, detail: { from } }]);
  });
};

/** Its records stay where they are, and what was learned from it stays in the accounts. */
export const removeConnection = (shelf: Shelf, { name, actor, at }: Asked & { readonly name: string }) => {
  const { database } = shelf.store;
  return database.write(`removing ${name}`, async () => {
    const { db } = database;
    const mine = db.select({ id: links.id }).from(links).where(eq(links.connection, name));
    await db.delete(shadows).where(inArray(shadows.linkId, mine));
    await db
      .update(conflicts)
      .set({ state: "closed", updatedAt: at })
      .where(and(eq(conflicts.connection, name), isQuestion));
    for (const table of naming) {
      if (table === conflicts || table === runs) continue;
      // As above.
      const one = table as typeof cursors;
      await db.delete(one).where(eq(one.connection, name));
    }
    await db.delete(connections).where(eq(connections.name, name));
    await forget(shelf, name);
    await noteAudit(database, [{ at, actor, action: "remove connection", subject: name }]);
  });
};

/** What is sealed under the name, and alarms about it. */
async function forget({ store: { database } }: Shelf, name: string): Promise<void> {
  // An identity provider that still calls is refused from now on.
  await database.db.delete(apiKeys).where(eq(apiKeys.connection, name));
  await database.db.delete(tokens).where(eq(tokens.connection, name));
  await database.db.delete(subscriptions).where(eq(subscriptions.connection, name));
  await database.db.delete(alerts).where(eq(alerts.subject, name));
}

const batchMax = 500;
const batchesMax = 1_000_000;

/** Who a value came from, in accounts and in the rows of their conflicts. */
async function renameSources(shelf: Shelf, from: string, to: string): Promise<void> {
  const { db } = shelf.store.database;
  let after = "";
  for (let batch = 0; batch < batchesMax; batch++) {
    const rows = await db
      .selectDistinct({ id: links.canonicalId })
      .from(links)
      .where(and(eq(links.connection, to), isNotNull(links.canonicalId), gt(links.canonicalId, after)))
      .orderBy(asc(links.canonicalId))
      .limit(batchMax);
    const ids = rows.flatMap(({ id }) => id ?? []);
    if (ids.length === 0) return;
    after = ids.at(-1) ?? after;
    await renameProvenance(shelf, ids, from, to);
    await renameCandidates(shelf, ids, from, to);
  }
}

async function renameProvenance({ store: { database } }: Shelf, ids: ReadonlyArray<string>, from: string, to: string) {
  const live = await database.selectIn(canonicals, "id", ids);
  const merged = await database.selectIn(canonicals, "mergedInto", ids);
  const changed = [...live, ...merged].flatMap((row) => {
    // Written by packProvenance only: the source comes first.
    const fields = row.provenance as Readonly<Record<string, readonly [string, ...ReadonlyArray<unknown>]>>;
    if (!Object.values(fields).some(([source]) => source === from)) return [];
    const provenance = Object.fromEntries(
      Object.entries(fields).map(([field, [source, ...rest]]) => [field, [source === from ? to : source, ...rest]]),
    );
    return [{ id: row.id, provenance }];
  });
  await database.update(canonicals, ["id"], ["provenance"], changed);
}

async function renameCandidates(shelf: Shelf, ids: ReadonlyArray<string>, from: string, to: string): Promise<void> {
  const { database } = shelf.store;
  const rows = await database.selectIn(conflicts, "canonicalId", ids);
  if (rows.length === 0) return;
  const sealing = await sealingFor(shelf, ids);
  const named = (name: string): string => (name === from ? to : name);
  const changed = rows.flatMap((row) => {
    const conflict = conflictOf(sealing, row);
    if (conflict.winner !== from && !conflict.candidates.some(({ source }) => source === from)) return [];
    const renamed: Conflict = {
      ...conflict,
      winner: conflict.winner === null ? null : named(conflict.winner),
      candidates: conflict.candidates.map((one) => ({ ...one, source: named(one.source) })),
    };
    return [conflictRow(sealing, renamed)];
  });
  await database.insert(conflicts, changed, "replace");
}
