/** `serve` runs the hub until it is stopped; `stop` and `reload` speak to the one that runs. */
import { Effect } from "effect";
import { Hono } from "hono";
import { createHooks } from "../http/hooks.ts";
import { listen } from "../http/listen.ts";
import type { Listener } from "../hub/events.ts";
import { openHub, storeFile } from "../hub/open.ts";
import { startService } from "../hub/start-service.ts";
import { type Cli, CommandFailed, exit, type Global } from "./cli.ts";
import { printJson, printLines, readYaml, soundConfig } from "./context.ts";
import { isRunning, readPid, removePid, writePid } from "./pid-file.ts";

/** What is under way gets that long to end by itself. */
const graceMs = 10_000;

export async function serveCommand(cli: Cli, global: Global): Promise<number> {
  const config = soundConfig(cli, global);
  const log = { info: () => {}, warn: (message: string) => cli.err(`${message}\n`) };
  const hub = await Effect.runPromise(openHub({ config, key: cli.env.SYNCLINE_KEY, clock: cli.clock, log }));
  const listeners: Array<Listener> = [];
  const service = await startService({ hub, readConfig: () => readYaml(cli, global), listeners }).catch(
    async (error: unknown) => {
      await hub.close();
      throw error;
    },
  );
  const app = new Hono();
  app.route("/", createHooks({ service, now: cli.clock.now }));
  app.get("/healthz", (context) => context.json({ status: "ok" }));
  app.get("/readyz", (context) => {
    const { ready, reason } = service.readiness();
    return context.json(ready ? { status: "ready" } : { status: "not ready", reason }, ready ? 200 : 503);
  });
  const server = await listen(app.fetch, config.serve).catch(async (error: unknown) => {
    await service.stop(0);
    await hub.close();
    throw error;
  });
  const store = storeFile(config.hub.store);
  writePid(store, { pid: process.pid, url: server.url, startedAt: cli.clock.now() });
  const onHangup = (): void => void Effect.runPromise(service.reload("signal"));
  process.on("SIGHUP", onHangup);
  if (global.json) await printJson(cli, { url: server.url, pid: process.pid });
  else await printLines(cli, [`${config.hub.name} listens on ${server.url} (pid ${process.pid}). Stop with Ctrl-C.`]);
  await aborted(cli.signal);
  process.off("SIGHUP", onHangup);
  await server.close(graceMs);
  await service.stop(graceMs);
  removePid(store);
  await hub.close();
  return exit.ok;
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });

const stopMsMax = 30_000;
const lookMs = 100;

export async function stopCommand(cli: Cli, global: Global): Promise<number> {
  const running = readPid(storeFile(soundConfig(cli, global).hub.store));
  if (running === null) throw new CommandFailed("No hub runs on this store.", "Start one with: npx syncline serve");
  process.kill(running.pid, "SIGTERM");
  for (let waitedMs = 0; waitedMs < stopMsMax; waitedMs += lookMs) {
    if (!isRunning(running.pid)) {
      if (global.json) await printJson(cli, { stopped: running.pid });
      else await printLines(cli, [`Stopped (pid ${running.pid}).`]);
      return exit.ok;
    }
    await cli.clock.sleep(lookMs, cli.signal);
  }
  throw new CommandFailed(
    `The hub (pid ${running.pid}) has not ended within ${stopMsMax / 1000} seconds.`,
    "It may wait for a slow system; look at its log, or end it by its pid.",
  );
}

export async function reloadCommand(cli: Cli, global: Global): Promise<number> {
  // A YAML with errors is told here, where somebody reads it.
  const running = readPid(storeFile(soundConfig(cli, global).hub.store));
  if (running === null) throw new CommandFailed("No hub runs on this store.", "Start one with: npx syncline serve");
  process.kill(running.pid, "SIGHUP");
  if (global.json) await printJson(cli, { asked: running.pid });
  else await printLines(cli, [`Asked the hub (pid ${running.pid}) to read ${global.config} again.`]);
  return exit.ok;
}
