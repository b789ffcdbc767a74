import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Effect } from "effect";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { createMemorySimulator } from "../../connectors/memory/simulator.ts";
import { systemClock } from "../../core/net/clock.ts";
import type { Simulator } from "../../core/simulator.ts";
import { type SimulatorServer, serveSimulator } from "../../core/simulator-server.ts";
import { openStore } from "../../core/store/open.ts";
import { inbox } from "../../core/store/tables.ts";
import { secret, signedHeaders } from "../kit/service-kit.ts";

const start = resolve(import.meta.dirname, "../../config/start.ts");
let folder = "";
let systems: ReadonlyArray<{ readonly simulator: Simulator; readonly server: SimulatorServer }> = [];
const children: Array<ChildProcess> = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "syncline-kill-"));
  systems = await Promise.all(
    ["one", "two"].map(async () => {
      const simulator = createMemorySimulator({ clock: systemClock });
      return { simulator, server: await serveSimulator(simulator) };
    }),
  );
  const connections = Object.fromEntries(
    systems.map(({ simulator, server }, index) => [
      index === 0 ? "one" : "two",
      {
        use: "memory",
        ...simulator.connection(server.url),
        key: { account: "Hub_Id", contact: "Hub_Id" },
        webhook: { secrets: [secret] },
        limits: { api: { concurrency: 16 } },
      },
    ]),
  );
  writeFileSync(
    join(folder, "syncline.yaml"),
    stringify({ hub: { store: `sqlite:${join(folder, "hub.db")}` }, serve: { port: 0 }, connections }),
  );
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  for (const { server } of systems) await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const cli = (...argv: ReadonlyArray<string>): ChildProcess => {
  const child = spawn(process.execPath, [start, "--config", join(folder, "syncline.yaml"), ...argv], { cwd: folder });
  children.push(child);
  return child;
};

const ended = (child: ChildProcess): Promise<number | null> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve(child.exitCode)
    : new Promise((done) => child.once("exit", done));

/** Starts the hub's own process; resolves with its address once it listens. */
function serve(): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const child = cli("serve", "--json");
  let out = "";
  let err = "";
  child.stderr?.on("data", (part) => {
    err += part;
  });
  return new Promise((settle, fail) => {
    child.stdout?.on("data", (part) => {
      out += part;
      if (out.includes("\n")) settle({ child, url: JSON.parse(out.split("\n")[0] ?? "").url });
    });
    child.once("exit", () => fail(new Error(`serve ended: ${out}${err}`)));
  });
}

async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1500; tries += 1) {
    if (await isSo()) return;
    await systemClock.sleep(20);
  }
  throw new Error(`it has not come to this: ${what}`);
}

const companies = (index: number): ReadonlyArray<string> => {
  const { screen } = systems[index]?.simulator ?? { screen: undefined };
  return (screen?.list("account") ?? []).map((id) => String(screen?.read("account", id)?.Name)).toSorted();
};

describe("serve, as a process", () => {
  it("has applied every delivery that got a 2xx after it was killed under load, each once in effect", async () => {
    const [one] = systems;
    const acknowledged: Array<string> = [];
    let number = 0;
    let url = "";
    let isOver = false;
    /** A person's edit in one, and the vendor's call about it. */
    const send = async (): Promise<void> => {
      number += 1;
      const id = one?.simulator.screen.create("account", { Name: `Company ${number}`, Domain: `c${number}.example` });
      const message = `msg_${number}`;
      const body = JSON.stringify({ type: "companies.created", data: { id } });
      try {
        const answer = await fetch(`${url}/hooks/one`, {
          method: "POST",
          headers: signedHeaders({ id: message, body }),
          body,
        });
        if (answer.status === 200) acknowledged.push(message);
      } catch {
        // The hub is dead: the vendor's call is lost, as it would be.
      }
    };
    const senders = Array.from({ length: 8 }, async () => {
      while (!isOver && number < 400) {
        if (url === "") await systemClock.sleep(5);
        else await send();
      }
    });
    for (let kill = 0; kill < 3; kill += 1) {
      const { child, url: at } = await serve();
      url = at;
      const before = acknowledged.length;
      await until("some calls are answered", () => acknowledged.length >= before + 20 || number >= 400);
      child.kill("SIGKILL");
      await ended(child);
      url = "";
    }
    const last = await serve();
    url = last.url;
    await until("all calls were sent", () => number >= 400);
    isOver = true;
    await Promise.all(senders);
    await until("both systems hold the same", () => companies(1).length === companies(0).length);
    expect(companies(1)).toEqual(companies(0));
    expect(new Set(companies(1)).size).toBe(companies(1).length);
    last.child.kill("SIGTERM");
    expect(await ended(last.child)).toBe(0);
    const store = await Effect.runPromise(openStore({ place: join(folder, "hub.db"), key: undefined }));
    const rows = await Effect.runPromise(
      store.database.read("reading", async () => store.database.db.select().from(inbox)),
    );
    const kept = new Map(rows.map((row) => [row.key, row.state]));
    const missing = acknowledged.filter((id) => kept.get(`id ${store.sealer.blind("inbox id", id)}`) !== "read");
    store.close();
    expect(acknowledged.length).toBeGreaterThan(60);
    expect(missing).toEqual([]);
  }, 240_000);

  it("is found by its pid file, stopped by `stop`, and leaves the store free", async () => {
    const { child } = await serve();
    expect(existsSync(join(folder, "hub.db.pid"))).toBe(true);
    const second = cli("sync");
    let told = "";
    second.stderr?.on("data", (part) => {
      told += part;
    });
    expect(await ended(second)).toBe(1);
    expect(told).toContain(String(child.pid));
    expect(await ended(cli("stop"))).toBe(0);
    expect(await ended(child)).toBe(0);
    expect(existsSync(join(folder, "hub.db.pid"))).toBe(false);
    expect(await ended(cli("sync"))).toBe(0);
    expect(await ended(cli("stop"))).toBe(1);
  }, 120_000);
});
