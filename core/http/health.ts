/** `/healthz`: the process answers. `/readyz`: the store answers and the hub works. Both tell nothing else. */
import { Hono } from "hono";
import type { Service } from "../hub/service.ts";

export function createHealth(service: Pick<Service, "readiness">): Hono {
  const health = new Hono();
  health.get("/healthz", (context) => context.json({ status: "ok" }));
  health.get("/readyz", (context) => {
    const { ready, reason } = service.readiness();
    return ready ? context.json({ status: "ready" }) : context.json({ status: "not ready", reason }, 503);
  });
  return health;
}
