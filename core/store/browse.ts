/** Reading the store for people: lists, single accounts with their sources, search, history, conflicts, dead letters. */

import { and, asc, count, desc, eq, gt, inArray, lt, ne, or, type SQL, sql } from "drizzle-orm";
import { Effect } from "effect";
import type { Entity, Model } from "../model/field.ts";
import { wordsOf } from "../model/words.ts";
import { type Canonical, type ChangeRow, type Conflict, isOpen, type Link, type World } from "../model/world.ts";
import type { Database, Row } from "./database.ts";
import type { Store } from "./open.ts";
import { canonicalOf, changeOf, conflictOf, type KeyRing, type Sealing } from "./rows.ts";
import {
  canonicals,
  changes,
  conflicts,
  connections,
  cursors,
  dataKeys,
  deadLetters,
  inbox,
  links,
  matchKeys,
  outbox,
  runs,
  words,
} from "./tables.ts";
import { isWaiting } from "./waiting.ts";
import { loadWorld, storedKey } from "./world-store.ts";

export interface Shelf {
  readonly store: Store;
  readonly model: Model;
}

export async function sealingFor({ store, model }: Shelf, owners: ReadonlyArray<string>): Promise<Sealing> {
  const keys: KeyRing = new Map();
  for (const row of await store.database.selectIn(dataKeys, "owner", [...new Set(owners)])) {
    keys.set(row.owner, store.sealer.unwrap(row.owner, row.wrapped));
  }
  return { sealer: store.sealer, keys, model };
}

export async function opened(
  shelf: Shelf,
  rows: ReadonlyArray<Row<typeof canonicals>>,
): Promise<ReadonlyArray<Canonical>> {
  const sealing = await sealingFor(
    shelf,
    rows.map((row) => row.id),
  );
  return rows.map((row) => canonicalOf(sealing, row));
}

export interface ListOptions {
  readonly entity: Entity;
  readonly after?: string;
  readonly limit: number;
  readonly withDeleted?: boolean;
}

/** Canonicals in the order of their ids, which is the order of their making. */
export const listCanonicals = Effect.fn("browse.list")(function* (shelf: Shelf, options: ListOptions) {
  const { database } = shelf.store;
  return yield* database.read("listing", async () => {
    const conditions: Array<SQL> = [eq(canonicals.entity, options.entity)];
    if (options.after !== undefined) conditions.push(gt(canonicals.id, options.after));
    conditions.push(options.withDeleted === true ? ne(canonicals.state, "merged") : eq(canonicals.state, "live"));
    const rows = await database.db
      .select()
      .from(canonicals)
      .where(and(...conditions))
      .orderBy(asc(canonicals.id))
      .limit(options.limit);
    return opened(shelf, rows);
  });
});

/** By id, those that there are; an id of one that was merged gives the one that it was merged into. */
export const readCanonicals = Effect.fn("browse.canonicals")(function* (shelf: Shelf, ids: ReadonlyArray<string>) {
  const { database, sealer } = shelf.store;
  return yield* database.read("reading names", async (): Promise<ReadonlyMap<string, Canonical>> => {
    const { world } = await loadWorld(database, sealer, shelf.model, { canonicalIds: [...new Set(ids)] });
    return new Map(
      ids.flatMap((id) => {
        const canonical = world.canonical(id);
        return canonical === undefined ? [] : [[id, canonical] as const];
      }),
    );
  });
});

export const countCanonicals = Effect.fn("browse.count")(function* (shelf: Shelf, entity: Entity) {
  const { database } = shelf.store;
  return yield* database.read("counting", async () =>
    database.db.$count(canonicals, and(eq(canonicals.entity, entity), eq(canonicals.state, "live"))),
  );
});

export interface Sheet {
  readonly canonical: Canonical;
  /** The id that was asked for, when it is an alias of a merged one. */
  readonly askedFor: string;
  readonly links: ReadonlyArray<Link>;
  readonly conflicts: ReadonlyArray<Conflict>;
  readonly due: ReadonlyArray<string>;
  /** Names of the records that references point to. */
  readonly targets: ReadonlyMap<string, Canonical>;
  /** The working set that it was read from, for rules that look further. */
  readonly world: World;
}

/** One account or contact with everything known of it; null if there is none. */
export const readSheet = Effect.fn("browse.sheet")(function* (shelf: Shelf, id: string) {
  const { database, sealer } = shelf.store;
  return yield* database.read("reading an account", async (): Promise<Sheet | null> => {
    const { world, sealing } = await loadWorld(database, sealer, shelf.model, {
      canonicalIds: [id],
      withTargets: true,
    });
    const canonical = world.canonical(id);
    if (canonical === undefined) return null;
    const rows = await database.db
      .select()
      .from(conflicts)
      .where(eq(conflicts.canonicalId, canonical.id))
      .orderBy(asc(conflicts.id))
      .limit(500);
    const waiting = await database.db.select().from(outbox).where(eq(outbox.canonicalId, canonical.id));
    return {
      canonical,
      askedFor: id,
      links: world.linksFor(canonical.id),
      conflicts: rows.map((row) => conflictOf(sealing, row)),
      due: waiting.map((row) => row.connection),
      targets: world.canonicals,
      world,
    };
  });
});

/** The history of one account or contact, newest first. */
export const readHistory = Effect.fn("browse.history")(function* (
  shelf: Shelf,
  id: string,
  options: { readonly limit: number; readonly before?: number },
) {
  const { database } = shelf.store;
  return yield* database.read(
    "reading the history",
    async (): Promise<ReadonlyArray<ChangeRow & { readonly position: number }>> => {
      const rows = await database.db
        .select()
        .from(changes)
        .where(
          and(
            eq(changes.canonicalId, id),
            options.before === undefined ? undefined : lt(changes.position, options.before),
          ),
        )
        .orderBy(desc(changes.position))
        .limit(options.limit);
      const sealing = await sealingFor(shelf, [id]);
      return rows.map((row) => changeOf(sealing, row));
    },
  );
});

/** Changes that are taken back together. */
const logMax = 1_000_000;

/** The kind is written out, as in the index `changes_filled`, or SQLite would not use it. */
const filledBy = (run: string): SQL => sql`${changes.run} = ${run} and ${changes.kind} = 'filled'`;

/** A part of the change log: all of a run, what its first meetings filled in, or one change by its number. */
export type LogPlace = { readonly run: string; readonly only?: "fills" } | { readonly position: number };

/** The changes there, oldest first; none where the log has no such run or change. */
export const readLogOf = Effect.fn("browse.log-of")(function* (shelf: Shelf, place: LogPlace) {
  const { database } = shelf.store;
  return yield* database.read("reading the log", async () => {
    const rows = await database.db
      .select()
      .from(changes)
      .where(conditionOf(place))
      .orderBy(asc(changes.position))
      .limit(logMax);
    const sealing = await sealingFor(
      shelf,
      rows.flatMap((row) => row.canonicalId ?? []),
    );
    return rows.map((row) => changeOf(sealing, row));
  });
});

function conditionOf(place: LogPlace): SQL {
  if ("position" in place) return eq(changes.position, place.position);
  return place.only === "fills" ? filledBy(place.run) : eq(changes.run, place.run);
}

/** Whether the store knows a run; each of its connections has a row. */
export const isRun = Effect.fn("browse.is-run")(function* (shelf: Pick<Shelf, "store">, run: string) {
  const { database } = shelf.store;
  return yield* database.read("looking for a run", async () => {
    // Ids are in order: all rows of a run begin with it and a bar, which the next character follows.
    const [first] = await database.db
      .select({ id: runs.id })
      .from(runs)
      .where(and(gt(runs.id, `${run}/`), lt(runs.id, `${run}0`)))
      .limit(1);
    return first !== undefined;
  });
});

const searchMax = 50;

/**
 * Exact by id, remote id or key; substring on account names; whole words on contact names. Without `personal` nothing is
 * found by what is personal: that would tell whether it is here.
 */
export const search = Effect.fn("browse.search")(function* (
  shelf: Shelf,
  entity: Entity,
  text: string,
  { personal = true }: { readonly personal?: boolean } = {},
) {
  const { database, sealer } = shelf.store;
  const wanted = text.trim();
  return yield* database.read("searching", async () => {
    const { db } = database;
    const ids = new Set<string>();
    const exact = await db
      .select({ id: canonicals.id, mergedInto: canonicals.mergedInto })
      .from(canonicals)
      .where(eq(canonicals.id, wanted));
    for (const row of exact) ids.add(row.mergedInto ?? row.id);
    const linked = await db
      .select({ id: links.canonicalId })
      .from(links)
      .where(and(eq(links.remoteId, wanted), eq(links.entity, entity)))
      .limit(searchMax);
    for (const row of linked) if (row.id !== null) ids.add(row.id);
    const keyValues = keyForms(wanted, personal).map((key) => storedKey(sealer, { entity, ...key }));
    const keyed = await db
      .select({ id: matchKeys.canonicalId })
      .from(matchKeys)
      .where(inArray(matchKeys.value, keyValues))
      .limit(searchMax);
    for (const row of keyed) ids.add(row.id);
    if (entity === "account") {
      const named = await db
        .select({ id: canonicals.id })
        .from(canonicals)
        .where(
          and(
            eq(canonicals.entity, "account"),
            ne(canonicals.state, "merged"),
            database.words.contains(canonicals.name, wanted),
          ),
        )
        .limit(searchMax);
      for (const row of named) ids.add(row.id);
    } else if (personal) for (const id of await byWords(shelf, wanted)) ids.add(id);
    const rows = await database.selectIn(canonicals, "id", [...ids].slice(0, searchMax));
    return opened(
      shelf,
      rows.filter((row) => row.entity === entity),
    );
  });
});

/** Contacts whose names have all the words. */
async function byWords(shelf: Shelf, text: string): Promise<ReadonlyArray<string>> {
  const { database, sealer } = shelf.store;
  const blind = wordsOf(text).map((word) => sealer.blind("word", word));
  if (blind.length === 0) return [];
  const rows = await database.selectIn(words, "word", blind);
  const hits = new Map<string, number>();
  for (const row of rows) hits.set(row.canonicalId, (hits.get(row.canonicalId) ?? 0) + 1);
  return [...hits].filter(([, count]) => count === blind.length).map(([id]) => id);
}

/** A typed text as each kind of key that it may be. */
function keyForms(text: string, personal: boolean): ReadonlyArray<{ readonly kind: string; readonly value: string }> {
  const lower = text.toLowerCase();
  const ofCompanies = [
    { kind: "taxId", value: text.toUpperCase().replace(/[\s-]/g, "") },
    {
      kind: "domain",
      value: lower
        .replace(/^https?:\/\//, "")
        .replace(/^www\./, "")
        .replace(/\/.*$/, ""),
    },
  ];
  if (!personal) return ofCompanies;
  return [
    ...ofCompanies,
    { kind: "email", value: lower },
    { kind: "phone", value: text.replace(/[\s()./-]/g, "") },
    { kind: "login", value: text },
  ];
}

export interface ConflictFilter {
  readonly open?: boolean;
  readonly kind?: string;
  readonly connection?: string;
  readonly field?: string;
  readonly canonicalId?: string;
  readonly run?: string;
  readonly limit: number;
  readonly after?: string;
}

/** Rows of the conflict log, oldest first. */
export const listConflicts = Effect.fn("browse.conflicts")(function* (shelf: Shelf, filter: ConflictFilter) {
  const { database } = shelf.store;
  return yield* database.read("listing conflicts", async () => {
    const conditions: Array<SQL | undefined> = [
      filter.open === true ? or(eq(conflicts.state, "open"), eq(conflicts.state, "reopened")) : undefined,
      filter.kind === undefined ? undefined : eq(conflicts.kind, filter.kind),
      filter.connection === undefined ? undefined : eq(conflicts.connection, filter.connection),
      filter.field === undefined ? undefined : eq(conflicts.field, filter.field),
      filter.canonicalId === undefined ? undefined : eq(conflicts.canonicalId, filter.canonicalId),
      filter.run === undefined ? undefined : eq(conflicts.run, filter.run),
      filter.after === undefined ? undefined : gt(conflicts.id, filter.after),
    ];
    const rows = await database.db
      .select()
      .from(conflicts)
      .where(and(...conditions))
      .orderBy(asc(conflicts.id))
      .limit(filter.limit);
    const sealing = await sealingFor(
      shelf,
      rows.flatMap((row) => (row.canonicalId === null ? [] : [row.canonicalId])),
    );
    return rows.map((row) => conflictOf(sealing, row));
  });
});

export const readConflict = Effect.fn("browse.conflict")(function* (shelf: Shelf, id: string) {
  const { database } = shelf.store;
  return yield* database.read("reading a conflict", async () => {
    const row = await database.db.select().from(conflicts).where(eq(conflicts.id, id)).get();
    if (row === undefined) return null;
    return conflictOf(await sealingFor(shelf, row.canonicalId === null ? [] : [row.canonicalId]), row);
  });
});

export interface ConflictTotals {
  readonly open: number;
  readonly settled: number;
  readonly byKind: Readonly<Record<string, number>>;
}

export const countConflicts = Effect.fn("browse.conflict-totals")(function* (shelf: Shelf) {
  const { database } = shelf.store;
  return yield* database.read("counting conflicts", async (): Promise<ConflictTotals> => {
    const tally = await tallyConflicts(database);
    const byKind: Record<string, number> = {};
    for (const row of tally) byKind[row.kind] = (byKind[row.kind] ?? 0) + row.count;
    return { open: countOpen(tally), settled: countSettled(tally), byKind };
  });
});

interface Tally {
  readonly kind: string;
  readonly state: string;
  readonly count: number;
}

/** Rows of the conflict log by kind and state: all of them, or those of one run. */
async function tallyConflicts({ db }: Database, run?: string): Promise<ReadonlyArray<Tally>> {
  return db
    .select({ kind: conflicts.kind, state: conflicts.state, count: count() })
    .from(conflicts)
    .where(run === undefined ? undefined : eq(conflicts.run, run))
    .groupBy(conflicts.kind, conflicts.state);
}

const sumOf = (rows: ReadonlyArray<Tally>): number => rows.reduce((sum, row) => sum + row.count, 0);
const countOpen = (rows: ReadonlyArray<Tally>): number => sumOf(rows.filter(isOpen));
const countSettled = (rows: ReadonlyArray<Tally>): number =>
  sumOf(rows.filter((row) => row.kind === "value" && row.state === "settled"));

/** What one run found: in one summary, not as hundreds of alarms. */
export interface RunTally {
  /** Empty fields that a first meeting filled. */
  readonly filled: number;
  readonly settled: number;
  readonly opened: number;
  /** Open ones, of this run and of earlier ones. */
  readonly deadLetters: number;
}

export const countRun = Effect.fn("browse.run")(function* (shelf: Pick<Shelf, "store">, run: string) {
  const { database } = shelf.store;
  return yield* database.read("counting what the run found", async (): Promise<RunTally> => {
    const { db } = database;
    const tally = await tallyConflicts(database, run);
    return {
      filled: await db.$count(changes, filledBy(run)),
      settled: countSettled(tally),
      opened: countOpen(tally),
      deadLetters: await db.$count(deadLetters, eq(deadLetters.state, "open")),
    };
  });
});

export type DeadLetterRow = Omit<Row<typeof deadLetters>, "sealed">;

/** What will not succeed alone, newest first. Values stay sealed. */
export const listDeadLetters = Effect.fn("browse.dead-letters")(function* (
  shelf: Shelf,
  filter: { readonly connection?: string; readonly all?: boolean; readonly limit: number },
) {
  const { database } = shelf.store;
  return yield* database.read("listing dead letters", async (): Promise<ReadonlyArray<DeadLetterRow>> => {
    const rows = await database.db
      .select()
      .from(deadLetters)
      .where(
        and(
          filter.all === true ? undefined : eq(deadLetters.state, "open"),
          filter.connection === undefined ? undefined : eq(deadLetters.connection, filter.connection),
        ),
      )
      .orderBy(desc(deadLetters.lastAt))
      .limit(filter.limit);
    return rows.map(({ sealed: _, ...row }) => row);
  });
});

export interface ConnectionState {
  readonly name: string;
  readonly system: string;
  readonly state: string;
  readonly reason: string | null;
  readonly pausedUntil: number | null;
  readonly lastRunAt: number | null;
  readonly records: number;
  readonly due: number;
  readonly deadLetters: number;
  readonly held: number;
  readonly cursors: ReadonlyArray<{ readonly entity: string; readonly mode: string; readonly savedAt: number }>;
}

/** Every connection that the store knows, also those that are gone from the YAML. */
export const listConnections = Effect.fn("browse.connections")(function* (shelf: Shelf) {
  const { database } = shelf.store;
  return yield* database.read("listing connections", async (): Promise<ReadonlyArray<ConnectionState>> => {
    const { db } = database;
    const rows = await db.select().from(connections).orderBy(asc(connections.name));
    const states: Array<ConnectionState> = [];
    for (const row of rows) {
      const saved = await db.select().from(cursors).where(eq(cursors.connection, row.name));
      states.push({
        name: row.name,
        system: row.system,
        state: row.state,
        reason: row.reason,
        pausedUntil: row.pausedUntil,
        lastRunAt: row.lastRunAt,
        records: await db.$count(links, and(eq(links.connection, row.name), eq(links.state, "live"))),
        due: await db.$count(outbox, eq(outbox.connection, row.name)),
        deadLetters: await db.$count(
          deadLetters,
          and(eq(deadLetters.connection, row.name), eq(deadLetters.state, "open")),
        ),
        held: await db.$count(inbox, and(isWaiting, eq(inbox.connection, row.name), eq(inbox.state, "held"))),
        cursors: saved.map((cursor) => ({ entity: cursor.entity, mode: cursor.mode, savedAt: cursor.savedAt })),
      });
    }
    return states;
  });
});
