/** One HTTP exchange over the wire: sends it once, reads the answer within its bounds, and says what went wrong. */
import { Agent, type Dispatcher, install } from "undici";
import type { Clock } from "../connector.ts";
import { createGuard, type Guard, PrivateAddress } from "./addresses.ts";
import { Unavailable } from "./fault.ts";
import type { HttpRequest, HttpResponse } from "./http.ts";

export type Outcome =
  | { readonly kind: "answered"; readonly response: HttpResponse }
  /** `lasting`: the same call would fail in the same way, so it is not repeated. */
  | { readonly kind: "failed"; readonly fault: Unavailable; readonly lasting: boolean };

export interface TransportOptions {
  readonly clock: Clock;
  readonly allowedHosts: ReadonlyArray<string>;
  /** For one exchange, unless its request says otherwise. Real time: it guards a socket. */
  readonly timeoutMs: number;
  /** For the connection itself; undici's own ten seconds unless said. */
  readonly connectTimeoutMs?: number;
  /** Why nothing may be sent now; asked before a call, and again when its first byte would be written. */
  readonly objection?: () => string | null;
  /** How a host is allowed that is private; the connection's YAML unless said. */
  readonly nameIt?: string;
}

export type Transport = (request: HttpRequest) => Promise<Outcome>;

const bodyBytesMaxDefault = 50_000_000;
const redirectsMax = 5;

/**
 * Puts undici's `fetch` in the place of Node's older one, which cannot use this undici's agents. The global one is
 * called, because that is what msw replaces in tests; so this happens when the module is loaded, before any test does.
 */
install();

/** What is known of a call while it is under way. */
interface Progress {
  /** The agent was given the call; a mock answers without it. */
  dispatched: boolean;
  /** A connection was there, and the writing of the request began. */
  written: boolean;
}

export function createTransport(options: TransportOptions): Transport {
  const { clock, allowedHosts, timeoutMs, connectTimeoutMs, objection = () => null } = options;
  const guard = createGuard(allowedHosts, options.nameIt);
  // HTTP/2 would share one connection between calls; a reset of it then says nothing about a single one.
  const agent = new Agent({
    allowH2: false,
    connect: {
      lookup: guard.lookup,
      ...(connectTimeoutMs === undefined ? {} : { timeout: connectTimeoutMs }),
    },
  });
  return async (request) => {
    const limitMs = request.timeoutMs ?? timeoutMs;
    const timeout = AbortSignal.timeout(limitMs);
    const signal = request.signal === undefined ? timeout : AbortSignal.any([timeout, request.signal]);
    const progress: Progress = { dispatched: false, written: false };
    const place = placeOf(request.url);
    try {
      if (request.signal?.aborted === true)
        throw new Refused("was not called: the call was stopped.", { beforeSending: true });
      mustBeFree(objection);
      const began = clock.now();
      const answer = await follow({ request, guard, dispatcher: watched(agent, progress, objection), signal });
      const bytes = await bytesOf(answer, request.bodyBytesMax ?? bodyBytesMaxDefault);
      return { kind: "answered", response: responseOf(answer, bytes, request, { began, ended: clock.now() }) };
    } catch (error) {
      const sent = progress.written || (!progress.dispatched && !isBeforeSending(error));
      const fail = (words: string, lasting: boolean): Outcome => ({
        kind: "failed",
        lasting,
        fault: new Unavailable(`${place} ${words}`, { sent, cause: causeOf(error) }),
      });
      const refused = refusedIn(error);
      if (refused !== undefined) return fail(refused.message, true);
      if (request.signal?.aborted === true) return fail("was not waited for: the call was stopped.", true);
      if (timeout.aborted) return fail(`did not answer within ${limitMs} ms.`, false);
      const { words, lasting } = explain(codeOf(error), causeOf(error));
      return fail(words, lasting);
    }
  };
}

/** Host and path: all that a message may tell of an address. Queries, user names and fragments can hold secrets. */
export function placeOf(url: string): string {
  const parsed = URL.parse(url);
  return parsed === null ? "An address that is no URL" : `${parsed.host}${parsed.pathname}`;
}

/** Notes when the request begins to be written: what fails before, or is held back then, was surely not carried out. */
function watched(agent: Agent, progress: Progress, objection: () => string | null): Dispatcher {
  return agent.compose((dispatch) => (options, handler) => {
    progress.dispatched = true;
    const watching: Dispatcher.DispatchHandler = Object.create(handler);
    watching.onRequestStart = (controller, context) => {
      mustBeFree(objection);
      progress.written = true;
      handler.onRequestStart?.call(watching, controller, context);
    };
    return dispatch(options, watching);
  });
}

/** The exchange is refused on our side, or its answer is; the words go behind host and path. */
class Refused extends Error {
  readonly beforeSending: boolean;
  constructor(words: string, options: { readonly beforeSending: boolean }) {
    super(words);
    this.beforeSending = options.beforeSending;
  }
}

function mustBeFree(objection: () => string | null): void {
  const words = objection();
  if (words !== null) throw new Refused(`was not called: ${words}.`, { beforeSending: true });
}

/** `fetch` wraps what its agent throws. */
const refusedIn = (error: unknown): Refused | undefined =>
  [error, causeOf(error)].find((one): one is Refused => one instanceof Refused);

const isBeforeSending = (error: unknown): boolean =>
  refusedIn(error)?.beforeSending === true || isBadPort(causeOf(error));

/** `fetch` calls no ports that belong to other protocols. */
const isBadPort = (cause: Error | undefined): boolean => cause?.message === "bad port";

interface Exchange {
  readonly request: HttpRequest;
  readonly guard: Guard;
  readonly dispatcher: Dispatcher;
  readonly signal: AbortSignal;
}

/** Follows redirects of a read inside one origin only: credentials never go to another host. */
async function follow({ request, guard, dispatcher, signal }: Exchange): Promise<Response> {
  let url = URL.parse(request.url);
  if (url === null) throw new Refused("was not called.", { beforeSending: true });
  const { headers, body } = contentOf(request);
  for (let redirects = 0; redirects <= redirectsMax; redirects += 1) {
    const objection = guard.objection(url);
    if (objection !== undefined) throw new Refused(`was not called: ${objection}.`, { beforeSending: redirects === 0 });
    const init = {
      method: request.method,
      headers,
      ...(body === undefined ? {} : { body }),
      redirect: "manual" as const,
      signal,
      dispatcher,
    };
    // Node's types know the agents of its own, older undici only.
    const answer = await globalThis.fetch(url.href, init as unknown as RequestInit);
    const location = answer.headers.get("location");
    if (answer.status < 300 || answer.status > 399 || location === null) return answer;
    await answer.body?.cancel();
    const next = URL.parse(location, url.href);
    if (next === null || next.origin !== url.origin || request.method !== "GET") {
      const to = next === null ? "somewhere else" : next.host;
      throw new Refused(
        `answered ${answer.status}: it has moved to ${to}, and a redirect is not followed with credentials. Check the address.`,
        { beforeSending: false },
      );
    }
    url = next;
  }
  throw new Refused(`redirects more than ${redirectsMax} times.`, { beforeSending: false });
}

function contentOf({ json, form, text, headers }: HttpRequest): { headers: Record<string, string>; body?: string } {
  const given = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value] as const);
  const own = { accept: "application/json", "user-agent": "syncline" };
  if (text !== undefined) return { headers: { ...own, ...Object.fromEntries(given) }, body: text };
  if (json !== undefined) {
    const merged = { ...own, "content-type": "application/json", ...Object.fromEntries(given) };
    return { headers: merged, body: JSON.stringify(json) };
  }
  if (form !== undefined) {
    const type = { "content-type": "application/x-www-form-urlencoded" };
    return { headers: { ...own, ...type, ...Object.fromEntries(given) }, body: new URLSearchParams(form).toString() };
  }
  return { headers: { ...own, ...Object.fromEntries(given) } };
}

/** Reads the body as it comes, unpacked, and stops at the bound: a small packed answer can be a very large one. */
async function bytesOf(answer: Response, bytesMax: number): Promise<Uint8Array> {
  const tooLarge = () => new Refused(`answered more than ${bytesMax} bytes.`, { beforeSending: false });
  if (Number(answer.headers.get("content-length") ?? 0) > bytesMax) {
    await answer.body?.cancel();
    throw tooLarge();
  }
  const parts: Array<Uint8Array> = [];
  let length = 0;
  for await (const part of answer.body ?? []) {
    length += part.byteLength;
    // Leaving the loop cancels the rest.
    if (length > bytesMax) throw tooLarge();
    parts.push(part);
  }
  return Buffer.concat(parts, length);
}

function responseOf(
  answer: Response,
  bytes: Uint8Array,
  request: HttpRequest,
  times: { readonly began: number; readonly ended: number },
): HttpResponse {
  const headers = Object.fromEntries(answer.headers);
  const remoteNow = Date.parse(headers.date ?? "");
  const text = request.binary === true ? "" : new TextDecoder().decode(bytes);
  return {
    status: answer.status,
    headers,
    text,
    ...(request.binary === true ? { bytes } : {}),
    json: parsed(text),
    ...times,
    ...(Number.isNaN(remoteNow) ? {} : { remoteNow }),
  };
}

function parsed(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// ---- what went wrong, in words ----

/** fetch wraps the socket's error once. */
const causeOf = (error: unknown): Error | undefined =>
  error instanceof Error && error.cause instanceof Error ? error.cause : undefined;

function codeOf(error: unknown): string {
  for (const one of [causeOf(error), error]) {
    if (typeof one === "object" && one !== null && "code" in one && typeof one.code === "string") return one.code;
  }
  return "";
}

const selfSigned =
  "shows a certificate of an unknown authority. Give the authority's certificate in NODE_EXTRA_CA_CERTS.";

const cut = "cut the connection.";
const unreachable = "cannot be reached from here. Check the network and the firewall.";

const explanations: Readonly<Record<string, string>> = {
  ENOTFOUND: "has no such host. Check the address and the DNS.",
  EAI_AGAIN: "cannot be looked up: the DNS does not answer.",
  ECONNREFUSED: "refused the connection: nothing listens there, or a firewall forbids it.",
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  ETIMEDOUT: "does not accept the connection in time.",
  UND_ERR_CONNECT_TIMEOUT: "does not accept the connection in time.",
  ECONNRESET: cut,
  EPIPE: cut,
  UND_ERR_SOCKET: cut,
  UND_ERR_HEADERS_TIMEOUT: "did not answer in time.",
  UND_ERR_BODY_TIMEOUT: "stopped in the middle of its answer.",
};

const certificates: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "shows a certificate that has expired.",
  CERT_NOT_YET_VALID: "shows a certificate that is not valid yet. Check this machine's clock.",
  ERR_TLS_CERT_ALTNAME_INVALID: "shows a certificate for another host name. Check the address.",
  DEPTH_ZERO_SELF_SIGNED_CERT: selfSigned,
  SELF_SIGNED_CERT_IN_CHAIN: selfSigned,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: selfSigned,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: selfSigned,
  ERR_SSL_WRONG_VERSION_NUMBER: "does not speak TLS on this port. Check whether the address begins with http or https.",
};

function explain(code: string, cause: Error | undefined): { readonly words: string; readonly lasting: boolean } {
  if (cause instanceof PrivateAddress) return { words: `was not called: ${cause.message}.`, lasting: true };
  if (isBadPort(cause)) {
    return { words: "was not called: the port belongs to another protocol. Check the address.", lasting: true };
  }
  const certificate = certificates[code];
  if (certificate !== undefined) return { words: certificate, lasting: true };
  const known = explanations[code];
  if (known !== undefined) return { words: known, lasting: false };
  if (/^(ERR_SSL|ERR_TLS|CERT_|UNABLE_TO)/.test(code)) return { words: `failed at TLS (${code}).`, lasting: true };
  return { words: `could not be called${code === "" ? "" : ` (${code})`}.`, lasting: false };
}
