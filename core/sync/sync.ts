/**
 * Sync: pull, apply and push of connections, with every move's outcome on record.
 *
 * All connections are read before anything is written, so that first meetings are judged over all sides at once (D10).
 * A connection that fails or must wait does not stop the others.
 */
import { and, asc, eq, inArray, isNotNull, lt } from "drizzle-orm";
import { Effect } from "effect";
import { settleMeetings } from "../model/decide.ts";
import type { Entity } from "../model/field.ts";
import type { Moment } from "../model/moment.ts";
import { type Counts, noCounts } from "../model/world.ts";
import type { Fault } from "../net/fault.ts";
import { noteAudit } from "../store/audit.ts";
import type { StoreFailed } from "../store/failure.ts";
import { connections, links, meetings, outbox, runs, sent } from "../store/tables.ts";
import { loadWorld, saveWorld } from "../store/world-store.ts";
import { type Agreement, measureAgreement } from "./agreement.ts";
import { isAlive } from "./alive.ts";
import { addCounts } from "./apply.ts";
import type { ConnectorBroken } from "./call.ts";
import { type Engine, entityOrder, type LiveConnection } from "./engine.ts";
import { fetchDue } from "./fetch.ts";
import { applyHeld } from "./held.ts";
import { listingsBegun, mapChanged, notePrints, retryRefused } from "./map-change.ts";
import type { Permit } from "./permit.ts";
import { pullEntity } from "./pull.ts";
import { type PushCounts, pushConnection } from "./push.ts";
import type { SourceHeld } from "./push-run.ts";
import { type Unclear, unclearCreates } from "./unclear.ts";

export type Outcome =
  | { readonly kind: "ok" }
  /** The third outcome: neither success nor failure. */
  | { readonly kind: "paused"; readonly until: number | null; readonly reason: string }
  | { readonly kind: "held"; readonly reason: string }
  | { readonly kind: "failed"; readonly reason: string; readonly remedy: string };

export interface ConnectionReport {
  readonly name: string;
  readonly pulled: number;
  readonly applied: Counts;
  readonly pushed: PushCounts;
  readonly vanished: number;
  readonly unclear: Unclear | null;
  readonly outcome: Outcome;
}

export interface SyncReport {
  readonly run: string;
  readonly connections: ReadonlyArray<ConnectionReport>;
  readonly agreement: Agreement;
  readonly outbox: number;
}

interface Running {
  readonly live: LiveConnection;
  pulled: number;
  vanished: number;
  unclear: Unclear | null;
  readonly applied: Counts;
  readonly pushed: PushCounts;
  outcome: Outcome;
}

type Failure = Fault | ConnectorBroken | StoreFailed | SourceHeld;

/** Rounds of pushing: what one connection's re-read brought may make another one due. */
const roundsMax = 8;

export interface SyncOptions {
  /** Only these; all without. */
  readonly names?: ReadonlyArray<string>;
  /** Full sweep beside the live pull. */
  readonly full: boolean;
  /** Stops before anything is written to a system; for plans. */
  readonly pushes: boolean;
  /** What may be written, found out once everything is read; all that is due without it. */
  readonly permit?: Effect.Effect<Permit, StoreFailed>;
}

export const sync = Effect.fn("sync")(function* (engine: Engine, options: SyncOptions) {
  const chosen = chosenOf(engine, options.names);
  const { run, running } = yield* pullRun(engine, chosen, { full: options.full, judges: true });
  if (options.pushes) {
    const permit = options.permit === undefined ? undefined : yield* options.permit;
    for (let round = 0; round < roundsMax; round++) {
      const before = yield* dueNow(engine, running);
      if (before.size === 0) break;
      yield* Effect.forEach(
        running.filter((one) => one.outcome.kind === "ok" && before.has(one.live.name)),
        (one) =>
          guarded(engine, one, Effect.asVoid(pushConnection(engine, one.live, run, { counts: one.pushed, permit }))),
        { concurrency: "unbounded", discard: true },
      );
      yield* settleAllMeetings(engine, run);
    }
  }
  const agreement = yield* measureAgreement(
    engine,
    chosen.map((live) => live.name),
  );
  for (const one of running) one.unclear = yield* unclearCreates(engine, one.live);
  yield* endRun(engine, running, run);
  const left = yield* engine.store.database.read("counting the outbox", async () =>
    engine.store.database.db.$count(outbox),
  );
  return { run, connections: running.map(reportOf), agreement, outbox: left } satisfies SyncReport;
});

/** Reads connections without writing to any, as `serve` does; what becomes due is pushed by others. */
export const pullOnly = Effect.fn("sync.pull-only")(function* (
  engine: Engine,
  chosen: ReadonlyArray<LiveConnection>,
  /** `judges`: false while another connection is being loaded, whose first meetings must wait. */
  options: { readonly full: boolean; readonly judges: boolean },
) {
  const { run, running } = yield* pullRun(engine, chosen, options);
  for (const one of running) one.unclear = yield* unclearCreates(engine, one.live);
  yield* endRun(engine, running, run);
  return { run, reports: running.map(reportOf) };
});

const chosenOf = (engine: Engine, names: ReadonlyArray<string> | undefined): ReadonlyArray<LiveConnection> =>
  engine.connections.filter((live) => names === undefined || names.includes(live.name));

function reportOf({ live, ...rest }: Running): ConnectionReport {
  return { name: live.name, ...rest };
}

/** Begins a run, reads the connections, and judges first meetings once all of them are read. */
const pullRun = Effect.fn("sync.pull-run")(function* (
  engine: Engine,
  chosen: ReadonlyArray<LiveConnection>,
  { full, judges }: { readonly full: boolean; readonly judges: boolean },
) {
  const run = engine.ids.next("run");
  const running = chosen.map(
    (live): Running => ({
      live,
      pulled: 0,
      vanished: 0,
      unclear: null,
      applied: noCounts(),
      pushed: { created: 0, updated: 0, deleted: 0, rejected: 0 },
      outcome: { kind: "ok" },
    }),
  );
  yield* startRun(engine, running, run, engine.clock.now());
  yield* recoverClaims(
    engine,
    chosen.map((live) => live.name),
  );
  const remapped = yield* mapChanged(engine, chosen);
  const loading = yield* unloaded(engine, chosen);
  const deferMeetings = loading.size > 0 || remapped.size > 0;
  yield* notePrints(engine, chosen, "absent");
  for (const live of chosen) yield* retryRefused(engine, live, run);
  yield* Effect.forEach(
    running,
    (one) => guarded(engine, one, pullAll(engine, one, { run, deferMeetings, full, remapped })),
    { concurrency: "unbounded", discard: true },
  );
  if (judges) yield* settleAllMeetings(engine, run);
  return { run, running };
});

/** Turns a fault into the outcome of its connection; a failing store ends the run. */
function guarded(engine: Engine, one: Running, work: Effect.Effect<void, Failure>): Effect.Effect<void, StoreFailed> {
  return Effect.catch(work, (failure): Effect.Effect<void, StoreFailed> => {
    if (failure._tag === "StoreFailed") return Effect.fail(failure);
    one.outcome = outcomeOf(failure);
    engine.progress({ kind: "note", connection: one.live.name, text: failure.message });
    return noteOutcome(engine, one);
  });
}

export function outcomeOf(failure: Exclude<Failure, StoreFailed>): Outcome {
  switch (failure._tag) {
    case "RateLimited":
      return { kind: "paused", until: failure.retryAt, reason: failure.message };
    case "AuthFailed":
      return { kind: "failed", reason: failure.message, remedy: failure.remedy };
    case "Unavailable":
      return {
        kind: "failed",
        reason: failure.message,
        remedy: "Mend that, then sync again: it goes on where it stopped, and nothing is skipped.",
      };
    case "Forged":
      return {
        kind: "failed",
        reason: failure.message,
        remedy: "Check the address of the connection: what answers there is not the system.",
      };
    case "SourceHeld":
      return { kind: "held", reason: failure.message };
    case "ConnectorBroken":
      return { kind: "failed", reason: failure.message, remedy: "Run again; if it stays, report it." };
  }
}

const noteOutcome = (engine: Engine, one: Running) =>
  engine.store.database.write("noting the outcome", async () => {
    const { outcome } = one;
    if (outcome.kind === "ok" || outcome.kind === "held") return;
    await engine.store.database.db
      .update(connections)
      .set({
        state: outcome.kind === "paused" ? "paused" : "failing",
        reason: outcome.reason,
        pausedUntil: outcome.kind === "paused" ? outcome.until : null,
      })
      .where(eq(connections.name, one.live.name));
  });

interface PullOptions {
  readonly run: string;
  readonly deferMeetings: boolean;
  readonly full: boolean;
  /** Entities that must be read again, because their map has changed; by connection. */
  readonly remapped: ReadonlyMap<string, ReadonlySet<Entity>>;
}

const pullAll = Effect.fn("sync.pull")(function* (engine: Engine, one: Running, options: PullOptions) {
  const { live } = one;
  const { run, deferMeetings, full, remapped } = options;
  const state = yield* stateOf(engine, live);
  const now = engine.clock.now();
  if (state?.state === "paused" && state.pausedUntil !== null && state.pausedUntil > now) {
    one.outcome = { kind: "paused", until: state.pausedUntil, reason: state.reason ?? "the system asked to wait" };
    return;
  }
  const decided = yield* applyHeld(engine, live, run, deferMeetings);
  if (decided === null) {
    // What this source says waits for a person; until then it keeps what else it has.
    one.outcome = { kind: "held", reason: state?.reason ?? "a brake holds this connection" };
    return;
  }
  addCounts(one.applied, decided);
  addCounts(one.applied, yield* fetchDue(engine, live, run, deferMeetings));
  const begun = yield* listingsBegun(engine, live);
  for (const entity of entityOrder) {
    if (!live.sides.has(entity)) continue;
    const isRemapped = remapped.get(live.name)?.has(entity) === true;
    const lists = full || isRemapped || begun.has(entity);
    for (const mode of lists ? (["changes", "listing"] as const) : (["changes"] as const)) {
      const isSweep = mode === "listing" && !isRemapped;
      const pulled = yield* pullEntity(engine, { live, entity, mode, run, deferMeetings, isSweep });
      one.pulled += pulled.records;
      one.vanished += pulled.vanished;
      addCounts(one.applied, pulled.counts);
    }
  }
  // A contact may have come before its account, or a child before its parent.
  addCounts(one.applied, yield* fetchDue(engine, live, run, deferMeetings));
  yield* markLoaded(engine, live);
  yield* notePrints(engine, [live], "all");
  const after = yield* stateOf(engine, live);
  if (after?.state === "held") one.outcome = { kind: "held", reason: after.reason ?? "a brake holds this connection" };
});

const stateOf = (engine: Engine, live: LiveConnection) =>
  engine.store.database.read("reading the connection's state", async () =>
    engine.store.database.db.select().from(connections).where(eq(connections.name, live.name)).get(),
  );

/** Connections that have something due now. */
const dueNow = (engine: Engine, running: ReadonlyArray<Running>) =>
  engine.store.database.read("finding what is due", async () => {
    const { db } = engine.store.database;
    const now = engine.clock.now();
    const rows = await db
      .selectDistinct({ connection: outbox.connection })
      .from(outbox)
      .where(lt(outbox.dueAt, now + 1));
    const names = new Set(running.map((one) => one.live.name));
    return new Set(rows.map((row) => row.connection).filter((name) => names.has(name)));
  });

const startRun = (engine: Engine, running: ReadonlyArray<Running>, run: string, startedAt: number) =>
  engine.store.database.write("starting the run", async () => {
    const { database } = engine.store;
    for (const { live } of running) {
      await database.db
        .insert(connections)
        .values({
          name: live.name,
          system: live.connector.system,
          state: "active",
          loaded: [],
          mapPrint: {},
          lastRunAt: startedAt,
        })
        .onConflictDoUpdate({ target: connections.name, set: { lastRunAt: startedAt, system: live.connector.system } });
    }
    await database.insert(
      runs,
      running.map(({ live }) => ({
        id: `${run}/${live.name}`,
        connection: live.name,
        startedAt,
        endedAt: null,
        outcome: "running",
        counts: {},
      })),
    );
    await noteAudit(database, [
      {
        at: startedAt,
        actor: "hub",
        action: "sync",
        subject: run,
        detail: { connections: running.map(({ live }) => live.name) },
      },
    ]);
  });

const endRun = (engine: Engine, running: ReadonlyArray<Running>, run: string) =>
  engine.store.database.write("ending the run", async () => {
    const { database } = engine.store;
    const endedAt = engine.clock.now();
    await database.update(
      runs,
      ["id"],
      ["endedAt", "outcome", "counts"],
      running.map((one) => ({
        id: `${run}/${one.live.name}`,
        endedAt,
        outcome: one.outcome.kind,
        counts: { pulled: one.pulled, ...one.applied, pushed: one.pushed },
      })),
    );
    for (const one of running) {
      if (one.outcome.kind !== "ok") continue;
      await database.db
        .update(connections)
        .set({ state: "active", reason: null, pausedUntil: null })
        .where(eq(connections.name, one.live.name));
    }
  });

/**
 * Claims in these connections that a dead process left, or one that lost their lease: their records are fetched before
 * anything is written again (D3). Those of pushes that are under way in this process stay theirs.
 */
export const recoverClaims = Effect.fn("sync.recover")(function* (engine: Engine, names: ReadonlyArray<string>) {
  const { database } = engine.store;
  yield* database.write("recovering claims", async () => {
    const { db } = database;
    const now = engine.clock.now();
    const claimed = await db
      .select()
      .from(outbox)
      .where(and(isNotNull(outbox.claim), inArray(outbox.connection, [...names])));
    const living = claimed.filter((row) => isAlive(engine.store, row.claim ?? ""));
    const livingKeys = new Set(living.map((row) => `${row.connection}\n${row.canonicalId}`));
    const open = await db
      .select()
      .from(sent)
      .where(and(inArray(sent.state, ["open", "seen"]), inArray(sent.connection, [...names])));
    const abandoned: Array<(typeof open)[number]> = [];
    for (const entry of open) {
      if (livingKeys.has(`${entry.connection}\n${entry.canonicalId}`)) continue;
      const isSeen = entry.state === "seen";
      await db
        .update(sent)
        .set({ state: isSeen ? "closed" : "unclear" })
        .where(eq(sent.id, entry.id));
      if (entry.linkId !== null && !isSeen)
        await db.update(links).set({ fetchAfter: now, settledAt: now }).where(eq(links.id, entry.linkId));
      abandoned.push(entry);
    }
    // Every intent of the audit has an outcome, also one that nobody lived to hear.
    await noteAudit(
      database,
      abandoned.map(({ id, connection, entity, canonicalId, state }) => ({
        at: now,
        actor: "hub",
        action: state === "seen" ? "outcome seen" : "outcome unknown",
        subject: `${connection}/${entity}/${canonicalId}`,
        detail: { intent: id },
      })),
    );
    for (const row of claimed) {
      if (living.includes(row)) continue;
      await db
        .update(outbox)
        .set({ claim: null, claimedRevision: null })
        .where(and(eq(outbox.connection, row.connection), eq(outbox.canonicalId, row.canonicalId)));
    }
  });
});

/** Connections that have never been read to their end. */
export const unloaded = (engine: Engine, chosen: ReadonlyArray<LiveConnection>) =>
  engine.store.database.read("reading the connections", async () => {
    const rows = await engine.store.database.db.select().from(connections);
    const loaded = new Map(rows.map((row) => [row.name, Array.isArray(row.loaded) ? row.loaded : []]));
    return new Set(
      chosen
        .filter((live) => [...live.sides.keys()].some((entity) => !(loaded.get(live.name) ?? []).includes(entity)))
        .map((live) => live.name),
    );
  });

const markLoaded = (engine: Engine, live: LiveConnection) =>
  engine.store.database.write("noting the load", async () => {
    await engine.store.database.db
      .update(connections)
      .set({ loaded: [...live.sides.keys()] })
      .where(eq(connections.name, live.name));
  });

const meetingsBatchMax = 500;
const meetingsBatchesMax = 100_000;

/** Judges the first meetings that waited for the end of the load. */
export const settleAllMeetings = Effect.fn("sync.meetings")(function* (engine: Engine, run: string) {
  const { database, sealer } = engine.store;
  for (let batch = 0; batch < meetingsBatchesMax; batch++) {
    const settled = yield* database.write("judging first meetings", async () => {
      const rows = await database.db.select().from(meetings).orderBy(asc(meetings.canonicalId)).limit(meetingsBatchMax);
      if (rows.length === 0) return 0;
      const ids = rows.map((row) => row.canonicalId);
      const { world, sealing } = await loadWorld(database, sealer, engine.model, { canonicalIds: ids });
      for (const id of ids) world.meetings.add(id);
      const now = engine.clock.now();
      const moment: Moment = { now, run, newId: engine.ids.next, deferMeetings: false, cause: "met" };
      settleMeetings(world, engine.settings, moment);
      await saveWorld(database, sealing, world, { now, newId: engine.ids.next, settings: engine.settings });
      return rows.length;
    });
    if (settled < meetingsBatchMax) return;
  }
});
