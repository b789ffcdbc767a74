/** `init` writes an example; `check` finds what is wrong with the YAML, and then with the systems. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Effect } from "effect";
import { formatProblem } from "../config/diagnostics.ts";
import { initialConfig } from "../config/initial.ts";
import { jsonSchema } from "../config/json-schema.ts";
import { checkup, type Finding } from "../hub/checkup.ts";
import { connectHub } from "../hub/open.ts";
import { type Cli, CommandFailed, exit, type Global } from "./cli.ts";
import { printJson, printLines, readYaml, withHub } from "./context.ts";
import { counted } from "./words.ts";

/** Writes the example and, beside it, the JSON Schema for editors. Never over a file that is there. */
export async function init(cli: Cli, global: Global): Promise<number> {
  const { config: file } = global;
  if (existsSync(file)) {
    throw new CommandFailed(
      `${file} is already there.`,
      "Nothing was written. Name another file with --config.",
      exit.usage,
    );
  }
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, initialConfig());
  const schema = join(dirname(file), "syncline.schema.json");
  writeFileSync(schema, `${JSON.stringify(jsonSchema(cli.registry.connectors, cli.registry.channels), null, 2)}\n`);
  if (global.json) await printJson(cli, { written: [file, schema] });
  else {
    await printLines(cli, [
      `Wrote ${file} and ${schema} (editors use it to complete and check the keys).`,
      "",
      `Next: fill in the connections, then run \`npx syncline check\`.`,
    ]);
  }
  return exit.ok;
}

/** All problems at once: of the YAML, and, if that is sound, of the systems that it names. */
export async function check(cli: Cli, global: Global, options: { readonly offline: boolean }): Promise<number> {
  const { config, problems } = readYaml(cli, global);
  const findings = config === null || options.offline ? [] : await online(cli, global);
  const errors = [...problems, ...findings].filter((one) => one.severity === "error").length;
  const warnings = problems.length + findings.length - errors;
  // Every command ends so when the file is not sound.
  const broken = config === null ? exit.usage : exit.failed;
  const code = errors === 0 ? exit.ok : broken;
  if (global.json) {
    await printJson(cli, { ok: errors === 0, problems, connections: findings });
    return code;
  }
  const blocks = [...problems.map(formatProblem), ...findings.map(formatFinding)];
  const tally =
    errors + warnings === 0
      ? `${global.config}: all good, ${counted(config?.connections.length ?? 0, "connection")}${options.offline ? " (systems not asked)" : " answered"}`
      : `${counted(errors, "error")}, ${counted(warnings, "warning")}`;
  const notAsked = config === null ? ["The systems are asked once the file is sound."] : [];
  await printLines(cli, [...blocks.flatMap((block) => [block, ""]), tally, ...notAsked]);
  return code;
}

const online = (cli: Cli, global: Global): Promise<ReadonlyArray<Finding>> =>
  withHub(cli, global, { mustExist: false, once: true }, (hub) =>
    Effect.acquireUseRelease(
      connectHub(hub),
      (live) => checkup(hub, live),
      (live) => Effect.promise(live.close),
    ),
  );

const formatFinding = ({ connection, severity, what, remedy }: Finding): string =>
  `${connection}: ${severity}: ${what}${remedy === "" ? "" : `\n  ${remedy}`}`;
