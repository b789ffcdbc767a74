/**
 * Makes a connection of the YAML live: connects, learns who works there and which fields there are, and builds the
 * sides that the pure rules see.
 */
import { Effect } from "effect";
import type { Connector, EntityMap, Person, RemoteField, Tools } from "../connector.ts";
import { type CodecContext, type FieldRule, type Path, type People, pathNames } from "../model/codec.ts";
import { translated } from "../model/codecs/translated.ts";
import type { Entity, Model } from "../model/field.ts";
import type { Filter } from "../model/filter.ts";
import type { DeletePolicy, MapOverride, Side } from "../model/settings.ts";
import { call } from "./call.ts";
import type { Brake, LiveConnection } from "./engine.ts";

/** One connection as configured, checked and with its defaults filled in. */
export interface ConnectionSetup {
  readonly name: string;
  readonly connector: Connector;
  /** The connector's own keys, decoded. */
  readonly config: unknown;
  readonly push: boolean;
  readonly deletes: DeletePolicy;
  readonly deleteAgainstUpdate: "keep" | "delete" | "ask";
  readonly duplicates: "ask" | "separate" | "fold";
  readonly quarantineMs: number;
  readonly skewMs: number;
  readonly map: Partial<Record<Entity, Readonly<Record<string, MapOverride>>>>;
  readonly key: Partial<Record<Entity, string>>;
  readonly create: Partial<Record<Entity, boolean | Filter>>;
  readonly owners: Readonly<Record<string, string>>;
  readonly defaultOwner: string | undefined;
  readonly country: string;
  readonly currency: string;
  readonly brake: Brake;
}

/** A difference between the map and what the system has now. */
export interface Drift {
  readonly connection: string;
  readonly entity: Entity;
  readonly field: string;
  readonly remote: string;
  readonly what: "missing" | "unreadable" | "read-only";
}

export interface Connected {
  readonly live: LiveConnection;
  readonly drift: ReadonlyArray<Drift>;
}

/** The rules of an entity: the connector's map, with the overrides of the YAML. */
export function rulesOf(setup: ConnectionSetup, entity: Entity, map: EntityMap, model: Model): Map<string, FieldRule> {
  const rules = new Map<string, FieldRule>();
  for (const [name, rule] of Object.entries(map.fields)) if (model[entity].has(name)) rules.set(name, rule);
  for (const [name, override] of Object.entries(setup.map[entity] ?? {})) {
    const field = model[entity].get(name);
    if (field === undefined) continue;
    if (override === false) {
      rules.delete(name);
      continue;
    }
    const rule = overridden(setup, { name, type: field.type }, rules.get(name), override);
    if (rule !== undefined) rules.set(name, rule);
  }
  return rules;
}

function overridden(
  { connector }: ConnectionSetup,
  field: { readonly name: string; readonly type: string },
  known: FieldRule | undefined,
  override: Exclude<MapOverride, false>,
): FieldRule | undefined {
  const { path, access, values }: Exclude<MapOverride, false | string> =
    typeof override === "string" ? { path: override } : override;
  let rule = known;
  if (typeof path === "string") rule = connector.rule(field, path);
  else if (path !== undefined) {
    rule = { path, codec: known?.codec ?? connector.rule(field, field.name).codec, access: "both" };
  }
  if (rule === undefined) return undefined;
  return {
    ...rule,
    ...(values === undefined ? {} : { codec: translated(rule.codec, values) }),
    ...(access === undefined ? {} : { access }),
  };
}

/**
 * Connects and asks the system for its people and fields; a few calls.
 *
 * Units   `measuredSkewMs` tells how far the remote's clock may be from ours, once those calls have been answered.
 */
export const connect = Effect.fn("connect")(function* (
  setup: ConnectionSetup,
  model: Model,
  tools: Tools,
  measuredSkewMs: () => number = () => setup.skewMs,
) {
  const { name, connector } = setup;
  const api = connector.connect(setup.config, tools);
  const maps = connector.entities(setup.config);
  const directory = yield* call(name, "reading its people", () => api.people());
  const people = peopleOf(setup, directory);
  const sides = new Map<Entity, Side>();
  const drift: Array<Drift> = [];
  for (const entity of ["account", "contact"] as const) {
    const map = maps[entity];
    if (map === undefined) continue;
    const described = yield* call(name, `reading the fields of ${map.object}`, () => api.describe(entity));
    const remote = new Map(described.map((field) => [field.name, field]));
    const context: CodecContext = { country: setup.country, currency: setup.currency, people, remote };
    const rules = fitRules(rulesOf(setup, entity, map, model), remote, (field, remoteName, what) =>
      drift.push({ connection: name, entity, field, remote: remoteName, what }),
    );
    const skewMs = Math.max(setup.skewMs, measuredSkewMs());
    sides.set(entity, sideFor({ ...setup, skewMs }, entity, map, rules, context, api.push !== undefined));
  }
  const live: LiveConnection = { name, connector, api, maps, sides, brake: setup.brake };
  return { live, drift } satisfies Connected;
});

export function sideFor(
  setup: ConnectionSetup,
  entity: Entity,
  map: EntityMap,
  rules: ReadonlyMap<string, FieldRule>,
  context: CodecContext,
  canPush: boolean,
): Side {
  return {
    connection: setup.name,
    entity,
    rules,
    context,
    conditional: map.versions.conditional,
    counter: map.versions.counter,
    resolutionMs: map.versions.resolutionMs,
    lateMs: map.versions.lateMs,
    settleMs: map.versions.settleMs,
    skewMs: setup.skewMs,
    goneIsProof: map.deletes.goneIsProof,
    namesMaster: map.deletes.namesMaster,
    onDelete: setup.deletes,
    deleteAgainstUpdate: setup.deleteAgainstUpdate,
    duplicates: setup.duplicates,
    quarantineMs: setup.quarantineMs,
    keyField: setup.key[entity],
    creates: setup.create[entity] ?? true,
    writable: canPush && map.writable && setup.push,
    mapPrint: JSON.stringify([...rules].map(([name, rule]) => [name, rule.path, rule.codec.name, context.country])),
  };
}

/** Leaves out what the system does not have or does not show, and never writes what it does not let us write. */
function fitRules(
  rules: ReadonlyMap<string, FieldRule>,
  remote: ReadonlyMap<string, RemoteField>,
  note: (field: string, remote: string, what: Drift["what"]) => void,
): Map<string, FieldRule> {
  if (remote.size === 0) return new Map(rules);
  const fitting = new Map<string, FieldRule>();
  for (const [name, rule] of rules) {
    const missing = pathNames(rule.path).filter((path) => !remote.has(path));
    const hidden = pathNames(rule.path).filter((path) => remote.get(path)?.readable === false);
    for (const path of missing) note(name, path, "missing");
    for (const path of hidden) note(name, path, "unreadable");
    if (missing.length === pathNames(rule.path).length || hidden.length > 0) continue;
    const locked = pathNames(rule.path).some((path) => remote.get(path)?.writable === false);
    if (locked && rule.access === "both") note(name, pathNames(rule.path).join(", "), "read-only");
    fitting.set(name, { ...rule, path: withoutNames(rule.path, missing), access: locked ? "read" : rule.access });
  }
  return fitting;
}

function withoutNames(path: Path, missing: ReadonlyArray<string>): Path {
  if (missing.length === 0 || typeof path === "string") return path;
  if (Array.isArray(path)) return path.filter((name) => !missing.includes(name));
  return Object.fromEntries(Object.entries(path).filter(([, name]) => !missing.includes(name)));
}

/** E-mail to remote id and back: the `owners` map of the YAML first, then the system's own list. */
export function peopleOf(
  setup: Pick<ConnectionSetup, "owners" | "defaultOwner">,
  directory: ReadonlyArray<Person>,
): People {
  const byEmail = new Map<string, string>();
  const byId = new Map<string, string>();
  for (const person of directory) {
    const email = person.email.trim().toLowerCase();
    if (email !== "") byId.set(person.id, email);
    if (email !== "" && person.active) byEmail.set(email, person.id);
  }
  for (const [hubEmail, there] of Object.entries(setup.owners)) {
    const id = byEmail.get(there.toLowerCase()) ?? there;
    byEmail.set(hubEmail.toLowerCase(), id);
    byId.set(id, hubEmail.toLowerCase());
  }
  const { defaultOwner } = setup;
  const defaultId = defaultOwner === undefined ? undefined : (byEmail.get(defaultOwner.toLowerCase()) ?? defaultOwner);
  return {
    emailOf: (id) => byId.get(id),
    idOf: (email) => byEmail.get(email.toLowerCase()),
    ...(defaultId === undefined ? {} : { defaultId }),
  };
}
