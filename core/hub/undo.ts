/**
 * Undo of a run or of one change: first what it would do, then doing it. Both decide with the same code over the same
 * rows; only the second keeps the result.
 */
import { Effect } from "effect";
import { canonicalValue } from "../model/canonical.ts";
import { displayName } from "../model/display.ts";
import type { EditOutcome } from "../model/edits.ts";
import type { Entity } from "../model/field.ts";
import type { Moment } from "../model/moment.ts";
import { decideUndoStep, subjectsOfStep, type UndoStep, undoSteps } from "../model/undo.ts";
import type { Value } from "../model/value.ts";
import type { ChangeRow, World } from "../model/world.ts";
import { noteAudit } from "../store/audit.ts";
import { type LogPlace, readLogOf } from "../store/browse.ts";
import { loadWorld, saveWorld } from "../store/world-store.ts";
import type { Hub } from "./open.ts";

/** What is taken back: all that a run changed, what it filled in, or one change. */
export type UndoTarget = LogPlace;

export interface UndoneStep {
  readonly what: UndoStep["kind"];
  readonly entity: Entity | null;
  readonly canonicalId: string;
  readonly name: string;
  readonly field: string | null;
  /** The value now, and the one that stood before. */
  readonly from: Value;
  readonly to: Value;
  /** `asks`: somebody has changed it since, and a person decides; `refused`: it cannot be taken back. */
  readonly outcome: "done" | "asks" | "refused";
  readonly reason: string | null;
}

export interface Undone {
  readonly done: number;
  readonly asks: number;
  readonly refused: number;
  readonly accounts: number;
  /** Accounts and contacts that are due to be written, by connection. */
  readonly writes: Readonly<Record<string, number>>;
  /** What an undo leaves as it is, by kind of change. */
  readonly stays: Readonly<Record<string, number>>;
  /** At most `listedMax`. */
  readonly steps: ReadonlyArray<UndoneStep>;
}

const stepsTogether = 500;
const listedMax = 1_000;

/** Changes of the log that hold nothing to go back to, and are of interest to whoever undoes. */
const stayingKinds: ReadonlySet<string> = new Set([
  "created",
  "linked",
  "unlinked",
  "detached",
  "restored",
  "unmerged",
]);

/**
 * Null where the log has no such run or change.
 *
 * Errors  StoreFailed. With `keeps` each batch is one transaction: what was done before a failure stays, and may be
 *         repeated.
 */
export const undoChanges = Effect.fn("hub.undo-changes")(function* (
  hub: Hub,
  target: UndoTarget,
  { actor, keeps }: { readonly actor: string; readonly keeps: boolean },
) {
  const rows = yield* readLogOf(hub, target);
  if (rows.length === 0) return null;
  const steps = undoSteps(rows);
  const tally = newTally(rows);
  for (let from = 0; from < steps.length; from += stepsTogether) {
    const batch = steps.slice(from, from + stepsTogether);
    tally.add(yield* decideBatch(hub, { batch, undone: nameOf(target), actor, keeps }));
  }
  return tally.result(steps);
});

const nameOf = (target: UndoTarget): string => ("run" in target ? target.run : `change ${target.position}`);

const decideBatch = Effect.fn("undo.batch")(function* (
  hub: Hub,
  asked: {
    readonly batch: ReadonlyArray<UndoStep>;
    readonly undone: string;
    readonly actor: string;
    readonly keeps: boolean;
  },
) {
  const { database, sealer } = hub.store;
  const { batch, undone, actor, keeps } = asked;
  const decide = async () => {
    const canonicalIds = [...new Set(batch.flatMap(subjectsOfStep))];
    const { world, sealing } = await loadWorld(database, sealer, hub.model, { canonicalIds, withTargets: true });
    const now = hub.clock.now();
    const moment: Moment = { now, run: hub.ids.next("run"), newId: hub.ids.next, deferMeetings: false };
    const steps = batch.map((step): UndoneStep => {
      const about = aboutOf(world, step);
      return { ...about, ...shownOutcome(decideUndoStep(world, hub.settings, step, undone, moment)) };
    });
    if (keeps) {
      await saveWorld(database, sealing, world, { now, newId: hub.ids.next, settings: hub.settings });
      await noteAudit(database, [{ at: now, actor, action: "undo", subject: undone, detail: { steps: batch.length } }]);
    }
    return { steps, due: [...world.due.values()] };
  };
  return yield* keeps ? database.write("undoing", decide) : database.read("looking at what an undo would do", decide);
});

function aboutOf(world: World, step: UndoStep): Omit<UndoneStep, "outcome" | "reason"> {
  const canonical = world.canonical(step.canonicalId);
  const isValue = step.kind === "value";
  return {
    what: step.kind,
    entity: canonical?.entity ?? null,
    canonicalId: step.canonicalId,
    name: canonical === undefined ? "" : displayName(canonical.entity, canonical.values),
    field: isValue ? step.field : null,
    from: isValue && canonical !== undefined ? canonicalValue(canonical, step.field) : null,
    to: isValue ? step.value : null,
  };
}

function shownOutcome(outcome: EditOutcome): Pick<UndoneStep, "outcome" | "reason"> {
  if (outcome.kind === "refused" || outcome.kind === "asks") return { outcome: outcome.kind, reason: outcome.reason };
  return { outcome: "done", reason: null };
}

interface Batch {
  readonly steps: ReadonlyArray<UndoneStep>;
  readonly due: ReadonlyArray<{ readonly connection: string; readonly canonicalId: string }>;
}

function newTally(rows: ReadonlyArray<ChangeRow>) {
  const counts = { done: 0, asks: 0, refused: 0 };
  const due = new Map<string, Set<string>>();
  const listed: Array<UndoneStep> = [];
  const stays: Record<string, number> = {};
  for (const { kind } of rows) if (stayingKinds.has(kind)) stays[kind] = (stays[kind] ?? 0) + 1;
  return {
    add: (batch: Batch): void => {
      for (const { outcome } of batch.steps) counts[outcome] += 1;
      for (const { connection, canonicalId } of batch.due) {
        due.set(connection, (due.get(connection) ?? new Set()).add(canonicalId));
      }
      listed.push(...batch.steps.slice(0, listedMax - listed.length));
    },
    result: (steps: ReadonlyArray<UndoStep>): Undone => ({
      ...counts,
      accounts: new Set(steps.flatMap(subjectsOfStep)).size,
      writes: Object.fromEntries([...due].map(([name, ids]) => [name, ids.size])),
      stays,
      steps: listed,
    }),
  };
}
