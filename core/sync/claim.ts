/**
 * The claim: in one transaction, who is written, what is about to be sent, and the intent in the audit. The patches are
 * computed again from what is known now, and are never sent twice (SEMANTICS D2, D6, D12, D25).
 */
import { and, eq, inArray, isNull, sql } from "drizzle-orm";
import { Effect } from "effect";
import type { Operation, Precondition } from "../connector.ts";
import { pathNames } from "../model/codec.ts";
import { isClosed } from "../model/evidence.ts";
import { freezeWars } from "../model/freeze.ts";
import type { Moment } from "../model/moment.ts";
import { closesCycle, type LeftOut, type Patch } from "../model/patch.ts";
import { noteUnreachable, refuseLeftOut } from "../model/refusal.ts";
import type { Side } from "../model/settings.ts";
import type { Claimed } from "../model/settle.ts";
import { type Canonical, isUnsettled, type Link, type Sent, type World } from "../model/world.ts";
import { noteAudit } from "../store/audit.ts";
import { outbox } from "../store/tables.ts";
import { loadWorld, saveWorld } from "../store/world-store.ts";
import type { Engine } from "./engine.ts";
import { isLockable, type Prepared } from "./prepare.ts";
import { type OutboxRow, type PushRun, patchesOf, referenceField, waitsMax } from "./push-run.ts";

const waitMs = 60_000;

export interface ClaimedOperation {
  readonly row: OutboxRow;
  readonly claimed: Claimed;
  readonly operation: Operation;
  readonly remoteId: string | null;
  readonly versionBefore: string | undefined;
}

/** Writes to send, nothing to do any more, writes that this push may not make, or a wait until an instant. */
type Decision =
  | { readonly kind: "send"; readonly claims: ReadonlyArray<ClaimedOperation> }
  | { readonly kind: "kept" }
  | { readonly kind: "nothing" }
  | { readonly kind: "wait"; readonly until: number; readonly reason: string };

export const claim = Effect.fn("push.claim")(function* (
  push: PushRun,
  side: Side,
  rows: ReadonlyArray<OutboxRow>,
  prepared: Prepared,
) {
  const { engine, live, run } = push;
  const { database, sealer } = engine.store;
  const claimed = yield* database.write(`claiming writes for ${live.name}`, async () => {
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
      const decision: Decision =
        canonical === undefined || canonical.id !== row.canonicalId
          ? { kind: "nothing" }
          : decideClaim(push, world, side, { canonical, row, prepared }, moment);
      if (decision.kind === "nothing") await dropRow(engine, row);
      else if (decision.kind === "wait") await postpone(engine, row, decision.until, decision.reason);
      else if (decision.kind === "send") {
        claims.push(...decision.claims);
        await database.db
          .update(outbox)
          .set({ claim: run, claimedRevision: row.revision })
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
    await saveWorld(database, sealing, world, { now, newId: engine.ids.next, settings: engine.settings });
    return claims;
  });
  for (const entry of claimed) push.permit?.begun(live.name, entry.claimed, entry.remoteId);
  return claimed;
});

interface Candidate {
  readonly canonical: Canonical;
  readonly row: OutboxRow;
  readonly prepared: Prepared;
}

function decideClaim(push: PushRun, world: World, side: Side, candidate: Candidate, moment: Moment): Decision {
  const { canonical, row, prepared } = candidate;
  const { engine, live } = push;
  for (const link of world.liveLinks(canonical.id, live.name)) {
    freezeWars(world, engine.settings, canonical, link, moment);
  }
  const { patches: due, leftOut, waiting } = patchesOf(push, world, side, canonical, row);
  for (const left of leftOut) {
    if (left.why === "refused" && left.link !== null) refuseLeftOut(world, side, canonical, left.link, left);
  }
  if (waiting) return { kind: "wait", until: moment.now + waitMs, reason: "waits for its account or parent" };
  if (due.length === 0) return { kind: "nothing" };
  const { permit } = push;
  const patches = permit === undefined ? due : due.filter((patch) => permit.admits(world, side, canonical, patch));
  if (patches.length === 0) return { kind: "kept" };
  for (const patch of patches) {
    if (patch.link !== null && row.attempts >= waitsMax && isUnread(patch.link, prepared)) {
      noteUnreachable(world, side, canonical, patch.link);
      return { kind: "nothing" };
    }
    const wait =
      patch.kind === "create"
        ? createWaits(push, world, side, candidate, moment)
        : writeWaits(side, patch.link, { row, prepared, kind: patch.kind }, moment);
    if (wait !== undefined) return { kind: "wait", ...wait };
  }
  if (patches.some((patch) => patch.kind === "create")) {
    for (const attempt of attemptsOf(world, live.name, canonical)) world.closeSent(attempt);
    openCycle(world, side, canonical, leftOut, moment);
  }
  const claims = patches.map((patch) => claimPatch(push, world, side, patch, { row, prepared, leftOut }, moment));
  return { kind: "send", claims };
}

/** Creates whose outcome is not known. */
const attemptsOf = (world: World, connection: string, canonical: Canonical): ReadonlyArray<Sent> =>
  [...world.sent.values()].filter(
    (sent) =>
      sent.kind === "create" &&
      sent.canonicalId === canonical.id &&
      sent.connection === connection &&
      isUnsettled(sent),
  );

/** D12: a create goes only after a look-up, and after an unclear one only once that can neither land nor hide. */
function createWaits(push: PushRun, world: World, side: Side, { canonical, prepared }: Candidate, moment: Moment) {
  const { looked } = prepared;
  if (!looked.canonicalIds.has(canonical.id)) return { until: moment.now, reason: "is looked up before it is created" };
  const lastAt = Math.max(0, ...attemptsOf(world, push.live.name, canonical).map((attempt) => attempt.at));
  const until = lastAt + side.lateMs + side.settleMs;
  if (lastAt === 0 || looked.began >= until) return undefined;
  return { until, reason: "the outcome of the last create is not known yet" };
}

const isUnread = (link: Link, { read }: Prepared): boolean => read.linkIds.has(link.id) && link.readEnded < read.began;

/** A record that could not be read is not written over; one with an open version is written when that has closed (D6). */
function writeWaits(
  side: Side,
  link: Link,
  due: { readonly row: OutboxRow; readonly prepared: Prepared; readonly kind: "update" | "delete" },
  moment: Moment,
) {
  const { singly } = due.prepared;
  if (isUnread(link, due.prepared)) {
    return { until: moment.now + waitMs, reason: "the record could not be read before it is written" };
  }
  const isOpen =
    side.conditional === "time" && link.modifiedAt !== null && !isClosed(link, side.resolutionMs, side.skewMs);
  if (due.kind === "delete" || !singly || !isOpen || due.row.attempts >= waitsMax) return undefined;
  return { until: moment.now + side.resolutionMs + side.skewMs, reason: "the record was changed a moment ago" };
}

/** D25: references that close a circle are left out of the create, and a person hears of it. */
function openCycle(
  world: World,
  side: Side,
  canonical: Canonical,
  leftOut: ReadonlyArray<LeftOut>,
  moment: Moment,
): void {
  const field = referenceField(side);
  if (!leftOut.some((left) => left.field === field && left.why === "waits")) return;
  if (!closesCycle(world, canonical, field)) return;
  const known = [...world.conflicts.values()].some(
    (conflict) => conflict.kind === "cycle" && conflict.canonicalId === canonical.id && conflict.state === "open",
  );
  if (known) return;
  world.counts.opened += 1;
  world.addConflict({
    id: moment.newId("con"),
    kind: "cycle",
    entity: side.entity,
    canonicalId: canonical.id,
    connection: side.connection,
    remoteId: null,
    field: null,
    state: "open",
    rule: null,
    winner: null,
    run: moment.run,
    openedAt: moment.now,
    updatedAt: moment.now,
    reason: `following ${field} from this ${side.entity} leads back to it; it is created without, and the reference is written later`,
    base: null,
    previous: null,
    result: null,
    candidates: [],
    detail: { field },
  });
}

function claimPatch(
  push: PushRun,
  world: World,
  side: Side,
  whole: Patch,
  known: { readonly row: OutboxRow; readonly prepared: Prepared; readonly leftOut: ReadonlyArray<LeftOut> },
  moment: Moment,
): ClaimedOperation {
  const { row, prepared, leftOut } = known;
  const { canonicalId, link } = whole;
  const half = push.halves.get(canonicalId)?.[0];
  const patch = half === undefined ? whole : halfOf(side, whole, half);
  const writes = patch.kind === "delete" ? [] : patch.writes;
  const lock =
    patch.kind === "update" && prepared.singly && isLockable(side, patch.link) ? versionOf(patch.link) : null;
  const sent: Sent = {
    id: moment.newId("snt"),
    connection: side.connection,
    entity: side.entity,
    canonicalId,
    linkId: link?.id ?? null,
    kind: patch.kind,
    at: moment.now,
    state: "open",
    values: Object.fromEntries(writes.map(({ field, value }) => [field, value])),
    replaced: Object.fromEntries(writes.map(({ field, replaces }) => [field, replaces])),
    precondition: lock,
    ...(lock === null && link?.version != null ? { versionBefore: link.version } : {}),
  };
  world.addSent(sent);
  return {
    row,
    claimed: {
      sent,
      canonicalId,
      linkId: link?.id ?? null,
      writes,
      leftOut,
      bisected: half !== undefined,
      revision: world.canonical(canonicalId)?.revision ?? 0,
      began: moment.now,
    },
    operation: operationOf(side, patch, lock),
    remoteId: link?.remoteId ?? null,
    versionBefore: link?.version ?? undefined,
  };
}

/** The part of the fields that finds out which one is refused without being named (D13). */
function halfOf(side: Side, patch: Patch, half: ReadonlySet<string>): Patch {
  if (patch.kind === "delete") return patch;
  const writes = patch.writes.filter((write) => half.has(write.field));
  if (writes.length === 0) return patch;
  const names = new Set(writes.flatMap((write) => pathNames(side.rules.get(write.field)?.path ?? [])));
  const fields = Object.fromEntries(Object.entries(patch.fields).filter(([name]) => names.has(name)));
  return { ...patch, writes, fields };
}

function versionOf(link: Link): Precondition {
  return {
    ...(link.version === null ? {} : { version: link.version }),
    ...(link.modifiedAt === null ? {} : { modifiedAt: link.modifiedAt }),
  };
}

function operationOf(side: Side, patch: Patch, precondition: Precondition | null): Operation {
  const { entity } = side;
  switch (patch.kind) {
    case "create":
      return {
        kind: "create",
        entity,
        hubId: patch.canonicalId,
        keyField: side.keyField ?? "",
        fields: patch.fields,
      };
    case "update":
      return {
        kind: "update",
        entity,
        id: patch.link.remoteId,
        fields: patch.fields,
        ...(precondition === null ? {} : { precondition }),
      };
    case "delete":
      return { kind: "delete", entity, id: patch.link.remoteId };
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
    .set({ dueAt, reason, attempts: sql`${outbox.attempts} + 1`, claim: null, claimedRevision: null })
    .where(and(eq(outbox.connection, row.connection), eq(outbox.canonicalId, row.canonicalId)));
}
