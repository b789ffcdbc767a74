/** The fields of the canonical model, with those that the YAML declares. */
import { Effect, Schema } from "effect";
import { entities } from "../../model/field.ts";
import { fieldTypes } from "../../model/value.ts";
import { type Route, route } from "../route.ts";
import { Entity } from "../shapes.ts";

const FieldShape = Schema.Struct({
  entity: Entity,
  name: Schema.String,
  type: Schema.Literals(fieldTypes),
  title: Schema.Struct({ en: Schema.String, zh: Schema.String }),
  description: Schema.String,
  sensitivity: Schema.Literals(["business", "personal"]),
  target: Schema.NullOr(Entity),
  options: Schema.NullOr(Schema.Array(Schema.String)),
}).annotate({ identifier: "Field" });

export const fieldRoutes: ReadonlyArray<Route> = [
  route({
    method: "GET",
    path: "/fields",
    operation: "listFields",
    summary: { en: "List the fields of accounts and contacts", zh: "列出客户与联系人的字段" },
    scope: "customers:read",
    response: Schema.Struct({ items: Schema.Array(FieldShape) }),
    handle: ({ hub: { model } }) =>
      Effect.succeed({
        body: {
          items: entities.flatMap((entity) =>
            [...model[entity].values()].map(({ target, options, ...field }) => ({
              entity,
              ...field,
              target: target ?? null,
              options: options ?? null,
            })),
          ),
        },
      }),
  }),
];
