/** All that the hub serves on its port: webhooks, health, and the API with its pages. */
import type { Http2Bindings, HttpBindings } from "@hono/node-server";
import type { RunningService } from "../hub/start-service.ts";
import { createApp } from "./app.ts";
import { createHealth } from "./health.ts";
import { createHooks } from "./hooks.ts";
import type { AppOptions } from "./options.ts";

export interface FacesOptions extends Omit<AppOptions, "service" | "hooks"> {
  readonly service: RunningService;
}

/** Webhooks go past what the API needs around each call: they come by the thousand. */
export function createFaces(
  options: FacesOptions,
): (request: Request, env?: HttpBindings | Http2Bindings) => Response | Promise<Response> {
  const { service, clock } = options;
  const hooks = createHooks({ service, now: clock.now });
  const app = createApp({ ...options, hooks: (api) => api.route("/", createHealth(service)) });
  return (request, env) => {
    const from = request.url.indexOf("/", "https://".length);
    return request.url.startsWith("/hooks/", from) ? hooks.fetch(request, env) : app.fetch(request, env);
  };
}
