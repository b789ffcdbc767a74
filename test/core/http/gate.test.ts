import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listKeys } from "../../../core/store/api-keys.ts";
import { createHttpKit, type HttpKit } from "../../kit/http-kit.ts";

let kit: HttpKit;
const refused: Array<string> = [];

beforeAll(async () => {
  kit = await createHttpKit({
    onRefused: (kind, address) => refused.push(`${kind} ${address}`),
    addressOf: (context) => context.req.header("X-Test-Address") ?? "192.0.2.1",
    rates: { auditor: { perMinute: 60, burst: 3 } },
  });
});

afterAll(() => kit.close());

const rowOf = async (id: string) => {
  const { Effect } = await import("effect");
  const keys = await Effect.runPromise(listKeys(kit.hub.store, { limit: 1000 }));
  return keys.find((key) => key.id === id);
};

describe("the gate of the API", () => {
  it("tells who a key is", async () => {
    const { status, body, headers } = await kit.call("/me", { as: "analyst" });
    expect(status).toBe(200);
    expect(body).toMatchObject({ role: "analyst", scopes: ["self", "customers:read", "customers:export"] });
    expect(headers.get("Cache-Control")).toBe("private, no-cache");
    expect(headers.get("X-Request-Id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("refuses no key, unknown, changed, revoked and expired ones with a problem, and tells of each", async () => {
    refused.length = 0;
    const { text } = await kit.makeKey({ expiresAt: kit.clock.now() + 60_000 });
    expect((await kit.call("/me", { as: text })).status).toBe(200);
    const gone = await kit.makeKey({});
    expect((await kit.call(`/me`, { as: gone.text })).status).toBe(200);
    const { Effect } = await import("effect");
    const { revokeKey } = await import("../../../core/hub/keys.ts");
    await Effect.runPromise(revokeKey(kit.hub, "cli:test", gone.id));
    kit.clock.advance(61_000);
    const secret = kit.keyOf("admin").replace("syn_", "syn-");
    for (const as of [null, "nonsense", secret, text, gone.text]) {
      const { status, headers, body } = await kit.call("/me", { as });
      expect(status).toBe(401);
      expect(headers.get("WWW-Authenticate")).toMatch(/^Bearer realm="syncline"/);
      expect(headers.get("Content-Type")).toBe("application/problem+json");
      expect(body).toMatchObject({ status: 401, type: "urn:syncline:problem:unauthorized" });
      expect(JSON.stringify(body)).not.toContain(as ?? "never");
    }
    expect(refused.map((line) => line.split(" ")[0])).toEqual(["missing", "unknown", "unknown", "expired", "revoked"]);
  });

  it("makes an address without a good key wait, and lets good keys in from there", async () => {
    const headers = { "X-Test-Address": "2001:db8:1:2::7" };
    const statuses: Array<number> = [];
    for (let times = 0; times < 30; times++) {
      const neighbour = { "X-Test-Address": `2001:db8:1:2:${times}::9` };
      statuses.push((await kit.app.request("/api/v1/me", { headers: neighbour })).status);
    }
    expect(statuses.filter((status) => status === 401)).toHaveLength(20);
    expect(statuses.at(-1)).toBe(429);
    const response = await kit.app.request("/api/v1/me", { headers });
    expect(Number(response.headers.get("Retry-After"))).toBeGreaterThan(0);
    expect((await kit.call("/me", { headers })).status).toBe(200);
    expect((await kit.call("/me", { as: null, headers: { "X-Test-Address": "2001:db8:9::1" } })).status).toBe(401);
  });

  it("makes a key wait that makes too many requests, and lets it go on after", async () => {
    const ask = () => kit.app.request("/api/v1/me", { headers: { Authorization: `Bearer ${kit.keyOf("auditor")}` } });
    const statuses = [];
    for (let times = 0; times < 5; times++) statuses.push((await ask()).status);
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
    expect((await ask()).headers.get("Retry-After")).toBe("1");
    kit.clock.advance(1000);
    expect((await ask()).status).toBe(200);
  });

  it("notes the use of a key at most once a minute", async () => {
    const { id, text } = await kit.makeKey({});
    await kit.call("/me", { as: text });
    const first = (await rowOf(id))?.lastUsedAt;
    expect(first).toBe(kit.clock.now());
    await kit.call("/me", { as: text });
    expect((await rowOf(id))?.lastUsedAt).toBe(first);
    kit.clock.advance(61_000);
    await kit.call("/me", { as: text });
    expect((await rowOf(id))?.lastUsedAt).toBe(kit.clock.now());
  });

  it("keeps no key readable in the store, the log or an answer", async () => {
    const secret = kit.keyOf("admin").split("_")[2] ?? "never";
    const files = readdirSync(kit.folder).map((name) => readFileSync(join(kit.folder, name), "latin1"));
    for (const text of [...files, JSON.stringify(kit.logged)]) expect(text.includes(secret)).toBe(false);
  });
});

describe("every answer", () => {
  it("has strict headers, and HSTS only where the hub speaks TLS", async () => {
    const { headers } = await kit.call("/me");
    expect(headers.get("Content-Security-Policy")).toBe("default-src 'none'; frame-ancestors 'none'");
    expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect(headers.get("X-Frame-Options")).toBe("DENY");
    expect(headers.get("Strict-Transport-Security")).toBeNull();
    expect(headers.get("Access-Control-Allow-Origin")).toBeNull();
  });

  it("tells of unknown addresses, wrong methods, parameters and bodies as problems", async () => {
    const nothing = await kit.call("/nothing");
    expect([nothing.status, nothing.body.type]).toEqual([404, "urn:syncline:problem:not-found"]);
    const method = await kit.call("/me", { method: "PUT" });
    expect([method.status, method.headers.get("Allow")]).toEqual([405, "GET, HEAD"]);
    const query = await kit.call("/me?limt=3");
    expect([query.status, query.body.errors]).toEqual([400, [{ path: "query.limt", what: "is not known here" }]]);
    expect((await kit.app.request("/elsewhere")).status).toBe(404);
  });
});
