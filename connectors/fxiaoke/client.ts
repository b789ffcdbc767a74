/**
 * One call to the Fxiaoke gateway: token, acting user, envelope, errors over HTTP 200 and the remote's clock.
 *
 * Source  Fxiaoke OpenAPI manual, 获取 AccessToken, 新版传参 / 旧版传参 and 全局错误码.
 */
import {
  AuthFailed,
  createSkew,
  type HttpRequest,
  type Limits,
  RateLimited,
  type Token,
  type Tools,
  Unavailable,
} from "../../core/connector.ts";
import { type Action, actionPath, paths, type Settings } from "./config.ts";
import { codeClass, explain, type Failure, faultOf, readFaultOf, remedyOf } from "./errors.ts";

export type Json = Readonly<Record<string, unknown>>;

export const isJson = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A success with the call's time by the remote's clock, or a failure that is not a fault. */
export type Outcome =
  | { readonly ok: true; readonly body: Json; readonly began: number; readonly ended: number }
  | { readonly ok: false; readonly failure: Failure };

export interface Call {
  readonly path: string;
  readonly data?: Json;
  /** Parameters beside `data`. */
  readonly top?: Json;
  readonly retry: HttpRequest["retry"];
  readonly signal?: AbortSignal;
  /** False for the calls of the employee directory in the legacy style, which name no acting user. */
  readonly acting?: boolean;
}

export interface Client {
  /** Sends one call; refreshes the token once if it has expired. Throws faults only. */
  readonly call: (call: Call) => Promise<Outcome>;
  /** As `call`, for reads: a failure is a fault too, because it concerns every record. */
  readonly read: (call: Omit<Call, "retry">) => Promise<Outcome & { readonly ok: true }>;
  /** Now by the remote's clock where it sends a Date header, else ours: for windows over its times. */
  readonly now: () => number;
  /** Now by our clock, which says when a read began and ended. */
  readonly ourNow: () => number;
}

/** A token belongs to one app and one style; a changed configuration must not meet the old one. */
const tokenNameOf = (settings: Settings): string => `${settings.auth.style}:${settings.auth.appId}`;

/** The same token is answered for 6600 s, and a new one overlaps the old one for the last 600 s. */
const tokenKeepSecondsMax = 6_600;
const tokenMarginSeconds = 120;

const dailyShare = 0.9;
const shanghaiMinutes = 480;
const actions: ReadonlyArray<Action> = [
  "query",
  "get",
  "create",
  "update",
  "invalid",
  "delete",
  "recover",
  "changeOwner",
];

/** A limit goes by the interface, that is the path without its `/cgi/`. */
const limitName = (path: string): string => path.replace(/^\/cgi\//, "");

/** The vendor's published limits: 100 calls in 20 s for each interface, the purchased packs a day, 10 tokens a minute. */
export function limitsOf(settings: Settings): Limits {
  const interfaces = new Set<string>([paths.userByMobile, paths.userList, paths.describe]);
  for (const object of Object.values(settings.objects)) {
    for (const action of actions) interfaces.add(actionPath(object, action));
  }
  const limits: Record<string, Limits[string]> = {
    daily: { daily: { count: Math.floor(settings.dailyCalls * dailyShare), offsetMinutes: shanghaiMinutes } },
    token: { concurrency: 1, rate: { count: 10, windowMs: 60_000 } },
  };
  for (const path of interfaces) limits[limitName(path)] = { concurrency: 4, rate: { count: 100, windowMs: 20_000 } };
  return limits;
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

/** The failure in a body, undefined for a success, or `null` where the body is no answer of the gateway. */
function failureOf(body: unknown): Failure | undefined | null {
  if (!isJson(body)) return null;
  const code = typeof body.errorCode === "string" ? Number(body.errorCode) : body.errorCode;
  if (typeof code !== "number" || !Number.isFinite(code)) return null;
  if (code === 0) return undefined;
  const message = textOf(body.errorMessage);
  const description = textOf(body.errorDescription);
  // The offset error puts the readable text into the description; most errors have none.
  const words = description === "" || description === message ? message : `${message} (${description})`;
  return { code, message: words, traceId: textOf(body.traceId) };
}

export function createClient(settings: Settings, tools: Tools): Client {
  const legacy = settings.auth.style === "legacy";
  const tokenName = tokenNameOf(settings);
  const skew = createSkew();
  const strikes = new Map<string, number>();
  let actingUser: Promise<string> | undefined;

  const post = async (path: string, json: Json, headers: Json, rest: Omit<Call, "path">, limit: string) => {
    const response = await tools.http({
      method: "POST",
      url: `${settings.baseUrl}${path}?thirdTraceId=${crypto.randomUUID()}`,
      // The values are strings: the callers below build them.
      headers: headers as Readonly<Record<string, string>>,
      json,
      limits: ["daily", limit],
      retry: rest.retry,
      ...(rest.signal === undefined ? {} : { signal: rest.signal }),
      judge: (answer) => {
        const failure = failureOf(answer.json);
        if (failure === null) {
          return new Unavailable(`Fxiaoke answered ${path} with something else than JSON (wrong host or a proxy)`, {
            sent: true,
          });
        }
        if (failure === undefined) {
          strikes.delete(path);
          return undefined;
        }
        const fault = faultOf(failure, answer.ended, strikes.get(path) ?? 0);
        if (fault instanceof RateLimited) strikes.set(path, (strikes.get(path) ?? 0) + 1);
        return fault;
      },
    });
    skew.learn(response);
    return response;
  };

  const refresh = async (): Promise<Token> => {
    const { style: _style, ...credentials } = settings.auth;
    const body = legacy ? credentials : { ...credentials, grantType: "app_secret" };
    const path = legacy ? paths.legacyToken : paths.token;
    const response = await post(path, body, {}, { retry: "safe" }, "token");
    const failure = failureOf(response.json);
    if (failure !== undefined && failure !== null) {
      throw new AuthFailed(explain(failure), "Check appId, appSecret and permanentCode of the 企业自建应用.");
    }
    // The judge has refused bodies that are no JSON object.
    const answer = response.json as Json;
    const value = textOf(legacy ? answer.corpAccessToken : answer.accessToken);
    const tenant = textOf(legacy ? answer.corpId : answer.ea);
    if (value === "" || tenant === "") {
      throw new Unavailable("Fxiaoke's token answer holds no token or no company", { sent: true });
    }
    const seconds = Number(answer.expiresIn);
    const left = Number.isFinite(seconds) ? Math.min(tokenKeepSecondsMax, seconds - tokenMarginSeconds) : 0;
    return { value, expiresAt: response.ended + Math.max(left, 1) * 1000, extra: { tenant } };
  };

  const send = async (call: Call, token: Token): Promise<Outcome> => {
    const tenant = token.extra?.tenant ?? "";
    const business = { ...call.top, ...(call.data === undefined ? {} : { data: call.data }) };
    const named = call.acting ?? true;
    const user = named || !legacy ? await acting() : "";
    const body = legacy
      ? {
          corpAccessToken: token.value,
          corpId: tenant,
          ...(named ? { currentOpenUserId: user } : {}),
          ...business,
        }
      : { ...(settings.convertUserId ? { convertUserId: true } : {}), ...business };
    const headers = legacy ? {} : { authorization: `Bearer ${token.value}`, "x-fs-ea": tenant, "x-fs-userid": user };
    const response = await post(call.path, body, headers, call, limitName(call.path));
    const failure = failureOf(response.json);
    if (failure !== undefined && failure !== null) return { ok: false, failure };
    return {
      ok: true,
      // The judge has refused bodies that are no JSON object.
      body: response.json as Json,
      began: response.began,
      ended: response.ended,
    };
  };

  const call = async (request: Call): Promise<Outcome> => {
    const token = await tools.tokens.get(tokenName, refresh);
    const first = await send(request, token);
    if (first.ok || codeClass(first.failure.code) !== "token") return first;
    // A refused token means that nothing was carried out, so a write may be sent once more as well.
    await tools.tokens.drop(tokenName, token.value);
    const second = await send(request, await tools.tokens.get(tokenName, refresh));
    if (second.ok || codeClass(second.failure.code) !== "token") return second;
    throw new AuthFailed(explain(second.failure), remedyOf(second.failure));
  };

  const read: Client["read"] = async (request) => {
    const outcome = await call({ ...request, retry: "safe" });
    if (outcome.ok) return outcome;
    throw readFaultOf(outcome.failure);
  };

  const lookUp = async (mobile: string): Promise<string> => {
    const { body } = await read({ path: paths.userByMobile, top: { mobile }, acting: false });
    const [first] = Array.isArray(body.empList) ? body.empList : [];
    const id = isJson(first) ? textOf(first.openUserId) : "";
    if (id !== "") return id;
    throw new AuthFailed(
      "no employee has the mobile number of the connection",
      "Set mobile to the number of an active employee of the tenant, or give userId (FSUID_…).",
    );
  };

  const acting = (): Promise<string> => {
    if (settings.userId !== undefined) return Promise.resolve(settings.userId);
    if (actingUser === undefined) {
      actingUser = lookUp(settings.mobile ?? "");
      // A failed look-up is tried again by the next call.
      actingUser.catch(() => {
        actingUser = undefined;
      });
    }
    return actingUser;
  };

  return { call, read, now: () => tools.clock.now() + (skew.leastMs() ?? 0), ourNow: tools.clock.now };
}
