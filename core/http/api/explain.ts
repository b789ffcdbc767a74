/** Why a value is what it is: sources, rules, history. */
import { Effect, Schema } from "effect";
import { explain, type FieldExplanation } from "../../hub/explain.ts";
import { type Entity, entities } from "../../model/field.ts";
import { Change, Changed, Conflict } from "../customer-shapes.ts";
import { noteRead } from "../note.ts";
import { notFound } from "../problem.ts";
import { type Asking, type Route, route } from "../route.ts";
import { Entity as EntityShape, Instant, Name, Value } from "../shapes.ts";
import { shownChange, shownConflict, shownInterval, shownValue } from "../shown.ts";

const FieldExplained = Schema.Struct({
  field: Schema.String,
  title: Schema.Struct({ en: Schema.String, zh: Schema.String }),
  value: Value,
  source: Schema.NullOr(Schema.String),
  changed: Changed,
  pinnedAt: Schema.NullOr(Instant),
  held: Schema.Boolean,
  decision: Schema.String,
  rules: Schema.Array(Schema.String),
  sources: Schema.Array(
    Schema.Struct({
      connection: Schema.String,
      remoteId: Schema.String,
      state: Schema.String,
      holds: Value,
      base: Value,
      agrees: Schema.Boolean,
      modifiedAt: Schema.NullOr(Instant),
      readAt: Instant,
      changed: Changed,
      why: Schema.String,
    }),
  ),
  history: Schema.Array(Change),
  conflicts: Schema.Array(Conflict),
}).annotate({ identifier: "FieldExplanation" });

const Explained = Schema.Struct({ id: Schema.String, entity: EntityShape, fields: Schema.Array(FieldExplained) });

const explanation = Effect.fn("api.explain")(function* (asking: Asking, entity: Entity, id: string, field?: string) {
  const found = yield* explain(asking.hub, id, field);
  if (found === null || found.sheet.canonical.entity !== entity) {
    return yield* Effect.fail(notFound(`There is no ${entity} with this id.`, "Find it with POST /api/v1/search."));
  }
  if (field !== undefined && !asking.hub.model[entity].has(field)) {
    return yield* Effect.fail(notFound(`The ${entity} has no such field.`, "GET /api/v1/fields lists them."));
  }
  const { canonical } = found.sheet;
  yield* noteRead(asking, { action: "explain", subject: `${canonical.id} ${field ?? "all fields"}` });
  return {
    body: { id: canonical.id, entity, fields: found.fields.map((one) => shownField(asking, entity, one)) },
    revision: canonical.revision,
  };
});

function shownField(asking: Asking, entity: Entity, one: FieldExplanation) {
  const { name, title } = one.field;
  const isMasked = asking.caller.masking.isMasked(entity, name);
  return {
    field: name,
    title,
    value: shownValue(asking, entity, name, one.value),
    source: one.source,
    changed: shownInterval(one.interval),
    pinnedAt: one.pinnedAt,
    held: one.held,
    decision: one.decision,
    rules: one.rules,
    sources: one.sources.map((source) => ({
      connection: source.connection,
      remoteId: source.remoteId,
      state: source.state,
      holds: shownValue(asking, entity, name, source.held),
      base: shownValue(asking, entity, name, source.base),
      agrees: source.agrees,
      modifiedAt: source.modifiedAt,
      readAt: source.readAt,
      changed: shownInterval(source.interval),
      // A vendor's words for a refusal may repeat the value.
      why: isMasked && source.why.startsWith("refused") ? "refused there" : source.why,
    })),
    history: one.history.map((change) => shownChange(asking, change)),
    conflicts: one.conflicts.map((row) => shownConflict(asking, row)),
  };
}

export const explainRoutes: ReadonlyArray<Route> = entities.flatMap((entity) => {
  const one = entity === "account" ? "Account" : "Contact";
  return [
    route({
      method: "GET",
      path: `/${entity}s/:id/explain`,
      operation: `explain${one}`,
      summary: { en: "Explain all fields that are known", zh: "解释所有已知字段的取值" },
      scope: "customers:read",
      params: Schema.Struct({ id: Name }),
      response: Explained,
      handle: (asked) => explanation(asked, entity, asked.params.id),
    }),
    route({
      method: "GET",
      path: `/${entity}s/:id/explain/:field`,
      operation: `explain${one}Field`,
      summary: { en: "Explain one field with its whole history", zh: "解释一个字段的取值及其全部历史" },
      scope: "customers:read",
      params: Schema.Struct({ id: Name, field: Name }),
      response: Explained,
      handle: (asked) => explanation(asked, entity, asked.params.id, asked.params.field),
    }),
  ];
});
