import { Effect } from "effect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { routes } from "../../../core/http/api/routes.ts";
import type { Route } from "../../../core/http/route.ts";
import { revokeKey } from "../../../core/hub/keys.ts";
import { roles, scopes, scopesOf } from "../../../core/security/roles.ts";
import { createHttpKit, type HttpKit } from "../../kit/http-kit.ts";

let kit: HttpKit;
let expired = "";
let revoked = "";

beforeAll(async () => {
  kit = await createHttpKit();
  expired = (await kit.makeKey({ role: "admin", expiresAt: kit.clock.now() + 1 })).text;
  const gone = await kit.makeKey({ role: "admin" });
  await Effect.runPromise(revokeKey(kit.hub, "cli:test", gone.id));
  revoked = gone.text;
});

afterAll(() => kit.close());

/** Bodies that are right in form; what they name is not there. */
const bodies: Readonly<Record<string, unknown>> = {
  editAccount: { values: { industry: "Retail" } },
  editContact: { values: { active: true } },
  releaseAccount: { field: "phone" },
  releaseContact: { field: "mobile" },
  mergeAccount: { absorbed: "acc_none" },
  mergeContact: { absorbed: "ctc_none" },
  unmergeAccount: { absorbed: "acc_none" },
  unmergeContact: { absorbed: "ctc_none" },
  restoreAccount: {},
  restoreContact: {},
  linkRecord: { entity: "account", connection: "one", remoteId: "none", id: null },
  unlinkRecord: { entity: "account", connection: "one", remoteId: "none" },
  search: { entity: "account", text: "Birdcage" },
  resolveConflict: { kind: "separate" },
  undoRun: { preview: false },
  undoChange: { preview: false },
  syncConnection: {},
  plan: { writes: 1 },
  replayDeadLetters: { connection: "none" },
  createKey: { name: "x", role: "viewer", expiresAt: null },
};

const call = (route: Route, as: string | null) =>
  kit.call(route.path.replace(":position", "987654321").replaceAll(/:\w+/g, "none"), {
    method: route.method,
    as,
    ...(route.body === null ? {} : { body: bodies[route.operation] }),
  });

describe("the authorization matrix", () => {
  it("has a declared scope for every route, and a body in this test for every route that takes one", () => {
    expect(routes.length).toBeGreaterThan(40);
    for (const route of routes) {
      expect(scopes).toContain(route.scope);
      expect([route.operation, route.body === null || bodies[route.operation] !== undefined]).toEqual([
        route.operation,
        true,
      ]);
    }
  });

  it.each(routes.map((route) => [`${route.method} ${route.path}`, route] as const))("%s", async (_name, route) => {
    for (const as of [null, "syn_none", expired, revoked]) {
      const { status, body } = await call(route, as);
      expect([as, status]).toEqual([as, 401]);
      expect(body.type).toBe("urn:syncline:problem:unauthorized");
    }
    for (const role of roles) {
      const { status, body, headers } = await call(route, role);
      if (scopesOf(role).includes(route.scope)) {
        expect([role, status < 500 && status !== 401 && status !== 403]).toEqual([role, true]);
        if (status === 400) expect(body).toBe("a form that fits");
      } else {
        expect([role, status]).toEqual([role, 403]);
        expect(body.detail).toContain(route.scope);
        expect(headers.get("WWW-Authenticate")).toContain(`scope="${route.scope}"`);
      }
    }
  });

  it("lets nobody make a key that may more than their own", async () => {
    const { text } = await kit.makeKey({ role: "viewer", scopes: ["keys:manage"] });
    const wanted = { name: "x", role: "admin", expiresAt: null };
    const refused = await kit.call("/keys", { method: "POST", as: text, body: wanted });
    expect([refused.status, refused.body.detail]).toEqual([403, expect.stringContaining("customers:write")]);
    const made = await kit.call("/keys", { method: "POST", as: text, body: { ...wanted, role: "viewer" } });
    expect(made.status).toBe(201);
    expect((await kit.call("/me", { as: String(made.body.key) })).body).toMatchObject({ role: "viewer" });
  });
});
