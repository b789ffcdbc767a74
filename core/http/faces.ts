/** All that the hub serves on its port: webhooks, health, metrics, and the API with its pages. */
import type { Http2Bindings, HttpBindings } from "@hono/node-server";
import type { RunningService } from "../hub/start-service.ts";
import type { Answer } from "../watch/counters.ts";
import type { Watch } from "../watch/watch.ts";
import { createApp } from "./app.ts";
import { createHealth } from "./health.ts";
import { createHooks } from "./hooks.ts";
import { createMetricsFace } from "./metrics.ts";
import type { AppOptions } from "./options.ts";
import { createScimFace, scimBase } from "./scim/app.ts";

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
  const scim = createScimFace({ ...options, service });
  const app = createApp({
    ...options,
    hooks: (api) => {
      api.route("/", createHealth(service));
      if (watch !== undefined) api.route("/", createMetricsFace(options, watch.metrics));
    },
  });
  return (request, env) => {
    const from = request.url.indexOf("/", "https://".length);
    const isHook = request.url.startsWith("/hooks/", from);
    if (!isHook && !request.url.startsWith(`${scimBase}/`, from)) return app.fetch(request, env);
    const answering = isHook ? hooks.fetch(request, env) : scim.fetch(request, env);
    if (watch === undefined) return answering;
    const route = isHook ? "/hooks/:connection" : `${scimBase}/:connection`;
    return timed({ method: request.method, route }, answering, watch);
  };
}

async function timed(
  call: Pick<Answer, "method" | "route">,
  answering: Response | Promise<Response>,
  watch: Pick<Watch, "noteAnswer">,
): Promise<Response> {
  const began = performance.now();
  const answer = await answering;
  const seconds = (performance.now() - began) / 1000;
  watch.noteAnswer({ ...call, status: answer.status, seconds });
  return answer;
}
