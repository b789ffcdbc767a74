/** `sync`: pull, apply and push, and the report of it. */
import type { HubConfig } from "../config/hub-config.ts";
import { closest } from "../config/suggest.ts";
import { type RunReport, runSync } from "../hub/run.ts";
import type { SyncReport } from "../sync/sync.ts";
import { type Cli, CommandFailed, exit, type Global } from "./cli.ts";
import { printJson, printLines, withHub } from "./context.ts";
import { progressLines } from "./progress.ts";
import { table } from "./table.ts";
import { counted, outcomeText, plainNumber, timeText } from "./words.ts";

export interface SyncOptions {
  readonly full: boolean;
}

export async function syncCommand(
  cli: Cli,
  global: Global,
  names: ReadonlyArray<string>,
  options: SyncOptions,
): Promise<number> {
  const progress = progressLines(cli);
  const report = await withHub(cli, global, { mustExist: false, progress: progress.show }, (hub) => {
    requireNames(hub.config, names);
    return runSync(hub, { full: options.full, ...(names.length === 0 ? {} : { names }) });
  }).finally(progress.end);
  if (global.json) await printJson(cli, report);
  else await printLines(cli, reportLines(cli, report));
  const code = exitOf(report.connections.map((one) => one.outcome.kind));
  return code === exit.ok && report.connections.some((one) => one.unclear !== null) ? exit.paused : code;
}

/** A pause is neither success nor failure; a failure beside it counts more. */
export function exitOf(kinds: ReadonlyArray<SyncReport["connections"][number]["outcome"]["kind"]>): number {
  if (kinds.includes("failed")) return exit.failed;
  return kinds.every((kind) => kind === "ok") ? exit.ok : exit.paused;
}

export function requireNames(config: HubConfig, names: ReadonlyArray<string>): void {
  const known = config.connections.map((connection) => connection.name);
  for (const name of names) {
    if (known.includes(name)) continue;
    const near = closest(name, known);
    throw new CommandFailed(
      `There is no connection ${name}.`,
      near === null ? `There are: ${known.join(", ")}.` : `Did you mean ${near}?`,
      exit.usage,
    );
  }
}

export function reportLines(cli: Pick<Cli, "columns">, report: RunReport): ReadonlyArray<string> {
  const rows = report.connections.map((one) => [
    one.name,
    plainNumber(one.pulled),
    plainNumber(one.applied.changed + one.applied.created + one.applied.filled),
    plainNumber(one.pushed.created),
    plainNumber(one.pushed.updated),
    plainNumber(one.pushed.deleted),
    plainNumber(one.pushed.rejected),
    outcomeText(one.outcome),
  ]);
  const { agreement } = report;
  const notes = report.connections.flatMap((one) => {
    if (one.outcome.kind === "ok") return [];
    const remedy = one.outcome.kind === "failed" ? `\n  ${one.outcome.remedy}` : "";
    return ["", `${one.name}: ${one.outcome.reason}${remedy}`];
  });
  const found = report.connections.flatMap((one) =>
    one.vanished === 0 ? [] : [`${one.name}: the full sweep found ${counted(one.vanished, "record")} that are gone`],
  );
  const unclear = report.connections.flatMap(({ name, unclear: waiting }) =>
    waiting === null
      ? []
      : [
          `${name}: ${counted(waiting.creates, "create")} sent without an answer. The hub looks for them after ${timeText(waiting.until)} and makes only those that are not there; sync again then.`,
        ],
  );
  const left = [
    agreement.open === 0 ? [] : [`${counted(agreement.open, "field")} in open conflicts`],
    agreement.pending === 0 ? [] : [`${counted(agreement.pending, "field")} still to be written`],
  ].flat();
  return [
    ...table(["connection", "read", "news", "created", "updated", "deleted", "rejected", "outcome"], rows, cli.columns),
    "",
    agreementLine(report, left),
    ...foundLines(report),
    ...found,
    ...unclear,
    ...notes,
  ];
}

/** Nothing to compare is not agreement. */
function agreementLine({ agreement, outbox, connections }: RunReport, left: ReadonlyArray<string>): string {
  const leftOut = left.length === 0 ? "" : ` (left out: ${left.join(", ")})`;
  const compared =
    agreement.pairs === 0
      ? "nothing to compare yet"
      : `${percent(agreement.share)} of ${counted(agreement.pairs, "field")} compared`;
  const missing = connections.filter((one) => one.outcome.kind !== "ok").map((one) => one.name);
  // What was not read to its end cannot be called equal.
  const whole =
    missing.length === 0
      ? `Agreement: ${compared}${leftOut}.`
      : `Agreement: not known, ${missing.join(", ")} could not be read and written to the end; by what was read last, ${compared}${leftOut}.`;
  return `${whole} Outbox: ${plainNumber(outbox)}.`;
}

function foundLines({ found, run }: RunReport): ReadonlyArray<string> {
  const { filled, settled, opened, deadLetters } = found;
  const letters =
    deadLetters === 0
      ? []
      : [`${counted(deadLetters, "thing")} could not be taken or written as they are: npx syncline dead-letters list`];
  if (filled + settled + opened === 0) return letters;
  const open =
    opened === 0
      ? "nothing is left to a person"
      : `${counted(opened, "question")} left to a person: npx syncline conflicts list`;
  return [
    `Found: ${counted(filled, "empty field")} filled, ${counted(settled, "difference")} settled by the rules, ${open} (${run}).`,
    ...letters,
  ];
}

/** Never rounds up to 100 %. */
const percent = (share: number): string => `${share === 1 ? "100" : (Math.floor(share * 10_000) / 100).toFixed(2)} %`;
