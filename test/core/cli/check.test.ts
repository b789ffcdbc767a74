import { writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFxiaokeSimulator, hubKeyField } from "../../../connectors/fxiaoke/simulator.ts";
import { createMemorySimulator } from "../../../connectors/memory/simulator.ts";
import { createZohoSimulator } from "../../../connectors/zoho/simulator.ts";
import { systemClock } from "../../../core/net/clock.ts";
import type { Simulator } from "../../../core/simulator.ts";
import { type SimulatorServer, serveSimulator } from "../../../core/simulator-server.ts";
import { type CliKit, createCliKit } from "../../kit/cli-kit.ts";
import { stillClock } from "../../kit/clock.ts";

let kit: CliKit;
let server: SimulatorServer | undefined;

beforeEach(() => {
  kit = createCliKit();
});

afterEach(async () => {
  await server?.close();
  server = undefined;
  kit.remove();
});

/** One connection; JSON is YAML as well. */
const configure = (connection: Readonly<Record<string, unknown>>): void =>
  writeFileSync(
    kit.file("syncline.yaml"),
    JSON.stringify({ hub: { store: `sqlite:${kit.file("hub.db")}` }, connections: { crm: connection } }),
  );

describe("a system that does not answer", () => {
  let called = 0;
  let dead: Server;

  beforeEach(async () => {
    kit.remove();
    kit = createCliKit({ clock: stillClock() });
    called = 0;
    dead = createServer((request) => {
      called += 1;
      request.socket.destroy();
    });
    await new Promise<void>((done) => dead.listen(0, "127.0.0.1", done));
    const { port } = dead.address() as AddressInfo;
    configure({
      use: "memory",
      baseUrl: `http://127.0.0.1:${port}`,
      apiKey: "k",
      create: { account: false, contact: false },
    });
  });

  afterEach(() => new Promise((done) => dead.close(done)));

  it("is asked once by check, which says what to look at", async () => {
    const { code, out, err } = await kit.run("check");
    expect([code, called, err]).toEqual([1, 1, ""]);
    expect(out).toContain("cut the connection");
    expect(out).toContain("Check the address in the YAML");
    expect(out).not.toContain("cursor");
  });

  it("is asked again by sync, which says so", async () => {
    const { code, out, err } = await kit.run("sync");
    expect([code, called]).toEqual([1, 6]);
    expect(err).toMatch(/^crm: 127\.0\.0\.1:\d+\/users cut the connection\. It is tried again, up to 5 times\.\n$/);
    expect(out).toContain("goes on where it stopped");
  });
});

describe("check", () => {
  it.each([
    ["zoho", createZohoSimulator({ clock: systemClock }), "Hub_Id", "clientSecret"],
    ["fxiaoke", createFxiaokeSimulator({ clock: systemClock }), hubKeyField, "appSecret"],
  ])(
    "finds wrong credentials of %s while a token of the right ones is still good",
    async (use, simulator, key, secret) => {
      server = await serveSimulator(simulator);
      const keys = { use, ...simulator.connection(server.url), key: { account: key, contact: key } };
      configure(keys);
      expect((await kit.run("check")).code).toBe(0);
      configure({ ...keys, auth: { ...(keys as { auth?: object }).auth, [secret]: "not-the-secret" } });
      const wrong = await kit.run("check");
      expect([wrong.code, wrong.out.includes("all good"), wrong.out.includes("not-the-secret")]).toEqual([
        1,
        false,
        false,
      ]);
      configure(keys);
      expect((await kit.run("check")).code).toBe(0);
    },
  );

  it("warns of a required field that no create would fill, and not of one that the YAML fills", async () => {
    const simulator = createFxiaokeSimulator({
      clock: systemClock,
      switches: { requiredFields: ["account_type"] },
    });
    server = await serveSimulator(simulator);
    const keys = {
      use: "fxiaoke",
      ...simulator.connection(server.url),
      key: { account: hubKeyField, contact: hubKeyField },
    };
    configure(keys);
    const { code, out } = await kit.run("check");
    expect(code).toBe(0);
    expect(out).toMatch(/crm: warning: AccountObj: account_type .* is required there, and the map does not fill it/);
    configure({ ...keys, map: { account: { lifecycleStage: "account_type" } } });
    expect((await kit.run("check")).out).not.toContain("is required there");
    configure({ ...keys, create: { account: false, contact: false } });
    expect((await kit.run("check")).out).not.toContain("is required there");
  });

  it("names the columns of a file that nothing reads", async () => {
    const write = (rows: string): void => writeFileSync(kit.file("list.csv"), rows);
    const keys = { use: "file", path: kit.file("list.csv"), id: "No", modifiedColumn: "Changed" };
    write("No,Company,Region,Changed,Segment\n1,Acme,North,2026-01-05,A\n");
    configure(keys);
    const { code, out } = await kit.run("check");
    expect([code, out.includes("Nothing reads these columns: Segment.")]).toEqual([0, true]);
    configure({ ...keys, map: { account: { rating: "Segment" } } });
    expect((await kit.run("check")).out).not.toContain("Nothing reads");
  });

  it.each<[string, string, () => Simulator, ReadonlyArray<string>]>([
    ["fxiaoke without its aesKey", "fxiaoke", () => createFxiaokeSimulator({ clock: systemClock }), ["aesKey"]],
    ["a system that makes no calls of its own", "memory", () => createMemorySimulator({ clock: systemClock }), []],
  ])("says that webhook: true cannot be for %s, and what can", async (_, use, simulate, without) => {
    const simulator = simulate();
    server = await serveSimulator(simulator);
    const keys = Object.fromEntries(
      Object.entries(simulator.connection(server.url)).filter(([name]) => !without.includes(name)),
    );
    const create = { account: false, contact: false };
    configure({ use, ...keys, create, webhook: true });
    const { code, out } = await kit.run("check");
    expect(code).toBe(1);
    expect(out).toContain("crm: error: `webhook: true`");
    expect(out).toContain("webhook: { secrets: [...] }");
    configure({
      use,
      ...keys,
      create,
      pull: { every: "*/5 * * * *" },
      webhook: { secrets: ["whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"] },
    });
    expect((await kit.run("check")).out).not.toContain("webhook");
  });
});
