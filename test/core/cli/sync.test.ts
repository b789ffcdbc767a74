import { writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMemorySimulator } from "../../../connectors/memory/simulator.ts";
import { type SimulatorServer, serveSimulator } from "../../../core/simulator-server.ts";
import { type CliKit, createCliKit } from "../../kit/cli-kit.ts";
import { type StillClock, stillClock } from "../../kit/clock.ts";

let kit: CliKit;
let clock: StillClock;
let server: SimulatorServer;
let simulator: ReturnType<typeof createMemorySimulator>;

beforeEach(async () => {
  clock = stillClock();
  kit = createCliKit({ clock });
  simulator = createMemorySimulator({
    clock,
    faults: { rules: [{ fault: "drop", path: "/writes", times: 1 }] },
  });
  server = await serveSimulator(simulator);
  writeFileSync(kit.file("customers.csv"), "No,Company\n1,Acme Tools\n2,Birch Foods\n");
  writeFileSync(
    kit.file("syncline.yaml"),
    JSON.stringify({
      hub: { store: `sqlite:${kit.file("hub.db")}` },
      connections: {
        list: { use: "file", path: kit.file("customers.csv"), id: "No" },
        crm: { use: "memory", ...simulator.connection(server.url), key: { account: "Hub_Id", contact: "Hub_Id" } },
      },
    }),
  );
});

afterEach(async () => {
  await server.close();
  kit.remove();
});

describe("sync", () => {
  it("says how many creates were not answered and until when they wait, and makes none twice", async () => {
    const first = await kit.run("sync");
    expect(first.out).toMatch(/crm: 2 creates sent without an answer\. .* after \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/);
    expect(first.code).toBe(1);
    clock.advance(1_000);
    const waits = await kit.run("sync", "--json");
    expect(waits.code).toBe(3);
    expect(waits.json()).toMatchObject({
      connections: [
        { name: "list", unclear: null },
        { name: "crm", outcome: { kind: "ok" }, unclear: { creates: 2, until: expect.any(Number) } },
      ],
    });
    expect(simulator.screen.list("account")).toEqual([]);
    clock.advance(10 * 60_000);
    const after = await kit.run("sync");
    expect([after.code, after.out.includes("without an answer")]).toEqual([0, false]);
    expect(simulator.screen.list("account")).toHaveLength(2);
  });
});
