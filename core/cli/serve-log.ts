/** The log of `serve` on standard output: text at a terminal, JSON lines elsewhere. */
import type { HubConfig } from "../config/hub-config.ts";
import { secretsOf } from "../config/secrets.ts";
import type { LogFields } from "../connector.ts";
import type { Listener } from "../hub/events.ts";
import type { RunningService } from "../hub/start-service.ts";
import { createLog, type HubLog, isLevel, type Level } from "../watch/log.ts";
import { createRedact, type Redact } from "../watch/redact.ts";
import { type Cli, CommandFailed, exit, type Global } from "./cli.ts";

export interface ServeLog {
  readonly log: HubLog;
  readonly redact: Redact;
  readonly hear: Listener;
  /** The connections and secrets are those of the service from now on, also after a reload. */
  readonly follow: (service: RunningService) => void;
  /** What was logged before is held back until then, so that the first line tells where the hub listens. */
  readonly release: (greeting?: { readonly message: string; readonly fields: LogFields }) => void;
}

export async function startLog(
  cli: Cli,
  global: Global,
  options: { readonly config: HubConfig; readonly level: Level },
): Promise<ServeLog> {
  let held: Array<string> | null = [];
  let config = (): HubConfig => options.config;
  let known: { readonly of: HubConfig; readonly secrets: ReadonlyArray<string> } | null = null;
  const secrets = (): ReadonlyArray<string> => {
    const present = config();
    if (known?.of !== present) known = { of: present, secrets: secretsOf(present) };
    return known.secrets;
  };
  const redact = createRedact(secrets);
  const log = await createLog({
    clock: cli.clock,
    level: options.level,
    isText: cli.isOutTerminal === true && !global.json,
    redact,
    write: (line) => {
      if (held === null) void cli.out(line);
      else held.push(line);
    },
  });
  return {
    log,
    redact,
    hear: log.hear((name) => config().connections.some((one) => one.name === name)),
    follow: (service) => {
      config = () => service.hub().config;
    },
    release: (greeting) => {
      const lines = held ?? [];
      held = null;
      if (greeting !== undefined) log.info(greeting.message, greeting.fields);
      for (const line of lines) void cli.out(line);
    },
  };
}

/**
 * SYNCLINE_LOG, or info.
 *
 * Errors  CommandFailed for a word that is no level.
 */
export function levelOf({ env }: Pick<Cli, "env">): Level {
  const told = env.SYNCLINE_LOG;
  if (told === undefined || told === "") return "info";
  if (isLevel(told)) return told;
  throw new CommandFailed(`SYNCLINE_LOG is ${told}.`, "Set it to error, warn, info or debug.", exit.usage);
}
