/**
 * Opening the hub: the store of a configuration, and on demand live connections to its systems.
 *
 * Reading commands and decisions of people need the store alone; plan, check and sync connect first. A connection that
 * cannot be reached is reported beside the others, and does not stop them.
 */
import { Effect } from "effect";
import type { ConnectionConfig, HubConfig } from "../config/hub-config.ts";
import type { Clock, Log } from "../connector.ts";
import type { Model } from "../model/field.ts";
import { type Settings, sideKey } from "../model/settings.ts";
import type { Fault } from "../net/fault.ts";
import type { Lane } from "../net/lanes.ts";
import type { Spent } from "../net/limits.ts";
import { openStore, type Store } from "../store/open.ts";
import type { ConnectorBroken } from "../sync/call.ts";
import { type Connected, connect, type Drift } from "../sync/connect.ts";
import type { Engine, LiveConnection, Progress } from "../sync/engine.ts";
import { createIds, type Ids } from "../sync/ids.ts";
import { settingsOf, setupOf, writtenSides } from "./setup.ts";
import { type Keeping, type LentTools, toolsFor } from "./tools.ts";

export interface HubOptions {
  readonly config: HubConfig;
  /** SYNCLINE_KEY, if set. */
  readonly key: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly progress?: (event: Progress) => void;
  /** Calls to systems are made once, for a person who waits; repeated unless said. */
  readonly once?: boolean;
  /** Records what is done as spans; nothing is recorded without. */
  readonly traced?: Traced;
}

/** Runs a piece of work under a tracer. */
export type Traced = <A, E>(work: Effect.Effect<A, E>) => Effect.Effect<A, E>;

export interface Hub {
  readonly config: HubConfig;
  readonly store: Store;
  readonly model: Model;
  readonly clock: Clock;
  readonly log: Log;
  readonly ids: Ids;
  readonly progress: (event: Progress) => void;
  readonly once: boolean;
  readonly traced: Traced;
  /** As the YAML tells them; live connections know more. */
  readonly settings: Settings;
  readonly close: () => Promise<void>;
}

/**
 * Opens the store; nothing is asked of any system.
 *
 * Errors  StoreFailed, KeyProblem. With `mustExist` a store that is not there yet is an error, not made.
 */
export const openHub = Effect.fn("hub.open")(function* (
  options: HubOptions,
  { mustExist = false }: { readonly mustExist?: boolean } = {},
) {
  const { config, clock, log } = options;
  const store = yield* openStore({ place: config.hub.store, key: options.key, readOnly: mustExist });
  const hub: Hub = {
    config,
    store,
    model: config.model,
    clock,
    log,
    ids: createIds(clock.now),
    progress: options.progress ?? (() => {}),
    once: options.once ?? false,
    traced: options.traced ?? ((work) => work),
    settings: settingsOf(config, writtenSides(config)),
    close: store.close,
  };
  return hub;
});

/** A connection that could not be made, and why. */
export interface Unreachable {
  readonly name: string;
  readonly failure: Fault | ConnectorBroken;
}

export interface LiveHub {
  readonly engine: Engine;
  readonly unreachable: ReadonlyArray<Unreachable>;
  readonly drift: ReadonlyArray<Drift>;
  /** The calls that a connection has just made. */
  readonly spent: (name: string) => Spent;
  readonly close: () => Promise<void>;
}

/** Connects to the named systems, or to all of them, at the same time. */
export const connectHub = Effect.fn("hub.connect")(function* (
  hub: Hub,
  names?: ReadonlyArray<string>,
  /** What lets this process call and write; reading needs none. */
  keeping: (name: string) => Keeping | null = () => null,
) {
  const chosen = hub.config.connections.filter((connection) => names === undefined || names.includes(connection.name));
  const made = yield* Effect.forEach(
    chosen,
    (connection) => Effect.result(connectOne(hub, connection, keeping(connection.name))),
    {
      concurrency: "unbounded",
    },
  );
  const connected: Array<Connected & Pick<LentTools, "spent">> = [];
  const unreachable: Array<Unreachable> = [];
  for (const [index, result] of made.entries()) {
    if (result._tag === "Success") connected.push(result.success);
    else unreachable.push({ name: chosen[index]?.name ?? "", failure: result.failure });
  }
  const connections = connected.map((one) => one.live);
  return {
    engine: engineOf(hub, connections),
    unreachable,
    drift: connected.flatMap((one) => one.drift),
    spent: (name) => connected.find((one) => one.live.name === name)?.spent() ?? {},
    close: async () => {
      for (const live of connections) await live.api.close?.();
    },
  } satisfies LiveHub;
});

const connectOne = (hub: Hub, connection: ConnectionConfig, keeping: Keeping | null) =>
  Effect.suspend(() => {
    const { forLane, skewMs, spent } = toolsFor(hub, connection, { keeping });
    const connecting = connect(setupOf(connection), hub.model, forLane("user"), skewMs);
    return Effect.map(connecting, (made) => ({ ...made, spent }));
  });

/** One live connection as a running hub uses it: the same limits and tokens for calls of different urgency. */
export interface LanedConnection {
  readonly drift: ReadonlyArray<Drift>;
  /** The connection whose calls go in this lane. */
  readonly inLane: (lane: Lane) => LiveConnection;
  readonly quota: LentTools["quota"];
}

/** Connects to one system for a running hub. */
export const connectLanes = Effect.fn("hub.connect-lanes")(function* (
  hub: Hub,
  connection: ConnectionConfig,
  { forLane, quota, skewMs }: LentTools,
) {
  const { live, drift } = yield* connect(setupOf(connection), hub.model, forLane("schedule"), skewMs);
  const made = new Map<Lane, LiveConnection>([["schedule", live]]);
  return {
    drift,
    quota,
    inLane: (lane) => {
      const known = made.get(lane);
      if (known !== undefined) return known;
      const other = { ...live, api: connection.connector.connect(connection.config, forLane(lane)) };
      made.set(lane, other);
      return other;
    },
  } satisfies LanedConnection;
});

/** An engine over live connections; the others keep the sides that the YAML tells. */
export function engineOf(hub: Hub, connections: ReadonlyArray<LiveConnection>, store: Store = hub.store): Engine {
  const sides = new Map(hub.settings.sides);
  for (const live of connections) {
    for (const [entity, side] of live.sides) sides.set(sideKey(live.name, entity), side);
  }
  return {
    store,
    model: hub.model,
    settings: { ...hub.settings, sides },
    connections,
    clock: hub.clock,
    ids: hub.ids,
    progress: hub.progress,
  };
}
