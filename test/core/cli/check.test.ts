import { writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFxiaokeSimulator, hubKeyField } from "../../../connectors/fxiaoke/simulator.ts";
import { createZohoSimulator } from "../../../connectors/zoho/simulator.ts";
import { systemClock } from "../../../core/net/clock.ts";
import { type SimulatorServer, serveSimulator } from "../../../core/simulator-server.ts";
import { type CliKit, createCliKit } from "../../kit/cli-kit.ts";

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
});
