/** The executable: gives the command line its process, and what is wired in. */
import { existsSync } from "node:fs";
import { userInfo } from "node:os";
import { type Cli, exit } from "../core/cli/cli.ts";
import { runCli } from "../core/cli/program.ts";
import { systemClock } from "../core/net/clock.ts";
import packageJson from "../package.json" with { type: "json" };
import { demo } from "./demo/command.ts";
import { registry } from "./registry.ts";

// Secrets that the YAML names may stand in a file beside it.
if (existsSync(".env")) process.loadEnvFile(".env");

const stopping = new AbortController();
const stop = (): void => {
  // A second signal ends at once; what was committed is safe.
  if (stopping.signal.aborted) process.exit(exit.failed);
  stopping.abort();
};
process.on("SIGINT", stop);
process.on("SIGTERM", stop);

// npx and npm run start a shell that passes no signal on: when they are stopped, only the end of that shell shows it.
// Without npm a parent may end as it likes: that is how a service goes into the background.
const parent = process.ppid;
const parentEveryMs = 500;
if (process.env.npm_command !== undefined) {
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    stop();
  }, parentEveryMs);
  watch.unref();
}

// The reader of a pipe has gone: there is nobody to write to.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? exit.ok : exit.failed);
});

const columnsDefault = 140;

const cli: Cli = {
  registry,
  env: process.env,
  clock: systemClock,
  out: (text) =>
    new Promise((resolve) => {
      if (process.stdout.write(text)) resolve();
      else process.stdout.once("drain", resolve);
    }),
  err: (text) => {
    process.stderr.write(text);
  },
  isTerminal: process.stderr.isTTY === true,
  isOutTerminal: process.stdout.isTTY === true,
  columns: process.stdout.columns ?? columnsDefault,
  signal: stopping.signal,
  version: packageJson.version,
  actor: actorName(),
};

/** The login of who runs the command; containers may have none. */
function actorName(): string {
  try {
    return `cli:${userInfo().username}`;
  } catch {
    return "cli";
  }
}

process.exitCode = await runCli(cli, process.argv.slice(2), [demo]);
