/**
 * Carrying out a plan: the systems are read as in any sync, and then exactly the planned writes go, each only while what
 * it was decided on still holds. Everything else that has become due since stays due.
 *
 * The writes take the ordinary way (claims, audit, brakes, reads before and after), so nothing about them is less safe.
 */
import { inArray } from "drizzle-orm";
import { Effect } from "effect";
import type { Result } from "../connector.ts";
import type { Entity } from "../model/field.ts";
import type { Patch } from "../model/patch.ts";
import type { Value } from "../model/value.ts";
import type { World } from "../model/world.ts";
import type { Row } from "../store/database.ts";
import type { Store } from "../store/open.ts";
import { canonicals, type links, outbox } from "../store/tables.ts";
import { linksByRemote } from "../store/world-store.ts";
import type { Permit } from "../sync/permit.ts";
import type { Hub } from "./open.ts";
import type { PlanContent } from "./plan-file.ts";
import { differingFields, heldBy, type RecordName, type Step, type StepValues, type Subject } from "./plan-steps.ts";
import { type RunReport, runSync } from "./run.ts";

/**
 * What became of a step.
 *
 * `written`  done, as planned
 * `moved`    what it was decided on has changed: nothing was written
 * `settled`  nothing is due there any more: it was done meanwhile, or the system holds it already
 * `waits`    still due: its system could not be reached, or asks to wait
 * `refused`  the system did not take it; a dead letter says more
 * `unclear`  sent without an answer; the next sync finds out
 */
export type StepOutcome = "written" | "moved" | "settled" | "waits" | "refused" | "unclear";

export const stepOutcomes = ["written", "moved", "settled", "waits", "refused", "unclear"] as const;

export interface AppliedStep extends Pick<Step, "connection" | "entity" | "kind" | "remoteId" | "name"> {
  readonly outcome: StepOutcome;
  /** What moved, or what the system said. */
  readonly reason: string | null;
}

export interface AppliedPlan {
  readonly report: RunReport;
  readonly counts: Readonly<Record<StepOutcome, number>>;
  /** Steps that were not written, and why; at most `listedMax`. */
  readonly left: ReadonlyArray<AppliedStep>;
  /** Writes that are due and were not in the plan. */
  readonly beyond: number;
}

const listedMax = 1_000;

/**
 * Errors  as `runSync`: StoreBusy when another process runs the moves, StoreFailed.
 */
export const applyPlan = Effect.fn("hub.apply-plan")(function* (hub: Hub, plan: PlanContent) {
  let tracked: ReadonlyArray<Tracked> = [];
  const permit = Effect.map(
    hub.store.database.read("finding what was planned", () => resolve(hub.store, plan.steps)),
    (found) => {
      tracked = found;
      return permitFor(found);
    },
  );
  const report = yield* runSync(hub, { full: plan.full, names: plan.names, permit });
  const due = yield* hub.store.database.read("reading what is still due", () => dueNow(hub.store, plan.names, tracked));
  const outcomes = new Map(report.connections.map((one) => [one.name, one.outcome]));
  const applied = tracked.map((step): AppliedStep => {
    const { connection, entity, kind, remoteId, name } = step.step;
    const row = due.planned.get(placeOf(step));
    const stopped = outcomes.get(connection);
    const reason = stopped === undefined || stopped.kind === "ok" ? (row?.reason ?? null) : stopped.reason;
    return { connection, entity, kind, remoteId, name, ...outcomeOf(step, row !== undefined, reason) };
  });
  const counts: Record<StepOutcome, number> = { written: 0, moved: 0, settled: 0, waits: 0, refused: 0, unclear: 0 };
  for (const { outcome } of applied) counts[outcome] += 1;
  return {
    report,
    counts,
    left: applied.filter(({ outcome }) => outcome !== "written").slice(0, listedMax),
    beyond: due.beyond,
  } satisfies AppliedPlan;
});

/** A step on its way, in the ids of this store. */
interface Tracked {
  readonly step: Step;
  /** Its account or contact here; null when its records lead nowhere, or to several. */
  readonly id: string | null;
  readonly held: Readonly<Record<string, Value>>;
  readonly sets: Readonly<Record<string, Value>>;
  readonly follows: Readonly<Record<string, Value>>;
  /** A reference of it leads nowhere here. */
  readonly lost: string | null;
  begun: boolean;
  moved: string | null;
  result: Result | null;
}

function outcomeOf(
  { id, lost, moved, result }: Tracked,
  isDue: boolean,
  reason: string | null,
): Pick<AppliedStep, "outcome" | "reason"> {
  if (moved !== null) return { outcome: "moved", reason: moved };
  if (id === null) return { outcome: "moved", reason: "its records belong to no one account or contact any more" };
  if (lost !== null && isDue) return { outcome: "moved", reason: `${lost} refers to something that is not here` };
  if (result === null) {
    return isDue ? { outcome: "waits", reason } : { outcome: "settled", reason: "nothing is due there any more" };
  }
  switch (result.kind) {
    case "applied":
      return { outcome: "written", reason: null };
    case "rejected":
    case "duplicate":
      return { outcome: "refused", reason: result.reason };
    case "conflict":
    case "gone":
      return { outcome: "moved", reason: result.reason };
    case "later":
      return { outcome: "waits", reason: result.reason };
    case "pending":
    case "unknown":
      return { outcome: "unclear", reason: result.reason };
  }
}

// ---- what may go ----

function permitFor(tracked: ReadonlyArray<Tracked>): Permit {
  const byPlace = new Map<string, Array<Tracked>>();
  for (const one of tracked) {
    if (one.id === null || one.lost !== null) continue;
    const place = placeOf(one);
    const known = byPlace.get(place);
    if (known === undefined) byPlace.set(place, [one]);
    else known.push(one);
  }
  /** Ids that still may be written, by connection and entity; those where something is due that is not as planned leave. */
  const open = new Map<string, Set<string>>();
  for (const [first] of byPlace.values()) {
    if (first === undefined || first.id === null) continue;
    const { step, id } = first;
    const target = `${step.connection}\n${step.entity}`;
    open.set(target, (open.get(target) ?? new Set()).add(id));
  }
  const stepFor = (connection: string, canonicalId: string, remoteId: string | null): Tracked | undefined => {
    const steps = byPlace.get(`${connection}\n${canonicalId}`) ?? [];
    // What the plan creates may need a second write, for a reference that follows it.
    return steps.find(({ step }) => step.remoteId === remoteId) ?? steps.find(({ begun }) => begun);
  };
  const begunBy = new Map<string, Tracked>();
  return {
    covered: (connection, entity) => [...(open.get(`${connection}\n${entity}`) ?? [])],
    admits: (world, side, canonical, patch) => {
      const step = stepFor(side.connection, canonical.id, patch.link?.remoteId ?? null);
      const objection = step === undefined ? "it is not in the plan" : objectionTo(world, step, patch);
      if (objection === null) return true;
      open.get(`${side.connection}\n${canonical.entity}`)?.delete(canonical.id);
      if (step !== undefined && !step.begun) step.moved = objection;
      return false;
    },
    begun: (connection, { canonicalId, sent }, remoteId) => {
      const step = stepFor(connection, canonicalId, remoteId);
      if (step === undefined) return;
      step.begun = true;
      begunBy.set(sent.id, step);
    },
    settled: ({ sent }, result) => {
      const step = begunBy.get(sent.id);
      if (step === undefined) return;
      // After anything else it is asked for anew, with what was read meanwhile.
      step.begun = result.kind === "applied" || isRefusal(result);
      // A refused field is found out by writing the others.
      if (step.result === null || !isRefusal(step.result)) step.result = result;
    },
  };
}

const isRefusal = ({ kind }: Result): boolean => kind === "rejected" || kind === "duplicate";

/** Why a write is not the planned one; null when it is. */
function objectionTo(world: World, step: Tracked, patch: Patch): string | null {
  const writes = Object.fromEntries(
    patch.kind === "delete" ? [] : patch.writes.map(({ field, value }): readonly [string, Value] => [field, value]),
  );
  const agreed = { ...step.follows, ...step.sets };
  const other = differingFields(world, pick(agreed, Object.keys(writes)), writes);
  if (other.length > 0) return `${other.join(", ")} would get another value now`;
  if (step.begun) return null;
  if (patch.kind !== step.step.kind) return `the plan says ${step.step.kind}, and now it would be ${patch.kind}`;
  const missing = Object.keys(step.sets).filter((field) => !Object.hasOwn(writes, field));
  const changed = differingFields(world, step.held, Object.fromEntries(heldBy(patch)));
  if (changed.length > 0) return `${changed.join(", ")} changed in ${step.step.connection} since`;
  return missing.length > 0 ? `${missing.join(", ")} would not be written any more` : null;
}

const pick = (values: Readonly<Record<string, Value>>, names: ReadonlyArray<string>): Record<string, Value> =>
  Object.fromEntries(names.flatMap((name) => (Object.hasOwn(values, name) ? [[name, values[name] ?? null]] : [])));

// ---- from the plan's names to the ids of this store ----

const nameOf = ({ connection, entity, remoteId }: RecordName): string => `${connection}\n${entity}\n${remoteId}`;
const subjectsIn = ({ references }: StepValues): ReadonlyArray<Subject> => Object.values(references);

async function resolve(store: Store, steps: ReadonlyArray<Step>): Promise<ReadonlyArray<Tracked>> {
  const subjects = steps.flatMap(({ subject, held, sets, follows }) => [
    subject,
    ...[held, sets, follows].flatMap(subjectsIn),
  ]);
  const known = await livingIds(store, [...new Set(subjects.map(({ id }) => id))]);
  const byRecord = await idsByRecord(
    store,
    subjects.filter(({ id }) => !known.has(id)).flatMap(({ records }) => records),
  );
  const idOf = ({ id, records }: Subject): string | null => {
    const same = known.get(id);
    if (same !== undefined) return same;
    const ids = new Set(records.map((record) => byRecord.get(nameOf(record)) ?? null));
    const [only = null] = ids;
    return ids.size === 1 ? only : null;
  };
  return steps.map((step): Tracked => {
    let lost: string | null = null;
    const here = ({ values, references }: StepValues): Readonly<Record<string, Value>> => {
      const found: Record<string, Value> = { ...values };
      for (const [field, subject] of Object.entries(references)) {
        const id = idOf(subject);
        if (id === null) lost = field;
        found[field] = id;
      }
      return found;
    };
    const held = here(step.held);
    const sets = here(step.sets);
    const follows = here(step.follows);
    return { step, id: idOf(step.subject), held, sets, follows, lost, begun: false, moved: null, result: null };
  });
}

/** Ids that are here, with what they were merged into. */
async function livingIds({ database }: Store, ids: ReadonlyArray<string>): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const row of await database.selectIn(canonicals, "id", ids)) found.set(row.id, row.mergedInto ?? row.id);
  return found;
}

async function idsByRecord(
  { database }: Store,
  records: ReadonlyArray<RecordName>,
): Promise<ReadonlyMap<string, string>> {
  const groups = new Map<string, Array<RecordName>>();
  for (const record of records) {
    const group = groups.get(`${record.connection}\n${record.entity}`);
    if (group === undefined) groups.set(`${record.connection}\n${record.entity}`, [record]);
    else group.push(record);
  }
  const found = new Map<string, string>();
  for (const group of groups.values()) {
    const [{ connection, entity } = { connection: "", entity: "account" as Entity }] = group;
    const ids = [...new Set(group.map(({ remoteId }) => remoteId))];
    const rows: ReadonlyArray<Row<typeof links>> = await linksByRemote(database, connection, entity, ids);
    for (const { remoteId, canonicalId } of rows) {
      if (canonicalId !== null) found.set(nameOf({ connection, entity, remoteId }), canonicalId);
    }
  }
  return found;
}

/** What is due where something was planned, and how much else is due. */
async function dueNow({ database }: Store, names: ReadonlyArray<string>, tracked: ReadonlyArray<Tracked>) {
  const places = new Set(tracked.map(placeOf));
  const ids = [...new Set(tracked.flatMap(({ id }) => id ?? []))];
  const rows = await database.selectIn(outbox, "canonicalId", ids);
  const planned = new Map(
    rows
      .map((row) => [placeOf({ step: row, id: row.canonicalId }), row] as const)
      .filter(([place]) => places.has(place)),
  );
  const all = await database.db.$count(outbox, inArray(outbox.connection, [...names]));
  return { planned, beyond: all - planned.size };
}

const placeOf = ({ step, id }: { readonly step: Pick<Step, "connection">; readonly id: string | null }): string =>
  `${step.connection}\n${id}`;
