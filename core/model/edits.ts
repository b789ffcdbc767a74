/**
 * Decisions of people over values: edits, pins, holds and undo. All are news of a source called `hub`, with the value
 * that the person saw as base (SEMANTICS D19); none writes past the merge.
 */
import { canonicalValue, setCanonical } from "./canonical.ts";
import { markDue } from "./due.ts";
import { about, type Moment } from "./moment.ts";
import { askAgain, isAnswered } from "./question.ts";
import { fieldOf, type Settings } from "./settings.ts";
import { equalValues, type Value } from "./value.ts";
import type { Canonical, Conflict, World } from "./world.ts";

export interface Edit {
  readonly canonicalId: string;
  readonly field: string;
  readonly value: Value;
  /** The canonical value that the person saw. */
  readonly base: Value;
  /** Keep the value against later edits too, until it is released. */
  readonly hold: boolean;
}

export type EditOutcome =
  | { readonly kind: "done" }
  /** A question is open again, and nothing is written. */
  | { readonly kind: "reopened"; readonly conflict: string }
  | { readonly kind: "asks"; readonly reason: string; readonly conflict: string }
  | { readonly kind: "refused"; readonly reason: string };

/**
 * One edit by a person. If the value has changed since they saw it, or a conflict of the field is open, the row of the
 * conflict log gets their value as a candidate and asks again; nothing is written.
 */
export function decideEdit(
  world: World,
  settings: Settings,
  edit: Edit,
  moment: Moment,
  note: Readonly<Record<string, unknown>> = {},
): EditOutcome {
  const { field, value, base, hold } = edit;
  const canonical = world.canonical(edit.canonicalId);
  if (canonical === undefined || canonical.state !== "live")
    return { kind: "refused", reason: `There is no account or contact ${edit.canonicalId}.` };
  if (fieldOf(settings, canonical.entity, field) === undefined) {
    return { kind: "refused", reason: `There is no field ${field} on ${canonical.entity}.` };
  }
  const current = canonicalValue(canonical, field);
  const open = world.openConflict(canonical.id, field);
  if (open !== undefined) {
    const conflict = reopen(world, open, edit, moment);
    return {
      kind: "asks",
      reason: "a conflict of this field is open; the value is one of its candidates now",
      conflict,
    };
  }
  if (!equalValues(current, base)) {
    const conflict = openAnew(world, canonical, edit, moment);
    return { kind: "asks", reason: "the field has changed since; both values are in the conflict", conflict };
  }
  const provenance = {
    source: "hub",
    interval: { lower: moment.now, upper: moment.now },
    pinnedAt: moment.now,
    ...(hold ? { hold: true as const } : {}),
  };
  world.log.push({
    ...about(canonical, undefined, moment),
    kind: "changed",
    set: { [field]: value },
    from: { [field]: current },
    provenance: { [field]: provenance },
    note,
  });
  setCanonical(world, settings, canonical, { field, value, provenance }, moment);
  lookAgain(world, canonical, field, moment);
  markDue(world, settings, moment);
  return { kind: "done" };
}

/** A pin yields to what is provably later; for that, systems that hold its value already must be read after it. */
function lookAgain(world: World, canonical: Canonical, field: string, moment: Moment): void {
  for (const link of world.liveLinks(canonical.id)) {
    const shadow = link.shadow.fields[field];
    if (shadow === undefined || !equalValues(shadow.base, canonicalValue(canonical, field))) continue;
    link.fetchAfter ??= moment.now;
    world.touchLink(link);
  }
}

const wish = (edit: Edit, moment: Moment) => ({
  source: "hub",
  value: edit.value,
  lower: moment.now,
  upper: moment.now,
  asked: true as const,
});

function reopen(world: World, open: Conflict, edit: Edit, moment: Moment): string {
  open.candidates = [...open.candidates.filter((candidate) => candidate.asked !== true), wish(edit, moment)];
  open.state = "reopened";
  world.touchConflict(open, moment.now);
  return open.id;
}

function openAnew(world: World, canonical: Canonical, edit: Edit, moment: Moment): string {
  const current = canonicalValue(canonical, edit.field);
  const { source = "hub", interval = null } = canonical.provenance[edit.field] ?? {};
  const id = moment.newId("con");
  world.counts.opened += 1;
  world.addConflict({
    id,
    kind: "value",
    entity: canonical.entity,
    canonicalId: canonical.id,
    connection: null,
    remoteId: null,
    field: edit.field,
    state: "reopened",
    rule: "hub",
    winner: null,
    run: moment.run,
    openedAt: moment.now,
    updatedAt: moment.now,
    reason: "a person decided over a value that has changed since",
    base: edit.base,
    previous: current,
    result: current,
    candidates: [
      {
        source: source === "hub" ? "hub before" : source,
        value: current,
        lower: interval?.lower ?? null,
        upper: interval?.upper ?? null,
      },
      wish(edit, moment),
    ],
    detail: {},
  });
  return id;
}

/**
 * Takes a decision back, if nobody has changed the value since: what a rule decided gets the value of before, as a pin;
 * what a person answered is asked again.
 */
export function decideUndo(world: World, settings: Settings, conflict: Conflict, moment: Moment): EditOutcome {
  if (conflict.kind !== "value" && conflict.kind !== "freeze") {
    return { kind: "refused", reason: `A row of kind ${conflict.kind} holds no value to go back to.` };
  }
  if (conflict.state !== "settled" && conflict.state !== "resolved" && conflict.state !== "closed") {
    return { kind: "refused", reason: `Conflict ${conflict.id} is ${conflict.state}; there is no decision to undo.` };
  }
  const { canonicalId, field } = conflict;
  if (canonicalId === null || field === null) return { kind: "refused", reason: "This row names no field." };
  const canonical = world.canonical(canonicalId);
  const isUntouched =
    canonical?.state === "live" &&
    equalValues(canonicalValue(canonical, field), conflict.result) &&
    world.openConflict(canonical.id, field) === undefined;
  if (isUntouched && isAnswered(conflict)) {
    askAgain(world, settings, canonical, conflict, moment);
    return { kind: "reopened", conflict: conflict.id };
  }
  // When the value stayed, the decision was against the candidate that lost: undoing gives it the field.
  const loser = conflict.candidates.find((candidate) => !equalValues(candidate.value, conflict.result));
  const back = equalValues(conflict.previous, conflict.result) ? loser?.value : conflict.previous;
  if (back === undefined)
    return { kind: "refused", reason: "All candidates hold the same value; there is nothing to undo." };
  const edit = { canonicalId, field, value: back, base: conflict.result, hold: false };
  const outcome = decideEdit(world, settings, edit, moment, { undo: conflict.id });
  if (outcome.kind === "done") {
    conflict.state = "undone";
    world.touchConflict(conflict, moment.now);
  }
  return outcome;
}

/** Ends a hold: the value stays a pin of the day it was made, and the next change follows the policy again. */
export function releaseHold(world: World, canonical: Canonical, field: string, moment: Moment): EditOutcome {
  const provenance = canonical.provenance[field];
  if (provenance?.hold !== true) return { kind: "refused", reason: `${field} of ${canonical.id} is not held.` };
  world.touch(canonical, moment.now);
  const { hold: _, ...rest } = provenance;
  canonical.provenance[field] = rest;
  world.log.push({
    ...about(canonical, undefined, moment),
    kind: "noted",
    set: { [field]: canonicalValue(canonical, field) },
    provenance: { [field]: rest },
    note: { released: field },
  });
  return { kind: "done" };
}
