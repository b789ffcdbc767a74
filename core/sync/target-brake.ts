/**
 * The second line of the brake (SEMANTICS D24): a run that would delete, blank or overwrite too many records of one
 * connection stops before its first write there and asks. First loads and what a person has released do not count.
 *
 * Released work is written as it stands. Rejected work is not: the fields count as refused, with a dead letter each, and
 * records that were to be deleted are unlinked.
 */
import { and, asc, eq, gt, inArray, isNull, lte, notInArray, or } from "drizzle-orm";
import { Effect } from "effect";
import type { Moment } from "../model/moment.ts";
import { refuseByPerson } from "../model/refusal.ts";
import { type Side, sideOf } from "../model/settings.ts";
import { isEmpty } from "../model/value.ts";
import type { World } from "../model/world.ts";
import { noteAudit } from "../store/audit.ts";
import type { Row } from "../store/database.ts";
import { conflicts, links, outbox } from "../store/tables.ts";
import { loadWorld, saveWorld } from "../store/world-store.ts";
import { type OutboxRow, type PushRun, patchesOf, SourceHeld } from "./push-run.ts";
import type { Marks } from "./source-brake.ts";

/** While it is open, this rule tells a row that holds what is to be written from one that holds what was read. */
const targetRule = "target";
/** Reasons for being due that need no second question. */
const unquestioned = ["released", "met"];

const batchMax = 500;
const batchesMax = 100_000;

/** Fails while a brake of this connection is open; opens one when what is due is too much. */
export const brakeTarget = Effect.fn("push.brake")(function* (push: PushRun) {
  const { engine, live } = push;
  const { database } = engine.store;
  const cases = yield* targetCases(push);
  if (cases.some(({ row }) => row.state === "open")) return yield* Effect.fail(new SourceHeld(live.name));
  for (const { row, detail } of cases) {
    if (row.state === "resolved" && detail.carriedOut !== true) yield* carryOut(push, row, detail);
  }
  const marks = yield* countMarks(push);
  const most = Math.max(marks.deletes, marks.blanks, marks.overwrites);
  if (most <= live.brake.records) return;
  const records = yield* database.read("counting records", async () =>
    database.db.$count(links, eq(links.connection, live.name)),
  );
  if (most <= live.brake.share * records) return;
  yield* openCase(push, marks);
  return yield* Effect.fail(new SourceHeld(live.name));
});

type CaseRow = Row<typeof conflicts>;

interface Detail extends Marks {
  readonly target?: true;
  readonly carriedOut?: true;
}

/** The rows of this connection that hold what is to be written. */
const targetCases = (push: PushRun) =>
  push.engine.store.database.read("reading the brakes", async () => {
    const rows = await push.engine.store.database.db
      .select()
      .from(conflicts)
      .where(and(eq(conflicts.kind, "brake"), eq(conflicts.connection, push.live.name)));
    return rows.flatMap((row) => {
      // Rows of kind `brake` are written by this file and by apply.
      const { detail } = row.clear as { readonly detail: Detail };
      return detail.target === true ? [{ row, detail }] : [];
    });
  });

function questioned(push: PushRun) {
  const { engine, live } = push;
  return and(
    eq(outbox.connection, live.name),
    lte(outbox.dueAt, engine.clock.now()),
    isNull(outbox.claim),
    or(isNull(outbox.reason), notInArray(outbox.reason, unquestioned)),
  );
}

const countMarks = Effect.fn("push.brake-count")(function* (push: PushRun) {
  const { engine, live } = push;
  const { database } = engine.store;
  const marks = { deletes: 0, blanks: 0, overwrites: 0 };
  const due = yield* database.read("counting what is due", async () => database.db.$count(outbox, questioned(push)));
  if (due <= live.brake.records) return marks;
  yield* eachBatch(push, async (world, rows) => {
    for (const row of rows) addMarks(marks, push, world, row);
  });
  return marks;
});

function addMarks(
  marks: { deletes: number; blanks: number; overwrites: number },
  push: PushRun,
  world: World,
  row: OutboxRow,
): void {
  const canonical = world.canonical(row.canonicalId);
  const side = canonical === undefined ? undefined : sideOf(push.engine.settings, row.connection, canonical.entity);
  if (canonical === undefined || side === undefined) return;
  for (const patch of patchesOf(push, world, side, canonical, row).patches) {
    if (patch.kind === "delete") marks.deletes += 1;
    if (patch.kind !== "update") continue;
    const covering = patch.writes.filter((write) => !isEmpty(write.replaces));
    if (covering.some((write) => isEmpty(write.value))) marks.blanks += 1;
    if (covering.some((write) => !isEmpty(write.value))) marks.overwrites += 1;
  }
}

/** Walks over the rows in question, each batch in one transaction. */
const eachBatch = Effect.fn("push.brake-walk")(function* (
  push: PushRun,
  body: (world: World, rows: ReadonlyArray<OutboxRow>, moment: Moment) => Promise<void>,
) {
  const { engine, run } = push;
  const { database, sealer } = engine.store;
  let after = "";
  for (let batch = 0; batch < batchesMax; batch++) {
    const from = after;
    const last = yield* database.write("looking over what is due", async () => {
      const rows = await database.db
        .select()
        .from(outbox)
        .where(and(questioned(push), gt(outbox.canonicalId, from)))
        .orderBy(asc(outbox.canonicalId))
        .limit(batchMax);
      if (rows.length === 0) return undefined;
      const canonicalIds = rows.map((row) => row.canonicalId);
      const { world, sealing } = await loadWorld(database, sealer, engine.model, { canonicalIds, withTargets: true });
      const now = engine.clock.now();
      await body(world, rows, { now, run, newId: engine.ids.next, deferMeetings: false });
      await saveWorld(database, sealing, world, { now, newId: engine.ids.next, settings: engine.settings });
      return rows.at(-1)?.canonicalId;
    });
    if (last === undefined) return;
    after = last;
  }
});

const openCase = Effect.fn("push.brake-open")(function* (push: PushRun, marks: Marks) {
  const { engine, live, run } = push;
  const { database } = engine.store;
  yield* database.write("opening a brake", async () => {
    const now = engine.clock.now();
    const id = engine.ids.next("con");
    const reason = `the hub would delete ${marks.deletes}, blank ${marks.blanks} and overwrite ${marks.overwrites} records of ${live.name}; nothing is written there until a person decides`;
    await database.insert(conflicts, [
      {
        id,
        kind: "brake",
        entity: "account",
        canonicalId: null,
        connection: live.name,
        remoteId: null,
        field: null,
        state: "open",
        rule: targetRule,
        winner: null,
        run,
        openedAt: now,
        updatedAt: now,
        clear: { reason, detail: { ...marks, target: true } },
        sealed: null,
      },
    ]);
    await noteAudit(database, [
      { at: now, actor: "hub", action: "brake", subject: live.name, detail: { ...marks, case: id, target: true } },
    ]);
  });
});

const carryOut = Effect.fn("push.brake-decided")(function* (push: PushRun, row: CaseRow, detail: Detail) {
  const { engine, live } = push;
  const { database } = engine.store;
  yield* eachBatch(push, async (world, rows, moment) => {
    const ids = rows.map(({ canonicalId }) => canonicalId);
    const mine = and(eq(outbox.connection, live.name), inArray(outbox.canonicalId, ids));
    if (row.winner !== "reject") {
      await database.db.update(outbox).set({ reason: "released" }).where(mine);
      return;
    }
    for (const due of rows) reject(push, world, due, moment);
    await database.db.delete(outbox).where(mine);
  });
  yield* database.write("noting the decision", async () => {
    const clear = { ...(row.clear as object), detail: { ...detail, carriedOut: true } };
    await database.db.update(conflicts).set({ clear }).where(eq(conflicts.id, row.id));
  });
});

function reject(push: PushRun, world: World, row: OutboxRow, moment: Moment): void {
  const canonical = world.canonical(row.canonicalId);
  const side: Side | undefined =
    canonical === undefined ? undefined : sideOf(push.engine.settings, row.connection, canonical.entity);
  if (canonical === undefined || side === undefined) return;
  for (const patch of patchesOf(push, world, side, canonical, row).patches) {
    if (patch.link !== null) refuseByPerson(world, side, canonical, patch, moment);
  }
}
