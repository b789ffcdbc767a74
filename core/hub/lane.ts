/**
 * One connection of a running hub: three loops that keep it going beside each other.
 *
 * `pull` reads when its schedule or a person says so, `inbox` reads what webhooks named, `push` writes what is due. Each
 * loop does one thing at a time, so that no schedule overlaps itself; what must not happen at the same time on one
 * record is settled by the rules of the merge, not by keeping the loops apart.
 */
import { Effect } from "effect";
import type { ConnectionConfig } from "../config/hub-config.ts";
import type { Connection } from "../connector.ts";
import { type Entity, entities } from "../model/field.ts";
import { type Counts, noCounts } from "../model/world.ts";
import { isFault } from "../net/fault.ts";
import { standardWebhook } from "../net/standard-webhook.ts";
import type { Webhook } from "../net/webhook.ts";
import { noteConnections } from "../store/connections.ts";
import { StoreFailed } from "../store/failure.ts";
import { behind } from "../store/fence.ts";
import { claimSchedule, nextDue, readFired, waitingReads } from "../store/schedules.ts";
import { addCounts } from "../sync/apply.ts";
import { ConnectorBroken } from "../sync/call.ts";
import type { Engine, LiveConnection } from "../sync/engine.ts";
import { fetchAndApply, fetchDue } from "../sync/fetch.ts";
import { applyHeld } from "../sync/held.ts";
import { type PushCounts, pushConnection } from "../sync/push.ts";
import { SourceHeld } from "../sync/push-run.ts";
import { readInbox } from "../sync/receive.ts";
import { type Outcome, outcomeOf, pullOnly, recoverClaims, settleAllMeetings } from "../sync/sync.ts";
import { createChannelKeeper } from "./channels.ts";
import type { ServiceEvent } from "./events.ts";
import { connectLanes, type Hub, type LanedConnection } from "./open.ts";
import { dueAt, nextAt, type Schedule, scheduleOf } from "./schedule.ts";
import type { ConnectionStatus } from "./service.ts";
import { type Keeping, type LentTools, toolsFor } from "./tools.ts";
import { createWake } from "./wake.ts";

/** What a lane needs of the service around it. */
export interface LaneContext {
  readonly hub: () => Hub;
  /** An engine over all connections that are live now. */
  readonly engine: () => Engine;
  readonly emit: (event: ServiceEvent) => void;
  /** Something may be due in any connection. */
  readonly ringPushes: () => void;
  /** True while first meetings must wait for a first load to end. */
  readonly isLoading: () => boolean;
  /** Runs a first load with the mark set that `isLoading` shows; one at a time. */
  readonly whileLoading: <A>(work: () => Promise<A>) => Promise<A>;
}

type Job = { readonly full: boolean; readonly kind: "pull" | "sweep" };
interface Read {
  calls: number;
  records: number;
  unreadable: number;
  readonly counts: Counts;
}
type LoopName = "pull" | "inbox" | "push";
type Loop = LoopName | "sweep";

export interface Lane {
  readonly name: string;
  readonly connection: ConnectionConfig;
  /** What lets this process keep the connection going; null while another one does. */
  readonly keeping: Keeping | null;
  readonly live: () => LiveConnection | null;
  /** How the system calls us; null where the YAML takes no calls, or the connector knows none. */
  readonly webhook: Webhook | null;
  /** What its calls carry, or are signed with. */
  readonly secrets: () => ReadonlyArray<string>;
  /** Lets calls of the channel in that the store knows. */
  readonly loadChannel: () => Promise<void>;
  /** Keeps the channel at the system until the lane is stopped; beside the loops: one that cannot be made stops no pull. */
  readonly keepChannel: () => Promise<void>;
  /** Removes the channel at the system: the connection is gone from the YAML. */
  readonly retireChannel: () => Promise<void>;
  readonly quota: LentTools["quota"];
  readonly spent: LentTools["spent"];
  readonly status: () => ConnectionStatus;
  /** Nothing is under way, nothing waits to be read and nothing is due. */
  readonly isIdle: () => Promise<boolean>;
  /** Connects now, or tells why not. */
  readonly connect: () => Promise<boolean>;
  /** `loaded`: the first load is done; `fresh`: everything was read just now. */
  readonly setLoaded: (state: { readonly loaded: boolean; readonly fresh: boolean }) => void;
  readonly isLoaded: () => boolean;
  readonly setStopped: (by: string | null) => void;
  readonly request: (full: boolean) => void;
  /** Reads these records now, and ends when they are applied; false where the lane cannot, and a later pull reads them. */
  readonly takeIn: (entity: Entity, ids: ReadonlyArray<string>) => Promise<boolean>;
  readonly ring: (loop: LoopName) => void;
  /** Looks up what an earlier holder left open, and starts the loops; resolves when they have ended. */
  readonly run: () => Promise<void>;
  /** Asks the loops to end after what they are doing. */
  readonly stop: () => void;
  /** Ends what is under way; what it leaves open is looked up at the next start. */
  readonly kill: () => void;
}

const idleMs = 30_000;
const failedMs = 5_000;
const failedMsMax = 300_000;
/** A write that got nowhere is not tried again at once. */
const stuckMs = 1_000;
/** A run of writes ends after that many batches, so that a record that changes all the time is not given up. */
const pushBatches = 3;

/** Without a lease the lane takes calls and pushed records in, and leaves everything else to its holder. */
export function createLane(context: LaneContext, connection: ConnectionConfig, keeping: Keeping | null): Lane {
  const { name } = connection;
  const { clock } = context.hub();
  const stopping = new AbortController();
  const killing = new AbortController();
  const wakes = {
    pull: createWake(clock, stopping.signal),
    inbox: createWake(clock, stopping.signal),
    push: createWake(clock, stopping.signal),
    channel: createWake(clock, stopping.signal),
  };
  const busy = new Set<Loop>();
  const requested: Array<Job> = [];
  const lent = toolsFor(context.hub(), connection, { signal: killing.signal, keeping });
  const fence = keeping?.fence ?? null;
  const guarded = behind(fence);
  // Calls are accepted whether or not the system can be reached.
  const caller = connection.connector.connect(connection.config, lent.forLane("webhook"));
  const webhook = webhookOf(connection, caller);
  const schedules = schedulesOf(context.hub(), connection);
  const fired: Record<Job["kind"], number | null> = { pull: null, sweep: null };
  let secrets = connection.webhook.kind === "signed" ? connection.webhook.secrets : [];
  const keeper = createChannelKeeper({
    hub: context.hub,
    connection,
    fence,
    webhook: caller.webhook,
    setSecrets: (told) => {
      secrets = told;
    },
    // What happened while there was no channel is read.
    onNew: () => {
      if (!loaded) return;
      requested.push({ kind: "pull", full: false });
      wakes.pull.ring();
    },
    emit: context.emit,
  });
  let laned: LanedConnection | null = null;
  let loaded = false;
  let caughtUp = false;
  let stoppedBy: string | null = null;
  let trouble: {
    readonly state: ConnectionStatus["state"];
    readonly reason: string;
    readonly until: number | null;
  } | null = null;
  let failures = 0;
  /** Until when a loop leaves a system alone that failed or asked to wait: no bell shortens it, only a person does. */
  const restsUntil = { pull: 0, inbox: 0, push: 0 };

  const run = <A, E>(work: Effect.Effect<A, E>): Promise<A> =>
    Effect.runPromise(context.hub().traced(guarded(work)), { signal: killing.signal });

  const clear = (): void => {
    failures = 0;
    if (trouble === null) return;
    trouble = null;
    context.emit({ kind: "state", connection: name, state: "running", reason: null });
  };

  /** Notes what went wrong in a loop, and answers how long to leave it. */
  const fail = (kind: LoopName, outcome: Exclude<Outcome, { readonly kind: "ok" }>): number => {
    const now = clock.now();
    failures += 1;
    const backoffMs = Math.min(failedMsMax, failedMs * 2 ** Math.min(failures - 1, 10));
    const until = outcome.kind === "paused" ? (outcome.until ?? now + backoffMs) : null;
    const state = outcome.kind === "paused" ? "waiting" : outcome.kind === "held" ? "held" : "failing";
    if (trouble?.state !== state || trouble.reason !== outcome.reason)
      context.emit({ kind: "state", connection: name, state, reason: outcome.reason });
    trouble = { state, reason: outcome.reason, until };
    const restMs = until === null ? backoffMs : Math.max(1000, until - now);
    // A brake is let go by a person, who rings.
    if (state !== "held") restsUntil[kind] = now + restMs;
    return restMs;
  };

  const failWith = (kind: LoopName, error: unknown): number => {
    if (killing.signal.aborted) return 0;
    const known = isFailure(error) ? outcomeOf(error) : null;
    if (known !== null && known.kind !== "ok") return fail(kind, known);
    const reason = error instanceof Error ? error.message : String(error);
    return fail(kind, { kind: "failed", reason, remedy: error instanceof StoreFailed ? error.remedy : "" });
  };

  const connect = async (): Promise<boolean> => {
    const hub = context.hub();
    const made = await run(Effect.result(connectLanes(hub, connection, lent)));
    if (made._tag === "Success") {
      laned = made.success;
      clear();
      // What was never read is read now, and so is what webhooks may have said while nobody listened.
      const isCalled = connection.webhook.kind !== "none" || connection.connector.resident === true;
      const missed = !caughtUp && (!loaded || isCalled);
      if (missed && requested.length === 0) requested.push({ kind: "pull", full: false });
      caughtUp = true;
      return true;
    }
    const outcome = outcomeOf(made.failure);
    failWith("pull", made.failure);
    await run(noteConnections(hub.store.database, [{ name, system: connection.use, outcome }]));
    return false;
  };

  /** One loop: works while there is something to do, sleeps else; a failure makes it wait, never end. */
  const loop = async (kind: LoopName, step: (live: LanedConnection) => Promise<number>) => {
    while (!stopping.signal.aborted) {
      let waitMs = idleMs;
      const restMs = restsUntil[kind] - clock.now();
      try {
        if (stoppedBy !== null) waitMs = idleMs;
        else if (restMs > 0) waitMs = restMs;
        else if (laned !== null) waitMs = await step(laned);
        else if (kind === "pull") {
          await connect();
          waitMs = 0;
        }
      } catch (error) {
        waitMs = failWith(kind, error);
      }
      await wakes[kind].wait(waitMs);
    }
  };

  /** What the loops need from the store is asked for until it answers. */
  const prepare = async (): Promise<void> => {
    const { database } = context.hub().store;
    while (!stopping.signal.aborted) {
      try {
        for (const kind of ["pull", "sweep"] as const) fired[kind] = await run(readFired(database, name, kind));
        return await run(recoverClaims(context.engine(), [name]));
      } catch (error) {
        await wakes.pull.wait(failWith("pull", error));
      }
    }
  };

  const pullStep = async ({ inLane }: LanedConnection): Promise<number> => {
    const hub = context.hub();
    const job = requested.shift() ?? (await dueJob(hub));
    if (job === null) return untilNext();
    busy.add(job.kind);
    try {
      // What the system has changed in its own fields and people is learned anew before everything is read.
      if (job.full) await connect();
      const live = inLane(loaded ? "schedule" : "backfill");
      const work = (judges: boolean) => run(pullOnly(context.engine(), [live], { full: job.full, judges }));
      const { run: id, reports } = loaded
        ? await work(!context.isLoading())
        : await context.whileLoading(() => work(true));
      const [report] = reports;
      context.ringPushes();
      if (report === undefined) return 0;
      context.emit({ kind: "pulled", connection: name, run: id, full: job.full, report });
      if (report.outcome.kind !== "ok") {
        const waitMs = fail("pull", report.outcome);
        // A schedule that failed is made good before its next instant.
        requested.push(job);
        return waitMs;
      }
      clear();
      loaded = true;
      wakes.inbox.ring();
      return 0;
    } finally {
      busy.delete(job.kind);
    }
  };

  const dueJob = async (hub: Hub): Promise<Job | null> => {
    const now = clock.now();
    for (const kind of ["sweep", "pull"] as const) {
      const schedule = schedules[kind];
      const due = schedule === null ? null : dueAt(schedule, fired[kind], now);
      if (due === null) continue;
      fired[kind] = due;
      if (await run(claimSchedule(hub.store.database, { connection: name, kind, at: due })))
        return { kind, full: kind === "sweep" };
    }
    return null;
  };

  const untilNext = (): number => {
    const now = clock.now();
    const next = [schedules.pull, schedules.sweep].flatMap((one) => (one === null ? [] : (nextAt(one, now) ?? [])));
    return Math.max(0, Math.min(idleMs, ...next.map((at) => at - now)));
  };

  /** What webhooks named, what a brake held and a person has let through, and what must be looked at again. */
  const inboxStep = async ({ inLane }: LanedConnection): Promise<number> => {
    if (!loaded) return idleMs;
    const live = inLane("webhook");
    const engine = context.engine();
    const { database } = engine.store;
    const work = await run(waitingReads(database, { connection: name, now: clock.now() }));
    if (!work.unread && !work.held && !work.due) {
      return work.nextAt === null ? idleMs : Math.min(idleMs, Math.max(0, work.nextAt - clock.now()));
    }
    busy.add("inbox");
    try {
      const id = engine.ids.next("run");
      const total: Read = { calls: 0, records: 0, unreadable: 0, counts: noCounts() };
      const held = work.held ? await run(applyHeld(engine, live, id, context.isLoading())) : noCounts();
      if (held !== null) addCounts(total.counts, held);
      if (work.due) addCounts(total.counts, await run(fetchDue(engine, live, id, context.isLoading())));
      const drained =
        work.unread && webhook !== null ? await run(readInbox(engine, { live, webhook, run: id })) : undefined;
      if (drained !== undefined) {
        const { calls, records, unreadable, counts } = drained;
        addCounts(total.counts, counts);
        Object.assign(total, { calls, records, unreadable });
      }
      context.ringPushes();
      context.emit({ kind: "read", connection: name, run: id, ...total });
      // A brake waits for a person, who rings.
      return drained?.more === true ? 0 : held === null ? idleMs : stuckMs;
    } finally {
      busy.delete("inbox");
    }
  };

  const pushStep = async ({ inLane }: LanedConnection): Promise<number> => {
    const live = inLane("webhook");
    if (live.api.push === undefined || !loaded) return idleMs;
    const { database } = context.hub().store;
    const due = await run(nextDue(database, name));
    const now = clock.now();
    if (due === null || due > now) return due === null ? idleMs : Math.min(idleMs, due - now);
    busy.add("push");
    const counts: PushCounts = { created: 0, updated: 0, deleted: 0, rejected: 0 };
    const engine = context.engine();
    const id = engine.ids.next("run");
    try {
      const ended = await run(Effect.result(pushConnection(engine, live, id, { counts, batches: pushBatches })));
      if (!context.isLoading()) await run(settleAllMeetings(engine, id));
      if (ended._tag === "Failure") return failWith("push", ended.failure);
      if (trouble?.state === "held" || trouble?.state === "failing") clear();
      const isStuck = counts.created + counts.updated + counts.deleted + counts.rejected === 0;
      // What was read before the writes may be due elsewhere.
      if (!isStuck) context.ringPushes();
      return isStuck ? stuckMs : 0;
    } finally {
      busy.delete("push");
      context.emit({ kind: "pushed", connection: name, run: id, counts });
    }
  };

  return {
    name,
    connection,
    keeping,
    live: () => laned?.inLane("schedule") ?? null,
    webhook,
    secrets: () => secrets,
    loadChannel: keeper.load,
    keepChannel: async () => {
      while (!stopping.signal.aborted) await wakes.channel.wait(stoppedBy === null ? await keeper.step() : idleMs);
    },
    retireChannel: keeper.retire,
    quota: lent.quota,
    spent: lent.spent,
    status: () => {
      const now = clock.now();
      const told =
        stoppedBy === null ? trouble : { state: "stopped" as const, reason: `stopped by ${stoppedBy}`, until: null };
      const nextOf = (schedule: Schedule | null) => (schedule === null ? null : nextAt(schedule, now));
      return {
        name,
        system: connection.use,
        state: told?.state ?? (laned === null ? "failing" : "running"),
        reason: told?.reason ?? (laned === null ? "not connected yet" : null),
        until: told?.until ?? null,
        busyWith: [...busy],
        nextPullAt: nextOf(schedules.pull),
        nextSweepAt: nextOf(schedules.sweep),
        channel: keeper.status(),
        elsewhere: null,
      };
    },
    isIdle: async () => {
      if (busy.size > 0 || requested.length > 0 || !loaded) return false;
      const { database } = context.hub().store;
      const now = clock.now();
      const reads = await run(waitingReads(database, { connection: name, now }));
      const due = await run(nextDue(database, name));
      return !reads.unread && !reads.held && !reads.due && (due === null || due > now);
    },
    connect,
    setLoaded: (state) => {
      loaded = state.loaded;
      if (state.fresh) requested.length = 0;
    },
    isLoaded: () => loaded,
    setStopped: (by) => {
      if (by === stoppedBy) return;
      stoppedBy = by;
      Object.assign(restsUntil, { pull: 0, inbox: 0, push: 0 });
      for (const wake of Object.values(wakes)) wake.ring();
    },
    request: (full) => {
      requested.push({ kind: full ? "sweep" : "pull", full });
      restsUntil.pull = 0;
      wakes.pull.ring();
    },
    takeIn: async (entity, ids) => {
      if (laned === null || !loaded || stoppedBy !== null || stopping.signal.aborted) return false;
      const engine = context.engine();
      const live = laned.inLane("webhook");
      const id = engine.ids.next("run");
      const request = { live, entity, ids, run: id, deferMeetings: context.isLoading() };
      const { counts, held } = await run(fetchAndApply(engine, request));
      context.ringPushes();
      context.emit({ kind: "read", connection: name, run: id, calls: 1, records: ids.length, unreadable: 0, counts });
      return !held;
    },
    ring: (which) => wakes[which].ring(),
    run: async () => {
      await prepare();
      await Promise.all([loop("pull", pullStep), loop("inbox", inboxStep), loop("push", pushStep)]);
      await laned?.inLane("schedule").api.close?.();
    },
    stop: () => stopping.abort(),
    kill: () => killing.abort(),
  };
}

function webhookOf({ webhook, connector, config }: ConnectionConfig, caller: Connection): Webhook | null {
  if (webhook.kind === "none") return null;
  if (webhook.kind === "own") return caller.webhook ?? null;
  const maps = connector.entities(config);
  const objects: Partial<Record<Entity, string>> = {};
  for (const entity of entities) {
    const map = maps[entity];
    if (map !== undefined) objects[entity] = map.object;
  }
  return standardWebhook(objects);
}

function schedulesOf(hub: Hub, { name, pull }: ConnectionConfig): Readonly<Record<Job["kind"], Schedule | null>> {
  const { timeZone } = hub.config.hub;
  const now = hub.clock.now();
  return {
    pull: scheduleOf(pull.every, { timeZone, name, now }),
    sweep: scheduleOf(pull.sweep, { timeZone, name: `${name} sweep`, now }),
  };
}

type Failure = Parameters<typeof outcomeOf>[0];

const isFailure = (error: unknown): error is Failure =>
  isFault(error) || error instanceof SourceHeld || error instanceof ConnectorBroken;
