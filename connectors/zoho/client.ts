/**
 * One call to Zoho CRM: token, limits, envelope and errors.
 *
 * Source  Zoho Accounts OAuth 2.0, "Refresh access tokens"; Zoho CRM API v8, "API Limits" and "Status Codes".
 */
import { createHash } from "node:crypto";
import {
  AuthFailed,
  createSkew,
  type HttpRequest,
  type HttpResponse,
  type Limits,
  RateLimited,
  type Token,
  type Tools,
  Unavailable,
} from "../../core/connector.ts";
import { apiUrlsOf, type Settings } from "./config.ts";
import { accessFaultOf, explain, type Failure, failureOf, readFaultOf, tokenFaultOf } from "./errors.ts";
import { isJson, type Json } from "./json.ts";

export interface Call {
  readonly method: HttpRequest["method"];
  /** From `/crm/` on. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  /** Sorted reads, COQL and writes of more than ten records have a lower bound of calls at the same time. */
  readonly heavy?: boolean;
  /** Credits; 1 unless said. */
  readonly cost?: number;
  readonly retry: HttpRequest["retry"];
  readonly signal?: AbortSignal;
  /** A ZIP file. */
  readonly file?: boolean;
}

/** `body` is undefined for 204 and 304, which both mean: no records. Times are by our clock. */
export interface Answer {
  readonly status: number;
  readonly body: Json | undefined;
  readonly bytes?: Uint8Array;
  readonly failure: Failure | undefined;
  readonly began: number;
  readonly ended: number;
}

export interface Client {
  /** Sends one call; refreshes the token once if it was refused. Failures of the whole connection are faults. */
  readonly call: (call: Call) => Promise<Answer>;
  /** As `call`, for reads: every failure is a fault. */
  readonly read: (call: Omit<Call, "retry">) => Promise<Answer>;
  /** Now by Zoho's clock, never too late. */
  readonly remoteNow: () => number;
}

const minuteMs = 60_000;
const tokenWindowMs = 10 * minuteMs;
const tokenMarginMs = 2 * minuteMs;
const creditShare = 0.9;
/** Below this share of the day's credits a refused call waits an hour, because only time brings credits back. */
const creditsLowShare = 0.02;
const creditsWaitMs = 60 * minuteMs;
/** Used only against a server that sends no Date header. */
const unknownSkewMs = 5 * minuteMs;
const fileBytesMax = 1_000_000_000;
const fileTimeoutMs = 10 * minuteMs;

/** Zoho's published limits, less a margin for the customer's other integrations. */
export function limitsOf(settings: Settings): Limits {
  return {
    calls: { concurrency: settings.concurrency },
    heavy: { concurrency: Math.max(1, Math.min(5, settings.concurrency)) },
    credits: { daily: { count: Math.floor(settings.dailyCredits * creditShare), offsetMinutes: 0 } },
    token: { concurrency: 1, rate: { count: 10, windowMs: tokenWindowMs } },
    download: { rate: { count: 10, windowMs: minuteMs } },
  };
}

/** The token belongs to one refresh token; a new consent must not meet the old access token. */
function tokenNameOf({ accountsUrl, apiUrl, auth }: Settings): string {
  // With the address too: a token that was taken for a given API server does not name Zoho's own.
  const parts = [accountsUrl, apiUrl ?? "", auth.clientId, auth.refreshToken];
  const print = createHash("sha256").update(parts.join(" ")).digest("hex");
  return `access:${print.slice(0, 16)}`;
}

export function createClient(settings: Settings, tools: Tools): Client {
  const tokenName = tokenNameOf(settings);
  const skew = createSkew();
  /** What the latest answer told; refusals need not repeat it. */
  let creditsLeft: number | undefined;
  let refusal: { readonly fault: AuthFailed; readonly until: number } | undefined;

  const refresh = async (): Promise<Token> => {
    // Each refused request counts against the few that the accounts server allows, and none of them will be granted.
    if (refusal !== undefined && refusal.until > tools.clock.now()) throw refusal.fault;
    try {
      return await request();
    } catch (error) {
      if (error instanceof AuthFailed) refusal = { fault: error, until: tools.clock.now() + tokenWindowMs };
      throw error;
    }
  };

  const request = async (): Promise<Token> => {
    const { clientId, clientSecret, refreshToken } = settings.auth;
    const response = await tools.http({
      method: "POST",
      url: `${settings.accountsUrl}/oauth/v2/token`,
      form: {
        grant_type: "refresh_token",
        client_id: clientId,
        client_secret: clientSecret,
        refresh_token: refreshToken,
      },
      limits: ["token"],
      retry: "safe",
      judge: judgeToken,
    });
    return tokenOf(response, settings);
  };

  const send = async (call: Call, token: Token): Promise<Answer> => {
    const base = settings.apiUrl ?? token.extra?.apiUrl ?? "";
    const query = new URLSearchParams(call.query).toString();
    const response = await tools.http({
      method: call.method,
      url: `${base}${call.path}${query === "" ? "" : `?${query}`}`,
      headers: { ...call.headers, authorization: `Zoho-oauthtoken ${token.value}` },
      ...(call.json === undefined ? {} : { json: call.json }),
      limits: [
        "calls",
        "credits",
        ...(call.heavy === true ? ["heavy"] : []),
        ...(call.file === true ? ["download"] : []),
      ],
      cost: call.cost ?? 1,
      retry: call.retry,
      ...(call.signal === undefined ? {} : { signal: call.signal }),
      ...(call.file === true ? { binary: true, bodyBytesMax: fileBytesMax, timeoutMs: fileTimeoutMs } : {}),
      judge: (answer) => {
        creditsLeft = creditsIn(answer) ?? creditsLeft;
        return judge(answer, call, { settings, creditsLeft });
      },
    });
    skew.learn(response);
    const body = bodyOf(response);
    return {
      status: response.status,
      body,
      ...(response.bytes === undefined ? {} : { bytes: response.bytes }),
      failure: failureOf(body),
      began: response.began,
      ended: response.ended,
    };
  };

  const call = async (request: Call): Promise<Answer> => {
    const token = await tools.tokens.get(tokenName, refresh);
    let answer = await send(request, token);
    if (answer.failure?.code === "INVALID_TOKEN") {
      // A refused token means that nothing was carried out, so a write may be sent once more as well.
      await tools.tokens.drop(tokenName, token.value);
      answer = await send(request, await tools.tokens.get(tokenName, refresh));
    }
    const fault = answer.failure === undefined ? undefined : accessFaultOf(answer.failure);
    if (fault !== undefined) throw fault;
    return answer;
  };

  return {
    call,
    read: async (request) => {
      const answer = await call({ ...request, retry: "safe" });
      if (answer.failure !== undefined) throw readFaultOf(answer.failure);
      return answer;
    },
    remoteNow: () => tools.clock.now() + (skew.leastMs() ?? -unknownSkewMs),
  };
}

/** The status of the token endpoint says nothing: most errors come over HTTP 200. */
function judgeToken(response: HttpResponse): RateLimited | Unavailable | undefined {
  if (!isJson(response.json)) {
    return new Unavailable(`Zoho's token endpoint answered ${response.status} without JSON`, { sent: true });
  }
  // Asking again before the window ends extends the block.
  if (response.json.error === "Access Denied") {
    return new RateLimited("too many token requests", response.ended + tokenWindowMs);
  }
  return undefined;
}

function tokenOf(response: HttpResponse, settings: Settings): Token {
  const answer: Json = isJson(response.json) ? response.json : {};
  const { access_token: value, api_domain: named, expires_in_sec, expires_in } = answer;
  if (typeof value !== "string" || value === "") {
    throw tokenFaultOf(typeof answer.error === "string" ? answer.error : `${response.status} without a token`);
  }
  const seconds = Number(expires_in_sec ?? expires_in);
  const lifeMs = Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : tokenMarginMs;
  const expiresAt = response.began + Math.max(lifeMs - tokenMarginMs, lifeMs / 2);
  if (settings.apiUrl !== undefined) return { value, expiresAt };
  const apiUrl = typeof named === "string" ? named.replace(/\/$/, "") : "";
  if (!apiUrlsOf(settings.region).includes(apiUrl)) {
    throw new AuthFailed(
      `Zoho's token belongs to ${apiUrl === "" ? "no API server" : apiUrl}, which is not in the data centre ${settings.region}`,
      "Set region to the data centre of the organisation, or name the API server in apiUrl.",
    );
  }
  return { value, expiresAt, extra: { apiUrl } };
}

/** A refused download comes as bytes as well. */
function bodyOf({ json, bytes, status }: HttpResponse): Json | undefined {
  if (isJson(json)) return json;
  if (bytes === undefined || status === 200) return undefined;
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return isJson(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** Names the faults that a status alone does not tell. */
function judge(response: HttpResponse, call: Call, credits: Credits): RateLimited | Unavailable | undefined {
  const { status } = response;
  if (status === 204 || status === 304) return undefined;
  const body = bodyOf(response);
  const failure = failureOf(body);
  const words = failure === undefined ? `Zoho answered ${status} to ${call.path}` : explain(failure);
  if (status === 429) return new RateLimited(words, retryAtOf(response, credits));
  if (status >= 500) return new Unavailable(words, { sent: true });
  if (call.file === true && status === 200) return undefined;
  if (body === undefined) {
    return new Unavailable(`${words} with something else than JSON (wrong host or a proxy)`, { sent: true });
  }
  return undefined;
}

interface Credits {
  readonly settings: Settings;
  readonly creditsLeft: number | undefined;
}

/** Zoho tells them only once half of a day's are used. */
function creditsIn({ headers }: HttpResponse): number | undefined {
  const left = Number(headers["x-api-credits-remaining"] ?? Number.NaN);
  return Number.isFinite(left) ? left : undefined;
}

/** Zoho documents no Retry-After; where one comes, the client sees it. Used up credits come back within hours only. */
function retryAtOf({ ended }: HttpResponse, { settings, creditsLeft }: Credits): number | null {
  const isLow = creditsLeft !== undefined && creditsLeft <= settings.dailyCredits * creditsLowShare;
  return isLow ? ended + creditsWaitMs : null;
}
