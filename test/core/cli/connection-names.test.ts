import { readFileSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMemorySimulator } from "../../../connectors/memory/simulator.ts";
import { systemClock } from "../../../core/net/clock.ts";
import { type SimulatorServer, serveSimulator } from "../../../core/simulator-server.ts";
import { type CliKit, createCliKit } from "../../kit/cli-kit.ts";

let kit: CliKit;
let server: SimulatorServer;
let simulator: ReturnType<typeof createMemorySimulator>;

const yaml = (change: (text: string) => string): void =>
  writeFileSync(kit.file("syncline.yaml"), change(readFileSync(kit.file("syncline.yaml"), "utf8")));

beforeEach(async () => {
  kit = createCliKit();
  simulator = createMemorySimulator({ clock: systemClock });
  server = await serveSimulator(simulator);
  writeFileSync(kit.file("one.csv"), "No,Company,Website,Phone\n1,Acme Tools,acme-tools.com,+1 512-555-1074\n");
  simulator.screen.create("account", { Name: "Acme Tools", Domain: "acme-tools.com", Phone: "+15125551075" });
  simulator.screen.create("account", { Name: "Birch Foods", Domain: "birch.com" });
  const crm = { use: "memory", ...simulator.connection(server.url), key: { account: "Hub_Id", contact: "Hub_Id" } };
  writeFileSync(
    kit.file("syncline.yaml"),
    JSON.stringify({
      hub: { store: `sqlite:${kit.file("hub.db")}` },
      connections: { list: { use: "file", path: kit.file("one.csv"), id: "No" }, crm },
      policy: { account: { default: ["newest", { prefer: ["list", "crm"] }], fields: { phone: "manual" } } },
    }),
  );
  expect((await kit.run("sync")).code).toBe(0);
});

afterEach(async () => {
  await server.close();
  kit.remove();
});

const accounts = async () => (await kit.run("accounts", "list", "--json")).json().items;
const renamed = (text: string) => text.replaceAll('"crm"', '"sales"');

describe("connections rename", () => {
  it("lets links, decisions and provenance follow: the next sync writes nothing and makes nothing", async () => {
    const before = await accounts();
    yaml(renamed);
    const answer = await kit.run("connections", "rename", "crm", "sales");
    expect([answer.code, answer.out]).toEqual([
      0,
      "crm is sales now, with its 2 links. A sync goes on where it was.\n",
    ]);
    const report = (await kit.run("sync", "--full", "--json")).json();
    expect(report).toMatchObject({
      connections: [
        { name: "list", applied: { created: 0, linked: 0 } },
        { name: "sales", applied: { created: 0, linked: 0 }, pushed: { created: 0, updated: 0, deleted: 0 } },
      ],
    });
    expect(await accounts()).toEqual(before);
    const [row] = (await kit.run("conflicts", "list", "--field", "phone", "--json")).json().items as [{ id: string }];
    expect((await kit.run("conflicts", "resolve", row.id, "--take", "sales")).code).toBe(0);
    expect(JSON.stringify(await accounts())).toContain("+15125551075");
    const known = (await kit.run("connections", "--json")).json().items as ReadonlyArray<{ readonly name: string }>;
    expect(known.map(({ name }) => name).toSorted()).toEqual(["list", "sales"]);
  });

  it("refuses a name that the YAML still has, one that it does not have, and one that is taken", async () => {
    const early = await kit.run("connections", "rename", "crm", "list");
    expect([early.code, early.err]).toEqual([2, expect.stringContaining("still names crm")]);
    const nowhere = await kit.run("connections", "rename", "crm", "sales");
    expect([nowhere.code, nowhere.err]).toEqual([2, expect.stringContaining("There is no connection sales")]);
    yaml(renamed);
    const taken = await kit.run("connections", "rename", "crm", "list");
    expect([taken.code, taken.err]).toEqual([2, expect.stringContaining("knows a connection list already")]);
    const unknown = await kit.run("connections", "rename", "crn", "sales");
    expect([unknown.code, unknown.err]).toEqual([2, expect.stringContaining("It knows: crm, list")]);
  });
});

describe("connections remove", () => {
  it("shows what would end, ends it when told to, and touches no record and no account", async () => {
    const before = await accounts();
    const held = simulator.screen.list("account").map((id) => simulator.screen.read("account", id));
    const refused = await kit.run("connections", "remove", "crm", "--yes");
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining("still names crm")]);
    yaml((text) => {
      const { connections, ...rest } = JSON.parse(text) as { connections: { list: unknown } };
      const policy = { account: { default: ["newest", { prefer: ["list"] }] } };
      return JSON.stringify({ ...rest, connections: { list: connections.list }, policy });
    });
    const shown = await kit.run("connections", "remove", "crm");
    expect(shown.out).toContain("crm: 2 links");
    expect(shown.out).toContain("Nothing was done");
    expect((await kit.run("connections", "remove", "crm", "--json")).json()).toMatchObject({
      removed: false,
      links: 2,
    });
    expect((await kit.run("connections", "remove", "crm", "--yes")).code).toBe(0);
    expect(await accounts()).toEqual(before);
    expect(simulator.screen.list("account").map((id) => simulator.screen.read("account", id))).toEqual(held);
    expect((await kit.run("sync")).code).toBe(0);
    expect((await kit.run("audit", "verify")).code).toBe(0);
    const again = await kit.run("connections", "remove", "crm", "--yes");
    expect([again.code, again.err]).toEqual([2, expect.stringContaining("knows no connection crm")]);
  });
});
