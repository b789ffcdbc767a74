/**
 * The accounts server: tokens for an hour, ten of them alive, ten requests in ten minutes.
 *
 * Source  Zoho Accounts OAuth 2.0, "Token limits" and "Errors"; most errors come over HTTP 200.
 */
import { dataCentres, type Region, regions } from "../config.ts";
import { answer, Refused } from "./wire.ts";

export const credentials = {
  clientId: "1000.SIMULATEDCLIENT",
  clientSecret: "simulated-client-secret",
  refreshToken: "1000.simulated.refresh",
} as const;

const minuteMs = 60_000;
const lifeMs = 60 * minuteMs;
const windowMs = 10 * minuteMs;
const requestsMax = 10;
const aliveMax = 10;
const codeMs = 2 * minuteMs;

export interface OAuthOptions {
  readonly now: () => number;
  readonly random: () => number;
  readonly region: Region;
  readonly tokenLifeMs?: number;
}

export type OAuth = ReturnType<typeof createOAuth>;

export function createOAuth({ now, random, region, tokenLifeMs = lifeMs }: OAuthOptions) {
  /** Expiry by token, oldest first. */
  const tokens = new Map<string, number>();
  const codes = new Map<string, number>();
  let requests: Array<number> = [];
  let revoked = false;
  let issued = 0;

  const piece = (): string => Math.floor(random() * 2 ** 48).toString(16);

  /** Parameters come in the query string, as a form or as multipart data. */
  const parametersOf = async (request: Request): Promise<Map<string, string>> => {
    const found = new Map(new URL(request.url).searchParams);
    const type = request.headers.get("content-type") ?? "";
    if (/form/.test(type)) {
      for (const [name, value] of await request.formData()) if (typeof value === "string") found.set(name, value);
    }
    return found;
  };

  const throttled = (): boolean => {
    requests = requests.filter((at) => at > now() - windowMs);
    const isOver = requests.length >= requestsMax;
    // Asking while blocked extends the block.
    requests.push(now());
    return isOver;
  };

  const grant = (more: Readonly<Record<string, string>> = {}): Response => {
    issued += 1;
    const value = `1000.${piece()}${issued}.${piece()}`;
    tokens.set(value, now() + tokenLifeMs);
    for (const [token, expiresAt] of tokens) if (expiresAt <= now()) tokens.delete(token);
    // The eleventh silently ends the oldest.
    for (const oldest of tokens.keys()) {
      if (tokens.size <= aliveMax) break;
      tokens.delete(oldest);
    }
    return answer({
      access_token: value,
      ...more,
      scope: "ZohoCRM.modules.ALL",
      api_domain: dataCentres[region].apiUrl,
      token_type: "Bearer",
      expires_in: Math.floor(tokenLifeMs / 1000),
    });
  };

  const isForeign = (request: Request): boolean => {
    const { origin } = new URL(request.url);
    return regions.some((name) => name !== region && dataCentres[name].accountsUrl === origin);
  };

  const token = async (request: Request): Promise<Response> => {
    if (throttled()) {
      return answer(
        {
          error_description: "You have made too many requests continuously. Please try again after some time.",
          error: "Access Denied",
          status: "failure",
        },
        400,
      );
    }
    const given = await parametersOf(request);
    const error = (name: string): Response => answer({ error: name });
    // A client is known only in the data centres that it was switched on for.
    if (isForeign(request) || given.get("client_id") !== credentials.clientId) return error("invalid_client");
    if (given.get("client_secret") !== credentials.clientSecret) return error("invalid_client_secret");
    if (given.get("grant_type") === "refresh_token") {
      const isKnown = given.get("refresh_token") === credentials.refreshToken && !revoked;
      return isKnown ? grant() : error("invalid_code");
    }
    if (given.get("grant_type") !== "authorization_code") return error("invalid_request");
    const code = given.get("code") ?? "";
    const madeAt = codes.get(code);
    codes.delete(code);
    if (madeAt === undefined || now() - madeAt > codeMs) return error("invalid_code");
    revoked = false;
    return grant({ refresh_token: credentials.refreshToken });
  };

  /** The consent page, as if the user had clicked "Accept": back to the client with a code and the data centre. */
  const authorise = (request: Request): Response => {
    const query = new URL(request.url).searchParams;
    const redirect = URL.parse(query.get("redirect_uri") ?? "");
    const isComplete = query.get("response_type") === "code" && (query.get("scope") ?? "") !== "";
    if (query.get("client_id") !== credentials.clientId || redirect === null || !isComplete) {
      return answer({ error: "invalid_client" }, 400);
    }
    redirect.searchParams.set("code", consent());
    redirect.searchParams.set("location", region);
    redirect.searchParams.set("accounts-server", dataCentres[region].accountsUrl);
    const state = query.get("state");
    if (state !== null) redirect.searchParams.set("state", state);
    return new Response(null, { status: 302, headers: { location: redirect.href } });
  };

  /** Single use, two minutes. */
  const consent = (): string => {
    const code = `1000.${piece()}.${piece()}`;
    codes.set(code, now());
    return code;
  };

  return {
    token,
    authorise,
    revoke: async (request: Request): Promise<Response> => {
      const given = await parametersOf(request);
      if (given.get("token") !== credentials.refreshToken) return answer({ error: "invalid_token" });
      revoked = true;
      tokens.clear();
      return answer({ status: "success" });
    },
    /** When the presented token expires. */
    admit: (request: Request): number => {
      const header = request.headers.get("authorization");
      const value = /^Zoho-oauthtoken (\S+)$/.exec(header ?? "")?.[1];
      if (value === undefined) throw new Refused(401, "AUTHENTICATION_FAILURE", "Authentication failed");
      const expiresAt = tokens.get(value);
      if (expiresAt === undefined || expiresAt <= now()) {
        throw new Refused(401, "INVALID_TOKEN", "invalid oauth token");
      }
      return expiresAt;
    },
    drop: (request: Request): void => {
      tokens.delete(/^Zoho-oauthtoken (\S+)$/.exec(request.headers.get("authorization") ?? "")?.[1] ?? "");
    },
    dropAll: (): void => tokens.clear(),
    alive: (): number => [...tokens.values()].filter((expiresAt) => expiresAt > now()).length,
  };
}
