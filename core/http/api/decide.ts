/** What people decide about one account or contact: its values, who it is, that it lives again. */
import { Effect, Schema } from "effect";
import * as decisions from "../../hub/decisions.ts";
import { type Entity, entities } from "../../model/field.ts";
import { Sheet } from "../customer-shapes.ts";
import { problemOfMatch } from "../etag.ts";
import { noteRead } from "../note.ts";
import { Done, orProblem } from "../outcome.ts";
import { type Asking, type Route, route } from "../route.ts";
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

const decideRoutes = (entity: Entity): ReadonlyArray<Route> => {
  const one = entity === "account" ? "Account" : "Contact";
  const path = `/${entity}s/:id`;
  const scope = "customers:write" as const;
  return [
    route({
      method: "PATCH",
      path,
      operation: `edit${one}`,
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
    route({
      method: "POST",
      path: `${path}/release`,
      operation: `release${one}`,
      summary: { en: "End the hold of a field", zh: "解除对某个字段的锁定" },
      scope,
      params: ById,
      ifMatch: true,
      body: Schema.Struct({ field: Name }),
      response: Done,
      handle: function* (asked) {
        const { canonical, seen } = yield* matched(asked, entity, asked.params.id);
        const wanted = { id: canonical.id, field: asked.body.field, seen };
        return yield* orProblem(decisions.release(asked.hub, asked.caller.actor, wanted));
      },
    }),
    route({
      method: "POST",
      path: `${path}/merge`,
      operation: `merge${one}`,
      summary: { en: "Make another one part of this one", zh: "把另一条并入这一条" },
      scope,
      params: ById,
      ifMatch: true,
      body: Other,
      response: Done,
      handle: function* (asked) {
        const { canonical, seen } = yield* matched(asked, entity, asked.params.id);
        yield* sheetOf(asked, entity, asked.body.absorbed);
        const pair = { survivor: canonical.id, absorbed: asked.body.absorbed, seen };
        return yield* orProblem(decisions.merge(asked.hub, asked.caller.actor, pair));
      },
    }),
    route({
      method: "POST",
      path: `${path}/unmerge`,
      operation: `unmerge${one}`,
      summary: { en: "Take a merge apart", zh: "拆分一次合并" },
      scope,
      params: ById,
      ifMatch: true,
      body: Other,
      response: Done,
      handle: function* (asked) {
        const { canonical, seen } = yield* matched(asked, entity, asked.params.id);
        const pair = { survivor: canonical.id, absorbed: asked.body.absorbed, seen };
        return yield* orProblem(decisions.unmerge(asked.hub, asked.caller.actor, pair));
      },
    }),
    route({
      method: "POST",
      path: `${path}/restore`,
      operation: `restore${one}`,
      summary: {
        en: "Bring a deleted one back, everywhere or in one connection",
        zh: "恢复已删除的记录，全部或某个连接",
      },
      scope,
      params: ById,
      ifMatch: true,
      body: Schema.Struct({ connection: Schema.optionalKey(Name) }),
      response: Done,
      handle: function* (asked) {
        const { canonical, seen } = yield* matched(asked, entity, asked.params.id);
        return yield* orProblem(
          decisions.restore(asked.hub, asked.caller.actor, { id: canonical.id, seen, ...asked.body }),
        );
      },
    }),
  ];
};

export const decisionRoutes: ReadonlyArray<Route> = entities.flatMap(decideRoutes);
