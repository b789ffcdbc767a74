/**
 * The list of deleted records: 60 days in the recycle bin, 120 days after a permanent deletion.
 *
 * It is the only proof of a deletion. A record that is not readable by id may as well be hidden from the API user.
 *
 * Source  Zoho CRM API v8, "Get Deleted Records".
 */
import type { Log } from "../../core/connector.ts";
import type { Client } from "./client.ts";
import type { Module } from "./config.ts";
import { isPagingEnd, readFaultOf } from "./errors.ts";
import { instantOf, stampOf } from "./json.ts";
import { hasMore, idOf, pageRowsMax, rowsOf } from "./rows.ts";

export interface DeletedPage {
  /** Time of deletion by id; a record may be listed twice, first in the bin and then for good. */
  readonly deletedAt: ReadonlyMap<string, number | undefined>;
  readonly last: boolean;
  readonly began: number;
  readonly ended: number;
}

interface DeletedRequest {
  readonly module: Module;
  readonly since: number | null;
  readonly page: number;
  readonly signal?: AbortSignal;
}

export async function readDeleted(client: Client, log: Log, request: DeletedRequest): Promise<DeletedPage> {
  const { module, since, page, signal } = request;
  const answer = await client.call({
    method: "GET",
    path: `/crm/v8/${module}/deleted`,
    query: { type: "all", page: String(page), per_page: String(pageRowsMax) },
    ...(since === null ? {} : { headers: { "if-modified-since": stampOf(since) } }),
    retry: "safe",
    ...(signal === undefined ? {} : { signal }),
  });
  const { began, ended, failure } = answer;
  if (failure !== undefined) {
    if (page === 1 || !isPagingEnd(failure)) throw readFaultOf(failure);
    log.warn("more records were deleted than the list shows; the next sweep finds the others", { module, page });
    return { deletedAt: new Map(), last: true, began, ended };
  }
  const deletedAt = new Map<string, number | undefined>();
  for (const row of rowsOf(answer.body)) {
    const id = idOf(row);
    if (id === undefined) continue;
    const at = instantOf(row.deleted_time);
    const known = deletedAt.get(id);
    deletedAt.set(id, known === undefined ? at : Math.min(known, at ?? known));
  }
  return { deletedAt, last: !hasMore(answer.body), began, ended };
}

/** Looks up whether records were deleted. */
export interface Graveyard {
  /** Of the ids that cannot be read, those that are proven to be deleted. */
  readonly deletedOf: (module: Module, ids: ReadonlyArray<string>) => Promise<ReadonlyMap<string, number | undefined>>;
}

/** 20,000 deletions within 120 days; further back nothing is proven. */
const pagesMax = 100;
const keptMs = 10 * 60_000;
/** Deletions may enter the list late, and its filter knows whole seconds. */
const overlapMs = 2 * 60_000;

interface Kept {
  readonly readAt: number;
  through: number;
  readonly found: Map<string, number | undefined>;
}

/** Reads the whole list once, then only what is new; after ten minutes it is read again, because records are restored. */
export function createGraveyard(client: Client, log: Log, now: () => number): Graveyard {
  const kept = new Map<Module, Kept>();

  const walk = async (module: Module, since: number | null, into: Kept["found"]): Promise<void> => {
    for (let page = 1; page <= pagesMax; page += 1) {
      const { deletedAt, last } = await readDeleted(client, log, { module, since, page });
      for (const [id, at] of deletedAt) into.set(id, at);
      if (last) return;
    }
    log.warn("the list of deleted records is longer than the connector reads", { module });
  };

  return {
    deletedOf: async (module, ids) => {
      if (ids.length === 0) return new Map();
      const known = kept.get(module);
      const isFresh = known !== undefined && now() - known.readAt < keptMs;
      const list: Kept = isFresh ? known : { readAt: now(), through: 0, found: new Map() };
      const startedAt = client.remoteNow();
      await walk(module, isFresh ? list.through - overlapMs : null, list.found);
      list.through = startedAt;
      kept.set(module, list);
      return new Map(ids.filter((id) => list.found.has(id)).map((id) => [id, list.found.get(id)]));
    },
  };
}
