/**
 * Decisions of people: resolving and undoing conflicts, edits and pins, merges. Short transactions that work beside a
 * running hub; each is audited with who asked.
 */
import { Effect } from "effect";
import { type Answer, decideAnswer } from "../model/answers.ts";
import { decideEdit, decideUndo, type EditOutcome, releaseHold } from "../model/edits.ts";
import type { Entity } from "../model/field.ts";
import { decideLink, decideRestore, decideUnlink } from "../model/link-decisions.ts";
import { decideMerge, decideUnmerge } from "../model/merge-accounts.ts";
import type { Moment } from "../model/moment.ts";
import type { Value } from "../model/value.ts";
import { type Conflict, type Link, subjectsOf, type World } from "../model/world.ts";
import { noteAudit } from "../store/audit.ts";
import { readConflict, readHistory } from "../store/browse.ts";
import { loadWorld, saveWorld, type Wanted } from "../store/world-store.ts";
import type { Hub } from "./open.ts";

interface Decision {
  /** Who decides. */
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly wanted: Wanted;
  /** The revision of the first of `wanted` as the person saw it; at another one nothing is decided. */
  readonly seen?: number | undefined;
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
    const outcome = changedSince(world, asked) ?? asked.decide(world, moment);
    await saveWorld(database, sealing, world, { now, newId: hub.ids.next, settings: hub.settings });
    await noteAudit(database, [
      { at: now, actor: asked.actor, action: asked.action, subject: asked.subject, detail: { outcome: outcome.kind } },
    ]);
    return outcome;
  });
});

function changedSince(world: World, { seen, wanted }: Decision): EditOutcome | undefined {
  const [id] = wanted.canonicalIds ?? [];
  if (seen === undefined || id === undefined || world.canonical(id)?.revision === seen) return undefined;
  return { kind: "refused", reason: `${id} was changed while the request was under way.` };
}

/** What a person's decision about one account or contact may carry. */
interface Seen {
  /** Its revision as they saw it. */
  readonly seen?: number | undefined;
}

const missing = (id: string): EditOutcome => ({
  kind: "refused",
  reason: `There is no conflict ${id}. List them with: syncline conflicts list --all`,
});

/** Records and accounts that a conflict is about. */
function wantedFor(conflict: Conflict, answer?: Answer): Wanted {
  const ids = new Set(subjectsOf(conflict));
  if (answer?.kind === "link") ids.add(answer.canonicalId);
  const { master } = conflict.detail;
  const remoteIds = [conflict.remoteId, typeof master === "string" ? master : null].flatMap((id) => id ?? []);
  const { connection, entity } = conflict;
  return {
    canonicalIds: [...ids],
    remotes: connection === null ? [] : remoteIds.map((remoteId) => ({ connection, entity, remoteId })),
  };
}

/** Answers an open row of the conflict log. */
export const resolve = Effect.fn("hub.resolve")(function* (hub: Hub, actor: string, id: string, answer: Answer) {
  const conflict = yield* readConflict(hub, id);
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
  const conflict = yield* readConflict(hub, id);
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

/** What became of one field of an edit. */
export interface FieldOutcome {
  readonly field: string;
  readonly outcome: EditOutcome;
}

/** A person's values for several fields, in one transaction; each field has an outcome of its own. */
export const editFields = Effect.fn("hub.edit-fields")(function* (
  hub: Hub,
  actor: string,
  asked: {
    readonly id: string;
    readonly fields: ReadonlyArray<{ readonly field: string; readonly value: Value; readonly base: Value }>;
    readonly hold: boolean;
  } & Seen,
) {
  const { id, fields, hold, seen } = asked;
  const outcomes: Array<FieldOutcome> = [];
  const whole = yield* decision(hub, {
    actor,
    action: `edit ${fields.map(({ field }) => field).join(", ")}`,
    subject: id,
    seen,
    wanted: { canonicalIds: [id] },
    decide: (world, moment) => {
      // The transaction may run twice.
      outcomes.length = 0;
      for (const one of fields) {
        const outcome = decideEdit(world, hub.settings, { canonicalId: id, hold, ...one }, moment);
        outcomes.push({ field: one.field, outcome });
      }
      return outcomes.find(({ outcome }) => outcome.kind !== "done")?.outcome ?? { kind: "done" };
    },
  });
  if (outcomes.length > 0) return outcomes;
  return fields.map(({ field }): FieldOutcome => ({ field, outcome: whole }));
});

/** Ends a hold: the next change of the field follows its policy again. */
export const release = Effect.fn("hub.release")(function* (
  hub: Hub,
  actor: string,
  asked: { readonly id: string; readonly field: string } & Seen,
) {
  return yield* decision(hub, {
    actor,
    action: `release ${asked.field}`,
    subject: asked.id,
    seen: asked.seen,
    wanted: { canonicalIds: [asked.id] },
    decide: (world, moment) => {
      const canonical = world.canonical(asked.id);
      return canonical === undefined ? nobody(asked.id) : releaseHold(world, canonical, asked.field, moment);
    },
  });
});

const nobody = (id: string): EditOutcome => ({ kind: "refused", reason: `There is no account or contact ${id}.` });

/** Two accounts, or two contacts, are one. */
export const merge = Effect.fn("hub.merge")(function* (
  hub: Hub,
  actor: string,
  pair: { readonly survivor: string; readonly absorbed: string } & Seen,
) {
  return yield* decision(hub, {
    actor,
    action: "merge",
    subject: `${pair.survivor} ${pair.absorbed}`,
    seen: pair.seen,
    wanted: { canonicalIds: [pair.survivor, pair.absorbed] },
    decide: (world, moment) => decideMerge(world, hub.settings, pair.survivor, pair.absorbed, moment),
  });
});

const historyMax = 10_000;

/** Takes a merge apart again: each side gets its values of before, and keeps what its own records said since. */
export const unmerge = Effect.fn("hub.unmerge")(function* (
  hub: Hub,
  actor: string,
  pair: { readonly survivor: string; readonly absorbed: string } & Seen,
) {
  const history = yield* readHistory(hub, pair.survivor, { limit: historyMax });
  const merged = history.find((change) => change.kind === "merged" && change.note?.absorbed === pair.absorbed);
  return yield* decision(hub, {
    actor,
    action: "unmerge",
    subject: `${pair.survivor} ${pair.absorbed}`,
    seen: pair.seen,
    wanted: { canonicalIds: [pair.survivor, pair.absorbed] },
    decide: (world, moment) =>
      merged === undefined
        ? { kind: "refused", reason: `${pair.absorbed} was never merged into ${pair.survivor}.` }
        : decideUnmerge(world, hub.settings, merged, moment),
  });
});

/** One remote record, as people name it. */
export interface RecordName {
  readonly entity: Entity;
  readonly connection: string;
  readonly remoteId: string;
}

/** The record goes its own way until somebody links it again. */
export const unlink = Effect.fn("hub.unlink")(function* (hub: Hub, actor: string, record: RecordName) {
  return yield* overLink(hub, actor, record, "unlink", [], (world, link, moment) =>
    decideUnlink(world, hub.settings, link, moment),
  );
});

/** The record belongs to this account or contact; with null it becomes one of its own. */
export const link = Effect.fn("hub.link")(function* (hub: Hub, actor: string, record: RecordName, id: string | null) {
  return yield* overLink(hub, actor, record, "link", id === null ? [] : [id], (world, found, moment) =>
    decideLink(world, hub.settings, found, id, moment),
  );
});

const overLink = (
  hub: Hub,
  actor: string,
  record: RecordName,
  action: string,
  canonicalIds: ReadonlyArray<string>,
  decide: (world: World, link: Link, moment: Moment) => EditOutcome,
) =>
  decision(hub, {
    actor,
    action,
    subject: `${record.connection}/${record.entity}/${record.remoteId}`,
    wanted: { canonicalIds, remotes: [record] },
    decide: (world, moment) => {
      const found = world.link(record.connection, record.entity, record.remoteId);
      const reason = `${record.connection} has no ${record.entity} ${record.remoteId} that the hub knows.`;
      return found === undefined ? { kind: "refused", reason } : decide(world, found, moment);
    },
  });

/** A deleted account or contact lives again, everywhere or in one connection. */
export const restore = Effect.fn("hub.restore")(function* (
  hub: Hub,
  actor: string,
  asked: { readonly id: string; readonly connection?: string } & Seen,
) {
  const { id, seen, ...rest } = asked;
  return yield* decision(hub, {
    actor,
    action: "restore",
    subject: id,
    seen,
    wanted: { canonicalIds: [id] },
    decide: (world, moment) => decideRestore(world, hub.settings, { canonicalId: id, ...rest }, moment),
  });
});
