/**
 * A running hub between the simulated Zoho and the simulated Fxiaoke, whose couriers post what the vendors call: all
 * over real sockets, and without any schedule.
 */
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Effect } from "effect";
import { stringify } from "yaml";
import { registry } from "../../config/registry.ts";
import { createFxiaokeSimulator, type FxiaokeSimulator, hubKeyField } from "../../connectors/fxiaoke/simulator.ts";
import { createZohoSimulator, type ZohoSimulator } from "../../connectors/zoho/simulator.ts";
import { readConfig } from "../../core/config/read.ts";
import type { Clock } from "../../core/connector.ts";
import { createFaces } from "../../core/http/faces.ts";
import { listen } from "../../core/http/listen.ts";
import type { ServiceEvent } from "../../core/hub/events.ts";
import { openHub } from "../../core/hub/open.ts";
import { type RunningService, startService } from "../../core/hub/start-service.ts";
import { systemClock } from "../../core/net/clock.ts";
import { type Courier, type CourierFaults, startCourier } from "../../core/simulator-courier.ts";
import { serveSimulator } from "../../core/simulator-server.ts";

export const zohoName = "zoho-eu";
export const fxiaokeName = "fxiaoke-cn";

export interface HookedKit {
  readonly zoho: ZohoSimulator;
  readonly fxiaoke: FxiaokeSimulator;
  readonly service: RunningService;
  readonly events: ReadonlyArray<ServiceEvent>;
  readonly couriers: ReadonlyArray<Courier>;
  /** Moves the clock that the hub and both vendors have. */
  readonly advance: (ms: number) => void;
  /** Reads the YAML again, with this in the place of Zoho's `webhook`. */
  readonly reload: (webhook: boolean | null) => Promise<void>;
  readonly until: (what: string, isSo: () => boolean | Promise<boolean>) => Promise<void>;
  readonly stop: () => Promise<void>;
}

const dayMs = 24 * 3_600_000;
const waitMsMax = 20_000;
const stepMs = 20;

export interface HookedOptions {
  /** Accounts that Zoho has at the start. */
  readonly accounts: number;
  readonly faults?: CourierFaults;
}

export const nameOf = (index: number): string => `Example ${index} GmbH`;

export async function createHookedKit({ accounts, faults = {} }: HookedOptions): Promise<HookedKit> {
  let offsetMs = -dayMs;
  const clock: Clock = { now: () => Date.now() + offsetMs, sleep: systemClock.sleep };
  const folder = mkdtempSync(join(tmpdir(), "syncline-hooked-"));
  const zoho = createZohoSimulator({ clock });
  const fxiaoke = createFxiaokeSimulator({ clock, switches: { throttleCalls: 5_000 } });
  for (let index = 1; index <= accounts; index++)
    zoho.screen.create("account", { Account_Name: nameOf(index), Website: `https://www.example-${index}.com` });
  offsetMs = 0;
  const servers = [await serveSimulator(zoho), await serveSimulator(fxiaoke)];
  const [zohoUrl = "", fxiaokeUrl = ""] = servers.map(({ url }) => url);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const contact = false;
  // A handful of accounts that are all edited again and again is what a brake is there for.
  const brake = { records: 10_000 };
  const connections: Record<string, Record<string, unknown>> = {
    [zohoName]: {
      use: "zoho",
      ...zoho.connection(zohoUrl),
      ...zoho.hookTo(`${url}/hooks/${zohoName}`),
      key: { account: "Hub_Id" },
      create: { contact },
      brake,
    },
    [fxiaokeName]: {
      use: "fxiaoke",
      ...fxiaoke.connection(fxiaokeUrl),
      ...fxiaoke.hookTo(`${url}/hooks/${fxiaokeName}`),
      key: { account: hubKeyField },
      create: { contact },
      brake,
      owners: { "ann@example.com": "zhang.san@example.com" },
      defaultOwner: "zhang.san@example.com",
    },
  };
  const yaml = { hub: { name: "test", store: `sqlite:${join(folder, "hub.db")}` }, serve: { url, port }, connections };
  const read = () =>
    readConfig({ text: stringify(yaml), file: "syncline.yaml", env: {}, connectors: registry.connectors });
  const { config, problems } = read();
  if (config === null) throw new Error(JSON.stringify(problems));
  const log = { info: () => undefined, warn: () => undefined };
  const hub = await Effect.runPromise(openHub({ config, key: undefined, clock, log }));
  const events: Array<ServiceEvent> = [];
  const service = await startService({ hub, readConfig: read, listeners: [(event) => events.push(event)] });
  const faces = createFaces({ service, encoders: registry.encoders, clock, log, version: "0.0.0-test" });
  const server = await listen(faces, config.serve);
  const couriers = [zoho, fxiaoke].map(({ notices }, index) =>
    startCourier(notices, { ...faults, seed: (faults.seed ?? 1) + index }),
  );
  const until: HookedKit["until"] = async (what, isSo) => {
    for (let waitedMs = 0; waitedMs < waitMsMax; waitedMs += stepMs) {
      if (await isSo()) return;
      await systemClock.sleep(stepMs);
    }
    throw new Error(`it has not come to this within ${waitMsMax} ms: ${what}`);
  };
  return {
    zoho,
    fxiaoke,
    service,
    events,
    couriers,
    advance: (ms) => {
      offsetMs += ms;
    },
    reload: async (webhook) => {
      if (webhook === null) delete connections[zohoName];
      else Object.assign(connections[zohoName] ?? {}, { webhook });
      await Effect.runPromise(service.reload("test"));
    },
    until,
    stop: async () => {
      for (const courier of couriers) await courier.close();
      await server.close(1000);
      await service.stop(5000);
      await hub.close();
      for (const one of servers) await one.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The vendors must know the address before the hub listens on it. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
