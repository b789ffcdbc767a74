/**
 * restart: from exec to the first 200 of `/readyz`, after a kill, on a store with records; beside the limit that is
 * promised. The first start, which compiles the sources, is not counted.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { createMemorySimulator, seedMemory } from "../../connectors/memory/simulator.ts";
import { systemClock } from "../../core/net/clock.ts";
import { freePort, serveSimulator } from "../../core/simulator-server.ts";
import { runCommand, startHub } from "../faults/hub-process.ts";
import { type Figure, rssMbOf } from "./figure.ts";

const accounts = 1_000;
const starts = 7;
const limitMs = 2_000;

export async function benchRestart(): Promise<ReadonlyArray<Figure>> {
  const folder = mkdtempSync(join(tmpdir(), "syncline-restart-"));
  const simulator = createMemorySimulator({ clock: systemClock });
  seedMemory(simulator, { accounts });
  const server = await serveSimulator(simulator);
  try {
    const port = await freePort();
    const one = { use: "memory", ...simulator.connection(server.url), create: { account: false, contact: false } };
    const yaml = { hub: { store: `sqlite:${join(folder, "hub.db")}` }, serve: { port }, connections: { one } };
    writeFileSync(join(folder, "syncline.yaml"), stringify(yaml));
    const place = { folder, url: `http://127.0.0.1:${port}` };
    const first = runCommand(place, ["sync"]);
    if ((await first.ended) !== 0) throw new Error(`the first load failed: ${first.words()}`);
    const took: Array<number> = [];
    let rssMb = 0;
    for (let start = 0; start <= starts; start += 1) {
      const hub = startHub(place);
      try {
        const readyMs = await hub.ready();
        rssMb = rssMbOf(hub.pid);
        if (start > 0) took.push(readyMs);
      } finally {
        // The first one ends by itself, and leaves its compiled code.
        hub.signal(start === 0 ? "SIGTERM" : "SIGKILL");
        await hub.ended;
      }
    }
    const median = took.toSorted((a, b) => a - b)[Math.floor(starts / 2)] ?? Number.NaN;
    const common = { unit: "ms", limit: limitMs, records: accounts, rssMb };
    return [
      { name: "restart", value: median, ...common },
      { name: "restart-slowest", value: Math.max(...took), ...common },
    ];
  } finally {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
