/**
 * The brake at the source (SEMANTICS D24): how many records of a connection were deleted, blanked or overwritten within
 * a sliding window, webhooks included. A record counts once, however often people edit it.
 */
import { and, eq, gte, inArray, isNull } from "drizzle-orm";
import type { Side } from "../model/settings.ts";
import { isEmpty } from "../model/value.ts";
import type { World } from "../model/world.ts";
import type { Sealer } from "../security/seal.ts";
import { noteAudit } from "../store/audit.ts";
import type { Database } from "../store/database.ts";
import { brakeMarks, conflicts, connections, links } from "../store/tables.ts";
import type { Engine, LiveConnection } from "./engine.ts";

export interface Marks {
  readonly deletes: number;
  readonly blanks: number;
  readonly overwrites: number;
}

const kinds = ["deletes", "blanks", "overwrites"] as const;
type Marked = Readonly<Record<(typeof kinds)[number], ReadonlySet<string>>>;

/**
 * The records that this page deletes, blanks a field of, or overwrites a field of; one whose version went back counts as
 * overwritten (D7). First meetings do not count.
 */
export function marksOf(world: World, side: Side, sealer: Sealer): Marked {
  const blanks = new Set<string>();
  const overwrites = new Set<string>(world.wentBack);
  for (const change of world.log) {
    if (change.kind !== "changed" || change.connection !== side.connection || change.canonicalId === null) continue;
    if (change.note?.by === "delete" || change.note?.conflict !== undefined) continue;
    for (const [field, from] of Object.entries(change.from ?? {})) {
      if (isEmpty(from)) continue;
      if (isEmpty(change.set?.[field])) blanks.add(change.canonicalId);
      else overwrites.add(change.canonicalId);
    }
  }
  const deletes = new Set([...world.deleted].map((record) => sealer.blind("brake", record)));
  return { deletes, blanks, overwrites };
}

/** The counts, if with this page they are beyond what the connection allows. */
export async function tooMuch(
  engine: Engine,
  live: LiveConnection,
  marked: Marked,
  now: number,
): Promise<Marks | undefined> {
  if (kinds.every((kind) => marked[kind].size === 0)) return undefined;
  const { db } = engine.store.database;
  const since = now - live.brake.windowMs;
  const total = { deletes: 0, blanks: 0, overwrites: 0 };
  for (const kind of kinds) {
    const earlier = and(eq(brakeMarks.connection, live.name), eq(brakeMarks.kind, kind), gte(brakeMarks.at, since));
    const again =
      marked[kind].size === 0
        ? 0
        : await db.$count(brakeMarks, and(earlier, inArray(brakeMarks.record, [...marked[kind]])));
    total[kind] = (await db.$count(brakeMarks, earlier)) - again + marked[kind].size;
  }
  const most = Math.max(total.deletes, total.blanks, total.overwrites);
  if (most <= live.brake.records) return undefined;
  const records = await db.$count(links, eq(links.connection, live.name));
  return most > Math.max(live.brake.records, live.brake.share * records) ? total : undefined;
}

/** Keeps when each record was last marked. */
export async function noteMarks(database: Database, connection: string, marked: Marked, at: number): Promise<void> {
  const rows = kinds.flatMap((kind) => [...marked[kind]].map((record) => ({ connection, kind, record, at })));
  await database.insert(brakeMarks, rows, "replace");
}

/** The open case that holds this connection, if there is one. */
export async function holdingCase(database: Database, connection: string): Promise<string | undefined> {
  const row = await database.db.select().from(connections).where(eq(connections.name, connection)).get();
  if (row?.state !== "held") return undefined;
  const open = await database.db
    .select({ id: conflicts.id })
    .from(conflicts)
    .where(
      and(
        eq(conflicts.kind, "brake"),
        eq(conflicts.connection, connection),
        eq(conflicts.state, "open"),
        isNull(conflicts.rule),
      ),
    )
    .get();
  return open?.id;
}

export interface Braking {
  readonly live: LiveConnection;
  readonly run: string;
  readonly total: Marks;
  readonly now: number;
}

/** Opens the case and stops the connection; nothing of the page is applied. */
export async function openBrake(engine: Engine, side: Side, { live, run, total, now }: Braking): Promise<string> {
  const { database } = engine.store;
  const id = engine.ids.next("con");
  const reason = `${side.connection} would delete ${total.deletes}, blank ${total.blanks} and overwrite ${total.overwrites} records within ${Math.round(live.brake.windowMs / 60_000)} minutes; nothing of it is applied until a person decides`;
  await database.insert(conflicts, [
    {
      id,
      kind: "brake",
      entity: side.entity,
      canonicalId: null,
      connection: side.connection,
      remoteId: null,
      field: null,
      state: "open",
      rule: null,
      winner: null,
      run,
      openedAt: now,
      updatedAt: now,
      clear: { reason, detail: { ...total } },
      sealed: null,
    },
  ]);
  await database.db.update(connections).set({ state: "held", reason }).where(eq(connections.name, side.connection));
  await noteAudit(database, [
    { at: now, actor: "hub", action: "brake", subject: side.connection, detail: { ...total, case: id } },
  ]);
  return id;
}
