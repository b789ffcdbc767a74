/** Fetches records by id and applies what is there now: due re-reads, re-reads before a write, read-backs after it. */
import { and, asc, eq, gt, isNotNull, lte } from "drizzle-orm";
import { Effect } from "effect";
import type { RemoteRecord, Tombstone } from "../connector.ts";
import type { Entity } from "../model/field.ts";
import { readNames } from "../model/settings.ts";
import { type Counts, noCounts } from "../model/world.ts";
import { links } from "../store/tables.ts";
import { type Applied, addCounts, applyPage } from "./apply.ts";
import { call } from "./call.ts";
import { type Engine, entityOrder, type LiveConnection } from "./engine.ts";

export interface FetchRequest {
  readonly live: LiveConnection;
  readonly entity: Entity;
  readonly ids: ReadonlyArray<string>;
  readonly run: string;
  readonly deferMeetings: boolean;
}

/** Reads the records as they are now; nothing is applied yet. */
export const readNow = Effect.fn("fetch.read")(function* (request: Pick<FetchRequest, "live" | "entity" | "ids">) {
  const { live, entity, ids } = request;
  const side = live.sides.get(entity);
  const map = live.maps[entity];
  const pages: Array<{
    readonly changes: ReadonlyArray<RemoteRecord | Tombstone>;
    readonly readBegan: number;
    readonly readEnded: number;
  }> = [];
  if (side === undefined || map === undefined) return pages;
  for (let start = 0; start < ids.length; start += map.fetchBatchMax) {
    const part = ids.slice(start, start + map.fetchBatchMax);
    pages.push(yield* call(live.name, "fetching records", () => live.api.fetch(entity, part, readNames(side))));
  }
  return pages;
});

/** Reads the records as they are now and applies them. `held`: a brake keeps what was read for a decision. */
export const fetchAndApply = Effect.fn("fetch.apply")(function* (engine: Engine, request: FetchRequest) {
  const counts = noCounts();
  let held = false;
  for (const page of yield* readNow(request)) {
    const applied = yield* applyPage(engine, { ...request, page, byId: true });
    addCounts(counts, applied.counts);
    held ||= applied.held;
  }
  return { counts, held } satisfies Applied;
});

const batchMax = 1000;
/** Records that are fetched again in one run; what is left is fetched in the next. */
const batchesMax = 200;

/** Records that must be looked at again: reads that were not believed, outcomes that are open, quarantines that ended. */
export const fetchDue = Effect.fn("fetch.due")(function* (
  engine: Engine,
  live: LiveConnection,
  run: string,
  deferMeetings: boolean,
) {
  const total: Counts = noCounts();
  const now = engine.clock.now();
  for (const entity of entityOrder) {
    if (!live.sides.has(entity)) continue;
    let after = 0;
    for (let batch = 0; batch < batchesMax; batch++) {
      const from = after;
      const rows = yield* engine.store.database.read("finding records to fetch", async () =>
        engine.store.database.db
          .select({ id: links.id, remoteId: links.remoteId })
          .from(links)
          .where(
            and(
              eq(links.connection, live.name),
              eq(links.entity, entity),
              isNotNull(links.fetchAfter),
              lte(links.fetchAfter, now),
              gt(links.id, from),
            ),
          )
          .orderBy(asc(links.id))
          .limit(batchMax),
      );
      after = rows.at(-1)?.id ?? after;
      if (rows.length === 0) break;
      const ids = rows.map((row) => row.remoteId);
      const applied = yield* fetchAndApply(engine, { live, entity, ids, run, deferMeetings });
      addCounts(total, applied.counts);
    }
  }
  return total;
});
