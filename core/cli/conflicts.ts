/** `conflicts`: the log of everything that systems disagreed on, and the answers of people. */
import { Effect } from "effect";
import { resolve, undo } from "../hub/decisions.ts";
import type { Hub } from "../hub/open.ts";
import { typedValue } from "../hub/typed-value.ts";
import { type Answer, answersOf } from "../model/answers.ts";
import { displayName } from "../model/display.ts";
import type { Model } from "../model/field.ts";
import { type Conflict, isOpen, subjectsOf } from "../model/world.ts";
import { type ConflictFilter, listConflicts, readCanonicals, readConflict, readSheet } from "../store/browse.ts";
import { type Cli, CommandFailed, exit, type Global } from "./cli.ts";
import { noteRead, printJson, printLines, withHub } from "./context.ts";
import { decide } from "./decide.ts";
import { cut, table } from "./table.ts";
import { undoFillsCommand } from "./undo.ts";
import { counted, timeText, valueText } from "./words.ts";

export interface ListOptions {
  readonly all: boolean;
  readonly limit: number;
  readonly connection?: string;
  readonly field?: string;
  readonly kind?: string;
}

export async function listConflictsCommand(cli: Cli, global: Global, options: ListOptions): Promise<number> {
  await withHub(cli, global, {}, (hub) =>
    Effect.gen(function* () {
      const { all, ...rest } = options;
      const filter: ConflictFilter = all ? rest : { ...rest, open: true };
      const found = yield* listConflicts(hub, filter);
      const names = yield* namesOf(hub, found);
      yield* noteRead(cli, hub, "list conflicts", `${found.length} shown`);
      yield* Effect.promise(() =>
        global.json
          ? printJson(cli, { items: found.map((row) => ({ ...row, name: names.get(row.id) ?? null })) })
          : printLines(cli, listLines(cli, hub.model, { found, names, all, isCut: found.length === options.limit })),
      );
    }),
  );
  return exit.ok;
}

/** Whom each row is about: its account or contact, or those that a record may belong to. */
export const namesOf = Effect.fn("conflicts.names")(function* (hub: Hub, rows: ReadonlyArray<Conflict>) {
  const ids = new Map(rows.map((row) => [row.id, row.canonicalId === null ? subjectsOf(row) : [row.canonicalId]]));
  const canonicals = yield* readCanonicals(hub, [...ids.values()].flat());
  const nameOf = (id: string): ReadonlyArray<string> => {
    const canonical = canonicals.get(id);
    return canonical === undefined ? [] : [displayName(canonical.entity, canonical.values)];
  };
  return new Map([...ids].map(([row, about]) => [row, about.flatMap(nameOf).join(" / ")]));
});

interface Listed {
  readonly found: ReadonlyArray<Conflict>;
  /** By the row's id. */
  readonly names: ReadonlyMap<string, string>;
}

function listLines(
  cli: Cli,
  model: Model,
  { all, isCut, ...listed }: Listed & { readonly all: boolean; readonly isCut: boolean },
): ReadonlyArray<string> {
  const { found } = listed;
  if (found.length === 0) return [all ? "No conflicts." : "No open conflicts. --all shows the settled ones too."];
  return [
    ...conflictTable(cli, model, listed),
    "",
    `${counted(found.length, all ? "row" : "open conflict")}${isCut ? " shown; more with --limit" : ""}. Look at one: npx syncline conflicts show <id>`,
  ];
}

/** The values need the room. */
const nameWidthMax = 24;

export function conflictTable(
  cli: Pick<Cli, "columns">,
  model: Model,
  { found, names }: Listed,
): ReadonlyArray<string> {
  const rows = found.map((row) => {
    const field = row.field === null ? undefined : model[row.entity].get(row.field);
    return [
      row.id,
      cut(names.get(row.id) ?? "", nameWidthMax),
      row.kind,
      row.field ?? row.connection ?? "",
      row.candidates.length === 0
        ? row.reason
        : row.candidates.map((one) => `${one.source}: ${valueText(one.value, field, 30)}`).join(" | "),
      row.state,
      row.rule === null || isOpen(row) ? "" : `${row.rule}${row.winner === null ? "" : ` → ${row.winner}`}`,
    ];
  });
  return table(["conflict", "customer", "kind", "about", "values", "state", "decided by"], rows, cli.columns);
}

const missing = (id: string): CommandFailed =>
  new CommandFailed(`There is no conflict ${id}.`, "List them with: npx syncline conflicts list --all");

export async function showConflict(cli: Cli, global: Global, id: string): Promise<number> {
  await withHub(cli, global, {}, (hub) =>
    Effect.gen(function* () {
      const row = yield* readConflict(hub, id);
      if (row === null) return yield* Effect.fail(missing(id));
      const sheet = row.canonicalId === null ? null : yield* readSheet(hub, row.canonicalId);
      yield* noteRead(cli, hub, "show conflict", id);
      const name = sheet === null ? "" : displayName(row.entity, sheet.canonical.values);
      yield* Effect.promise(() =>
        global.json ? printJson(cli, row) : printLines(cli, conflictLines(cli, hub.model, row, name)),
      );
    }),
  );
  return exit.ok;
}

function conflictLines(cli: Cli, model: Model, row: Conflict, name: string): ReadonlyArray<string> {
  const field = row.field === null ? undefined : model[row.entity].get(row.field);
  const subject = [
    row.canonicalId === null ? "" : `${row.entity} ${name} (${row.canonicalId})`,
    row.field === null ? "" : `field ${row.field}`,
    row.connection === null ? "" : `record ${row.connection}/${row.remoteId ?? ""}`,
  ].filter((part) => part !== "");
  const answers = answersOf[row.kind];
  const candidates = row.candidates.map((one) => [
    one.source,
    valueText(one.value, field),
    timeText(one.lower),
    timeText(one.upper),
  ]);
  const detail = Object.entries(row.detail).filter(([, value]) => !Array.isArray(value) || value.length > 0);
  return [
    `${row.kind} conflict ${row.id}: ${row.state}`,
    ...subject.map((part) => `  ${part}`),
    `  ${row.reason}`,
    ...(row.rule === null || isOpen(row)
      ? []
      : [`  decided by ${row.rule}${row.winner === null ? "" : `, winner ${row.winner}`}`]),
    `  opened ${timeText(row.openedAt)}, last touched ${timeText(row.updatedAt)}`,
    ...detail.map(([key, value]) => `  ${detailText(key, value)}`),
    ...(row.field === null
      ? []
      : [
          "",
          `  agreed on before  ${valueText(row.base, field)}`,
          `  hub's value then  ${valueText(row.previous, field)}`,
          `  hub's value now   ${valueText(row.result, field)}`,
        ]),
    ...(candidates.length === 0
      ? []
      : ["", ...table(["source", "value", "changed after", "changed before"], candidates, cli.columns)]),
    ...(isOpen(row) && answers.length > 0
      ? ["", `Answer with: npx syncline conflicts resolve ${row.id} --shown ${row.updatedAt} ${answers.join(" | ")}`]
      : []),
    ...((row.state === "settled" || row.state === "resolved") && row.kind === "value"
      ? ["", `Take it back with: npx syncline conflicts undo ${row.id}`]
      : []),
  ];
}

const detailText = (key: string, value: unknown): string => {
  if (key === "kind" && value === "meeting") return "found when the records met for the first time";
  if (key === "kind" && value === "conflict") return "two systems changed the field since they agreed";
  return `${key}: ${Array.isArray(value) ? value.join(", ") : String(value)}`;
};

/** The flags of `resolve`; exactly one names the answer. */
export interface ResolveOptions {
  readonly take?: string;
  readonly value?: string;
  readonly empty?: boolean;
  readonly link?: string;
  readonly separate?: boolean;
  readonly merge?: boolean;
  readonly merged?: boolean;
  readonly deleted?: boolean;
  readonly keep?: boolean;
  readonly release?: boolean;
  readonly reject?: boolean;
  readonly hold?: boolean;
  /** When the row was last touched as the person saw it. */
  readonly shown?: number;
}

export function resolveConflict(cli: Cli, global: Global, id: string, options: ResolveOptions): Promise<number> {
  return decide(cli, global, "Resolved.", (hub) =>
    Effect.gen(function* () {
      const row = yield* readConflict(hub, id);
      if (row === null) return yield* Effect.fail(missing(id));
      return yield* resolve(hub, cli.actor, id, answerOf(hub, row, options));
    }),
  );
}

/** Takes back one decision, or all fills of a run. */
export function undoConflict(cli: Cli, global: Global, id: string): Promise<number> {
  if (id.startsWith("run_")) return undoFillsCommand(cli, global, id);
  return decide(cli, global, "Undone.", (hub) => undo(hub, cli.actor, id));
}

function answerOf(hub: Hub, row: Conflict, options: ResolveOptions): Answer {
  const seen = { hold: options.hold === true, ...(options.shown === undefined ? {} : { shownAt: options.shown }) };
  const answers: Array<Answer> = [];
  if (options.take !== undefined) answers.push({ kind: "source", source: options.take, ...seen });
  if (options.value !== undefined) answers.push({ kind: "value", value: typed(hub, row, options.value), ...seen });
  if (options.empty === true) answers.push({ kind: "value", value: null, ...seen });
  if (options.link !== undefined) answers.push({ kind: "link", canonicalId: options.link });
  if (options.separate === true) answers.push({ kind: "separate" });
  if (options.merge === true || options.merged === true) answers.push({ kind: "merged" });
  for (const kind of ["deleted", "keep", "release", "reject"] as const)
    if (options[kind] === true) answers.push({ kind });
  const [answer] = answers;
  if (answer === undefined || answers.length > 1) {
    const choices = answersOf[row.kind];
    throw new CommandFailed(
      answer === undefined ? "No answer is given." : "More than one answer is given.",
      choices.length === 0
        ? `A row of kind ${row.kind} is a record of what happened and takes no answer.`
        : `A conflict of kind ${row.kind} takes one of: ${choices.join(", ")}.`,
      exit.usage,
    );
  }
  return answer;
}

function typed(hub: Hub, row: Conflict, text: string) {
  const field = row.field === null ? undefined : hub.model[row.entity].get(row.field);
  if (field === undefined) throw new CommandFailed("This row names no field.", "Use another answer.", exit.usage);
  const parsed = typedValue(field, text, { country: hub.config.hub.country, currency: hub.config.hub.currency });
  if (parsed.kind === "wrong") throw new CommandFailed(parsed.reason, parsed.remedy, exit.usage);
  return parsed.value;
}
