/** An identity provider's client of a running hub, over a real socket. */
import { Effect } from "effect";
import { createKey } from "../../../../core/hub/keys.ts";
import type { ServiceKit } from "../../../kit/service-kit.ts";

export const core = "urn:ietf:params:scim:schemas:core:2.0";
export const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
export const message = "urn:ietf:params:scim:api:messages:2.0";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Sent {
  readonly method?: string;
  /** A text goes out as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** The token; the client's own unless said. */
  readonly as?: string;
  readonly connection?: string;
}

/** A key of a provisioner, for one connection. */
export async function makeToken(kit: ServiceKit, connection: string, expiresAt: number | null = null): Promise<string> {
  const wanted = { name: "idp", role: "provisioner" as const, scopes: [], expiresAt, connection };
  return (await Effect.runPromise(createKey(kit.service.hub(), "cli:test", wanted))).text;
}

/** Ready is a hub that takes calls; only one that has read its systems once takes what is pushed in at once. */
export async function untilLoaded(kit: ServiceKit): Promise<void> {
  await kit.until("all lanes are loaded", () => {
    const lanes = kit.service.lanes();
    // A hub that has just started has none yet.
    return lanes.length > 0 && lanes.every((lane) => lane.isLoaded());
  });
}

export async function call(
  kit: ServiceKit,
  path: string,
  { method = "GET", body, headers = {}, as = "", connection = "idp" }: Sent,
): Promise<Answer> {
  const response = await fetch(`${kit.server.url}/scim/v2/${connection}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${as}`,
      ...(body === undefined ? {} : { "content-type": "application/scim+json; charset=utf-8" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === "" ? {} : JSON.parse(text) };
}
