/**
 * Two accounts or contacts become one, and apart again (SEMANTICS D21, D23). Both are events over links: ids are stable,
 * the absorbed id is an alias, and the log keeps what each side was.
 */
import { canonicalValue, setCanonical } from "./canonical.ts";
import { markDue } from "./due.ts";
import type { EditOutcome } from "./edits.ts";
import { about, type Moment } from "./moment.ts";
import type { Settings } from "./settings.ts";
import { equalValues, isEmpty, type Value } from "./value.ts";
import { type Canonical, type ChangeRow, isOpen, type Link, type Provenance, type World } from "./world.ts";

/** Links move, empty fields are filled, and what differs is judged as at a first meeting. */
export function mergeCanonicals(
  world: World,
  settings: Settings,
  survivor: Canonical,
  absorbed: Canonical,
  moment: Moment,
): void {
  const before = { ...survivor.values };
  world.touch(survivor, moment.now);
  world.touch(absorbed, moment.now);
  closeDisputes(world, absorbed, moment);
  const filled: Record<string, Provenance> = {};
  for (const [field, value] of Object.entries(absorbed.values)) {
    if (!isEmpty(canonicalValue(survivor, field)) || isEmpty(value)) continue;
    const provenance = absorbed.provenance[field] ?? { source: "hub", interval: null };
    filled[field] = provenance;
    world.counts.filled += 1;
    setCanonical(world, settings, survivor, { field, value, provenance }, moment);
  }
  const moved = world.linksFor(absorbed.id);
  for (const link of moved) {
    for (const [field, shadow] of Object.entries(link.shadow.fields)) {
      delete shadow.frozen;
      // What the absorbed account held is a candidate of its source; D1 makes it due.
      const own = absorbed.provenance[field];
      if (link.state !== "live" || own?.source !== link.connection) continue;
      if (!equalValues(shadow.base, canonicalValue(survivor, field)))
        shadow.lost = { interval: own.interval, waits: true };
    }
    world.relink(link, survivor.id);
  }
  absorbed.state = "merged";
  absorbed.mergedInto = survivor.id;
  world.log.push({
    ...about(survivor, undefined, moment),
    kind: "merged",
    from: before,
    news: { ...absorbed.values },
    set: Object.fromEntries(
      Object.entries(survivor.values).filter(([field, value]) => !equalValues(before[field] ?? null, value)),
    ),
    provenance: filled,
    note: { absorbed: absorbed.id, links: moved.map((link) => link.id) },
  });
  world.log.push({ ...about(absorbed, undefined, moment), kind: "merged", note: { into: survivor.id } });
  world.newMeetings.set(survivor.id, moment.run);
}

function closeDisputes(world: World, absorbed: Canonical, moment: Moment): void {
  for (const conflict of world.conflictsOf(absorbed.id)) {
    if (conflict.field === null) continue;
    if (!isOpen(conflict)) continue;
    conflict.state = "closed";
    conflict.reason = "its account was merged into another one";
    world.touchConflict(conflict, moment.now);
  }
}

/** Two accounts are one: a person says so. */
export function decideMerge(
  world: World,
  settings: Settings,
  survivorId: string,
  absorbedId: string,
  moment: Moment,
): EditOutcome {
  const survivor = world.canonical(survivorId);
  const absorbed = world.canonical(absorbedId);
  if (survivor === undefined || absorbed === undefined || survivor.entity !== absorbed.entity) {
    return { kind: "refused", reason: "Both must be there and of one kind." };
  }
  if (survivor.id === absorbed.id) return { kind: "refused", reason: "They are one already." };
  mergeCanonicals(world, settings, survivor, absorbed, moment);
  markDue(world, settings, moment);
  return { kind: "done" };
}

/**
 * Takes a merge apart: each side gets its values of before, and what changed since stays on the side whose records
 * reported it. What neither side's records reported is left to a person.
 *
 * `merged` is the row of the log that the merge wrote.
 */
export function decideUnmerge(world: World, settings: Settings, merged: ChangeRow, moment: Moment): EditOutcome {
  const survivor = merged.canonicalId === null ? undefined : world.canonicals.get(merged.canonicalId);
  const absorbedId = merged.note?.absorbed;
  const absorbed = typeof absorbedId === "string" ? world.canonicals.get(absorbedId) : undefined;
  if (merged.kind !== "merged" || survivor === undefined || absorbed === undefined) {
    return { kind: "refused", reason: "This is not the row of a merge." };
  }
  if (absorbed.state !== "merged" || absorbed.mergedInto !== survivor.id || survivor.state !== "live") {
    return { kind: "refused", reason: `${absorbed.id} is not part of ${survivor.id} any more.` };
  }
  world.touch(survivor, moment.now);
  world.touch(absorbed, moment.now);
  absorbed.state = "live";
  absorbed.mergedInto = null;
  const ids = Array.isArray(merged.note?.links) ? merged.note.links : [];
  const back = world.linksFor(survivor.id).filter((link) => ids.includes(link.id));
  for (const link of back) world.relink(link, absorbed.id);

  const before = { ...survivor.values };
  for (const field of new Set([...Object.keys(survivor.values), ...Object.keys(merged.news ?? {})])) {
    const sides = sidesOf(world, { survivor, absorbed, back, merged }, field, before[field] ?? null, moment);
    const provenance = { source: "hub", interval: { lower: moment.now, upper: moment.now }, pinnedAt: moment.now };
    for (const [canonical, value] of [[survivor, sides.survivor] as const, [absorbed, sides.absorbed] as const]) {
      if (equalValues(canonicalValue(canonical, field), value)) continue;
      setCanonical(world, settings, canonical, { field, value, provenance }, moment);
    }
  }
  world.log.push({
    ...about(survivor, undefined, moment),
    kind: "unmerged",
    from: before,
    set: { ...survivor.values },
    provenance: { ...survivor.provenance },
    note: { apart: absorbed.id },
  });
  world.log.push({
    ...about(absorbed, undefined, moment),
    kind: "unmerged",
    set: { ...absorbed.values },
    provenance: { ...absorbed.provenance },
    note: { from: survivor.id },
  });
  markDue(world, settings, moment);
  return { kind: "done" };
}

interface Parting {
  readonly survivor: Canonical;
  readonly absorbed: Canonical;
  /** Links that go back to the absorbed side. */
  readonly back: ReadonlyArray<Link>;
  readonly merged: ChangeRow;
}

/** What each side holds of a field after the parting. */
function sidesOf(
  world: World,
  { survivor, absorbed, back, merged }: Parting,
  field: string,
  now: Value,
  moment: Moment,
): { readonly survivor: Value; readonly absorbed: Value } {
  const ours = merged.from?.[field] ?? null;
  const theirs = merged.news?.[field] ?? null;
  const together = merged.set?.[field] ?? ours;
  if (equalValues(now, together)) return { survivor: ours, absorbed: theirs };
  const source = survivor.provenance[field]?.source;
  const reportedThere = back.some((link) => link.state === "live" && link.connection === source);
  const reportedHere = source !== undefined && world.liveLinks(survivor.id, source).length > 0;
  if (reportedThere && !reportedHere) return { survivor: ours, absorbed: now };
  if (!reportedHere || reportedThere) askWhose(world, survivor, absorbed, { field, ours, theirs, now }, moment);
  return { survivor: now, absorbed: theirs };
}

/** D23: nobody can tell on which side the later change belongs. */
function askWhose(
  world: World,
  survivor: Canonical,
  absorbed: Canonical,
  change: { readonly field: string; readonly ours: Value; readonly theirs: Value; readonly now: Value },
  moment: Moment,
): void {
  const { field, ours, theirs, now } = change;
  const provenance = survivor.provenance[field];
  const bounds = { lower: null, upper: null };
  world.counts.opened += 1;
  world.addConflict({
    id: moment.newId("con"),
    kind: "value",
    entity: survivor.entity,
    canonicalId: survivor.id,
    connection: null,
    remoteId: null,
    field,
    state: "open",
    rule: "unmerge",
    winner: null,
    run: moment.run,
    openedAt: moment.now,
    updatedAt: moment.now,
    reason: `this field was changed while the account was one with ${absorbed.id}; say whether this side keeps the change`,
    base: ours,
    previous: now,
    result: now,
    candidates: [
      { source: provenance?.source ?? "hub", value: now, ...bounds },
      { source: "before the merge", value: ours, ...bounds },
      { source: absorbed.id, value: theirs, ...bounds },
    ],
    detail: { unmerged: absorbed.id },
  });
}
