/** All that the hub serves on its port: webhooks, health, metrics, and the API with its pages. */
import type { Http2Bindings, HttpBindings } from "@hono/node-server";
import type { RunningService } from "../hub/start-service.ts";
import type { Watch } from "../watch/watch.ts";
import { createApp } from "./app.ts";
import { createHealth } from "./health.ts";
import { createHooks } from "./hooks.ts";
import { createMetricsFace } from "./metrics.ts";
import type { AppOptions } from "./options.ts";

export interface FacesOptions extends Omit<AppOptions, "service" | "hooks" | "onAnswered" | "onRefused"> {
  readonly service: RunningService;
  /** Without one, nothing is measured and there is no `/metrics`. */
  readonly watch?: Pick<Watch, "metrics" | "noteAnswer" | "noteRefused">;
}

type Answering = (request: Request, env?: HttpBindings | Http2Bindings) => Response | Promise<Response>;

/** Webhooks go past what the API needs around each call: they come by the thousand. */
export function createFaces(given: FacesOptions): Answering {
  const { service, clock, watch } = given;
  const options =
    watch === undefined ? given : { ...given, onAnswered: watch.noteAnswer, onRefused: watch.noteRefused };
  const hooks = createHooks({ service, now: clock.now });
  const app = createApp({
    ...options,
    hooks: (api) => {
      api.route("/", createHealth(service));
      if (watch !== undefined) api.route("/", createMetricsFace(options, watch.metrics));
    },
  });
  return (request, env) => {
    const from = request.url.indexOf("/", "https://".length);
    if (!request.url.startsWith("/hooks/", from)) return app.fetch(request, env);
    return watch === undefined ? hooks.fetch(request, env) : timed(request.method, hooks.fetch(request, env), watch);
  };
}

async function timed(
  method: string,
  answering: Response | Promise<Response>,
  watch: Pick<Watch, "noteAnswer">,
): Promise<Response> {
  const began = performance.now();
  const answer = await answering;
  const seconds = (performance.now() - began) / 1000;
  watch.noteAnswer({ method, route: "/hooks/:connection", status: answer.status, seconds });
  return answer;
}
