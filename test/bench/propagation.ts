/**
 * propagation: how long after a person's edit in one system the other one shows it, through real sockets: the simulated
 * vendors in this process, the hub in its own.
 *
 * By webhook at 100 changes a second with the vendors' quotas lifted, and at the vendors' own rates at one change a
 * second; by poll every second, without webhooks. The limit is the same chain of vendor calls made one after the other
 * with nothing in between: read there, read here, write here, read back.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { createFxiaokeSimulator, hubKeyField } from "../../connectors/fxiaoke/simulator.ts";
import { createZohoSimulator } from "../../connectors/zoho/simulator.ts";
import { systemClock } from "../../core/net/clock.ts";
import { type Courier, startCourier } from "../../core/simulator-courier.ts";
import { freePort, type SimulatorServer, serveSimulator } from "../../core/simulator-server.ts";
import { type Figure, rssMbOf } from "./figure.ts";

const readyTriesMax = 12;
const warmUpMs = 2_000;
const settleMsMax = 60_000;
const root = join(import.meta.dirname, "../..");
const lifted = 1_000_000;
const fxiaokeLimits = ["query", "get", "create", "update", "invalid", "changeOwner"].map(
  (name) => `crm/v2/data/${name}`,
);

interface Course {
  readonly perSecond: number;
  readonly seconds: number;
  readonly accounts: number;
  /** `lifted`: the vendors' quotas are out of the way. */
  readonly quotas: "lifted" | "vendors";
  readonly by: "webhook" | "poll";
}

export async function benchPropagation(): Promise<ReadonlyArray<Figure>> {
  const fast = await run({ perSecond: 100, seconds: 20, accounts: 400, quotas: "lifted", by: "webhook" });
  const vendors = await run({ perSecond: 1, seconds: 30, accounts: 40, quotas: "vendors", by: "webhook" });
  const poll = await run({ perSecond: 20, seconds: 20, accounts: 400, quotas: "lifted", by: "poll" });
  const { chain } = fast;
  const line = (name: string, value: number, limit: number, course: Outcome): Figure => ({
    name,
    value,
    unit: "ms",
    limit,
    records: course.latencies.length,
    rssMb: course.rssMb,
  });
  return [
    line("propagation-p50", at(fast.latencies, 0.5), at(chain, 0.5), fast),
    line("propagation-p99", at(fast.latencies, 0.99), at(chain, 0.99), fast),
    line("propagation-vendors-p50", at(vendors.latencies, 0.5), at(chain, 0.5), vendors),
    line("propagation-vendors-p99", at(vendors.latencies, 0.99), at(chain, 0.99), vendors),
    // The schedule rings every second; a change may come right after it.
    line("propagation-poll", at(poll.latencies, 0.99), 1_000, poll),
  ];
}

interface Outcome {
  readonly latencies: ReadonlyArray<number>;
  readonly chain: ReadonlyArray<number>;
  readonly rssMb: number;
}

const at = (values: ReadonlyArray<number>, share: number): number =>
  values.toSorted((one, other) => one - other)[Math.min(values.length - 1, Math.floor(values.length * share))] ??
  Number.NaN;

async function run(course: Course): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), "syncline-bench-"));
  const isLifted = course.quotas === "lifted";
  // The records are an hour old: what is younger than a system's index shows is left to the next read.
  let agoMs = 3_600_000;
  const clock = { now: () => systemClock.now() - agoMs, sleep: systemClock.sleep };
  const zoho = createZohoSimulator({
    clock,
    credits: lifted,
    ...(isLifted ? { edition: "ultimate" } : {}),
    fields: [{ name: "Hub_Id", unique: true, external: true }],
  });
  const fxiaoke = createFxiaokeSimulator({
    clock,
    switches: isLifted ? { throttleCalls: lifted } : {},
  });
  const servers = [await serveSimulator(zoho), await serveSimulator(fxiaoke)] as const;
  const couriers: Array<Courier> = [];
  let hub: ChildProcess | undefined;
  try {
    const ids: Array<string> = [];
    for (let number = 0; number < course.accounts; number += 1) {
      const domain = `company-${number}.example`;
      ids.push(zoho.screen.create("account", { Account_Name: `Company ${number}`, Website: `https://${domain}` }));
      fxiaoke.screen.create("account", { name: `Company ${number}`, url: `https://${domain}` });
    }
    agoMs = 0;
    const port = await freePort();
    if (course.by === "webhook") {
      for (const one of [zoho, fxiaoke]) couriers.push(startCourier(one.notices));
      fxiaoke.hookTo(`http://127.0.0.1:${port}/hooks/fxiaoke`);
    }
    writeFileSync(join(folder, "syncline.yaml"), yamlOf({ folder, port, servers, zoho, fxiaoke, course }));
    hub = spawn(process.execPath, [join(root, "config/start.ts"), "serve", "--json", "-c", "syncline.yaml"], {
      cwd: folder,
      stdio: ["ignore", "ignore", "inherit"],
    });
    hub.once("exit", (code) => {
      if (code !== 0) throw new Error(`the hub ended with ${code}`);
    });
    const there = new Map<string, string>();
    const shows = (id: string, name: string): boolean =>
      fxiaoke.screen.read("account", there.get(id) ?? "")?.name === name;
    for (const id of fxiaoke.screen.list("account")) {
      const url = fxiaoke.screen.read("account", id)?.url;
      const mine = ids.find((one) => zoho.screen.read("account", one)?.Website === url);
      if (mine !== undefined) there.set(mine, id);
    }
    await ready(
      (name) => zoho.screen.edit("account", ids[0] ?? "", { Account_Name: name }),
      (name) => shows(ids[0] ?? "", name),
    );
    await atRest(() => fxiaoke.traffic().writes + zoho.traffic().writes);
    const chain = await chainOf(servers);
    const latencies = await measure(
      course,
      ids,
      (id, name) => zoho.screen.edit("account", id, { Account_Name: name }),
      shows,
    );
    return { latencies, chain, rssMb: rssMbOf(hub.pid ?? 0) };
  } finally {
    if (hub !== undefined) {
      const ended = new Promise((resolve) => hub?.once("exit", resolve));
      hub.kill("SIGTERM");
      await ended;
    }
    for (const courier of couriers) await courier.close();
    for (const server of servers) await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Edits in even steps, each a name of its own, and looks every millisecond or so who has arrived. */
async function measure(
  course: Course,
  ids: ReadonlyArray<string>,
  edit: (id: string, name: string) => void,
  shows: (id: string, name: string) => boolean,
): Promise<ReadonlyArray<number>> {
  const latencies: Array<number> = [];
  const pending = new Map<string, { readonly name: string; readonly began: number }>();
  const began = performance.now();
  const total = course.perSecond * course.seconds;
  let sent = 0;
  for (;;) {
    const now = performance.now();
    while (sent < total && now - began >= (sent * 1000) / course.perSecond) {
      // One that is still on its way is left alone, as an edit over it would take its place.
      const id = ids.find((one, index) => index >= sent % ids.length && !pending.has(one));
      if (id === undefined) throw new Error(`${pending.size} edits are on their way at once`);
      const name = `Company ${sent % ids.length} v${sent}`;
      pending.set(id, { name, began: performance.now() });
      edit(id, name);
      sent += 1;
    }
    for (const [id, { name, began: editedAt }] of pending) {
      if (!shows(id, name)) continue;
      pending.delete(id);
      if (editedAt - began >= warmUpMs || course.perSecond < 10) latencies.push(performance.now() - editedAt);
    }
    if (sent === total && pending.size === 0) break;
    if (now - began > course.seconds * 1000 + settleMsMax) throw new Error(`${pending.size} edits never arrived`);
    await systemClock.sleep(1);
  }
  return latencies;
}

/** The first load is over, and channels are there, when an edit arrives. */
async function ready(edit: (name: string) => void, shows: (name: string) => boolean): Promise<void> {
  for (let tries = 1; tries <= readyTriesMax; tries += 1) {
    const name = `Ready ${tries}`;
    edit(name);
    for (let looks = 0; looks < 50; looks += 1) {
      if (shows(name)) return;
      await systemClock.sleep(100);
    }
  }
  throw new Error("no edit has arrived");
}

/** What the first load has made due is written. */
async function atRest(writes: () => number): Promise<void> {
  for (let looks = 0; looks < settleMsMax / 1_000; looks += 1) {
    const before = writes();
    await systemClock.sleep(1_000);
    if (writes() === before) return;
  }
}

const chains = 200;

/** The calls that carry one change, made bare: what the wire and the simulated vendors take. */
async function chainOf([left, right]: readonly [SimulatorServer, SimulatorServer]): Promise<ReadonlyArray<number>> {
  const took: Array<number> = [];
  for (let number = 0; number < chains; number += 1) {
    const began = performance.now();
    // Refused or not, each is one exchange with a simulated vendor.
    await (await fetch(`${left.url}/crm/v8/Accounts?ids=1&fields=Account_Name`)).text();
    for (let call = 0; call < 3; call += 1) {
      await (await fetch(`${right.url}/cgi/crm/v2/data/get`, { method: "POST", body: "{}" })).text();
    }
    took.push(performance.now() - began);
  }
  return took;
}

interface YamlParts {
  readonly folder: string;
  readonly port: number;
  readonly servers: readonly [SimulatorServer, SimulatorServer];
  readonly zoho: ReturnType<typeof createZohoSimulator>;
  readonly fxiaoke: ReturnType<typeof createFxiaokeSimulator>;
  readonly course: Course;
}

function yamlOf({ folder, port, servers, zoho, fxiaoke, course }: YamlParts): string {
  const [left, right] = servers;
  const reading = course.by === "webhook" ? { webhook: true } : { pull: { every: "* * * * * *" } };
  // Everything is edited again and again: that is what a brake is there to stop.
  const brake = { share: 1 };
  const wide = { concurrency: 16, rate: { count: lifted, window: "20s" } };
  return stringify({
    hub: { store: `sqlite:${join(folder, "hub.db")}` },
    serve: { port, url: `http://127.0.0.1:${port}` },
    connections: {
      zoho: {
        use: "zoho",
        ...zoho.connection(left.url),
        ...reading,
        brake,
        key: { account: "Hub_Id", contact: "Hub_Id" },
      },
      fxiaoke: {
        use: "fxiaoke",
        ...fxiaoke.connection(right.url),
        ...reading,
        brake,
        key: { account: hubKeyField, contact: hubKeyField },
        defaultOwner: "zhang.san@example.com",
        ...(course.quotas === "lifted"
          ? { limits: Object.fromEntries(fxiaokeLimits.map((name) => [name, wide])) }
          : {}),
      },
    },
  });
}
