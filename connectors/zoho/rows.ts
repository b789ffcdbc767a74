/**
 * Rows of Zoho into records, and reads of known ids.
 *
 * A call names at most 50 fields. More are read in several calls by id, and a row counts only once all its parts carry
 * one modified time.
 *
 * Source  Zoho CRM API v8, "Get Records" and "Get a Specific Record".
 */
import { type BadRecord, type RemoteRecord, type Tombstone, Unavailable } from "../../core/connector.ts";
import type { Client } from "./client.ts";
import type { Module } from "./config.ts";
import type { Description, Descriptions } from "./describe.ts";
import { instantOf, isJson, type Json, listIn, textOf } from "./json.ts";
import { batchMax } from "./map.ts";

export const pageRowsMax = 200;
const fieldsMax = 50;
const listTextMax = 500;
/** Rounds until the parts of a row agree; a row that is edited all the time is taken as last read. */
const roundsMax = 3;

const stamps = ["Modified_Time", "Created_Time", "Modified_By"] as const;

export interface Reader {
  readonly client: Client;
  readonly descriptions: Descriptions;
}

/** The fields to ask for, in parts that fit one call each. */
export interface Projection {
  readonly names: ReadonlySet<string>;
  readonly parts: ReadonlyArray<ReadonlyArray<string>>;
  readonly cutInLists: ReadonlyArray<string>;
}

/** Hidden fields are left out: asked for, they would come as null and look empty. */
export function projectionOf(fields: ReadonlyArray<string>, description: Description): Projection {
  const names = new Set(fields.filter((name) => name !== "id" && description.fields.get(name)?.readable === true));
  const wanted = [...names].filter((name) => !stamps.some((stamp) => stamp === name));
  const room = fieldsMax - stamps.length;
  return {
    names,
    parts: [[...stamps, ...wanted.slice(0, room)], ...furtherParts(wanted.slice(room))],
    cutInLists: wanted.filter((name) => description.cutInLists.has(name)),
  };
}

/** Parts that are joined to rows by id and modified time. */
export function furtherParts(names: ReadonlyArray<string>): Projection["parts"] {
  const size = fieldsMax - 1;
  return Array.from({ length: Math.ceil(names.length / size) }, (_, index) => [
    "Modified_Time",
    ...names.slice(index * size, (index + 1) * size),
  ]);
}

/** The first part, which the paged reads ask for. */
export const firstPart = ({ parts }: Projection): string => (parts[0] ?? stamps).join(",");

const idPattern = /^\d{1,20}$/;

/** Ids are longer than what a number holds exactly, so one that comes as a number is not to be trusted. */
export const idOf = (row: Json): string | undefined =>
  typeof row.id === "string" && idPattern.test(row.id) ? row.id : undefined;

export const modifiedAtOf = (row: Json): number | undefined => instantOf(row.Modified_Time);

export function recordOf(row: Json, projection: Projection, where: string): RemoteRecord | BadRecord {
  const id = idOf(row);
  if (id === undefined) {
    const remedy = "Report it to Zoho; the record is left as it is.";
    return { kind: "bad", where, problem: "a row without a readable id", remedy };
  }
  const fields: Record<string, unknown> = {};
  for (const name of projection.names) {
    if (row[name] !== undefined) fields[name] = row[name];
  }
  const modifiedAt = modifiedAtOf(row);
  const createdAt = instantOf(row.Created_Time);
  const modifiedBy = isJson(row.Modified_By) ? textOf(row.Modified_By.id) : textOf(row.Modified_By);
  return {
    kind: "record",
    id,
    fields,
    ...(modifiedAt === undefined ? {} : { modifiedAt }),
    ...(createdAt === undefined ? {} : { createdAt }),
    ...(modifiedBy === undefined ? {} : { modifiedBy }),
  };
}

export const tombstone = (id: string, deletedAt: number | undefined): Tombstone => ({
  kind: "deleted",
  id,
  ...(deletedAt === undefined ? {} : { deletedAt }),
});

export interface ReadRequest {
  readonly module: Module;
  readonly projection: Projection;
  readonly signal?: AbortSignal;
}

/** The rows of live, visible records by id; ids that are not there have no row. */
export async function readByIds(
  { client }: Reader,
  request: ReadRequest,
  ids: ReadonlyArray<string>,
): Promise<Map<string, Json>> {
  const rows = new Map<string, Json>();
  for (let start = 0; start < ids.length; start += batchMax) {
    const batch = ids.slice(start, start + batchMax);
    const [first = [], ...rest] = request.projection.parts;
    let read = await readPart(client, request, batch, first);
    for (let round = 0; ; round += 1) {
      const { whole, torn } = await completed(client, request, read, rest, round === roundsMax);
      for (const [id, row] of whole) rows.set(id, row);
      if (torn.length === 0) break;
      read = await readPart(client, request, torn, first);
    }
  }
  return uncut(client, request, rows);
}

/** Adds the parts that listed rows lack; a row that changed since is read again as a whole. */
export async function completePage(
  reader: Reader,
  request: ReadRequest,
  rows: ReadonlyArray<Json>,
  rest: Projection["parts"] = request.projection.parts.slice(1),
): Promise<ReadonlyArray<Json>> {
  if (rest.length === 0 && request.projection.cutInLists.length === 0) return rows;
  const complete = new Map<string, Json>();
  const byId = new Map(rows.flatMap((row) => [[idOf(row) ?? "", row] as const]));
  const ids = [...byId.keys()].filter((id) => id !== "");
  const again: Array<string> = [];
  for (let start = 0; start < ids.length; start += batchMax) {
    const batch = new Map(ids.slice(start, start + batchMax).map((id) => [id, byId.get(id) ?? {}]));
    const { whole, torn } = await completed(reader.client, request, batch, rest, false);
    for (const [id, row] of whole) complete.set(id, row);
    again.push(...torn);
  }
  const mended = await uncut(reader.client, request, complete);
  for (const [id, row] of await readByIds(reader, request, again)) mended.set(id, row);
  // A row that has vanished in between is no news: its deletion comes by itself.
  return rows.flatMap((row) => (idOf(row) === undefined ? [row] : [mended.get(idOf(row) ?? "") ?? []].flat()));
}

/** Joins the further parts to the rows; `torn` are those whose parts are of different times. */
async function completed(
  client: Client,
  request: ReadRequest,
  rows: ReadonlyMap<string, Json>,
  rest: ReadonlyArray<ReadonlyArray<string>>,
  isLastRound: boolean,
) {
  const whole = new Map(rows);
  const torn = new Set<string>();
  for (const part of rest) {
    const ids = [...whole.keys()];
    if (ids.length === 0) break;
    const more = await readPart(client, request, ids, part);
    for (const id of ids) {
      const row = whole.get(id) ?? {};
      const added = more.get(id);
      if (added !== undefined && (isLastRound || modifiedAtOf(added) === modifiedAtOf(row))) {
        // The older time stays: a record that changed meanwhile is then seen to be newer by the next read.
        whole.set(id, { ...added, ...row });
      } else {
        whole.delete(id);
        if (added !== undefined) torn.add(id);
      }
    }
  }
  return { whole, torn: [...torn] };
}

async function readPart(
  client: Client,
  { module, signal }: ReadRequest,
  ids: ReadonlyArray<string>,
  fields: ReadonlyArray<string>,
): Promise<Map<string, Json>> {
  const answer = await client.read({
    method: "GET",
    path: `/crm/v8/${module}`,
    query: { ids: ids.join(","), fields: fields.join(","), per_page: String(pageRowsMax) },
    ...(signal === undefined ? {} : { signal }),
  });
  const rows = rowsOf(answer.body);
  const asked = new Set(ids);
  return new Map(rows.flatMap((row) => (asked.has(idOf(row) ?? "") ? [[idOf(row) ?? "", row] as const] : [])));
}

/** A list shows 500 characters of rich text; the rest comes only with the single record. */
async function uncut(client: Client, request: ReadRequest, rows: ReadonlyMap<string, Json>) {
  const whole = new Map(rows);
  for (const [id, row] of rows) {
    const cut = request.projection.cutInLists.filter((name) => (textOf(row[name])?.length ?? 0) >= listTextMax);
    if (cut.length === 0) continue;
    const { body } = await client.read({
      method: "GET",
      path: `/crm/v8/${request.module}/${id}`,
      query: { fields: ["Modified_Time", ...cut].join(",") },
    });
    const [single] = listIn(body, "data");
    const texts = cut.map((name) => [name, single?.[name]] as const);
    const isSame = single !== undefined && modifiedAtOf(single) === modifiedAtOf(row);
    // Half a text is worse than none: without the whole one the field is not known.
    whole.set(id, { ...row, ...Object.fromEntries(texts.map(([name, text]) => [name, isSame ? text : undefined])) });
  }
  return whole;
}

/** The rows of a list. An answer without the list is not read as "no rows", because that would lose records. */
export function rowsOf(body: Json | undefined): ReadonlyArray<Json> {
  if (body === undefined) return [];
  if (!Array.isArray(body.data)) throw new Unavailable("Zoho's answer holds no list of records", { sent: true });
  return body.data.filter(isJson);
}

export const hasMore = (body: Json | undefined): boolean => isJson(body?.info) && body.info.more_records === true;

/** Ids grow, and are too long for numbers. */
export const isLater = (id: string, than: string): boolean =>
  id.length === than.length ? id > than : id.length > than.length;
