/**
 * Takes back what is in the log: the values that a run or one change set, the accounts that it made one, the ones that it
 * declared dead. Each step is an ordinary decision of a person, with what was decided then as its base (SEMANTICS D19): so
 * what somebody has changed since asks, and nothing is written past the merge.
 */
import { decideEdit, type EditOutcome } from "./edits.ts";
import { decideRestore } from "./link-decisions.ts";
import { decideUnmerge } from "./merge-accounts.ts";
import type { Moment } from "./moment.ts";
import type { Settings } from "./settings.ts";
import { equalValues, type Value } from "./value.ts";
import type { ChangeRow, World } from "./world.ts";

export type UndoStep =
  /** `value` stood before, `base` is what was decided. */
  | {
      readonly kind: "value";
      readonly canonicalId: string;
      readonly field: string;
      readonly base: Value;
      readonly value: Value;
    }
  | { readonly kind: "merge"; readonly canonicalId: string; readonly absorbedId: string; readonly merged: ChangeRow }
  | { readonly kind: "delete"; readonly canonicalId: string };

/** The steps that take these rows back; rows in the order of the log. */
export function undoSteps(rows: Iterable<ChangeRow>): ReadonlyArray<UndoStep> {
  const others: Array<UndoStep> = [];
  const values = new Map<string, Extract<UndoStep, { readonly kind: "value" }>>();
  for (const row of rows) {
    const { canonicalId, kind, note = {} } = row;
    if (canonicalId === null) continue;
    if (kind === "merged" && typeof note.absorbed === "string") {
      others.push({ kind: "merge", canonicalId, absorbedId: note.absorbed, merged: row });
    } else if (kind === "deleted" && note.everywhere === true) others.push({ kind: "delete", canonicalId });
    else if (kind === "changed" || kind === "filled" || kind === "met") {
      for (const [field, base] of Object.entries(row.set ?? {})) {
        const place = `${canonicalId}\n${field}`;
        // Of several changes the first knows what stood before, the last what was decided.
        const value = values.get(place)?.value ?? row.from?.[field] ?? null;
        values.set(place, { kind: "value", canonicalId, field, base, value });
      }
    }
  }
  return [...others, ...[...values.values()].filter(({ base, value }) => !equalValues(base, value))];
}

/** Accounts and contacts that a step needs to know. */
export const subjectsOfStep = (step: UndoStep): ReadonlyArray<string> =>
  step.kind === "merge" ? [step.canonicalId, step.absorbedId] : [step.canonicalId];

export function decideUndoStep(
  world: World,
  settings: Settings,
  step: UndoStep,
  undone: string,
  moment: Moment,
): EditOutcome {
  switch (step.kind) {
    case "value": {
      const { canonicalId, field, value, base } = step;
      return decideEdit(world, settings, { canonicalId, field, value, base, hold: false }, moment, { undo: undone });
    }
    case "merge":
      return decideUnmerge(world, settings, step.merged, moment);
    case "delete":
      return decideRestore(world, settings, { canonicalId: step.canonicalId }, moment);
  }
}
