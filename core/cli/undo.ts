/** `undo`: takes back what a run or one change did; without `--yes` it only shows what that would touch. */
import { Effect } from "effect";
import { type Undone, type UndoTarget, undoChanges } from "../hub/undo.ts";
import { isRun } from "../store/browse.ts";
import { type Cli, CommandFailed, exit, type Global } from "./cli.ts";
import { noteRead, printJson, printLines, withHub } from "./context.ts";
import { table } from "./table.ts";
import { counted, plainNumber, valueText } from "./words.ts";

export interface UndoOptions {
  readonly yes: boolean;
  readonly limit: number;
}

export async function undoCommand(cli: Cli, global: Global, what: string, options: UndoOptions): Promise<number> {
  return carryOut(cli, global, targetOf(what), { ...options, name: what });
}

/** All empty fields that a run filled in, at once. */
export const undoFillsCommand = (cli: Cli, global: Global, run: string): Promise<number> =>
  carryOut(cli, global, { run, only: "fills" }, { yes: true, limit: 0, name: run });

function targetOf(what: string): UndoTarget {
  if (what.startsWith("run_")) return { run: what };
  const position = Number(what.replace(/^#/, ""));
  if (Number.isSafeInteger(position) && position > 0) return { position };
  throw new CommandFailed(
    `${what} is neither a run nor a change.`,
    "A run is run_… as `sync` prints it; a change is its number in `explain`, such as 4711. A conflict is taken back with `conflicts undo`.",
    exit.usage,
  );
}

async function carryOut(
  cli: Cli,
  global: Global,
  target: UndoTarget,
  { yes, limit, name }: UndoOptions & { readonly name: string },
): Promise<number> {
  const found = await withHub(cli, global, {}, (hub) =>
    Effect.gen(function* () {
      if (!yes) yield* noteRead(cli, hub, "look at an undo", name);
      const undone = yield* undoChanges(hub, target, { actor: cli.actor, keeps: yes });
      return { undone, known: undone !== null || ("run" in target && (yield* isRun(hub, target.run))) };
    }),
  );
  if (!found.known) {
    throw new CommandFailed(
      `There was no ${"run" in target ? "run" : "change"} ${name}.`,
      "Nothing was changed. A sync prints its run after what it found; `explain` shows the numbers of changes.",
    );
  }
  const undone = found.undone ?? nothing;
  const { done, asks, refused } = undone;
  if (done + asks + refused === 0 && "only" in target) {
    throw new CommandFailed(`Run ${name} filled no empty field.`, "Nothing was changed.");
  }
  if (global.json) await printJson(cli, { what: name, carriedOut: yes, ...undone });
  else if (done + asks + refused === 0) {
    await printLines(cli, [`${name} changed no value that could be taken back.`, ...stayingLines(undone)]);
  } else await printLines(cli, yes ? doneLines(undone) : shownLines(cli, { undone, limit, name }));
  return yes && (asks > 0 || refused > 0) ? exit.failed : exit.ok;
}

const nothing: Undone = { done: 0, asks: 0, refused: 0, accounts: 0, writes: {}, stays: {}, steps: [] };

const doneLines = ({ done, asks, refused }: Undone): ReadonlyArray<string> => [
  `Taken back: ${counted(done, "change")}; the systems are written at the next sync.`,
  ...(asks === 0 ? [] : [`${plainNumber(asks)} were changed since and ask: npx syncline conflicts list`]),
  ...(refused === 0 ? [] : [`${plainNumber(refused)} could not be taken back.`]),
];

const outcomes = { done: "back", asks: "asks, it was changed since", refused: "stays" } as const;

function shownLines(
  cli: Cli,
  { undone, limit, name }: { readonly undone: Undone; readonly limit: number; readonly name: string },
): ReadonlyArray<string> {
  const { done, asks, refused, accounts, writes, steps } = undone;
  const shown = steps.slice(0, limit);
  const rows = shown.map((step) => [
    step.name,
    step.field ?? (step.what === "merge" ? "two that became one" : "deleted everywhere"),
    step.what === "value"
      ? `${valueText(step.from, undefined, 30)} → ${valueText(step.to, undefined, 30)}`
      : "as before",
    step.reason === null ? outcomes[step.outcome] : `${outcomes[step.outcome]}: ${step.reason}`,
  ]);
  const total = done + asks + refused;
  const systems = Object.entries(writes).map(([connection, count]) => `${connection} ${plainNumber(count)}`);
  return [
    ...table(["customer", "what", "now → then", "outcome"], rows, cli.columns),
    ...(total > shown.length ? [`… and ${counted(total - shown.length, "more change")}; --limit shows more.`] : []),
    "",
    `It would take back ${counted(done, "change")} of ${plainNumber(accounts)} accounts and contacts${asks === 0 ? "" : `; ${plainNumber(asks)} were changed since and would ask`}.`,
    systems.length === 0
      ? "No system would be written."
      : `Records that would be written at the next sync: ${systems.join(", ")}.`,
    ...stayingLines(undone),
    `Nothing has been changed. Do it: npx syncline undo ${name} --yes`,
  ];
}

const stayingLines = ({ stays }: Undone): ReadonlyArray<string> =>
  Object.keys(stays).length === 0
    ? []
    : [
        `Left as it is: ${Object.entries(stays)
          .map(([kind, count]) => `${plainNumber(count)} ${kind}`)
          .join(", ")}.`,
      ];
