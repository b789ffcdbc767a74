/**
 * scim: a user by id and filtered lists at 10,000 users, from the durable store of a running hub; beside the limit,
 * scimmy-routers with the same users in memory, under the same load in the same run. And the slowest answer to hostile
 * requests.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { firstLine } from "./child.ts";
import { type Figure, rssMbOf } from "./figure.ts";
import { personOf } from "./scim/person.ts";

const users = 10_000;
const together = 1_000;
const seconds = 6;
const warmSeconds = 2;
const connections = 8;
/** No machine's limit, but the bound that a hostile request must stay under. */
const promisedMs = 100;
const searchUrn = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
const root = join(import.meta.dirname, "../..");

interface Address {
  readonly baseUrl: string;
  readonly token: string;
}

interface Load {
  readonly calls: number;
  readonly failed: number;
  readonly rate: number;
}

export async function benchScim(): Promise<ReadonlyArray<Figure>> {
  const folder = mkdtempSync(join(tmpdir(), "syncline-bench-"));
  try {
    const limit = await under(folder, await startLimit());
    const hub = await under(folder, await startHub(folder));
    const { rssMb } = hub;
    return [
      { name: "scim-get", value: hub.get.rate, unit: "1/s", limit: limit.get.rate, records: hub.get.calls, rssMb },
      { name: "scim-list", value: hub.list.rate, unit: "1/s", limit: limit.list.rate, records: hub.list.calls, rssMb },
      { name: "scim-hostile-max", value: hub.hostileMs, unit: "ms", limit: promisedMs, records: hub.hostile, rssMb },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Server extends Address {
  readonly process: ChildProcess;
}

async function startLimit(): Promise<Server> {
  const process_ = spawn(process.execPath, [join(root, "test/bench/scim/scimmy.ts"), String(users)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  return { process: process_, ...((await firstLine(process_)) as Address) };
}

async function startHub(folder: string): Promise<Server> {
  const yaml = join(folder, "syncline.yaml");
  writeFileSync(
    yaml,
    stringify({
      hub: { store: `sqlite:${join(folder, "hub.db")}` },
      serve: { port: 0 },
      // The rate of one client is lifted: it is not what is measured.
      connections: {
        idp: { use: "scim-provider", limits: { requests: { rate: { count: 1_000_000, window: "1s" } } } },
      },
    }),
  );
  const made = execFileSync(process.execPath, [
    join(root, "config/start.ts"),
    ...["-c", yaml, "--json", "keys", "create", "bench", "--role", "provisioner", "--connection", "idp"],
  ]);
  const { key: token } = JSON.parse(made.toString()) as { readonly key: string };
  const process_ = spawn(process.execPath, [join(root, "config/start.ts"), "serve", "--json", "-c", yaml], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const { url } = (await firstLine(process_)) as { readonly url: string };
  const baseUrl = `${url}/scim/v2/idp`;
  for (let from = 1; from <= users; from += together) {
    const operations = Array.from({ length: Math.min(together, users - from + 1) }, (_, at) => {
      return { method: "POST", path: "/Users", bulkId: `b${at}`, data: personOf(from + at) };
    });
    await post({ baseUrl, token }, "/Bulk", { Operations: operations });
  }
  return { process: process_, baseUrl, token };
}

async function post({ baseUrl, token }: Address, path: string, body: unknown): Promise<unknown> {
  const answer = await fetch(`${baseUrl}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/scim+json" },
    body: JSON.stringify(body),
  });
  const read: unknown = await answer.json();
  if (answer.status !== 200) throw new Error(`${answer.status} ${JSON.stringify(read)}`);
  return read;
}

async function under(folder: string, server: Server) {
  try {
    const ids = await idsOf(server);
    const gets = ids.map((id) => `/Users/${id}`);
    const filters = ids.map((_, index) =>
      index % 2 === 0
        ? `userName eq "person-${index + 1}@acme.example"`
        : `title eq "Title ${index + 1}" and active eq true`,
    );
    const lists = filters.map((filter) => `/Users?filter=${encodeURIComponent(filter)}`);
    await loadOn(folder, server, gets, warmSeconds);
    const get = await loadOn(folder, server, gets, seconds);
    await loadOn(folder, server, lists, warmSeconds);
    const list = await loadOn(folder, server, lists, seconds);
    if (get.failed + list.failed > 0) throw new Error(`${get.failed + list.failed} calls were not answered with 200`);
    const isHub = server.baseUrl.includes("/scim/v2/idp");
    return {
      get,
      list,
      ...(isHub ? await hostile(server) : { hostile: 0, hostileMs: 0 }),
      rssMb: rssMbOf(server.process.pid ?? 0),
    };
  } finally {
    const ended = new Promise((resolve) => server.process.once("exit", resolve));
    server.process.stdin?.end();
    server.process.kill("SIGTERM");
    await ended;
  }
}

/** By a search that is posted: one of the two servers takes no numbers from an address. */
async function idsOf(server: Address): Promise<ReadonlyArray<string>> {
  const ids: Array<string> = [];
  while (ids.length < 2_000) {
    const body = { schemas: [searchUrn], startIndex: ids.length + 1, count: 200 };
    const { Resources } = (await post(server, "/Users/.search", body)) as {
      readonly Resources: ReadonlyArray<{ id: string }>;
    };
    ids.push(...Resources.map(({ id }) => id));
  }
  return ids;
}

async function hostile({ baseUrl, token }: Address) {
  const bodies = [
    { filter: `${"(".repeat(5_000)}title pr${")".repeat(5_000)}` },
    { filter: `${"not (".repeat(5_000)}title pr${")".repeat(5_000)}` },
    { filter: `title eq "${"x".repeat(1_000_000)}"` },
    { filter: Array.from({ length: 50 }, (_, at) => `displayName co "zz${at}"`).join(" or ") },
  ];
  let slowest = 0;
  for (const body of bodies) {
    const began = performance.now();
    const answer = await fetch(`${baseUrl}/Users/.search`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/scim+json" },
      body: JSON.stringify(body),
    });
    await answer.text();
    slowest = Math.max(slowest, performance.now() - began);
  }
  return { hostile: bodies.length, hostileMs: slowest };
}

async function loadOn(
  folder: string,
  { baseUrl, token }: Address,
  paths: ReadonlyArray<string>,
  forSeconds: number,
): Promise<Load> {
  const file = join(folder, "paths.json");
  writeFileSync(file, JSON.stringify(paths));
  const args = [join(root, "test/bench/scim/load.ts"), baseUrl, token, file, String(forSeconds), String(connections)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  return (await firstLine(child)) as Load;
}
