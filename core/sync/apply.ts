import { Effect } from "effect";
import type { Change, Page } from "../connector.ts";
import { type Arrival, type Arrived, decidePage } from "../model/decide.ts";
import type { Entity } from "../model/field.ts";
import { matchKeys } from "../model/match-keys.ts";
import type { Moment } from "../model/moment.ts";
import type { BadRecord, RemoteRecord, Tombstone } from "../model/record.ts";
import { decodeRecord, fieldOf, type Side } from "../model/settings.ts";
import { type Counts, noCounts, type World } from "../model/world.ts";
import type { Database, Row } from "../store/database.ts";
import { type LinkNumbers, withLinkNumbers } from "../store/link-numbers.ts";
import { cursors, inbox, type links } from "../store/tables.ts";
import { linksByRemote, loadWorld, saveWorld } from "../store/world-store.ts";
import type { Engine, LiveConnection } from "./engine.ts";
import { holdingCase, marksOf, noteMarks, openBrake, tooMuch } from "./source-brake.ts";

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
  // The cursor is in the same transaction: what a loss of power takes back is read again.
  return yield* withLinkNumbers(database, request.page.changes.length, (start) =>
    database.write(
      `applying a page of ${live.name}`,
      () => applyInside(engine, side, { ...request, numbers: start() }),
      "soon",
    ),
  );
});

interface Numbered extends ApplyRequest {
  readonly numbers: LinkNumbers;
}

async function applyInside(engine: Engine, side: Side, request: Numbered): Promise<Applied> {
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
  request: Numbered,
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
  const moment: Moment = {
    now,
    run: request.run,
    newId: ids.next,
    deferMeetings: request.deferMeetings,
    ...(request.decided === "rejected" ? { overrule: true } : {}),
    ...causeOf(request),
  };
  decidePage(world, settings, side, arrival, moment, request.numbers);
  if (request.decided === undefined) {
    const marks = marksOf(world, side, sealer);
    const brake = await tooMuch(engine, request.live, marks, now);
    if (brake !== undefined) {
      const caseId = await openBrake(engine, side, { ...request, total: brake, now });
      await holdPage(engine, side, request, caseId, now);
      return "held";
    }
    await noteMarks(database, side.connection, marks, now);
  }
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
  await database.advanceReads(ids, request.page.readBegan, request.page.readEnded);
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
