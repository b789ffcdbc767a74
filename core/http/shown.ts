/** What the hub holds, as a caller may see it: values behind the masks, instants as ISO 8601, names of ours in full. */
import { instantText, isInstant } from "../model/calendar.ts";
import { displayName } from "../model/display.ts";
import type { Entity } from "../model/field.ts";
import type { Interval } from "../model/interval.ts";
import type { Value, Values } from "../model/value.ts";
import { type Canonical, type ChangeRow, type Conflict, isOpen, type Provenance } from "../model/world.ts";
import type { Sheet } from "../store/browse.ts";
import type { Asking } from "./route.ts";

type Eye = Pick<Asking, "caller" | "hub">;

/** One value of a field; with null it may be of any field. */
export function shownValue({ caller, hub }: Eye, entity: Entity, field: string | null, value: Value): Value {
  const shown = caller.masking.value(entity, field, value);
  if (typeof shown !== "number" || field === null) return shown;
  return hub.model[entity].get(field)?.type === "instant" && isInstant(shown) ? instantText(shown) : shown;
}

export const shownValues = (eye: Eye, entity: Entity, values: Values): Record<string, Value> =>
  Object.fromEntries(Object.entries(values).map(([field, value]) => [field, shownValue(eye, entity, field, value)]));

export function shownCustomer(eye: Eye, canonical: Canonical) {
  const { id, entity, state, createdAt, updatedAt, revision } = canonical;
  const values = shownValues(eye, entity, canonical.values);
  return {
    id,
    entity,
    state: state === "dead" ? ("deleted" as const) : state,
    name: displayName(entity, values),
    values,
    createdAt,
    updatedAt,
    revision,
  };
}

export const shownInterval = (interval: Interval | null) =>
  interval === null ? null : { notBefore: interval.lower, notAfter: interval.upper };

const shownProvenance = ({ source, interval, pinnedAt, hold }: Provenance) => ({
  source,
  changed: shownInterval(interval),
  pinnedAt: pinnedAt ?? null,
  held: hold === true,
});

/** One account or contact with its sources. */
export function shownSheet(eye: Eye, sheet: Sheet) {
  const { canonical, links, conflicts, due } = sheet;
  return {
    ...shownCustomer(eye, canonical),
    askedFor: sheet.askedFor,
    provenance: Object.fromEntries(
      Object.entries(canonical.provenance).map(([field, one]) => [field, shownProvenance(one)]),
    ),
    links: links.map((link) => ({
      connection: link.connection,
      remoteId: link.remoteId,
      state: link.state,
      modifiedAt: link.modifiedAt,
      readAt: link.readEnded,
      due: due.includes(link.connection),
    })),
    openConflicts: conflicts.filter(isOpen).map(({ id, kind, field }) => ({ id, kind, field })),
  };
}

export function shownChange(eye: Eye, change: ChangeRow & { readonly position: number }) {
  const { position, at, run, connection, remoteId, kind, note } = change;
  const bag = (values: Values | undefined) => (values === undefined ? null : shownValues(eye, change.entity, values));
  return {
    position,
    at,
    run,
    connection,
    remoteId,
    kind,
    set: bag(change.set),
    from: bag(change.from),
    said: bag(change.news),
    note: note ?? null,
  };
}

export function shownConflict(eye: Eye, row: Conflict) {
  const { entity, field } = row;
  const value = (given: Value): Value => shownValue(eye, entity, field, given);
  const { id, kind, canonicalId, connection, remoteId, state, rule, winner, run, openedAt, updatedAt } = row;
  return {
    id,
    kind,
    entity,
    customer: canonicalId,
    connection,
    remoteId,
    field,
    state,
    rule,
    winner,
    run,
    openedAt,
    updatedAt,
    reason: row.reason,
    base: value(row.base),
    previous: value(row.previous),
    result: value(row.result),
    candidates: row.candidates.map(({ source, value: said, lower, upper, remoteId: record }) => ({
      source,
      remoteId: record ?? null,
      value: value(said),
      notBefore: lower,
      notAfter: upper,
    })),
    detail: row.detail,
  };
}
