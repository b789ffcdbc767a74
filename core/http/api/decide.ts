/** What people decide about one account or contact: its values, who it is, that it lives again. */
import { Effect, Schema } from "effect";
import * as decisions from "../../hub/decisions.ts";
import type { EditOutcome } from "../../model/edits.ts";
import { type Entity, entities } from "../../model/field.ts";
import type { Words } from "../../security/roles.ts";
import { Sheet } from "../customer-shapes.ts";
import { problemOfMatch } from "../etag.ts";
import { noteRead } from "../note.ts";
import { Done, orProblem } from "../outcome.ts";
import { type Asked, type Asking, type Failure, type Route, route, type Shape } from "../route.ts";
import { ById, Name, Values } from "../shapes.ts";
import { shownSheet } from "../shown.ts";
import { sheetOf } from "./customers.ts";
import { changesOf, settle } from "./edit.ts";

const Edit = Schema.Struct({
  values: Values.annotate({ description: "The new values by field; null empties one." }),
  hold: Schema.optionalKey(
    Schema.Boolean.annotate({ description: "Keep the values against later edits too, until they are released." }),
  ),
});

const Other = Schema.Struct({ absorbed: Name.annotate({ description: "The id of the one that becomes an alias." }) });

/** The record as the caller saw it where they say so; `seen` keeps it so until the decision is made. */
const matched = Effect.fnUntraced(function* (asking: Asking, entity: Entity, id: string) {
  const { canonical } = yield* sheetOf(asking, entity, id);
  const problem = problemOfMatch(asking, canonical.revision);
  if (problem !== null) return yield* Effect.fail(problem);
  return { canonical, seen: asking.header("If-Match") === undefined ? undefined : canonical.revision };
});

const scope = "customers:write" as const;

/** What a decision is made about: the record as the caller saw it, and its revision where it must still be that one. */
interface Target {
  readonly id: string;
  readonly seen: number | undefined;
}

interface Decided<B> {
  readonly verb: string;
  readonly summary: Words;
  readonly body: Shape<B>;
  readonly decide: (asked: Asked<typeof ById.Type, unknown, B>, target: Target) => Effect.Effect<EditOutcome, Failure>;
}

/** A decision about one record that answers with nothing but that it was made. */
const decided = <B>(entity: Entity, { verb, summary, body, decide }: Decided<B>): Route =>
  route({
    method: "POST",
    path: `/${entity}s/:id/${verb}`,
    operation: `${verb}${kindOf(entity)}`,
    summary,
    scope,
    params: ById,
    ifMatch: true,
    body,
    response: Done,
    handle: function* (asked) {
      const { canonical, seen } = yield* matched(asked, entity, asked.params.id);
      return yield* orProblem(decide(asked, { id: canonical.id, seen }));
    },
  });

const kindOf = (entity: Entity): string => (entity === "account" ? "Account" : "Contact");

const decideRoutes = (entity: Entity): ReadonlyArray<Route> => [
  route({
    method: "PATCH",
    path: `/${entity}s/:id`,
    operation: `edit${kindOf(entity)}`,
    summary: { en: "Set values by hand; they win until a later edit", zh: "人工设定字段值，直到之后的修改" },
    scope,
    params: ById,
    ifMatch: true,
    body: Edit,
    response: Sheet,
    handle: function* (asked) {
      const { values, hold = false } = asked.body;
      const { canonical, seen } = yield* matched(asked, entity, asked.params.id);
      const { id } = canonical;
      const fields = yield* changesOf(asked, canonical, values);
      yield* settle(yield* decisions.editFields(asked.hub, asked.caller.actor, { id, fields, hold, seen }));
      const after = yield* sheetOf(asked, entity, id);
      yield* noteRead(asked, { action: `show ${entity}`, subject: after.canonical.id });
      return { body: shownSheet(asked, after), revision: after.canonical.revision };
    },
  }),
  decided(entity, {
    verb: "release",
    summary: { en: "End the hold of a field", zh: "解除对某个字段的锁定" },
    body: Schema.Struct({ field: Name }),
    decide: ({ hub, caller, body }, target) => decisions.release(hub, caller.actor, { ...target, field: body.field }),
  }),
  decided(entity, {
    verb: "merge",
    summary: { en: "Make another one part of this one", zh: "把另一条并入这一条" },
    body: Other,
    decide: (asked, { id, seen }) =>
      Effect.andThen(
        sheetOf(asked, entity, asked.body.absorbed),
        decisions.merge(asked.hub, asked.caller.actor, { survivor: id, absorbed: asked.body.absorbed, seen }),
      ),
  }),
  decided(entity, {
    verb: "unmerge",
    summary: { en: "Take a merge apart", zh: "拆分一次合并" },
    body: Other,
    decide: ({ hub, caller, body }, { id, seen }) =>
      decisions.unmerge(hub, caller.actor, { survivor: id, absorbed: body.absorbed, seen }),
  }),
  decided(entity, {
    verb: "restore",
    summary: {
      en: "Bring a deleted one back, everywhere or in one connection",
      zh: "恢复已删除的记录，全部或某个连接",
    },
    body: Schema.Struct({ connection: Schema.optionalKey(Name) }),
    decide: ({ hub, caller, body }, target) => decisions.restore(hub, caller.actor, { ...target, ...body }),
  }),
];

export const decisionRoutes: ReadonlyArray<Route> = entities.flatMap(decideRoutes);
