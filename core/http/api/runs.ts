/** Runs: what each sync read, applied and wrote. */
import { Effect, Schema } from "effect";
import { countRun } from "../../store/browse.ts";
import { pageRuns, readRun } from "../../store/log-pages.ts";
import { paged, pageFor } from "../cursor.ts";
import { notFound } from "../problem.ts";
import { type Route, route } from "../route.ts";
import { ById, Instant, Name, pageOf, pageQuery } from "../shapes.ts";

const Run = Schema.Struct({
  run: Schema.String,
  connection: Schema.String,
  startedAt: Instant,
  endedAt: Schema.NullOr(Instant),
  outcome: Schema.String.annotate({ description: "running, ok, paused, held or failed." }),
  counts: Schema.Record(Schema.String, Schema.Int),
}).annotate({ identifier: "Run" });

const count = Schema.Int;

export const runRoutes: ReadonlyArray<Route> = [
  route({
    method: "GET",
    path: "/runs",
    operation: "listRuns",
    summary: { en: "List the runs of connections, newest first", zh: "列出各连接的运行记录，最新在前" },
    scope: "connections:read",
    query: Schema.Struct({ ...pageQuery, connection: Schema.optionalKey(Name) }),
    response: pageOf(Run),
    handle: function* ({ hub, query }) {
      const { connection } = query;
      const { limit, after } = yield* pageFor("runs", query);
      const filter = connection === undefined ? {} : { connection };
      const rows = yield* pageRuns(hub.store, filter, { after, limit: limit + 1 });
      return { body: paged("runs", rows, limit, ({ id }) => id) };
    },
  }),
  route({
    method: "GET",
    path: "/runs/:id",
    operation: "getRun",
    summary: { en: "Show one run with all its connections and what it found", zh: "查看一次运行的全部连接与结果" },
    scope: "connections:read",
    params: ById,
    response: Schema.Struct({
      run: Schema.String,
      connections: Schema.Array(Run),
      found: Schema.Struct({ filled: count, settled: count, opened: count, deadLetters: count }),
    }),
    handle: function* ({ hub, params }) {
      const connections = yield* readRun(hub.store, params.id);
      if (connections.length === 0) {
        return yield* Effect.fail(notFound("There is no such run.", "GET /api/v1/runs lists them."));
      }
      return { body: { run: params.id, connections, found: yield* countRun(hub, params.id) } };
    },
  }),
];
