/**
 * The HTTP client that the core lends to connectors: limits, retries, bounds, and only the four faults.
 *
 * A call waits for its limits, is sent, and is judged: by the connector where a status says too little, else by the
 * status. What may be repeated is repeated after a wait that grows, is drawn by lot, and follows Retry-After.
 */
import type { Clock, Log } from "../connector.ts";
import { type Fault, RateLimited, Unavailable } from "./fault.ts";
import type { HttpRequest, HttpResponse, Limits } from "./http.ts";
import type { Lane } from "./lanes.ts";
import { type Before, type Counters, createGates, type Gates, waitMsMax } from "./limits.ts";
import { createTransport, type Outcome, placeOf } from "./transport.ts";

export interface HttpOptions {
  /** The connection's name, for the log. */
  readonly connection: string;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly log: Log;
  /** Hosts that the operator's YAML names (`host` or `host:port`); only they may be private or without TLS. */
  readonly allowedHosts?: ReadonlyArray<string>;
  readonly timeoutMs?: number;
  /** A person waits: nothing is tried again but what was refused for rate, and a silent host is given up soon. */
  readonly once?: boolean;
  /** Keeps daily counts between runs; in memory without it. */
  readonly counters?: Counters;
  /** Who used the limits before; nobody without. */
  readonly before?: Before | null | undefined;
  /** Why nothing may be sent now, asked at the last moment; null lets it go. */
  readonly objection?: (() => string | null) | undefined;
  /** A number in [0, 1) for the waits between tries. */
  readonly random?: () => number;
}

/** `lane`: how urgent the call is; `user` unless said. */
export type Http = (request: HttpRequest, lane?: Lane) => Promise<HttpResponse>;

export interface HttpClient {
  readonly http: Http;
  readonly quota: Gates["left"];
  readonly spent: Gates["spent"];
}

const timeoutMsDefault = 60_000;
/** Sendings of one call, the first one included. */
export const triesMax = 6;
const backoffMs = 2_000;
/** How long a call that is made once waits for its connection. */
const onceConnectMs = 5_000;
const onceTimeoutMs = 20_000;

/**
 * The `http` of `Tools`.
 *
 * Errors  RateLimited (a limit of ours or a 429 that outlasts the tries or asks for a long wait), Unavailable (no
 *         answer, 5xx, an address that may not be called), and what the request's own judge names.
 */
export function createHttp(options: HttpOptions): HttpClient {
  const { connection, limits, clock, log, allowedHosts = [], once = false } = options;
  const {
    counters,
    before = null,
    random = Math.random,
    timeoutMs = once ? onceTimeoutMs : timeoutMsDefault,
  } = options;
  const gates = createGates(limits, { clock, counters, before });
  const patience = once ? { connectTimeoutMs: onceConnectMs } : {};
  const send = createTransport({
    clock,
    allowedHosts,
    timeoutMs,
    ...patience,
    ...(options.objection === undefined ? {} : { objection: options.objection }),
  });
  const http: Http = async (request, lane = "user") => {
    const { signal, limits: names = [], cost = 1 } = request;
    for (let tries = 1; ; tries += 1) {
      const leave = await gates.enter({ names, cost, signal, lane });
      const outcome = await send(request).finally(leave);
      const verdict = verdictOf(outcome, request);
      if (verdict.kind === "good") return verdict.response;
      const next = nextOf(verdict, request, { tries, now: clock.now(), random, once });
      if (next.kind === "end") throw next.fault;
      const { message: why } = verdict.fault;
      log.warn("a call is repeated", { connection, why, tries, triesMax, waitMs: next.waitMs });
      await clock.sleep(next.waitMs, signal);
      if (signal?.aborted === true) throw verdict.fault;
    }
  };
  return { http, quota: gates.left, spent: gates.spent };
}

interface Bad {
  readonly kind: "bad";
  readonly fault: Fault;
  readonly lasting: boolean;
  /** When the remote asks to come again, by our clock. */
  readonly askedAt: number | null;
}

function verdictOf(outcome: Outcome, request: HttpRequest): { kind: "good"; response: HttpResponse } | Bad {
  if (outcome.kind === "failed") {
    return { kind: "bad", fault: outcome.fault, lasting: outcome.lasting, askedAt: null };
  }
  const { response } = outcome;
  const judged = request.judge?.(response);
  // A 429 is a refusal for rate whatever its body is, often a page of a gateway: nothing was carried out.
  const isMisread = response.status === 429 && !(judged instanceof RateLimited);
  const fault = isMisread ? faultOf(response, request.url) : (judged ?? faultOf(response, request.url));
  if (fault === undefined) return { kind: "good", response };
  const askedAt = (fault instanceof RateLimited ? fault.retryAt : null) ?? retryAtOf(response);
  return { kind: "bad", fault, lasting: false, askedAt };
}

/** What a status says where the connector has said nothing. */
function faultOf(response: HttpResponse, url: string): Fault | undefined {
  const { status } = response;
  if (status === 429) return new RateLimited(`${placeOf(url)} answered 429: too many calls.`, retryAtOf(response));
  if (status === 408 || status >= 500) {
    return new Unavailable(`${placeOf(url)} answered ${status}.`, { sent: true });
  }
  return undefined;
}

/** Retry-After in seconds or as a date; a date is of the remote's clock, and is brought to ours where that is known. */
export function retryAtOf({ headers, ended, remoteNow }: HttpResponse): number | null {
  const asked = headers["retry-after"]?.trim();
  if (asked === undefined || asked === "") return null;
  if (/^\d+(\.\d+)?$/.test(asked)) return ended + Number(asked) * 1000;
  const at = Date.parse(asked);
  return Number.isNaN(at) ? null : ended + Math.max(0, at - (remoteNow ?? ended));
}

type Next = { readonly kind: "again"; readonly waitMs: number } | { readonly kind: "end"; readonly fault: Fault };

function nextOf(
  { fault, lasting, askedAt }: Bad,
  request: HttpRequest,
  {
    tries,
    now,
    random,
    once,
  }: { readonly tries: number; readonly now: number; readonly random: () => number; readonly once: boolean },
): Next {
  const end = (last: Fault): Next => ({ kind: "end", fault: last });
  if (lasting || request.signal?.aborted === true) return end(fault);
  const isRepeatable =
    fault instanceof RateLimited || (fault instanceof Unavailable && (request.retry === "safe" || !fault.sent));
  if (!isRepeatable || (once && fault instanceof Unavailable)) return end(fault);
  const waitMs = askedAt === null ? backoff(tries, random) : Math.max(0, askedAt - now);
  // The run pauses; a sleep of minutes would hold places that other calls need.
  if (waitMs > waitMsMax) return end(new RateLimited(fault.message, now + waitMs));
  if (tries >= triesMax) return end(fault);
  return { kind: "again", waitMs };
}

/** Full jitter: callers that failed together do not come again together. */
const backoff = (tries: number, random: () => number): number =>
  Math.ceil(random() * Math.min(waitMsMax, backoffMs * 2 ** (tries - 1)));
