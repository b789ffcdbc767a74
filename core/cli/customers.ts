/** `accounts` and `contacts`: the unified customers, one by one; `explain`: why a value is what it is. */
import { Effect } from "effect";
import { type Explanation, explain, type FieldExplanation } from "../hub/explain.ts";
import { displayName } from "../model/display.ts";
import type { Entity, Model } from "../model/field.ts";
import { equalValues } from "../model/value.ts";
import { type Canonical, type ChangeRow, isOpen } from "../model/world.ts";
import { countCanonicals, listCanonicals, readSheet, type Sheet, search } from "../store/browse.ts";
import { type Cli, CommandFailed, exit, type Global } from "./cli.ts";
import { noteRead, printJson, printLines, withHub } from "./context.ts";
import { table } from "./table.ts";
import { counted, intervalText, timeText, valueText } from "./words.ts";

const shownColumns: Readonly<Record<Entity, ReadonlyArray<string>>> = {
  account: ["domain", "phone", "industry", "owner", "status"],
  contact: ["emails", "mobile", "title", "owner"],
};

function listLines(cli: Cli, entity: Entity, model: Model, found: ReadonlyArray<Canonical>): ReadonlyArray<string> {
  const columns = shownColumns[entity];
  const rows = found.map((canonical) => [
    canonical.id,
    displayName(entity, canonical.values),
    ...columns.map((name) => valueText(canonical.values[name] ?? null, model[entity].get(name), 40)),
  ]);
  return table(["id", "name", ...columns], rows, cli.columns);
}

const jsonOf = ({ id, entity, state, values, createdAt, updatedAt }: Canonical) => ({
  id,
  entity,
  state,
  values,
  createdAt,
  updatedAt,
});

export async function listCommand(
  cli: Cli,
  global: Global,
  entity: Entity,
  options: { readonly limit: number; readonly after?: string },
): Promise<number> {
  await withHub(cli, global, {}, (hub) =>
    Effect.gen(function* () {
      const found = yield* listCanonicals(hub, { entity, ...options });
      const total = yield* countCanonicals(hub, entity);
      yield* noteRead(cli, hub, `list ${entity}s`, `${found.length} of ${total}`);
      const last = found.at(-1);
      const more = found.length === options.limit && last !== undefined ? last.id : null;
      if (global.json) yield* Effect.promise(() => printJson(cli, { total, next: more, items: found.map(jsonOf) }));
      else {
        const lines = listLines(cli, entity, hub.model, found);
        const next = more === null ? [] : [`Go on with: --after ${more}`];
        yield* Effect.promise(() => printLines(cli, [...lines, "", counted(total, entity), ...next]));
      }
    }),
  );
  return exit.ok;
}

export async function searchCommand(cli: Cli, global: Global, entity: Entity, text: string): Promise<number> {
  const found = await withHub(cli, global, {}, (hub) =>
    Effect.gen(function* () {
      const hits = yield* search(hub, entity, text);
      yield* noteRead(cli, hub, `search ${entity}s`, `${hits.length} found`);
      if (global.json) yield* Effect.promise(() => printJson(cli, { items: hits.map(jsonOf) }));
      else if (hits.length === 0) {
        yield* Effect.promise(() =>
          printLines(cli, [
            `No ${entity} found for: ${text}`,
            entity === "account"
              ? "Searched: ids, remote ids, tax ids, domains, e-mails and phones exactly, and parts of names."
              : "Searched: ids, remote ids, e-mails, logins and phones exactly, and whole words of names.",
          ]),
        );
      } else yield* Effect.promise(() => printLines(cli, listLines(cli, entity, hub.model, hits)));
      return hits.length;
    }),
  );
  return found === 0 ? exit.failed : exit.ok;
}

const nothing = (entity: string, id: string): CommandFailed =>
  new CommandFailed(`There is no ${entity} ${id}.`, `Find it with: npx syncline ${entity}s search <name, id or key>`);

export async function showCommand(cli: Cli, global: Global, entity: Entity, id: string): Promise<number> {
  await withHub(cli, global, {}, (hub) =>
    Effect.gen(function* () {
      const sheet = yield* readSheet(hub, id);
      if (sheet === null || sheet.canonical.entity !== entity) return yield* Effect.fail(nothing(entity, id));
      yield* noteRead(cli, hub, `show ${entity}`, sheet.canonical.id);
      yield* Effect.promise(() =>
        global.json ? printJson(cli, sheetJson(sheet)) : printLines(cli, sheetLines(cli, hub.model, sheet)),
      );
    }),
  );
  return exit.ok;
}

const sheetJson = (sheet: Sheet) => ({
  ...jsonOf(sheet.canonical),
  provenance: sheet.canonical.provenance,
  links: sheet.links.map(({ connection, remoteId, state, version, modifiedAt, readEnded }) => ({
    connection,
    remoteId,
    state,
    version,
    modifiedAt,
    readAt: readEnded,
  })),
  conflicts: sheet.conflicts.map(({ id, kind, field, state }) => ({ id, kind, field, state })),
  due: sheet.due,
});

function titleLine({ canonical, askedFor }: Sheet): string {
  const alias = askedFor === canonical.id ? "" : ` (${askedFor} was merged into it)`;
  const state = canonical.state === "live" ? "" : `, ${canonical.state === "dead" ? "deleted" : canonical.state}`;
  return `${displayName(canonical.entity, canonical.values)}  ${canonical.entity} ${canonical.id}${state}${alias}`;
}

function sheetLines(cli: Cli, model: Model, sheet: Sheet): ReadonlyArray<string> {
  const { canonical, links, conflicts, due } = sheet;
  const fields = [...model[canonical.entity].values()].filter((field) => canonical.values[field.name] !== undefined);
  const open = conflicts.filter(isOpen);
  return [
    titleLine(sheet),
    "",
    ...table(
      ["field", "value", "from"],
      fields.map((field) => [
        field.name,
        referenceText(sheet, field.name) ?? valueText(canonical.values[field.name] ?? null, field),
        sourceText(canonical, field.name),
      ]),
      cli.columns,
    ),
    "",
    ...table(
      ["connection", "record", "state", "changed there", "last read"],
      links.map((link) => [
        link.connection,
        link.remoteId,
        due.includes(link.connection) ? `${link.state}, a write is due` : link.state,
        timeText(link.modifiedAt),
        timeText(link.readEnded),
      ]),
      cli.columns,
    ),
    ...(open.length === 0
      ? []
      : ["", `${counted(open.length, "open conflict")}: ${open.map((row) => row.id).join(", ")}`]),
    "",
    `Why a value is what it is: npx syncline explain ${canonical.id} <field>`,
  ];
}

/** The name of the record that a reference points to. */
function referenceText(sheet: Sheet, field: string): string | undefined {
  const value = sheet.canonical.values[field];
  const target = typeof value === "string" ? sheet.targets.get(value) : undefined;
  return target === undefined ? undefined : `${displayName(target.entity, target.values)} (${target.id})`;
}

function sourceText(canonical: Canonical, field: string): string {
  const provenance = canonical.provenance[field];
  if (provenance === undefined) return "";
  if (provenance.hold === true) return "a person, held";
  return provenance.pinnedAt === undefined ? provenance.source : "a person";
}

export async function explainCommand(cli: Cli, global: Global, id: string, field: string | undefined): Promise<number> {
  await withHub(cli, global, {}, (hub) =>
    Effect.gen(function* () {
      const found = yield* explain(hub, id, field);
      if (found === null) return yield* Effect.fail(nothing("account", id));
      const { entity } = found.sheet.canonical;
      if (field !== undefined && !hub.model[entity].has(field)) {
        const names = [...hub.model[entity].keys()].join(", ");
        return yield* Effect.fail(
          new CommandFailed(`The ${entity} has no field ${field}.`, `There are: ${names}.`, exit.usage),
        );
      }
      yield* noteRead(cli, hub, "explain", `${found.sheet.canonical.id} ${field ?? "all fields"}`);
      yield* Effect.promise(() =>
        global.json
          ? printJson(cli, { ...sheetJson(found.sheet), fields: found.fields })
          : printLines(cli, explanationLines(cli, found, field !== undefined)),
      );
    }),
  );
  return exit.ok;
}

export function explanationLines(
  cli: Pick<Cli, "columns">,
  { sheet, fields }: Explanation,
  whole: boolean,
): ReadonlyArray<string> {
  return [titleLine(sheet), ...fields.flatMap((one) => ["", ...fieldLines(cli, one, whole)])];
}

function fieldLines(cli: Pick<Cli, "columns">, one: FieldExplanation, whole: boolean): ReadonlyArray<string> {
  const { field } = one;
  const text = (value: Parameters<typeof valueText>[0]): string => valueText(value, field);
  const lines = [
    `${field.name} (${field.title.en} ${field.title.zh}): ${text(one.value)}`,
    one.source === null
      ? "  from nobody yet"
      : `  from ${one.source}${one.pinnedAt === null ? `, changed there ${intervalText(one.interval)}` : `, decided by a person at ${timeText(one.pinnedAt)}`}`,
    `  why: ${one.decision}`,
  ];
  if (!whole && one.sources.every((source) => source.agrees)) return lines;
  const rows = one.sources.map((source) => [
    source.connection,
    source.remoteId,
    text(source.held),
    source.agrees ? "agrees" : source.why,
    timeText(source.modifiedAt),
  ]);
  const sources = table(["source", "record", "holds", "state", "record changed"], rows, cli.columns - 2).map(
    (line) => `  ${line}`,
  );
  if (!whole) return [...lines, ...sources];
  return [
    ...lines,
    `  rules asked: ${one.rules.join(" → ")}`,
    "",
    ...sources,
    "",
    "  history, newest first",
    ...one.history.map((change) => `  ${historyLine(change, field.name, text)}`),
    ...one.conflicts.map((row) => `  conflict ${row.id}: ${row.state}, ${row.rule ?? "no rule"}: ${row.reason}`),
  ];
}

function historyLine(
  change: ChangeRow & { readonly position: number },
  field: string,
  text: (value: Parameters<typeof valueText>[0]) => string,
): string {
  const from = change.from?.[field];
  const set = change.set?.[field];
  const news = change.news?.[field];
  if (typeof change.note?.reopened === "string") {
    const shown = text(set ?? null);
    return `${timeText(change.at)}  asked again ${change.connection}  ${shown} stands until a person answers ${change.note.reopened}`;
  }
  if (change.note?.released === field) return `${timeText(change.at)}  released hub  ${text(set ?? null)}`;
  if (change.connection === "hub" && set !== undefined && from !== undefined && equalValues(from, set)) {
    return `${timeText(change.at)}  kept hub  ${text(set)}`;
  }
  const parts = [
    set === undefined ? "" : `${from === undefined ? "" : `${text(from)} → `}${text(set)}`,
    news === undefined || (change.kind !== "pushed" && set !== undefined)
      ? ""
      : `${change.kind === "pushed" ? "wrote" : "said"} ${text(news)}`,
    typeof change.note?.reason === "string" ? `(${change.note.rule}: ${change.note.reason})` : "",
    typeof change.note?.why === "string" ? `(${change.note.why})` : "",
  ].filter((part) => part !== "");
  const number = set === undefined || from === undefined ? "" : ` #${change.position}`;
  return `${timeText(change.at)}  ${change.kind} ${change.connection}  ${parts.join(" ")}${number}`;
}
