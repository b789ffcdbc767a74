/**
 * Decisions of people: edits, pins, resolving and undoing conflicts, answering cases. All of them are news of a source
 * called `hub`, with the value that the person saw as base (SEMANTICS D18, D19); none writes past the merge.
 */
import { carryOut, killCanonical, mergeCanonicals, mergeInto } from "./deletion.ts";
import { markDue } from "./due.ts";
import { about, canonicalValue, type Moment, setCanonical } from "./merge.ts";
import { fieldOf, type Settings, sideOf } from "./settings.ts";
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
  | { readonly kind: "asks"; readonly reason: string; readonly conflict: string }
  | { readonly kind: "refused"; readonly reason: string };

/** One edit by a person. If the value has changed since they saw it, a conflict row asks again and nothing is written. */
export function decideEdit(
  world: World,
  settings: Settings,
  edit: Edit,
  moment: Moment,
  note: Readonly<Record<string, unknown>> = {},
): EditOutcome {
  const canonical = world.canonical(edit.canonicalId);
  if (canonical === undefined)
    return { kind: "refused", reason: `There is no account or contact ${edit.canonicalId}.` };
  if (fieldOf(settings, canonical.entity, edit.field) === undefined) {
    return { kind: "refused", reason: `There is no field ${edit.field} on ${canonical.entity}.` };
  }
  const current = canonicalValue(canonical, edit.field);
  if (!equalValues(current, edit.base)) {
    const id = reopen(world, canonical, edit, moment);
    return { kind: "asks", reason: "the field has changed since; both values are in the conflict", conflict: id };
  }
  const provenance = {
    source: "hub",
    interval: { lower: moment.now, upper: moment.now },
    pinnedAt: moment.now,
    ...(edit.hold ? { hold: true as const } : {}),
  };
  world.log.push({
    ...about(canonical, undefined, moment),
    kind: "changed",
    set: { [edit.field]: edit.value },
    from: { [edit.field]: current },
    provenance: { [edit.field]: provenance },
    note,
  });
  setCanonical(world, settings, canonical, { field: edit.field, value: edit.value, provenance }, moment);
  markDue(world, settings);
  return { kind: "done" };
}

function reopen(world: World, canonical: Canonical, edit: Edit, moment: Moment): string {
  const current = canonicalValue(canonical, edit.field);
  const open = world.openConflict(canonical.id, edit.field);
  const provenance = canonical.provenance[edit.field];
  const candidates = [
    {
      source: provenance?.source ?? "hub",
      value: current,
      lower: provenance?.interval?.lower ?? null,
      upper: provenance?.interval?.upper ?? null,
    },
    { source: "hub", value: edit.value, lower: moment.now, upper: moment.now },
  ];
  if (open !== undefined) {
    open.candidates = [...open.candidates.filter((candidate) => candidate.source !== "hub"), ...candidates.slice(1)];
    open.state = "reopened";
    world.touchConflict(open, moment.now);
    return open.id;
  }
  const id = moment.newId("con");
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
    candidates,
    detail: {},
  });
  return id;
}

/** How a person answers a row of the conflict log. */
export type Answer =
  | { readonly kind: "value"; readonly value: Value; readonly hold: boolean }
  | { readonly kind: "source"; readonly source: string; readonly hold: boolean }
  | { readonly kind: "link"; readonly canonicalId: string }
  | { readonly kind: "separate" }
  | { readonly kind: "merged" }
  | { readonly kind: "deleted" }
  | { readonly kind: "keep" }
  | { readonly kind: "release" }
  | { readonly kind: "reject" };

/** Which answers each kind of row takes, for messages and help. */
export const answersOf: Readonly<Record<Conflict["kind"], ReadonlyArray<string>>> = {
  value: ["--take <connection>", "--value <value>"],
  freeze: ["--take <connection>", "--value <value>"],
  match: ["--link <id>", "--separate"],
  duplicate: ["--link <id>", "--separate", "--merge"],
  merge: ["--merged", "--deleted"],
  delete: ["--deleted", "--keep"],
  restore: ["--keep (bring it back)", "--deleted (delete it again)"],
  cycle: ["--keep"],
  brake: ["--release", "--reject"],
  late: [],
  overwrite: [],
  "stored-differently": [],
};

export function decideAnswer(
  world: World,
  settings: Settings,
  conflict: Conflict,
  answer: Answer,
  moment: Moment,
): EditOutcome {
  if (conflict.state !== "open" && conflict.state !== "reopened") {
    return {
      kind: "refused",
      reason: `Conflict ${conflict.id} is ${conflict.state}; only open ones can be resolved. Use undo to take a decision back.`,
    };
  }
  const outcome = carryAnswer(world, settings, conflict, answer, moment);
  if (outcome.kind === "done") {
    conflict.state = "resolved";
    conflict.rule = "person";
    world.touchConflict(conflict, moment.now);
    markDue(world, settings);
  }
  return outcome;
}

function carryAnswer(
  world: World,
  settings: Settings,
  conflict: Conflict,
  answer: Answer,
  moment: Moment,
): EditOutcome {
  const wrong: EditOutcome = {
    kind: "refused",
    reason: `A conflict of kind ${conflict.kind} is answered with ${answersOf[conflict.kind].join(" or ") || "nothing: it is a record of what happened"}.`,
  };
  switch (conflict.kind) {
    case "value":
    case "freeze":
      return answerValue(world, settings, conflict, answer, moment) ?? wrong;
    case "match":
    case "duplicate":
      return answerIdentity(world, conflict, answer, moment) ?? wrong;
    case "merge":
    case "delete":
    case "restore":
      return answerDelete(world, settings, conflict, answer, moment) ?? wrong;
    case "cycle":
      return answer.kind === "keep" ? { kind: "done" } : wrong;
    case "brake":
      return answer.kind === "release" || answer.kind === "reject" ? { kind: "done" } : wrong;
    default:
      return wrong;
  }
}

function answerValue(
  world: World,
  settings: Settings,
  conflict: Conflict,
  answer: Answer,
  moment: Moment,
): EditOutcome | undefined {
  if (answer.kind !== "value" && answer.kind !== "source") return undefined;
  const { canonicalId, field } = conflict;
  if (canonicalId === null || field === null) return { kind: "refused", reason: "This row names no field." };
  const chosen =
    answer.kind === "value"
      ? answer.value
      : conflict.candidates.find((candidate) => candidate.source === answer.source)?.value;
  if (chosen === undefined) {
    const sources = [...new Set(conflict.candidates.map((candidate) => candidate.source))].join(", ");
    return {
      kind: "refused",
      reason: `No candidate comes from ${answer.kind === "source" ? answer.source : "there"}; there are: ${sources}.`,
    };
  }
  const canonical = world.canonical(canonicalId);
  if (canonical === undefined)
    return { kind: "refused", reason: `The ${conflict.entity} ${canonicalId} is not there any more.` };
  // The row is answered: it must not stop its own edit.
  const state = conflict.state;
  conflict.state = "resolved";
  const outcome = decideEdit(
    world,
    settings,
    { canonicalId, field, value: chosen, base: canonicalValue(canonical, field), hold: answer.hold },
    moment,
    { conflict: conflict.id },
  );
  if (outcome.kind !== "done") {
    conflict.state = state;
    return outcome;
  }
  for (const link of world.liveLinks(canonical.id)) {
    const shadow = link.shadow.fields[field];
    if (shadow === undefined) continue;
    delete shadow.lost;
    delete shadow.frozen;
    delete shadow.rewrites;
    world.touchLink(link);
  }
  canonical.flips[field] = [];
  conflict.winner = answer.kind === "source" ? answer.source : "hub";
  conflict.previous = conflict.result;
  conflict.result = chosen;
  return outcome;
}

function answerIdentity(world: World, conflict: Conflict, answer: Answer, moment: Moment): EditOutcome | undefined {
  const link =
    conflict.connection === null || conflict.remoteId === null
      ? undefined
      : world.link(conflict.connection, conflict.entity, conflict.remoteId);
  if (link === undefined) return { kind: "refused", reason: "The record of this case is not known any more." };
  if (answer.kind === "separate") {
    link.shadow = { fields: {}, separate: true };
  } else if (answer.kind === "link" || answer.kind === "merged") {
    const id = answer.kind === "link" ? answer.canonicalId : conflict.canonicalId;
    const canonical = id === null ? undefined : world.canonical(id);
    if (canonical === undefined || canonical.entity !== conflict.entity) {
      return { kind: "refused", reason: `There is no ${conflict.entity} ${id ?? ""} to link to.` };
    }
    link.shadow = { fields: {} };
    link.state = "live";
    world.relink(link, canonical.id);
    world.log.push({
      ...about(canonical, link, moment),
      kind: "linked",
      note: { by: "person", conflict: conflict.id },
    });
  } else return undefined;
  link.print = "";
  link.fetchAfter = moment.now;
  world.touchLink(link);
  return { kind: "done" };
}

function answerDelete(
  world: World,
  settings: Settings,
  conflict: Conflict,
  answer: Answer,
  moment: Moment,
): EditOutcome | undefined {
  const { connection, remoteId, canonicalId } = conflict;
  const side = connection === null ? undefined : sideOf(settings, connection, conflict.entity);
  const link = connection === null || remoteId === null ? undefined : world.link(connection, conflict.entity, remoteId);
  const canonical = canonicalId === null ? undefined : world.canonical(canonicalId);
  if (side === undefined || link === undefined || canonical === undefined) {
    return { kind: "refused", reason: "The record or the connection of this case is not known any more." };
  }
  if (conflict.kind === "merge") {
    if (answer.kind === "deleted") carryOut(world, settings, side, link, moment);
    else if (answer.kind === "merged") {
      const masterId = typeof conflict.detail.master === "string" ? conflict.detail.master : "";
      const master = world.link(side.connection, side.entity, masterId);
      if (master === undefined)
        return { kind: "refused", reason: `The master record ${masterId} is not known any more.` };
      mergeInto(world, settings, side, canonical, link, master, moment);
    } else return undefined;
    return { kind: "done" };
  }
  if (answer.kind === "deleted") {
    if (conflict.kind === "restore" && link.canonicalId === null) world.relink(link, canonical.id);
    link.state = conflict.kind === "restore" ? "live" : link.state;
    world.touchLink(link);
    killCanonical(world, canonical, link, moment);
    return { kind: "done" };
  }
  if (answer.kind !== "keep") return undefined;
  if (conflict.kind === "restore") {
    world.touch(canonical, moment.now);
    canonical.state = "live";
    if (link.canonicalId === null) world.relink(link, canonical.id);
    link.state = "live";
    link.print = "";
    link.fetchAfter = moment.now;
    world.touchLink(link);
    world.log.push({ ...about(canonical, link, moment), kind: "restored", note: { conflict: conflict.id } });
  }
  return { kind: "done" };
}

/** Takes a settled or resolved decision back: the value of before, as a pin, if nobody has changed it since. */
export function decideUndo(world: World, settings: Settings, conflict: Conflict, moment: Moment): EditOutcome {
  if (conflict.kind !== "value" && conflict.kind !== "freeze") {
    return { kind: "refused", reason: `A row of kind ${conflict.kind} holds no value to go back to.` };
  }
  if (conflict.state !== "settled" && conflict.state !== "resolved" && conflict.state !== "closed") {
    return { kind: "refused", reason: `Conflict ${conflict.id} is ${conflict.state}; there is no decision to undo.` };
  }
  const { canonicalId, field } = conflict;
  if (canonicalId === null || field === null) return { kind: "refused", reason: "This row names no field." };
  // When the value stayed, the decision was against the candidate that lost: undoing gives it the field.
  const loser = conflict.candidates.find((candidate) => !equalValues(candidate.value, conflict.result));
  const back = equalValues(conflict.previous, conflict.result) ? loser?.value : conflict.previous;
  if (back === undefined)
    return { kind: "refused", reason: "All candidates hold the same value; there is nothing to undo." };
  const outcome = decideEdit(
    world,
    settings,
    { canonicalId, field, value: back, base: conflict.result, hold: false },
    moment,
    { undo: conflict.id },
  );
  if (outcome.kind === "done") {
    conflict.state = "undone";
    world.touchConflict(conflict, moment.now);
  }
  return outcome;
}

/** Ends a hold: the field follows its policy again from the next change on. */
export function releaseHold(world: World, canonical: Canonical, field: string, moment: Moment): void {
  const provenance = canonical.provenance[field];
  if (provenance?.hold !== true) return;
  world.touch(canonical, moment.now);
  const { hold: _, ...rest } = provenance;
  canonical.provenance[field] = rest;
}

/** Two accounts are one: a person says so. */
export function decideMerge(
  world: World,
  settings: Settings,
  survivorId: string,
  absorbedId: string,
  moment: Moment,
): EditOutcome {
  const survivor = world.canonical(survivorId);
  const absorbed = world.canonical(absorbedId);
  if (survivor === undefined || absorbed === undefined || survivor.entity !== absorbed.entity) {
    return { kind: "refused", reason: "Both must be there and of one kind." };
  }
  if (survivor.id === absorbed.id) return { kind: "refused", reason: "They are one already." };
  mergeCanonicals(world, settings, survivor, absorbed, moment);
  markDue(world, settings);
  return { kind: "done" };
}
