/** One connection to a fresh simulator on a loopback port, with tools as the core lends them. */
import { onTestFinished } from "vitest";
import type {
  CodecContext,
  Connection,
  Connector,
  Entity,
  EntityMap,
  FieldRule,
  LogFields,
  Page,
  PullRequest,
  RemoteRecord,
  Token,
  Tools,
} from "../../../core/connector.ts";
import { Schema } from "../../../core/connector.ts";
import { Unreadable } from "../../../core/model/codec.ts";
import { builtInFields } from "../../../core/model/fields.ts";
import { decodeField } from "../../../core/model/mapping.ts";
import { normalise } from "../../../core/model/normalise.ts";
import type { Value } from "../../../core/model/value.ts";
import { createTools } from "../../../core/net/tools.ts";
import type { FaultRule, Simulator, SimulatorClock } from "../../../core/simulator.ts";
import { serveSimulator } from "../../../core/simulator-server.ts";
import { peopleOf } from "../../../core/sync/connect.ts";
import { type StillClock, stillClock } from "../clock.ts";
import type { HookContract } from "./hooks.ts";

export type Keys = Readonly<Record<string, unknown>>;
export type Fields = Readonly<Record<string, unknown>>;

export interface EntityContract {
  /** The remote fields of a new record, as a person fills them at the vendor's own screen: few, and different for each index. */
  readonly record: (index: number) => Fields;
  /** The remote name of a text field that people edit. */
  readonly edited: string;
  /** Canonical values that this system can hold, by canonical field; every mapped field that is written has some. */
  readonly values: (ids: Readonly<Record<Entity, string>>) => Readonly<Record<string, ReadonlyArray<Value>>>;
  /** Canonical fields that this system does not let anyone empty. */
  readonly required: ReadonlyArray<string>;
  /** Remote fields that the system refuses, and the name that its refusal gives. */
  readonly refused: { readonly fields: Fields; readonly field: string };
}

/** What a system may lack; each one that is left out needs a reason. */
export type Case =
  /** Calls over a network, with credentials and faults. */
  | "wire"
  | "write"
  | "tombstones"
  | "incremental"
  | "unique key"
  | "precondition"
  | "token expiry"
  | "rate over 200"
  | "half batch"
  | "long ids"
  | "find quoted text"
  | "find in any case"
  | "clear"
  | "complete listing";

/** Part of a path, and the method. */
export interface CallPlace {
  readonly path: string;
  readonly method?: string;
}

export interface Contract<Config, Cursor> {
  readonly connector: Connector<Config, Cursor>;
  readonly simulate: (options: {
    readonly clock: SimulatorClock;
    readonly faults: { readonly rules: ReadonlyArray<FaultRule> };
  }) => Simulator;
  /** The connection's YAML keys with credentials that the system refuses. */
  readonly wrongCredentials: (keys: Keys) => Keys;
  /** Texts of the configuration that must stay secret. */
  readonly secrets: ReadonlyArray<string>;
  /** The remote field that holds the hub's id. */
  readonly key: Readonly<Record<Entity, string>>;
  readonly entities: Partial<Record<Entity, EntityContract>>;
  /** Records that fill more than two pages of a pull. */
  readonly manyRows: number;
  /** Where the calls for an entity go, so that faults strike them. */
  readonly calls: (entity: Entity) => {
    readonly list: CallPlace;
    readonly create: CallPlace;
    readonly update: CallPlace;
  };
  readonly cannot: Partial<Record<Case, string>>;
  /** How the system calls the hub; left out where it never does. */
  readonly hooks?: HookContract<Config, Cursor>;
}

export interface World<Config, Cursor> {
  readonly contract: Contract<Config, Cursor>;
  readonly simulator: Simulator;
  readonly clock: StillClock;
  readonly api: Connection<Cursor>;
  readonly maps: Partial<Record<Entity, EntityMap>>;
  /** Another connection to the same system, as after a restart; tokens are kept. */
  readonly reconnect: () => Connection<Cursor>;
  /** What was said in the log, as text. */
  readonly logged: ReadonlyArray<string>;
}

export interface WorldOptions {
  readonly faults?: ReadonlyArray<FaultRule>;
  readonly wrongCredentials?: boolean;
  /** YAML keys over those that the simulator names. */
  readonly keys?: Keys;
}

export async function openWorld<Config, Cursor>(
  contract: Contract<Config, Cursor>,
  options: WorldOptions = {},
): Promise<World<Config, Cursor>> {
  const { connector } = contract;
  const clock = stillClock();
  const simulator = contract.simulate({ clock, faults: { rules: options.faults ?? [] } });
  const server = await serveSimulator(simulator);
  onTestFinished(() => server.close());
  const keys = { ...simulator.connection(server.url), ...options.keys };
  const given = options.wrongCredentials === true ? contract.wrongCredentials(keys) : keys;
  const config = Schema.decodeUnknownSync(connector.config)(given);
  const logged: Array<string> = [];
  const note = (message: string, fields?: LogFields): void => {
    logged.push(`${message} ${JSON.stringify(fields ?? {})}`);
  };
  const kept = new Map<string, Token>();
  const used = new Map<string, number>();
  const toolsOf = (): Tools =>
    createTools({
      connection: "contract",
      limits: connector.limits(config),
      allowedHosts: ["127.0.0.1"],
      tokens: {
        load: async (name) => kept.get(name) ?? null,
        save: async (name, token) => {
          if (token === null) kept.delete(name);
          else kept.set(name, token);
        },
      },
      counters: {
        used: async (name, day) => used.get(`${name} ${day}`) ?? 0,
        set: async (name, day, count) => {
          used.set(`${name} ${day}`, count);
        },
      },
      clock,
      log: { info: note, warn: note },
    }).forLane("user");
  const reconnect = (): Connection<Cursor> => connector.connect(config, toolsOf());
  return { contract, simulator, clock, api: reconnect(), maps: connector.entities(config), reconnect, logged };
}

export function entitiesIn<Config, Cursor>(contract: Contract<Config, Cursor>): ReadonlyArray<Entity> {
  return (["account", "contact"] as const).filter((entity) => contract.entities[entity] !== undefined);
}

export function mapOf<Config, Cursor>({ maps }: World<Config, Cursor>, entity: Entity): EntityMap {
  const map = maps[entity];
  if (map === undefined) throw new Error(`the connector has no map of ${entity}`);
  return map;
}

export function entityOf<Config, Cursor>(contract: Contract<Config, Cursor>, entity: Entity): EntityContract {
  const found = contract.entities[entity];
  if (found === undefined) throw new Error(`the contract says nothing of ${entity}`);
  return found;
}

/** All remote names that the map reads. */
export const namesIn = (map: EntityMap): ReadonlyArray<string> => [
  ...new Set(
    Object.values(map.fields).flatMap(({ path }) => (typeof path === "string" ? [path] : Object.values(path))),
  ),
];

/** A pull may leave out what is only seconds old, and show it the next time. */
export const settledMs = 10 * 60_000;

export const neverStopped = (): AbortSignal => new AbortController().signal;

export async function pagesOf<Cursor>(
  api: Connection<Cursor>,
  entity: Entity,
  request: Partial<PullRequest<Cursor>> & Pick<PullRequest<Cursor>, "fields">,
): Promise<ReadonlyArray<Page<Cursor>>> {
  const pages: Array<Page<Cursor>> = [];
  const whole = { mode: "changes" as const, cursor: null, signal: neverStopped(), ...request };
  for await (const page of api.pull(entity, whole)) pages.push(page);
  return pages;
}

export const recordsIn = <Cursor>(pages: ReadonlyArray<Page<Cursor>>): ReadonlyArray<RemoteRecord> =>
  pages.flatMap(({ changes }) => changes.filter((change) => change.kind === "record"));

/** The cursor as it comes back from the store: through its schema and JSON. */
export function storedCursor<Config, Cursor>({ cursor }: Connector<Config, Cursor>, value: Cursor): Cursor {
  const text = JSON.stringify(Schema.encodeSync(cursor)(value));
  return Schema.decodeUnknownSync(cursor)(JSON.parse(text));
}

export async function contextOf<Config, Cursor>({ api }: World<Config, Cursor>, entity: Entity): Promise<CodecContext> {
  const described = await api.describe(entity);
  return {
    country: "US",
    currency: "USD",
    people: peopleOf({ owners: {}, defaultOwner: undefined }, await api.people()),
    remote: new Map(described.map((field) => [field.name, field])),
  };
}

/** The canonical value of a field as the core would read it; undefined where the record does not tell it. */
export function valueIn(
  entity: Entity,
  name: string,
  rule: FieldRule,
  { fields, context }: { readonly fields: Fields; readonly context: CodecContext },
): Value | undefined {
  const decoded = decodeField(rule, fields, context);
  if (decoded instanceof Unreadable) throw new Error(`${name}: ${decoded.reason}`);
  const field = builtInFields[entity].get(name);
  return decoded === undefined || field === undefined ? decoded : normalise(field, decoded, context);
}

/** The record with this id as a fetch shows it. */
export async function fetchOne<Config, Cursor>(
  world: World<Config, Cursor>,
  entity: Entity,
  id: string,
): Promise<RemoteRecord> {
  const { changes } = await world.api.fetch(entity, [id], namesIn(mapOf(world, entity)));
  const [change] = changes;
  if (change?.kind !== "record") throw new Error(`${entity} ${id} is not there`);
  return change;
}
