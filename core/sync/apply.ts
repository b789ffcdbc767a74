/**
 * Apply: one page of remote changes, from the read to the commit, in one transaction with its cursor.
 *
 * Load → decide → commit. Records whose print is the one of the last read take a short way: only their evidence moves,
 * in one statement for the page. A source that deletes, blanks or overwrites too much is held before the merge.
 */
import { and, eq, gte, isNull, sql } from "drizzle-orm";
import { Effect } from "effect";
import type { Change, Page } from "../connector.ts";
import { type Arrival, type Arrived, decidePage } from "../model/decide.ts";
import type { Entity } from "../model/field.ts";
import { matchKeys } from "../model/match-keys.ts";
import type { Moment } from "../model/moment.ts";
import type { BadRecord, RemoteRecord, Tombstone } from "../model/record.ts";
import { decodeRecord, fieldOf, type Side } from "../model/settings.ts";
import { isEmpty } from "../model/value.ts";
import { type Counts, noCounts, type World } from "../model/world.ts";
import { noteAudit } from "../store/audit.ts";
import type { Database, Row } from "../store/database.ts";
import { brakeMarks, conflicts, connections, cursors, inbox, links } from "../store/tables.ts";
import { linkNumbers, linksByRemote, loadWorld, saveWorld } from "../store/world-store.ts";
import type { Engine, LiveConnection } from "./engine.ts";

export interface ApplyRequest {
  readonly live: LiveConnection;
  readonly entity: Entity;
  readonly page: Pick<Page, "changes" | "readBegan" | "readEnded">;
  /** Saved in the same transaction. */
  readonly cursor?: { readonly mode: "changes" | "listing"; readonly value: unknown };
  readonly run: string;
  readonly deferMeetings: boolean;
  /** Held work that a person let through, or rejected: the brake is off. */
  readonly decided?: "released" | "rejected";
  /** The page answers a look-up by id: a record that it does not show may only be hidden (D15). */
  readonly byId?: boolean;
}

export interface Applied {
  readonly counts: Counts;
  /** The brake holds this source; the page waits in the inbox for a decision. */
  readonly held: boolean;
  /** How many accounts and contacts the page brought something new about. */
  readonly news?: number;
}

export const applyPage = Effect.fn("apply.page")(function* (engine: Engine, request: ApplyRequest) {
  const { live, entity } = request;
  const side = live.sides.get(entity);
  if (side === undefined) return { counts: noCounts(), held: false } satisfies Applied;
  const { database } = engine.store;
  return yield* database.write(`applying a page of ${live.name}`, () => applyInside(engine, side, request));
});

async function applyInside(engine: Engine, side: Side, request: ApplyRequest): Promise<Applied> {
  const { store, clock } = engine;
  const { database } = store;
  const now = clock.now();
  if (request.cursor !== undefined) await saveCursor(database, request, now);
  if (request.page.changes.length === 0) return { counts: noCounts(), held: false };
  const heldBy = request.decided === undefined ? await holdingCase(database, side.connection) : undefined;
  if (heldBy !== undefined) {
    await holdPage(engine, side, request, heldBy, now);
    return { counts: noCounts(), held: true };
  }
  const sorted = sortChanges(request.page.changes);
  const { arrivals, touched, unchanged } = await findChanged(engine, side, sorted.records, request);
  const counts = noCounts();
  counts.unchanged = unchanged.length;
  await advanceUnchanged(database, unchanged, request);
  if (arrivals.length > 0 || sorted.tombstones.length > 0 || sorted.bad.length > 0) {
    const arrival: Arrival = {
      records: arrivals,
      tombstones: sorted.tombstones,
      bad: sorted.bad,
      read: { began: request.page.readBegan, ended: request.page.readEnded },
      hearsay: request.byId === true && !side.goneIsProof,
    };
    const world = await decideArrival(engine, side, arrival, touched, request, now);
    if (world === "held") return { counts: noCounts(), held: true };
    addCounts(counts, world.counts);
    const told = world.log.filter((change) => change.kind !== "noted" && change.canonicalId !== null);
    return { counts, held: false, news: new Set(told.map((change) => change.canonicalId)).size };
  }
  return { counts, held: false };
}

async function decideArrival(
  engine: Engine,
  side: Side,
  arrival: Arrival,
  touched: ReadonlyArray<Row<typeof links>>,
  request: ApplyRequest,
  now: number,
): Promise<World | "held"> {
  const { store, settings, model, ids } = engine;
  const { database, sealer } = store;
  const tombstoneIds = arrival.tombstones.flatMap((tombstone) =>
    tombstone.mergedInto === undefined ? [tombstone.id] : [tombstone.id, tombstone.mergedInto],
  );
  const gone = await linksByRemote(database, side.connection, side.entity, tombstoneIds);
  const { world, sealing } = await loadWorld(database, sealer, model, {
    links: [...touched, ...gone],
    canonicalIds: arrival.records.flatMap((arrived) => (arrived.hubId === null ? [] : [arrived.hubId])),
    keys: keysWanted(side, arrival, touched),
    remotes: arrival.records.flatMap((arrived) => referencesOf(engine, side, arrived)),
    casesOf: {
      connection: side.connection,
      remoteIds: [...arrival.records.map(({ record }) => record.id), ...tombstoneIds],
    },
  });
  if (tombstoneIds.length > 0) await loadRelatives(engine, side, world, tombstoneIds);
  const numbers = await linkNumbers(database);
  const moment: Moment = {
    now,
    run: request.run,
    newId: ids.next,
    deferMeetings: request.deferMeetings,
    ...(request.decided === "rejected" ? { overrule: true } : {}),
    ...causeOf(request),
  };
  decidePage(world, settings, side, arrival, moment, numbers);
  if (request.decided === undefined) {
    const marks = marksOf(world, side);
    const brake = await tooMuch(engine, request.live, marks, now);
    if (brake !== undefined) {
      const caseId = await openBrake(engine, side, request, brake, now);
      await holdPage(engine, side, request, caseId, now);
      return "held";
    }
    if (marks.deletes + marks.blanks + marks.overwrites > 0)
      await database.insert(brakeMarks, [{ connection: side.connection, at: now, ...marks }]);
  }
  await numbers.save();
  await saveWorld(database, sealing, world, { now, newId: ids.next, settings });
  return world;
}

/** What a first load brings, and what a person has let through, is no news to the brake of the targets. */
function causeOf(request: ApplyRequest): { readonly cause?: string } {
  if (request.decided === "released") return { cause: "released" };
  return request.deferMeetings ? { cause: "met" } : {};
}

/** Deleted accounts are compared with those that share a key with them: one may be the master of a merge (D23). */
async function loadRelatives(
  engine: Engine,
  side: Side,
  world: World,
  remoteIds: ReadonlyArray<string>,
): Promise<void> {
  if (side.namesMaster) return;
  const keys = remoteIds.flatMap((remoteId) => {
    const link = world.link(side.connection, side.entity, remoteId);
    const canonical = link?.canonicalId == null ? undefined : world.canonical(link.canonicalId);
    return canonical === undefined
      ? []
      : matchKeys(side.entity, canonical.values).map((key) => ({ entity: side.entity, ...key }));
  });
  if (keys.length === 0) return;
  const { world: relatives } = await loadWorld(engine.store.database, engine.store.sealer, engine.model, { keys });
  world.adopt(relatives);
}

function sortChanges(changes: ReadonlyArray<Change>): {
  readonly records: ReadonlyArray<RemoteRecord>;
  readonly tombstones: ReadonlyArray<Tombstone>;
  readonly bad: ReadonlyArray<BadRecord>;
} {
  const records: Array<RemoteRecord> = [];
  const tombstones: Array<Tombstone> = [];
  const bad: Array<BadRecord> = [];
  for (const change of changes) {
    if (change.kind === "record") records.push(change);
    else if (change.kind === "deleted") tombstones.push(change);
    else bad.push(change);
  }
  return { records, tombstones, bad };
}

/** Splits the page into what must be decided and what the prints show to be as it was. */
async function findChanged(engine: Engine, side: Side, records: ReadonlyArray<RemoteRecord>, request: ApplyRequest) {
  const { sealer, database } = engine.store;
  const rows = await linksByRemote(
    database,
    side.connection,
    side.entity,
    records.map((record) => record.id),
  );
  const byRemote = new Map(rows.map((row) => [row.remoteId, row]));
  const arrivals: Array<Arrived> = [];
  const touched = new Map<number, Row<typeof links>>();
  const unchanged: Array<number> = [];
  for (const record of records) {
    const print = sealer.blind(side.mapPrint, JSON.stringify(record.fields));
    const row = byRemote.get(record.id);
    if (row !== undefined && isUnchanged(row, record, print, request)) {
      unchanged.push(row.id);
      continue;
    }
    if (row !== undefined) touched.set(row.id, row);
    const key = side.keyField === undefined ? undefined : record.fields[side.keyField];
    arrivals.push({
      record,
      decoded: decodeRecord(engine.settings, side, record.fields),
      print,
      hubId: typeof key === "string" && key !== "" ? key : null,
    });
  }
  return { arrivals, touched: [...touched.values()], unchanged };
}

function isUnchanged(row: Row<typeof links>, record: RemoteRecord, print: string, request: ApplyRequest): boolean {
  return (
    row.print === print &&
    row.state === "live" &&
    row.fetchAfter === null &&
    row.version === (record.version ?? null) &&
    row.modifiedAt === (record.modifiedAt ?? null) &&
    (row.settledAt === null || request.page.readBegan >= row.settledAt)
  );
}

async function advanceUnchanged(database: Database, ids: ReadonlyArray<number>, request: ApplyRequest): Promise<void> {
  if (ids.length === 0) return;
  database.advanceReads(ids, request.page.readBegan, request.page.readEnded);
}

function keysWanted(side: Side, arrival: Arrival, touched: ReadonlyArray<Row<typeof links>>) {
  const linked = new Set(touched.filter((row) => row.canonicalId !== null).map((row) => row.remoteId));
  return arrival.records.flatMap(({ record, decoded }) =>
    linked.has(record.id) ? [] : matchKeys(side.entity, decoded.values).map((key) => ({ entity: side.entity, ...key })),
  );
}

function referencesOf(engine: Engine, side: Side, arrived: Arrived) {
  return Object.entries(arrived.decoded.references).flatMap(([field, remoteId]) => {
    const entity = fieldOf(engine.settings, side.entity, field)?.target;
    return entity === undefined ? [] : [{ connection: side.connection, entity, remoteId }];
  });
}

async function saveCursor(database: Database, request: ApplyRequest, now: number): Promise<void> {
  if (request.cursor === undefined) return;
  await database.insert(
    cursors,
    [
      {
        connection: request.live.name,
        entity: request.entity,
        mode: request.cursor.mode,
        cursor: request.cursor.value,
        savedAt: now,
      },
    ],
    "replace",
  );
}

export function addCounts(into: Counts, from: Counts): void {
  for (const name of Object.keys(from) as Array<keyof Counts>) into[name] += from[name];
}

// ---- the brake at the source (D24) ----

export interface Marks {
  readonly deletes: number;
  readonly blanks: number;
  readonly overwrites: number;
}

/**
 * How many records this page deletes, blanks a field of, or overwrites a field of; one whose version went back counts as
 * overwritten (D7). First meetings do not count.
 */
function marksOf(world: World, side: Side): Marks {
  const blanked = new Set<string>();
  const overwritten = new Set<string>();
  for (const id of world.wentBack) overwritten.add(id);
  for (const change of world.log) {
    if (change.kind !== "changed" || change.connection !== side.connection || change.canonicalId === null) continue;
    if (change.note?.by === "delete" || change.note?.conflict !== undefined) continue;
    for (const [field, from] of Object.entries(change.from ?? {})) {
      if (isEmpty(from)) continue;
      if (isEmpty(change.set?.[field])) blanked.add(change.canonicalId);
      else overwritten.add(change.canonicalId);
    }
  }
  return { deletes: world.counts.deleted, blanks: blanked.size, overwrites: overwritten.size };
}

async function tooMuch(engine: Engine, live: LiveConnection, marks: Marks, now: number): Promise<Marks | undefined> {
  if (marks.deletes + marks.blanks + marks.overwrites === 0) return undefined;
  const { db } = engine.store.database;
  const earlier = await db
    .select({
      deletes: sql<number>`coalesce(sum(${brakeMarks.deletes}), 0)`,
      blanks: sql<number>`coalesce(sum(${brakeMarks.blanks}), 0)`,
      overwrites: sql<number>`coalesce(sum(${brakeMarks.overwrites}), 0)`,
    })
    .from(brakeMarks)
    .where(and(eq(brakeMarks.connection, live.name), gte(brakeMarks.at, now - live.brake.windowMs)))
    .get();
  const total: Marks = {
    deletes: marks.deletes + (earlier?.deletes ?? 0),
    blanks: marks.blanks + (earlier?.blanks ?? 0),
    overwrites: marks.overwrites + (earlier?.overwrites ?? 0),
  };
  const most = Math.max(total.deletes, total.blanks, total.overwrites);
  if (most <= live.brake.records) return undefined;
  const records = await db.$count(links, eq(links.connection, live.name));
  return most > Math.max(live.brake.records, live.brake.share * records) ? total : undefined;
}

async function holdingCase(database: Database, connection: string): Promise<string | undefined> {
  const row = await database.db.select().from(connections).where(eq(connections.name, connection)).get();
  if (row?.state !== "held") return undefined;
  const open = await database.db
    .select({ id: conflicts.id })
    .from(conflicts)
    .where(
      and(
        eq(conflicts.kind, "brake"),
        eq(conflicts.connection, connection),
        eq(conflicts.state, "open"),
        isNull(conflicts.rule),
      ),
    )
    .get();
  return open?.id;
}

async function openBrake(
  engine: Engine,
  side: Side,
  request: ApplyRequest,
  total: Marks,
  now: number,
): Promise<string> {
  const { database } = engine.store;
  const id = engine.ids.next("con");
  const reason = `${side.connection} would delete ${total.deletes}, blank ${total.blanks} and overwrite ${total.overwrites} records within ${Math.round(request.live.brake.windowMs / 60_000)} minutes; nothing of it is applied until a person decides`;
  await database.insert(conflicts, [
    {
      id,
      kind: "brake",
      entity: side.entity,
      canonicalId: null,
      connection: side.connection,
      remoteId: null,
      field: null,
      state: "open",
      rule: null,
      winner: null,
      run: request.run,
      openedAt: now,
      updatedAt: now,
      clear: { reason, detail: { ...total } },
      sealed: null,
    },
  ]);
  await database.db.update(connections).set({ state: "held", reason }).where(eq(connections.name, side.connection));
  await noteAudit(database, [
    { at: now, actor: "hub", action: "brake", subject: side.connection, detail: { ...total, case: id } },
  ]);
  return id;
}

/** What a page said, as received, kept until the decision. */
export interface HeldPage {
  readonly changes: ReadonlyArray<Change>;
  readonly readBegan: number;
  readonly readEnded: number;
}

async function holdPage(engine: Engine, side: Side, request: ApplyRequest, caseId: string, now: number): Promise<void> {
  const { database, sealer } = engine.store;
  const { changes, readBegan, readEnded } = request.page;
  const held: HeldPage = { changes, readBegan, readEnded };
  await database.insert(inbox, [
    {
      kind: "page",
      connection: side.connection,
      entity: side.entity,
      state: "held",
      caseId,
      receivedAt: now,
      sealed: sealer.sealHub("inbox", held),
    },
  ]);
}
