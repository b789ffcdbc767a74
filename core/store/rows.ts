/**
 * Between drafts and rows: what is personal goes into the one sealed value of the row, the rest stays readable.
 *
 * Whether a field is personal is a fact of the model; a field that the model does not know (any more) counts as personal.
 */
import type { Entity, Model } from "../model/field.ts";
import { isEmpty, type Value } from "../model/value.ts";
import type {
  Canonical,
  ChangeRow,
  Conflict,
  Flip,
  Link,
  Provenance,
  Sent,
  Shadow,
  ShadowField,
} from "../model/world.ts";
import { type BulkSealer, NewDataKey } from "../security/bulk-seal.ts";
import type { DataKey, Sealer } from "../security/seal.ts";
import type { NewRow, Row } from "./database.ts";
import type { canonicals, changes, conflicts, links, sent, shadows } from "./tables.ts";

/** Data keys in hand: unwrapped ones by owner. A missing key means that the person was erased. */
export type KeyRing = Map<string, DataKey>;

type Bag<T> = Record<string, T>;

export interface Sealing {
  readonly sealer: Sealer;
  readonly keys: KeyRing;
  readonly model: Model;
  /** Where values under new keys are sealed, if a thread does it; they may be stored when it has settled. */
  readonly bulk?: BulkSealer;
}

const isPersonal = (model: Model, entity: Entity, field: string): boolean =>
  model[entity].get(field)?.sensitivity !== "business";

function split<T>(
  model: Model,
  entity: Entity,
  bag: Readonly<Record<string, T>>,
): { readonly clear: Bag<T>; readonly personal: Bag<T> } {
  const clear: Bag<T> = {};
  const personal: Bag<T> = {};
  for (const field in bag) {
    const value = bag[field];
    if (value === undefined) continue;
    if (isPersonal(model, entity, field)) personal[field] = value;
    else clear[field] = value;
  }
  return { clear, personal };
}

const isBare = (value: object): boolean => {
  for (const _ in value) return false;
  return true;
};

/** Of the rows that say what a record holds: their values are often the same, and then their sealed bytes are too. */
export const recordPurpose = "record";

/** Seals under the owner's key, or under the hub key where there is no owner. */
function sealFor(sealing: Sealing, owner: string | null, purpose: string, value: object): Uint8Array | null {
  if (isBare(value)) return null;
  const key = owner === null ? undefined : sealing.keys.get(owner);
  if (owner !== null && key === undefined) return null;
  if (key === undefined) return sealing.sealer.sealHub(purpose, value);
  return sealing.bulk !== undefined && key instanceof NewDataKey
    ? sealing.bulk.seal(key, purpose, value)
    : sealing.sealer.seal(key, purpose, value);
}

function openFor<T>(sealing: Sealing, owner: string | null, purpose: string, sealed: Uint8Array | null): Partial<T> {
  if (sealed === null) return {};
  if (owner === null) return sealing.sealer.openHub(purpose, sealed) as Partial<T>;
  const key = sealing.keys.get(owner);
  // Sealed values are written by this file only; without the key they are erased.
  return key === undefined ? {} : (sealing.sealer.open(key, purpose, sealed) as Partial<T>);
}

// Provenance: [source, lower, upper, pinnedAt, hold] by field; "" stands for every field that is not named.
type ProvenanceRow = readonly [string, number | null, number | null, number?, 1?];

const provenanceRow = (provenance: Provenance): ProvenanceRow => {
  const { source, interval, pinnedAt, hold } = provenance;
  const lower = interval?.lower ?? null;
  const upper = interval?.upper ?? null;
  if (pinnedAt === undefined) return [source, lower, upper];
  return hold === true ? [source, lower, upper, pinnedAt, 1] : [source, lower, upper, pinnedAt];
};

const sameProvenance = (one: Provenance, other: Provenance): boolean =>
  one === other ||
  (one.source === other.source &&
    one.interval?.lower === other.interval?.lower &&
    one.interval?.upper === other.interval?.upper &&
    one.pinnedAt === other.pinnedAt &&
    one.hold === other.hold);

export function packProvenance(provenance: Readonly<Record<string, Provenance>>): Record<string, ProvenanceRow> {
  let common: Provenance | undefined;
  const packed: Record<string, ProvenanceRow> = {};
  for (const field in provenance) {
    const entry = provenance[field];
    if (entry === undefined) continue;
    if (common === undefined) {
      common = entry;
      packed[""] = provenanceRow(entry);
    } else if (!sameProvenance(entry, common)) packed[field] = provenanceRow(entry);
  }
  return packed;
}

export function unpackProvenance(packed: unknown, fields: Iterable<string>): Record<string, Provenance> {
  // Written by packProvenance only.
  const rows = packed as Readonly<Record<string, ProvenanceRow>>;
  const provenance: Record<string, Provenance> = {};
  const common = rows[""] === undefined ? undefined : provenanceOf(rows[""]);
  for (const field of fields) {
    const row = rows[field];
    const entry = row === undefined ? common : provenanceOf(row);
    if (entry !== undefined) provenance[field] = entry;
  }
  return provenance;
}

function provenanceOf(row: ProvenanceRow): Provenance {
  const [source, lower, upper, pinnedAt, hold] = row;
  return {
    source,
    interval: lower === null || upper === null ? null : { lower, upper },
    ...(pinnedAt === undefined ? {} : { pinnedAt }),
    ...(hold === 1 ? { hold: true as const } : {}),
  };
}

// ---- canonical ----

interface CanonicalBody {
  readonly v: Bag<Value>;
  readonly f?: Bag<ReadonlyArray<Flip>>;
}

const referenceField: Readonly<Record<Entity, string>> = { account: "parent", contact: "account" };

export function canonicalRow(sealing: Sealing, canonical: Canonical): NewRow<typeof canonicals> {
  const { model } = sealing;
  const values = split(model, canonical.entity, canonical.values);
  const flips = split(model, canonical.entity, canonical.flips);
  const refers = canonical.values[referenceField[canonical.entity]];
  const name = canonical.values.name;
  return {
    id: canonical.id,
    entity: canonical.entity,
    state: canonical.state,
    mergedInto: canonical.mergedInto,
    name: typeof values.clear.name === "string" && typeof name === "string" ? name : null,
    refersTo: typeof refers === "string" ? refers : null,
    clear: isBare(flips.clear) ? { v: values.clear } : { v: values.clear, f: flips.clear },
    sealed:
      isBare(values.personal) && isBare(flips.personal)
        ? null
        : sealFor(
            sealing,
            canonical.id,
            recordPurpose,
            isBare(flips.personal) ? { v: values.personal } : { v: values.personal, f: flips.personal },
          ),
    provenance: packProvenance(canonical.provenance),
    createdAt: canonical.createdAt,
    updatedAt: canonical.updatedAt,
    revision: canonical.revision,
  };
}

export function canonicalOf(sealing: Sealing, row: Row<typeof canonicals>): Canonical {
  // Written by canonicalRow only.
  const clear = row.clear as CanonicalBody;
  const personal = openFor<CanonicalBody>(sealing, row.id, recordPurpose, row.sealed);
  const values: Record<string, Value> = { ...clear.v, ...personal.v };
  return {
    id: row.id,
    entity: row.entity as Entity,
    state: row.state as Canonical["state"],
    mergedInto: row.mergedInto,
    values,
    provenance: unpackProvenance(row.provenance, Object.keys(values)),
    flips: { ...clear.f, ...personal.f },
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    revision: row.revision,
  };
}

// ---- links and shadows ----

export function linkRow(link: Link): NewRow<typeof links> {
  const { shadow: _, ...row } = link;
  return row;
}

interface ShadowBody {
  /** base by field, where there is one */
  readonly v?: Bag<Value>;
  /** fields that are empty there */
  readonly e?: ReadonlyArray<string>;
  /** held by field, where it differs from base */
  readonly h?: Bag<Value>;
  /** the rest of what a field remembers */
  readonly x?: Bag<Omit<ShadowField, "base" | "held">>;
  /** fields that hold what the hub wrote, or 1 for all */
  readonly m?: ReadonlyArray<string> | 1;
  readonly link?: Omit<Shadow, "fields">;
}

export function shadowRow(sealing: Sealing, link: Link): NewRow<typeof shadows> {
  const { fields, ...rest } = link.shadow;
  const parts = split(sealing.model, link.entity, fields);
  const clear = shadowBody(parts.clear);
  return {
    linkId: link.id,
    clear: isBare(rest) ? clear : { ...clear, link: rest },
    sealed: isBare(parts.personal)
      ? null
      : sealFor(sealing, link.canonicalId, recordPurpose, shadowBody(parts.personal)),
  };
}

function shadowBody(fields: Bag<ShadowField>): ShadowBody {
  const v: Bag<Value> = {};
  const empty: Array<string> = [];
  const h: Bag<Value> = {};
  const x: Bag<Omit<ShadowField, "base" | "held">> = {};
  const mute: Array<string> = [];
  let anyHeld = false;
  let anyRest = false;
  let count = 0;
  for (const field in fields) {
    const shadow = fields[field];
    if (shadow === undefined) continue;
    const { base, held, spoke: _, mute: isMute, ...rest } = shadow;
    if (base === null) empty.push(field);
    else v[field] = base;
    count += 1;
    if (isMute === true) mute.push(field);
    if (held !== base && JSON.stringify(held) !== JSON.stringify(base)) {
      h[field] = held;
      anyHeld = true;
    }
    if (!isBare(rest)) {
      x[field] = rest;
      anyRest = true;
    }
    // A held value tells by itself that the field has spoken; only an emptied one must be remembered.
    if (shadow.spoke === true && isEmpty(held)) {
      x[field] = { ...rest, spoke: true };
      anyRest = true;
    }
  }
  return {
    v,
    ...(empty.length === 0 ? {} : { e: empty }),
    ...(anyHeld ? { h } : {}),
    ...(anyRest ? { x } : {}),
    ...(mute.length === 0 ? {} : { m: mute.length === count ? (1 as const) : mute }),
  };
}

export function shadowOf(sealing: Sealing, owner: string | null, row: Row<typeof shadows>): Shadow {
  // Written by shadowRow only.
  const clear = row.clear as ShadowBody;
  const fields: Record<string, ShadowField> = {};
  fillShadow(fields, clear);
  fillShadow(fields, openFor<ShadowBody>(sealing, owner, recordPurpose, row.sealed));
  return { ...clear.link, fields };
}

function fillShadow(fields: Record<string, ShadowField>, body: Partial<ShadowBody>): void {
  const { v = {}, e = [], h, x, m } = body;
  for (const field of [...Object.keys(v), ...e]) {
    const base = v[field] ?? null;
    const held = h !== undefined && field in h ? (h[field] ?? null) : base;
    const rest = x?.[field];
    const isMute = m === 1 || m?.includes(field) === true;
    fields[field] = rest === undefined ? { base, held } : { ...rest, base, held };
    if (isMute) Object.assign(fields[field], { mute: true });
  }
}

export function linkOf(row: Row<typeof links>, shadow: Shadow): Link {
  return { ...row, entity: row.entity as Entity, state: row.state as Link["state"], shadow };
}

// ---- change log ----

interface ChangeBody {
  /** set */
  readonly v?: Bag<Value>;
  readonly from?: Bag<Value>;
  readonly news?: Bag<Value>;
}

const changeParts = [
  ["set", "v"],
  ["from", "from"],
  ["news", "news"],
] as const;

export function changeRow(sealing: Sealing, change: ChangeRow): NewRow<typeof changes> {
  const clear: Record<string, unknown> = {};
  const personal: Record<string, unknown> = {};
  for (const [part, name] of changeParts) {
    const bag = change[part];
    if (bag === undefined) continue;
    const parts = split(sealing.model, change.entity, bag);
    if (!isBare(parts.clear)) clear[name] = parts.clear;
    if (!isBare(parts.personal)) personal[name] = parts.personal;
  }
  if (change.provenance !== undefined) clear.by = packProvenance(change.provenance);
  if (change.note !== undefined) clear.note = change.note;
  return {
    at: change.at,
    run: change.run,
    connection: change.connection,
    entity: change.entity,
    canonicalId: change.canonicalId,
    remoteId: change.remoteId,
    kind: change.kind,
    clear,
    sealed: sealFor(sealing, change.canonicalId, recordPurpose, personal),
  };
}

export function changeOf(sealing: Sealing, row: Row<typeof changes>): ChangeRow & { readonly position: number } {
  // Written by changeRow only.
  const clear = row.clear as ChangeBody & { readonly by?: unknown; readonly note?: Readonly<Record<string, unknown>> };
  const personal = openFor<ChangeBody>(sealing, row.canonicalId, recordPurpose, row.sealed);
  const joined: { set?: Bag<Value>; from?: Bag<Value>; news?: Bag<Value> } = {};
  for (const [part, name] of changeParts) {
    if (clear[name] !== undefined || personal[name] !== undefined) joined[part] = { ...clear[name], ...personal[name] };
  }
  return {
    position: row.position,
    at: row.at,
    run: row.run,
    connection: row.connection,
    entity: row.entity as Entity,
    canonicalId: row.canonicalId,
    remoteId: row.remoteId,
    kind: row.kind as ChangeRow["kind"],
    ...joined,
    ...(clear.by === undefined ? {} : { provenance: unpackProvenance(clear.by, Object.keys(joined.set ?? {})) }),
    ...(clear.note === undefined ? {} : { note: clear.note }),
  };
}

// ---- conflicts ----

type ConflictValues = Pick<Conflict, "base" | "result" | "previous" | "candidates">;

export function conflictRow(sealing: Sealing, conflict: Conflict): NewRow<typeof conflicts> {
  const { base, result, previous, candidates, reason, detail, ...row } = conflict;
  const values: ConflictValues = { base, result, previous, candidates };
  // A row without a field may show values of any field (a delete against an update).
  const personal =
    conflict.field === null ? candidates.length > 0 : isPersonal(sealing.model, conflict.entity, conflict.field);
  return {
    ...row,
    clear: personal ? { reason, detail } : { reason, detail, ...values },
    sealed: personal ? sealFor(sealing, conflict.canonicalId, "conflict", values) : null,
  };
}

export function conflictOf(sealing: Sealing, row: Row<typeof conflicts>): Conflict {
  // Written by conflictRow only.
  const clear = row.clear as Pick<Conflict, "reason" | "detail"> & Partial<ConflictValues>;
  const values = { ...clear, ...openFor<ConflictValues>(sealing, row.canonicalId, "conflict", row.sealed) };
  const { clear: _clear, sealed: _sealed, ...rest } = row;
  return {
    ...rest,
    kind: row.kind as Conflict["kind"],
    entity: row.entity as Entity,
    state: row.state as Conflict["state"],
    reason: clear.reason,
    detail: clear.detail,
    base: values.base ?? null,
    result: values.result ?? null,
    previous: values.previous ?? null,
    candidates: values.candidates ?? [],
  };
}

// ---- sent ----

type SentBody = Partial<Pick<Sent, "values" | "replaced" | "precondition" | "covered" | "versionBefore">>;

export function sentRow(sealing: Sealing, entry: Sent): NewRow<typeof sent> {
  const { values, replaced, precondition, covered, versionBefore, ...row } = entry;
  const sentValues = split(sealing.model, entry.entity, values);
  const replacedValues = split(sealing.model, entry.entity, replaced);
  return {
    ...row,
    clear: {
      values: sentValues.clear,
      replaced: replacedValues.clear,
      precondition,
      ...(covered === undefined ? {} : { covered }),
      ...(versionBefore === undefined ? {} : { versionBefore }),
    },
    sealed: isBare(sentValues.personal)
      ? null
      : sealFor(sealing, entry.canonicalId, "sent", { values: sentValues.personal, replaced: replacedValues.personal }),
  };
}

export function sentOf(sealing: Sealing, row: Row<typeof sent>): Sent {
  // Written by sentRow only.
  const clear = row.clear as SentBody;
  const personal = openFor<SentBody>(sealing, row.canonicalId, "sent", row.sealed);
  const { clear: _clear, sealed: _sealed, ...rest } = row;
  return {
    ...rest,
    entity: row.entity as Entity,
    kind: row.kind as Sent["kind"],
    state: row.state as Sent["state"],
    values: { ...clear.values, ...personal.values },
    replaced: { ...clear.replaced, ...personal.replaced },
    precondition: clear.precondition ?? null,
    ...(clear.covered === undefined ? {} : { covered: clear.covered }),
    ...(clear.versionBefore === undefined ? {} : { versionBefore: clear.versionBefore }),
  };
}
