/** Who am I: what a key is and may do. */
import { Effect, Schema } from "effect";
import { type Route, route } from "../route.ts";
import { Instant, Role, Scope } from "../shapes.ts";

const Me = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  role: Role,
  scopes: Schema.Array(Scope),
  expiresAt: Schema.NullOr(Instant),
}).annotate({ identifier: "Me" });

export const meRoutes: ReadonlyArray<Route> = [
  route({
    method: "GET",
    path: "/me",
    operation: "whoAmI",
    summary: { en: "Tell what the key is and may do", zh: "查询当前密钥的身份与权限" },
    scope: "self",
    response: Me,
    handle: ({ caller: { key, scopes } }) => {
      const { id, name, role, expiresAt } = key;
      return Effect.succeed({ body: { id, name, role, scopes, expiresAt } });
    },
  }),
];
