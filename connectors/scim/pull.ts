/**
 * Reading: what changed since the last pull where the provider can tell, else everything.
 *
 * Index pages shift when a resource before them goes: a walk that sees the total shrink reads some rows again, and one
 * that cannot account for the total does not claim to be complete. A pull of changes has no upper bound of time: with
 * one, what is edited during the walk would leave the result, and make what follows slide past the reader.
 *
 * Source  RFC 7644, section 3.4.2; RFC 9865.
 */
import { type Page, type PullRequest, Schema, Unavailable } from "../../core/connector.ts";
import { type Call, type Client, detailOf } from "./client.ts";
import { type Abilities, type Discover, searchUrn } from "./discover.ts";
import { isJson, type Json, member, numberIn, textIn } from "./json.ts";
import { type Reading, recordOf } from "./records.ts";

/** Where a pull goes on: since when changes are read, and where in the walk it stands. */
export const Cursor = Schema.Struct({
  /** ISO 8601 by the provider's clock; null reads everything. */
  since: Schema.NullOr(Schema.String),
  /** Where the next pull begins once this walk has ended; null where it begins anew. */
  until: Schema.NullOr(Schema.String),
  /** The next row of an index walk, from 1; 0 where no walk is under way. */
  index: Schema.Int,
  /** The total that the last page told, and whether it has shrunk on the way. */
  total: Schema.NullOr(Schema.Int),
  shrank: Schema.Boolean,
  /** The next page of a walk by cursor. */
  token: Schema.NullOr(Schema.String),
});
export type Cursor = typeof Cursor.Type;

/** Writes may show up that late. */
const lateMs = 30_000;
const overlapMs = 5 * 60_000;
/** Pages of one walk. */
const pagesMax = 100_000;
/** Rows that are read again when a walk goes on. */
const stepBack = 20;

const start: Cursor = { since: null, until: null, index: 0, total: null, shrank: false, token: null };

export interface Source extends Reading {
  readonly client: Client;
  readonly discover: Discover;
}

export async function* pull(
  source: Source,
  { mode, cursor, signal }: PullRequest<Cursor>,
): AsyncGenerator<Page<Cursor>, void, void> {
  const { delta, paging } = await source.discover();
  const isChanges = mode === "changes" && delta;
  const begun = cursor ?? start;
  const walk: Walk = {
    // What is read in part goes on; what was read to its end begins at its own end.
    since: isChanges ? begun.since : null,
    until: begun.index === 0 && begun.token === null ? untilOf(source.client) : (begun.until ?? untilOf(source.client)),
    paging,
    index: Math.max(1, begun.index - stepBack),
    furthest: Math.max(1, begun.index),
    token: begun.token,
    total: begun.total ?? undefined,
    isShifted: begun.shrank,
    before: Math.max(0, begun.index - stepBack - 1),
    seen: new Set(),
  };
  for (let page = 0; page < pagesMax && !signal.aborted; page++) {
    const read = await readPage(source, walk, signal);
    let isLast: boolean;
    try {
      isLast = advance(walk, read);
    } catch (error) {
      if (error instanceof IgnoresPaging) await source.discover.forget();
      throw error;
    }
    yield {
      changes: read.resources.map((resource) => recordOf(source, resource)),
      cursor: isLast ? ended(walk, isChanges) : under(walk),
      readBegan: read.began,
      readEnded: read.ended,
      ...(isLast && mode === "listing" && isWhole(walk) ? { complete: true } : {}),
    };
    if (isLast) return;
  }
}

const untilOf = (client: Client): string => new Date(client.remoteNow() - lateMs).toISOString();

const under = ({ since, until, index, total, isShifted, token }: Walk): Cursor => {
  return { since, until, index, total: total ?? null, shrank: isShifted, token };
};

/** The next pull reads a little again: what was written late is seen twice rather than never. */
function ended({ until }: Walk, isChanges: boolean): Cursor {
  const since = isChanges && until !== null ? new Date(Date.parse(until) - overlapMs).toISOString() : null;
  return { ...start, since };
}

interface Walk {
  readonly since: string | null;
  readonly until: string | null;
  readonly paging: Abilities["paging"];
  index: number;
  /** The first row that no page has reached yet. */
  furthest: number;
  token: string | null;
  total: number | undefined;
  /** Rows may have slid past: the walk cannot prove that it is whole. */
  isShifted: boolean;
  /** Rows that were read before this walk was taken up again. */
  readonly before: number;
  readonly seen: Set<string>;
}

interface Read {
  readonly resources: ReadonlyArray<Json>;
  readonly total: number | undefined;
  readonly next: string | undefined;
  readonly began: number;
  readonly ended: number;
}

async function readPage(source: Source, walk: Walk, signal: AbortSignal): Promise<Read> {
  const { endpoint } = source;
  const answer = await source.client.call({ ...pageCall(source, walk), signal });
  if (answer.status !== 200) {
    throw new Unavailable(
      `The provider answered ${answer.status} to a list of ${endpoint.slice(1)}${detailOf(answer.body)}`,
      { sent: true },
    );
  }
  const rows = member(answer.body, "Resources");
  return {
    resources: Array.isArray(rows) ? rows.filter(isJson) : [],
    total: numberIn(answer.body, "totalResults"),
    next: textIn(answer.body, "nextCursor"),
    began: answer.began,
    ended: answer.ended,
  };
}

function pageCall({ endpoint: path, settings }: Source, { since, paging, index, token }: Walk): Call {
  const count = settings.pageSize;
  const filter = since === null ? {} : { filter: `meta.lastModified ge "${since}"` };
  if (paging === "search") {
    const json = { schemas: [searchUrn], ...filter, startIndex: index, count };
    return { method: "POST", path: `${path}/.search`, json, isRead: true };
  }
  const place: Readonly<Record<string, string>> =
    paging === "index"
      ? { startIndex: String(index), count: String(count) }
      : paging === "cursor"
        ? { cursor: token ?? "", count: String(count) }
        : {};
  return { method: "GET", path, query: { ...filter, ...place } };
}

/** Moves the walk on; true where this page was its last. */
function advance(walk: Walk, { resources, total, next }: Read): boolean {
  const ids = resources.flatMap((resource) => textIn(resource, "id") ?? []);
  const isNews = ids.some((id) => !walk.seen.has(id));
  for (const id of ids) walk.seen.add(id);
  if (walk.paging === "none") {
    if (total !== undefined && total > walk.seen.size) throw new IgnoresPaging(walk.seen.size, total);
    return true;
  }
  if (next !== undefined || walk.paging === "cursor") {
    walk.token = next ?? null;
    return next === undefined;
  }
  const lost = walk.total !== undefined && total !== undefined ? Math.max(0, walk.total - total) : 0;
  if (lost > 0) walk.isShifted = true;
  walk.total = total ?? walk.total;
  // The length of what came counts: what a provider says of a page's size is often what was asked for.
  const reach = walk.index + resources.length;
  const isBeyond = reach > walk.furthest;
  walk.furthest = Math.max(walk.furthest, reach);
  // What has slid past stands before this page by now.
  walk.index = lost > 0 ? Math.max(1, walk.index - lost) : reach;
  if (resources.length === 0 && lost === 0) {
    if (total !== undefined && walk.index <= total) throw new IgnoresPaging(walk.seen.size, total);
    return true;
  }
  // A provider that ignores startIndex sends the same page for ever; what it has beyond must not be passed over quietly.
  if (!isNews && isBeyond && lost === 0) {
    if (total === undefined || walk.before + walk.seen.size >= total) return true;
    throw new IgnoresPaging(walk.seen.size, total);
  }
  return total !== undefined && lost === 0 && walk.index > total;
}

/** The provider holds more than it shows, and shows no way to the rest. */
class IgnoresPaging extends Unavailable {
  constructor(shown: number, total: number) {
    const what = `The provider shows ${shown} of ${total} resources, whatever page is asked for`;
    super(`${what}; nothing was taken for gone. Look for a setting of its paging, or name its profile.`, {
      sent: true,
    });
  }
}

/** Every resource of the total was seen, and none can have slid past. */
function isWhole({ paging, isShifted, total, before, seen }: Walk): boolean {
  if (paging === "cursor" || paging === "none") return true;
  return !isShifted && (total === undefined || before + seen.size >= total);
}
