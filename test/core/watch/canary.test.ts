/** Plants canaries wherever a hub can hold them, makes it work, fail and complain, and looks for them in all that leaves it. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Effect } from "effect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createKey } from "../../../core/hub/keys.ts";
import { systemClock } from "../../../core/net/clock.ts";
import { createLog } from "../../../core/watch/log.ts";
import { createRedact } from "../../../core/watch/redact.ts";
import { startTraces } from "../../../core/watch/traces.ts";
import { feishuBot, type Receiver, signedReceiver, wecomBot } from "../../kit/receivers.ts";
import { createServiceKit, type ServiceKit, secret } from "../../kit/service-kit.ts";

const personal = {
  given: "Quetzalina",
  family: "Zygmuntowska",
  mail: "quetzalina.canary@birdcage.com",
  phone: "+4930777123",
  mobile: "13800138111",
  note: "canary-sings-a-song",
} as const;

const secrets = {
  hook: secret,
  wecom: "canary-robot-key-0123456789",
  feishu: "canary-hook-token-0123456789",
  feishuSign: "canary-feishu-sign",
  webhook: "canary-alert-secret-0123456789",
  wrongKey: "syn_canarykeycanarykeycanarykey",
} as const;

/** A collector of traces. */
async function collector(): Promise<{ readonly server: Server; readonly url: string; readonly bodies: Array<string> }> {
  const bodies: Array<string> = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    bodies.push(`${request.url} ${body}`);
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, bodies, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** What left the hub, by the way that it took. */
const left: Record<string, string> = {};
let apiKey = "";
const receivers: Array<Receiver> = [];

beforeAll(async () => {
  const traces = await collector();
  const bot = await wecomBot(secrets.wecom);
  const lark = await feishuBot(secrets.feishu, secrets.feishuSign, Date.now);
  const ops = await signedReceiver(secrets.webhook, Date.now);
  const dead = await wecomBot("none");
  await dead.close();
  receivers.push(bot, lark, ops);
  const lines: Array<string> = [];
  const redact = createRedact(() => Object.values(secrets));
  const write = (line: string): void => void lines.push(line);
  const log = await createLog({ clock: systemClock, level: "debug", isText: false, redact, write });
  const tracing = await startTraces({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: traces.url }, version: "0", redact });
  if (tracing === null) throw new Error("tracing has not begun");
  const channels = {
    team: { use: "wecom", url: `http://127.0.0.1:${bot.port}/send?key=${secrets.wecom}` },
    lark: {
      use: "feishu",
      language: "zh",
      url: `http://127.0.0.1:${lark.port}/open-apis/bot/v2/hook/${secrets.feishu}`,
      secret: secrets.feishuSign,
    },
    ops: { use: "webhook", url: `http://127.0.0.1:${ops.port}/`, secret: secrets.webhook },
    dead: { use: "wecom", url: `http://127.0.0.1:${dead.port}/${secrets.feishu}?key=${secrets.wecom}` },
  };
  const kit: ServiceKit = await createServiceKit({
    alerts: { rules: { signIns: { count: 1 }, exports: { count: 1 }, conflicts: { count: 1 } }, channels },
    hosts: [bot, lark, ops, dead].map(({ port }) => `127.0.0.1:${port}`),
    log,
    traced: tracing.traced,
    watching: { say: log.say, redact },
    listeners: [log.hear((name) => name === "one" || name === "two")],
    fill: ({ one, two }) => {
      const account = one?.screen.create("account", {
        Name: "Birdcage",
        Domain: "birdcage.com",
        Phone: personal.phone,
      });
      one?.screen.create("contact", {
        FirstName: personal.given,
        LastName: personal.family,
        Email: personal.mail,
        Mobile: personal.mobile,
        CompanyId: account ?? "",
      });
      two?.screen.create("account", { Name: "Birdcage", Domain: "birdcage.com", Phone: "+4930777999" });
    },
  });
  const { service, server, systems, hook, until } = kit;
  await until("both hold the account", () => (systems.two?.screen.list("account").length ?? 0) >= 1);
  await until("the first load was written", () => kit.events.some((event) => event.kind === "pushed"));
  const made = createKey(service.hub(), "cli:test", { name: "all", role: "admin", scopes: [], expiresAt: null });
  apiKey = (await Effect.runPromise(made)).text;
  const call = async (path: string, key = apiKey, init: RequestInit = {}): Promise<string> => {
    const response = await fetch(`${server.url}${path}`, {
      ...init,
      headers: { Authorization: `Bearer ${key}`, ...init.headers },
    });
    return response.text();
  };
  const json = { "content-type": "application/json" };

  // Work that succeeds, and shows or carries the canaries to who may see them.
  left.shown = await call("/api/v1/contacts?limit=10");
  left.shown += await call("/api/v1/accounts?limit=10");
  await call("/api/v1/exports/contacts");
  await call("/api/v1/search", apiKey, {
    method: "POST",
    headers: json,
    body: JSON.stringify({ entity: "contact", text: personal.mail }),
  });
  const ids = systems.one?.screen.list("contact") ?? [];
  for (const id of ids) systems.one?.screen.edit("contact", id, { Mobile: "+4915112345678" });
  await hook("one", { body: JSON.stringify({ type: "people.updated", data: { id: ids[0], note: personal.note } }) });

  // Calls that are refused, with canaries in every part of them.
  const errors: Array<string> = [];
  errors.push(await call(`/api/v1/accounts/${personal.mail}`));
  errors.push(await call("/api/v1/me", secrets.wrongKey));
  errors.push(await call(`/${personal.mail}?phone=${personal.phone}`));
  errors.push(await call("/api/v1/accounts", apiKey, { method: "POST", headers: json, body: `{"${personal.note}": ` }));
  errors.push(
    await call("/api/v1/search", apiKey, {
      method: "POST",
      headers: json,
      body: JSON.stringify({ entity: personal.given, text: [personal.mail] }),
    }),
  );
  const refusals = [
    await hook("one", {
      body: JSON.stringify({ mail: personal.mail }),
      secret: "whsec_Zm9yZ2VkLXNlY3JldC1mb3JnZWQtc2VjcmV0",
    }),
    await hook(personal.mail, { body: JSON.stringify({ mail: personal.mail }) }),
    await hook("one", { body: `{"broken": "${personal.given}` }),
    await hook("one", { body: JSON.stringify({ type: personal.note, data: { id: personal.mail } }) }),
  ];
  for (const response of refusals) errors.push(await response.text());

  // Systems and a store that fail with canaries in their words.
  service.emit({
    kind: "state",
    connection: "one",
    state: "failing",
    reason: `401 for ${personal.mail}, key ${secrets.hook}`,
  });
  service.emit({
    kind: "channel",
    connection: "one",
    what: "failed",
    reason: `refused ${secrets.wecom} of ${personal.mobile}`,
  });
  service.emit({ kind: "store", ok: false, reason: `locked by ${personal.mail}` });
  await until("the alerts arrived", () =>
    [bot, lark, ops].every(({ taken }) => taken.some((one) => /store|存储/i.test(one))),
  );
  await until("the dead channel was tried", () => lines.length > 0);
  left.metrics = await (await fetch(`${server.url}/metrics`)).text();
  await kit.stop();
  await tracing.stop();
  left.log = lines.join("");
  left.errors = errors.join("\n");
  left.alerts = [bot, lark, ops].flatMap(({ taken }) => taken).join("\n");
  left.traces = traces.bodies.join("\n");
  traces.server.close();
}, 60_000);

afterAll(async () => {
  for (const receiver of receivers) await receiver.close();
});

describe("what leaves a hub that works, fails and complains", () => {
  it("is something at all", () => {
    expect(left.log).toContain('"message":"pulled"');
    expect(left.log).toContain('"message":"request"');
    expect(left.log).toContain('"verdict":"refused"');
    expect(left.log).toContain('"message":"failing"');
    expect(left.metrics).toContain('syncline_pushes_total{connection="two"');
    expect(left.metrics).toContain('syncline_alerts_firing{rule="store"');
    expect(left.errors).toContain("unauthorized");
    expect(left.alerts).toContain("The store does not read or write");
    expect(left.alerts).toContain("存储无法读写");
    expect(left.traces).toMatch(/^\/v1\/traces /);
    expect(left.traces).toContain('"name":"sync.pull"');
    expect(left.traces).toContain('"name":"http.answer"');
    expect(left.traces).toContain('"stringValue":"syncline"');
  });

  it("was full of them inside", () => {
    for (const value of [personal.given, personal.family, personal.mail, personal.phone]) {
      expect(left.shown).toContain(value);
    }
  });

  it.each(["log", "metrics", "errors", "alerts", "traces"])("holds no personal value and no secret: %s", (way) => {
    const text = left[way] ?? "";
    expect(text).not.toBe("");
    for (const canary of [...Object.values(personal), ...Object.values(secrets), apiKey, "4915112345678"]) {
      expect(`${canary} in it: ${text.includes(canary)}`).toBe(`${canary} in it: false`);
    }
  });
});
