/** What the pure rules know of the configuration: one side per connection and entity, the policy, the model. */
import type { Access, CodecContext, FieldRule, Path } from "./codec.ts";
import { pathNames, Refusal, Unreadable } from "./codec.ts";
import type { Entity, Field, Model } from "./field.ts";
import type { Filter } from "./filter.ts";
import { decodeField, encodeField, imageOf } from "./mapping.ts";
import { normalise } from "./normalise.ts";
import type { Policy } from "./policy.ts";
import type { Group, Value } from "./value.ts";

/** One field of `map:` in the YAML: another remote field, other words for its choices, or false for "not mapped". */
export type MapOverride =
  | false
  | string
  | {
      readonly path?: Path;
      readonly access?: Access;
      /** The hub's words for choices, then this system's. */
      readonly values?: Readonly<Record<string, string>>;
    };

export type DeletePolicy = "detach" | "archive" | "propagate" | "ignore";

/** One entity of one connection, as the rules see it. */
export interface Side {
  readonly connection: string;
  readonly entity: Entity;
  readonly rules: ReadonlyMap<string, FieldRule>;
  readonly context: CodecContext;
  readonly conditional: "version" | "time" | "none";
  readonly counter: boolean;
  readonly resolutionMs: number;
  readonly lateMs: number;
  readonly settleMs: number;
  readonly skewMs: number;
  readonly goneIsProof: boolean;
  readonly namesMaster: boolean;
  readonly onDelete: DeletePolicy;
  readonly deleteAgainstUpdate: "keep" | "delete" | "ask";
  readonly duplicates: "ask" | "separate" | "fold";
  readonly quarantineMs: number;
  /** The remote field that holds the hub's id; without one nothing is created there. */
  readonly keyField: string | undefined;
  readonly creates: boolean | Filter;
  /** False for read-only systems and for `push: off`. */
  readonly writable: boolean;
  /** Changes when the map changes; part of every print. */
  readonly mapPrint: string;
}

export interface Settings {
  readonly model: Model;
  readonly policy: Policy;
  /** Connections in the order of the YAML. */
  readonly order: ReadonlyArray<string>;
  readonly sides: ReadonlyMap<string, Side>;
  readonly match: Readonly<Record<Entity, ReadonlyArray<string>>>;
  /** A field is frozen after that many returns within the window (D17). */
  readonly flipsMax: number;
  readonly flipWindowMs: number;
}

export const sideKey = (connection: string, entity: Entity): string => `${connection}\n${entity}`;

export function sideOf(settings: Settings, connection: string, entity: Entity): Side | undefined {
  return settings.sides.get(sideKey(connection, entity));
}

export function fieldOf(settings: Settings, entity: Entity, name: string): Field | undefined {
  return settings.model[entity].get(name);
}

/** What the system would hold of a canonical value, in canonical form; the value itself where it cannot be written. */
export function imageIn(settings: Settings, side: Side, name: string, value: Value): Value {
  const rule = side.rules.get(name);
  const field = fieldOf(settings, side.entity, name);
  if (rule === undefined || field === undefined) return value;
  if (field.type === "reference") return value;
  const image = imageOf(rule, value, side.context);
  if (image === undefined || image instanceof Refusal || image instanceof Unreadable) return value;
  return normalise(field, image, side.context);
}

/** The members of a group field that this system keeps. */
export function membersOf(side: Side, name: string): ReadonlyArray<string> {
  const path = side.rules.get(name)?.path;
  return path !== undefined && typeof path === "object" && !Array.isArray(path) ? Object.keys(path) : [];
}

export interface Decoded {
  readonly values: Record<string, Value>;
  /** References by field: the remote id of the target. */
  readonly references: Record<string, string>;
  readonly unreadable: ReadonlyArray<{ readonly field: string; readonly reason: string }>;
}

/** Remote fields in canonical form; a field that is not known has no key. */
export function decodeRecord(settings: Settings, side: Side, fields: Readonly<Record<string, unknown>>): Decoded {
  const values: Record<string, Value> = {};
  const references: Record<string, string> = {};
  const unreadable: Array<{ readonly field: string; readonly reason: string }> = [];
  for (const [name, rule] of side.rules) {
    const field = fieldOf(settings, side.entity, name);
    if (field === undefined) continue;
    const value = decodeField(rule, fields, side.context);
    if (value === undefined) continue;
    if (value instanceof Unreadable) {
      unreadable.push({ field: name, reason: value.reason });
      continue;
    }
    if (field.type === "reference" && typeof value === "string") references[name] = value;
    else values[name] = normalise(field, value, side.context);
  }
  return { values, references, unreadable };
}

/** The remote fields that carry a canonical value; `reference` values must already be remote ids. */
export function encodeValue(side: Side, name: string, value: Value): Readonly<Record<string, unknown>> | Refusal {
  const rule = side.rules.get(name);
  if (rule === undefined) return new Refusal(`${name} is not mapped`, "Map the field or leave it out.");
  return encodeField(rule, value, side.context);
}

/** All remote names that the side reads, with the key field. */
export function readNames(side: Side): ReadonlyArray<string> {
  const names = new Set<string>();
  for (const rule of side.rules.values()) for (const name of pathNames(rule.path)) names.add(name);
  if (side.keyField !== undefined) names.add(side.keyField);
  return [...names];
}

export type { Group };
