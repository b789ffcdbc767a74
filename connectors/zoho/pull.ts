/**
 * Reading: changes since a cursor, full listings, single records and look-ups.
 *
 * Changes are walked by ascending modified time, so a record that is edited meanwhile moves to the end and is seen
 * again. Each page begins at the second where the last one ended: Zoho does not say whether a page token remembers a
 * place or a number of rows, and with a number every record that moves to the end would push another one out of sight.
 * Tokens lead only through records of one second. Deletions follow.
 *
 * Source  Zoho CRM API v8, "Get Records", "Get Deleted Records" and "Bulk Read API".
 */
import {
  type Change,
  type Clock,
  isFault,
  type Log,
  type Page,
  type PullRequest,
  Unavailable,
} from "../../core/connector.ts";
import { type BulkFile, bulkFile, isCarried, startBulk } from "./bulk-read.ts";
import { type Module, type Settings, walkRowsMax } from "./config.ts";
import { idsAfter } from "./coql.ts";
import type { BulkWalk, Cursor, DeletedWalk, ListingWalk, RowsWalk, Walk } from "./cursor.ts";
import { type Graveyard, readDeleted } from "./deleted.ts";
import type { Description } from "./describe.ts";
import { isPagingEnd, isStaleToken, readFaultOf } from "./errors.ts";
import { isJson, type Json, stampOf, textOf } from "./json.ts";
import {
  completePage,
  firstPart,
  furtherParts,
  hasMore,
  idOf,
  isLater,
  modifiedAtOf,
  type Projection,
  pageRowsMax,
  projectionOf,
  type Reader as RowReader,
  readByIds,
  recordOf,
  rowsOf,
  tombstone,
} from "./rows.ts";

export interface Reader extends RowReader {
  readonly settings: Settings;
  readonly graveyard: Graveyard;
  readonly clock: Clock;
  readonly log: Log;
}

interface Pull {
  readonly reader: Reader;
  readonly module: Module;
  readonly through: number | null;
  readonly description: Description;
  readonly projection: Projection;
  readonly signal: AbortSignal;
  /** The file of the bulk job that is being read, so that it is fetched once. */
  file: { readonly job: string; readonly content: BulkFile } | undefined;
}

interface Step {
  readonly changes: ReadonlyArray<Change>;
  readonly next: Walk | null;
  readonly began: number;
  readonly ended: number;
}

/** Twenty million rows: a bound that only a server which repeats pages can reach. */
const pagesMax = 100_000;
const recycleBinMs = 60 * 86_400_000;

/**
 * Changes since the cursor, or everything for a listing.
 *
 * Shape   records in Zoho's field names; deleted ones come as tombstones once they are known not to be restored.
 * Errors  RateLimited (429), AuthFailed (401, 403), Unavailable (5xx, an answer that cannot be read).
 */
export async function* pull(
  reader: Reader,
  module: Module,
  request: PullRequest<Cursor>,
): AsyncGenerator<Page<Cursor>, void, void> {
  const { signal, mode } = request;
  const description = await reader.descriptions.of(module);
  const projection = projectionOf(request.fields, description);
  const through = request.cursor?.through ?? null;
  const work: Pull = { reader, module, through, description, projection, signal, file: undefined };
  const resumed = request.cursor?.walk ?? null;
  const fits = resumed !== null && (resumed.phase === "listing") === (mode === "listing");
  let walk: Walk | null = fits ? resumed : await begin(work, mode);
  for (let pages = 0; walk !== null && !signal.aborted; pages += 1) {
    if (pages === pagesMax) throw new Unavailable(`more than ${pagesMax} pages in one walk`, { sent: false });
    const step = await stepOf(work, walk);
    const startedAt: number | null = walk.phase === "listing" ? null : walk.startedAt;
    // A bound that Zoho's clock once showed is not taken back when that clock is.
    const done: number | null = startedAt === null ? through : Math.max(through ?? startedAt, startedAt);
    yield {
      changes: step.changes,
      cursor: { through: step.next === null ? done : through, walk: step.next },
      readBegan: step.began,
      readEnded: step.ended,
      ...(step.next === null && walk.phase === "listing" ? { complete: true } : {}),
    };
    walk = step.next;
  }
}

async function begin(pull: Pull, mode: "changes" | "listing"): Promise<Walk> {
  if (mode === "listing") return { phase: "listing", by: "token", token: null, lastId: null };
  const { reader, module, through } = pull;
  // The upper bound is fixed before anything is read; the description's answer has told Zoho's clock.
  const startedAt = Math.floor(reader.client.remoteNow());
  if (through === null) {
    const count = await countOf(pull);
    if (count !== undefined && count > reader.settings.bulkReadAbove) return bulkFrom(startedAt, null);
  } else if (startedAt - through > recycleBinMs) {
    reader.log.warn("the last pull is older than Zoho's recycle bin; only a sweep finds all deletions", { module });
  }
  return { phase: "rows", startedAt, since: sinceOf(pull, startedAt), token: null };
}

function sinceOf({ reader, through }: Pull, startedAt: number): number | null {
  return through === null ? null : Math.max(0, Math.min(through, startedAt) - reader.settings.overlapMs);
}

const bulkFrom = (startedAt: number, since: number | null): BulkWalk => {
  return { phase: "bulk", startedAt, since, job: null, began: 0, page: 1, row: 0 };
};

/** How many records there are, if the scopes allow to ask; a walk finds its limit by itself. */
async function countOf({ reader, module, signal }: Pull): Promise<number | undefined> {
  try {
    const path = `/crm/v8/${module}/actions/count`;
    const answer = await reader.client.call({ method: "GET", path, retry: "safe", signal });
    return typeof answer.body?.count === "number" ? answer.body.count : undefined;
  } catch (error) {
    if (!isFault(error) || error._tag !== "AuthFailed") throw error;
    return undefined;
  }
}

function stepOf(pull: Pull, walk: Walk): Promise<Step> {
  switch (walk.phase) {
    case "rows":
      return rowsStep(pull, walk);
    case "bulk":
      return bulkStep(pull, walk);
    case "deleted":
      return deletedStep(pull, walk);
    case "listing":
      return walk.by === "token" ? listStep(pull, walk) : queryStep(pull, walk);
  }
}

function deletedAfter({ reader, through }: Pull, startedAt: number): DeletedWalk {
  const since = Math.min(through ?? startedAt, startedAt) - reader.settings.overlapMs;
  return { phase: "deleted", startedAt, since: Math.max(0, since), page: 1 };
}

interface List {
  readonly sortBy: "Modified_Time" | "id";
  readonly token: string | null;
  readonly since: number | null;
}

const listPage = ({ reader, module, projection, signal }: Pull, { sortBy, token, since }: List) =>
  reader.client.call({
    method: "GET",
    path: `/crm/v8/${module}`,
    query: {
      fields: firstPart(projection),
      per_page: String(pageRowsMax),
      sort_by: sortBy,
      sort_order: "asc",
      ...(token === null ? {} : { page_token: token }),
    },
    ...(since === null ? {} : { headers: { "if-modified-since": stampOf(since) } }),
    heavy: true,
    retry: "safe",
    signal,
  });

/** Where the walk goes on: null at its end. An end that claims more without saying where would lose records. */
function tokenIn(body: Json | undefined): string | null {
  if (!hasMore(body)) return null;
  const token = isJson(body?.info) ? textOf(body.info.next_page_token) : undefined;
  if (token === undefined) throw new Unavailable("Zoho has more records but gives no page token", { sent: true });
  return token;
}

async function rowsStep(pull: Pull, walk: RowsWalk): Promise<Step> {
  const answer = await listPage(pull, { sortBy: "Modified_Time", token: walk.token, since: walk.since });
  const { body, failure, began } = answer;
  if (failure !== undefined) {
    if (walk.token === null) throw readFaultOf(failure);
    if (isStaleToken(failure)) return rowsStep(pull, { ...walk, token: null });
    if (!isPagingEnd(failure)) throw readFaultOf(failure);
    pull.reader.log.warn("more records share one second than a walk can reach; reading them in bulk", {
      module: pull.module,
      rows: walkRowsMax,
    });
    return bulkStep(pull, bulkFrom(walk.startedAt, walk.since));
  }
  const rows = rowsOf(body);
  const token = tokenIn(body);
  const changes = await changesOf(pull, rows);
  return {
    changes,
    next: token === null ? deletedAfter(pull, walk.startedAt) : onward(walk, rows, token),
    began,
    ended: pull.reader.clock.now(),
  };
}

/** From the second of the last row; by token where the page did not get out of its first second. */
function onward(walk: RowsWalk, rows: ReadonlyArray<Json>, token: string): RowsWalk {
  const last = rows.map(modifiedAtOf).findLast((time) => time !== undefined);
  const hasMoved = last !== undefined && last > (walk.since ?? Number.NEGATIVE_INFINITY);
  return hasMoved ? { ...walk, since: last, token: null } : { ...walk, token };
}

async function changesOf({ reader, module, projection, signal }: Pull, rows: ReadonlyArray<Json>) {
  const whole = await completePage(reader, { module, projection, signal }, rows);
  return whole.map((row) => recordOf(row, projection, `Zoho ${module}`));
}

/** Rows of a bulk file that come as one page. */
const bulkPageRows = 500;

async function bulkStep(pull: Pull, walk: BulkWalk): Promise<Step> {
  const { reader, module, description, projection, signal } = pull;
  const names = [...new Set(["Modified_Time", "Created_Time", "Modified_By", ...projection.names])];
  const inFile = names.filter((name) => isCarried(name, description));
  const bulk = { module, fields: inFile, since: walk.since, page: walk.page, signal };
  let { job, began } = walk;
  if (job === null) {
    began = reader.clock.now();
    job = await startBulk(reader.client, bulk);
  }
  if (pull.file?.job !== job) {
    const content = await bulkFile(reader.client, reader.clock, job, description, signal);
    // The job is too old: the same page is asked for again, and nothing of it is lost.
    if (content === undefined) return bulkStep(pull, { ...walk, job: null, row: 0 });
    pull.file = { job, content };
  }
  const { content } = pull.file;
  const part = content.rows.slice(walk.row, walk.row + bulkPageRows);
  const missing = furtherParts(names.filter((name) => !inFile.includes(name)));
  const whole = await completePage(reader, { module, projection, signal }, part, missing);
  const changes = whole.map((row) => recordOf(row, projection, `bulk read of Zoho ${module}`));
  const row = walk.row + part.length;
  const step = { changes, began, ended: reader.clock.now() };
  if (row < content.rows.length) return { ...step, next: { ...walk, job, began, row } };
  const onward: Walk = content.more
    ? { ...walk, job: null, page: walk.page + 1, row: 0 }
    : deletedAfter(pull, walk.startedAt);
  return { ...step, next: onward };
}

async function deletedStep(pull: Pull, walk: DeletedWalk): Promise<Step> {
  const { reader, module, signal } = pull;
  const { since, page } = walk;
  const list = await readDeleted(reader.client, reader.log, { module, since, page, signal });
  const ids = [...list.deletedAt.keys()];
  const alive = await readByIds(reader, { module, projection: pull.projection, signal }, ids);
  const changes = ids.map((id) => {
    const row = alive.get(id);
    // Restored in between: a tombstone would delete a live record elsewhere.
    return row === undefined ? tombstone(id, list.deletedAt.get(id)) : recordOf(row, pull.projection, `Zoho ${module}`);
  });
  const next: Walk | null = list.last ? null : { ...walk, page: page + 1 };
  return { changes, next, began: list.began, ended: reader.clock.now() };
}

async function listStep(pull: Pull, walk: ListingWalk): Promise<Step> {
  const answer = await listPage(pull, { sortBy: "id", token: walk.token, since: null });
  const { body, failure, began } = answer;
  if (failure !== undefined) {
    if (walk.token === null) throw readFaultOf(failure);
    // Neither end is the end of the listing: it goes on behind the last id that was read.
    if (isStaleToken(failure) || isPagingEnd(failure)) return queryStep(pull, { ...walk, by: "query", token: null });
    throw readFaultOf(failure);
  }
  const rows = rowsOf(body);
  const lastId = ascended(rows, walk.lastId);
  const token = tokenIn(body);
  const changes = await changesOf(pull, rows);
  const next: Walk | null = token === null ? null : { ...walk, token, lastId };
  return { changes, next, began, ended: pull.reader.clock.now() };
}

/** A listing proves what is gone, so its order is checked: ids that jump back may hide a gap. */
function ascended(rows: ReadonlyArray<Json>, before: string | null): string | null {
  let last = before;
  for (const row of rows) {
    const id = idOf(row);
    if (id === undefined) continue;
    if (last !== null && !isLater(id, last)) {
      throw new Unavailable("Zoho's rows do not ascend by id, so the listing cannot be trusted", { sent: true });
    }
    last = id;
  }
  return last;
}

async function queryStep(pull: Pull, walk: ListingWalk): Promise<Step> {
  const { reader, module, projection, signal } = pull;
  const page = await idsAfter(reader.client, module, walk.lastId, signal);
  const rows = await readByIds(reader, { module, projection, signal }, page.ids);
  const changes = [...rows.values()].map((row) => recordOf(row, projection, `Zoho ${module}`));
  const next: Walk | null = page.more ? { ...walk, lastId: page.ids.at(-1) ?? walk.lastId } : null;
  return { changes, next, began: page.began, ended: reader.clock.now() };
}
