/**
 * Pull: reads a connection page by page and applies each page with its cursor.
 *
 * `changes` reads on from the cursor. `listing` is the full sweep: it reads everything again, finds what the live pull
 * missed and, when the connector proves the listing complete, what is gone.
 */
import { and, asc, eq, gt, isNull, lt, or } from "drizzle-orm";
import { Effect, Schema, Stream } from "effect";
import type { Page } from "../connector.ts";
import type { Entity } from "../model/field.ts";
import { readNames, type Side } from "../model/settings.ts";
import { type Counts, noCounts } from "../model/world.ts";
import { isFault } from "../net/fault.ts";
import { connections, cursors, links } from "../store/tables.ts";
import { addCounts, applyPage } from "./apply.ts";
import { ConnectorBroken } from "./call.ts";
import type { Engine, LiveConnection } from "./engine.ts";
import { fetchAndApply } from "./fetch.ts";

export interface PullRequest {
  readonly live: LiveConnection;
  readonly entity: Entity;
  readonly mode: "changes" | "listing";
  readonly run: string;
  readonly deferMeetings: boolean;
  /** The listing follows a live pull, so that what it finds was missed by that one. */
  readonly isSweep?: boolean;
}

export interface Pulled {
  readonly records: number;
  readonly counts: Counts;
  readonly held: boolean;
  /** A read that was proven complete: ids that it did not name. */
  readonly vanished: number;
}

/** The cursor of a listing keeps when it began, so that a resumed one still knows what it has not seen. */
interface ListingCursor {
  readonly startedAt: number;
  /** The map that its first pages were read with. */
  readonly print: string;
  readonly inner: unknown;
}

const goneBatchMax = 200;
const goneBatchesMax = 100_000;
/** A listing that stopped longer ago starts over: too much may have changed in what it had read. */
const resumeMaxMs = 24 * 3_600_000;

export const pullEntity = Effect.fn("pull.entity")(function* (engine: Engine, request: PullRequest) {
  const { live, entity, mode, run, deferMeetings } = request;
  const side = live.sides.get(entity);
  const counts = noCounts();
  if (side === undefined) return { records: 0, counts, held: false, vanished: 0 } satisfies Pulled;
  const { database } = engine.store;
  const saved = yield* database.read("reading the cursor", async () =>
    database.db
      .select()
      .from(cursors)
      .where(and(eq(cursors.connection, live.name), eq(cursors.entity, entity), eq(cursors.mode, mode)))
      .get(),
  );
  const startedAt = engine.clock.now();
  // Written by this file only.
  const known = saved?.cursor as ListingCursor | undefined;
  const listing = mode === "listing" ? resumeListing(engine, side, known, startedAt) : undefined;
  const raw = listing === undefined ? (saved?.cursor ?? null) : listing.inner;
  const cursor = raw === null ? null : readCursor(live, raw);
  const abort = new AbortController();
  let records = 0;
  let held = false;
  let complete = false;
  const pages = Stream.fromAsyncIterable(
    live.api.pull(entity, { mode, cursor, fields: readNames(side), signal: abort.signal }),
    (error) => (isFault(error) ? error : new ConnectorBroken(live.name, "reading records", error)),
  );
  yield* Stream.runForEach(
    pages,
    Effect.fnUntraced(function* (page: Page) {
      const value = listing === undefined ? page.cursor : ({ ...listing, inner: page.cursor } satisfies ListingCursor);
      const applied = yield* applyPage(engine, { live, entity, page, cursor: { mode, value }, run, deferMeetings });
      addCounts(counts, applied.counts);
      if (request.isSweep === true) counts.missed += applied.news ?? 0;
      held ||= applied.held;
      records += page.changes.length;
      complete = page.complete === true;
      engine.progress({ kind: "pulled", connection: live.name, entity, records });
    }),
  ).pipe(Effect.onExit(() => Effect.sync(() => abort.abort())));
  let vanished = 0;
  if (complete && !held) vanished = yield* findVanished(engine, request, listing?.startedAt ?? startedAt, counts);
  if (listing !== undefined) {
    yield* database.write("ending the sweep", async () => {
      await database.db
        .delete(cursors)
        .where(and(eq(cursors.connection, live.name), eq(cursors.entity, entity), eq(cursors.mode, "listing")));
      await database.db
        .update(connections)
        .set({ lastSweepAt: engine.clock.now() })
        .where(eq(connections.name, live.name));
    });
  }
  return { records, counts, held, vanished } satisfies Pulled;
});

/** Goes on with a listing that was cut short, unless it is old or was read with another map. */
function resumeListing(engine: Engine, side: Side, known: ListingCursor | undefined, now: number): ListingCursor {
  const print = engine.store.sealer.blind("map", side.mapPrint);
  const goesOn = known !== undefined && known.print === print && known.startedAt >= now - resumeMaxMs;
  return goesOn ? known : { startedAt: now, print, inner: null };
}

function readCursor(live: LiveConnection, raw: unknown): unknown {
  // A cursor that no longer fits its schema (an older version of the connector) starts over; nothing is lost by reading again.
  const parsed = Schema.decodeUnknownResult(live.connector.cursor)(raw);
  return parsed._tag === "Success" ? raw : null;
}

/** Live links that a complete listing did not name (D: deletion by absence needs a proven complete listing). */
const findVanished = Effect.fn("pull.vanished")(function* (
  engine: Engine,
  request: PullRequest,
  startedAt: number,
  counts: Counts,
) {
  const { live, entity, run, deferMeetings } = request;
  const { database } = engine.store;
  const byAbsence = live.maps[entity]?.deletes.learned === "absence";
  let vanished = 0;
  let after = 0;
  for (let batch = 0; batch < goneBatchesMax; batch++) {
    const from = after;
    const rows = yield* database.read("finding vanished records", async () =>
      database.db
        .select({ id: links.id, remoteId: links.remoteId })
        .from(links)
        .where(
          and(
            eq(links.connection, live.name),
            eq(links.entity, entity),
            eq(links.state, "live"),
            // Anything read or written since is not proven absent, and what is fetched now gets its own proof.
            lt(links.readEnded, startedAt),
            or(isNull(links.settledAt), lt(links.settledAt, startedAt)),
            or(isNull(links.fetchAfter), gt(links.fetchAfter, engine.clock.now())),
            gt(links.id, from),
          ),
        )
        .orderBy(asc(links.id))
        .limit(goneBatchMax),
    );
    if (rows.length === 0) return vanished;
    after = rows.at(-1)?.id ?? after;
    vanished += rows.length;
    const ids = rows.map((row) => row.remoteId);
    if (byAbsence) {
      const now = engine.clock.now();
      const page = {
        changes: ids.map((id) => ({ kind: "deleted" as const, id })),
        readBegan: startedAt,
        readEnded: now,
      };
      const applied = yield* applyPage(engine, { live, entity, page, run, deferMeetings });
      // A brake holds the first batch and gathers the others behind it, for one decision.
      addCounts(counts, applied.counts);
    } else {
      // Vanished is not deleted: only what a fetch by id proves gone counts.
      addCounts(counts, (yield* fetchAndApply(engine, { live, entity, ids, run, deferMeetings })).counts);
    }
  }
  return vanished;
});
