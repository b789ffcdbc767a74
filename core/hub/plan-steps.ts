/**
 * The writes of a plan, named so that another copy of the store knows them too.
 *
 * A plan is made on a copy of the store, where what is new gets ids that the store itself will never use. So a step names
 * its account by id and by its records, and a reference by its target. What it was decided on stands beside it: what the
 * record held then.
 */
import type { Entity } from "../model/field.ts";
import type { LeftOut, Patch } from "../model/patch.ts";
import { fieldOf, type Settings } from "../model/settings.ts";
import { equalValues, type Value } from "../model/value.ts";
import type { Canonical, World } from "../model/world.ts";

/** A record of a system. */
export interface RecordName {
  readonly connection: string;
  readonly entity: Entity;
  readonly remoteId: string;
}

/** An account or contact, by its id in the store where the plan was made, and by its records. */
export interface Subject {
  readonly id: string;
  readonly records: ReadonlyArray<RecordName>;
}

/** Canonical values by field; those that refer to an account or contact stand apart. */
export interface StepValues {
  readonly values: Readonly<Record<string, Value>>;
  readonly references: Readonly<Record<string, Subject>>;
}

export interface Step {
  readonly connection: string;
  readonly entity: Entity;
  readonly kind: Patch["kind"];
  readonly subject: Subject;
  /** The record that is written; null for a create. */
  readonly remoteId: string | null;
  /** For a person who reads what became of it. */
  readonly name: string;
  /** What the record held, as the hub knew it. */
  readonly held: StepValues;
  readonly sets: StepValues;
  /** References to what the plan creates too: they may go with the write or follow it. */
  readonly follows: StepValues;
}

export function stepOf(
  world: World,
  settings: Settings,
  about: Pick<Step, "connection" | "entity" | "name"> & { readonly canonical: Canonical },
  patch: Patch,
  leftOut: ReadonlyArray<LeftOut>,
): Step {
  const { canonical, ...names } = about;
  const split = (values: Iterable<readonly [string, Value]>) => splitValues(world, settings, names.entity, values);
  const waiting = leftOut.filter((left) => left.link === patch.link && left.why === "waits");
  return {
    ...names,
    kind: patch.kind,
    subject: subjectOf(world, canonical.id),
    remoteId: patch.link?.remoteId ?? null,
    held: split(heldBy(patch)),
    sets: split(patch.kind === "delete" ? [] : patch.writes.map(({ field, value }) => [field, value])),
    follows: split(waiting.map(({ field, value }) => [field, value])),
  };
}

/** What the record to be written holds, by field. */
export const heldBy = (patch: Patch): ReadonlyArray<readonly [string, Value]> =>
  Object.entries(patch.link?.shadow.fields ?? {}).map(([field, { held }]) => [field, held]);

function splitValues(
  world: World,
  settings: Settings,
  entity: Entity,
  given: Iterable<readonly [string, Value]>,
): StepValues {
  const values: Record<string, Value> = {};
  const references: Record<string, Subject> = {};
  for (const [field, value] of given) {
    const isReference = fieldOf(settings, entity, field)?.type === "reference";
    if (isReference && typeof value === "string") references[field] = subjectOf(world, value);
    else values[field] = value;
  }
  return { values, references };
}

function subjectOf(world: World, id: string): Subject {
  const { id: present } = world.canonical(id) ?? { id };
  const records = world
    .liveLinks(present)
    .map(({ connection, entity, remoteId }) => ({ connection, entity, remoteId }));
  return { id: present, records };
}

/** Fields in which the values of a step differ from those of now; a reference through a merged account is the same. */
export function differingFields(
  world: World,
  step: Readonly<Record<string, Value>>,
  now: Readonly<Record<string, Value>>,
): ReadonlyArray<string> {
  const same = (one: Value, other: Value): boolean =>
    equalValues(one, other) || (typeof one === "string" && typeof other === "string" && isOneOf(world, one, other));
  return [...new Set([...Object.keys(step), ...Object.keys(now)])].filter(
    (field) => !same(step[field] ?? null, now[field] ?? null),
  );
}

const isOneOf = (world: World, one: string, other: string): boolean => {
  const found = world.canonical(one);
  return found !== undefined && found === world.canonical(other);
};
