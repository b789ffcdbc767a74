/** Puts a declared route on Hono: lets the caller in, runs it, and makes the answer; every failure becomes a problem. */
import { createHash } from "node:crypto";
import { Cause, Effect, Exit } from "effect";
import type { Context, Hono } from "hono";
import type { KeptAnswer } from "../store/idempotency.ts";
import { addressOf } from "./address.ts";
import type { Gate } from "./caller.ts";
import { once } from "./idempotency.ts";
import { jsonBody } from "./json-body.ts";
import type { AppOptions } from "./options.ts";
import { problemAnswer, problemOf, problemResponse } from "./problem.ts";
import { requestIdOf } from "./request-id.ts";
import type { Answered, Asking, Raw, Route } from "./route.ts";

/** Where the API begins. */
export const base = "/api/v1";

export function register(app: Hono, routes: ReadonlyArray<Route>, options: AppOptions, gate: Gate): void {
  for (const route of routes) {
    app.on(route.method, `${base}${route.path}`, (context) => answer(context, route, options, gate));
  }
}

async function answer(context: Context, route: Route, options: AppOptions, gate: Gate): Promise<Response> {
  const requestId = requestIdOf(context);
  const began = options.clock.now();
  // A write is carried out to its end even if the caller has gone; a read ends with it.
  const ends = route.method === "GET" ? { signal: context.req.raw.signal } : {};
  const exit = await Effect.runPromiseExit(options.service.hub().traced(answered(context, route, options, gate)), ends);
  const facts = { method: route.method, route: route.path, request: requestId };
  if (Exit.isSuccess(exit)) {
    const { response, actor } = exit.value;
    options.log.info("request", { ...facts, status: response.status, ms: options.clock.now() - began, actor });
    return response;
  }
  const error = Cause.squash(exit.cause);
  const problem = problemOf(error);
  const response = problemResponse(problem, requestId);
  options.log.info("request", { ...facts, status: response.status, ms: options.clock.now() - began });
  // The words of an error that was not foreseen may hold values; its name and place may not.
  if (response.status >= 500) options.log.warn("request failed", { ...facts, error: placeOf(error) });
  return response;
}

const answered = Effect.fn("http.answer")(function* (context: Context, route: Route, options: AppOptions, gate: Gate) {
  const hub = options.service.hub();
  const { req } = context;
  const caller = yield* gate.enter(hub, {
    authorization: req.header("Authorization"),
    address: options.addressOf?.(context) ?? addressOf(context),
    scope: route.scope,
  });
  const body = yield* jsonBody(req, route.body !== null);
  const raw: Raw = { params: req.param(), query: queryOf(req.queries()), body: body.value };
  const asking: Asking = { caller, hub, app: options, header: (name) => req.header(name) };
  const run = route.run(raw, asking);
  const key = route.method === "GET" ? undefined : req.header("Idempotency-Key");
  if (key === undefined) return { response: responseOf(yield* run, req.header("If-None-Match")), actor: caller.actor };
  const sent = {
    actor: caller.actor,
    key,
    method: route.method,
    url: new URL(req.url).pathname,
    body: body.text,
    isSecret: route.secret,
  };
  const kept = yield* once(hub, sent, Effect.map(run, keptAnswer), (problem) =>
    problemAnswer(problem, requestIdOf(context)),
  );
  return { response: new Response(kept.body, { status: kept.status, headers: kept.headers }), actor: caller.actor };
});

/** One value as a text, several of one name as a list. */
const queryOf = (queries: Readonly<Record<string, ReadonlyArray<string>>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(queries).map(([name, values]) => [name, values.length === 1 ? values[0] : values]));

function responseOf(given: Answered, ifNoneMatch: string | undefined): Response {
  if (given.kind === "stream") {
    return new Response(given.streamed.stream, { headers: { ...notShared, ...given.streamed.headers } });
  }
  const { status, headers, body } = keptAnswer(given);
  const tag = headers.ETag;
  if (tag !== undefined && matches(ifNoneMatch, tag)) {
    return new Response(null, { status: 304, headers: { ...notShared, ETag: tag } });
  }
  return new Response(body, { status, headers });
}

/** Answers depend on the key, and no cache between may keep them. */
const notShared = { "Cache-Control": "private, no-cache", Vary: "Authorization" };

function keptAnswer(given: Answered): KeptAnswer {
  if (given.kind === "stream") throw new Error("a stream is never kept");
  const { status, json, reply } = given;
  const print = createHash("sha256").update(json).digest("base64url").slice(0, 12);
  return {
    status,
    headers: {
      "Content-Type": "application/json",
      ...notShared,
      ...(reply.revision === undefined ? {} : { ETag: `"${reply.revision}.${print}"` }),
      ...reply.headers,
    },
    body: json,
  };
}

const matches = (ifNoneMatch: string | undefined, tag: string): boolean =>
  ifNoneMatch?.split(",").some((one) => one.trim() === "*" || one.trim().replace(/^W\//, "") === tag) === true;

/** An error's name, and where in the hub it was thrown. */
function placeOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  const frame = error.stack?.split("\n").find((line) => line.trim().startsWith("at ")) ?? "";
  return `${error.name} ${frame.trim()}`.slice(0, placeMax);
}

const placeMax = 300;
