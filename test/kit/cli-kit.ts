/** Runs command lines in this process, with what they print in hand. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { registry } from "../../config/registry.ts";
import type { Cli, Registry } from "../../core/cli/cli.ts";
import { runCli } from "../../core/cli/program.ts";
import type { Clock } from "../../core/connector.ts";
import { systemClock } from "../../core/net/clock.ts";

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** What `--json` printed. */
  readonly json: () => Record<string, unknown>;
}

export interface CliKit {
  readonly folder: string;
  readonly file: (name: string) => string;
  readonly run: (...argv: ReadonlyArray<string>) => Promise<Ran>;
  /** As Ctrl-C would. */
  readonly stop: () => void;
  readonly remove: () => void;
}

export function createCliKit(
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly clock?: Clock;
    readonly registry?: Registry;
  } = {},
): CliKit {
  const folder = mkdtempSync(join(tmpdir(), "syncline-cli-"));
  const stopping = new AbortController();
  return {
    folder,
    file: (name) => join(folder, name),
    run: async (...argv) => {
      let out = "";
      let err = "";
      const cli: Cli = {
        registry: options.registry ?? registry,
        env: options.env ?? {},
        clock: options.clock ?? systemClock,
        out: async (text) => {
          out += text;
        },
        err: (text) => {
          err += text;
        },
        isTerminal: false,
        columns: 160,
        signal: stopping.signal,
        version: "0.0.0-test",
        actor: "cli:test",
      };
      const code = await runCli(cli, ["--config", join(folder, "syncline.yaml"), ...argv]);
      // Every JSON answer is an object.
      return { code, out, err, json: () => JSON.parse(out) as Record<string, unknown> };
    },
    stop: () => stopping.abort(),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
