/** Replays the whole change log and compares what it comes to with the canonical rows (`core/model/fold.ts`). */
import { and, asc, eq, gt, isNotNull, notInArray, sql } from "drizzle-orm";
import { Effect } from "effect";
import { foldDifferences, foldLog } from "../model/fold.ts";
import type { ChangeRow } from "../model/world.ts";
import type { DataKey, Sealer } from "../security/seal.ts";
import { type Shelf, sealingFor } from "./browse.ts";
import type { Database, Row } from "./database.ts";
import { canonicalOf, changeOf, type Sealing } from "./rows.ts";
import { canonicals, changes } from "./tables.ts";

export interface ReplayDifference {
  readonly id: string;
  /** Fields, sources and parts of the state in which the row differs; empty where the log does not know it at all. */
  readonly what: ReadonlyArray<string>;
}

export interface Replayed {
  readonly canonicals: number;
  readonly changes: number;
  readonly different: number;
  /** At most `listedMax`. */
  readonly differences: ReadonlyArray<ReplayDifference>;
  /** Ids in the log that have no row; at most `listedMax`. */
  readonly orphans: ReadonlyArray<string>;
}

const pageRows = 500;
const pagesMax = 1_000_000;
const listedMax = 1_000;
const renamesMax = 10_000;

type Positioned = ChangeRow & { readonly position: number };

/**
 * Errors  StoreFailed. Memory is bounded by a page of accounts and their histories; `progress` hears how many were
 *         compared so far.
 */
export const replayLog = Effect.fn("store.replay")(function* (shelf: Shelf, progress: (canonicals: number) => void) {
  const { database } = shelf.store;
  const renames = yield* database.read("reading the log", () => renamesIn(database));
  const differences: Array<ReplayDifference> = [];
  let count = 0;
  let changesCount = 0;
  let different = 0;
  let after = "";
  for (let page = 0; page < pagesMax; page++) {
    const from = after;
    // The row and its log are of one moment, so that a hub that runs beside makes no difference.
    const compared = yield* database.read("replaying the log", () => comparePage(shelf, from, renames));
    if (compared.last === null) break;
    after = compared.last;
    count += compared.canonicals;
    changesCount += compared.changes;
    different += compared.differences.length;
    differences.push(...compared.differences.slice(0, listedMax - differences.length));
    progress(count);
  }
  const orphans = yield* database.read("looking for changes of nobody", () => orphansIn(database));
  return { canonicals: count, changes: changesCount, different, differences, orphans } satisfies Replayed;
});

async function comparePage(shelf: Shelf, after: string, renames: ReadonlyArray<Positioned>) {
  const { database } = shelf.store;
  const rows = await database.db
    .select()
    .from(canonicals)
    .where(gt(canonicals.id, after))
    .orderBy(asc(canonicals.id))
    .limit(pageRows);
  const ids = rows.map(({ id }) => id);
  const sealing = rememberingLast(await sealingFor(shelf, ids));
  const logs = byCanonical(await database.selectIn(changes, "canonicalId", ids));
  let changesCount = 0;
  const differences = rows.flatMap((row): ReadonlyArray<ReplayDifference> => {
    const log = (logs.get(row.id) ?? []).map((change) => changeOf(sealing, change));
    changesCount += log.length;
    const folded = foldLog(inOrder(log, renames));
    if (folded === undefined) return [{ id: row.id, what: [] }];
    const what = foldDifferences(canonicalOf(sealing, row), folded);
    return what.length === 0 ? [] : [{ id: row.id, what }];
  });
  return { last: ids.at(-1) ?? null, canonicals: rows.length, changes: changesCount, differences };
}

/** What nobody has changed since it came is sealed alike in its row and in the log: it is opened once. */
function rememberingLast(sealing: Sealing): Sealing {
  const { sealer } = sealing;
  let last: { readonly key: DataKey; readonly purpose: string; readonly sealed: Uint8Array; readonly value: unknown };
  const open: Sealer["open"] = (key, purpose, sealed) => {
    if (last?.key === key && last.purpose === purpose && Buffer.compare(last.sealed, sealed) === 0) return last.value;
    last = { key, purpose, sealed, value: sealer.open(key, purpose, sealed) };
    return last.value;
  };
  return { ...sealing, sealer: { ...sealer, open } };
}

function byCanonical(
  rows: ReadonlyArray<Row<typeof changes>>,
): ReadonlyMap<string, ReadonlyArray<Row<typeof changes>>> {
  const logs = new Map<string, Array<Row<typeof changes>>>();
  for (const row of rows) {
    const id = row.canonicalId ?? "";
    const log = logs.get(id);
    if (log === undefined) logs.set(id, [row]);
    else log.push(row);
  }
  return logs;
}

const inOrder = (log: ReadonlyArray<Positioned>, renames: ReadonlyArray<Positioned>): ReadonlyArray<Positioned> =>
  [...log, ...renames].sort((one, other) => one.position - other.position);

async function renamesIn(database: Database): Promise<ReadonlyArray<Positioned>> {
  const rows = await database.db
    .select()
    .from(changes)
    .where(and(eq(changes.kind, "renamed"), sql`${changes.canonicalId} is null`))
    .orderBy(asc(changes.position))
    .limit(renamesMax);
  return rows.map((row) => ({
    position: row.position,
    at: row.at,
    run: row.run,
    connection: row.connection,
    // Names of connections are not personal.
    entity: "account",
    canonicalId: null,
    remoteId: null,
    kind: "renamed",
    note: (row.clear as { readonly note: Readonly<Record<string, unknown>> }).note,
  }));
}

async function orphansIn(database: Database): Promise<ReadonlyArray<string>> {
  const known = database.db.select({ id: canonicals.id }).from(canonicals);
  const rows = await database.db
    .selectDistinct({ id: changes.canonicalId })
    .from(changes)
    .where(and(isNotNull(changes.canonicalId), notInArray(changes.canonicalId, known)))
    .limit(listedMax);
  return rows.flatMap(({ id }) => id ?? []);
}
