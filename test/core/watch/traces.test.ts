import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Effect } from "effect";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { StoreFailed } from "../../../core/store/failure.ts";
import { createRedact } from "../../../core/watch/redact.ts";
import { startTraces } from "../../../core/watch/traces.ts";

let server: Server;
let calls: Array<{ readonly url: string; readonly key: string; readonly body: string }>;
let url = "";

beforeEach(async () => {
  calls = [];
  server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    calls.push({ url: request.url ?? "", key: String(request.headers["x-key"]), body });
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(() => void server.close());

const redact = createRedact(() => []);
const start = (env: Record<string, string>) => startTraces({ env, version: "1.2.3", redact });

interface Span {
  readonly name: string;
  readonly attributes: ReadonlyArray<unknown>;
  readonly events: ReadonlyArray<{ readonly name: string }>;
  readonly status: { readonly code: number; readonly message?: string };
}

const spans = (): ReadonlyArray<Span> =>
  calls.flatMap(({ body }) => JSON.parse(body).resourceSpans[0].scopeSpans[0].spans);

describe("traces", () => {
  it("are off where no endpoint is named, or the environment says so", async () => {
    expect(await start({})).toBeNull();
    expect(await start({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_SDK_DISABLED: "true" })).toBeNull();
    expect(await start({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_TRACES_EXPORTER: "none" })).toBeNull();
  });

  it("tell what was done and how it ended, under the names of the environment", async () => {
    const traces = await start({
      OTEL_EXPORTER_OTLP_ENDPOINT: `${url}/`,
      OTEL_EXPORTER_OTLP_HEADERS: "x-key=a%20b",
      OTEL_SERVICE_NAME: "hub-eu",
    });
    const inner = Effect.fn("push.claim")(function* () {
      return yield* Effect.succeed(1);
    });
    const outer = Effect.fn("push.connection")(function* () {
      return yield* inner();
    });
    if (traces !== null) expect(await Effect.runPromise(traces.traced(outer()))).toBe(1);
    await traces?.stop();
    expect(calls[0]).toMatchObject({ url: "/v1/traces", key: "a b" });
    expect(calls[0]?.body).toContain('"stringValue":"hub-eu"');
    expect(spans().map(({ name, status }) => `${name} ${status.code}`)).toEqual(["push.claim 1", "push.connection 1"]);
  });

  it("hold no attribute, no log line and no word of an error that was not foreseen", async () => {
    const traces = await start({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${url}/here` });
    const work = Effect.gen(function* () {
      yield* Effect.annotateCurrentSpan("mail", "ann@example.com");
      yield* Effect.logInfo("wrote Quetzalina");
      return yield* Effect.fail(new TypeError("cannot read Quetzalina"));
    }).pipe(Effect.withSpan("sync.apply", { attributes: { name: "Quetzalina" } }));
    const store = Effect.fail(new StoreFailed("The store is locked for ann@example.com.", "", undefined)).pipe(
      Effect.withSpan("store.write"),
    );
    if (traces !== null) {
      await Effect.runPromiseExit(traces.traced(work));
      await Effect.runPromiseExit(traces.traced(store));
    }
    await traces?.stop();
    expect(calls[0]?.url).toBe("/here");
    expect(spans().map(({ status }) => status.message)).toEqual(["TypeError", "The store is locked for •••."]);
    const text = calls.map(({ body }) => body).join("");
    expect(text).not.toMatch(/Quetzalina|ann@example|\.test\.ts|node_modules/);
  });
});
