/** `sandbox`: the simulated vendors on loopback ports, seeded, with the YAML that reaches them. */
import { readFileSync } from "node:fs";
import { Schema } from "effect";
import { stringify } from "yaml";
import { formatProblem } from "../config/diagnostics.ts";
import { decode } from "../config/issues.ts";
import { createReport } from "../config/report.ts";
import { readSource } from "../config/source.ts";
import { type FaultPlan, faultKinds, type Simulator } from "../simulator.ts";
import { type Courier, startCourier } from "../simulator-courier.ts";
import { type SimulatorServer, serveSimulator } from "../simulator-server.ts";
import { type Cli, CommandFailed, exit, type Global, untilStopped } from "./cli.ts";
import { printJson, printLines } from "./context.ts";

const Rule = Schema.Struct({
  fault: Schema.Literals(faultKinds),
  path: Schema.optionalKey(Schema.String),
  method: Schema.optionalKey(Schema.String),
  from: Schema.optionalKey(Schema.Int),
  times: Schema.optionalKey(Schema.Int),
  chance: Schema.optionalKey(Schema.Finite),
  delayMs: Schema.optionalKey(Schema.Int),
});

/** What `--faults` reads. */
const FaultPlanShape = Schema.Struct({
  seed: Schema.optionalKey(Schema.Int),
  rules: Schema.Array(Rule),
});

export function readFaults(file: string): FaultPlan {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandFailed(`The fault plan cannot be read: ${reason}`, "Give a YAML file with `rules:`.", exit.usage);
  }
  const source = readSource(text, {});
  const report = createReport(file, source);
  const plan = source.sound
    ? decode<FaultPlan>({ schema: FaultPlanShape, value: source.value ?? {}, path: [], report })
    : undefined;
  if (plan === undefined) {
    throw new CommandFailed(
      `${report.problems.map(formatProblem).join("\n\n")}\n`,
      "Write rules such as `rules: [{ fault: lost-reply, path: /Accounts, times: 2 }]`.",
      exit.usage,
    );
  }
  return plan;
}

export interface SandboxOptions {
  readonly only?: string;
  /** The first port; the next systems take the next ones. Free ones without. */
  readonly port?: number;
  readonly faults?: string;
  readonly seed: number;
  /** Where the hub listens that the vendors call. */
  readonly hub?: string;
}

export interface Running {
  readonly system: string;
  /** The connection's name in the YAML. */
  readonly name: string;
  readonly simulator: Simulator;
  readonly server: SimulatorServer;
  /** Carries the vendor's calls; absent where it makes none. */
  readonly courier?: Courier;
  /** The keys of the connection in the YAML. */
  readonly keys: Readonly<Record<string, unknown>>;
}

const bare = (url: string): string => url.replace(/\/+$/, "");

export async function closeSandbox(running: ReadonlyArray<Running>): Promise<void> {
  for (const { courier, server } of running) {
    await courier?.close();
    await server.close();
  }
}

/** Starts the simulated vendors; the caller closes them. */
export async function startSandbox(
  cli: Pick<Cli, "registry" | "clock">,
  options: SandboxOptions,
): Promise<ReadonlyArray<Running>> {
  const { sandbox } = cli.registry;
  const systems = options.only === undefined ? [...sandbox.keys()] : options.only.split(",");
  const faults = options.faults === undefined ? undefined : readFaults(options.faults);
  const running: Array<Running> = [];
  for (const [index, system] of systems.entries()) {
    const kind = sandbox.get(system);
    if (kind === undefined) {
      throw new CommandFailed(
        `There is no simulator of ${system}.`,
        `There are: ${[...sandbox.keys()].join(", ")}.`,
        exit.usage,
      );
    }
    const simulator = kind.start({ clock: cli.clock, seed: options.seed, ...(faults === undefined ? {} : { faults }) });
    const server = await serveSimulator(simulator, options.port === undefined ? 0 : options.port + index).catch(
      (error: unknown) => {
        throw new CommandFailed(
          `The simulator of ${system} cannot listen: ${error instanceof Error ? error.message : String(error)}`,
          "Choose another --port.",
        );
      },
    );
    const name = `${system}-sandbox`;
    const called = options.hub === undefined ? {} : simulator.hookTo?.(`${bare(options.hub)}/hooks/${name}`);
    running.push({
      system,
      name,
      simulator,
      server,
      ...(simulator.notices === undefined ? {} : { courier: startCourier(simulator.notices) }),
      keys: { use: system, ...simulator.connection(server.url), ...called },
    });
  }
  return running;
}

/** Runs until it is stopped. */
export async function sandboxCommand(cli: Cli, global: Global, options: SandboxOptions): Promise<number> {
  const running = await startSandbox(cli, options);
  const connections = Object.fromEntries(running.map(({ name, keys }) => [name, keys]));
  if (global.json) {
    const systems = running.map(({ system, server, keys }) => ({ system, baseUrl: server.url, connection: keys }));
    await printJson(cli, { systems });
  } else {
    await printLines(cli, [
      ...running.map(({ system, server }) => `${system} listens on ${server.url}`),
      "",
      "Connections for your YAML (the credentials work here only):",
      "",
      stringify({ connections }).trimEnd(),
      "",
      "Stop with Ctrl-C.",
    ]);
  }
  await untilStopped(cli);
  await closeSandbox(running);
  return exit.ok;
}
