/**
 * What another configuration would have made of the history, and would make of the present. Nothing is kept: decisions of
 * the log are judged again from the candidates that they recorded, and the accounts are looked at as they would be then.
 *
 * The hub that is simulated is opened with the other configuration over the same store. What the log cannot tell is
 * counted as such: matches under other keys, and values of fields that were not mapped then.
 */
import { and, asc, eq, gt, gte } from "drizzle-orm";
import { Effect } from "effect";
import { displayName } from "../model/display.ts";
import { dueFields, mayCreate } from "../model/due.ts";
import { decideEdit } from "../model/edits.ts";
import type { Entity } from "../model/field.ts";
import type { Moment } from "../model/moment.ts";
import { type Difference, judgeAgain } from "../model/policy-change.ts";
import { type Settings, sideOf } from "../model/settings.ts";
import { type Rejudged, rejudge } from "../model/simulate.ts";
import type { Value } from "../model/value.ts";
import type { Canonical, World } from "../model/world.ts";
import { conflictOf } from "../store/rows.ts";
import { canonicals, changes, conflicts, outbox } from "../store/tables.ts";
import { loadWorld } from "../store/world-store.ts";
import type { Hub } from "./open.ts";

export interface SimulatedField {
  readonly entity: Entity;
  readonly field: string;
  readonly counts: Readonly<Record<Rejudged["kind"], number>>;
}

/** A decision that would have been another one. */
export interface SimulatedDecision {
  readonly conflict: string;
  readonly canonicalId: string;
  readonly name: string;
  readonly field: string;
  readonly kind: "other" | "asks" | "settles";
  readonly was: Value;
  readonly wouldBe: Value;
  /** The rule and the source that it would have taken; null where a person is asked. */
  readonly by: string | null;
}

/** Accounts and contacts that would be written in a connection. */
export interface SimulatedWrites {
  readonly connection: string;
  readonly creates: number;
  readonly updates: number;
  readonly deletes: number;
  /** What is due there now, whatever the configuration. */
  readonly dueNow: number;
}

/** Deletes of one connection that would have been handled otherwise. */
export interface SimulatedDeletes {
  readonly connection: string;
  readonly was: string;
  readonly wouldBe: string;
  readonly count: number;
}

export interface Simulated {
  readonly since: number | null;
  readonly decisions: number;
  readonly counts: Readonly<Record<Rejudged["kind"], number>>;
  readonly fields: ReadonlyArray<SimulatedField>;
  /** At most `listedMax`, oldest first. */
  readonly differing: ReadonlyArray<SimulatedDecision>;
  /** Fields whose value of today would be another one. */
  readonly standing: number;
  readonly writes: ReadonlyArray<SimulatedWrites>;
  readonly deletes: ReadonlyArray<SimulatedDeletes>;
}

const batchMax = 500;
const batchesMax = 1_000_000;
const listedMax = 1_000;

/** Errors  StoreFailed. `progress` hears what is looked at. */
export const simulate = Effect.fn("hub.simulate")(function* (
  hub: Hub,
  options: { readonly since: number | null; readonly progress: (text: string) => void },
) {
  const judged = yield* judgeHistory(hub, options);
  const writes = yield* writesOf(hub, judged.standing, options.progress);
  const deletes = yield* deletesSince(hub, options.since);
  const fields = [...judged.fields.values()];
  return {
    since: options.since,
    decisions: judged.decisions,
    counts: judged.counts,
    fields: fields.filter(({ counts }) => counts.other + counts.asks + counts.settles + counts.untold > 0),
    differing: judged.differing,
    standing: [...judged.standing.values()].flat().length,
    writes,
    deletes,
  } satisfies Simulated;
});

const noCounts = (): Record<Rejudged["kind"], number> => ({ same: 0, other: 0, asks: 0, settles: 0, untold: 0 });

const judgeHistory = Effect.fn("simulate.history")(function* (
  hub: Hub,
  { since, progress }: { readonly since: number | null; readonly progress: (text: string) => void },
) {
  const { database, sealer } = hub.store;
  const counts = noCounts();
  const fields = new Map<string, SimulatedField & { readonly counts: Record<Rejudged["kind"], number> }>();
  const differing: Array<SimulatedDecision> = [];
  /** By account or contact; of several decisions about a field the last one counts. */
  const standing = new Map<string, ReadonlyArray<Difference>>();
  let decisions = 0;
  let after = "";
  for (let batch = 0; batch < batchesMax; batch++) {
    const from = after;
    const { rows, world } = yield* database.read("reading decisions", async () => {
      const found = await database.db
        .select()
        .from(conflicts)
        .where(
          and(
            eq(conflicts.kind, "value"),
            gt(conflicts.id, from),
            since === null ? undefined : gte(conflicts.openedAt, since),
          ),
        )
        .orderBy(asc(conflicts.id))
        .limit(batchMax);
      const canonicalIds = found.flatMap((row) => row.canonicalId ?? []);
      const loaded = await loadWorld(database, sealer, hub.model, { canonicalIds });
      return { rows: found.map((row) => conflictOf(loaded.sealing, row)), world: loaded.world };
    });
    if (rows.length === 0) break;
    after = rows.at(-1)?.id ?? after;
    for (const row of rows) {
      const { canonicalId, field, entity } = row;
      if (canonicalId === null || field === null) continue;
      decisions += 1;
      const rejudged = rejudge(world, hub.settings, row);
      counts[rejudged.kind] += 1;
      const place = `${entity}\n${field}`;
      const known = fields.get(place) ?? { entity, field, counts: noCounts() };
      known.counts[rejudged.kind] += 1;
      fields.set(place, known);
      const others = (standing.get(canonicalId) ?? []).filter((one) => one.field !== field);
      const difference = judgeAgain(world, hub.settings, row);
      if (difference !== undefined) standing.set(canonicalId, [...others, difference]);
      else if (standing.has(canonicalId)) standing.set(canonicalId, others);
      if (rejudged.kind === "same" || rejudged.kind === "untold" || differing.length >= listedMax) continue;
      const canonical = world.canonical(canonicalId);
      differing.push({
        conflict: row.id,
        canonicalId,
        name: canonical === undefined ? "" : displayName(entity, canonical.values),
        field,
        kind: rejudged.kind,
        was: row.result,
        wouldBe: rejudged.kind === "asks" ? null : rejudged.value,
        by: rejudged.kind === "asks" ? null : `${rejudged.rule} → ${rejudged.source}`,
      });
    }
    progress(`${decisions} decisions judged again`);
  }
  return { decisions, counts, fields, differing, standing };
});

/** What would be due everywhere, with the values that would stand and the filters and maps of this configuration. */
const writesOf = Effect.fn("simulate.writes")(function* (
  hub: Hub,
  standing: ReadonlyMap<string, ReadonlyArray<Difference>>,
  progress: (text: string) => void,
) {
  const { database, sealer } = hub.store;
  const { order } = hub.settings;
  const tallies = new Map(order.map((name) => [name, { creates: 0, updates: 0, deletes: 0 }]));
  let looked = 0;
  let after = "";
  for (let batch = 0; batch < batchesMax; batch++) {
    const from = after;
    const { ids, world } = yield* database.read("looking at accounts and contacts", async () => {
      const rows = await database.db
        .select({ id: canonicals.id })
        .from(canonicals)
        .where(gt(canonicals.id, from))
        .orderBy(asc(canonicals.id))
        .limit(batchMax);
      const canonicalIds = rows.map(({ id }) => id);
      const loaded = await loadWorld(database, sealer, hub.model, { canonicalIds, withTargets: true });
      return { ids: canonicalIds, world: loaded.world };
    });
    if (ids.length === 0) break;
    after = ids.at(-1) ?? after;
    const now = hub.clock.now();
    const moment: Moment = { now, run: "simulated", newId: hub.ids.next, deferMeetings: false };
    for (const id of ids) {
      for (const { field, from: base, to: value } of standing.get(id) ?? []) {
        decideEdit(world, hub.settings, { canonicalId: id, field, value, base, hold: false }, moment);
      }
      const canonical = world.canonicals.get(id);
      if (canonical === undefined) continue;
      for (const name of order) {
        const tally = tallies.get(name);
        const due = dueIn(world, hub.settings, name, canonical);
        if (tally !== undefined && due !== null) tally[due] += 1;
      }
    }
    looked += ids.length;
    progress(`${looked} accounts and contacts looked at`);
  }
  const dueNow = yield* database.read("counting what is due", async () =>
    Promise.all(order.map((name) => database.db.$count(outbox, eq(outbox.connection, name)))),
  );
  return order.map(
    (connection, index): SimulatedWrites => ({
      connection,
      ...(tallies.get(connection) ?? { creates: 0, updates: 0, deletes: 0 }),
      dueNow: dueNow[index] ?? 0,
    }),
  );
});

function dueIn(
  world: World,
  settings: Settings,
  connection: string,
  canonical: Canonical,
): "creates" | "updates" | "deletes" | null {
  const side = sideOf(settings, connection, canonical.entity);
  if (side === undefined || !side.writable || canonical.state === "merged") return null;
  const live = world.liveLinks(canonical.id, connection);
  if (canonical.state === "dead") return live.length > 0 ? "deletes" : null;
  if (live.some((link) => dueFields(world, side, canonical, link).length > 0)) return "updates";
  const creates = live.length === 0 && mayCreate(world, side, canonical);
  return creates && world.openMatch(connection, canonical.id) === undefined ? "creates" : null;
}

/** Deletes by the policy that was carried out then. */
const deletesSince = Effect.fn("simulate.deletes")(function* (hub: Hub, since: number | null) {
  const { database } = hub.store;
  const tallies = new Map<string, SimulatedDeletes>();
  let after = 0;
  for (let batch = 0; batch < batchesMax; batch++) {
    const from = after;
    const rows = yield* database.read("reading deletes", async () =>
      database.db
        .select({
          position: changes.position,
          connection: changes.connection,
          entity: changes.entity,
          clear: changes.clear,
        })
        .from(changes)
        .where(
          and(
            eq(changes.kind, "deleted"),
            gt(changes.position, from),
            since === null ? undefined : gte(changes.at, since),
          ),
        )
        .orderBy(asc(changes.position))
        .limit(batchMax),
    );
    if (rows.length === 0) break;
    after = rows.at(-1)?.position ?? after;
    for (const { connection, entity, clear } of rows) {
      // Written by changeRow and changed by nobody.
      const { note } = clear as { readonly note?: { readonly policy?: string } };
      const was = note?.policy;
      const wouldBe = sideOf(hub.settings, connection, entity as Entity)?.onDelete;
      if (was === undefined || wouldBe === undefined || was === wouldBe) continue;
      const place = `${connection}\n${was}\n${wouldBe}`;
      const count = (tallies.get(place)?.count ?? 0) + 1;
      tallies.set(place, { connection, was, wouldBe, count });
    }
  }
  return [...tallies.values()];
});
