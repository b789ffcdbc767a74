/** One call to the API: host, token, credits, scopes and rights, before anything else is looked at. */
import type { Context } from "hono";
import { apiUrlsOf, type Region, regions } from "../config.ts";
import type { Gate } from "./gate.ts";
import type { OAuth } from "./oauth.ts";
import type { Renderer } from "./render.ts";
import { isModule, type Module } from "./tenant.ts";
import { answer, Refused, refuse } from "./wire.ts";

/** Scopes that the simulated calls ask for; a consent has all of them unless a test leaves some out. */
export type Scope =
  | "ZohoCRM.modules.ALL"
  | "ZohoCRM.settings.fields.READ"
  | "ZohoCRM.settings.modules.READ"
  | "ZohoCRM.users.READ"
  | "ZohoCRM.org.READ"
  | "ZohoCRM.coql.READ"
  | "ZohoCRM.notifications.ALL"
  | "ZohoSearch.securesearch.READ"
  | "ZohoCRM.bulk.READ";

/** What a call weighs, and what it needs. */
export interface Weight {
  readonly scope: Scope;
  readonly cost?: (body: unknown) => number;
  readonly heavy?: (request: Request, body: unknown) => boolean;
}

export interface Called {
  readonly request: Request;
  readonly body: unknown;
  readonly module: Module;
  readonly id: string;
}

export interface CallOptions {
  readonly region: Region;
  readonly oauth: OAuth;
  readonly gate: Gate;
  readonly render: Renderer;
  readonly missingScopes: ReadonlyArray<Scope>;
  readonly forbidden: ReadonlyArray<Module>;
}

type Run = (called: Called) => Response | Promise<Response>;

export type Call = (weight: Weight, run: Run) => (context: Context) => Promise<Response>;

/** A refusal thrown on the way becomes its answer. */
export async function handled(work: () => Response | Promise<Response>): Promise<Response> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refused) return answer(error.body, error.status);
    throw error;
  }
}

export function createCall(options: CallOptions): Call {
  const { region, oauth, gate, render, missingScopes, forbidden } = options;

  /** A token of another data centre is not known here, and only the API hosts answer. */
  const admitHost = (request: Request): void => {
    const { origin, hostname } = new URL(request.url);
    if (regions.some((name) => name !== region && apiUrlsOf(name).includes(origin))) {
      throw new Refused(401, "INVALID_TOKEN", "invalid oauth token");
    }
    if (/(^|\.)zoho\./.test(hostname)) throw new Refused(400, "INVALID_HOST", "The host is invalid");
  };

  return (weight, run) => (context) =>
    handled(async () => {
      const request = context.req.raw;
      admitHost(request);
      const expiresAt = oauth.admit(request);
      const text = await request.text();
      // The type of a body is not looked at, but for the bulk API.
      const body: unknown = text === "" ? undefined : parsed(text);
      const leave = gate.enter(weight.cost?.(body) ?? 1, weight.heavy?.(request, body) ?? false);
      try {
        if (missingScopes.includes(weight.scope)) throw refuse.scope();
        const name = context.req.param("module");
        if (name !== undefined && !isModule(name)) throw refuse.module();
        const module: Module = isModule(name) ? name : "Accounts";
        if (name !== undefined && forbidden.includes(module)) {
          const permissions = [`Crm_Implied_View_${module}`];
          throw new Refused(403, "NO_PERMISSION", "permission denied", { permissions });
        }
        const response = await run({ request, body, module, id: context.req.param("id") ?? "" });
        response.headers.set("x-accesstoken-reset", render.time(expiresAt));
        const remaining = gate.remaining();
        if (remaining !== undefined) response.headers.set("x-api-credits-remaining", String(remaining));
        return response;
      } finally {
        leave();
      }
    });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refused(400, "INVALID_DATA", "body is not a valid JSON", {});
  }
}
