/** `plan` shows what a sync would write, and can keep it in a file; `apply` carries that file out. */
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { Effect } from "effect";
import { type AppliedPlan, applyPlan, type StepOutcome, stepOutcomes } from "../hub/apply-plan.ts";
import { connectHub, type Hub } from "../hub/open.ts";
import { type Plan, type PlannedWrite, plan } from "../hub/plan.ts";
import { fileBytesMax, readPlanFile, stepsMax, writePlanFile } from "../hub/plan-file.ts";
import { outcomeOf } from "../sync/sync.ts";
import { type Cli, CommandFailed, exit, type Global } from "./cli.ts";
import { printJson, printLines, withHub } from "./context.ts";
import { progressLines } from "./progress.ts";
import { exitOf, requireNames, type SyncOptions } from "./sync.ts";
import { table } from "./table.ts";
import { counted, plainNumber, valueText } from "./words.ts";

export interface PlanCommandOptions extends SyncOptions {
  readonly limit: number;
  /** A file that `apply` carries out. */
  readonly output?: string;
}

export async function planCommand(
  cli: Cli,
  global: Global,
  names: ReadonlyArray<string>,
  options: PlanCommandOptions,
): Promise<number> {
  const { full, limit, output } = options;
  const progress = progressLines(cli);
  const { made, unreachable, kept } = await withHub(
    cli,
    global,
    { mustExist: false, progress: progress.show },
    (hub) => {
      requireNames(hub.config, names);
      return Effect.acquireUseRelease(
        connectHub(hub, names.length === 0 ? undefined : names),
        (live) =>
          Effect.gen(function* () {
            const keepsSteps = output !== undefined;
            const { steps = [], ...planned } = yield* plan(hub, live, { full, writesMax: limit, keepsSteps });
            const kept =
              output === undefined
                ? null
                : yield* Effect.try({
                    try: () => keep(hub, output, { planned, steps, full }),
                    catch: (error) => error,
                  });
            return {
              made: planned,
              unreachable: live.unreachable.map(({ name, failure }) => ({ name, outcome: outcomeOf(failure) })),
              kept,
            };
          }),
        (live) => Effect.promise(live.close),
      );
    },
  ).finally(progress.end);
  if (global.json) await printJson(cli, { ...made, unreachable, ...(kept === null ? {} : { file: kept }) });
  else {
    await printLines(cli, [
      ...planLines(cli, made),
      ...(kept === null ? [] : ["", `Kept in ${kept}. Carry out exactly this: npx syncline apply ${kept}`]),
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

/** The file appears under its name only when it is whole; it may be read by its owner only. */
function keep(
  hub: Hub,
  file: string,
  {
    planned,
    steps,
    full,
  }: { readonly planned: Plan; readonly steps: NonNullable<Plan["steps"]>; readonly full: boolean },
): string {
  if (steps.length > stepsMax) {
    throw new CommandFailed(
      `A plan file holds ${counted(stepsMax, "write")}, and a sync would make more.`,
      "Plan fewer connections at a time, or let `sync` do it.",
    );
  }
  const names = planned.connections.map(({ name }) => name);
  const content = { at: hub.clock.now(), hub: hub.config.hub.name, names, full, steps };
  const partial = `${file}.partial`;
  try {
    writeFileSync(partial, writePlanFile(hub.store.sealer, content, planned.connections), { mode: 0o600 });
    renameSync(partial, file);
  } catch (error) {
    rmSync(partial, { force: true });
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandFailed(`${file} was not written: ${why}`, "Name another file, and plan again.");
  }
  return file;
}

export async function applyCommand(cli: Cli, global: Global, file: string): Promise<number> {
  const text = readPlan(file);
  const progress = progressLines(cli);
  const applied = await withHub(cli, global, { progress: progress.show }, (hub) =>
    Effect.gen(function* () {
      const content = yield* Effect.try({ try: () => readPlanFile(hub.store.sealer, text), catch: (error) => error });
      requireNames(hub.config, content.names);
      return yield* applyPlan(hub, content);
    }),
  ).finally(progress.end);
  if (global.json) await printJson(cli, applied);
  else await printLines(cli, appliedLines(cli, file, applied));
  const { moved, refused, waits, unclear } = applied.counts;
  const code = exitOf(applied.report.connections.map((one) => one.outcome.kind));
  if (moved + refused > 0 || code === exit.failed) return exit.failed;
  return waits + unclear > 0 ? exit.paused : code;
}

function readPlan(file: string): string {
  try {
    const { size } = statSync(file);
    if (size > fileBytesMax) throw new Error(`it is larger than ${fileBytesMax / 1024 / 1024} MB`);
    return readFileSync(file, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandFailed(
      `The plan ${file} could not be read: ${why}`,
      "Name a file that `plan -o` has written.",
      exit.usage,
    );
  }
}

const outcomeWords: Readonly<Record<StepOutcome, string>> = {
  written: "written as planned",
  settled: "done already",
  moved: "not written, because something moved",
  refused: "refused by the system",
  waits: "waiting",
  unclear: "sent without an answer",
};

function appliedLines(cli: Pick<Cli, "columns">, file: string, applied: AppliedPlan): ReadonlyArray<string> {
  const { counts, left, beyond } = applied;
  const told = stepOutcomes.filter((outcome) => counts[outcome] > 0);
  const rows = left.map((step) => [
    `${signs[step.kind]} ${step.connection} ${step.entity}`,
    step.name,
    outcomeWords[step.outcome],
    step.reason ?? "",
  ]);
  return [
    told.length === 0
      ? `${file} plans no write, and none was made.`
      : `${file}: ${told.map((outcome) => `${plainNumber(counts[outcome])} ${outcomeWords[outcome]}`).join(", ")}.`,
    ...(rows.length === 0 ? [] : ["", ...table(["step", "name", "outcome", "why"], rows, cli.columns)]),
    ...(counts.moved > 0 ? ["", "What moved is planned anew: npx syncline plan"] : []),
    ...(beyond > 0
      ? ["", `Due now and not in this plan: ${counted(beyond, "more write")}; none of them was made.`]
      : []),
    ...applied.report.connections.flatMap(({ name, outcome }) =>
      outcome.kind === "ok" ? [] : ["", `${name}: ${outcome.reason}`],
    ),
  ];
}
