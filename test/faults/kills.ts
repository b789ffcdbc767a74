/**
 * Kills a real hub again and again, at moments drawn from a seed, while people work in three systems; now and then it is
 * stopped for a while before. After each group of kills, and at the end, everything must be everywhere, and once.
 *
 * The seed fixes what people do and when the signals come, not how the machine schedules the processes.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Effect } from "effect";
import { stringify } from "yaml";
import { systemClock } from "../../core/net/clock.ts";
import { seededRandom } from "../../core/simulator.ts";
import { freePort } from "../../core/simulator-server.ts";
import { openStore } from "../../core/store/open.ts";
import { inbox } from "../../core/store/tables.ts";
import { type HubPlace, type HubProcess, runCommand, startHub } from "./hub-process.ts";
import { startVendors, type Vendors } from "./vendors.ts";

export interface KillsReport {
  readonly kills: number;
  /** Of those, how many came before the hub was ready. */
  readonly killedInStart: number;
  readonly stops: number;
  readonly creates: number;
  readonly edits: number;
  readonly acknowledged: number;
  readonly calledAgain: number;
  /** Acknowledged calls that the hub did not read to their end. */
  readonly lost: ReadonlyArray<string>;
  /** What the systems hold that people did not do, or the reverse. */
  readonly differences: ReadonlyArray<string>;
  /** Exit statuses of the last `serve`, after SIGTERM, and of `audit verify`. */
  readonly exits: ReadonlyArray<number | null>;
}

export interface KillsOptions {
  readonly count: number;
  readonly seed: number;
  readonly note?: (line: string) => void;
}

/** Kills after which all must agree before the next one. */
const groupSize = 10;
const agreeMsMax = 90_000;
const lookMs = 50;
const actMsMax = 40;
const chances = { inStart: 0.3, stop: 0.25 };
const startMsMax = 1_200;
const aliveMsMax = 500;
const stoppedMsMax = 600;

export async function playKills({ count, seed, note = () => {} }: KillsOptions): Promise<KillsReport> {
  const random = seededRandom(seed);
  const folder = mkdtempSync(join(tmpdir(), "syncline-kills-"));
  const port = await freePort();
  const place: HubPlace = { folder, url: `http://127.0.0.1:${port}` };
  const vendors = await startVendors({ hubUrls: [place.url], random: seededRandom(seed + 1) });
  const connections = await vendors.connectionsOf(0);
  const policy = { account: { default: ["newest", { prefer: Object.keys(connections) }] } };
  const hub = { store: `sqlite:${join(folder, "hub.db")}` };
  writeFileSync(join(folder, "syncline.yaml"), stringify({ hub, serve: { port }, connections, policy }));
  const tally = { kills: 0, killedInStart: 0, stops: 0 };
  let running: HubProcess | undefined;
  try {
    for (let kill = 1; kill <= count; kill += 1) {
      running = startHub(place);
      await killOnce({ hub: running, vendors, random, tally });
      if (kill % groupSize !== 0 && kill < count) continue;
      running = startHub(place);
      await running.ready();
      const left = await agreed(vendors);
      note(`${kill} kills, ${vendors.counts().edits} edits, ${left.length} differences`);
      if (left.length > 0) return await report(left, [null]);
      running.signal(kill < count ? "SIGKILL" : "SIGTERM");
      if (kill < count) await running.ended;
    }
    const exits = [(await running?.ended) ?? null, await runCommand(place, ["audit", "verify"]).ended];
    return await report(vendors.differences(), exits);
  } finally {
    running?.signal("SIGKILL");
    await running?.ended;
    await vendors.close();
    rmSync(folder, { recursive: true, force: true });
  }

  async function report(differences: ReadonlyArray<string>, exits: ReadonlyArray<number | null>): Promise<KillsReport> {
    running?.signal("SIGKILL");
    await running?.ended;
    const acknowledged = vendors.acknowledged();
    const lost = await unread({ place: join(folder, "hub.db") }, acknowledged);
    return { ...tally, ...vendors.counts(), acknowledged: acknowledged.length, lost, differences, exits };
  }
}

interface Turn {
  readonly hub: HubProcess;
  readonly vendors: Vendors;
  readonly random: () => number;
  readonly tally: { kills: number; killedInStart: number; stops: number };
}

async function killOnce({ hub, vendors, random, tally }: Turn): Promise<void> {
  if (random() < chances.inStart) {
    await people(vendors, random, random() * startMsMax);
    tally.killedInStart += 1;
  } else {
    await hub.ready();
    await people(vendors, random, random() * aliveMsMax);
  }
  if (random() < chances.stop) {
    hub.signal("SIGSTOP");
    await people(vendors, random, random() * stoppedMsMax);
    hub.signal("SIGCONT");
    await people(vendors, random, random() * aliveMsMax);
    tally.stops += 1;
  }
  hub.signal("SIGKILL");
  await hub.ended;
  tally.kills += 1;
}

/** People work for that long. */
export async function people(vendors: Vendors, random: () => number, forMs: number): Promise<void> {
  const end = performance.now() + forMs;
  while (performance.now() < end) {
    vendors.act();
    await systemClock.sleep(random() * actMsMax);
  }
}

/** What still differs once all is the same, or after a bound. */
export async function agreed(vendors: Vendors): Promise<ReadonlyArray<string>> {
  const end = performance.now() + agreeMsMax;
  for (;;) {
    const left = vendors.differences();
    if (left.length === 0 || performance.now() > end) return left;
    await systemClock.sleep(lookMs);
  }
}

/** Acknowledged calls that the hub did not read to their end. */
export async function unread(
  { place, key }: { readonly place: string; readonly key?: string },
  acknowledged: ReadonlyArray<string>,
): Promise<ReadonlyArray<string>> {
  const store = await Effect.runPromise(openStore({ place, key }));
  try {
    const { database, sealer } = store;
    const rows = await Effect.runPromise(database.read("reading", async () => database.db.select().from(inbox)));
    const states = new Map(rows.map(({ key, state }) => [key, state]));
    return acknowledged.filter((id) => states.get(`id ${sealer.blind("inbox id", id)}`) !== "read");
  } finally {
    await store.close();
  }
}
