/**
 * Rows of Fxiaoke into records and tombstones, and the one query that all reads share.
 *
 * Source  Fxiaoke OpenAPI manual, 查询数据列表 (data/query), 深度翻页 (deep paging) and 查询数据详情 (data/get).
 */
import type { Change, RemoteRecord, Tombstone } from "../../core/connector.ts";
import { Unavailable } from "../../core/connector.ts";
import { type Client, isJson, type Json, type Outcome } from "./client.ts";
import { actionPath } from "./config.ts";
import type { Description } from "./describe.ts";

/** Read with every row, whatever was asked for. */
export const alwaysRead = [
  "_id",
  "version",
  "last_modified_time",
  "create_time",
  "last_modified_by",
  "life_status",
  "is_deleted",
  "owner",
] as const;

export interface Filter {
  readonly field_name: string;
  readonly operator: "EQ" | "IN" | "LIKE" | "GT" | "GTE" | "LT" | "BETWEEN" | "ISN";
  readonly field_values: ReadonlyArray<string>;
}

/** The fields that the caller wants, of those that the object has. */
export interface Projection {
  readonly asked: ReadonlyArray<string>;
  /** Of these, what counts as empty when a row leaves it out; any other field is not known then. */
  readonly emptyWhenAbsent: ReadonlySet<string>;
}

/**
 * Fxiaoke leaves empty fields out of a row, and hidden ones too. A field that is described and may be empty counts as
 * empty when absent, until the gateway is known to show empties; a required one cannot be empty, so it is hidden.
 * A pooled (公海) record truly has no owner.
 */
export function projectionOf(fields: ReadonlyArray<string>, description: Description): Projection {
  const asked = [...new Set(fields)].filter((name) => description.fields.has(name));
  const mayBeEmpty = asked.filter((name) => name === "owner" || description.fields.get(name)?.required !== true);
  return { asked, emptyWhenAbsent: new Set(mayBeEmpty) };
}

/**
 * The projection as these rows must be read. `includeNull` asks for empty fields as null; a gateway that has once shown
 * one leaves out only what the acting user may not see, and that is not known (SEMANTICS D27).
 */
export function projectionFor(
  projection: Projection,
  rows: ReadonlyArray<Json>,
  nulls: { readonly object: string; readonly shownBy: Set<string> },
): Projection {
  if (rows.some((row) => projection.asked.some((name) => row[name] === null))) nulls.shownBy.add(nulls.object);
  if (!nulls.shownBy.has(nulls.object)) return projection;
  return { ...projection, emptyWhenAbsent: new Set(projection.asked.filter((name) => name === "owner")) };
}

const instantOf = (value: unknown): number | undefined => {
  const instant = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof instant === "number" && Number.isFinite(instant) ? instant : undefined;
};

export const idOf = (row: Json): string | undefined =>
  typeof row._id === "string" && row._id !== "" ? row._id : undefined;

export const isDeleted = (row: Json): boolean =>
  row.life_status === "invalid" || row.is_deleted === true || row.is_deleted === "true";

/** A row as a record; an invalidated one (作废) as a tombstone. */
export function changeOf(row: Json, projection: Projection, where: string): Change {
  const id = idOf(row);
  if (id === undefined) {
    return { kind: "bad", where, problem: "a row without _id", remedy: "Report it to the vendor with the trace id." };
  }
  return stateOf(id, row, projection);
}

export function stateOf(id: string, row: Json, projection: Projection): RemoteRecord | Tombstone {
  const modifiedAt = instantOf(row.last_modified_time);
  if (isDeleted(row)) return { kind: "deleted", id, ...(modifiedAt === undefined ? {} : { deletedAt: modifiedAt }) };
  const fields: Record<string, unknown> = {};
  for (const name of projection.asked) {
    const value = row[name];
    if (value !== undefined) fields[name] = value;
    else if (projection.emptyWhenAbsent.has(name)) fields[name] = null;
  }
  const createdAt = instantOf(row.create_time);
  const version = typeof row.version === "number" ? String(row.version) : row.version;
  const [modifiedBy] = Array.isArray(row.last_modified_by) ? row.last_modified_by : [];
  return {
    kind: "record",
    id,
    fields,
    ...(typeof version === "string" && version !== "" ? { version } : {}),
    ...(modifiedAt === undefined ? {} : { modifiedAt }),
    ...(createdAt === undefined ? {} : { createdAt }),
    ...(typeof modifiedBy === "string" ? { modifiedBy } : {}),
  };
}

/** The vendor's bound for a page. */
export const pageRowsMax = 100;

export interface Query {
  readonly object: string;
  readonly filters: ReadonlyArray<Filter>;
  readonly fields: ReadonlyArray<string>;
  readonly limit: number;
  readonly signal?: AbortSignal;
}

export interface Rows {
  readonly rows: ReadonlyArray<Json>;
  /** The page is not full, so nothing comes after it; the gateway may keep pages smaller than asked. */
  readonly isLast: boolean;
  readonly began: number;
  readonly ended: number;
}

export const queryCall = ({ object, filters, fields, limit }: Query) => ({
  path: actionPath(object, "query"),
  top: { includeNull: true },
  data: {
    dataObjectApiName: object,
    find_explicit_total_num: false,
    search_query_info: {
      limit,
      offset: 0,
      filters,
      orders: [{ fieldName: "_id", isAsc: true }],
      fieldProjection: [...new Set([...alwaysRead, ...fields])],
    },
  },
});

/** The rows of an answer; a body without a list is not read as "no rows", because that would lose records. */
export function rowsOf(outcome: Outcome & { readonly ok: true }, limit: number): Rows {
  const data = isJson(outcome.body.data) ? outcome.body.data : outcome.body;
  const list = data.dataList ?? outcome.body.dataList;
  if (!Array.isArray(list)) throw new Unavailable("Fxiaoke's query answer holds no dataList", { sent: true });
  const kept = typeof data.limit === "number" && data.limit > 0 ? data.limit : limit;
  const isLast = list.length < Math.min(limit, kept);
  return { rows: list.filter(isJson), isLast, began: outcome.began, ended: outcome.ended };
}

export async function query(client: Client, request: Query): Promise<Rows> {
  const { signal } = request;
  const outcome = await client.read({ ...queryCall(request), ...(signal === undefined ? {} : { signal }) });
  return rowsOf(outcome, request.limit);
}

/** Reads one record by id; unlike a query it does not go through the search index. */
export const getCall = (object: string, id: string) => ({
  path: actionPath(object, "get"),
  top: { includeNull: true },
  data: { dataObjectApiName: object, objectDataId: id },
});

/** The row in an answer to `getCall`, or undefined where there is none. */
export function rowOf(outcome: Outcome & { readonly ok: true }): Json | undefined {
  return isJson(outcome.body.data) && idOf(outcome.body.data) !== undefined ? outcome.body.data : undefined;
}
