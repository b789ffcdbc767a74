/**
 * `POST /hooks/:connection`: proves a webhook call, keeps it, and answers once it is on disk.
 *
 * Everything is refused as early as it can be, and without a word that would help a forger. What is refused leaves
 * nothing behind but a count.
 */
import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import { type Context, Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Lane } from "../hub/lane.ts";
import type { RunningService } from "../hub/start-service.ts";
import { Forged } from "../net/fault.ts";
import { nestsDeeper } from "../net/json-depth.ts";
import type { Accepted, HookAnswer, HookCall, Webhook } from "../net/webhook.ts";
import { Overloaded } from "../store/group-commit.ts";
import { type Body, bodyOfRequest, bodyOfSocket } from "./body.ts";

export interface HooksOptions {
  readonly service: Pick<RunningService, "lane" | "receiver" | "emit">;
  readonly now: () => number;
}

const bytesMax = 1024 * 1024;
const depthMax = 64;
/** Headers that a connector may want to see again when the call is read; the rest is not kept. */
const keptHeaders = /^(content-type|user-agent|webhook-[a-z-]+|x-[a-z0-9-]+)$/;
const jsonType = /^application\/([a-z0-9.+-]+\+)?json\s*(;|$)/i;

type NodeBindings = { readonly incoming?: IncomingMessage | Http2ServerRequest };

export function createHooks({ service, now }: HooksOptions): Hono<{ Bindings: NodeBindings }> {
  const hooks = new Hono<{ Bindings: NodeBindings }>();

  hooks.post("/hooks/:connection", async (context) => {
    const receivedAt = now();
    const name = context.req.param("connection");
    const lane = service.lane(name);
    const webhook = lane?.webhook ?? null;
    if (lane === undefined || webhook === null) return refuse(context, name, 404, "no such address");
    const told = headersOf(context);
    const early = objection(told);
    if (early !== null) return refuse(context, name, early.status, early.words);
    const body = await bodyOf(context);
    if (body === "too large") return refuse(context, name, 413, `the body is larger than ${bytesMax} bytes`);
    if (body === "cut") return refuse(context, name, 400, "the body ended early");
    if (!isUtf8(body)) return refuse(context, name, 400, "the body is not UTF-8");
    if (nestsDeeper(body, depthMax)) return refuse(context, name, 400, `the body nests deeper than ${depthMax}`);
    const call: HookCall = { headers: kept(told), query: context.req.query(), body, receivedAt };
    const accepted = accept(webhook, call, lane.secrets()) ?? (await acceptedLater(lane, webhook, call));
    if (accepted === "unknown") return refuse(context, name, 503, "the call could not be proven now; send it again");
    if (accepted === null) return refuse(context, name, 401, "the call is not proven");
    if (accepted.kind === "handshake") {
      service.emit({ kind: "hook", connection: name, verdict: "handshake", status: accepted.answer.status });
      return answered(context, accepted.answer);
    }
    // An old call, or one from the future, may be somebody else's copy.
    if (accepted.sentAt !== null && Math.abs(receivedAt - accepted.sentAt) > webhook.windowMs)
      return refuse(context, name, 401, "the call is not proven");
    try {
      const verdict = await service.receiver.take({ connection: name, key: accepted.key, call });
      service.emit({ kind: "hook", connection: name, verdict, status: 200 });
    } catch (error) {
      const retryAfter = error instanceof Overloaded ? "1" : "30";
      context.header("retry-after", retryAfter);
      return refuse(context, name, 503, "the call could not be kept; send it again");
    }
    return answered(context, accepted.answer ?? ok);
  });

  hooks.all("/hooks/:connection", (context) => {
    context.header("allow", "POST");
    return refuse(context, context.req.param("connection"), 405, "send a POST");
  });

  function refuse(
    context: Context,
    connection: string,
    status: 400 | 401 | 404 | 405 | 413 | 415 | 503,
    words: string,
  ) {
    service.emit({ kind: "hook", connection, verdict: "refused", status });
    // A body that is not read to its end would be taken for the next request.
    if (status === 413) context.header("connection", "close");
    return context.json({ error: words }, status);
  }

  return hooks;
}

function accept(webhook: Webhook, call: HookCall, secrets: ReadonlyArray<string>): Accepted | null {
  try {
    return webhook.accept(call, secrets);
  } catch (error) {
    if (error instanceof Forged) return null;
    throw error;
  }
}

/** Another process may just have told the system a new secret. Whoever forges calls makes us look no more than that. */
const lookMs = 1_000;
const lookedAt = new WeakMap<Lane, number>();

async function acceptedLater(lane: Lane, webhook: Webhook, call: HookCall): Promise<Accepted | "unknown" | null> {
  const now = performance.now();
  if (lane.keeping !== null || now - (lookedAt.get(lane) ?? Number.NEGATIVE_INFINITY) < lookMs) return null;
  lookedAt.set(lane, now);
  try {
    await lane.loadChannel();
  } catch {
    return "unknown";
  }
  return accept(webhook, call, lane.secrets());
}

type Objection = { readonly status: 400 | 415; readonly words: string } | null;

type Headers = Readonly<Record<string, string | ReadonlyArray<string> | undefined>>;

/** By lower-case name; the socket's own, which need no copy, where there is one. */
const headersOf = ({ env, req }: Context<{ Bindings: NodeBindings }>): Headers =>
  env?.incoming?.headers ?? req.header();

const oneOf = (headers: Headers, name: string): string | undefined => {
  const value = headers[name];
  return typeof value === "string" ? value : value?.[0];
};

/** What the headers alone tell. */
function objection(headers: Headers): Objection {
  const encoding = oneOf(headers, "content-encoding");
  if (encoding !== undefined && encoding.toLowerCase() !== "identity")
    return { status: 415, words: "send the body as it is, not compressed" };
  const type = oneOf(headers, "content-type") ?? "";
  if (!jsonType.test(type)) return { status: 415, words: "send application/json" };
  const charset = /charset\s*=\s*"?([a-z0-9_-]+)/i.exec(type)?.[1];
  if (charset !== undefined && !/^(utf-?8|us-ascii)$/i.test(charset)) return { status: 415, words: "send UTF-8" };
  return null;
}

function bodyOf(context: Context<{ Bindings: NodeBindings }>): Promise<Body> {
  const incoming = context.env?.incoming;
  return incoming === undefined ? bodyOfRequest(context.req.raw, bytesMax) : bodyOfSocket(incoming, bytesMax);
}

function kept(headers: Headers): Readonly<Record<string, string>> {
  const kept: Record<string, string> = {};
  for (const name in headers) {
    const value = oneOf(headers, name);
    if (value !== undefined && keptHeaders.test(name)) kept[name] = value;
  }
  return kept;
}

const ok: HookAnswer = { status: 200, body: '{"ok":true}' };

function answered(context: Context, { status, mediaType = "application/json", body = "" }: HookAnswer): Response {
  // A connector answers with a status that may carry a body.
  return context.body(body, status as ContentfulStatusCode, { "content-type": mediaType });
}
