/** The API over a real hub on a real store, filled by a real sync with two simulated systems. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Effect } from "effect";
import type { Hono } from "hono";
import { registry } from "../../config/registry.ts";
import { createMemorySimulator } from "../../connectors/memory/simulator.ts";
import { readConfig } from "../../core/config/read.ts";
import { createApp } from "../../core/http/app.ts";
import type { AppOptions } from "../../core/http/options.ts";
import { createKey, type NewKey } from "../../core/hub/keys.ts";
import { connectHub, type Hub, openHub } from "../../core/hub/open.ts";
import { plan } from "../../core/hub/plan.ts";
import { runSync } from "../../core/hub/run.ts";
import type { Service } from "../../core/hub/service.ts";
import { type Role, roles } from "../../core/security/roles.ts";
import type { Simulator } from "../../core/simulator.ts";
import { serveSimulator } from "../../core/simulator-server.ts";
import { listConnections } from "../../core/store/browse.ts";
import { type StillClock, stillClock } from "./clock.ts";
import { storeFor } from "./engine-place.ts";

/** Personal values that stand nowhere else. */
export const canaries = {
  given: "Quetzalina",
  family: "Zygmuntowska",
  mail: "quetzalina.canary@birdcage.com",
  mobile: "+4915112345678",
  phone: "+4930777123",
  otherPhone: "+4930777456",
  note: "canary-sings-a-secret-song",
} as const;

export interface Called {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The answer as JSON. */
  readonly body: Record<string, unknown>;
}

export interface CallOptions {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** A role's own key, a key's text, or null for none. */
  readonly as?: Role | (string & {}) | null;
}

export interface HttpKit {
  readonly app: Hono;
  readonly service: Service;
  readonly hub: Hub;
  readonly clock: StillClock;
  readonly folder: string;
  readonly one: Simulator;
  readonly two: Simulator;
  /** Ids in system one of the account and the contact that hold the canaries. */
  readonly remote: { readonly account: string; readonly contact: string };
  /** What the service was asked to do. */
  readonly asked: ReadonlyArray<string>;
  /** What the log was told. */
  readonly logged: ReadonlyArray<unknown>;
  readonly keyOf: (role: Role) => string;
  readonly makeKey: (more: Partial<NewKey>) => Promise<{ readonly id: string; readonly text: string }>;
  /** Below /api/v1. */
  readonly call: (path: string, options?: CallOptions) => Promise<Called>;
  readonly sync: () => Promise<void>;
  /** The account of this name. */
  readonly account: (name: string) => Promise<Record<string, unknown> & { readonly id: string }>;
  readonly close: () => Promise<void>;
}

export async function createHttpKit(
  more: Partial<AppOptions> & { readonly accounts?: number; readonly onlyOne?: boolean } = {},
): Promise<HttpKit> {
  const folder = mkdtempSync(join(tmpdir(), "syncline-http-"));
  const clock = stillClock();
  const [one, two] = [createMemorySimulator({ clock }), createMemorySimulator({ clock })];
  const remote = fill(one, two, more.accounts ?? 8);
  const [serverOne, serverTwo] = [await serveSimulator(one), await serveSimulator(two)];
  clock.advance(3_600_000);
  const { config, problems } = readConfig({
    text: yaml(await storeFor(join(folder, "hub.db")), serverOne.url, serverTwo.url, more.onlyOne !== true),
    file: "syncline.yaml",
    env: {},
    connectors: registry.connectors,
  });
  if (config === null) throw new Error(JSON.stringify(problems));
  const logged: Array<unknown> = [];
  const log = {
    info: (...said: ReadonlyArray<unknown>) => logged.push(said),
    warn: (...said: ReadonlyArray<unknown>) => logged.push(said),
  };
  const key = Buffer.alloc(32, 5).toString("base64");
  const hub = await Effect.runPromise(openHub({ config, key, clock, log }));
  const sync = async (): Promise<void> => {
    clock.advance(60_000);
    await Effect.runPromise(runSync(hub, { full: false }));
  };
  await sync();
  await sync();
  const asked: Array<string> = [];
  let calls = 0;
  const service = serviceOver(hub, asked);
  const app = createApp({
    service,
    encoders: registry.encoders,
    clock,
    log,
    version: "0.0.0-test",
    // Each call comes from another place, unless a test says otherwise.
    addressOf: () => `place-${calls++}`,
    ...more,
  });
  const makeKey: HttpKit["makeKey"] = async (wanted) => {
    const made = await Effect.runPromise(
      createKey(hub, "cli:test", { name: "test", role: "viewer", scopes: [], expiresAt: null, ...wanted }),
    );
    return { id: made.key.id, text: made.text };
  };
  const keys = new Map<string, string>();
  for (const role of roles) keys.set(role, (await makeKey({ name: role, role })).text);
  const call: HttpKit["call"] = async (path, { method = "GET", body, headers = {}, as = "admin" } = {}) => {
    // Tests make many calls; the bucket fills up again between them.
    clock.advance(1000);
    const response = await app.request(`/api/v1${path}`, {
      method,
      headers: {
        ...(as === null ? {} : { Authorization: `Bearer ${keys.get(as) ?? as}` }),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = /^application\/(problem\+)?json/.test(response.headers.get("Content-Type") ?? "");
    return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : {} };
  };
  return {
    app,
    service,
    hub,
    clock,
    folder,
    one,
    two,
    remote,
    asked,
    logged,
    keyOf: (role) => keys.get(role) ?? "",
    makeKey,
    call,
    sync,
    account: async (name) => {
      const { body } = await call(`/accounts?limit=500`);
      const items = body.items as ReadonlyArray<{ readonly id: string; readonly values: { readonly name: string } }>;
      const found = items.find(({ values }) => values.name === name);
      if (found === undefined) throw new Error(`no account is called ${name}`);
      return { ...found };
    },
    close: async () => {
      await hub.close();
      await serverOne.close();
      await serverTwo.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const yaml = (store: string, one: string, two: string, creates: boolean): string => `
hub: { name: test, store: "${store}", country: DE, currency: EUR }
connections:
  one: { use: memory, baseUrl: "${one}", apiKey: simulated-key, key: { account: Hub_Id, contact: Hub_Id }, defaultOwner: ann@example.com }
  two: { use: memory, create: { account: ${creates}, contact: ${creates} }, baseUrl: "${two}", apiKey: simulated-key, key: { account: Hub_Id, contact: Hub_Id }, defaultOwner: ann@example.com }
policy:
  account: { default: [newest, { prefer: [one, two] }], fields: { phone: manual, industry: manual } }
`;

function fill(one: Simulator, two: Simulator, accounts: number): HttpKit["remote"] {
  const birdcage = { Name: "Birdcage", Domain: "birdcage.com", Notes: canaries.note };
  const cage = one.screen.create("account", { ...birdcage, Phone: canaries.phone, Industry: "Zoo" });
  two.screen.create("account", { ...birdcage, Phone: canaries.otherPhone, Industry: "Pets" });
  const contact = one.screen.create("contact", {
    FirstName: canaries.given,
    LastName: canaries.family,
    CompanyId: cage,
    Email: canaries.mail,
    Mobile: canaries.mobile,
  });
  for (let number = 1; number < accounts; number++) {
    one.screen.create("account", { Name: `Company ${number}`, Domain: `company-${number}.com`, Industry: "Retail" });
  }
  return { account: cage, contact };
}

function serviceOver(hub: Hub, asked: Array<string>): Service {
  const names = hub.config.connections.map((one) => one.name);
  const ask = (what: string, name: string, actor: string) =>
    Effect.sync(() => {
      if (!names.includes(name)) {
        return { kind: "refused", reason: `There is no connection ${name}.`, remedy: "Name another one." } as const;
      }
      asked.push(`${what} ${name} ${actor}`);
      return { kind: "taken" } as const;
    });
  const reloadPlan = { added: ["three"], gone: [], changed: [], hub: [], needsRestart: [] };
  return {
    hub: () => hub,
    connections: () =>
      Effect.map(listConnections(hub), (states) =>
        states.map(({ name, system, reason }) => ({
          name,
          system,
          state: "running" as const,
          reason,
          until: null,
          busyWith: [],
          nextPullAt: null,
          nextSweepAt: null,
          channel: null,
          elsewhere: null,
        })),
      ),
    readiness: () => ({ ready: true, reason: null }),
    pause: (name, actor) => ask("pause", name, actor),
    resume: (name, actor) => ask("resume", name, actor),
    syncNow: (name, full, actor) => ask(full ? "sweep" : "sync", name, actor),
    plan: (options) =>
      Effect.acquireUseRelease(
        connectHub(hub, options.names),
        (live) => plan(hub, live, options),
        (live) => Effect.promise(live.close),
      ),
    previewReload: () => Effect.succeed({ kind: "done", plan: reloadPlan }),
    reload: (actor) =>
      Effect.sync(() => {
        asked.push(`reload ${actor}`);
        return { kind: "done", plan: reloadPlan } as const;
      }),
  };
}
