import { passthrough, http as route } from "msw";
import { setupServer } from "msw/node";
import { afterEach, describe, expect, it } from "vitest";
import { dataCentres, type Region, regions } from "../../../connectors/zoho/config.ts";
import { zoho } from "../../../connectors/zoho/index.ts";
import { createZohoSimulator, credentials, seedZoho } from "../../../connectors/zoho/simulator.ts";
import { AuthFailed, RateLimited } from "../../../core/connector.ts";
import { createTools } from "../../../core/net/tools.ts";
import { stillClock } from "../../kit/clock.ts";
import { pagesOf, recordsIn } from "../../kit/contract/world.ts";
import { zohoWorld } from "./kit.ts";

const minuteMs = 60_000;
const tokenPath = "POST /oauth/v2/token";

describe("access tokens", () => {
  it("are asked for once by many calls, and kept for the next process", async () => {
    const world = await zohoWorld();
    await Promise.all(Array.from({ length: 4 }, () => world.api.people()));
    await world.reconnect().people();
    expect(world.calls(tokenPath)).toBe(1);
    expect(world.simulator.tokensAlive()).toBe(1);
  });

  it("are refreshed before they end, and once for all when they were killed", async () => {
    const world = await zohoWorld();
    await world.api.people();
    world.clock.advance(59 * minuteMs);
    await world.api.people();
    expect(world.calls(tokenPath)).toBe(2);
    // A token that Zoho refused would have shown as a second call.
    expect(world.calls("GET /crm/v8/users")).toBe(2);
    world.simulator.expireTokens();
    await Promise.all(Array.from({ length: 4 }, () => world.api.people()));
    expect(world.calls(tokenPath)).toBe(3);
  });

  it("are asked for once more and no more when a fresh one is refused too", async () => {
    const world = await zohoWorld();
    world.simulator.faults.add({ fault: "expire-token", path: "/users", times: 10 });
    await expect(world.api.people()).rejects.toMatchObject({ _tag: "AuthFailed" });
    expect(world.calls(tokenPath)).toBe(2);
    expect(world.calls("GET /crm/v8/users")).toBe(2);
  });

  it("of one API server are not used with another", async () => {
    const kept = new Map();
    const clock = stillClock();
    const simulator = createZohoSimulator({ clock });
    const server = setupServer(route.all("https://*/*", ({ request }) => simulator.fetch(request)));
    server.listen();
    try {
      const connect = (apiUrl: string | undefined) =>
        zoho.connect(
          { region: "us", auth: credentials, ...(apiUrl === undefined ? {} : { apiUrl }) },
          createTools({
            connection: "zoho",
            limits: { calls: {}, heavy: {}, credits: {}, token: {}, download: {} },
            allowedHosts: [],
            tokens: {
              load: async (name) => kept.get(name) ?? null,
              save: async (name, token) => void kept.set(name, token),
            },
            counters: { used: async () => 0, set: async () => undefined },
            clock,
            log: { info: () => undefined, warn: () => undefined },
          }).forLane("user"),
        );
      expect(await connect("https://proxy.acme.example").people()).toHaveLength(4);
      expect(await connect(undefined).people()).toHaveLength(4);
    } finally {
      server.close();
    }
  });
});

describe("a refused refresh token", () => {
  it.each([
    [{ ...credentials, refreshToken: "1000.old" }, /consent again/i],
    [{ ...credentials, clientId: "1000.OTHER" }, /clientId and region/],
    [{ ...credentials, clientSecret: "wrong" }, /clientSecret/],
  ])("says what to do, and is not asked for again at once (%#)", async (auth, remedy) => {
    const world = await zohoWorld({ keys: { auth } });
    for (let call = 0; call < 5; call += 1) {
      const fault = await world.api.people().catch((error: unknown) => error);
      expect(fault).toBeInstanceOf(AuthFailed);
      expect((fault as AuthFailed).remedy).toMatch(remedy);
    }
    expect(world.calls(tokenPath)).toBe(1);
    world.clock.advance(10 * minuteMs);
    await world.api.people().catch(() => undefined);
    expect(world.calls(tokenPath)).toBe(2);
  });

  it("is told from a token endpoint that is asked too often", async () => {
    const world = await zohoWorld();
    for (let request = 0; request < 10; request += 1) {
      await world.simulator.fetch(new Request("https://accounts.zoho.com/oauth/v2/token", { method: "POST" }));
    }
    const before = world.calls(tokenPath);
    const fault = await world.api.people().catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(RateLimited);
    expect((fault as RateLimited).retryAt).toBe(world.clock.now() + 10 * minuteMs);
    expect(world.calls(tokenPath)).toBe(before + 1);
    world.clock.advance(10 * minuteMs);
    expect(await world.api.people()).toHaveLength(4);
  });
});

describe("the data centres", () => {
  const servers: Array<{ close: () => void }> = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  /** Serves an organisation of `home` under the hosts of all data centres. */
  function connection(region: Region, home: Region) {
    const clock = stillClock();
    const simulator = createZohoSimulator({ clock, region: home });
    const hosts = new Set<string>();
    const server = setupServer(
      route.all("https://*/*", ({ request }) => {
        hosts.add(new URL(request.url).origin);
        return simulator.fetch(request);
      }),
      route.all("http://*", () => passthrough()),
    );
    server.listen();
    servers.push(server);
    seedZoho(simulator, { accounts: 3 });
    const config = { region, auth: credentials };
    const tools = createTools({
      connection: "zoho",
      limits: zoho.limits(config),
      allowedHosts: [],
      tokens: { load: async () => null, save: async () => undefined },
      counters: { used: async () => 0, set: async () => undefined },
      clock,
      log: { info: () => undefined, warn: () => undefined },
    }).forLane("user");
    return { api: zoho.connect(config, tools), hosts };
  }

  it.each(regions)("%s is reached at its own accounts and API servers", async (region) => {
    const { api, hosts } = connection(region, region);
    expect(recordsIn(await pagesOf(api, "account", { fields: ["Account_Name"] }))).toHaveLength(3);
    expect(hosts).toEqual(new Set([dataCentres[region].accountsUrl, dataCentres[region].apiUrl]));
  });

  it("refuse a client of another one, with a word about the region", async () => {
    const { api } = connection("eu", "us");
    const fault = await api.people().catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(AuthFailed);
    expect((fault as AuthFailed).remedy).toContain("region");
  });
});
