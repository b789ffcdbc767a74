/** Sends what was claimed, reads back where the system tells nothing, and settles every result (SEMANTICS D3 to D5, D13). */
import { and, eq, sql } from "drizzle-orm";
import { Effect } from "effect";
import type { RemoteRecord, Result } from "../connector.ts";
import { isDueIn } from "../model/due.ts";
import type { Moment } from "../model/moment.ts";
import { settleReadBack } from "../model/read-back.ts";
import type { Side } from "../model/settings.ts";
import { type Claimed, type Next, settle } from "../model/settle.ts";
import type { World } from "../model/world.ts";
import { type Fault, Unavailable } from "../net/fault.ts";
import { noteAudit } from "../store/audit.ts";
import { type LinkNumbers, withLinkNumbers } from "../store/link-numbers.ts";
import { outbox } from "../store/tables.ts";
import { loadWorld, saveWorld } from "../store/world-store.ts";
import { applyPage } from "./apply.ts";
import { ConnectorBroken, call } from "./call.ts";
import type { ClaimedOperation } from "./claim.ts";
import { fetchAndApply, readNow } from "./fetch.ts";
import { type OutboxRow, type PushCounts, type PushRun, SourceHeld } from "./push-run.ts";

export const write = Effect.fn("push.write")(function* (
  push: PushRun,
  side: Side,
  claims: ReadonlyArray<ClaimedOperation>,
  singly: boolean,
) {
  const batches = batchesOf(push, side, claims, singly);
  let stop: Fault | ConnectorBroken | SourceHeld | undefined;
  for (const batch of batches) {
    if (stop !== undefined) {
      // Every claim is settled, also of what was not sent, or it would be taken for a write of a dead process.
      const reason = "not sent: the connection failed before";
      const results = batch.map((): Result => ({ kind: "later", reason, retryAfterMs: 0 }));
      yield* settleBatch(push, side, { batch, results, answeredAt: push.engine.clock.now() });
      continue;
    }
    const outcome = yield* Effect.result(send(push, batch));
    const answeredAt = push.engine.clock.now();
    const results = outcome._tag === "Success" ? outcome.success : batch.map(() => unanswered(outcome.failure));
    for (const [index, result] of results.entries()) {
      const claimed = batch[index]?.claimed;
      if (claimed !== undefined) push.permit?.settled(claimed, result);
    }
    const held = yield* settleBatch(push, side, { batch, results, answeredAt });
    if (outcome._tag === "Failure") stop = outcome.failure;
    else if (held) stop = new SourceHeld(push.live.name);
  }
  if (stop !== undefined) return yield* Effect.fail(stop);
});

/** A fault after which the write may have been carried out, or has surely not. */
function unanswered(fault: Fault | ConnectorBroken): Result {
  const maybeSent = fault instanceof ConnectorBroken || (fault instanceof Unavailable && fault.sent);
  return maybeSent
    ? { kind: "unknown", reason: fault.message }
    : { kind: "later", reason: fault.message, retryAfterMs: 0 };
}

/** Creates, updates and deletes go apart, in calls of the size that the system takes. */
function batchesOf(
  push: PushRun,
  side: Side,
  claims: ReadonlyArray<ClaimedOperation>,
  singly: boolean,
): ReadonlyArray<ReadonlyArray<ClaimedOperation>> {
  const sizeMax = Math.max(1, push.live.maps[side.entity]?.pushBatchMax ?? 1);
  return (["create", "update", "delete"] as const).flatMap((kind) => {
    const group = claims.filter((entry) => entry.operation.kind === kind);
    const size = singly && kind === "update" ? 1 : sizeMax;
    return Array.from({ length: Math.ceil(group.length / size) }, (_, index) =>
      group.slice(index * size, (index + 1) * size),
    );
  });
}

function send(
  push: PushRun,
  batch: ReadonlyArray<ClaimedOperation>,
): Effect.Effect<ReadonlyArray<Result>, Fault | ConnectorBroken> {
  const { api, name } = push.live;
  const what = "writing records";
  const sending = call(name, what, async () =>
    api.push === undefined ? [] : api.push(batch.map((entry) => entry.operation)),
  );
  return Effect.flatMap(sending, (results) =>
    results.length === batch.length
      ? Effect.succeed(results)
      : Effect.fail(
          new ConnectorBroken(name, what, new Error(`${batch.length} operations got ${results.length} results`)),
        ),
  );
}

interface Answered {
  readonly batch: ReadonlyArray<ClaimedOperation>;
  readonly results: ReadonlyArray<Result>;
  /** Our clock when the answer was there. */
  readonly answeredAt: number;
}

/** Settles one call's results and reads what they leave open. True when a brake holds what was read. */
const settleBatch = Effect.fn("push.settle")(function* (push: PushRun, side: Side, answered: Answered) {
  const { engine, live, run } = push;
  const { entity } = side;
  const readBacks = yield* readBack(push, side, answered);
  const { fetches, halves } = yield* withLinkNumbers(engine.store.database, answered.batch.length, (start) =>
    engine.store.database.write(
      `settling writes of ${live.name}`,
      () => settleInside(push, side, { ...answered, numbers: start() }, readBacks.records),
      // What is taken back leaves the claim open, whose outcome is then looked up.
      "soon",
    ),
  );
  // The transaction may have run twice; this happens once.
  for (const [index, entry] of answered.batch.entries()) count(push.counts, entry, answered.results[index]);
  for (const [canonicalId, parts] of halves) {
    if (parts.length === 0) push.halves.delete(canonicalId);
    else push.halves.set(canonicalId, parts);
  }
  let held = false;
  for (const page of readBacks.pages) {
    const applied = yield* applyPage(engine, { live, entity, page, run, deferMeetings: false, byId: true });
    held ||= applied.held;
  }
  if (fetches.length === 0) return held;
  const fetched = yield* Effect.result(
    fetchAndApply(engine, { live, entity, ids: fetches, run, deferMeetings: false }),
  );
  if (fetched._tag === "Success") return held || fetched.success.held;
  // The records are on the list of those to fetch, so a connection that fails now costs nothing but time.
  if (fetched.failure._tag === "StoreFailed") return yield* Effect.fail(fetched.failure);
  return held;
});

/** D5: what has no conditional write, or answers nothing, is read right after. A failed read leaves it for later. */
const readBack = Effect.fn("push.read-back")(function* (push: PushRun, side: Side, { batch, results }: Answered) {
  const ids = results.flatMap((result, index) => {
    if (result.kind !== "applied" || batch[index]?.operation.kind === "delete") return [];
    const isSilent = result.stored === undefined && result.modifiedAt === undefined && result.version === undefined;
    return isSilent || side.conditional === "none" ? [result.id] : [];
  });
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
  { batch, results, answeredAt, numbers }: Answered & { readonly numbers: LinkNumbers },
  records: ReadonlyMap<string, RemoteRecord>,
): Promise<{ readonly fetches: ReadonlyArray<string>; readonly halves: Halves }> {
  const { engine, live, run } = push;
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
  const fetches = new Set<string>();
  const ends = new Map<string, End>();
  for (const [index, entry] of batch.entries()) {
    const result = results[index] ?? { kind: "unknown", reason: "no result" };
    // Only open ones are loaded: one that is missing was closed by a read meanwhile.
    const sent = world.sent.get(entry.claimed.sent.id) ?? { ...entry.claimed.sent, state: "closed" as const };
    const claimed: Claimed = { ...entry.claimed, sent };
    const { next, fetch } = settle(world, engine.settings, side, { claimed, result, answeredAt }, moment, numbers);
    const record = result.kind === "applied" ? records.get(result.id) : undefined;
    if (result.kind === "applied" && entry.operation.kind !== "delete" && side.conditional === "none") {
      const { id: remoteId, writes = 1 } = result;
      const seen = { remoteId, record, versionBefore: entry.versionBefore, writes };
      settleReadBack(world, engine.settings, side, claimed, seen, moment);
    }
    if (record === undefined) for (const id of fetch) fetches.add(id);
    const earlier = ends.get(entry.row.canonicalId);
    if (earlier === undefined || earlier.next.kind === "done")
      ends.set(entry.row.canonicalId, { row: entry.row, next, claimed, result });
  }
  await saveWorld(database, sealing, world, { now, newId: engine.ids.next, settings: engine.settings });
  const halves = new Map<string, Parts>();
  for (const end of ends.values()) {
    const left = halvesAfter(push, end);
    halves.set(end.row.canonicalId, left);
    await settleRow(push, world, side, { ...end, halvesLeft: left.length }, now);
  }
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
  return { fetches: [...fetches], halves };
}

function count(counts: PushCounts, entry: ClaimedOperation, result: Result | undefined): void {
  if (result === undefined) return;
  if (result.kind === "rejected" || result.kind === "duplicate") counts.rejected += 1;
  if (result.kind !== "applied") return;
  if (entry.operation.kind === "create") counts.created += 1;
  else if (entry.operation.kind === "update") counts.updated += 1;
  else counts.deleted += 1;
}

/** How a row's writes ended. */
interface End {
  readonly row: OutboxRow;
  readonly next: Next;
  readonly claimed: Claimed;
  readonly result: Result;
}

/** Removes only the revision that was claimed, so that a change that landed meanwhile stays due. */
async function settleRow(
  push: PushRun,
  world: World,
  side: Side,
  end: End & { readonly halvesLeft: number },
  now: number,
): Promise<void> {
  const { row, next, halvesLeft } = end;
  const { db } = push.engine.store.database;
  const mine = and(eq(outbox.connection, row.connection), eq(outbox.canonicalId, row.canonicalId));
  const free = { claim: null, claimedRevision: null };
  const again = { ...free, attempts: sql`${outbox.attempts} + 1` };
  if (halvesLeft > 0 && next.kind !== "again") {
    await db
      .update(outbox)
      .set({ ...free, dueAt: now })
      .where(mine);
    return;
  }
  if (next.kind === "again") {
    await db
      .update(outbox)
      .set({ ...again, dueAt: now + next.afterMs, reason: next.reason })
      .where(mine);
    return;
  }
  const canonical = world.canonical(row.canonicalId);
  const isStillDue = next.kind === "done" && canonical !== undefined && isDueIn(world, side, canonical);
  if (isStillDue)
    await db
      .update(outbox)
      .set({ ...again, dueAt: now })
      .where(mine);
  else {
    await db.delete(outbox).where(and(mine, eq(outbox.revision, row.revision)));
    await db.update(outbox).set(free).where(mine);
  }
}

type Parts = ReadonlyArray<ReadonlySet<string>>;
type Halves = ReadonlyMap<string, Parts>;

/** D13: after a refusal that names no field the two halves go one after the other: those that are left. */
function halvesAfter(push: PushRun, { row, next, claimed, result }: End): Parts {
  if (next.kind === "split") {
    const fields = claimed.writes.map((entry) => entry.field);
    const middle = Math.ceil(fields.length / 2);
    const first = new Set(fields.slice(0, middle));
    // A record that is made with the first half gets the rest by an update, which finds the field at fault.
    return claimed.sent.kind === "create" ? [first] : [first, new Set(fields.slice(middle))];
  }
  const parts = push.halves.get(row.canonicalId) ?? [];
  return result.kind === "applied" || result.kind === "rejected" ? parts.slice(1) : parts;
}
