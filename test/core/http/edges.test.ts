import { get as httpGet, type IncomingMessage } from "node:http";
import { Hono } from "hono";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { registry } from "../../../config/registry.ts";
import { createApp } from "../../../core/http/app.ts";
import { listen } from "../../../core/http/listen.ts";
import type { AppOptions } from "../../../core/http/options.ts";
import type { Encoder } from "../../../core/plugin.ts";
import { createHttpKit, type HttpKit } from "../../kit/http-kit.ts";

let kit: HttpKit;
let given: AppOptions;

beforeAll(async () => {
  kit = await createHttpKit({ accounts: 3 });
  given = { service: kit.service, encoders: registry.encoders, clock: kit.clock, log: kit.hub.log, version: "1" };
});

afterAll(() => kit.close());

const bearer = () => ({ Authorization: `Bearer ${kit.keyOf("admin")}` });

describe("the app as it is set up", () => {
  it("lets pages of named origins call, and those only", async () => {
    const app = createApp({ ...given, origins: ["https://tools.example.com"] });
    const ask = (origin: string, method = "GET") =>
      app.request("/api/v1/me", {
        method,
        headers: { ...bearer(), Origin: origin, "Access-Control-Request-Method": "PATCH" },
      });
    const friend = await ask("https://tools.example.com");
    expect(friend.headers.get("Access-Control-Allow-Origin")).toBe("https://tools.example.com");
    expect(friend.headers.get("Access-Control-Allow-Credentials")).toBeNull();
    expect((await ask("https://evil.example.com")).headers.get("Access-Control-Allow-Origin")).toBeNull();
    const before = await ask("https://tools.example.com", "OPTIONS");
    expect([before.status, before.headers.get("Access-Control-Allow-Headers")]).toEqual([
      204,
      expect.stringContaining("If-Match"),
    ]);
    expect(
      (await kit.call("/me", { headers: { Origin: "https://tools.example.com" } })).headers.has(
        "Access-Control-Allow-Origin",
      ),
    ).toBe(false);
  });

  it("tells browsers to stay with TLS only where it is spoken", async () => {
    const response = await createApp({ ...given, tls: true }).request("/api/v1/me", { headers: bearer() });
    expect(response.headers.get("Strict-Transport-Security")).toContain("max-age=31536000");
  });

  it("serves what is put beside it without a key, and says nothing of it elsewhere", async () => {
    const beside = new Hono().get("/healthz", (context) => context.text("ok"));
    const app = createApp({ ...given, hooks: (api) => api.route("/", beside) });
    expect(await (await app.request("/healthz")).text()).toBe("ok");
    expect((await app.request("/healthz/x")).status).toBe(404);
    expect((await app.request("/api/v1/me")).status).toBe(401);
  });

  it("hides what a failure of its own says", async () => {
    const broken = {
      ...kit.service,
      connections: () => {
        throw new Error("secret-canary in a message");
      },
    };
    const app = createApp({ ...given, service: broken });
    const response = await app.request("/api/v1/connections", { headers: bearer() });
    const text = await response.text();
    expect([response.status, text.includes("secret-canary")]).toEqual([500, false]);
    expect(JSON.parse(text).instance).toBe(`urn:uuid:${response.headers.get("X-Request-Id")}`);
    expect(JSON.stringify(kit.logged)).not.toContain("secret-canary");
  });
});

describe("over a socket", () => {
  it("counts refusals by the sender's address, and a HEAD costs no export", async () => {
    const refused: Array<string> = [];
    const app = createApp({ ...given, onRefused: (kind, address) => refused.push(`${kind} ${address}`) });
    const server = await listen(app.fetch, { host: "127.0.0.1", port: 0, tls: null });
    expect((await fetch(`${server.url}/api/v1/me`)).status).toBe(401);
    expect(refused).toEqual(["missing 127.0.0.1"]);
    const head = await fetch(`${server.url}/api/v1/exports/accounts`, { method: "HEAD", headers: bearer() });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    await server.close(100);
  });

  it("stops an export when its reader hangs up", async () => {
    let rows = 0;
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const slow: Encoder = {
      format: "slow",
      extension: "txt",
      mediaType: "text/plain",
      open: () => "x".repeat(64_000),
      row: () => () => {
        rows += 1;
        return "y".repeat(64_000);
      },
    };
    const many = await createHttpKit({ accounts: 1800, onlyOne: true });
    const app = createApp({ ...given, service: many.service, encoders: new Map([["slow", slow]]) });
    const server = await listen(app.fetch, { host: "127.0.0.1", port: 0, tls: null });
    const headers = { Authorization: `Bearer ${many.keyOf("admin")}` };
    const request = httpGet(
      `${server.url}/api/v1/exports/accounts?format=slow`,
      { headers },
      (answer: IncomingMessage) => {
        answer.once("data", () => {
          answer.destroy();
          end();
        });
        answer.on("error", () => {});
      },
    );
    request.on("error", () => {});
    await ended;
    await new Promise((resolve) => setTimeout(resolve, 200));
    const then = rows;
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect([rows, then < 1800]).toEqual([then, true]);
    await server.close(100);
    await many.close();
  }, 60_000);
});
