/** What a person must mend before the files can be read, and which names they offer to the map. */
import { AuthFailed, type Entity, isFault, type Problem, type RemoteField, Unavailable } from "../../core/connector.ts";
import { columnsFor } from "./columns.ts";
import type { Config } from "./config.ts";
import { filesOf, kindOf } from "./files.ts";
import { slotsOf } from "./map.ts";
import { idColumns, requireId, rowsIn } from "./scan.ts";

/** Lines of JSON that are looked at to learn their keys. */
const linesSampled = 1_000;

/** The columns of one file; of JSON lines, the keys of the first ones. */
export async function columnsIn(file: string, config: Config): Promise<ReadonlyArray<string>> {
  const columns = new Set<string>();
  const tabular = kindOf(file) !== "jsonl";
  let seen = 0;
  for await (const row of rowsIn(file, config)) {
    if (row.kind === "row") for (const column of row.columns) columns.add(column);
    seen += 1;
    if ((tabular && row.kind === "row") || seen >= linesSampled) break;
  }
  return [...columns];
}

/** `reads` are the names that the map reads; without them, columns that nothing reads are not looked for. */
export async function check(
  config: Config,
  entity: Entity,
  reads?: ReadonlyArray<string>,
): Promise<ReadonlyArray<Problem>> {
  const problems: Array<Problem> = [];
  const unread = new Set<string>();
  const note = (error: unknown): void => {
    if (!isFault(error)) throw error;
    const remedy = error instanceof AuthFailed ? error.remedy : "Check that the path is right and the hub may read it.";
    problems.push({ severity: "error", entity, what: error.message, remedy });
  };
  const listing = await filesOf(config).catch(note);
  for (const file of listing?.files ?? []) {
    try {
      problems.push(...(await checkFile(file, config, entity)));
      if (reads !== undefined) for (const column of await unreadIn(file, config, reads)) unread.add(column);
    } catch (error) {
      note(error);
    }
  }
  if (unread.size > 0) {
    problems.push({
      severity: "warning",
      entity,
      what: `Nothing reads these columns: ${named([...unread])}.`,
      remedy: "Say with `headers:` or `map:` what they hold, or leave them out of the hub.",
    });
  }
  if (listing !== undefined && !listing.single && config.allRows !== true) {
    problems.push({
      severity: "warning",
      entity,
      what: `Rows that vanish from ${config.path} are not taken for deleted.`,
      remedy: "Set `allRows: true` if its files together always hold every row.",
    });
  }
  return problems;
}

const namedMax = 20;

const named = (columns: ReadonlyArray<string>): string =>
  `${columns.slice(0, namedMax).join(", ")}${columns.length > namedMax ? " and more" : ""}`;

async function unreadIn(file: string, config: Config, reads: ReadonlyArray<string>): Promise<ReadonlyArray<string>> {
  const columns = await columnsIn(file, config);
  const find = columnsFor(columns, config.headers);
  const read = [
    ...reads,
    ...idColumns(config),
    ...(config.modifiedColumn === undefined ? [] : [config.modifiedColumn]),
  ];
  const used = new Set(read.map(find));
  return columns.filter((column) => column !== "" && !used.has(column));
}

async function checkFile(file: string, config: Config, entity: Entity): Promise<ReadonlyArray<Problem>> {
  const columns = await columnsIn(file, config);
  if (columns.length === 0) {
    if (config.allowEmpty === true) return [];
    const remedy = "Fill it, or set `allowEmpty: true` if a file without rows is right.";
    return [{ severity: "warning", entity, what: `${file} has no rows.`, remedy }];
  }
  const find = columnsFor(columns, config.headers);
  requireId(file, columns, find, config);
  const problems: Array<Problem> = [];
  for (const column of Object.keys(config.headers ?? {})) {
    if (columns.includes(column)) continue;
    const remedy = `Mend \`headers:\`. There are: ${columns.join(", ")}.`;
    problems.push({ severity: "warning", entity, field: column, what: `${file} has no column ${column}.`, remedy });
  }
  const { modifiedColumn } = config;
  if (modifiedColumn !== undefined && find(modifiedColumn) === undefined) {
    const remedy = "Mend or remove `modifiedColumn:`.";
    problems.push({
      severity: "error",
      entity,
      field: modifiedColumn,
      what: `${file} has no column ${modifiedColumn}.`,
      remedy,
    });
  }
  if (!slotsOf(entity).some((slot) => find(slot) !== undefined)) {
    const remedy = "Say with `headers:` or `map:` which column holds what.";
    problems.push({ severity: "warning", entity, what: `No column of ${file} has a heading that is known.`, remedy });
  }
  return problems;
}

/**
 * The columns of all files, and the slots of the map. A slot without a column is listed too: the file does not tell
 * the field, which is no fault of the map.
 */
export async function describe(config: Config, entity: Entity): Promise<ReadonlyArray<RemoteField>> {
  const { files } = await filesOf(config);
  const fields = new Map<string, RemoteField>();
  const add = (name: string, label: string): void => {
    if (fields.has(name)) return;
    fields.set(name, { name, label, type: "text", required: false, readable: true, writable: false, unique: false });
  };
  const found = new Map<string, string>();
  for (const file of files) {
    const columns = await columnsIn(file, config);
    const find = columnsFor(columns, config.headers);
    for (const column of columns) add(column, column);
    for (const slot of slotsOf(entity)) {
      const column = find(slot);
      if (column !== undefined && !found.has(slot)) found.set(slot, column);
    }
  }
  for (const slot of slotsOf(entity)) add(slot, found.get(slot) ?? "no column");
  if (fields.size === 0) throw new Unavailable(`${config.path} has no columns.`, { sent: false });
  return [...fields.values()];
}
