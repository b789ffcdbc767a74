/** Reloading the YAML while the hub runs: what it would change, and doing it. */
import { Effect, Schema } from "effect";
import type { Reloaded } from "../../hub/service.ts";
import { Problem } from "../problem.ts";
import { type Failure, type Route, route } from "../route.ts";

const names = Schema.Array(Schema.String);

const ReloadPlan = Schema.Struct({
  added: names,
  gone: names,
  changed: Schema.Array(Schema.Struct({ connection: Schema.String, what: names })),
  hub: names,
  needsRestart: names,
}).annotate({ identifier: "ReloadPlan" });

const orProblems = <E extends Failure>(reloaded: Effect.Effect<Reloaded, E>) =>
  Effect.flatMap(reloaded, (answer) =>
    answer.kind === "done"
      ? Effect.succeed({ body: answer.plan })
      : Effect.fail(
          new Problem(
            "refused",
            `The YAML has ${answer.problems.length} errors; the hub goes on with the one it has.`,
            "Mend them; `syncline check` shows them with line and column.",
            { members: { problems: answer.problems } },
          ),
        ),
  );

export const configRoutes: ReadonlyArray<Route> = [
  route({
    method: "GET",
    path: "/config/reload",
    operation: "previewReload",
    summary: { en: "Show what a reload of the YAML would change", zh: "预览重新加载 YAML 会改变什么" },
    scope: "config:reload",
    response: ReloadPlan,
    handle: ({ app }) => orProblems(app.service.previewReload()),
  }),
  route({
    method: "POST",
    path: "/config/reload",
    operation: "reload",
    summary: { en: "Reload the YAML without a restart", zh: "不重启而重新加载 YAML" },
    scope: "config:reload",
    response: ReloadPlan,
    handle: ({ app, caller }) => orProblems(app.service.reload(caller.actor)),
  }),
];
