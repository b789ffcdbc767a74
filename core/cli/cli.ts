/** What a command is given by its process: where to write, what surrounds it, and the plugins that are wired in. */
import type { Environment } from "../config/environment.ts";
import type { Clock, Connector } from "../connector.ts";
import type { Encoder, NotificationChannel } from "../plugin.ts";
import type { FaultPlan, Simulator, SimulatorClock } from "../simulator.ts";

/** A simulated vendor that `sandbox` and the demo can start, seeded with data. */
export interface SandboxSystem {
  readonly system: string;
  readonly start: (options: {
    readonly clock: SimulatorClock;
    readonly faults?: FaultPlan;
    readonly seed: number;
  }) => Simulator;
}

export interface Registry {
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly encoders: ReadonlyMap<string, Encoder>;
  /** Ways to tell people, by the word after `use:`. */
  readonly channels: ReadonlyMap<string, NotificationChannel>;
  readonly sandbox: ReadonlyMap<string, SandboxSystem>;
}

export interface Cli {
  readonly registry: Registry;
  readonly env: Environment;
  readonly clock: Clock;
  /** Writes to standard output; resolves when it may be called again. */
  readonly out: (text: string) => Promise<void>;
  readonly err: (text: string) => void;
  /** Standard error is a terminal: progress may be drawn. */
  readonly isTerminal: boolean;
  /** Standard output is one: what is written there is read by a person. */
  readonly isOutTerminal?: boolean;
  /** Width of the terminal in columns. */
  readonly columns: number;
  /** Aborts when the person asks to stop. */
  readonly signal: AbortSignal;
  /** Of the program. */
  readonly version: string;
  /** Who runs the command, for the audit log. */
  readonly actor: string;
}

/** Resolves when the person asks to stop. */
export const untilStopped = ({ signal }: Pick<Cli, "signal">): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });

/** Options that every command has. */
export interface Global {
  /** The YAML. */
  readonly config: string;
  readonly json: boolean;
}

/** How a command ends; see README. */
export const exit = {
  ok: 0,
  failed: 1,
  usage: 2,
  /** Neither success nor failure: a connection must wait, a brake holds it, or a create is not answered. */
  paused: 3,
} as const;

/** A command that cannot go on, in words. */
export class CommandFailed extends Error {
  readonly remedy: string;
  readonly code: number;
  constructor(message: string, remedy: string, code: number = exit.failed) {
    super(message);
    this.name = "CommandFailed";
    this.remedy = remedy;
    this.code = code;
  }
}
