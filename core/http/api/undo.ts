/** Taking back what is in the log: a run, what it filled in, or one change. */
import { Effect, Schema } from "effect";
import { type UndoTarget, undoChanges } from "../../hub/undo.ts";
import { isRun } from "../../store/browse.ts";
import { noteRead } from "../note.ts";
import { notFound } from "../problem.ts";
import { type Asking, type Route, route } from "../route.ts";
import { ById, Entity, wholeNumber } from "../shapes.ts";

const Asked = Schema.Struct({
  preview: Schema.Boolean.annotate({ description: "true changes nothing and tells what would be taken back." }),
});

const counts = (description: string) => Schema.Record(Schema.String, Schema.Int).annotate({ description });

const Undone = Schema.Struct({
  carriedOut: Schema.Boolean,
  done: Schema.Int,
  asks: Schema.Int.annotate({ description: "Changed since: each is a conflict that a person resolves." }),
  refused: Schema.Int,
  accounts: Schema.Int.annotate({ description: "Accounts and contacts that it concerns." }),
  writes: counts("Accounts and contacts that become due to be written, by connection."),
  stays: counts("Changes that an undo leaves as they are, by kind."),
  steps: Schema.Array(
    Schema.Struct({
      what: Schema.Literals(["value", "merge", "delete"]),
      entity: Schema.NullOr(Entity),
      canonicalId: Schema.String,
      field: Schema.NullOr(Schema.String),
      outcome: Schema.Literals(["done", "asks", "refused"]),
      reason: Schema.NullOr(Schema.String),
    }),
  ).annotate({ description: "The first 1,000." }),
}).annotate({ identifier: "Undone" });

const carryOut = Effect.fnUntraced(function* (asking: Asking, target: UndoTarget, preview: boolean) {
  if (preview) yield* noteRead(asking, { action: "look at an undo", subject: JSON.stringify(target) });
  const undone = yield* undoChanges(asking.hub, target, { actor: asking.caller.actor, keeps: !preview });
  if (undone === null) return null;
  const steps = undone.steps.map(({ what, entity, canonicalId, field, outcome, reason }) => {
    return { what, entity, canonicalId, field, outcome, reason };
  });
  return { ...undone, carriedOut: !preview, steps };
});

const noRun = notFound("There is no such run, or it changed nothing.", "GET /api/v1/runs lists them.");

export const undoRoutes: ReadonlyArray<Route> = [
  route({
    method: "POST",
    path: "/runs/:id/undo",
    operation: "undoRun",
    summary: {
      en: "Take back all that a run changed, or look what that would touch",
      zh: "撤销一次运行的全部改动，或先查看影响范围",
    },
    scope: "customers:write",
    params: ById,
    body: Asked,
    response: Undone,
    handle: function* (asked) {
      const undone = yield* carryOut(asked, { run: asked.params.id }, asked.body.preview);
      return undone === null ? yield* Effect.fail(noRun) : { body: undone };
    },
  }),
  route({
    method: "POST",
    path: "/changes/:position/undo",
    operation: "undoChange",
    summary: {
      en: "Take back one change of the log, or look what that would touch",
      zh: "撤销一条改动，或先查看影响范围",
    },
    scope: "customers:write",
    params: Schema.Struct({
      position: wholeNumber(1, Number.MAX_SAFE_INTEGER, "The number of the change in a history."),
    }),
    body: Asked,
    response: Undone,
    handle: function* (asked) {
      const undone = yield* carryOut(asked, { position: asked.params.position }, asked.body.preview);
      if (undone !== null) return { body: undone };
      return yield* Effect.fail(
        notFound("There is no such change.", "Histories of accounts and contacts number them."),
      );
    },
  }),
  route({
    method: "POST",
    path: "/runs/:id/undo-fills",
    operation: "undoFills",
    summary: { en: "Take back all empty fields that a run filled", zh: "撤回某次运行填入的所有空字段" },
    scope: "customers:write",
    params: ById,
    response: Schema.Struct({ undone: Schema.Int, asks: Schema.Int }),
    handle: function* (asked) {
      const run = asked.params.id;
      const undone = yield* undoChanges(asked.hub, { run, only: "fills" }, { actor: asked.caller.actor, keeps: true });
      if (undone !== null) return { body: { undone: undone.done, asks: undone.asks } };
      if (yield* isRun(asked.hub, run)) return { body: { undone: 0, asks: 0 } };
      return yield* Effect.fail(notFound("There is no such run.", "GET /api/v1/runs lists them."));
    },
  }),
];
