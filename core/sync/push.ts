/**
 * Push: claim what is due, write it, settle each result.
 *
 * Before a write the record is read again where the system has no sufficient conditional write, and before a create the
 * system is asked whether the record is there already. The claim notes what it is about to send; the patch is computed
 * from canonical minus shadow in the same transaction, and is never sent twice.
 */
import { and, asc, eq, inArray, isNull, lte, sql } from "drizzle-orm";
import { Effect } from "effect";
import type { Criterion, Operation, RemoteRecord, Result } from "../connector.ts";
import { pathNames, Refusal } from "../model/codec.ts";
import { isDueIn } from "../model/due.ts";
import { isClosed } from "../model/evidence.ts";
import type { Entity } from "../model/field.ts";
import { matchKeys } from "../model/match-keys.ts";
import type { Moment } from "../model/merge.ts";
import { closesCycle, type Patch, type Patches, patchesFor } from "../model/patch.ts";
import { encodeValue, fieldOf, readNames, type Side } from "../model/settings.ts";
import { type Claimed, freezeWars, type Next, refuseLeftOut, settle, settleReadBack } from "../model/settle.ts";
import type { Canonical, Link, Sent, World } from "../model/world.ts";
import { type Fault, Unavailable } from "../net/fault.ts";
import { noteAudit } from "../store/audit.ts";
import type { Row } from "../store/database.ts";
import { outbox } from "../store/tables.ts";
import { linkNumbers, loadWorld, saveWorld } from "../store/world-store.ts";
import { applyPage } from "./apply.ts";
import { ConnectorBroken, call } from "./call.ts";
import { type Engine, entityOrder, type LiveConnection } from "./engine.ts";
import { fetchAndApply, readNow } from "./fetch.ts";

export interface PushCounts {
  created: number;
  updated: number;
  deleted: number;
  rejected: number;
}

const batchMax = 100;
/** How often one record is tried within one run; what is left stays due. */
const triesMax = 6;
/** Up to this many due updates go singly, with the system's own lock. */
const singlyMax = 10;
const leaseMs = 10 * 60_000;
const waitMs = 60_000;
/** A reference that waited that often is left out of the create and written later. */
const waitsMax = 3;

type OutboxRow = Row<typeof outbox>;

interface PushRun {
  readonly engine: Engine;
  readonly live: LiveConnection;
  readonly run: string;
  readonly counts: PushCounts;
  readonly tries: Map<string, number>;
  /** Patches that were refused without a field: the half that is tried next. */
  readonly halves: Map<string, "first" | "second">;
}

/** Writes everything that is due in one connection. Ends when nothing is due now, or at a fault. */
export const pushConnection = Effect.fn("push.connection")(function* (
  engine: Engine,
  live: LiveConnection,
  run: string,
) {
  const counts: PushCounts = { created: 0, updated: 0, deleted: 0, rejected: 0 };
  if (live.api.push === undefined) return counts;
  const push: PushRun = { engine, live, run, counts, tries: new Map(), halves: new Map() };
  for (const entity of entityOrder) {
    const side = live.sides.get(entity);
    if (side === undefined || !side.writable) continue;
    for (;;) {
      const rows = yield* dueRows(push, entity);
      if (rows.length === 0) break;
      for (const row of rows) push.tries.set(row.canonicalId, (push.tries.get(row.canonicalId) ?? 0) + 1);
      yield* pushBatch(push, side, rows);
      const left = yield* countDue(engine, live.name);
      engine.progress({
        kind: "pushed",
        connection: live.name,
        done: counts.created + counts.updated + counts.deleted,
        left,
      });
    }
  }
  return counts;
});

const countDue = (engine: Engine, connection: string) =>
  engine.store.database.read("counting the outbox", async () =>
    engine.store.database.db.$count(outbox, eq(outbox.connection, connection)),
  );

function dueRows(push: PushRun, entity: Entity) {
  const { engine, live, tries } = push;
  const spent = [...tries].filter(([, count]) => count >= triesMax).map(([id]) => id);
  return engine.store.database.read("finding what is due", async () => {
    const rows = await engine.store.database.db
      .select()
      .from(outbox)
      .where(
        and(
          eq(outbox.connection, live.name),
          eq(outbox.entity, entity),
          lte(outbox.dueAt, engine.clock.now()),
          isNull(outbox.claim),
        ),
      )
      .orderBy(asc(outbox.dueAt), asc(outbox.canonicalId))
      .limit(batchMax + spent.length);
    return rows.filter((row) => !spent.includes(row.canonicalId)).slice(0, batchMax);
  });
}

const pushBatch = Effect.fn("push.batch")(function* (push: PushRun, side: Side, rows: ReadonlyArray<OutboxRow>) {
  const first = yield* survey(push, side, rows);
  const singly = first.updates.length <= singlyMax && side.conditional !== "none";
  yield* readBefore(push, side, first, singly);
  yield* lookBefore(push, side, first.creates);
  const claims = yield* claim(push, side, rows, singly);
  yield* write(push, side, claims, singly);
});

// ---- what there is to do ----

interface Survey {
  readonly creates: ReadonlyArray<Canonical>;
  readonly updates: ReadonlyArray<Link>;
  readonly deletes: ReadonlyArray<Link>;
}

/** What the rows would write as things stand now. */
const survey = Effect.fn("push.survey")(function* (push: PushRun, side: Side, rows: ReadonlyArray<OutboxRow>) {
  const { engine } = push;
  const { world } = yield* engine.store.database.read("loading what is due", () =>
    loadWorld(engine.store.database, engine.store.sealer, engine.model, {
      canonicalIds: rows.map((row) => row.canonicalId),
      withTargets: true,
    }),
  );
  const creates: Array<Canonical> = [];
  const updates: Array<Link> = [];
  const deletes: Array<Link> = [];
  for (const row of rows) {
    const canonical = world.canonical(row.canonicalId);
    if (canonical === undefined) continue;
    for (const patch of patchesOf(push, world, side, canonical, row).patches) {
      if (patch.kind === "create") creates.push(canonical);
      else if (patch.kind === "update") updates.push(patch.link);
      else deletes.push(patch.link);
    }
  }
  return { creates, updates, deletes } satisfies Survey;
});

function patchesOf(push: PushRun, world: World, side: Side, canonical: Canonical, row: OutboxRow): Patches {
  const field = side.entity === "account" ? "parent" : "account";
  const referencesWait = row.attempts < waitsMax && !closesCycle(world, canonical, field);
  return patchesFor(world, push.engine.settings, side, canonical, { referencesWait });
}

/** Reads the records again just before they are written (D5, D6, D16). */
const readBefore = Effect.fn("push.read-before")(function* (push: PushRun, side: Side, due: Survey, singly: boolean) {
  const stale = due.updates.filter((link) => !singly || link.fetchAfter !== null || !isLockable(side, link));
  const ids = [...new Set([...stale, ...due.deletes].map((link) => link.remoteId))];
  if (ids.length === 0) return;
  yield* fetchAndApply(push.engine, { live: push.live, entity: side.entity, ids, run: push.run, deferMeetings: false });
});

/** D6: only a closed version can be a precondition. */
function isLockable(side: Side, link: Link): boolean {
  if (side.conditional === "version") return link.version !== null && link.print !== "";
  return side.conditional === "time" && isClosed(link, side.resolutionMs, side.skewMs);
}

/** D12: before every create the system is asked by external key and by match keys; who is found is applied and linked. */
const lookBefore = Effect.fn("push.look-before")(function* (
  push: PushRun,
  side: Side,
  creates: ReadonlyArray<Canonical>,
) {
  const { engine, live } = push;
  if (creates.length === 0) return;
  const criteria = creates.flatMap((canonical) => criteriaFor(engine, side, canonical));
  const began = engine.clock.now();
  const found = yield* call(live.name, "looking for records before creating them", () =>
    live.api.find(side.entity, criteria, readNames(side)),
  );
  if (found.length === 0) return;
  const unique = [...new Map(found.map((record) => [record.id, record])).values()];
  yield* applyPage(engine, {
    live,
    entity: side.entity,
    page: { changes: unique, readBegan: began, readEnded: engine.clock.now() },
    run: push.run,
    deferMeetings: false,
  });
});

function criteriaFor(engine: Engine, side: Side, canonical: Canonical): ReadonlyArray<Criterion> {
  const criteria: Array<Criterion> = side.keyField === undefined ? [] : [{ field: side.keyField, value: canonical.id }];
  const wanted = new Set(engine.settings.match[side.entity]);
  const values = new Set(
    matchKeys(side.entity, canonical.values)
      .filter((key) => wanted.has(key.kind))
      .map((key) => key.value),
  );
  for (const [name, rule] of side.rules) {
    const field = fieldOf(engine.settings, side.entity, name);
    const value = canonical.values[name];
    const slots = pathNames(rule.path);
    if (field === undefined || value === undefined || !["taxid", "domain", "email", "emails"].includes(field.type))
      continue;
    const members = typeof value === "string" ? [value] : Array.isArray(value) ? value : [];
    if (!members.some((member) => values.has(member))) continue;
    const encoded = encodeValue(side, name, value);
    if (encoded instanceof Refusal) continue;
    for (const slot of slots) {
      const remote = encoded[slot];
      if (typeof remote === "string" && remote !== "") criteria.push({ field: slot, value: remote });
    }
  }
  return criteria;
}

// ---- claim ----

interface ClaimedOperation {
  readonly row: OutboxRow;
  readonly claimed: Claimed;
  readonly operation: Operation;
  readonly remoteId: string | null;
  readonly versionBefore: string | undefined;
}

/** Notes in one transaction who is claimed and what is about to be sent; recomputes the patches from what is known now. */
const claim = Effect.fn("push.claim")(function* (
  push: PushRun,
  side: Side,
  rows: ReadonlyArray<OutboxRow>,
  singly: boolean,
) {
  const { engine, live, run } = push;
  const { database, sealer } = engine.store;
  return yield* database.write(`claiming writes for ${live.name}`, async () => {
    const now = engine.clock.now();
    const current = await database.db
      .select()
      .from(outbox)
      .where(
        and(
          eq(outbox.connection, live.name),
          isNull(outbox.claim),
          inArray(
            outbox.canonicalId,
            rows.map((row) => row.canonicalId),
          ),
        ),
      );
    const { world, sealing } = await loadWorld(database, sealer, engine.model, {
      canonicalIds: current.map((row) => row.canonicalId),
      withTargets: true,
    });
    const moment: Moment = { now, run, newId: engine.ids.next, deferMeetings: false };
    const claims: Array<ClaimedOperation> = [];
    for (const row of current) {
      const canonical = world.canonical(row.canonicalId);
      if (canonical === undefined || canonical.id !== row.canonicalId) {
        await dropRow(engine, row);
        continue;
      }
      const found = claimOne(push, world, side, canonical, row, moment, singly);
      if (found === "none") await dropRow(engine, row);
      else if (found === "waits") await postpone(engine, row, now + waitMs, "waits for its account or parent");
      else if (found === "unclear")
        await postpone(engine, row, now + side.lateMs, "the outcome of the last create is not known yet");
      else {
        claims.push(...found);
        await database.db
          .update(outbox)
          .set({ claim: run, claimUntil: now + leaseMs, claimedRevision: row.revision })
          .where(and(eq(outbox.connection, row.connection), eq(outbox.canonicalId, row.canonicalId)));
      }
    }
    await noteAudit(
      database,
      claims.map(({ claimed, remoteId }) => ({
        at: now,
        actor: "hub",
        action: `write ${claimed.sent.kind}`,
        subject: `${live.name}/${side.entity}/${remoteId ?? claimed.canonicalId}`,
        detail: { intent: claimed.sent.id, fields: claimed.writes.map((entry) => entry.field) },
      })),
    );
    await saveWorld(database, sealing, world, { now, newId: engine.ids.next });
    return claims;
  });
});

function claimOne(
  push: PushRun,
  world: World,
  side: Side,
  canonical: Canonical,
  row: OutboxRow,
  moment: Moment,
  singly: boolean,
): ReadonlyArray<ClaimedOperation> | "none" | "waits" | "unclear" {
  const { engine, live, halves } = push;
  for (const link of world.liveLinks(canonical.id, live.name)) {
    freezeWars(world, engine.settings, canonical, link, Object.keys(link.shadow.fields), moment);
  }
  const { patches, leftOut, waiting } = patchesOf(push, world, side, canonical, row);
  for (const left of leftOut) {
    if (left.why === "refused" && left.link !== null) refuseLeftOut(world, side, canonical, left.link, left);
  }
  if (waiting) return "waits";
  if (patches.length === 0) return "none";
  const openCreate = [...world.sent.values()].find(
    (sent) =>
      sent.kind === "create" &&
      sent.canonicalId === canonical.id &&
      sent.connection === live.name &&
      sent.state !== "closed",
  );
  if (patches.some((patch) => patch.kind === "create") && openCreate !== undefined) {
    if (moment.now < openCreate.at + Math.max(side.lateMs, side.settleMs)) return "unclear";
    // The look-up before this claim did not find it, and it can no longer land.
    world.closeSent(openCreate);
  }
  return patches.map((whole) => {
    const half = halves.get(canonical.id);
    const patch = half === undefined ? whole : halfOf(world, engine, side, whole, half);
    const link = patch.link;
    const sent: Sent = {
      id: moment.newId("snt"),
      connection: live.name,
      entity: side.entity,
      canonicalId: canonical.id,
      linkId: link?.id ?? null,
      kind: patch.kind,
      at: moment.now,
      state: "open",
      values: patch.kind === "delete" ? {} : Object.fromEntries(patch.writes.map(({ field, value }) => [field, value])),
      replaced:
        patch.kind === "delete" ? {} : Object.fromEntries(patch.writes.map(({ field, replaces }) => [field, replaces])),
      precondition: link === null ? null : versionOf(link),
    };
    world.addSent(sent);
    return {
      row,
      claimed: {
        sent,
        canonicalId: canonical.id,
        linkId: link?.id ?? null,
        writes: patch.kind === "delete" ? [] : patch.writes,
        leftOut,
        bisected: half !== undefined,
        began: moment.now,
      },
      operation: operationOf(
        side,
        patch,
        link !== null && singly && isLockable(side, link) ? versionOf(link) : undefined,
      ),
      remoteId: link?.remoteId ?? null,
      versionBefore: link?.version ?? undefined,
    };
  });
}

/** One half of an update's fields, to find the one that is refused without being named (D13). */
function halfOf(world: World, engine: Engine, side: Side, patch: Patch, half: "first" | "second"): Patch {
  if (patch.kind !== "update") return patch;
  const middle = Math.ceil(patch.writes.length / 2);
  const writes = half === "first" ? patch.writes.slice(0, middle) : patch.writes.slice(middle);
  if (writes.length === 0) return patch;
  const names = new Set(writes.flatMap((write) => pathNames(side.rules.get(write.field)?.path ?? [])));
  void world;
  void engine;
  return {
    ...patch,
    writes,
    fields: Object.fromEntries(Object.entries(patch.fields).filter(([name]) => names.has(name))),
  };
}

function versionOf(link: Link): { readonly version?: string; readonly modifiedAt?: number } {
  return {
    ...(link.version === null ? {} : { version: link.version }),
    ...(link.modifiedAt === null ? {} : { modifiedAt: link.modifiedAt }),
  };
}

function operationOf(
  side: Side,
  patch: Patch,
  precondition: { readonly version?: string; readonly modifiedAt?: number } | undefined,
): Operation {
  switch (patch.kind) {
    case "create":
      return {
        kind: "create",
        entity: side.entity,
        hubId: patch.canonicalId,
        keyField: side.keyField ?? "",
        fields: patch.fields,
      };
    case "update":
      return {
        kind: "update",
        entity: side.entity,
        id: patch.link.remoteId,
        fields: patch.fields,
        ...(precondition === undefined ? {} : { precondition }),
      };
    case "delete":
      return { kind: "delete", entity: side.entity, id: patch.link.remoteId };
  }
}

async function dropRow(engine: Engine, row: OutboxRow): Promise<void> {
  await engine.store.database.db
    .delete(outbox)
    .where(
      and(
        eq(outbox.connection, row.connection),
        eq(outbox.canonicalId, row.canonicalId),
        eq(outbox.revision, row.revision),
      ),
    );
}

async function postpone(engine: Engine, row: OutboxRow, dueAt: number, reason: string): Promise<void> {
  await engine.store.database.db
    .update(outbox)
    .set({ dueAt, reason, attempts: sql`${outbox.attempts} + 1`, claim: null, claimUntil: null, claimedRevision: null })
    .where(and(eq(outbox.connection, row.connection), eq(outbox.canonicalId, row.canonicalId)));
}

// ---- write and settle ----

const write = Effect.fn("push.write")(function* (
  push: PushRun,
  side: Side,
  claims: ReadonlyArray<ClaimedOperation>,
  singly: boolean,
) {
  const { live } = push;
  const sizeMax = singly ? 1 : (live.maps[side.entity]?.pushBatchMax ?? 1);
  const groups = [
    ...["create", "update", "delete"].map((kind) => claims.filter((entry) => entry.operation.kind === kind)),
  ];
  const batches = groups.flatMap((group) => {
    const size =
      singly && group[0]?.operation.kind === "update"
        ? 1
        : Math.max(1, live.maps[side.entity]?.pushBatchMax ?? sizeMax);
    return Array.from({ length: Math.ceil(group.length / size) }, (_, index) =>
      group.slice(index * size, (index + 1) * size),
    );
  });
  for (const [index, batch] of batches.entries()) {
    const outcome = yield* Effect.result(send(push, batch));
    if (outcome._tag === "Success") {
      yield* settleBatch(push, side, batch, outcome.success);
      continue;
    }
    const fault = outcome.failure;
    const maybeSent = fault instanceof ConnectorBroken || (fault instanceof Unavailable && fault.sent);
    yield* settleBatch(
      push,
      side,
      batch,
      batch.map(() =>
        maybeSent
          ? { kind: "unknown", reason: fault.message }
          : { kind: "later", reason: fault.message, retryAfterMs: 0 },
      ),
    );
    for (const rest of batches.slice(index + 1)) {
      yield* settleBatch(
        push,
        side,
        rest,
        rest.map(() => ({ kind: "later", reason: "not sent: the connection failed before", retryAfterMs: 0 })),
      );
    }
    return yield* Effect.fail(fault);
  }
});

function send(
  push: PushRun,
  batch: ReadonlyArray<ClaimedOperation>,
): Effect.Effect<ReadonlyArray<Result>, Fault | ConnectorBroken> {
  const { live } = push;
  const { api } = live;
  return Effect.flatMap(
    call(live.name, "writing records", async () =>
      api.push === undefined ? [] : api.push(batch.map((entry) => entry.operation)),
    ),
    (results) =>
      results.length === batch.length
        ? Effect.succeed(results)
        : Effect.fail(
            new ConnectorBroken(
              live.name,
              "writing records",
              new Error(`${batch.length} operations got ${results.length} results`),
            ),
          ),
  );
}

const settleBatch = Effect.fn("push.settle")(function* (
  push: PushRun,
  side: Side,
  batch: ReadonlyArray<ClaimedOperation>,
  results: ReadonlyArray<Result>,
) {
  const { engine, live, run } = push;
  const readBacks = yield* readBack(push, side, batch, results);
  const fetches = yield* engine.store.database.write(`settling writes of ${live.name}`, () =>
    settleInside(push, side, batch, results, readBacks.records),
  );
  for (const page of readBacks.pages) {
    yield* applyPage(engine, { live, entity: side.entity, page, run, deferMeetings: false });
  }
  if (fetches.length > 0) {
    yield* fetchAndApply(engine, { live, entity: side.entity, ids: fetches, run, deferMeetings: false });
  }
});

/** D5: a system with a counter and no answer is read right after the write. A failed read leaves it for later. */
const readBack = Effect.fn("push.read-back")(function* (
  push: PushRun,
  side: Side,
  batch: ReadonlyArray<ClaimedOperation>,
  results: ReadonlyArray<Result>,
) {
  const ids = results.flatMap((result, index) =>
    result.kind === "applied" &&
    result.stored === undefined &&
    result.modifiedAt === undefined &&
    batch[index]?.operation.kind !== "delete"
      ? [result.id]
      : [],
  );
  const records = new Map<string, RemoteRecord>();
  if (ids.length === 0) return { pages: [], records };
  const read = yield* Effect.result(readNow({ live: push.live, entity: side.entity, ids }));
  if (read._tag === "Failure") return { pages: [], records };
  for (const page of read.success)
    for (const change of page.changes) if (change.kind === "record") records.set(change.id, change);
  return { pages: read.success, records };
});

async function settleInside(
  push: PushRun,
  side: Side,
  batch: ReadonlyArray<ClaimedOperation>,
  results: ReadonlyArray<Result>,
  records: ReadonlyMap<string, RemoteRecord>,
): Promise<ReadonlyArray<string>> {
  const { engine, live, run, counts } = push;
  const { database, sealer } = engine.store;
  const now = engine.clock.now();
  const moment: Moment = { now, run, newId: engine.ids.next, deferMeetings: false };
  const created = results.flatMap((result) =>
    result.kind === "applied" ? [{ connection: live.name, entity: side.entity, remoteId: result.id }] : [],
  );
  const { world, sealing } = await loadWorld(database, sealer, engine.model, {
    canonicalIds: batch.map((entry) => entry.claimed.canonicalId),
    remotes: created,
  });
  const numbers = await linkNumbers(database);
  const fetches = new Set<string>();
  const nexts = new Map<string, { readonly row: OutboxRow; next: Next }>();
  for (const [index, entry] of batch.entries()) {
    const result = results[index] ?? { kind: "unknown", reason: "no result" };
    const sent = world.sent.get(entry.claimed.sent.id) ?? entry.claimed.sent;
    const claimed: Claimed = { ...entry.claimed, sent };
    const { next, fetch } = settle(world, engine.settings, side, claimed, result, moment, numbers);
    count(counts, entry, result);
    const record = result.kind === "applied" ? records.get(result.id) : undefined;
    if (record !== undefined && result.kind === "applied") {
      settleReadBack(
        world,
        engine.settings,
        side,
        claimed,
        { record, versionBefore: entry.versionBefore, writes: result.writes ?? 1 },
        moment,
      );
    } else for (const id of fetch) fetches.add(id);
    const earlier = nexts.get(entry.row.canonicalId);
    if (earlier === undefined || earlier.next.kind === "done")
      nexts.set(entry.row.canonicalId, { row: entry.row, next });
    else if (next.kind !== "done") earlier.next = next;
  }
  await numbers.save();
  await saveWorld(database, sealing, world, { now, newId: engine.ids.next });
  for (const { row, next } of nexts.values()) await settleRow(push, world, side, row, next, now);
  await noteAudit(
    database,
    batch.map((entry, index) => ({
      at: now,
      actor: "hub",
      action: `outcome ${results[index]?.kind ?? "unknown"}`,
      subject: `${live.name}/${side.entity}/${entry.remoteId ?? entry.claimed.canonicalId}`,
      detail: { intent: entry.claimed.sent.id },
    })),
  );
  return [...fetches];
}

function count(counts: PushCounts, entry: ClaimedOperation, result: Result): void {
  if (result.kind === "rejected" || result.kind === "duplicate") counts.rejected += 1;
  if (result.kind !== "applied") return;
  if (entry.operation.kind === "create") counts.created += 1;
  else if (entry.operation.kind === "update") counts.updated += 1;
  else counts.deleted += 1;
}

/** Removes only the revision that was claimed, so that a change that landed meanwhile stays due. */
async function settleRow(
  push: PushRun,
  world: World,
  side: Side,
  row: OutboxRow,
  next: Next,
  now: number,
): Promise<void> {
  const { engine, halves } = push;
  const { db } = engine.store.database;
  const mine = and(eq(outbox.connection, row.connection), eq(outbox.canonicalId, row.canonicalId));
  const free = { claim: null, claimUntil: null, claimedRevision: null };
  const half = halves.get(row.canonicalId);
  if (next.kind === "split") {
    halves.set(row.canonicalId, "first");
    await db
      .update(outbox)
      .set({ ...free, dueAt: now })
      .where(mine);
    return;
  }
  if (half === "first") {
    // The other half is due still.
    halves.set(row.canonicalId, "second");
    await db
      .update(outbox)
      .set({ ...free, dueAt: now })
      .where(mine);
    return;
  }
  if (half === "second") halves.delete(row.canonicalId);
  if (next.kind === "again") {
    await db
      .update(outbox)
      .set({ ...free, dueAt: now + next.afterMs, attempts: sql`${outbox.attempts} + 1`, reason: next.reason })
      .where(mine);
    return;
  }
  const canonical = world.canonical(row.canonicalId);
  const stillDue = next.kind === "done" && canonical !== undefined && isDueIn(world, engine.settings, side, canonical);
  if (stillDue)
    await db
      .update(outbox)
      .set({ ...free, dueAt: now, attempts: sql`${outbox.attempts} + 1` })
      .where(mine);
  else {
    await db.delete(outbox).where(and(mine, eq(outbox.revision, row.revision)));
    await db.update(outbox).set(free).where(mine);
  }
}
