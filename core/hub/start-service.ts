/**
 * Starts the running hub: takes the lease, connects, loads what was never read, and keeps every connection going.
 *
 * Calls are received from the first moment on; they are read once the first load is done. A connection that cannot be
 * reached is tried again and stops nobody else.
 */
import { Effect, Semaphore } from "effect";
import { formatProblem } from "../config/diagnostics.ts";
import type { HubConfig } from "../config/hub-config.ts";
import type { ConfigReading } from "../config/read.ts";
import { linkAudit, noteAudit } from "../store/audit.ts";
import { noteStopped, readNames, readStopped } from "../store/connections.ts";
import { createReceiver, pruneCalls, type Receiver } from "../store/inbox.ts";
import { keepLease } from "../store/lease.ts";
import type { Engine } from "../sync/engine.ts";
import { pullOnly, unloaded } from "../sync/sync.ts";
import type { Listener, ServiceEvent } from "./events.ts";
import { createLane, type Lane } from "./lane.ts";
import { connectHub, engineOf, type Hub } from "./open.ts";
import { plan } from "./plan.ts";
import { reloadPlan, toRestart } from "./reload.ts";
import type { Asked, ConnectionStatus, Reloaded, Service } from "./service.ts";
import { settingsOf, writtenSides } from "./setup.ts";
import { createWake } from "./wake.ts";

export interface ServiceOptions {
  readonly hub: Hub;
  /** Reads the YAML again, for a reload. */
  readonly readConfig: () => ConfigReading;
  readonly listeners: ReadonlyArray<Listener>;
}

/** The service with what its process needs beside its faces. */
export interface RunningService extends Service {
  readonly receiver: Receiver;
  readonly lane: (name: string) => Lane | undefined;
  readonly lanes: () => ReadonlyArray<Lane>;
  /** An engine over the connections that are live now. */
  readonly engine: () => Engine;
  readonly emit: (event: ServiceEvent) => void;
  /** Ends after what is under way; what takes longer than the grace is cut, and looked up at the next start. */
  readonly stop: (graceMs: number) => Promise<void>;
}

const upkeepMs = 2_000;
const pollMs = 250;
/** A step of the start that the store did not take is tried again after that long. */
const againMs = 1_000;
const pruneEveryMs = 600_000;
const retireMsMax = 15_000;
/** Calls are kept that long after they were received, for a replay. */
const callsKeptMs = 7 * 24 * 3_600_000;

/**
 * Errors  StoreBusy when another process runs the moves, StoreFailed.
 */
export async function startService({ hub: opened, readConfig, listeners }: ServiceOptions): Promise<RunningService> {
  let hub = opened;
  const { store, clock } = hub;
  const { database } = store;
  const run = <A, E>(work: Effect.Effect<A, E>): Promise<A> => Effect.runPromise(hub.traced(work));
  const lease = await run(keepLease(database, "serve"));
  const stopping = new AbortController();
  const loadGate = Semaphore.makeUnsafe(1);
  const lanes = new Map<string, Lane>();
  const runs = new Map<string, Promise<void>>();
  let loading = 0;
  let storeTrouble: string | null = null;

  const emit = (event: ServiceEvent): void => {
    for (const listen of listeners) listen(event);
  };

  const engine = (): Engine =>
    engineOf(
      hub,
      [...lanes.values()].flatMap((lane) => lane.live() ?? []),
    );

  const storeFails = (error: unknown): void => {
    const reason = error instanceof Error ? error.message : String(error);
    if (storeTrouble === null) emit({ kind: "store", ok: false, reason });
    storeTrouble = reason;
  };

  /** What every lane needs before it can run is tried until the store takes it. */
  const untilDone = async <A>(work: () => Promise<A>): Promise<A> => {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (stopping.signal.aborted) throw error;
        storeFails(error);
        await clock.sleep(againMs, stopping.signal);
      }
    }
  };

  const context = {
    hub: () => hub,
    engine,
    emit,
    ringPushes: () => {
      for (const lane of lanes.values()) lane.ring("push");
    },
    isLoading: () => loading > 0,
    whileLoading: <A>(work: () => Promise<A>): Promise<A> =>
      run(
        loadGate.withPermits(1)(
          Effect.acquireUseRelease(
            Effect.sync(() => {
              loading += 1;
            }),
            () => Effect.tryPromise({ try: work, catch: (error) => error }),
            () =>
              Effect.sync(() => {
                loading -= 1;
              }),
          ),
        ),
      ),
  };

  const receiver = createReceiver(store, (names) => {
    for (const name of names) lanes.get(name)?.ring("inbox");
  });

  /** Makes the lanes of these connections, connects them, and reads together what was never read. */
  const bring = async (config: HubConfig, names: ReadonlySet<string>): Promise<void> => {
    const made = config.connections.filter((one) => names.has(one.name)).map((one) => createLane(context, one));
    const stopped = await untilDone(() => run(readStopped(database)));
    await untilDone(() => Promise.all(made.map((lane) => lane.loadChannel())));
    for (const lane of made) {
      lane.setStopped(stopped.get(lane.name) ?? null);
      lanes.set(lane.name, lane);
      // Before anything is read, so that what changes during the first load is heard.
      runs.set(lane.name, lane.keepChannel());
    }
    const connected = await untilDone(() =>
      Promise.all(made.map((lane) => (stopped.has(lane.name) ? false : lane.live() !== null || lane.connect()))),
    );
    const live = made.filter((_, index) => connected[index]);
    const never = await untilDone(() =>
      run(
        unloaded(
          engine(),
          live.flatMap((lane) => lane.live() ?? []),
        ),
      ),
    );
    for (const lane of live) lane.setLoaded({ loaded: !never.has(lane.name), fresh: false });
    const toLoad = live.filter((lane) => never.has(lane.name));
    // A load that the store has cut is gone on with by the lanes themselves.
    if (toLoad.length > 0 && !stopping.signal.aborted) await firstLoad(toLoad).catch(storeFails);
    if (stopping.signal.aborted) return;
    for (const lane of made)
      runs.set(
        lane.name,
        Promise.all([runs.get(lane.name), lane.run()]).then(() => undefined),
      );
    context.ringPushes();
  };

  /** Together, so that first meetings are judged over all sides at once. */
  const firstLoad = async (toLoad: ReadonlyArray<Lane>): Promise<void> => {
    const { run: id, reports } = await context.whileLoading(() =>
      run(
        pullOnly(
          engine(),
          toLoad.flatMap((lane) => lane.live() ?? []),
          { full: false, judges: true },
        ),
      ),
    );
    for (const report of reports) {
      emit({ kind: "pulled", connection: report.name, run: id, full: false, report });
      if (report.outcome.kind === "ok") lanes.get(report.name)?.setLoaded({ loaded: true, fresh: true });
    }
  };

  /** Small things that nobody waits for; and what another process has changed in the store. */
  const upkeep = async (): Promise<void> => {
    const wake = createWake(clock, stopping.signal);
    let version = await dataVersion(hub);
    let linkedAt = clock.now();
    let prunedAt = 0;
    while (!stopping.signal.aborted) {
      await wake.wait(pollMs);
      try {
        const now = clock.now();
        const newest = await dataVersion(hub);
        if (newest !== version) {
          version = newest;
          const stopped = await run(readStopped(database));
          for (const lane of lanes.values()) lane.setStopped(stopped.get(lane.name) ?? null);
          context.ringPushes();
          for (const lane of lanes.values()) lane.ring("inbox");
        }
        if (now - linkedAt >= upkeepMs) {
          linkedAt = now;
          await run(linkAudit(database));
        }
        if (now - prunedAt >= pruneEveryMs) {
          prunedAt = now;
          await run(pruneCalls(database, now - callsKeptMs));
        }
        if (storeTrouble !== null) emit({ kind: "store", ok: true, reason: null });
        storeTrouble = null;
      } catch (error) {
        storeFails(error);
      }
    }
  };

  await run(
    database.write("noting the start", () =>
      noteAudit(database, [{ at: clock.now(), actor: "hub", action: "serve", subject: hub.config.hub.name }]),
    ),
  );
  const upkeeping = upkeep();
  const bringing = bring(hub.config, new Set(hub.config.connections.map((one) => one.name))).catch((error: unknown) => {
    // What was cut by the end is no trouble of the store.
    if (!stopping.signal.aborted) storeFails(error);
  });

  const unknown = (name: string): Asked => ({
    kind: "refused",
    reason: `There is no connection ${name}.`,
    remedy: `There are: ${[...lanes.keys()].join(", ")}.`,
  });

  const setStopped = Effect.fn("service.stopped")(function* (name: string, actor: string, isStopped: boolean) {
    const lane = lanes.get(name);
    if (lane === undefined) return unknown(name);
    const by = isStopped ? actor : null;
    yield* noteStopped(database, { name, system: lane.connection.use, by, at: clock.now(), actor });
    lane.setStopped(by);
    return { kind: "taken" } satisfies Asked as Asked;
  });

  const preview = (): { readonly reading: ConfigReading; readonly answer: Reloaded } => {
    const reading = readConfig();
    if (reading.config === null) {
      const errors = reading.problems.filter((problem) => problem.severity === "error");
      return { reading, answer: { kind: "refused", problems: errors.map(formatProblem) } };
    }
    return { reading, answer: { kind: "done", plan: reloadPlan(hub.config, reading.config) } };
  };

  const endLane = async (name: string, isGone: boolean): Promise<void> => {
    const lane = lanes.get(name);
    lane?.stop();
    await runs.get(name);
    // The credentials go with the YAML: later the channel could only run out.
    if (isGone && lane !== undefined) await Promise.race([lane.retireChannel(), clock.sleep(retireMsMax)]);
    lanes.delete(name);
    runs.delete(name);
  };

  const reload = async (actor: string): Promise<Reloaded> => {
    const { reading, answer } = preview();
    if (reading.config === null || answer.kind !== "done") return answer;
    // The store and the address stay as they are until the next start.
    const config: HubConfig = {
      ...reading.config,
      hub: { ...reading.config.hub, store: hub.config.hub.store },
      serve: hub.config.serve,
    };
    const restart = toRestart(answer.plan, config);
    await Promise.all([
      ...answer.plan.gone.map((name) => endLane(name, true)),
      ...[...restart].map((name) => endLane(name, false)),
    ]);
    hub = { ...hub, config, model: config.model, settings: settingsOf(config, writtenSides(config)) };
    await run(
      database.write("noting the reload", () =>
        noteAudit(database, [
          {
            at: clock.now(),
            actor,
            action: "reload",
            subject: config.hub.name,
            detail: {
              added: answer.plan.added,
              gone: answer.plan.gone,
              changed: answer.plan.changed.map((one) => one.connection),
              hub: answer.plan.hub,
            },
          },
        ]),
      ),
    );
    emit({ kind: "reloaded", plan: answer.plan });
    void bring(config, restart);
    return answer;
  };

  return {
    hub: () => hub,
    receiver,
    lane: (name) => lanes.get(name),
    lanes: () => [...lanes.values()],
    engine,
    emit,
    connections: () =>
      Effect.map(sleepers(hub), (asleep) => [...[...lanes.values()].map((lane) => lane.status()), ...asleep]),
    readiness: () => ({ ready: storeTrouble === null && !stopping.signal.aborted, reason: storeTrouble }),
    pause: (name, actor) => setStopped(name, actor, true),
    resume: (name, actor) => setStopped(name, actor, false),
    syncNow: Effect.fn("service.sync-now")(function* (name: string, full: boolean, actor: string) {
      const lane = lanes.get(name);
      if (lane === undefined) return unknown(name);
      const { state, reason } = lane.status();
      if (state === "stopped")
        return {
          kind: "refused",
          reason: `${name} is ${reason}.`,
          remedy: "Resume it first.",
        } satisfies Asked as Asked;
      yield* database.write("noting a request", () =>
        noteAudit(database, [{ at: clock.now(), actor, action: full ? "sweep now" : "sync now", subject: name }]),
      );
      lane.request(full);
      return { kind: "taken" } satisfies Asked as Asked;
    }),
    plan: ({ names, ...options }) =>
      Effect.acquireUseRelease(
        connectHub(hub, names),
        (live) => plan(hub, live, options),
        (live) => Effect.promise(live.close),
      ),
    previewReload: () => Effect.sync(() => preview().answer),
    reload: (actor) => Effect.promise(() => reload(actor)),
    stop: async (graceMs) => {
      stopping.abort();
      for (const lane of lanes.values()) lane.stop();
      const ended = Promise.all([bringing, upkeeping, ...runs.values()]);
      const grace = new AbortController();
      await Promise.race([ended, clock.sleep(graceMs, grace.signal)]);
      grace.abort();
      for (const lane of lanes.values()) lane.kill();
      await receiver.close();
      await Promise.race([ended, clock.sleep(2_000)]);
      await run(linkAudit(database));
      await run(lease.release);
    },
  };
}

/** Grows with every commit of another process. */
const dataVersion = (hub: Hub): Promise<number> => Effect.runPromise(hub.store.database.foreignCommits());

/** Connections that the store knows and the YAML does not name any more. */
const sleepers = (hub: Hub) =>
  Effect.map(readNames(hub.store.database), (rows): ReadonlyArray<ConnectionStatus> => {
    const named = new Set(hub.config.connections.map((one) => one.name));
    return rows
      .filter(({ name }) => !named.has(name))
      .map(({ name, system }) => ({
        name,
        system,
        state: "sleeping",
        reason: "it is gone from the YAML; its links are kept",
        until: null,
        busyWith: [],
        nextPullAt: null,
        nextSweepAt: null,
        channel: null,
      }));
  });
