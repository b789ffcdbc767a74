/**
 * What a sync would do, without doing it.
 *
 * The plan reads the systems and applies what they say to a throw-away copy of the store, with the very same code as a
 * sync; then it computes the patches that a push would send. To the real store go tokens and the audit entry alone.
 */
import { asc } from "drizzle-orm";
import { Effect } from "effect";
import type { Criterion } from "../connector.ts";
import { displayField, displayName } from "../model/display.ts";
import type { Entity } from "../model/field.ts";
import { criteriaFor } from "../model/look-up.ts";
import { type LeftOut, type Patch, patchesFor } from "../model/patch.ts";
import { sideOf } from "../model/settings.ts";
import type { Value } from "../model/value.ts";
import { noteAudit } from "../store/audit.ts";
import { countRun, type RunTally } from "../store/browse.ts";
import { storeFailedOf } from "../store/failure.ts";
import { outbox } from "../store/tables.ts";
import { loadWorld } from "../store/world-store.ts";
import type { Engine, LiveConnection } from "../sync/engine.ts";
import { goesSingly } from "../sync/prepare.ts";
import { batchMax as pushedTogether } from "../sync/push.ts";
import { type ConnectionReport, sync } from "../sync/sync.ts";
import { engineOf, type Hub, type LiveHub } from "./open.ts";
import { stepsMax } from "./plan-file.ts";
import { type Step, stepOf } from "./plan-steps.ts";

export interface PlannedField {
  readonly field: string;
  readonly from: Value;
  readonly to: Value;
}

/** One write that a sync would make. */
export interface PlannedWrite {
  readonly connection: string;
  readonly kind: "create" | "update" | "delete";
  readonly entity: Entity;
  readonly canonicalId: string;
  readonly remoteId: string | null;
  readonly name: string;
  /** The field that the name is taken from. */
  readonly nameField: string | null;
  readonly fields: ReadonlyArray<PlannedField>;
  /** Fields that would be left out, and why. */
  readonly leftOut: ReadonlyArray<{ readonly field: string; readonly reason: string }>;
}

export interface PlannedConnection {
  readonly name: string;
  readonly outcome: ConnectionReport["outcome"];
  readonly pulled: number;
  /** New accounts and contacts that its records bring into the hub. */
  readonly canonicals: number;
  readonly links: number;
  readonly conflicts: { readonly settled: number; readonly open: number };
  readonly creates: number;
  readonly updates: number;
  readonly deletes: number;
  /** Calls that the writes would take, with the reads before and after them. */
  readonly calls: number;
}

export interface Plan {
  readonly connections: ReadonlyArray<PlannedConnection>;
  readonly found: RunTally;
  readonly writes: ReadonlyArray<PlannedWrite>;
  /** Writes beyond `writesMax`, which are counted but not listed. */
  readonly unlisted: number;
  /** Every write as a step that can be carried out later, where they were asked for; more than `stepsMax` are cut. */
  readonly steps?: ReadonlyArray<Step>;
}

export interface PlanOptions {
  readonly full: boolean;
  /** Bounds the list of writes; all are counted. */
  readonly writesMax: number;
  readonly actor?: string;
  /** Keeps every write as a step, for a file. */
  readonly keepsSteps?: boolean;
}

const batchMax = 500;

/** Errors: StoreFailed. Faults of systems are outcomes in the plan. */
export const plan = Effect.fn("hub.plan")(function* (hub: Hub, live: LiveHub, options: PlanOptions) {
  yield* hub.store.database.write("noting the plan", () =>
    noteAudit(hub.store.database, [
      { at: hub.clock.now(), actor: options.actor ?? "cli", action: "plan", subject: hub.config.hub.name },
    ]),
  );
  return yield* Effect.acquireUseRelease(
    Effect.tryPromise({
      try: hub.store.copy,
      catch: (error) => storeFailedOf("copying the store for the plan", error),
    }),
    Effect.fnUntraced(function* (copy) {
      const engine = engineOf(hub, live.engine.connections, copy);
      const report = yield* sync(engine, { full: options.full, pushes: false });
      const planned = yield* plannedWrites(engine, options);
      const found = yield* countRun({ store: copy }, report.run);
      return {
        connections: report.connections.map((one) => {
          const tally = planned.tallies.get(one.name) ?? noWrites();
          return {
            name: one.name,
            outcome: one.outcome,
            pulled: one.pulled,
            canonicals: one.applied.created,
            links: one.applied.linked,
            conflicts: { settled: one.applied.settled, open: one.applied.opened },
            creates: tally.create,
            updates: tally.update,
            deletes: tally.delete,
            calls: callsFor(engine, one.name, tally),
          };
        }),
        found,
        writes: planned.writes,
        unlisted: planned.unlisted,
        ...(options.keepsSteps === true ? { steps: planned.steps } : {}),
      } satisfies Plan;
    }),
    (copy) => Effect.promise(copy.close),
  );
});

type Kind = Patch["kind"];
/** `lookUps` holds what is asked before each create. */
type EntityTally = Record<Kind, number> & { readonly lookUps: Array<ReadonlyArray<Criterion>> };
type Tally = Record<Kind, number> & { readonly byEntity: Record<Entity, EntityTally> };

const noWrites = (): Tally => ({
  create: 0,
  update: 0,
  delete: 0,
  byEntity: {
    account: { create: 0, update: 0, delete: 0, lookUps: [] },
    contact: { create: 0, update: 0, delete: 0, lookUps: [] },
  },
});

const plannedWrites = Effect.fn("plan.writes")(function* (engine: Engine, { writesMax, keepsSteps }: PlanOptions) {
  const { database, sealer } = engine.store;
  const names = new Set(engine.connections.map((live) => live.name));
  const tallies = new Map<string, Tally>();
  const writes: Array<PlannedWrite> = [];
  const steps: Array<Step> = [];
  let unlisted = 0;
  for (let offset = 0; ; offset += batchMax) {
    const from = offset;
    const rows = yield* database.read("reading what is due", async () =>
      database.db
        .select()
        .from(outbox)
        .orderBy(asc(outbox.connection), asc(outbox.entity), asc(outbox.canonicalId))
        .limit(batchMax)
        .offset(from),
    );
    if (rows.length === 0) break;
    const { world } = yield* database.read("loading what is due", () =>
      loadWorld(database, sealer, engine.model, {
        canonicalIds: rows.map((row) => row.canonicalId),
        withTargets: true,
      }),
    );
    for (const row of rows) {
      const canonical = world.canonical(row.canonicalId);
      const side = canonical === undefined ? undefined : sideOf(engine.settings, row.connection, canonical.entity);
      if (canonical === undefined || side === undefined || !names.has(row.connection)) continue;
      const { patches, leftOut } = patchesFor(world, engine.settings, side, canonical, { referencesWait: false });
      const tally = tallies.get(row.connection) ?? noWrites();
      tallies.set(row.connection, tally);
      for (const patch of patches) {
        tally[patch.kind] += 1;
        const { lookUps } = tally.byEntity[canonical.entity];
        tally.byEntity[canonical.entity][patch.kind] += 1;
        if (patch.kind === "create") lookUps.push(criteriaFor(engine.settings, side, canonical));
        const { entity, values } = canonical;
        const about = { connection: row.connection, entity, name: displayName(entity, values) };
        if (writes.length >= writesMax) unlisted += 1;
        else writes.push(shownWrite(patch, leftOut, { ...about, nameField: displayField(entity, values) }));
        if (keepsSteps === true && steps.length <= stepsMax)
          steps.push(stepOf(world, engine.settings, { ...about, canonical }, patch, leftOut));
      }
    }
  }
  return { tallies, writes, unlisted, steps };
});

function shownWrite(
  patch: Patch,
  leftOut: ReadonlyArray<LeftOut>,
  about: Pick<PlannedWrite, "connection" | "entity" | "name" | "nameField">,
): PlannedWrite {
  const mine = leftOut.filter((left) => left.link === patch.link);
  return {
    ...about,
    kind: patch.kind,
    canonicalId: patch.canonicalId,
    remoteId: patch.link?.remoteId ?? null,
    fields:
      patch.kind === "delete"
        ? []
        : patch.writes.map(({ field, value, replaces }) => ({ field, from: replaces, to: value })),
    leftOut: mine.map(({ field, reason }) => ({ field, reason })),
  };
}

/** Reads before the writes, the writes, and the reads after them where a system answers with nothing. */
function callsFor(engine: Engine, name: string, tally: Tally): number {
  const live = engine.connections.find((one) => one.name === name);
  if (live === undefined) return 0;
  return (["account", "contact"] as const).reduce(
    (sum, entity) => sum + callsForEntity(live, entity, tally.byEntity[entity]),
    0,
  );
}

function callsForEntity(live: LiveConnection, entity: Entity, counts: EntityTally): number {
  const map = live.maps[entity];
  if (map === undefined) return 0;
  const { create, update, delete: gone, lookUps } = counts;
  const silent = map.versions.conditional === "none";
  const singly = goesSingly(update, map.versions.conditional);
  const reads = (count: number): number => Math.ceil(count / map.fetchBatchMax);
  const writes = (kind: Kind, count: number): number => {
    if (count === 0) return 0;
    if (kind === "update" && singly) return count;
    return live.api.callsFor?.(kind, count) ?? Math.ceil(count / map.pushBatchMax);
  };
  return (
    callsToFind(live, lookUps) +
    writes("create", create) +
    (singly ? 0 : reads(update)) +
    writes("update", update) +
    reads(gone) +
    writes("delete", gone) +
    (silent ? reads(create + update) : 0)
  );
}

/** What is due goes in batches, and each batch is looked up at once. */
function callsToFind(live: LiveConnection, lookUps: ReadonlyArray<ReadonlyArray<Criterion>>): number {
  let calls = 0;
  for (let from = 0; from < lookUps.length; from += pushedTogether) {
    const criteria = lookUps.slice(from, from + pushedTogether).flat();
    if (criteria.length > 0) calls += live.api.callsToFind?.(criteria) ?? 1;
  }
  return calls;
}
