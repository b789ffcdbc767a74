/** API keys over the API: nobody gives away more than they have. */
import { Effect, Schema } from "effect";
import { createKey, revokeKey } from "../../hub/keys.ts";
import { providersIn } from "../../hub/provider.ts";
import { roleScopes, scopesOf } from "../../security/roles.ts";
import { listKeys } from "../../store/api-keys.ts";
import { paged, pageFor } from "../cursor.ts";
import { Done, done } from "../outcome.ts";
import { notFound, Problem } from "../problem.ts";
import { invalid, type Route, route } from "../route.ts";
import { ById, Instant, Name, pageOf, pageQuery, Role, Scope } from "../shapes.ts";

const instantOrNull = Schema.NullOr(Instant);

const key = {
  id: Schema.String,
  name: Schema.String,
  role: Role,
  scopes: Schema.Array(Scope).annotate({ description: "Scopes beside those of the role." }),
  connection: Schema.NullOr(Schema.String).annotate({ description: "What a provisioner pushes into." }),
  createdAt: Instant,
  createdBy: Schema.String,
  expiresAt: instantOrNull,
  revokedAt: instantOrNull,
  revokedBy: Schema.NullOr(Schema.String),
  lastUsedAt: instantOrNull.annotate({ description: "To the minute." }),
};

const Key = Schema.Struct(key).annotate({ identifier: "Key" });

export const keyRoutes: ReadonlyArray<Route> = [
  route({
    method: "GET",
    path: "/keys",
    operation: "listKeys",
    summary: { en: "List the API keys, oldest first", zh: "列出 API 密钥，最早在前" },
    scope: "keys:manage",
    query: Schema.Struct(pageQuery),
    response: pageOf(Key),
    handle: function* ({ hub, query }) {
      const { limit, after } = yield* pageFor("keys", query);
      const rows = yield* listKeys(hub.store, { limit: limit + 1, ...(after === undefined ? {} : { after }) });
      return { body: paged("keys", rows, limit, ({ id }) => id) };
    },
  }),
  route({
    method: "POST",
    path: "/keys",
    operation: "createKey",
    summary: { en: "Make a key; it is shown this once", zh: "创建密钥，只显示这一次" },
    scope: "keys:manage",
    body: Schema.Struct({
      name: Name,
      role: Role,
      scopes: Schema.optionalKey(Schema.Array(Scope)),
      connection: Schema.optionalKey(Name.annotate({ description: "What a provisioner pushes into." })),
      expiresAt: instantOrNull.annotate({ description: "null for a key that lasts until it is revoked." }),
    }),
    response: Schema.Struct({ ...key, key: Schema.String }),
    secret: true,
    handle: function* ({ hub, caller, body }) {
      const { role, expiresAt, connection } = body;
      const fits = providersIn(hub.config).some(({ name }) => name === connection);
      if (role === "provisioner" ? !fits : connection !== undefined) {
        const what = role === "provisioner" ? "must name a connection with use: scim-provider" : "is for provisioners";
        return yield* Effect.fail(invalid([{ path: "body.connection", what }]));
      }
      if (expiresAt !== null && expiresAt <= hub.clock.now()) {
        return yield* Effect.fail(invalid([{ path: "body.expiresAt", what: "must be in the future" }]));
      }
      const scopes = (body.scopes ?? []).filter((scope) => !roleScopes[role].includes(scope));
      const beyond = scopesOf(role, scopes).filter((scope) => !caller.scopes.includes(scope));
      if (beyond.length > 0) {
        return yield* Effect.fail(
          new Problem(
            "forbidden",
            `The new key would have scopes that yours has not: ${beyond.join(", ")}.`,
            "Choose a smaller role, or ask somebody whose key has them.",
          ),
        );
      }
      const made = yield* createKey(hub, caller.actor, {
        name: body.name,
        role,
        scopes,
        expiresAt,
        ...(connection === undefined ? {} : { connection }),
      });
      return { status: 201, body: { ...made.key, key: made.text } };
    },
  }),
  route({
    method: "DELETE",
    path: "/keys/:id",
    operation: "revokeKey",
    summary: { en: "Revoke a key: the next call with it is refused", zh: "吊销密钥：之后的调用立即被拒绝" },
    scope: "keys:manage",
    params: ById,
    response: Done,
    handle: function* ({ hub, caller, params }) {
      if (yield* revokeKey(hub, caller.actor, params.id)) return done();
      return yield* Effect.fail(
        notFound("There is no such key that is not revoked yet.", "GET /api/v1/keys lists them."),
      );
    },
  }),
];
