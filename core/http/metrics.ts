/**
 * `/metrics`: what the hub measures, in the text format of Prometheus. Programs on this machine need no key; from
 * elsewhere, or through a proxy, the request carries one with the scope `metrics`.
 */
import { Effect, Result } from "effect";
import { Hono } from "hono";
import { addressOf, isFromHere } from "./address.ts";
import { createGate } from "./caller.ts";
import type { AppOptions } from "./options.ts";
import { problemOf, problemResponse } from "./problem.ts";
import { requestIdOf } from "./request-id.ts";

type FaceOptions = Pick<AppOptions, "service" | "addressOf" | "rates" | "onRefused" | "clock">;

const mediaType = "text/plain; version=0.0.4; charset=utf-8";

export function createMetricsFace(options: FaceOptions, metrics: () => Promise<string>): Hono {
  const gate = createGate(options);
  const face = new Hono();
  face.get("/metrics", async (context) => {
    const address = options.addressOf?.(context) ?? addressOf(context);
    const authorization = context.req.header("Authorization");
    if (authorization !== undefined || !isFromHere(context, address)) {
      const entering = gate.enter(options.service.hub(), { authorization, address, scope: "metrics" });
      const entered = await Effect.runPromise(Effect.result(entering));
      if (Result.isFailure(entered)) return problemResponse(problemOf(entered.failure), requestIdOf(context));
    }
    return context.body(await metrics(), 200, { "Content-Type": mediaType, "Cache-Control": "no-store" });
  });
  return face;
}
