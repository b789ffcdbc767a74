/** A whole running hub in this process: simulators on ports, a store in a folder, the service, and its server. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Effect } from "effect";
import { stringify } from "yaml";
import { registry } from "../../config/registry.ts";
import { createMemorySimulator } from "../../connectors/memory/simulator.ts";
import { readConfig } from "../../core/config/read.ts";
import type { Clock, Log } from "../../core/connector.ts";
import { createFaces } from "../../core/http/faces.ts";
import { type Listening, listen } from "../../core/http/listen.ts";
import type { Listener, ServiceEvent } from "../../core/hub/events.ts";
import { type Hub, openHub, type Traced } from "../../core/hub/open.ts";
import { type RunningService, startService } from "../../core/hub/start-service.ts";
import { systemClock } from "../../core/net/clock.ts";
import { signatureOf } from "../../core/net/standard-webhook.ts";
import type { Simulator } from "../../core/simulator.ts";
import { type SimulatorServer, serveSimulator } from "../../core/simulator-server.ts";
import { createWatch, type WatchOptions } from "../../core/watch/watch.ts";
import { storeFor } from "./engine-place.ts";

export const secret = "whsec_c3luY2xpbmUtdGVzdC1zZWNyZXQtMDEyMzQ1Njc4OQ==";

export interface ServiceKit {
  readonly folder: string;
  /** `one` and `two`: two tenants of Memory. */
  readonly systems: Readonly<Record<string, Simulator>>;
  readonly service: RunningService;
  readonly server: Listening;
  readonly events: ReadonlyArray<ServiceEvent>;
  /** As the YAML has them: for a second hub on the same folder. */
  readonly connections: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** The YAML that a reload reads. */
  readonly setYaml: (change: (yaml: Yaml) => void) => void;
  /** Sends a signed call; parts may be spoilt. */
  readonly hook: (connection: string, call: HookParts) => Promise<Response>;
  /** Waits until it is so; fails after a bound. */
  readonly until: (what: string, isSo: () => boolean | Promise<boolean>) => Promise<void>;
  readonly stop: () => Promise<void>;
}

interface Yaml {
  hub: Record<string, unknown>;
  serve: Record<string, unknown>;
  connections: Record<string, Record<string, unknown>>;
  policy?: Record<string, unknown>;
  alerts?: Readonly<Record<string, unknown>>;
}

export interface HookParts {
  readonly id?: string;
  readonly atMs?: number;
  readonly body: string | Uint8Array;
  readonly secret?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const waitMsMax = 10_000;
const stepMs = 10;

export interface ServiceKitOptions {
  readonly clock?: Clock;
  readonly names?: ReadonlyArray<string>;
  /** Keys over those that every connection gets. */
  readonly keys?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Connections beside those to the systems. */
  readonly connections?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Called with the simulators before the hub starts, to fill them. */
  readonly fill?: (systems: Readonly<Record<string, Simulator>>) => void;
  /** Keeps the folder of an earlier kit: a restart. */
  readonly folder?: string;
  /** The section `alerts:` of the YAML, and `serve.hosts`. */
  readonly alerts?: Readonly<Record<string, unknown>>;
  readonly hosts?: ReadonlyArray<string>;
  /** What `serve` gives the hub beside the YAML. */
  readonly log?: Log;
  readonly traced?: Traced;
  readonly watching?: Pick<WatchOptions, "say" | "redact">;
  readonly listeners?: ReadonlyArray<Listener>;
  /** Called with the open hub before the service starts. */
  readonly opened?: (hub: Hub) => void;
}

const key = Buffer.alloc(32, 5).toString("base64");

export function signedHeaders(parts: HookParts): Record<string, string> {
  const { id = `msg_${Math.random().toString(36).slice(2)}`, atMs = Date.now(), body, secret: by = secret } = parts;
  const timestamp = String(Math.floor(atMs / 1000));
  return {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${signatureOf(by, { id, timestamp, body })}`,
    ...parts.headers,
  };
}

export async function createServiceKit(options: ServiceKitOptions = {}): Promise<ServiceKit> {
  const { clock = systemClock, names = ["one", "two"], keys = {} } = options;
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), "syncline-serve-"));
  const servers = new Map<string, SimulatorServer>();
  const systems: Record<string, Simulator> = {};
  const yaml: Yaml = {
    hub: { name: "test", store: await storeFor(join(folder, "hub.db")) },
    serve: { port: 0, hosts: options.hosts ?? [] },
    connections: {},
    ...(options.alerts === undefined ? {} : { alerts: options.alerts }),
  };
  for (const name of names) {
    const simulator = createMemorySimulator({ clock });
    const server = await serveSimulator(simulator);
    systems[name] = simulator;
    servers.set(name, server);
    yaml.connections[name] = {
      use: "memory",
      ...simulator.connection(server.url),
      key: { account: "Hub_Id", contact: "Hub_Id" },
      webhook: { secrets: [secret] },
      limits: { api: { concurrency: 16 } },
      ...keys[name],
    };
  }
  Object.assign(yaml.connections, options.connections);
  options.fill?.(systems);
  const plugins = { connectors: registry.connectors, channels: registry.channels };
  const read = () => readConfig({ text: stringify(yaml), file: "syncline.yaml", env: {}, ...plugins });
  const { config, problems } = read();
  if (config === null) throw new Error(JSON.stringify(problems));
  const log = options.log ?? { info: () => undefined, warn: () => undefined };
  const tracing = options.traced === undefined ? {} : { traced: options.traced };
  const hub = await Effect.runPromise(openHub({ config, key, clock, log, ...tracing }));
  options.opened?.(hub);
  const events: Array<ServiceEvent> = [];
  const watch = await createWatch({ clock, version: "0.0.0-test", ...options.watching });
  const noting = (event: ServiceEvent) => void events.push(event);
  const listeners = [watch.hear, noting, ...(options.listeners ?? [])];
  const service = await startService({ hub, readConfig: read, listeners });
  watch.start(service);
  const faces = createFaces({ service, watch, encoders: registry.encoders, clock, log, version: "0.0.0-test" });
  const server = await listen(faces, config.serve);
  return {
    folder,
    systems,
    service,
    server,
    events,
    connections: yaml.connections,
    setYaml: (change) => change(yaml),
    hook: (connection, parts) =>
      fetch(`${server.url}/hooks/${connection}`, {
        method: "POST",
        headers: signedHeaders(parts),
        body: parts.body as string,
      }),
    until: async (what, isSo) => {
      for (let waitedMs = 0; waitedMs < waitMsMax; waitedMs += stepMs) {
        if (await isSo()) return;
        await systemClock.sleep(stepMs);
      }
      throw new Error(`it has not come to this within ${waitMsMax} ms: ${what}`);
    },
    stop: async () => {
      await server.close(1000);
      await watch.stop();
      await service.stop(2000);
      await hub.close();
      for (const one of servers.values()) await one.close();
      if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}
