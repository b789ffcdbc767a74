/** `serve` runs the hub until it is stopped; `stop` and `reload` speak to the one that runs. */
import { Effect } from "effect";
import { secretsOf } from "../config/secrets.ts";
import { createFaces } from "../http/faces.ts";
import { type Listening, listen } from "../http/listen.ts";
import type { Listener } from "../hub/events.ts";
import { type Hub, openHub } from "../hub/open.ts";
import { type RunningService, startService } from "../hub/start-service.ts";
import { localName } from "../store/place.ts";
import type { Level } from "../watch/log.ts";
import { createRedact } from "../watch/redact.ts";
import { startTraces } from "../watch/traces.ts";
import { createWatch, type WatchOptions } from "../watch/watch.ts";
import { type Cli, CommandFailed, exit, type Global, untilStopped } from "./cli.ts";
import { printJson, printLines, readYaml, soundConfig } from "./context.ts";
import { isRunning, readPid, removePid, writePid } from "./pid-file.ts";
import { levelOf, startLog } from "./serve-log.ts";

/** What is under way gets that long to end by itself. */
const graceMs = 10_000;

/** A hub that listens. */
export interface Serving {
  readonly hub: Hub;
  readonly service: RunningService;
  readonly server: Listening;
  readonly close: () => Promise<void>;
}

/** Opens the hub, starts it and listens; what was begun is ended again where a later step fails. */
export async function startServing(
  cli: Pick<Cli, "clock" | "env" | "err" | "registry" | "version">,
  options: {
    readonly read: () => ReturnType<typeof readYaml>;
    readonly listeners?: ReadonlyArray<Listener>;
    /** Warnings on standard error without. */
    readonly log?: Hub["log"];
    /** Where alerts stand beside the channels, and what keeps secrets out of them. */
    readonly alerting?: Pick<WatchOptions, "say" | "redact">;
  },
): Promise<Serving> {
  const { config } = options.read();
  if (config === null)
    throw new CommandFailed("The configuration has errors.", "Run `npx syncline check`.", exit.usage);
  const { log = { info: () => {}, warn: (message) => cli.err(`${message}\n`) } } = options;
  const ending: Array<() => Promise<void>> = [];
  const close = async (): Promise<void> => {
    for (const end of ending.splice(0).reverse()) await end();
  };
  try {
    const redact = options.alerting?.redact ?? createRedact(() => secretsOf(config));
    const traces = await startTraces({ env: cli.env, version: cli.version, redact });
    if (traces !== null) ending.push(traces.stop);
    const { clock } = cli;
    const tracing = traces === null ? {} : { traced: traces.traced };
    const hub = await Effect.runPromise(openHub({ config, key: cli.env.SYNCLINE_KEY, clock, log, ...tracing }));
    ending.push(hub.close);
    const watch = await createWatch({ clock: cli.clock, version: cli.version, ...options.alerting });
    ending.push(watch.stop);
    const listeners = [watch.hear, ...(options.listeners ?? [])];
    const service = await startService({ hub, readConfig: options.read, listeners });
    ending.push(() => service.stop(graceMs));
    watch.start(service);
    // The end of the service is no trouble to be told, so the watch ends first.
    ending.push(watch.stop);
    const faces = createFaces({
      service,
      watch,
      encoders: cli.registry.encoders,
      clock: cli.clock,
      log,
      version: cli.version,
      tls: config.serve.tls !== null,
      origins: config.serve.origins,
    });
    const server = await listen(faces, config.serve);
    ending.push(() => server.close(graceMs));
    const store = localName(config.hub.store);
    writePid(store, { pid: process.pid, url: server.url, startedAt: cli.clock.now() });
    ending.push(async () => removePid(store));
    return { hub, service, server, close };
  } catch (error) {
    await close();
    throw error;
  }
}

export interface ServeOptions {
  readonly logLevel?: Level;
}

export async function serveCommand(cli: Cli, global: Global, options: ServeOptions): Promise<number> {
  const config = soundConfig(cli, global);
  const logging = await startLog(cli, global, { config, level: options.logLevel ?? levelOf(cli) });
  const read = () => readYaml(cli, global);
  const serving = startServing(cli, {
    read,
    log: logging.log,
    listeners: [logging.hear],
    alerting: { say: logging.log.say, redact: logging.redact },
  });
  const { service, server, close } = await serving.catch((error: unknown) => {
    logging.release();
    throw error;
  });
  logging.follow(service);
  const onHangup = (): void => void Effect.runPromise(service.reload("signal"));
  process.on("SIGHUP", onHangup);
  const greeting = `${config.hub.name} listens on ${server.url} (pid ${process.pid}).`;
  try {
    if (global.json) await printJson(cli, { url: server.url, pid: process.pid });
    else if (cli.isOutTerminal === true)
      await printLines(cli, [
        greeting,
        `API and reference: ${server.url}/api/v1/docs. Make a key with: npx syncline keys create`,
        "Stop with Ctrl-C.",
      ]);
    const isTold = global.json || cli.isOutTerminal === true;
    const fields = { url: server.url, pid: process.pid, version: cli.version };
    logging.release(isTold ? undefined : { message: greeting, fields });
    await untilStopped(cli);
    logging.log.say("info", "stopping");
  } finally {
    process.off("SIGHUP", onHangup);
    await close();
  }
  return exit.ok;
}

const stopMsMax = 30_000;
const lookMs = 100;

export async function stopCommand(cli: Cli, global: Global): Promise<number> {
  const { pid } = runningHub(cli, global);
  process.kill(pid, "SIGTERM");
  for (let waitedMs = 0; waitedMs < stopMsMax; waitedMs += lookMs) {
    if (!isRunning(pid)) {
      if (global.json) await printJson(cli, { stopped: pid });
      else await printLines(cli, [`Stopped (pid ${pid}).`]);
      return exit.ok;
    }
    await cli.clock.sleep(lookMs, cli.signal);
  }
  throw new CommandFailed(
    `The hub (pid ${pid}) has not ended within ${stopMsMax / 1000} seconds.`,
    "It may wait for a slow system; look at its log, or end it by its pid.",
  );
}

/** A YAML with errors is told here, where somebody reads it; the running hub goes on with the one it has. */
export async function reloadCommand(cli: Cli, global: Global): Promise<number> {
  const { pid } = runningHub(cli, global);
  process.kill(pid, "SIGHUP");
  if (global.json) await printJson(cli, { asked: pid });
  else await printLines(cli, [`Asked the hub (pid ${pid}) to read ${global.config} again.`]);
  return exit.ok;
}

function runningHub(cli: Cli, global: Global) {
  const running = readPid(localName(soundConfig(cli, global).hub.store));
  if (running === null) throw new CommandFailed("No hub runs on this store.", "Start one with: npx syncline serve");
  return running;
}
