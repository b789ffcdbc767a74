/** `simulate`: what another YAML would have decided, and would write; the store is read and nothing is kept. */
import { Effect } from "effect";
import { type Simulated, simulate } from "../hub/simulate.ts";
import { type Cli, CommandFailed, exit, type Global } from "./cli.ts";
import { noteRead, printJson, printLines, withHub } from "./context.ts";
import { countingLine } from "./progress.ts";
import { table } from "./table.ts";
import { counted, plainNumber, timeText, valueText } from "./words.ts";

export interface SimulateOptions {
  readonly since?: string;
  readonly limit: number;
}

export async function simulateCommand(cli: Cli, global: Global, options: SimulateOptions): Promise<number> {
  const since = options.since === undefined ? null : Date.parse(options.since);
  if (Number.isNaN(since)) {
    throw new CommandFailed(
      `${options.since} is no time.`,
      "Write it like 2026-01-05 or 2026-01-05T09:00Z.",
      exit.usage,
    );
  }
  const progress = countingLine(cli);
  const found = await withHub(cli, global, {}, (hub) =>
    Effect.gen(function* () {
      yield* noteRead(cli, hub, "simulate", global.config);
      return yield* simulate(hub, { since, progress: progress.show });
    }),
  ).finally(progress.end);
  if (global.json) await printJson(cli, { ...found, differing: found.differing.slice(0, options.limit) });
  else await printLines(cli, simulatedLines(cli, global, found, options.limit));
  return exit.ok;
}

const kinds = { other: "another value", asks: "a person would be asked", settles: "no person would be asked" } as const;

function simulatedLines(
  cli: Pick<Cli, "columns">,
  { config }: Global,
  found: Simulated,
  limit: number,
): ReadonlyArray<string> {
  const { since, decisions, counts, fields, differing, standing, writes, deletes } = found;
  const total = counts.other + counts.asks + counts.settles;
  const span = since === null ? "Of all" : `Of the ${plainNumber(decisions)} since ${timeText(since)}`;
  const of = since === null ? ` ${counted(decisions, "decision")}` : " decisions";
  const untold =
    counts.untold === 0
      ? []
      : [`${plainNumber(counts.untold)} cannot be judged again: the log does not hold what the rules ask for.`];
  return [
    `${span}${of} by the log, ${config} would have made ${plainNumber(total)} otherwise: ${plainNumber(counts.other)} with another value, ${plainNumber(counts.asks)} left to a person, ${plainNumber(counts.settles)} settled without one.`,
    ...untold,
    ...(fields.length === 0 ? [] : ["", ...fieldTable(cli, fields)]),
    ...(total === 0 ? [] : ["", ...decisionTable(cli, differing.slice(0, limit))]),
    ...(total > limit ? [`… and ${plainNumber(total - limit)} more; --limit shows up to 1,000.`] : []),
    "",
    standing === 0
      ? "No value of today would be another one."
      : `${counted(standing, "field")} would hold another value today.`,
    "",
    ...table(
      ["connection", "create", "update", "delete", "due now"],
      writes.map((one) => [
        one.connection,
        plainNumber(one.creates),
        plainNumber(one.updates),
        plainNumber(one.deletes),
        plainNumber(one.dueNow),
      ]),
      cli.columns,
    ),
    "That is what would be due if this configuration ruled now and its values were carried out; maps of new fields show once they are read.",
    ...deletes.map(
      ({ connection, was, wouldBe, count }) =>
        `${connection}: ${counted(count, "delete")} handled as ${was} would have been handled as ${wouldBe}.`,
    ),
    "Nothing has been changed.",
  ];
}

const fieldTable = (cli: Pick<Cli, "columns">, fields: Simulated["fields"]): ReadonlyArray<string> =>
  table(
    ["field", "same", "another value", "would ask", "would settle", "cannot tell"],
    fields.map(({ entity, field, counts }) => [
      `${entity} ${field}`,
      ...[counts.same, counts.other, counts.asks, counts.settles, counts.untold].map(plainNumber),
    ]),
    cli.columns,
  );

const decisionTable = (cli: Pick<Cli, "columns">, differing: Simulated["differing"]): ReadonlyArray<string> =>
  table(
    ["customer", "field", "was", "would be", "decided by"],
    differing.map(({ name, field, kind, was, wouldBe, by }) => [
      name,
      field,
      valueText(was, undefined, 30),
      kind === "asks" ? kinds.asks : valueText(wouldBe, undefined, 30),
      by ?? "",
    ]),
    cli.columns,
  );
