/** The plan of a sync in answers. */
import { Schema } from "effect";
import type { Plan, PlannedWrite } from "../hub/plan.ts";
import type { Asking } from "./route.ts";
import { Entity, Value } from "./shapes.ts";
import { shownValue } from "./shown.ts";

const count = Schema.Int;
const textOrNull = Schema.NullOr(Schema.String);

const Write = Schema.Struct({
  connection: Schema.String,
  kind: Schema.Literals(["create", "update", "delete"]),
  entity: Entity,
  customer: Schema.String,
  remoteId: textOrNull,
  name: Value,
  fields: Schema.Array(Schema.Struct({ field: Schema.String, from: Value, to: Value })),
  leftOut: Schema.Array(Schema.Struct({ field: Schema.String, reason: Schema.String })),
}).annotate({ identifier: "PlannedWrite" });

export const PlanShape = Schema.Struct({
  connections: Schema.Array(
    Schema.Struct({
      name: Schema.String,
      outcome: Schema.String,
      reason: textOrNull,
      pulled: count,
      canonicals: count,
      links: count,
      conflicts: Schema.Struct({ settled: count, open: count }),
      creates: count,
      updates: count,
      deletes: count,
      calls: count,
    }),
  ),
  found: Schema.Struct({ filled: count, settled: count, opened: count, deadLetters: count }),
  writes: Schema.Array(Write),
  unlisted: count,
}).annotate({ identifier: "Plan" });

export function shownPlan(asking: Asking, plan: Plan) {
  return {
    connections: plan.connections.map(({ outcome, ...one }) => ({
      ...one,
      outcome: outcome.kind,
      reason: outcome.kind === "ok" ? null : outcome.reason,
    })),
    found: plan.found,
    writes: plan.writes.map((write) => shownWrite(asking, write)),
    unlisted: plan.unlisted,
  };
}

function shownWrite(asking: Asking, write: PlannedWrite) {
  const { connection, kind, entity, canonicalId, remoteId, name, nameField, fields, leftOut } = write;
  return {
    connection,
    kind,
    entity,
    customer: canonicalId,
    remoteId,
    name: shownValue(asking, entity, nameField, name),
    fields: fields.map(({ field, from, to }) => ({
      field,
      from: shownValue(asking, entity, field, from),
      to: shownValue(asking, entity, field, to),
    })),
    leftOut,
  };
}
