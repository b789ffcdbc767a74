/** `plan` shows what a sync would write; `sync` does it. */
import { Effect } from "effect";
import type { HubConfig } from "../config/hub-config.ts";
import { closest } from "../config/suggest.ts";
import { connectHub } from "../hub/open.ts";
import { type Plan, type PlannedWrite, plan } from "../hub/plan.ts";
import { type RunReport, runSync } from "../hub/run.ts";
import { outcomeOf, type SyncReport } from "../sync/sync.ts";
import { type Cli, CommandFailed, exit, type Global } from "./cli.ts";
import { printJson, printLines, withHub } from "./context.ts";
import { progressLines } from "./progress.ts";
import { table } from "./table.ts";
import { counted, outcomeText, plainNumber, timeText, valueText } from "./words.ts";

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

function requireNames(config: HubConfig, names: ReadonlyArray<string>): void {
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

export async function planCommand(
  cli: Cli,
  global: Global,
  names: ReadonlyArray<string>,
  options: SyncOptions & { readonly limit: number },
): Promise<number> {
  const progress = progressLines(cli);
  const { made, unreachable } = await withHub(cli, global, { mustExist: false, progress: progress.show }, (hub) => {
    requireNames(hub.config, names);
    return Effect.acquireUseRelease(
      connectHub(hub, names.length === 0 ? undefined : names),
      (live) =>
        Effect.map(plan(hub, live, { full: options.full, writesMax: options.limit }), (planned) => ({
          made: planned,
          unreachable: live.unreachable.map(({ name, failure }) => ({ name, outcome: outcomeOf(failure) })),
        })),
      (live) => Effect.promise(live.close),
    );
  }).finally(progress.end);
  if (global.json) await printJson(cli, { ...made, unreachable });
  else {
    await printLines(cli, [
      ...planLines(cli, made),
      ...unreachable.flatMap(({ name, outcome }) =>
        outcome.kind === "ok" ? [] : ["", `${name} could not be asked: ${outcome.reason}`],
      ),
    ]);
  }
  return exitOf([...made.connections.map((one) => one.outcome.kind), ...unreachable.map((one) => one.outcome.kind)]);
}

export function planLines(cli: Pick<Cli, "columns">, made: Plan): ReadonlyArray<string> {
  const rows = made.connections.map((one) => [
    one.name,
    plainNumber(one.pulled),
    plainNumber(one.canonicals),
    plainNumber(one.links),
    plainNumber(one.conflicts.settled),
    plainNumber(one.conflicts.open),
    plainNumber(one.creates),
    plainNumber(one.updates),
    plainNumber(one.deletes),
    plainNumber(one.calls),
  ]);
  const headings = ["connection", "read", "new", "linked", "settled", "open", "create", "update", "delete", "calls"];
  const total = made.connections.reduce((sum, one) => sum + one.creates + one.updates + one.deletes, 0);
  const more = made.unlisted === 0 ? [] : [`… and ${counted(made.unlisted, "more write")}; --limit shows more.`];
  return [
    ...table(headings, rows, cli.columns),
    "",
    `It would fill ${counted(made.found.filled, "empty field")}, settle ${counted(made.found.settled, "difference")} by the rules and leave ${counted(made.found.opened, "question")} to a person.`,
    total === 0
      ? "A sync would write nothing."
      : `A sync would make ${counted(total, "write")}. Nothing has been written.`,
    ...made.writes.flatMap((write) => ["", ...writeLines(write)]),
    ...more,
  ];
}

const signs = { create: "+", update: "~", delete: "-" } as const;

function writeLines(write: PlannedWrite): ReadonlyArray<string> {
  const where = write.remoteId === null ? "" : ` ${write.remoteId}`;
  return [
    `${signs[write.kind]} ${write.connection} ${write.entity}${where}  ${write.name}`,
    ...write.fields.map(({ field, from, to }) =>
      write.kind === "create"
        ? `    ${field}: ${valueText(to)}`
        : `    ${field}: ${valueText(from)} → ${valueText(to)}`,
    ),
    ...write.leftOut.map(({ field, reason }) => `    ${field}: left out, ${reason}`),
  ];
}
