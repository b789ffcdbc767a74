/** What most commands begin with: read the YAML, open the hub, and turn what goes wrong into words and an exit code. */
import { existsSync, readFileSync } from "node:fs";
import { Effect } from "effect";
import { formatProblem, type Problem } from "../config/diagnostics.ts";
import type { HubConfig } from "../config/hub-config.ts";
import { readConfig } from "../config/read.ts";
import { type Hub, openHub } from "../hub/open.ts";
import { noteAudit } from "../store/audit.ts";
import type { Progress } from "../sync/engine.ts";
import { type Cli, CommandFailed, exit, type Global } from "./cli.ts";

export interface ReadYaml {
  readonly config: HubConfig | null;
  readonly problems: ReadonlyArray<Problem>;
}

/** Reads and checks the YAML without asking anybody. */
export function readYaml(cli: Cli, global: Global): ReadYaml {
  const { config: file } = global;
  if (!existsSync(file)) {
    throw new CommandFailed(
      `There is no configuration ${file} here.`,
      "Run `npx syncline init` to write an example, or name yours with --config.",
      exit.usage,
    );
  }
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : "";
    throw code === "EISDIR"
      ? new CommandFailed(`${file} is a folder.`, "Name the YAML in it with --config.", exit.usage)
      : new CommandFailed(`${file} cannot be read (${code}).`, "Give yourself the right to read it.", exit.usage);
  }
  const { connectors, channels } = cli.registry;
  return readConfig({ text, file, env: cli.env, connectors, channels });
}

/** The configuration, or all its problems as the error. */
export function soundConfig(cli: Cli, global: Global): HubConfig {
  const { config, problems } = readYaml(cli, global);
  if (config === null) {
    const errors = problems.filter((problem) => problem.severity === "error");
    throw new CommandFailed(
      `${errors.map(formatProblem).join("\n\n")}\n`,
      `Mend ${global.config} and try again; \`npx syncline check\` shows warnings too.`,
      exit.usage,
    );
  }
  return config;
}

export interface Opening {
  /** False for commands that may make a new store. */
  readonly mustExist?: boolean;
  readonly progress?: (event: Progress) => void;
  /** Calls to systems are made once, for a person who waits. */
  readonly once?: boolean;
}

/** Opens the hub for the command and closes it after. */
export async function withHub<A>(
  cli: Cli,
  global: Global,
  opening: Opening,
  use: (hub: Hub) => Effect.Effect<A, unknown>,
): Promise<A> {
  const config = soundConfig(cli, global);
  const { progress, once = false } = opening;
  const options = {
    config,
    key: cli.env.SYNCLINE_KEY,
    clock: cli.clock,
    log: quietLog(cli),
    once,
    ...(progress === undefined ? {} : { progress }),
  };
  return await Effect.runPromise(
    Effect.acquireUseRelease(openHub(options, { mustExist: opening.mustExist ?? true }), use, (hub) =>
      Effect.promise(hub.close),
    ),
    { signal: cli.signal },
  );
}

/** Warnings of connectors go to standard error; the rest is not for the command line. */
function quietLog(cli: Cli): Hub["log"] {
  const said = new Set<string>();
  return {
    info: () => {},
    warn: (message, fields) => {
      // A call that is repeated six times is one warning.
      const key = `${message} ${fields?.connection} ${fields?.why ?? fields?.place}`;
      if (said.has(key)) return;
      said.add(key);
      if (typeof fields?.why === "string" && typeof fields.triesMax === "number") {
        cli.err(`${fields.connection}: ${fields.why} It is tried again, up to ${fields.triesMax - 1} times.\n`);
        return;
      }
      const facts = Object.entries(fields ?? {}).map(([name, value]) => `${name}=${value}`);
      cli.err(`warning: ${[message, ...facts].join(" ")}\n`);
    },
  };
}

/** A read of personal data is one entry in the audit log. */
export const noteRead = (cli: Cli, hub: Hub, action: string, subject: string) =>
  hub.store.database.write("noting a read", () =>
    noteAudit(hub.store.database, [{ at: hub.clock.now(), actor: cli.actor, action, subject }]),
  );

/** Errors in words: what went wrong, then the remedy. */
export function wordsOf(error: unknown): { readonly message: string; readonly remedy: string; readonly code: number } {
  if (error instanceof CommandFailed) return error;
  const message = error instanceof Error ? error.message : String(error);
  const remedy = error instanceof Error && "remedy" in error ? String(error.remedy) : "";
  return { message, remedy, code: exit.failed };
}

export const printJson = (cli: Cli, value: unknown): Promise<void> => cli.out(`${JSON.stringify(value)}\n`);

export const printLines = (cli: Cli, lines: ReadonlyArray<string>): Promise<void> =>
  cli.out(lines.length === 0 ? "" : `${lines.join("\n")}\n`);
