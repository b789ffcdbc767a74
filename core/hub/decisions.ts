/**
 * Decisions of people: resolving and undoing conflicts, edits and pins, merges. Short transactions that work beside a
 * running hub; each is audited with who asked.
 */
import { Effect } from "effect";
import { type Answer, decideAnswer, decideEdit, decideMerge, decideUndo, type EditOutcome } from "../model/edits.ts";
import type { Entity } from "../model/field.ts";
import type { Moment } from "../model/merge.ts";
import type { Value } from "../model/value.ts";
import type { Conflict, World } from "../model/world.ts";
import { noteAudit } from "../store/audit.ts";
import { readConflict } from "../store/browse.ts";
import { loadWorld, saveWorld, type Wanted } from "../store/world-store.ts";
import type { Hub } from "./open.ts";

interface Decision {
  /** Who decides. */
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly wanted: Wanted;
  /** Rows of the conflict log that `wanted` does not bring: settled ones. */
  readonly conflict?: Conflict;
  readonly decide: (world: World, moment: Moment) => EditOutcome;
}

const decision = Effect.fn("hub.decide")(function* (hub: Hub, asked: Decision) {
  const { database, sealer } = hub.store;
  return yield* database.write(`deciding (${asked.action})`, async () => {
    const { world, sealing } = await loadWorld(database, sealer, hub.model, { ...asked.wanted, withTargets: true });
    const { conflict } = asked;
    if (conflict !== undefined) world.keepConflict(conflict);
    const now = hub.clock.now();
    const moment: Moment = { now, run: hub.ids.next("run"), newId: hub.ids.next, deferMeetings: false };
    const outcome = asked.decide(world, moment);
    await saveWorld(database, sealing, world, { now, newId: hub.ids.next, settings: hub.settings });
    await noteAudit(database, [
      { at: now, actor: asked.actor, action: asked.action, subject: asked.subject, detail: { outcome: outcome.kind } },
    ]);
    return outcome;
  });
});

const missing = (id: string): EditOutcome => ({
  kind: "refused",
  reason: `There is no conflict ${id}. List them with: syncline conflicts list --all`,
});

/** Records and accounts that a conflict is about. */
function wantedFor(conflict: Conflict, answer?: Answer): Wanted {
  const ids = new Set<string>();
  if (conflict.canonicalId !== null) ids.add(conflict.canonicalId);
  if (answer?.kind === "link") ids.add(answer.canonicalId);
  const { candidates, master } = conflict.detail;
  if (Array.isArray(candidates)) for (const id of candidates) if (typeof id === "string") ids.add(id);
  const remoteIds = [conflict.remoteId, typeof master === "string" ? master : null].flatMap((id) => id ?? []);
  const { connection, entity } = conflict;
  return {
    canonicalIds: [...ids],
    remotes: connection === null ? [] : remoteIds.map((remoteId) => ({ connection, entity, remoteId })),
  };
}

/** Answers an open row of the conflict log. */
export const resolve = Effect.fn("hub.resolve")(function* (hub: Hub, actor: string, id: string, answer: Answer) {
  const conflict = yield* readConflict({ store: hub.store, model: hub.model }, id);
  if (conflict === null) return missing(id);
  return yield* decision(hub, {
    actor,
    action: `resolve ${answer.kind}`,
    subject: id,
    wanted: wantedFor(conflict, answer),
    conflict,
    decide: (world, moment) => decideAnswer(world, hub.settings, world.conflicts.get(id) ?? conflict, answer, moment),
  });
});

/** Takes a settled or resolved decision back. */
export const undo = Effect.fn("hub.undo")(function* (hub: Hub, actor: string, id: string) {
  const conflict = yield* readConflict({ store: hub.store, model: hub.model }, id);
  if (conflict === null) return missing(id);
  return yield* decision(hub, {
    actor,
    action: "undo",
    subject: id,
    wanted: wantedFor(conflict),
    conflict,
    decide: (world, moment) => decideUndo(world, hub.settings, world.conflicts.get(id) ?? conflict, moment),
  });
});

/** A person's value for one field; `base` is what they saw. */
export const edit = Effect.fn("hub.edit")(function* (
  hub: Hub,
  actor: string,
  asked: {
    readonly id: string;
    readonly field: string;
    readonly value: Value;
    readonly base: Value;
    readonly hold: boolean;
  },
) {
  const { id, ...rest } = asked;
  return yield* decision(hub, {
    actor,
    action: `edit ${asked.field}`,
    subject: id,
    wanted: { canonicalIds: [id] },
    decide: (world, moment) => decideEdit(world, hub.settings, { canonicalId: id, ...rest }, moment),
  });
});

/** Two accounts, or two contacts, are one. */
export const merge = Effect.fn("hub.merge")(function* (
  hub: Hub,
  actor: string,
  pair: { readonly entity: Entity; readonly survivor: string; readonly absorbed: string },
) {
  return yield* decision(hub, {
    actor,
    action: "merge",
    subject: `${pair.survivor} ${pair.absorbed}`,
    wanted: { canonicalIds: [pair.survivor, pair.absorbed] },
    decide: (world, moment) => decideMerge(world, hub.settings, pair.survivor, pair.absorbed, moment),
  });
});
