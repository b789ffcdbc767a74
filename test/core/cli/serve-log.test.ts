import { existsSync, writeFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { createMemorySimulator } from "../../../connectors/memory/simulator.ts";
import { levelOf } from "../../../core/cli/serve-log.ts";
import { systemClock } from "../../../core/net/clock.ts";
import { type SimulatorServer, serveSimulator } from "../../../core/simulator-server.ts";
import { type CliKit, createCliKit } from "../../kit/cli-kit.ts";

let kit: CliKit | undefined;
let server: SimulatorServer | undefined;
afterEach(async () => {
  kit?.remove();
  await server?.close();
});

async function served(options: { readonly env?: Record<string, string>; readonly argv?: ReadonlyArray<string> }) {
  const made = createCliKit({ env: options.env ?? {} });
  kit = made;
  const simulator = createMemorySimulator({ clock: systemClock });
  simulator.screen.create("account", { Name: "Acme", Domain: "acme.example" });
  server = await serveSimulator(simulator);
  const one = { use: "memory", ...simulator.connection(server.url), key: { account: "Hub_Id", contact: "Hub_Id" } };
  const hub = { name: "acme", store: `sqlite:${made.file("hub.db")}` };
  writeFileSync(made.file("syncline.yaml"), stringify({ hub, serve: { port: 0 }, connections: { one } }));
  const running = made.run("serve", ...(options.argv ?? []));
  while (!existsSync(made.file("hub.db.pid"))) await systemClock.sleep(10);
  made.stop();
  return running;
}

describe("serve", () => {
  it("writes JSON lines where nobody looks, the first with its address", async () => {
    const { code, out } = await served({});
    expect(code).toBe(0);
    const lines = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines[0]).toMatchObject({ level: "info", url: expect.stringMatching(/^http:/), pid: process.pid });
    expect(lines[0].message).toContain("acme listens on http://127.0.0.1:");
    expect(lines.at(-1)).toMatchObject({ level: "info", message: "stopping" });
  });

  it("logs as much as the option says, before the environment", async () => {
    expect((await served({ env: { SYNCLINE_LOG: "info" }, argv: ["--log-level", "error"] })).out).toBe("");
  });

  it("refuses a level that there is not", () => {
    expect(levelOf({ env: {} })).toBe("info");
    expect(levelOf({ env: { SYNCLINE_LOG: "debug" } })).toBe("debug");
    expect(() => levelOf({ env: { SYNCLINE_LOG: "loud" } })).toThrow("SYNCLINE_LOG is loud");
  });
});
