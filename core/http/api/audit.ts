/** The audit log: who did what, and whether its chain is whole. */
import { Effect, Schema } from "effect";
import { verifyAudit } from "../../store/audit.ts";
import { pageAudit } from "../../store/log-pages.ts";
import { paged, pageFor } from "../cursor.ts";
import { invalid, type Route, route } from "../route.ts";
import { Instant, Name, pageOf, pageQuery } from "../shapes.ts";

const Entry = Schema.Struct({
  id: Schema.Int,
  at: Instant,
  actor: Schema.String,
  action: Schema.String,
  subject: Schema.String,
  detail: Schema.Unknown,
  sequence: Schema.NullOr(Schema.Int).annotate({ description: "Its place in the chain; null until it is linked." }),
  hash: Schema.NullOr(Schema.String),
}).annotate({ identifier: "AuditEntry" });

export const auditRoutes: ReadonlyArray<Route> = [
  route({
    method: "GET",
    path: "/audit",
    operation: "listAudit",
    summary: { en: "List the audit log, newest first", zh: "列出审计日志，最新在前" },
    scope: "audit:read",
    query: Schema.Struct({
      ...pageQuery,
      actor: Schema.optionalKey(Name),
      action: Schema.optionalKey(Name),
      subject: Schema.optionalKey(Name),
    }),
    response: pageOf(Entry),
    handle: function* ({ hub, query }) {
      const { limit: _limit, cursor: _cursor, ...filter } = query;
      const { limit, after } = yield* pageFor("audit", query);
      if (after !== undefined && !/^\d+$/.test(after)) {
        return yield* Effect.fail(invalid([{ path: "query.cursor", what: "must be `next` of a page of this list" }]));
      }
      const rows = yield* pageAudit(hub.store, filter, { after, limit: limit + 1 });
      return { body: paged("audit", rows, limit, ({ id }) => String(id)) };
    },
  }),
  route({
    method: "GET",
    path: "/audit/verify",
    operation: "verifyAudit",
    summary: { en: "Check that no entry was changed, removed or added", zh: "校验没有条目被修改、删除或添加" },
    scope: "audit:read",
    response: Schema.Struct({
      entries: Schema.Int,
      unlinked: Schema.Int,
      head: Schema.String,
      broken: Schema.NullOr(
        Schema.Struct({ sequence: Schema.Int, at: Instant, action: Schema.String, why: Schema.String }),
      ),
    }),
    handle: ({ hub }) => Effect.map(verifyAudit(hub.store.database), (body) => ({ body })),
  }),
];
