/**
 * webhooks: signed calls with 2 kB bodies, each on disk before its answer, from a load generator in its own process;
 * beside the limit: bare node:http with the same commit batching, under the same load in the same run.
 *
 * The system that calls is down meanwhile, as when a vendor's API fails and its webhooks go on: calls are proven, kept
 * once and answered, and wait to be read.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { firstLine } from "./child.ts";
import { type Figure, rssMbOf } from "./figure.ts";

const secret = "whsec_YmVuY2gtc2VjcmV0LTAxMjM0NTY3ODkwMTIzNDU2Nzg=";
const seconds = 8;
const warmSeconds = 2;
const connections = 64;
const root = join(import.meta.dirname, "../..");

interface Load {
  readonly calls: number;
  readonly failed: number;
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
}

export async function benchWebhooks(): Promise<ReadonlyArray<Figure>> {
  const folder = mkdtempSync(join(tmpdir(), "syncline-bench-"));
  try {
    const yaml = {
      hub: { store: `sqlite:${join(folder, "hub.db")}` },
      serve: { port: 0 },
      connections: {
        one: {
          use: "memory",
          baseUrl: "http://127.0.0.1:9",
          apiKey: "none",
          webhook: { secrets: [secret] },
          push: "off",
        },
      },
    };
    writeFileSync(join(folder, "syncline.yaml"), stringify(yaml));
    const floor = await under([join(root, "test/bench/webhooks/floor.ts"), join(folder, "floor.db")]);
    const hub = await under([join(root, "config/start.ts"), "serve", "--json", "-c", join(folder, "syncline.yaml")]);
    const { load, rssMb } = hub;
    if (load.failed > 0) throw new Error(`${load.failed} calls were not answered with 200`);
    return [
      { name: "webhooks", value: load.rate, unit: "1/s", limit: floor.load.rate, records: load.calls, rssMb },
      { name: "webhooks-p99", value: load.p99, unit: "ms", limit: floor.load.p99, records: load.calls, rssMb },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Starts a server, loads it, stops it. */
async function under(command: ReadonlyArray<string>): Promise<{ readonly load: Load; readonly rssMb: number }> {
  const server = spawn(process.execPath, command, { stdio: ["pipe", "pipe", "inherit"] });
  try {
    const { url } = (await firstLine(server)) as { readonly url: string };
    await loadOn(url, warmSeconds);
    const load = await loadOn(url, seconds);
    return { load, rssMb: rssMbOf(server.pid ?? 0) };
  } finally {
    const ended = new Promise((resolve) => server.once("exit", resolve));
    server.stdin?.end();
    server.kill("SIGTERM");
    await ended;
  }
}

async function loadOn(url: string, forSeconds: number): Promise<Load> {
  const args = [join(root, "test/bench/webhooks/load.ts"), url, secret, String(forSeconds), String(connections)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  return (await firstLine(child)) as Load;
}
