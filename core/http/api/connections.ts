/** What the connections do, and asking them to do something; the plan of a sync. */
import { Effect, Schema } from "effect";
import type { Asked as AskedFor } from "../../hub/service.ts";
import { noteRead } from "../note.ts";
import { PlanShape, shownPlan } from "../plan-shape.ts";
import { Problem } from "../problem.ts";
import { type Failure, invalid, type Route, route } from "../route.ts";
import { Instant, Name } from "../shapes.ts";

const textOrNull = Schema.NullOr(Schema.String);
const instantOrNull = Schema.NullOr(Instant);

const Connection = Schema.Struct({
  name: Schema.String,
  system: Schema.String,
  state: Schema.Literals(["running", "stopped", "waiting", "held", "failing", "sleeping"]),
  reason: textOrNull,
  until: instantOrNull,
  busyWith: Schema.Array(Schema.Literals(["pull", "sweep", "inbox", "push"])),
  nextPullAt: instantOrNull,
  nextSweepAt: instantOrNull,
  channel: Schema.NullOr(
    Schema.Struct({
      state: Schema.Literals(["asked", "live", "failing"]),
      reason: textOrNull,
      expiresAt: instantOrNull,
    }),
  ),
  /** The process that keeps it going, where that is not the one that answers. */
  elsewhere: Schema.NullOr(Schema.Struct({ pid: Schema.Int, host: Schema.String })),
}).annotate({ identifier: "Connection" });

const ByName = Schema.Struct({ name: Name });
const Taken = Schema.Struct({ taken: Schema.Literal(true) });

/** The hub took it; what comes of it is a run, or the state of the connection. */
const orRefused = <E extends Failure>(asked: Effect.Effect<AskedFor, E>) =>
  Effect.flatMap(asked, (answer) =>
    answer.kind === "taken"
      ? Effect.succeed({ status: 202 as const, body: { taken: true as const } })
      : Effect.fail(new Problem("refused", answer.reason, answer.remedy)),
  );

const operate = {
  method: "POST",
  scope: "connections:operate",
  params: ByName,
  response: Taken,
} as const;

export const connectionRoutes: ReadonlyArray<Route> = [
  route({
    method: "GET",
    path: "/connections",
    operation: "listConnections",
    summary: { en: "List the connections and what they do now", zh: "列出连接及其当前状态" },
    scope: "connections:read",
    response: Schema.Struct({ items: Schema.Array(Connection) }),
    handle: ({ app }) => Effect.map(app.service.connections(), (items) => ({ body: { items } })),
  }),
  route({
    ...operate,
    path: "/connections/:name/pause",
    operation: "pauseConnection",
    summary: { en: "Stop pulling from and pushing to a connection", zh: "暂停一个连接的读取与写入" },
    handle: ({ app, caller, params }) => orRefused(app.service.pause(params.name, caller.actor)),
  }),
  route({
    ...operate,
    path: "/connections/:name/resume",
    operation: "resumeConnection",
    summary: { en: "Let a stopped connection go on", zh: "恢复一个已暂停的连接" },
    handle: ({ app, caller, params }) => orRefused(app.service.resume(params.name, caller.actor)),
  }),
  route({
    ...operate,
    path: "/connections/:name/sync",
    operation: "syncConnection",
    summary: { en: "Pull and push soon; full reads everything again", zh: "尽快同步；full 表示全部重读" },
    body: Schema.Struct({ full: Schema.optionalKey(Schema.Boolean) }),
    handle: ({ app, caller, params, body }) =>
      orRefused(app.service.syncNow(params.name, body.full === true, caller.actor)),
  }),
  route({
    method: "POST",
    path: "/plan",
    operation: "plan",
    summary: { en: "Show what a sync would write; nothing is written", zh: "预演一次同步会写入什么，不做任何写入" },
    scope: "connections:operate",
    body: Schema.Struct({
      connections: Schema.optionalKey(Schema.Array(Name)),
      full: Schema.optionalKey(Schema.Boolean),
      writes: Schema.optionalKey(
        Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1000 })).annotate({
          description: "Writes to list, 0 to 1000; 100 unless said. All are counted.",
        }),
      ),
    }),
    response: PlanShape,
    handle: function* (asked) {
      const { connections, full = false, writes = 100 } = asked.body;
      const known = asked.hub.config.connections.map(({ name }) => name);
      const unknown = connections?.find((name) => !known.includes(name));
      if (unknown !== undefined) {
        return yield* Effect.fail(invalid([{ path: "body.connections", what: "must be names of connections" }]));
      }
      const plan = yield* asked.app.service.plan({
        full,
        // Who looks after connections need not see customers: their writes are counted, not listed.
        writesMax: asked.caller.scopes.includes("customers:read") ? writes : 0,
        actor: asked.caller.actor,
        ...(connections === undefined ? {} : { names: connections }),
      });
      yield* noteRead(asked, { action: "show plan", subject: `${plan.writes.length} writes` });
      return { body: shownPlan(asked, plan) };
    },
  }),
];
