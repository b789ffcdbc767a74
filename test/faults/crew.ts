/**
 * Three hubs on one PostgreSQL, while people work in three systems: one is killed and one is stopped at the moment at
 * which a write of theirs arrives at a system. The others take over; the stopped one comes back to a world that went on.
 *
 * Whoever writes must hold the lease of the connection at that moment, and nothing is written twice.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { like } from "drizzle-orm";
import { Effect } from "effect";
import { stringify } from "yaml";
import { systemClock } from "../../core/net/clock.ts";
import { seededRandom } from "../../core/simulator.ts";
import { freePort } from "../../core/simulator-server.ts";
import { openStore, type Store } from "../../core/store/open.ts";
import type { Who } from "../../core/store/processes.ts";
import { leases } from "../../core/store/tables.ts";
import { type HubPlace, type HubProcess, runCommand, startHub } from "./hub-process.ts";
import { agreed, people, unread } from "./kills.ts";
import { startVendors, type WatchedCall } from "./vendors.ts";

export interface CrewReport {
  readonly writes: number;
  /** Writes by each hub. */
  readonly byHub: ReadonlyArray<number>;
  /** Writes that came from a hub that did not hold the lease. */
  readonly strayed: ReadonlyArray<string>;
  /** Creates of one account that were sent twice, and updates that changed nothing. */
  readonly twice: ReadonlyArray<string>;
  /** Connections that the killed and the stopped hub kept going when it happened. */
  readonly takenFrom: { readonly killed: number; readonly stopped: number };
  /** From the signal until another hub held the last of their leases, in milliseconds. */
  readonly replacedMs: { readonly killed: number; readonly stopped: number };
  /** Connections that the stopped hub keeps going at the end. */
  readonly givenBack: number;
  readonly creates: number;
  readonly edits: number;
  readonly acknowledged: number;
  readonly lost: ReadonlyArray<string>;
  readonly differences: ReadonlyArray<string>;
  readonly exits: ReadonlyArray<number | null>;
}

const lease = "4s";
const key = Buffer.alloc(32, 5).toString("base64");
const workMs = 2_000;
const waitMsMax = 60_000;
const lookMs = 20;

interface Write {
  readonly kind: string;
  readonly object: string;
  readonly id?: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** `store`: an empty database. */
export async function playCrew({
  store: place,
  seed,
}: {
  readonly store: string;
  readonly seed: number;
}): Promise<CrewReport> {
  const random = seededRandom(seed);
  const folder = mkdtempSync(join(tmpdir(), "syncline-crew-"));
  const store = await Effect.runPromise(openStore({ place, key }));
  const ports = [await freePort(), await freePort(), await freePort()];
  const hubUrls = ports.map((port) => `http://127.0.0.1:${port}`);
  const hubs: Array<HubProcess> = [];
  const seen = { writes: 0, byHub: hubUrls.map(() => 0), strayed: [] as Array<string>, twice: [] as Array<string> };
  const created = new Set<string>();
  /** Called when a write of that hub has arrived and is not carried out yet. */
  let onWrite: { readonly hub: number; readonly strike: (kept: number) => void } | null = null;

  const watch = async ({ hub, connection, request, simulator }: WatchedCall): Promise<Response> => {
    if (request.method !== "POST" || new URL(request.url).pathname !== "/writes") return simulator.fetch(request);
    const { writes } = (await request.clone().json()) as { readonly writes: ReadonlyArray<Write> };
    seen.writes += writes.length;
    seen.byHub[hub] = (seen.byHub[hub] ?? 0) + writes.length;
    const holders = await holdersIn(store);
    const holder = holders.get(connection);
    if (holder !== hubs[hub]?.pid) seen.strayed.push(`hub ${hub} wrote to ${connection}, which ${holder} keeps going`);
    if (onWrite?.hub === hub) {
      onWrite.strike([...holders.values()].filter((pid) => pid === holder).length);
      onWrite = null;
    }
    for (const { kind, object, id = "", fields = {} } of writes) {
      const hubId = `${connection} ${fields.Hub_Id}`;
      if (kind === "create" && created.has(hubId)) seen.twice.push(`${hubId} was created twice`);
      if (kind === "create") created.add(hubId);
      const held = simulator.screen.read(object === "companies" ? "account" : "contact", id);
      const isSame = Object.entries(fields).every(([name, value]) => held?.[name] === value);
      if (kind === "update" && held !== undefined && isSame)
        seen.twice.push(`${connection} ${id} held ${JSON.stringify(fields)} already`);
    }
    return simulator.fetch(request);
  };

  const vendors = await startVendors({ hubUrls, random: seededRandom(seed + 1), watch });
  try {
    const places: Array<HubPlace> = [];
    for (const [index, url] of hubUrls.entries()) {
      const own = mkdtempSync(join(folder, `hub-${index}-`));
      const connections = await vendors.connectionsOf(index);
      const policy = { account: { default: ["newest", { prefer: Object.keys(connections) }] } };
      const yaml = { hub: { store: place }, serve: { port: ports[index], lease }, connections, policy };
      writeFileSync(join(own, "syncline.yaml"), stringify(yaml));
      places.push({ folder: own, url, key });
    }
    await people(vendors, random, workMs / 4);
    for (const one of places) hubs.push(startHub(one));
    await Promise.all(hubs.map((hub) => hub.ready()));
    const pids = hubs.map(({ pid }) => pid);
    await until("each hub keeps one connection going", async () => {
      const holders = [...(await holdersIn(store)).values()];
      return pids.every((pid) => holders.includes(pid));
    });
    await people(vendors, random, workMs);

    const strikes = { killed: 0, stopped: 1 } as const;
    const takenFrom = { killed: 0, stopped: 0 };
    const replacedMs = { killed: 0, stopped: 0 };
    for (const [what, signal] of [
      ["killed", "SIGKILL"],
      ["stopped", "SIGSTOP"],
    ] as const) {
      const target = strikes[what];
      let struckAt = 0;
      onWrite = {
        hub: target,
        strike: (kept) => {
          takenFrom[what] = kept;
          hubs[target]?.signal(signal);
          struckAt = performance.now();
        },
      };
      const working = people(vendors, random, workMs);
      await until(
        `a write of the hub to be ${what}`,
        () =>
          struckAt > 0 ||
          working.then(() => {
            vendors.act();
            return false;
          }),
      );
      const pid = pids[target];
      await until(`others to keep what the ${what} hub did`, async () => {
        vendors.act();
        const holders = [...(await holdersIn(store)).values()];
        return holders.length === 3 && !holders.includes(pid ?? 0);
      });
      replacedMs[what] = performance.now() - struckAt;
      await people(vendors, random, workMs);
    }

    hubs[strikes.stopped]?.signal("SIGCONT");
    await people(vendors, random, workMs);
    await until("the stopped hub to get its share back", async () =>
      [...(await holdersIn(store)).values()].includes(pids[strikes.stopped] ?? 0),
    );
    await people(vendors, random, workMs);
    const differences = await agreed(vendors);
    const givenBack = [...(await holdersIn(store)).values()].filter((pid) => pid === pids[strikes.stopped]).length;
    const left = hubs.filter((_, index) => index !== strikes.killed);
    for (const hub of left) hub.signal("SIGTERM");
    const exits = await Promise.all(left.map((hub) => hub.ended));
    exits.push(await runCommand(places[1] ?? { folder }, ["audit", "verify"]).ended);
    const acknowledged = vendors.acknowledged();
    const lost = await unread({ place, key }, acknowledged);
    const { creates, edits } = vendors.counts();
    return {
      ...seen,
      takenFrom,
      replacedMs,
      givenBack,
      creates,
      edits,
      acknowledged: acknowledged.length,
      lost,
      differences,
      exits,
    };
  } catch (error) {
    const said = hubs.map((hub, index) => `hub ${index} said: ${hub.words()}`).join("\n");
    throw new Error(`${error instanceof Error ? error.message : error}\n${said}`, { cause: error });
  } finally {
    for (const hub of hubs) hub.signal("SIGKILL");
    await Promise.all(hubs.map((hub) => hub.ended));
    await vendors.close();
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The pid that keeps each connection going. */
async function holdersIn({ database }: Store): Promise<ReadonlyMap<string, number>> {
  const rows = await Effect.runPromise(
    database.read("looking", async () => database.db.select().from(leases).where(like(leases.name, "%/%"))),
  );
  const pids = new Map<string, number>();
  for (const { name, holder } of rows)
    if (name.startsWith("process/")) pids.set(name.slice("process/".length), (JSON.parse(holder) as Who).pid);
  return new Map(
    rows.flatMap(({ name, holder }) => {
      const pid = pids.get(holder);
      return name.startsWith("lane/") && pid !== undefined ? [[name.slice("lane/".length), pid] as const] : [];
    }),
  );
}

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + waitMsMax;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`it has not come to this within ${waitMsMax} ms: ${what}`);
    await systemClock.sleep(lookMs);
  }
}
