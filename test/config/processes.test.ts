import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMemorySimulator, seedMemory } from "../../connectors/memory/simulator.ts";
import { systemClock } from "../../core/net/clock.ts";
import { type SimulatorServer, serveSimulator } from "../../core/simulator-server.ts";

const start = resolve(import.meta.dirname, "../../config/start.ts");
let folder = "";
let server: SimulatorServer;
let simulator: ReturnType<typeof createMemorySimulator>;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "syncline-processes-"));
  simulator = createMemorySimulator({ clock: systemClock });
  seedMemory(simulator, { accounts: 30 });
  server = await serveSimulator(simulator);
  writeFileSync(
    join(folder, "syncline.yaml"),
    [
      `hub: { store: "sqlite:${join(folder, "hub.db")}" }`,
      `connections: { one: { use: memory, baseUrl: "${server.url}", apiKey: simulated-key, create: { account: false, contact: false } } }`,
    ].join("\n"),
  );
});

afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Process {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>;
}

function run(...argv: ReadonlyArray<string>): Process {
  const child = spawn(process.execPath, [start, "--config", join(folder, "syncline.yaml"), ...argv], { cwd: folder });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    err += chunk;
  });
  return { child, ended: new Promise((done) => child.once("close", (code) => done({ code, out, err }))) };
}

const callsSoFar = (): number => Object.values(simulator.traffic().calls).reduce((sum, count) => sum + count, 0);

/** Resolves when the simulator has answered that many calls; gives up when the process ends before. */
async function answered(calls: number, { ended }: Process): Promise<void> {
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  while (callsSoFar() < calls) {
    if (isOver) throw new Error(`the process ended after ${callsSoFar()} calls`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe("two processes on one store", { timeout: 60_000 }, () => {
  it("let one sync at a time, name the one that runs, and read and decide beside it", async () => {
    expect((await run("sync").ended).code).toBe(0);
    // From now on every answer takes its time, so that the second sync is under way for a while.
    simulator.faults.add({ fault: "slow", delayMs: 1500, times: 100 });
    const before = callsSoFar();
    const running = run("sync");
    await answered(before + 1, running);
    const refused = await run("sync").ended;
    expect(refused.code).toBe(1);
    expect(refused.err).toContain(`pid ${running.child.pid}`);
    expect(refused.err).toContain("Reading commands and decisions on conflicts work beside it");
    const listed = await run("accounts", "list", "--json").ended;
    expect(JSON.parse(listed.out).total).toBe(30);
    const { id } = JSON.parse(listed.out).items[0];
    expect((await run("accounts", "set", id, "industry", "Shipping").ended).code).toBe(0);
    expect((await running.ended).code).toBe(0);
    expect((await run("accounts", "show", id).ended).out).toContain("Shipping");
  });

  it("go on after a kill: nothing is lost, nothing is doubled", async () => {
    simulator.faults.add({ fault: "slow", delayMs: 150, times: 1000 });
    const first = run("sync");
    await answered(4, first);
    first.child.kill("SIGKILL");
    await first.ended;
    const second = await run("sync").ended;
    expect(second.code).toBe(0);
    const listed = JSON.parse((await run("accounts", "list", "--json").ended).out);
    expect(listed.total).toBe(30);
    expect((await run("audit", "verify").ended).code).toBe(0);
  });
});

describe("a process that npm has started", () => {
  const launcher = resolve(import.meta.dirname, "../../config/syncline.js");

  /** A shell as npm makes it, which passes no signal on to the sandbox that it starts. */
  async function sandboxUnder(env: NodeJS.ProcessEnv): Promise<{ readonly shell: ChildProcess; readonly pid: number }> {
    const { npm_command: _, ...plain } = process.env;
    const script = `"${process.execPath}" "${launcher}" sandbox --only memory & echo pid $!; wait`;
    const shell = spawn("sh", ["-c", script], { cwd: folder, env: { ...plain, ...env } });
    let out = "";
    await new Promise<void>((done) => {
      shell.stdout?.on("data", (chunk) => {
        out += chunk;
        if (out.includes("listens on")) done();
      });
    });
    return { shell, pid: Number(/pid (\d+)/.exec(out)?.[1]) };
  }

  const isAlive = (pid: number): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };

  async function aliveAfter(ms: number, pid: number): Promise<boolean> {
    for (let waited = 0; waited < ms && isAlive(pid); waited += 50) await new Promise((done) => setTimeout(done, 50));
    return isAlive(pid);
  }

  it("ends when npm's shell is stopped", async () => {
    const { shell, pid } = await sandboxUnder({ npm_command: "exec" });
    shell.kill("SIGTERM");
    expect(await aliveAfter(10_000, pid)).toBe(false);
  });

  it("goes on without npm when the shell that put it into the background ends", async () => {
    const { shell, pid } = await sandboxUnder({});
    shell.kill("SIGTERM");
    expect(await aliveAfter(1_500, pid)).toBe(true);
    process.kill(pid, "SIGTERM");
    expect(await aliveAfter(10_000, pid)).toBe(false);
  });
});
