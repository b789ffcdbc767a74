/** What became of a decision: done, or a problem that says why not. */
import { Effect, Schema } from "effect";
import type { EditOutcome } from "../model/edits.ts";
import { Problem } from "./problem.ts";

/** The answer to decisions that show nothing. */
export const Done = Schema.Struct({
  done: Schema.Literal(true),
  reopened: Schema.NullOr(Schema.String).annotate({
    description: "The conflict that asks again, where a decision was taken back; else null.",
  }),
}).annotate({ identifier: "Done" });

export const done = (reopened: string | null = null) => ({ body: { done: true as const, reopened } });

type NotDone = Extract<EditOutcome, { readonly reason: string }>;

export const isNotDone = (outcome: EditOutcome): outcome is NotDone => "reason" in outcome;

export function problemOfOutcome(outcome: NotDone): Problem {
  if (outcome.kind === "refused") return new Problem("refused", outcome.reason, "Nothing was changed.");
  return new Problem(
    "asks",
    `Nothing was changed: ${outcome.reason}.`,
    `Look at the conflict ${outcome.conflict} and resolve it.`,
    { members: { conflict: outcome.conflict } },
  );
}

export const orProblem = <E>(decision: Effect.Effect<EditOutcome, E>) =>
  Effect.flatMap(decision, (outcome) =>
    isNotDone(outcome)
      ? Effect.fail(problemOfOutcome(outcome))
      : Effect.succeed(done(outcome.kind === "reopened" ? outcome.conflict : null)),
  );
