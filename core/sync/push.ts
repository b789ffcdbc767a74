/**
 * Push: claim what is due, write it, settle each result.
 *
 * Before a write the record is read again where the system has no sufficient conditional write, and before a create the
 * system is asked whether the record is there already. The claim notes what it is about to send; the patch is computed
 * from canonical minus shadow in the same transaction, and is never sent twice.
 */
import { and, asc, eq, inArray, isNull, lte } from "drizzle-orm";
import { Effect } from "effect";
import type { Entity } from "../model/field.ts";
import { outbox } from "../store/tables.ts";
import { whileAlive } from "./alive.ts";
import { claim } from "./claim.ts";
import { type Engine, entityOrder, type LiveConnection } from "./engine.ts";
import type { Permit } from "./permit.ts";
import { prepare } from "./prepare.ts";
import type { PushCounts, PushRun } from "./push-run.ts";
import { brakeTarget } from "./target-brake.ts";
import { write } from "./write.ts";

export type { PushCounts } from "./push-run.ts";

/** Records that are looked up, claimed and written together. */
export const batchMax = 100;
/** Batches of one run; what is left stays due. */
const batchesMax = 100_000;
/** How often one record is tried within one run; what is left stays due. */
const triesMax = 6;

export interface PushOptions {
  /** Grows with what is written. */
  readonly counts?: PushCounts;
  /** Batches of each entity; a hub that runs goes on in a new run, where every record may be tried again. */
  readonly batches?: number;
  readonly permit?: Permit | undefined;
}

/** Writes everything that is due in one connection, as far as the permit goes. Ends when nothing is due now, or at a fault. */
export const pushConnection = Effect.fn("push.connection")(function* (
  engine: Engine,
  live: LiveConnection,
  run: string,
  options: PushOptions = {},
) {
  const { counts = { created: 0, updated: 0, deleted: 0, rejected: 0 }, batches = batchesMax, permit } = options;
  if (live.api.push === undefined) return counts;
  const push: PushRun = { engine, live, run, counts, tries: new Map(), halves: new Map(), permit };
  yield* whileAlive(engine.store, run, pushAll(push, batches));
  return counts;
});

const pushAll = Effect.fn("push.all")(function* (push: PushRun, batches: number) {
  const { engine, live, counts } = push;
  yield* brakeTarget(push);
  for (const entity of entityOrder) {
    const side = live.sides.get(entity);
    if (side === undefined || !side.writable) continue;
    const walk: Walk = { from: 0 };
    for (let batch = 0; batch < batches; batch++) {
      const rows = yield* dueRows(push, entity, walk);
      if (rows.length === 0) break;
      for (const row of rows) push.tries.set(row.canonicalId, (push.tries.get(row.canonicalId) ?? 0) + 1);
      const prepared = yield* prepare(push, side, rows);
      const claims = yield* claim(push, side, rows, prepared);
      yield* write(push, side, claims, prepared.singly);
      const left = yield* countDue(engine, live.name);
      const done = counts.created + counts.updated + counts.deleted;
      engine.progress({ kind: "pushed", connection: live.name, done, left });
    }
  }
});

const countDue = (engine: Engine, connection: string) =>
  engine.store.database.read("counting the outbox", async () =>
    engine.store.database.db.$count(outbox, eq(outbox.connection, connection)),
  );

/** Where among the covered ones the last rows were found: the ones before are done, so that they are asked for last. */
interface Walk {
  from: number;
}

function dueRows(push: PushRun, entity: Entity, walk: Walk) {
  const { engine, live, tries, permit } = push;
  const spent = new Set([...tries].filter(([, count]) => count >= triesMax).map(([id]) => id));
  return engine.store.database.read("finding what is due", async () => {
    if (permit === undefined) {
      const rows = await firstDue(engine, live.name, entity, batchMax + spent.size);
      return rows.filter((row) => !spent.has(row.canonicalId)).slice(0, batchMax);
    }
    const ids = permit.covered(live.name, entity).filter((id) => !spent.has(id));
    const chunks = Math.ceil(ids.length / batchMax);
    const first = Math.floor(Math.min(walk.from, ids.length) / batchMax);
    for (let step = 0; step < chunks; step++) {
      const from = ((first + step) % chunks) * batchMax;
      const rows = await firstDue(engine, live.name, entity, batchMax, ids.slice(from, from + batchMax));
      if (rows.length === 0) continue;
      walk.from = from;
      return rows;
    }
    return [];
  });
}

/** `ids`: only these. */
const firstDue = (engine: Engine, connection: string, entity: Entity, limit: number, ids?: ReadonlyArray<string>) =>
  engine.store.database.db
    .select()
    .from(outbox)
    .where(
      and(
        eq(outbox.connection, connection),
        eq(outbox.entity, entity),
        lte(outbox.dueAt, engine.clock.now()),
        isNull(outbox.claim),
        ...(ids === undefined ? [] : [inArray(outbox.canonicalId, [...ids])]),
      ),
    )
    .orderBy(asc(outbox.dueAt), asc(outbox.canonicalId))
    .limit(limit);
