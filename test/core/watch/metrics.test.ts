import { Effect } from "effect";
import { afterEach, describe, expect, it } from "vitest";
import { createKey } from "../../../core/hub/keys.ts";
import type { Role } from "../../../core/security/roles.ts";
import { createServiceKit, type ServiceKit, type ServiceKitOptions } from "../../kit/service-kit.ts";

let kit: ServiceKit | undefined;
afterEach(async () => {
  await kit?.stop();
  kit = undefined;
});

const start = async (options?: ServiceKitOptions): Promise<ServiceKit> => {
  kit = await createServiceKit(options);
  return kit;
};

const scrape = async (of: ServiceKit, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${of.server.url}/metrics`, { headers });

/** The values of one metric by its labels, as they stand in the text. */
async function values(of: ServiceKit, name: string): Promise<Readonly<Record<string, number>>> {
  const text = await (await scrape(of)).text();
  const found: Record<string, number> = {};
  for (const line of text.split("\n")) {
    const match = /^([a-z_]+)(\{.*\})? ([-+.\deE]+)$/.exec(line);
    if (match?.[1] === name) found[match[2] ?? ""] = Number(match[3]);
  }
  return found;
}

const keyFor = async (of: ServiceKit, role: Role): Promise<Record<string, string>> => {
  const made = createKey(of.service.hub(), "cli:test", { name: "scraper", role, scopes: [], expiresAt: null });
  const { text } = await Effect.runPromise(made);
  return { Authorization: `Bearer ${text}` };
};

const held = (of: ServiceKit, system: string): number => of.systems[system]?.screen.list("account").length ?? 0;

describe("the metrics of a running hub", () => {
  it("tell per connection what was read, written and waits", async () => {
    const running = await start({
      keys: { one: { limits: { api: { concurrency: 4, daily: { count: 1000 } } } } },
      fill: ({ one }) => {
        one?.screen.create("account", { Name: "Acme", Domain: "acme.example" });
        one?.screen.create("account", { Name: "Beta", Domain: "beta.example" });
      },
    });
    await running.until("the other has both", () => held(running, "two") === 2);
    await running.until("it was counted", async () => {
      const pushes = await values(running, "syncline_pushes_total");
      return pushes['{connection="two",kind="created"}'] === 2;
    });
    expect(await values(running, "syncline_pulled_records_total")).toMatchObject({ '{connection="one"}': 2 });
    const pulls = await values(running, "syncline_pulls_total");
    expect(pulls['{connection="one",full="false",outcome="ok"}']).toBeGreaterThanOrEqual(1);
    const states = await values(running, "syncline_connection_state");
    expect(states['{connection="one",system="memory",state="running"}']).toBe(1);
    expect(states['{connection="one",system="memory",state="failing"}']).toBe(0);
    const ages = await values(running, "syncline_pull_age_seconds");
    expect(ages['{connection="one"}']).toBeLessThan(60);
    expect((await values(running, "syncline_dead_letters"))['{connection="two"}']).toBe(0);
    const quota = await values(running, "syncline_quota_units");
    expect(quota['{connection="one",limit="api"}']).toBe(1000);
    const left = await values(running, "syncline_quota_left_units");
    expect(left['{connection="one",limit="api"}']).toBeLessThan(1000);
    expect(Object.keys(left)).toEqual(['{connection="one",limit="api"}']);
  });

  it("tell how many of the compared fields agree, measured beside the work", async () => {
    const running = await start({
      fill: ({ one }) => one?.screen.create("account", { Name: "Acme", Domain: "acme.example" }),
    });
    await running.until("agreement was measured", async () => {
      const pairs = await values(running, "syncline_agreement_fields");
      return (pairs['{connection="one"}'] ?? 0) > 0;
    });
    expect(await values(running, "syncline_agreement_ratio")).toMatchObject({ '{connection="one"}': 1 });
  });

  it("count webhook calls by verdict, and names that are no connection as one", async () => {
    const running = await start();
    const body = JSON.stringify({ type: "companies.updated", data: { id: "gone" } });
    expect((await running.hook("one", { body })).status).toBe(200);
    expect((await running.hook("one", { body, secret: "whsec_d3Jvbmctc2VjcmV0LXRoYXQtaXMtbG9uZw==" })).status).toBe(
      401,
    );
    for (const name of ["x1", "x2", "x3"]) await running.hook(name, { body });
    expect(await values(running, "syncline_webhook_calls_total")).toEqual({
      '{connection="one",verdict="stored",status="200"}': 1,
      '{connection="one",verdict="refused",status="401"}': 1,
      '{connection="unknown",verdict="refused",status="404"}': 3,
    });
  });

  it("count requests by the pattern of their route, never by the address", async () => {
    const running = await start();
    const admin = await keyFor(running, "admin");
    await fetch(`${running.server.url}/api/v1/accounts/acc_quetzalina`, { headers: admin });
    await fetch(`${running.server.url}/quetzalina@birdcage.com`);
    await fetch(`${running.server.url}/api/v1/me`);
    const counts = await values(running, "syncline_http_request_seconds_count");
    expect(counts['{method="GET",route="/api/v1/accounts/:id",status="404"}']).toBe(1);
    expect(counts['{method="GET",route="/api/v1/me",status="401"}']).toBe(1);
    expect(JSON.stringify(counts)).not.toContain("quetzalina");
    expect(await values(running, "syncline_sign_ins_refused_total")).toEqual({ '{why="missing"}': 1 });
  });

  it("tell of the process and the store", async () => {
    const running = await start();
    const one = async (name: string): Promise<number> => (await values(running, name))[""] ?? Number.NaN;
    expect(await one("syncline_store_ok")).toBe(1);
    expect(await one("syncline_ready")).toBe(1);
    expect(await one("process_resident_memory_bytes")).toBeGreaterThan(10_000_000);
    expect(await one("syncline_uptime_seconds")).toBeGreaterThanOrEqual(0);
    running.service.emit({ kind: "store", ok: false, reason: "the disk is full" });
    expect(await one("syncline_store_ok")).toBe(0);
  });

  it("need no key on this machine, and one with the scope metrics from elsewhere", async () => {
    const running = await start();
    const type = (await scrape(running)).headers.get("Content-Type");
    expect(type).toBe("text/plain; version=0.0.4; charset=utf-8");
    const passedOn = { "X-Forwarded-For": "198.51.100.7" };
    expect((await scrape(running, passedOn)).status).toBe(401);
    expect((await scrape(running, { ...passedOn, ...(await keyFor(running, "viewer")) })).status).toBe(403);
    expect((await scrape(running, { ...passedOn, ...(await keyFor(running, "operator")) })).status).toBe(200);
    expect((await scrape(running, { Authorization: "Bearer nonsense" })).status).toBe(401);
  });
});
