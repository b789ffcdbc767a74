/**
 * One call to a SCIM provider: credentials, limits, envelope and errors.
 *
 * Source  RFC 7644, sections 2, 3.1 and 3.12; RFC 6749, section 4.4.
 */
import { createHash } from "node:crypto";
import {
  AuthFailed,
  createSkew,
  type HttpRequest,
  type HttpResponse,
  type Limits,
  type Token,
  type Tools,
  Unavailable,
} from "../../core/connector.ts";
import type { Auth, Settings } from "./config.ts";
import { isJson, type Json, textIn } from "./json.ts";

export interface Call {
  readonly method: HttpRequest["method"];
  /** From the base URL on. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  /** A search is sent by POST, and changes nothing. */
  readonly isRead?: boolean;
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly status: number;
  /** Undefined for an answer without a body. */
  readonly body: Json | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly began: number;
  readonly ended: number;
}

export interface Client {
  /** Statuses below 500 are answers; what concerns the whole connection is a fault. */
  readonly call: (call: Call) => Promise<Answer>;
  /** Now by the provider's clock, never too late. */
  readonly remoteNow: () => number;
}

const minuteMs = 60_000;
const tokenMarginMs = minuteMs;
const bodyBytesMax = 64 * 1024 * 1024;
/** Used only against a provider that sends no Date header. */
const unknownSkewMs = 5 * minuteMs;
const callsMax = 4;

export const limitsOf = (): Limits => ({ api: { concurrency: callsMax }, token: { concurrency: 1 } });

const mediaType = "application/scim+json";

export function createClient({ baseUrl, auth }: Settings, tools: Tools): Client {
  const skew = createSkew();
  const send = async (call: Call, credential: readonly [string, string]): Promise<Answer> => {
    const { method, path, query, headers, json, isRead = method === "GET", signal } = call;
    const response = await tools.http({
      method,
      url: `${baseUrl}${path}${queryText(query)}`,
      headers: {
        accept: `${mediaType}, application/json`,
        ...headers,
        [credential[0]]: credential[1],
        ...(json === undefined ? {} : { "content-type": mediaType }),
      },
      ...(json === undefined ? {} : { text: JSON.stringify(json) }),
      ...(signal === undefined ? {} : { signal }),
      limits: ["api"],
      // A write whose answer is lost may have been carried out, so only reads are repeated.
      retry: isRead ? "safe" : "unsent",
      bodyBytesMax,
      judge,
    });
    skew.learn(response);
    const { status, began, ended } = response;
    return { status, body: isJson(response.json) ? response.json : undefined, headers: response.headers, began, ended };
  };
  const refused = ({ status, body }: Answer): AuthFailed | undefined =>
    status === 401 || status === 403
      ? new AuthFailed(
          `The provider answered ${status}${detailOf(body)}`,
          status === 401
            ? "Make a new token or secret at the provider, and set auth."
            : "Give the client's token the right to read and write Users and the resources that are mapped.",
        )
      : undefined;
  return {
    call: async (call) => {
      if (auth.kind === "header") {
        const answer = await send(call, [auth.name, auth.value]);
        const fault = refused(answer);
        if (fault !== undefined) throw fault;
        return answer;
      }
      const name = tokenNameOf(auth);
      const token = await tools.tokens.get(name, () => fetchToken(auth, tools));
      const answer = await send(call, ["authorization", `Bearer ${token.value}`]);
      if (answer.status !== 401) {
        const fault = refused(answer);
        if (fault !== undefined) throw fault;
        return answer;
      }
      // A refused token means that nothing was carried out, so a write may be sent once more as well.
      await tools.tokens.drop(name, token.value);
      const fresh = await tools.tokens.get(name, () => fetchToken(auth, tools));
      const again = await send(call, ["authorization", `Bearer ${fresh.value}`]);
      const fault = refused(again);
      if (fault !== undefined) throw fault;
      return again;
    },
    remoteNow: () => tools.clock.now() + (skew.leastMs() ?? -unknownSkewMs),
  };
}

/** A space is %20: some providers take no plus sign. */
function queryText(query: Readonly<Record<string, string>> = {}): string {
  const parts = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return parts.length === 0 ? "" : `?${parts.join("&")}`;
}

type ClientAuth = Extract<Auth, { readonly kind: "client" }>;

/** Bound to the credentials, so that new ones never meet an old token. */
function tokenNameOf({ tokenUrl, clientId, clientSecret }: ClientAuth): string {
  const print = createHash("sha256").update([tokenUrl, clientId, clientSecret].join(" ")).digest("hex");
  return `access:${print.slice(0, 16)}`;
}

async function fetchToken({ tokenUrl, clientId, clientSecret, scope }: ClientAuth, { http }: Tools): Promise<Token> {
  const response = await http({
    method: "POST",
    url: tokenUrl,
    form: {
      grant_type: "client_credentials",
      client_id: clientId,
      client_secret: clientSecret,
      ...(scope === undefined ? {} : { scope }),
    },
    limits: ["token"],
    retry: "safe",
    judge: ({ status, json }) =>
      status < 500 && !isJson(json)
        ? new Unavailable(`The token endpoint answered ${status} without JSON`, { sent: true })
        : undefined,
  });
  const value = textIn(response.json, "access_token");
  if (value === undefined) {
    throw new AuthFailed(
      `The token endpoint answered ${response.status}${errorOf(response.json)}`,
      "Check auth.clientId, auth.clientSecret and auth.scope; the client must be allowed client credentials.",
    );
  }
  const seconds = isJson(response.json) ? Number(response.json.expires_in) : Number.NaN;
  const lifeMs = Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 5 * minuteMs;
  return { value, expiresAt: response.began + Math.max(lifeMs - tokenMarginMs, lifeMs / 2) };
}

const errorOf = (body: unknown): string => {
  const error = textIn(body, "error");
  return error === undefined ? "" : `: ${error.slice(0, 80)}`;
};

/** The provider's words; cut, because it is not one of us. */
export const detailOf = (body: unknown): string => {
  const detail = textIn(body, "detail") ?? textIn(body, "message");
  return detail === undefined ? "" : `: ${detail.slice(0, 300)}`;
};

/** An answer that is no SCIM where there must be a body. */
function judge({ status, json, text }: HttpResponse): Unavailable | undefined {
  if (status === 501) return undefined;
  if (status >= 200 && status < 300 && status !== 204 && text !== "" && !isJson(json)) {
    return new Unavailable("The provider answered something else than JSON (wrong address or a proxy).", {
      sent: true,
    });
  }
  return undefined;
}
