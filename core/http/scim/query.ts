/** A list that is asked for, by the address or by a posted search, and the page that answers it. */
import { createHash } from "node:crypto";
import { wholeOf } from "../../hub/provider.ts";
import { listUrn } from "../../scim/discovery.ts";
import { badRequest } from "../../scim/error.ts";
import { type Filter, parseFilter, termsOf } from "../../scim/filter.ts";
import { bindFilter, folded, type Test } from "../../scim/match.ts";
import { type Projection, projectionOf } from "../../scim/project.ts";
import { isObject, type ResourceType, type ScimObject } from "../../scim/schema.ts";
import { compareKeys, sortKeyOf } from "../../scim/sort.ts";
import type { Sealer } from "../../security/seal.ts";
import type { Resource, ResourceView } from "../../store/resources.ts";

export const pageMax = 200;
const cursorLifeMs = 60 * 60_000;
/** Conditions that one request may ask of resources: some fifty milliseconds. */
const comparisonsMax = 500_000;

export interface ListQuery {
  readonly filter: Filter | null;
  /** As it came: a cursor belongs to it. */
  readonly filterText: string;
  readonly sortBy: string | null;
  readonly descending: boolean;
  readonly startIndex: number;
  readonly count: number;
  /** Null pages by index; a text, also an empty one, by cursor. */
  readonly cursor: string | null;
  readonly projection: Projection;
}

/** From the parameters of an address. */
export function queryIn(params: Readonly<Record<string, string | undefined>>): ListQuery {
  const names = (text: string | undefined): ReadonlyArray<string> =>
    text === undefined || text.trim() === "" ? [] : text.split(",");
  return queryOf({
    ...params,
    attributes: names(params.attributes),
    excludedAttributes: names(params.excludedAttributes),
  });
}

/** From the body of a search. */
export function searchIn(body: unknown): ListQuery {
  if (!isObject(body)) throw badRequest("invalidSyntax", "A search is one JSON object.");
  const names = (value: unknown): ReadonlyArray<string> => {
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) throw badRequest("invalidSyntax", "Names of attributes come as a list.");
    return value.map(String);
  };
  return queryOf({ ...body, attributes: names(body.attributes), excludedAttributes: names(body.excludedAttributes) });
}

interface Asked extends Readonly<Record<string, unknown>> {
  readonly attributes: ReadonlyArray<string>;
  readonly excludedAttributes: ReadonlyArray<string>;
}

function queryOf(asked: Asked): ListQuery {
  const { filter, sortBy, sortOrder, startIndex, count, cursor } = asked;
  const filterText = filter === undefined || filter === null ? "" : String(filter);
  const hasCursor = cursor !== undefined && cursor !== null;
  if (hasCursor && startIndex !== undefined && startIndex !== null) {
    throw badRequest("invalidValue", "Give a cursor or a startIndex, not both.");
  }
  return {
    filter: filterText.trim() === "" ? null : parseFilter(filterText),
    filterText,
    sortBy: typeof sortBy === "string" && sortBy !== "" ? sortBy : null,
    descending: String(sortOrder).toLowerCase() === "descending",
    startIndex: Math.max(1, wholeNumber(startIndex, 1)),
    count: Math.min(pageMax, Math.max(0, wholeNumber(count, pageMax))),
    cursor: hasCursor ? String(cursor) : null,
    projection: projectionOf(asked.attributes, asked.excludedAttributes),
  };
}

function wholeNumber(value: unknown, unlessSaid: number): number {
  if (value === undefined || value === null || value === "") return unlessSaid;
  const number = Number(value);
  if (!Number.isInteger(number)) throw badRequest("invalidValue", "startIndex and count are whole numbers.");
  return number;
}

export interface ListPage {
  readonly total: number;
  readonly rows: ReadonlyArray<{
    readonly type: ResourceType;
    readonly resource: Resource;
    readonly whole: ScimObject;
  }>;
  readonly startIndex: number | null;
  readonly nextCursor: string | null;
}

export interface Listing {
  readonly types: ReadonlyArray<ResourceType>;
  readonly connection: string;
  readonly sealer: Sealer;
  readonly now: number;
}

/** Errors  throws a ScimError for a filter that fits no type, and for a cursor that is not of this list. */
export function pageOf(view: ResourceView, query: ListQuery, listing: Listing): ListPage {
  const found = listing.types.flatMap((type) => matching(view, type, query, listing.types.length > 1));
  const ordered = query.sortBy === null ? found : sorted(found, query.sortBy, query.descending);
  const { cursor, count } = query;
  const from = cursor === null ? query.startIndex - 1 : placeIn(cursor, query, listing);
  const rows = ordered.slice(from, from + count);
  const end = from + rows.length;
  const nextCursor = cursor !== null && rows.length > 0 && end < ordered.length ? cursorFor(end, query, listing) : null;
  return { total: ordered.length, rows, startIndex: cursor === null ? query.startIndex : null, nextCursor };
}

type Row = ListPage["rows"][number];

function matching(view: ResourceView, type: ResourceType, { filter }: ListQuery, isMixed: boolean): ReadonlyArray<Row> {
  const rowOf = (resource: Resource): Row => ({ type, resource, whole: wholeOf(view, resource) });
  if (filter === null) return view.all(type.name).map(rowOf);
  const test = testFor(type, filter, isMixed);
  if (test === null) return [];
  const only = candidateOf(view, type, filter);
  const all = only === undefined ? view.all(type.name) : only === null ? [] : [only];
  if (all.length * termsOf(filter) > comparisonsMax) {
    throw badRequest("tooMany", "The filter asks too much of so many resources; ask in parts, or by userName or id.");
  }
  return all.map(rowOf).filter(({ whole }) => test(whole));
}

/** Over several types an attribute that one of them does not have has no value there. */
function testFor(type: ResourceType, filter: Filter, isMixed: boolean): Test | null {
  try {
    return bindFilter(type, filter);
  } catch (error) {
    if (isMixed) return null;
    throw error;
  }
}

/** The one resource that an equality of its id or user name can mean; undefined where more may fit. */
function candidateOf(view: ResourceView, type: ResourceType, filter: Filter): Resource | null | undefined {
  if (filter.kind === "and") {
    for (const part of filter.parts) {
      const found = candidateOf(view, type, part);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (filter.kind !== "compare" || filter.operator !== "eq" || typeof filter.value !== "string") return undefined;
  const path = filter.path.toLowerCase();
  if (path === "id") {
    const found = view.get(filter.value);
    return found !== undefined && found.type === type.name && found.body !== null ? found : null;
  }
  return path === "username" ? (view.named(type.name, folded(filter.value)) ?? null) : undefined;
}

function sorted(rows: ReadonlyArray<Row>, by: string, descending: boolean): ReadonlyArray<Row> {
  const keys = new Map<ResourceType, ReturnType<typeof sortKeyOf>>();
  const keyed = rows.map((row) => {
    const key = keys.get(row.type) ?? sortKeyOf(row.type, by);
    keys.set(row.type, key);
    return { row, id: row.resource.id, key: key(row.whole) };
  });
  return keyed.sort((one, other) => compareKeys(one, other, descending)).map(({ row }) => row);
}

// ---- cursors: signed places, bound to the connection, the query and an hour ----

function cursorFor(place: number, query: ListQuery, listing: Listing): string {
  const until = listing.now + cursorLifeMs;
  return `${place.toString(36)}.${until.toString(36)}.${signatureOf(place, until, query, listing)}`;
}

function placeIn(cursor: string, query: ListQuery, listing: Listing): number {
  if (cursor === "") return 0;
  const [placeText = "", untilText = "", signature = ""] = cursor.split(".");
  const [place, until] = [Number.parseInt(placeText, 36), Number.parseInt(untilText, 36)];
  if (!Number.isSafeInteger(place) || signatureOf(place, until, query, listing) !== signature) {
    throw badRequest("invalidCursor", "The cursor is not one of this list.");
  }
  if (until < listing.now) throw badRequest("expiredCursor", "The cursor is too old; begin again.");
  return place;
}

function signatureOf(place: number, until: number, query: ListQuery, { sealer, connection, types }: Listing): string {
  const { filterText, sortBy, descending, count } = query;
  const parts = [connection, types.map(({ name }) => name), filterText, sortBy, descending, count, place, until];
  const print = sealer.print("scim cursor", JSON.stringify(parts));
  return createHash("sha256").update(print).digest("base64url").slice(0, 24);
}

export function listBody({ total, rows, startIndex, nextCursor }: ListPage, shown: ReadonlyArray<unknown>) {
  return {
    schemas: [listUrn],
    totalResults: total,
    itemsPerPage: rows.length,
    ...(startIndex === null ? {} : { startIndex }),
    ...(nextCursor === null ? {} : { nextCursor }),
    Resources: shown,
  };
}
