/**
 * Bulk read: a job that writes a module into a CSV file, 200,000 rows at a time.
 *
 * Its values are text and its lookups are ids, so they are brought to the shapes of the record API by the field's type.
 * What a file does not carry is left out, and read by id afterwards.
 *
 * Source  Zoho CRM API v8, "Bulk Read API".
 */
import { parse } from "csv-parse/sync";
import { unzipSync } from "fflate";
import { type Clock, type RemoteField, Unavailable } from "../../core/connector.ts";
import type { Client } from "./client.ts";
import type { Module } from "./config.ts";
import type { Description } from "./describe.ts";
import { readFaultOf } from "./errors.ts";
import { isJson, type Json, listIn, stampOf, textOf } from "./json.ts";
import { rowsOf } from "./rows.ts";

const pollMsMin = 5_000;
const pollMsMax = 60_000;
const waitMsMax = 2 * 60 * 60_000;
/** 200,000 rows of 5,000 characters. */
const csvBytesMax = 1_000_000_000;

/** Types whose text in the file says all that the record API says. */
const carried = new Set([
  "text",
  "textarea",
  "email",
  "phone",
  "website",
  "picklist",
  "autonumber",
  "bigint",
  "integer",
  "currency",
  "double",
  "percent",
  "boolean",
  "date",
  "datetime",
  "lookup",
  "ownerlookup",
  "userlookup",
]);
const numbers = new Set(["integer", "currency", "double", "percent"]);
const lookups = new Set(["lookup", "ownerlookup", "userlookup"]);

/** Tags, multiple choices and the like are not in the file, or not in a form that can be trusted. */
export const isCarried = (name: string, { fields }: Description): boolean =>
  name !== "Tag" && carried.has(fields.get(name)?.type ?? "");

export interface BulkRequest {
  readonly module: Module;
  readonly fields: ReadonlyArray<string>;
  /** Only records modified since. */
  readonly since: number | null;
  readonly page: number;
  readonly signal: AbortSignal;
}

/** Starts a job; the file shows the module as it is from now on at the earliest. */
export async function startBulk(client: Client, request: BulkRequest): Promise<string> {
  const { module, fields, since, page, signal } = request;
  const criteria = {
    field: { api_name: "Modified_Time" },
    comparator: "greater_equal",
    value: stampOf(since ?? 0),
  };
  const answer = await client.call({
    method: "POST",
    path: "/crm/bulk/v8/read",
    // The one endpoint that refuses a body without a type.
    headers: { "content-type": "application/json" },
    json: { query: { module: { api_name: module }, fields, page, ...(since === null ? {} : { criteria }) } },
    // A job that is started twice is only read once.
    retry: "safe",
    signal,
  });
  if (answer.failure !== undefined) throw readFaultOf(answer.failure);
  const [entry] = rowsOf(answer.body);
  const job = isJson(entry?.details) ? textOf(entry.details.id) : undefined;
  if (job === undefined) throw new Unavailable("Zoho started no bulk read job", { sent: true });
  return job;
}

export interface BulkFile {
  readonly rows: ReadonlyArray<Json>;
  readonly more: boolean;
  readonly ended: number;
}

/** The rows of a job, or undefined where it or its file is not there any more. */
export async function bulkFile(
  client: Client,
  clock: Clock,
  job: string,
  description: Description,
  signal: AbortSignal,
): Promise<BulkFile | undefined> {
  const result = await finished(client, clock, job, signal);
  if (result === undefined) return undefined;
  const answer = await client.call({
    method: "GET",
    path: `/crm/bulk/v8/read/${job}/result`,
    file: true,
    retry: "safe",
    signal,
  });
  if (answer.failure?.code === "RESOURCE_NOT_FOUND") return undefined;
  if (answer.failure !== undefined) throw readFaultOf(answer.failure);
  const rows = rowsIn(answer.bytes ?? new Uint8Array(), description);
  if (typeof result.count === "number" && result.count !== rows.length) {
    throw new Unavailable(`the bulk file holds ${rows.length} rows, and Zoho counted ${result.count}`, { sent: true });
  }
  return { rows, more: result.more_records === true, ended: answer.ended };
}

async function finished(client: Client, clock: Clock, job: string, signal: AbortSignal): Promise<Json | undefined> {
  const startedAt = clock.now();
  for (let waitMs = pollMsMin; clock.now() - startedAt < waitMsMax; waitMs = Math.min(waitMs * 2, pollMsMax)) {
    const answer = await client.call({ method: "GET", path: `/crm/bulk/v8/read/${job}`, retry: "safe", signal });
    if (answer.failure?.code === "RESOURCE_NOT_FOUND") return undefined;
    if (answer.failure !== undefined) throw readFaultOf(answer.failure);
    const [entry] = listIn(answer.body, "data");
    if (entry?.state === "COMPLETED" && isJson(entry.result)) return entry.result;
    if (entry?.state === "FAILURE" || entry?.state === "FAILED") {
      throw new Unavailable("Zoho's bulk read job failed", { sent: true });
    }
    await clock.sleep(waitMs, signal);
  }
  throw new Unavailable("Zoho's bulk read job did not end within two hours", { sent: true });
}

/** Rows in the shapes of the record API. */
export function rowsIn(zip: Uint8Array, { fields }: Description): ReadonlyArray<Json> {
  const [file] = Object.values(unzip(zip));
  if (file === undefined) return [];
  // csv-parse gives one object of texts per line when told to take the header line for names.
  const lines = parse(file, { columns: true, bom: true, skip_empty_lines: true }) as ReadonlyArray<
    Readonly<Record<string, string>>
  >;
  return lines.map((line) => {
    const row: Record<string, unknown> = {};
    for (const [name, text] of Object.entries(line)) {
      if (name.toLowerCase() === "id") row.id = text;
      else row[name] = cellOf(text, fields.get(name));
    }
    return row;
  });
}

function unzip(zip: Uint8Array): Readonly<Record<string, Uint8Array>> {
  try {
    return unzipSync(zip, {
      filter: ({ originalSize }) => {
        if (originalSize > csvBytesMax) throw new Error("too large");
        return true;
      },
    });
  } catch (cause) {
    throw new Unavailable("Zoho's bulk read file is no ZIP file, or a very large one", { sent: true, cause });
  }
}

function cellOf(text: string, field: RemoteField | undefined): unknown {
  const type = field?.type ?? "text";
  // A file has no empty check box.
  if (text === "") return type === "boolean" ? false : null;
  if (type === "boolean") return text === "true" || text === "1";
  if (numbers.has(type)) {
    const number = Number(text);
    return Number.isFinite(number) ? number : text;
  }
  return lookups.has(type) ? { id: text } : text;
}
