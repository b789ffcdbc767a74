/** Reads all rows of all files as records: gives them their ids, and tells what cannot be a record. */
import { hash } from "node:crypto";
import { AuthFailed, type BadRecord, isFault, type RemoteRecord } from "../../core/connector.ts";
import { type Columns, columnsFor } from "./columns.ts";
import type { Config } from "./config.ts";
import { encodingOf } from "./encoding.ts";
import { fault, kindOf } from "./files.ts";
import { readCsv } from "./read-csv.ts";
import { readJsonl } from "./read-jsonl.ts";
import { readXlsx } from "./read-xlsx.ts";
import type { Cells, Row } from "./row.ts";

/** The rows of one file. Errors  AuthFailed, Unavailable. */
export async function* rowsIn(file: string, config: Config, signal?: AbortSignal): AsyncGenerator<Row> {
  const kind = kindOf(file);
  try {
    if (kind === "xlsx") {
      yield* readXlsx(file, config.sheet);
      return;
    }
    const encoding = await encodingOf(file, config.encoding, signal);
    if (kind === "jsonl") yield* readJsonl({ file, encoding, signal });
    else yield* readCsv({ file, encoding, delimiter: config.delimiter, signal });
  } catch (error) {
    if (isFault(error) || signal?.aborted === true) throw error;
    fault(error, file);
  }
}

/** Rows that a scan holds in mind to find ids that are there twice; about 100 bytes each. */
export const rowsMax = 5_000_000;

/** A place as one number: the file's index times this, and the line. */
const linesMax = 2 ** 32;

const idMax = 500;

/**
 * Every row of the files as a record or as a bad one.
 *
 * Shape   `fields` holds the asked names that the file has, under the name that was asked for.
 * Errors  AuthFailed (a column of the id is missing, too many rows), Unavailable.
 */
export async function* scan(
  files: ReadonlyArray<string>,
  config: Config,
  fields: ReadonlyArray<string>,
  signal?: AbortSignal,
): AsyncGenerator<RemoteRecord | BadRecord> {
  // Prints of ids and not ids: they are short, and no piece of the file's text stays in memory with them.
  const seen = new Map<string, number>();
  for (const [index, file] of files.entries()) {
    const resolve = resolver(file, config);
    for await (const row of rowsIn(file, config, signal)) {
      const where = `${file}:${row.line}`;
      if (row.kind === "bad") {
        yield { kind: "bad", where, problem: row.problem, remedy: row.remedy };
        continue;
      }
      const columns = resolve(row.columns);
      const id = idOf(row.cells, columns, config);
      if (typeof id !== "string") {
        yield { kind: "bad", where, ...id };
        continue;
      }
      const print = hash("sha1", id, "base64");
      const first = seen.get(print);
      if (first !== undefined) {
        yield {
          kind: "bad",
          where,
          problem: `the row has the same id as ${files[Math.floor(first / linesMax)] ?? file}:${first % linesMax}`,
          remedy: "Remove one of the rows, or name more columns in `id:`.",
        };
        continue;
      }
      if (seen.size === rowsMax) throw new AuthFailed(`${config.path} has more than ${rowsMax} rows.`, "Split it.");
      seen.set(print, index * linesMax + row.line);
      yield recordOf(id, row.cells, columns, fields, config);
    }
  }
}

const remembered = 100;

/** Names to columns, found once per heading; the columns of a heading must hold the id. */
function resolver(file: string, config: Config): (columns: ReadonlyArray<string>) => Columns {
  const known = new Map<ReadonlyArray<string> | string, Columns>();
  const tabular = kindOf(file) !== "jsonl";
  return (columns) => {
    // Lines of JSON each have their own list of keys, which mostly are the same.
    const key = tabular ? columns : columns.join("\n");
    const found = known.get(key);
    if (found !== undefined) return found;
    const made = columnsFor(columns, config.headers);
    if (tabular) requireId(file, columns, made, config);
    if (known.size >= remembered) known.clear();
    known.set(key, made);
    return made;
  };
}

const namedMax = 30;

/** Errors  AuthFailed, with the columns that there are. */
export function requireId(file: string, columns: ReadonlyArray<string>, find: Columns, config: Config): void {
  const missing = idColumns(config).filter((name) => find(name) === undefined);
  if (missing.length === 0) return;
  const there = `${columns.slice(0, namedMax).join(", ")}${columns.length > namedMax ? " and more" : ""}`;
  throw new AuthFailed(
    `${file} has no column ${missing.join(" and no column ")}, which \`id:\` names.`,
    `Name columns that identify a row. There are: ${there}.`,
  );
}

export const idColumns = ({ id }: Config): ReadonlyArray<string> => (typeof id === "string" ? [id] : id);

/** Values of several columns are joined by a bar; a bar in a value is escaped, so that no two rows get one id by chance. */
function idOf(
  cells: Cells,
  columns: Columns,
  config: Config,
): string | { readonly problem: string; readonly remedy: string } {
  const names = idColumns(config);
  const parts: Array<string> = [];
  for (const name of names) {
    const column = columns(name);
    const value = column === undefined ? undefined : cells[column];
    const text = typeof value === "string" ? value.trim() : "";
    if (text === "") return { problem: `the row has no ${name}`, remedy: "Fill it in: it identifies the row." };
    parts.push(names.length === 1 ? text : text.replace(/[\\|]/g, "\\$&"));
  }
  const id = parts.join("|");
  if (id.length <= idMax) return id;
  return { problem: `the id is longer than ${idMax} characters`, remedy: "Name shorter columns in `id:`." };
}

function recordOf(
  id: string,
  cells: Cells,
  columns: Columns,
  asked: ReadonlyArray<string>,
  config: Config,
): RemoteRecord {
  const entries: Array<readonly [string, unknown]> = [];
  for (const name of asked) {
    const column = columns(name);
    if (column !== undefined && Object.hasOwn(cells, column)) entries.push([name, cells[column]]);
  }
  // Makes own keys of all names, also of __proto__.
  const fields = Object.fromEntries(entries);
  const modified = config.modifiedColumn === undefined ? undefined : columns(config.modifiedColumn);
  const modifiedAt = modified === undefined ? undefined : instantOf(cells[modified]);
  return { kind: "record", id, fields, ...(modifiedAt === undefined ? {} : { modifiedAt }) };
}

const iso = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)\s?(Z|[+-]\d{2}:?\d{2})?)?$/;
const epochSeconds = /^\d{10}$/;
const epochMs = /^\d{13}$/;

/** ISO 8601 (UTC where no zone is said), or seconds or milliseconds since 1970. */
export function instantOf(value: unknown): number | undefined {
  if (typeof value !== "string") return undefined;
  const text = value.trim().replaceAll("/", "-");
  if (epochMs.test(text)) return Number(text);
  if (epochSeconds.test(text)) return Number(text) * 1000;
  const match = iso.exec(text);
  if (match === null) return undefined;
  const zone = (match[3] ?? "Z").replace(/^([+-]\d{2})(\d{2})$/, "$1:$2");
  const ms = Date.parse(`${match[1]}T${match[2] ?? "00:00"}${zone}`);
  return Number.isNaN(ms) ? undefined : ms;
}
