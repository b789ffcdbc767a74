/** Values that a program sends, as edits of fields: all are checked before the first is written. */
import { Effect } from "effect";
import type { FieldOutcome } from "../../hub/decisions.ts";
import { typedJson } from "../../hub/typed-value.ts";
import { canonicalValue } from "../../model/canonical.ts";
import type { Value, Values } from "../../model/value.ts";
import type { Canonical } from "../../model/world.ts";
import { mask } from "../../security/mask.ts";
import { readSheet } from "../../store/browse.ts";
import { isNotDone, problemOfOutcome } from "../outcome.ts";
import { Problem, type Wrong } from "../problem.ts";
import { type Asking, invalid } from "../route.ts";

export interface FieldChange {
  readonly field: string;
  readonly value: Value;
  /** What the field holds now, which is what the caller saw. */
  readonly base: Value;
}

export const changesOf = Effect.fn("api.changes")(function* (asking: Asking, canonical: Canonical, values: Values) {
  const { model, config } = asking.hub;
  const changes: Array<FieldChange> = [];
  const wrongs: Array<Wrong> = [];
  for (const [name, given] of Object.entries(values)) {
    const path = `body.values.${name}`;
    const field = model[canonical.entity].get(name);
    if (field === undefined) {
      wrongs.push({ path, what: `is no field of the ${canonical.entity}` });
      continue;
    }
    const typed = holdsMask(given)
      ? { kind: "wrong" as const, reason: "is a mask: the key does not show the value" }
      : typedJson(field, given, config.hub);
    if (typed.kind === "wrong") wrongs.push({ path, what: typed.reason });
    else if (field.type === "reference" && !(yield* isThere(asking, field.target, typed.value)))
      wrongs.push({ path, what: `must be the id of ${field.target === "contact" ? "a contact" : "an account"}` });
    else changes.push({ field: name, value: typed.value, base: canonicalValue(canonical, name) });
  }
  if (changes.length + wrongs.length === 0) wrongs.push({ path: "body.values", what: "must name a field" });
  return wrongs.length === 0 ? changes : yield* Effect.fail(invalid(wrongs));
});

/** A program that read masks must not write them back as values. */
export const holdsMask = (value: Value): boolean => JSON.stringify(value).includes(mask);

const isThere = Effect.fnUntraced(function* ({ hub }: Asking, entity: string | undefined, id: Value) {
  if (id === null) return true;
  if (typeof id !== "string") return false;
  const sheet = yield* readSheet(hub, id);
  return sheet !== null && sheet.canonical.entity === entity && sheet.canonical.state === "live";
});

/** Done where every field is; else a problem that names what each field became. */
export function settle(outcomes: ReadonlyArray<FieldOutcome>): Effect.Effect<void, Problem> {
  const first = outcomes.map(({ outcome }) => outcome).find(isNotDone);
  if (first === undefined) return Effect.void;
  const problem = problemOfOutcome(first);
  if (outcomes.length === 1) return Effect.fail(problem);
  const set = outcomes.filter(({ outcome }) => outcome.kind === "done");
  return Effect.fail(
    new Problem(
      problem.kind,
      `${set.length} of ${outcomes.length} fields were set; ${"conflict" in first ? `another one asks: ${first.reason}` : first.reason}.`,
      problem.remedy,
      {
        members: {
          outcomes: Object.fromEntries(
            outcomes.map(({ field, outcome }) => [
              field,
              outcome.kind === "asks" ? { outcome: "asks", conflict: outcome.conflict } : { outcome: outcome.kind },
            ]),
          ),
        },
      },
    ),
  );
}
