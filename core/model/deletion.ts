/**
 * What a delete in one system does (SEMANTICS D14 to D16, D23): nothing downstream before it is believed, a merge is a
 * re-link, and a deleted account is never created there again unless a person asks.
 */
import { openCase } from "./cases.ts";
import type { Read } from "./evidence.ts";
import { matchKeys } from "./match-keys.ts";
import { about, canonicalValue, type Moment, setCanonical } from "./merge.ts";
import type { Tombstone } from "./record.ts";
import { type Settings, type Side, sideOf } from "./settings.ts";
import { equalValues } from "./value.ts";
import type { Canonical, Link, World } from "./world.ts";

/** A merge inside a CRM changes the master in the same minute in which the child disappears. */
const mergeWindowMs = 60_000;

export function decideDelete(
  world: World,
  settings: Settings,
  side: Side,
  tombstone: Tombstone,
  read: Read,
  moment: Moment,
): void {
  const link = world.link(side.connection, side.entity, tombstone.id);
  if (link === undefined) return;
  if (link.canonicalId !== null && world.isClaimed(side.connection, link.canonicalId)) {
    link.fetchAfter = read.ended;
    world.touchLink(link);
    return;
  }
  // D15: the record was read alive after this tombstone had been read.
  if (read.ended < link.readBegan) {
    world.counts.stale += 1;
    return;
  }
  if (link.state === "held") {
    link.state = "gone";
    noteEvidence(world, link, read);
    closeCases(world, side, link, moment);
    return;
  }
  if (link.state === "gone" && link.shadow.deleted !== undefined) {
    noteEvidence(world, link, read);
    if (link.fetchAfter !== null && link.fetchAfter <= read.began) carryOut(world, settings, side, link, moment);
    return;
  }
  if (link.state !== "live") {
    noteEvidence(world, link, read);
    return;
  }
  const canonical = link.canonicalId === null ? undefined : world.canonical(link.canonicalId);
  if (canonical === undefined) return;
  noteEvidence(world, link, read);
  const at = tombstone.deletedAt ?? read.began;
  const master = masterOf(world, side, canonical, link, tombstone, at);
  if (master?.certain === true) {
    mergeInto(world, settings, side, canonical, link, master.link, moment);
    return;
  }
  world.counts.deleted += 1;
  link.state = "gone";
  link.shadow.deleted = { at, run: moment.run };
  world.log.push({
    ...about(canonical, link, moment),
    kind: "deleted",
    note: { policy: side.onDelete, deletedAt: at },
    // The last content that was read, so that the delete can be undone with values.
    news: Object.fromEntries(Object.entries(link.shadow.fields).map(([field, shadow]) => [field, shadow.held])),
  });
  if (master !== undefined) {
    openCase(
      world,
      side,
      {
        kind: "merge",
        link,
        canonicalId: canonical.id,
        reason: `the record disappeared in the minute in which ${master.link.remoteId} changed, and both share a key: it looks merged`,
        candidates: master.link.canonicalId === null ? [] : [master.link.canonicalId],
        detail: { master: master.link.remoteId },
      },
      moment,
    );
    return;
  }
  const waits =
    !side.namesMaster && side.quarantineMs > 0 && (side.onDelete === "archive" || side.onDelete === "propagate");
  if (waits) {
    link.fetchAfter = moment.now + side.quarantineMs;
    world.touchLink(link);
    return;
  }
  carryOut(world, settings, side, link, moment);
}

function noteEvidence(world: World, link: Link, read: Read): void {
  link.readBegan = Math.max(link.readBegan, read.began);
  link.readEnded = Math.max(link.readEnded, read.ended);
  world.touchLink(link);
}

function closeCases(world: World, side: Side, link: Link, moment: Moment): void {
  for (const kind of ["match", "duplicate"] as const) {
    for (const conflict of world.openCases(kind, side.connection, link.remoteId)) {
      conflict.state = "closed";
      conflict.reason = "the record was deleted";
      world.touchConflict(conflict, moment.now);
    }
  }
}

/** Applies the policy of the connection to a delete that is believed. */
export function carryOut(world: World, settings: Settings, side: Side, link: Link, moment: Moment): void {
  const canonical = link.canonicalId === null ? undefined : world.canonical(link.canonicalId);
  delete link.shadow.deleted;
  link.fetchAfter = null;
  world.touchLink(link);
  if (canonical === undefined || canonical.state !== "live") return;
  // A person rejected the source's deletes at the brake: it alone loses the records.
  switch (moment.overrule === true ? "detach" : side.onDelete) {
    case "ignore":
      return;
    case "detach":
      link.state = "detached";
      world.log.push({ ...about(canonical, link, moment), kind: "detached" });
      return;
    case "archive": {
      link.state = "detached";
      world.log.push({
        ...about(canonical, link, moment),
        kind: "changed",
        set: { status: "archived" },
        from: { status: canonicalValue(canonical, "status") },
        provenance: { status: { source: side.connection, interval: { lower: moment.now, upper: moment.now } } },
        note: { by: "delete" },
      });
      setCanonical(
        world,
        settings,
        canonical,
        {
          field: "status",
          value: "archived",
          provenance: { source: side.connection, interval: { lower: moment.now, upper: moment.now } },
        },
        moment,
      );
      return;
    }
    case "propagate":
      propagate(world, side, canonical, link, moment);
  }
}

/** D16: a delete meets an edit that its author had not seen. */
function propagate(world: World, side: Side, canonical: Canonical, link: Link, moment: Moment): void {
  const unseen = Object.entries(link.shadow.fields)
    .filter(
      ([field, shadow]) =>
        !equalValues(shadow.base, canonicalValue(canonical, field)) &&
        canonical.provenance[field]?.source !== side.connection,
    )
    .map(([field]) => field);
  if (unseen.length > 0 && side.deleteAgainstUpdate !== "delete") {
    link.state = "detached";
    recordDeleteAgainstUpdate(world, canonical, link, unseen, side.deleteAgainstUpdate, moment);
    return;
  }
  if (unseen.length > 0) recordDeleteAgainstUpdate(world, canonical, link, unseen, "delete", moment);
  killCanonical(world, canonical, link, moment);
}

export function recordDeleteAgainstUpdate(
  world: World,
  canonical: Canonical,
  link: Link,
  fields: ReadonlyArray<string>,
  policy: "keep" | "ask" | "delete",
  moment: Moment,
): void {
  const reason = {
    keep: "deleted there while others had edited: the account is kept, the deleting system is detached",
    ask: "deleted there while others had edited: a person decides",
    delete: "deleted there while others had edited: the delete wins by policy",
  }[policy];
  if (policy === "ask") world.counts.opened += 1;
  else world.counts.settled += 1;
  world.addConflict({
    id: moment.newId("con"),
    kind: "delete",
    entity: canonical.entity,
    canonicalId: canonical.id,
    connection: link.connection,
    remoteId: link.remoteId,
    field: null,
    state: policy === "ask" ? "open" : "settled",
    rule: `delete against update: ${policy}`,
    winner: policy === "delete" ? link.connection : null,
    run: moment.run,
    openedAt: moment.now,
    updatedAt: moment.now,
    reason,
    base: null,
    previous: null,
    result: null,
    candidates: fields.map((field) => ({
      source: canonical.provenance[field]?.source ?? "hub",
      value: canonicalValue(canonical, field),
      lower: canonical.provenance[field]?.interval?.lower ?? null,
      upper: canonical.provenance[field]?.interval?.upper ?? null,
    })),
    detail: { fields },
  });
}

/** D16: before a delete is carried out, the record shows an edit that its author had not seen. */
export function reviveForUpdate(
  world: World,
  settings: Settings,
  canonical: Canonical,
  link: Link,
  fields: ReadonlyArray<string>,
  moment: Moment,
): void {
  const deleters = world.linksFor(canonical.id).filter((other) => other.state === "gone");
  const deleter = deleters[0];
  const policy =
    deleter === undefined
      ? "keep"
      : (sideOf(settings, deleter.connection, canonical.entity)?.deleteAgainstUpdate ?? "keep");
  recordDeleteAgainstUpdate(world, canonical, link, fields, policy, moment);
  if (policy === "delete") return;
  world.touch(canonical, moment.now);
  canonical.state = "live";
  for (const other of deleters) {
    other.state = "detached";
    world.touchLink(other);
  }
  world.log.push({ ...about(canonical, link, moment), kind: "restored", note: { by: "an edit met the delete" } });
}

/** The account is dead: every other system that has it is due to delete it. */
export function killCanonical(world: World, canonical: Canonical, link: Link | undefined, moment: Moment): void {
  world.touch(canonical, moment.now);
  canonical.state = "dead";
  world.log.push({ ...about(canonical, link, moment), kind: "deleted", note: { everywhere: true } });
}

interface Master {
  readonly link: Link;
  /** The system names it, so nobody needs to ask. */
  readonly certain: boolean;
}

function masterOf(
  world: World,
  side: Side,
  canonical: Canonical,
  link: Link,
  tombstone: Tombstone,
  at: number,
): Master | undefined {
  if (tombstone.mergedInto !== undefined) {
    const named = world.link(side.connection, side.entity, tombstone.mergedInto);
    if (named !== undefined && named !== link) return { link: named, certain: true };
  }
  if (side.namesMaster) return undefined;
  const others = new Set<Link>();
  for (const key of matchKeys(side.entity, canonical.values)) {
    for (const id of world.candidates(side.entity, key.kind, key.value))
      for (const other of world.linksFor(id)) others.add(other);
  }
  for (const conflict of world.conflicts.values()) {
    if (conflict.kind !== "duplicate" || conflict.canonicalId !== canonical.id || conflict.remoteId === null) continue;
    const held = world.link(side.connection, side.entity, conflict.remoteId);
    if (held !== undefined) others.add(held);
  }
  for (const other of [...others].sort((one, two) => one.id - two.id)) {
    if (other === link || other.connection !== side.connection || (other.state !== "live" && other.state !== "held"))
      continue;
    if (other.modifiedAt !== null && Math.abs(other.modifiedAt - at) <= mergeWindowMs + side.resolutionMs)
      return { link: other, certain: false };
  }
  return undefined;
}

/** A merge inside the CRM: the child's link becomes an alias of the master's, and both accounts become one. */
export function mergeInto(
  world: World,
  settings: Settings,
  side: Side,
  canonical: Canonical,
  child: Link,
  master: Link,
  moment: Moment,
): void {
  child.state = "merged";
  delete child.shadow.deleted;
  child.fetchAfter = null;
  world.touchLink(child);
  if (master.canonicalId === null) {
    // The master was held as a duplicate: it takes the child's place.
    master.state = "live";
    master.shadow = { fields: {} };
    master.print = "";
    master.fetchAfter = moment.now;
    world.relink(master, canonical.id);
    closeCases(world, side, master, moment);
    world.log.push({ ...about(canonical, master, moment), kind: "relinked", note: { child: child.id } });
    return;
  }
  const survivor = world.canonical(master.canonicalId);
  if (survivor === undefined || survivor.id === canonical.id) {
    world.log.push({ ...about(canonical, master, moment), kind: "relinked", note: { child: child.id } });
    return;
  }
  mergeCanonicals(world, settings, survivor, canonical, moment);
}

/** Two canonicals become one: links move, empty fields are filled, differing ones stay as candidates for the chain. */
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
  for (const [field, value] of Object.entries(absorbed.values)) {
    const current = canonicalValue(survivor, field);
    if (current !== null || value === null) continue;
    const provenance = absorbed.provenance[field] ?? { source: "hub", interval: null };
    setCanonical(world, settings, survivor, { field, value, provenance }, moment);
  }
  for (const link of world.linksFor(absorbed.id)) {
    for (const [field, shadow] of Object.entries(link.shadow.fields)) {
      // What the absorbed account held is a candidate of its source at the next conflict; D1 makes it due now.
      if (
        link.state === "live" &&
        absorbed.provenance[field]?.source === link.connection &&
        !equalValues(shadow.base, canonicalValue(survivor, field))
      ) {
        shadow.lost = { interval: absorbed.provenance[field]?.interval ?? null };
      }
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
    note: { absorbed: absorbed.id },
  });
  world.log.push({ ...about(absorbed, undefined, moment), kind: "merged", note: { into: survivor.id } });
  world.newMeetings.set(survivor.id, moment.run);
}
