/** The conflict log: what systems disagreed on, and the answers of people. */
import { Effect, Schema } from "effect";
import { resolve, undo } from "../../hub/decisions.ts";
import { typedJson } from "../../hub/typed-value.ts";
import type { Answer } from "../../model/answers.ts";
import { type Conflict as ConflictRow, conflictKinds } from "../../model/world.ts";
import { listConflicts, readConflict } from "../../store/browse.ts";
import { paged, pageFor } from "../cursor.ts";
import { Conflict } from "../customer-shapes.ts";
import { problemOfMatch } from "../etag.ts";
import { noteRead } from "../note.ts";
import { Done, orProblem } from "../outcome.ts";
import { notFound, Problem } from "../problem.ts";
import { type Asking, invalid, type Route, route } from "../route.ts";
import { ById, Instant, Name, pageOf, pageQuery, Value } from "../shapes.ts";
import { shownConflict } from "../shown.ts";
import { holdsMask } from "./edit.ts";

const shown = {
  hold: Schema.optionalKey(Schema.Boolean.annotate({ description: "Keep the value until it is released." })),
  shownAt: Schema.optionalKey(
    Instant.annotate({ description: "`updatedAt` of the row as it was seen; it asks again if it has changed since." }),
  ),
};

const AnswerShape = Schema.Union([
  Schema.Struct({ kind: Schema.Literal("source"), source: Name, ...shown }),
  Schema.Struct({ kind: Schema.Literal("value"), value: Value, ...shown }),
  Schema.Struct({ kind: Schema.Literal("link"), canonicalId: Name }),
  Schema.Struct({ kind: Schema.Literals(["separate", "merged", "deleted", "keep", "release", "reject"]) }),
]).annotate({
  identifier: "Answer",
  description:
    "`source` and `value` settle a value; `link`, `separate` and `merged` say who a record is; `merged`, `deleted` and `keep` answer deletes; `release` and `reject` answer a brake.",
});

const ListQuery = Schema.Struct({
  ...pageQuery,
  state: Schema.optionalKey(Schema.Literals(["open", "all"]).annotate({ description: "open unless said." })),
  kind: Schema.optionalKey(Schema.Literals(conflictKinds)),
  connection: Schema.optionalKey(Name),
  field: Schema.optionalKey(Name),
  customer: Schema.optionalKey(Name),
  run: Schema.optionalKey(Name),
});

const conflictOf = Effect.fn("api.conflict")(function* ({ hub }: Asking, id: string) {
  const row = yield* readConflict(hub, id);
  return (
    row ?? (yield* Effect.fail(notFound("There is no conflict with this id.", "GET /api/v1/conflicts lists them.")))
  );
});

/** The row as the caller saw it, where they say so: its revision is when it was last touched. */
const matchedConflict = Effect.fnUntraced(function* (asking: Asking, id: string) {
  const row = yield* conflictOf(asking, id);
  const problem = problemOfMatch(asking, row.updatedAt);
  return problem === null ? row : yield* Effect.fail(problem);
});

export const conflictRoutes: ReadonlyArray<Route> = [
  route({
    method: "GET",
    path: "/conflicts",
    operation: "listConflicts",
    summary: { en: "List conflicts and cases, oldest first", zh: "列出冲突与待处理事项，最早在前" },
    scope: "customers:read",
    query: ListQuery,
    response: pageOf(Conflict),
    handle: function* (asked) {
      const { state = "open", customer, limit: _limit, cursor: _cursor, ...filter } = asked.query;
      const { limit, after } = yield* pageFor("conflicts", asked.query);
      const rows = yield* listConflicts(asked.hub, {
        ...filter,
        open: state === "open",
        limit: limit + 1,
        ...(customer === undefined ? {} : { canonicalId: customer }),
        ...(after === undefined ? {} : { after }),
      });
      const { items, next } = paged("conflicts", rows, limit, ({ id }) => id);
      yield* noteRead(asked, { action: "list conflicts", subject: `${items.length} shown` });
      return { body: { items: items.map((row) => shownConflict(asked, row)), next } };
    },
  }),
  route({
    method: "GET",
    path: "/conflicts/:id",
    operation: "getConflict",
    summary: { en: "Show one conflict with all candidates", zh: "查看单个冲突及其全部候选值" },
    scope: "customers:read",
    params: ById,
    response: Conflict,
    handle: function* (asked) {
      const row = yield* conflictOf(asked, asked.params.id);
      yield* noteRead(asked, { action: "show conflict", subject: row.id });
      return { body: shownConflict(asked, row), revision: row.updatedAt };
    },
  }),
  route({
    method: "POST",
    path: "/conflicts/:id/resolve",
    operation: "resolveConflict",
    summary: { en: "Answer an open conflict", zh: "答复一个未决的冲突" },
    scope: "customers:write",
    params: ById,
    ifMatch: true,
    body: AnswerShape,
    response: Done,
    handle: function* (asked) {
      const row = yield* matchedConflict(asked, asked.params.id);
      const answer = yield* answerOf(asked, row, asked.body);
      return yield* orProblem(resolve(asked.hub, asked.caller.actor, row.id, answer));
    },
  }),
  route({
    method: "POST",
    path: "/conflicts/:id/undo",
    operation: "undoConflict",
    summary: { en: "Take a decision back", zh: "撤销一个决定" },
    scope: "customers:write",
    params: ById,
    ifMatch: true,
    response: Done,
    handle: function* (asked) {
      const row = yield* matchedConflict(asked, asked.params.id);
      return yield* orProblem(undo(asked.hub, asked.caller.actor, row.id));
    },
  }),
];

/** A given value is typed by the field of the row. */
const answerOf = Effect.fnUntraced(function* (asking: Asking, row: ConflictRow, given: typeof AnswerShape.Type) {
  switch (given.kind) {
    case "source":
      return { ...given, hold: given.hold === true } satisfies Answer as Answer;
    case "value": {
      const field = row.field === null ? undefined : asking.hub.model[row.entity].get(row.field);
      if (field === undefined) {
        return yield* Effect.fail(new Problem("refused", "This row names no field.", "Use another answer."));
      }
      const typed = holdsMask(given.value)
        ? { kind: "wrong" as const, reason: "is a mask: the key does not show the value" }
        : typedJson(field, given.value, asking.hub.config.hub);
      if (typed.kind === "wrong") return yield* Effect.fail(invalid([{ path: "body.value", what: typed.reason }]));
      return { ...given, value: typed.value, hold: given.hold === true } satisfies Answer as Answer;
    }
    default:
      return given satisfies Answer as Answer;
  }
});
