/** Dead letters: what will not succeed alone, and trying it again. Their values are never shown. */
import { Schema } from "effect";
import { replay } from "../../hub/dead-letters.ts";
import { pageDeadLetters } from "../../store/log-pages.ts";
import { paged, pageFor } from "../cursor.ts";
import { type Route, route } from "../route.ts";
import { Instant, Name, pageOf, pageQuery } from "../shapes.ts";

const DeadLetter = Schema.Struct({
  id: Schema.String,
  connection: Schema.String,
  entity: Schema.String,
  canonicalId: Schema.String,
  remoteId: Schema.String,
  field: Schema.String,
  move: Schema.String,
  code: Schema.String,
  reason: Schema.String,
  remedy: Schema.String,
  state: Schema.String,
  attempts: Schema.Int,
  firstAt: Instant,
  lastAt: Instant,
}).annotate({ identifier: "DeadLetter" });

const idsMax = 1000;

export const deadLetterRoutes: ReadonlyArray<Route> = [
  route({
    method: "GET",
    path: "/dead-letters",
    operation: "listDeadLetters",
    summary: { en: "List what will not succeed alone, with its remedy", zh: "列出不会自行成功的内容及其补救办法" },
    scope: "connections:read",
    query: Schema.Struct({
      ...pageQuery,
      connection: Schema.optionalKey(Name),
      state: Schema.optionalKey(Schema.Literals(["open", "all"]).annotate({ description: "open unless said." })),
    }),
    response: pageOf(DeadLetter),
    handle: function* ({ hub, query }) {
      const { connection, state = "open" } = query;
      const { limit, after } = yield* pageFor("dead-letters", query);
      const filter = { all: state === "all", ...(connection === undefined ? {} : { connection }) };
      const rows = yield* pageDeadLetters(hub.store, filter, { after, limit: limit + 1 });
      return { body: paged("dead-letters", rows, limit, ({ id }) => id) };
    },
  }),
  route({
    method: "POST",
    path: "/dead-letters/replay",
    operation: "replayDeadLetters",
    summary: { en: "Try them again; all open ones without ids", zh: "重新尝试；不给编号则为全部未决的" },
    scope: "connections:operate",
    body: Schema.Struct({
      ids: Schema.optionalKey(Schema.Array(Name).check(Schema.isMaxLength(idsMax))),
      connection: Schema.optionalKey(Name),
    }),
    response: Schema.Struct({ replayed: Schema.Int }),
    handle: function* ({ hub, caller, body }) {
      return { body: { replayed: yield* replay(hub, caller.actor, body) } };
    },
  }),
];
