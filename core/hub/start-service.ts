/**
 * Starts the running hub: joins those that share the store, and keeps the connections going that fall to it.
 *
 * Calls are received from the first moment on; they are read once the first load is done. A connection that cannot be
 * reached is tried again and stops nobody else.
 */
import { Effect, Semaphore } from "effect";
import { formatProblem } from "../config/diagnostics.ts";
import type { HubConfig } from "../config/hub-config.ts";
import type { ConfigReading } from "../config/read.ts";
import { linkAudit, noteAudit } from "../store/audit.ts";
import { noteStopped, readStopped } from "../store/connections.ts";
import { createReceiver, type Receiver } from "../store/inbox.ts";
import { join } from "../store/leases.ts";
import { loadRole, StoreBusy, upkeepRole } from "../store/processes.ts";
import { askFor, takeAsked } from "../store/schedules.ts";
import type { Engine } from "../sync/engine.ts";
import { createCrew } from "./crew.ts";
import type { Listener, ServiceEvent } from "./events.ts";
import { everyOf } from "./every.ts";
import type { Lane, LaneContext } from "./lane.ts";
import { connectHub, engineOf, type Hub } from "./open.ts";
import { plan } from "./plan.ts";
import { reloadPlan, toRestart } from "./reload.ts";
import type { Asked, Reloaded, Service } from "./service.ts";
import { settingsOf, writtenSides } from "./setup.ts";
import { statuses } from "./statuses.ts";
import { createUpkeep } from "./upkeep.ts";
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
  /** What concerns the whole hub is this process's to tell. */
  readonly keepsUpkeep: () => boolean;
  readonly emit: (event: ServiceEvent) => void;
  /** Ends after what is under way; what takes longer than the grace is cut, and looked up at the next start. */
  readonly stop: (graceMs: number) => Promise<void>;
}

const tendMs = 1_000;
const looksPerLease = 3;
/** A step of the start that the store did not take is tried again after that long. */
const againMs = 1_000;

/**
 * Errors  StoreBusy when another process runs the moves, StoreFailed.
 */
export async function startService({ hub: opened, readConfig, listeners }: ServiceOptions): Promise<RunningService> {
  let hub = opened;
  const { store, clock } = hub;
  const { database } = store;
  const run = <A, E>(work: Effect.Effect<A, E>): Promise<A> => Effect.runPromise(hub.traced(work));
  const stopping = new AbortController();
  const loadGate = Semaphore.makeUnsafe(1);
  let loading = 0;
  let loadsElsewhere = false;
  let storeTrouble: string | null = null;

  const emit = (event: ServiceEvent): void => {
    for (const listen of listeners) listen(event);
  };

  const engine = (): Engine =>
    engineOf(
      hub,
      [...lanes().values()].flatMap((lane) => lane.live() ?? []),
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

  const every = everyOf(clock);
  let lose = (_: string): void => {};
  const member = await run(
    join(database, { command: "serve", leaseMs: hub.config.serve.leaseMs, onLost: (name) => lose(name), every }),
  );

  /** One process at a time reads for the first time, so that first meetings are judged over all sides at once. */
  const withLoadRole = async <A>(work: () => Promise<A>): Promise<A> => {
    for (;;) {
      const taken = await run(Effect.result(member.take([loadRole])));
      if (taken._tag === "Success") break;
      if (!(taken.failure instanceof StoreBusy) || stopping.signal.aborted) throw taken.failure;
      await clock.sleep(againMs, stopping.signal);
    }
    try {
      return await work();
    } finally {
      await run(Effect.ignore(member.release(loadRole)));
    }
  };

  const context: LaneContext = {
    hub: () => hub,
    engine,
    emit,
    ringPushes: () => {
      for (const lane of lanes().values()) lane.ring("push");
    },
    isLoading: () => loading > 0 || loadsElsewhere,
    whileLoading: <A>(work: () => Promise<A>): Promise<A> =>
      run(
        loadGate.withPermits(1)(
          Effect.acquireUseRelease(
            Effect.sync(() => {
              loading += 1;
            }),
            () => Effect.tryPromise({ try: () => withLoadRole(work), catch: (error) => error }),
            () =>
              Effect.sync(() => {
                loading -= 1;
              }),
          ),
        ),
      ),
  };
  const crew = createCrew({ context, member, signal: stopping.signal, untilDone, storeFails });
  lose = crew.lose;
  const lanes = (): ReadonlyMap<string, Lane> => crew.lanes;

  const receiver = createReceiver(store, (names) => {
    for (const name of names) lanes().get(name)?.ring("inbox");
  });

  let refreshedAt = 0;
  /** What another process has changed in the store, and what people have asked of it. */
  const hearNews = async (): Promise<void> => {
    const stopped = await run(readStopped(database));
    for (const lane of lanes().values()) lane.setStopped(stopped.get(lane.name) ?? null);
    const ours = [...lanes().values()].filter((lane) => lane.keeping !== null).map((lane) => lane.name);
    for (const { connection, full } of await run(takeAsked(database, ours))) lanes().get(connection)?.request(full);
    // Busy neighbours have news all the time, and what this takes in changes seldom.
    if (clock.now() - refreshedAt >= againMs) {
      refreshedAt = clock.now();
      await crew.refresh();
    }
    context.ringPushes();
    for (const lane of lanes().values()) lane.ring("inbox");
  };

  const look = async (): Promise<void> => {
    ({ isLoadingElsewhere: loadsElsewhere } = await crew.look());
  };

  /** Keeps what belongs to the whole hub going: who keeps what, news, upkeep. */
  const tend = async (): Promise<void> => {
    const wake = createWake(clock, stopping.signal);
    let isNews = false;
    const deaf = database.onNews(() => {
      isNews = true;
      wake.ring();
    }, every);
    const upkeep = createUpkeep(hub, member);
    let lookedAt = clock.now();
    let isStale = false;
    /** Whether it is time to see who keeps what. Where only one process works, nobody else can take or give anything. */
    const isTime = (now: number): boolean => {
      const sinceMs = now - lookedAt;
      return database.processes === "many" && sinceMs >= (isStale ? againMs : hub.config.serve.leaseMs / looksPerLease);
    };
    while (!stopping.signal.aborted) {
      await wake.wait(tendMs);
      try {
        const now = clock.now();
        const hasNews = isNews;
        isNews = false;
        isStale ||= hasNews;
        if (isTime(now)) {
          lookedAt = now;
          isStale = false;
          await look();
        }
        if (hasNews) await hearNews();
        await upkeep();
        if (storeTrouble !== null) emit({ kind: "store", ok: true, reason: null });
        storeTrouble = null;
      } catch (error) {
        storeFails(error);
      }
    }
    await deaf();
  };

  try {
    await run(
      database.write("noting the start", () =>
        noteAudit(database, [{ at: clock.now(), actor: "hub", action: "serve", subject: hub.config.hub.name }]),
      ),
    );
    await look();
  } catch (error) {
    stopping.abort();
    await run(member.leave);
    throw error;
  }
  const tending = tend();

  const unknown = (name: string): Asked => ({
    kind: "refused",
    reason: `There is no connection ${name}.`,
    remedy: `There are: ${[...lanes().keys()].join(", ")}.`,
  });

  const setStopped = Effect.fn("service.stopped")(function* (name: string, actor: string, isStopped: boolean) {
    const lane = lanes().get(name);
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
    const kept = await crew.close(answer.plan.gone, restart);
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
    crew.open(kept);
    await look();
    return answer;
  };

  return {
    hub: () => hub,
    receiver,
    lane: (name) => lanes().get(name),
    lanes: () => [...lanes().values()],
    keepsUpkeep: () => member.held(upkeepRole) !== undefined,
    engine,
    emit,
    connections: () => statuses(hub, lanes()),
    readiness: () => ({ ready: storeTrouble === null && !stopping.signal.aborted, reason: storeTrouble }),
    pause: (name, actor) => setStopped(name, actor, true),
    resume: (name, actor) => setStopped(name, actor, false),
    syncNow: Effect.fn("service.sync-now")(function* (name: string, full: boolean, actor: string) {
      const lane = lanes().get(name);
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
      if (lane.keeping === null) yield* askFor(database, { connection: name, full, at: clock.now() });
      else lane.request(full);
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
      await crew.end(graceMs);
      await receiver.close();
      await tending;
      if (member.held(upkeepRole) !== undefined) await run(linkAudit(database));
      await run(member.leave);
    },
  };
}
