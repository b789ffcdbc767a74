/**
 * Which connections this process keeps going: takes what it shall have, reads together what was never read, gives away
 * what another process shall have, and drops what one has taken.
 *
 * Every connection has a lane at all times, so that its calls are received in every process; only the lane of the lease
 * runs.
 */
import { Effect } from "effect";
import type { ConnectionConfig } from "../config/hub-config.ts";
import { readStopped } from "../store/connections.ts";
import { behind } from "../store/fence.ts";
import type { Lease, Member, Share } from "../store/leases.ts";
import type { Engine } from "../sync/engine.ts";
import { pullOnly, unloaded } from "../sync/sync.ts";
import { createLane, type Lane, type LaneContext } from "./lane.ts";

export interface CrewOptions {
  readonly context: LaneContext;
  readonly member: Member;
  /** The hub ends. */
  readonly signal: AbortSignal;
  /** Tries until the store takes it; rejects when the hub ends. */
  readonly untilDone: <A>(work: () => Promise<A>) => Promise<A>;
  readonly storeFails: (error: unknown) => void;
}

export interface Crew {
  readonly lanes: ReadonlyMap<string, Lane>;
  /** Looks who shall keep what, and begins to bring it about. */
  readonly look: () => Promise<Share>;
  /** Another process has taken a lease of this one. */
  readonly lose: (name: string) => void;
  /** What another process has changed is taken in by the lanes that do not run. */
  readonly refresh: () => Promise<void>;
  /** Ends lanes: those of connections that are gone, and those to be made anew. Answers the leases that are kept. */
  readonly close: (gone: ReadonlyArray<string>, changed: ReadonlySet<string>) => Promise<ReadonlyArray<Lease>>;
  /** Makes lanes anew, for leases that were kept. */
  readonly open: (leases: ReadonlyArray<Lease>) => void;
  /** Asks everything to end; resolves when it has, at the latest after the grace, and gives the leases back. */
  readonly end: (graceMs: number) => Promise<void>;
}

const retireMsMax = 15_000;
const cutMsMax = 2_000;

export function createCrew({ context, member, signal, untilDone, storeFails }: CrewOptions): Crew {
  const { clock } = context.hub();
  const lanes = new Map<string, Lane>();
  /** What a lane has under way. */
  const runs = new Map<Lane, Promise<void>>();
  /** Lanes whose loops have begun. */
  const running = new Set<Lane>();
  const leaving = new Set<string>();
  const lost = new WeakSet<Lease>();
  const bringings = new Set<Promise<void>>();
  let looking: Promise<unknown> = Promise.resolve();

  const run = <A, E>(work: Effect.Effect<A, E>): Promise<A> => Effect.runPromise(context.hub().traced(work));
  const { database } = context.hub().store;
  const engine = (): Engine => context.engine();
  const configOf = (name: string): ConnectionConfig | undefined =>
    context.hub().config.connections.find((one) => one.name === name);

  const attend = (lane: Lane, work: Promise<void>): void => {
    const calm = work.catch((error: unknown) => {
      // What was cut by the end, or by another process, is no trouble of the store.
      if (!signal.aborted && lanes.get(lane.name) === lane) storeFails(error);
    });
    runs.set(
      lane,
      Promise.all([runs.get(lane), calm]).then(() => undefined),
    );
  };

  const put = (lane: Lane): void => {
    const earlier = lanes.get(lane.name);
    earlier?.stop();
    earlier?.kill();
    lanes.set(lane.name, lane);
  };

  /** A lane that leaves the work to another process. */
  const putPassive = (connection: ConnectionConfig): Lane => {
    const lane = createLane(context, connection, null);
    put(lane);
    attend(lane, refreshOne(lane));
    return lane;
  };

  const refreshOne = async (lane: Lane): Promise<void> => {
    await lane.loadChannel();
    // Records that are pushed here are taken in by whichever process they come to.
    if (lane.connection.connector.resident !== true || lane.isLoaded()) return;
    const live = lane.live() ?? ((await lane.connect()) ? lane.live() : null);
    if (live === null) return;
    lane.setLoaded({ loaded: !(await run(unloaded(engine(), [live]))).has(lane.name), fresh: false });
  };

  /** Connects the lanes of these leases, and reads together what was never read. */
  const bring = async (leases: ReadonlyArray<Lease>): Promise<void> => {
    const made = leases.flatMap((lease) => {
      const connection = configOf(lease.name);
      if (connection === undefined) return [];
      return [createLane(context, connection, { lease, fence: member.fence([lease]) })];
    });
    for (const lane of made) put(lane);
    const stopped = await untilDone(() => run(readStopped(database)));
    await eachOf(made, (lane) => lane.loadChannel());
    for (const lane of made.filter(isOurs)) {
      lane.setStopped(stopped.get(lane.name) ?? null);
      // Before anything is read, so that what changes during the first load is heard.
      attend(lane, lane.keepChannel());
    }
    await eachOf(made, async (lane) => {
      if (!stopped.has(lane.name) && lane.live() === null) await lane.connect();
    });
    const live = made.filter((lane) => lane.live() !== null && isOurs(lane));
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
    if (toLoad.length > 0 && !signal.aborted) await firstLoad(toLoad).catch(storeFails);
    for (const lane of made.filter(isOurs)) {
      running.add(lane);
      attend(lane, lane.run());
    }
    context.ringPushes();
  };

  const isOurs = (lane: Lane): boolean => lanes.get(lane.name) === lane && !signal.aborted;

  /** Until the store takes it, or another process has taken the lane. */
  const eachOf = async (these: ReadonlyArray<Lane>, work: (lane: Lane) => Promise<void>): Promise<void> => {
    await Promise.all(
      these.map((lane) =>
        untilDone(async () => {
          if (!isOurs(lane)) return;
          await work(lane).catch((error: unknown) => {
            if (isOurs(lane)) throw error;
          });
        }),
      ),
    );
  };

  const begin = (leases: ReadonlyArray<Lease>): void => {
    if (leases.length === 0) return;
    const bringing = bring(leases)
      .catch((error: unknown) => {
        // What was cut by the end is no trouble of the store.
        if (!signal.aborted) storeFails(error);
      })
      .finally(() => bringings.delete(bringing));
    bringings.add(bringing);
  };

  /** Together, so that first meetings are judged over all sides at once. */
  const firstLoad = async (toLoad: ReadonlyArray<Lane>): Promise<void> => {
    const loading = toLoad.flatMap((lane) => lane.live() ?? []);
    const fence = member.fence(toLoad.flatMap((lane) => lane.keeping?.lease ?? []));
    const { run: id, reports } = await context.whileLoading(() =>
      run(behind(fence)(pullOnly(engine(), loading, { full: false, judges: true }))),
    );
    for (const report of reports) {
      context.emit({ kind: "pulled", connection: report.name, run: id, full: false, report });
      if (report.outcome.kind === "ok") lanes.get(report.name)?.setLoaded({ loaded: true, fresh: true });
    }
  };

  /** Ends what the lane does in its own time, then gives the connection away. */
  const handOver = async (lane: Lane): Promise<void> => {
    leaving.add(lane.name);
    try {
      lane.stop();
      await runs.get(lane);
      if (lanes.get(lane.name) !== lane || signal.aborted) return;
      const connection = configOf(lane.name);
      if (connection !== undefined) putPassive(connection);
      await run(member.release(lane.name, lane.spent()));
      context.emit({ kind: "lease", connection: lane.name, what: "given" });
    } finally {
      leaving.delete(lane.name);
      runs.delete(lane);
      running.delete(lane);
    }
  };

  const look = async (): Promise<Share> => {
    const names = context.hub().config.connections.map((one) => one.name);
    const share = await run(member.share(names));
    const gained = share.gained.filter((lease) => configOf(lease.name) !== undefined);
    if (database.processes === "many")
      for (const { name } of gained) context.emit({ kind: "lease", connection: name, what: "taken" });
    begin(gained);
    for (const connection of context.hub().config.connections) if (!lanes.has(connection.name)) putPassive(connection);
    for (const name of share.surplus) {
      const lane = lanes.get(name);
      if (lane !== undefined && running.has(lane) && !leaving.has(name)) void handOver(lane).catch(storeFails);
    }
    return share;
  };

  const endLane = async (name: string, isGone: boolean): Promise<void> => {
    const lane = lanes.get(name);
    if (lane === undefined) return;
    lane.stop();
    await runs.get(lane);
    // The credentials go with the YAML: later the channel could only run out.
    if (isGone && lane.keeping !== null) await Promise.race([lane.retireChannel(), clock.sleep(retireMsMax)]);
    lanes.delete(name);
    runs.delete(lane);
    running.delete(lane);
    if (isGone && lane.keeping !== null) await run(member.release(name, lane.spent()));
  };

  return {
    lanes,
    look: () => {
      const next = looking.catch(() => undefined).then(look);
      looking = next;
      return next;
    },
    lose: (name) => {
      const lane = lanes.get(name);
      if (lane === undefined || lane.keeping === null) return;
      lost.add(lane.keeping.lease);
      context.emit({ kind: "lease", connection: name, what: "lost" });
      running.delete(lane);
      const connection = configOf(name);
      if (connection !== undefined) putPassive(connection);
    },
    refresh: async () => {
      for (const lane of lanes.values()) if (lane.keeping === null) await refreshOne(lane);
    },
    close: async (gone, changed) => {
      const leases = [...changed].flatMap((name) => lanes.get(name)?.keeping?.lease ?? []);
      await Promise.all([
        ...gone.map((name) => endLane(name, true)),
        ...[...changed].map((name) => endLane(name, false)),
      ]);
      return leases.filter((lease) => !lost.has(lease));
    },
    open: (leases) => begin(leases),
    end: async (graceMs) => {
      for (const lane of lanes.values()) lane.stop();
      const ended = Promise.all([looking.catch(() => undefined), ...bringings, ...runs.values()]);
      const grace = new AbortController();
      await Promise.race([ended, clock.sleep(graceMs, grace.signal)]);
      grace.abort();
      for (const lane of lanes.values()) lane.kill();
      await Promise.race([ended, clock.sleep(cutMsMax)]);
      for (const lane of lanes.values())
        if (lane.keeping !== null) await run(Effect.ignore(member.release(lane.name, lane.spent())));
    },
  };
}
