/** How a person answers an open row of the conflict log (SEMANTICS D14 to D18, D23, D24). */
import { canonicalValue } from "./canonical.ts";
import { carryOut, killCanonical, mergeInto, startOver } from "./deletion.ts";
import { markDue } from "./due.ts";
import { decideEdit, type EditOutcome } from "./edits.ts";
import { about, type Moment } from "./moment.ts";
import { type Settings, sideOf } from "./settings.ts";
import type { Value } from "./value.ts";
import { type Canonical, type Conflict, isOpen, type Link, type World } from "./world.ts";

/** `shownAt` is the row's `updatedAt` as the person saw it: when a candidate has changed since, the row asks again. */
export type Answer =
  | { readonly kind: "value"; readonly value: Value; readonly hold: boolean; readonly shownAt?: number }
  | { readonly kind: "source"; readonly source: string; readonly hold: boolean; readonly shownAt?: number }
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
  if (!isOpen(conflict)) {
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
    markDue(world, settings, moment);
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
      if (answer.kind !== "release" && answer.kind !== "reject") return wrong;
      conflict.winner = answer.kind;
      return { kind: "done" };
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
  if (answer.shownAt !== undefined && answer.shownAt !== conflict.updatedAt) {
    return { kind: "asks", reason: "a candidate has changed since the row was shown", conflict: conflict.id };
  }
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
  const { state } = conflict;
  conflict.state = "resolved";
  const edit = { canonicalId, field, value: chosen, base: canonicalValue(canonical, field), hold: answer.hold };
  const outcome = decideEdit(world, settings, edit, moment, { conflict: conflict.id });
  if (outcome.kind !== "done") {
    conflict.state = state;
    return outcome;
  }
  standDown(world, canonical, conflict, field);
  conflict.winner = answer.kind === "source" ? answer.source : "hub";
  conflict.previous = conflict.result;
  conflict.result = chosen;
  return outcome;
}

/** The candidates are answered: none of them stands any more, and what the row had frozen may be written again. */
function standDown(world: World, canonical: Canonical, conflict: Conflict, field: string): void {
  for (const link of world.liveLinks(canonical.id)) {
    const shadow = link.shadow.fields[field];
    if (shadow === undefined) continue;
    delete shadow.lost;
    if (shadow.frozen === conflict.id) {
      delete shadow.frozen;
      delete shadow.rewrites;
    }
    world.touchLink(link);
  }
  canonical.flips[field] = [];
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
    startOver(world, link, canonical.id, moment);
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
      mergeInto(world, settings, canonical, link, master, moment);
    } else return undefined;
    return { kind: "done" };
  }
  if (answer.kind === "deleted") return deleteAgain(world, canonical, link, conflict, moment);
  if (answer.kind !== "keep") return undefined;
  if (conflict.kind === "restore") {
    world.touch(canonical, moment.now);
    canonical.state = "live";
    if (link.canonicalId === null) startOver(world, link, canonical.id, moment);
    else {
      world.revive(link);
      link.print = "";
      link.fetchAfter = moment.now;
    }
    world.log.push({ ...about(canonical, link, moment), kind: "restored", note: { conflict: conflict.id } });
  }
  return { kind: "done" };
}

function deleteAgain(world: World, canonical: Canonical, link: Link, conflict: Conflict, moment: Moment): EditOutcome {
  const others = world.liveLinks(canonical.id).filter((other) => other.connection === link.connection);
  if (conflict.kind === "restore" && (link.state === "merged" || others.length > 0)) {
    const reason = `The account of record ${link.remoteId} is alive with other records. Delete this one in ${link.connection} itself.`;
    return { kind: "refused", reason };
  }
  if (link.canonicalId === null) world.relink(link, canonical.id);
  // A record that came back is there, and is due to be deleted like all others.
  if (conflict.kind === "restore") link.state = "live";
  world.touchLink(link);
  killCanonical(world, canonical, link, moment);
  return { kind: "done" };
}
