/**
 * Reading: changes since a cursor, full listings and single records.
 *
 * A change window [lower, upper) on the modified time is fixed before its first call and walked by ascending `_id`, so
 * equal times and edits during the walk lose nothing: a record that is edited leaves the window and comes in the next
 * one. A window reaches back behind the last one, because rows can enter the search index late.
 *
 * Source  Fxiaoke OpenAPI manual, 深度翻页 (deep paging): order by `_id`, offset 0, filter `_id GT` the last one.
 */
import {
  type Log,
  type Page,
  type PullRequest,
  type RemoteRecord,
  Schema,
  type Tombstone,
  Unavailable,
} from "../../core/connector.ts";
import { type Client, isJson, type Json } from "./client.ts";
import type { Settings } from "./config.ts";
import type { Descriptions } from "./describe.ts";
import { explain, textOf } from "./errors.ts";
import {
  changeOf,
  type Filter,
  getCall,
  idOf,
  isDeleted,
  type Projection,
  pageRowsMax,
  projectionFor,
  projectionOf,
  query,
  queryCall,
  rowOf,
  rowsOf,
  stateOf,
} from "./rows.ts";

/** How invalidated rows can be asked for, where a query shows them at all. */
const deletedFilters = {
  life_status: { field_name: "life_status", operator: "EQ", field_values: ["invalid"] },
  is_deleted: { field_name: "is_deleted", operator: "EQ", field_values: ["true"] },
} as const satisfies Record<string, Filter>;

type DeletedFilter = keyof typeof deletedFilters;

/**
 * `committed` is the upper bound of the last finished window. `walk` is the place inside an unfinished one:
 * `rows` by modified time, then `owners` by the owner's own time, then `deleted` for invalidated rows.
 */
export const Cursor = Schema.Struct({
  object: Schema.String,
  committed: Schema.NullOr(Schema.Number),
  walk: Schema.NullOr(
    Schema.Struct({
      mode: Schema.Literals(["changes", "listing"]),
      phase: Schema.Literals(["rows", "owners", "deleted"]),
      deletedBy: Schema.NullOr(Schema.Literals(["life_status", "is_deleted"])),
      lower: Schema.Number,
      upper: Schema.Number,
      lastId: Schema.NullOr(Schema.String),
    }),
  ),
});
export type Cursor = typeof Cursor.Type;
type Walk = NonNullable<Cursor["walk"]>;

export interface Reader {
  readonly client: Client;
  readonly settings: Settings;
  readonly descriptions: Descriptions;
  readonly log: Log;
  /** Objects whose invalidated rows a query has shown, and by which filter. */
  readonly shown: Map<string, DeletedFilter>;
  /** Objects of which an answer has shown an empty field as null. */
  readonly nullsShownBy: Set<string>;
}

/** Ten million rows: a bound that only a gateway which repeats pages can reach. */
const pagesMax = 100_000;

/**
 * Changes since the cursor, or everything for a listing, in pages by ascending `_id`.
 *
 * Shape   rows in Fxiaoke's field names; invalidated rows (作废) come as tombstones.
 * Errors  RateLimited (30004, 14001, 30002), AuthFailed (rights, credentials), Unavailable.
 */
export async function* pull(
  reader: Reader,
  object: string,
  request: PullRequest<Cursor>,
): AsyncGenerator<Page<Cursor>, void, void> {
  const projection = projectionOf(request.fields, await reader.descriptions.of(object));
  // A cursor of another object says nothing about this one.
  const known = request.cursor?.object === object ? request.cursor : null;
  const committed = known?.committed ?? null;
  const resumed = known?.walk?.mode === request.mode ? known.walk : null;
  let walk: Walk | null = resumed ?? (request.mode === "listing" ? listing() : windowAfter(reader, committed));

  for (let pages = 0; walk !== null && !request.signal.aborted; pages += 1) {
    if (pages === pagesMax) throw new Unavailable(`more than ${pagesMax} pages in one walk`, { sent: false });
    const page = await readPage(reader, object, walk, projection, request.signal);
    const next: Walk | null = page.last
      ? await phaseAfter(reader, object, walk, projection)
      : { ...walk, lastId: page.lastId };
    const finished = next === null && walk.mode === "changes";
    // A window that is asked for again after a clock went back must not pull the committed bound back with it.
    const bound: number | null = finished ? Math.max(committed ?? 0, walk.upper) : committed;
    yield {
      changes: page.changes,
      cursor: { object, committed: bound, walk: next },
      readBegan: page.began,
      readEnded: page.ended,
      ...(next === null && walk.mode === "listing" ? { complete: true } : {}),
    };
    walk = next;
  }
}

const listing = (): Walk => ({ mode: "listing", phase: "rows", deletedBy: null, lower: 0, upper: 0, lastId: null });

function windowAfter({ client, settings }: Reader, committed: number | null): Walk {
  const upper = Math.floor(client.now()) - settings.lagMs;
  const lower = committed === null ? 0 : Math.max(0, Math.min(committed, upper) - settings.overlapMs);
  return { mode: "changes", phase: "rows", deletedBy: null, lower, upper, lastId: null };
}

async function phaseAfter(reader: Reader, object: string, walk: Walk, projection: Projection): Promise<Walk | null> {
  if (walk.mode === "listing" || walk.phase === "deleted") return null;
  if (walk.phase === "rows" && (await hasOwnerTime(reader, object, walk, projection))) {
    return { ...walk, phase: "owners", lastId: null };
  }
  const deletedBy = await probe(reader, object);
  return deletedBy === undefined ? null : { ...walk, phase: "deleted", deletedBy, lastId: null };
}

/** A change of owner need not move the modified time; AccountObj has a time of its own for it. A first load sees all owners. */
async function hasOwnerTime({ descriptions }: Reader, object: string, walk: Walk, { asked }: Projection) {
  if (walk.lower === 0 || !asked.includes("owner")) return false;
  return (await descriptions.of(object)).fields.has("owner_modified_time");
}

/**
 * Finds out whether a query shows invalidated rows: the manual does not say. "No rows" proves nothing while the
 * recycle bin is empty, so only a "yes" is remembered.
 */
async function probe({ client, shown }: Reader, object: string): Promise<DeletedFilter | undefined> {
  const known = shown.get(object);
  if (known !== undefined) return known;
  for (const by of ["life_status", "is_deleted"] as const) {
    const call = queryCall({ object, filters: [deletedFilters[by]], fields: [], limit: 1 });
    const outcome = await client.call({ ...call, retry: "safe" });
    // A gateway that refuses the filter shows nothing by it; the sweep still finds what is gone.
    if (outcome.ok && rowsOf(outcome, 1).rows.some(isDeleted)) {
      shown.set(object, by);
      return by;
    }
  }
  return undefined;
}

function filtersOf(walk: Walk, settings: Settings): ReadonlyArray<Filter> {
  const filters: Array<Filter> = [];
  if (walk.mode === "changes") {
    const field_name = walk.phase === "owners" ? "owner_modified_time" : "last_modified_time";
    const [lower, upper] = [String(walk.lower), String(walk.upper)];
    if (settings.timeFilter === "between" && walk.lower > 0) {
      // Whether BETWEEN holds its ends is not documented; either way the next window overlaps.
      filters.push({ field_name, operator: "BETWEEN", field_values: [lower, upper] });
    } else {
      if (walk.lower > 0) filters.push({ field_name, operator: "GTE", field_values: [lower] });
      filters.push({ field_name, operator: "LT", field_values: [upper] });
    }
  }
  if (walk.deletedBy !== null) filters.push(deletedFilters[walk.deletedBy]);
  if (walk.lastId !== null) filters.push({ field_name: "_id", operator: "GT", field_values: [walk.lastId] });
  return filters;
}

async function readPage(reader: Reader, object: string, walk: Walk, projection: Projection, signal: AbortSignal) {
  const { client, settings } = reader;
  const request = { object, filters: filtersOf(walk, settings), fields: projection.asked, limit: pageRowsMax, signal };
  const { rows, isLast, began, ended } = await query(client, request);
  const shown = projectionFor(projection, rows, { object, shownBy: reader.nullsShownBy });
  return {
    changes: rows.map((row, index) =>
      changeOf(row, shown, `${object} after ${walk.lastId ?? "start"}, row ${index + 1}`),
    ),
    last: isLast,
    lastId: lastIdOf(rows, walk.lastId),
    // The index may show a state as old as its lag, so the read counts as begun that much earlier.
    began: began - settings.indexLagMs,
    ended,
  };
}

/** The greatest id of the page; a page that does not go on would be read for ever, or has skipped records. */
function lastIdOf(rows: ReadonlyArray<Json>, before: string | null): string | null {
  let last = before;
  for (const row of rows) {
    const id = idOf(row);
    if (id === undefined) continue;
    if (last !== null && id <= last) {
      throw new Unavailable("Fxiaoke's rows do not ascend by _id, so the pages cannot be trusted", { sent: true });
    }
    last = id;
  }
  if (rows.length > 0 && last === before) {
    throw new Unavailable("Fxiaoke answered a page without a single _id", { sent: true });
  }
  return last;
}

/** The present state of the ids, read by id. Errors as in `pull`. */
export async function fetch(reader: Reader, object: string, ids: ReadonlyArray<string>, fields: ReadonlyArray<string>) {
  const projection = projectionOf(fields, await reader.descriptions.of(object));
  const began = reader.client.ourNow();
  const answers = await Promise.all(ids.map((id) => presentState(reader, object, id, projection)));
  return {
    changes: answers.flatMap((answer) => (answer === undefined ? [] : [answer])),
    readBegan: began,
    readEnded: reader.client.ourNow(),
  };
}

/**
 * One record by id: alive, deleted, or undefined where the answer does not tell. Only a row that says so itself is proof
 * of a delete: what the gateway answers for a hidden record and for a purged one is not documented, and may be the same.
 */
async function presentState(
  reader: Reader,
  object: string,
  id: string,
  projection: Projection,
): Promise<RemoteRecord | Tombstone | undefined> {
  const row = await readRow(reader, object, id);
  if (!isJson(row)) return undefined;
  return stateOf(id, row, projectionFor(projection, [row], { object, shownBy: reader.nullsShownBy }));
}

/**
 * The row of an id. An empty answer and a text that says so count as absent, which is no proof by itself; any other
 * refusal as hidden, unless the list is refused as well: then it concerns the connection, and is a fault.
 */
export async function readRow(reader: Reader, object: string, id: string): Promise<Json | "absent" | "hidden"> {
  const { client, log } = reader;
  const outcome = await client.call({ ...getCall(object, id), retry: "safe" });
  const row = outcome.ok ? rowOf(outcome) : undefined;
  if (row !== undefined) return row;
  const reason = outcome.ok ? "an empty answer" : explain(outcome.failure);
  log.warn("a record cannot be read by id", { object, id, reason });
  const kind = outcome.ok ? "gone" : textOf(outcome.failure)?.class;
  if (kind === "gone") return "absent";
  if (kind !== "right") await query(client, { object, filters: [], fields: [], limit: 1 });
  return "hidden";
}
