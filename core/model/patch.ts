/**
 * What a push would send: canonical minus shadow, per link, in remote field names (SEMANTICS D1, D2, D12, D13, D25).
 * Pure; plan and push use the same function, so the plan cannot lie.
 */

import { canonicalValue } from "./canonical.ts";
import { Refusal } from "./codec.ts";
import { dueFields, isUndecided, mayCreate } from "./due.ts";
import { encodeValue, fieldOf, type Settings, type Side } from "./settings.ts";
import { equalValues, isEmpty, type Value } from "./value.ts";
import type { Canonical, Link, World } from "./world.ts";

export interface FieldWrite {
  readonly field: string;
  /** The canonical value that is sent. */
  readonly value: Value;
  /** The base that it replaces. */
  readonly replaces: Value;
}

export type Patch =
  | {
      readonly kind: "create";
      readonly canonicalId: string;
      readonly link: null;
      readonly writes: ReadonlyArray<FieldWrite>;
      readonly fields: Readonly<Record<string, unknown>>;
    }
  | {
      readonly kind: "update";
      readonly canonicalId: string;
      readonly link: Link;
      readonly writes: ReadonlyArray<FieldWrite>;
      readonly fields: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: "delete"; readonly canonicalId: string; readonly link: Link };

/** Why something is not written now; `waits` ends by itself, `refused` needs a person. */
export interface LeftOut {
  readonly canonicalId: string;
  readonly link: Link | null;
  readonly field: string;
  readonly why: "waits" | "refused";
  readonly value: Value;
  readonly reason: string;
  readonly remedy: string;
}

export interface Patches {
  readonly patches: ReadonlyArray<Patch>;
  readonly leftOut: ReadonlyArray<LeftOut>;
  /** A create that waits for its account or parent to be there. */
  readonly waiting: boolean;
}

/** All writes that a canonical is due in one connection. */
export function patchesFor(
  world: World,
  settings: Settings,
  side: Side,
  canonical: Canonical,
  options: { readonly referencesWait: boolean },
): Patches {
  const leftOut: Array<LeftOut> = [];
  if (!side.writable) return { patches: [], leftOut, waiting: false };
  const links = world.linksFor(canonical.id).filter((link) => link.connection === side.connection);
  const live = links.filter((link) => link.state === "live");
  if (canonical.state === "dead") {
    return {
      patches: live.map((link) => ({ kind: "delete", canonicalId: canonical.id, link })),
      leftOut,
      waiting: false,
    };
  }
  if (canonical.state !== "live") return { patches: [], leftOut, waiting: false };
  if (live.length > 0) {
    const patches = live.flatMap((link): ReadonlyArray<Patch> => {
      const { writes, fields } = encodeFields(
        world,
        settings,
        side,
        canonical,
        link,
        dueFields(world, side, canonical, link),
        leftOut,
      );
      return writes.length === 0 ? [] : [{ kind: "update", canonicalId: canonical.id, link, writes, fields }];
    });
    return { patches, leftOut, waiting: false };
  }
  if (!mayCreate(world, side, canonical) || isRefusedWhole(world, side, canonical))
    return { patches: [], leftOut, waiting: false };
  // A record that is there already may be this one: a person is asked, and the answer makes it due again.
  if (world.openMatch(side.connection, canonical.id) !== undefined) return { patches: [], leftOut, waiting: false };
  const named = [...side.rules].filter(([, rule]) => rule.access !== "read").map(([field]) => field);
  const present: Array<string> = [];
  for (const field of named) {
    const value = canonicalValue(canonical, field);
    if ((isEmpty(value) && !hasDefault(settings, side, field)) || isUndecided(world, canonical, field)) continue;
    const refused = world.refusal(side.connection, canonical.id, field);
    if (refused === undefined || !equalValues(refused, value)) present.push(field);
    else leftOut.push({ ...refusedBefore(side), canonicalId: canonical.id, link: null, field, value });
  }
  const { writes, fields } = encodeFields(world, settings, side, canonical, null, present, leftOut);
  const waits = leftOut.some((left) => left.why === "waits" && left.link === null);
  if (waits && options.referencesWait) return { patches: [], leftOut, waiting: true };
  return {
    patches: [{ kind: "create", canonicalId: canonical.id, link: null, writes, fields }],
    leftOut,
    waiting: false,
  };
}

/** D13: the create was refused as a whole, and nothing has changed since. */
const isRefusedWhole = (world: World, side: Side, canonical: Canonical): boolean =>
  world.refusal(side.connection, canonical.id, "") === canonical.revision;

/** An account that belongs to nobody goes to the default owner: many systems refuse a record without one. */
function hasDefault(settings: Settings, side: Side, field: string): boolean {
  return side.context.people.defaultId !== undefined && fieldOf(settings, side.entity, field)?.type === "owner";
}

/** D13: a value that this system has refused for the record already stays out of the next attempt. */
const refusedBefore = (side: Side) =>
  ({
    why: "refused",
    reason: `${side.connection} refused this value when the record was to be created`,
    remedy: "Change the value, or mend what the dead letter names and replay it.",
  }) as const;

function encodeFields(
  world: World,
  settings: Settings,
  side: Side,
  canonical: Canonical,
  link: Link | null,
  names: ReadonlyArray<string>,
  leftOut: Array<LeftOut>,
): { readonly writes: ReadonlyArray<FieldWrite>; readonly fields: Readonly<Record<string, unknown>> } {
  const writes: Array<FieldWrite> = [];
  const fields: Record<string, unknown> = {};
  for (const field of names) {
    const value = canonicalValue(canonical, field);
    const remote = remoteValue(world, settings, side, field, value);
    const subject = { canonicalId: canonical.id, link, field, value };
    if (remote === undefined) {
      leftOut.push({
        ...subject,
        why: "waits",
        reason: `${field} points to a record that is not in ${side.connection} yet`,
        remedy: "It is written once that record is there.",
      });
      continue;
    }
    const encoded = encodeValue(side, field, remote);
    if (encoded instanceof Refusal) {
      leftOut.push({ ...subject, why: "refused", reason: encoded.reason, remedy: encoded.remedy });
      continue;
    }
    Object.assign(fields, encoded);
    writes.push({ field, value, replaces: link?.shadow.fields[field]?.base ?? null });
  }
  return { writes, fields };
}

/** References become remote ids; undefined while the target is not in the system. */
function remoteValue(world: World, settings: Settings, side: Side, field: string, value: Value): Value | undefined {
  if (fieldOf(settings, side.entity, field)?.type !== "reference" || typeof value !== "string") return value;
  const target = world.canonical(value);
  if (target === undefined) return undefined;
  return world.liveLinks(target.id, side.connection)[0]?.remoteId;
}

/** Chains of references are followed that far. */
const referencesMax = 64;

/** True when following `field` from the canonical leads back to it (D25). */
export function closesCycle(world: World, canonical: Canonical, field: string): boolean {
  const seen = new Set([canonical.id]);
  let next = canonicalValue(canonical, field);
  for (let hops = 0; typeof next === "string" && hops < referencesMax; hops++) {
    if (seen.has(next)) return true;
    seen.add(next);
    const target = world.canonical(next);
    if (target === undefined) return false;
    next = canonicalValue(target, field);
  }
  return false;
}
