/**
 * What a delete in one system does (SEMANTICS D14 to D16, D23): nothing downstream before it is believed, a merge is a
 * re-link, and a deleted account is never created there again unless a person asks.
 */
import { canonicalValue, setCanonical } from "./canonical.ts";
import { openCase } from "./cases.ts";
import { withdraw } from "./dispute.ts";
import { judgeTombstone, type Read } from "./evidence.ts";
import { matchKeys } from "./match-keys.ts";
import { mergeCanonicals } from "./merge-accounts.ts";
import { about, type Moment } from "./moment.ts";
import type { Tombstone } from "./record.ts";
import { type Settings, type Side, sideOf } from "./settings.ts";
import { equalValues, type Value } from "./value.ts";
import type { Canonical, Link, World } from "./world.ts";

/** A merge inside a CRM changes the master in the same minute in which the child disappears. */
const mergeWindowMs = 60_000;

export interface Disappearance {
  readonly tombstone: Tombstone;
  readonly read: Read;
  /** False where the system only answers a look-up by id with nothing, and does so for hidden records too (D15). */
  readonly isProof: boolean;
}

export function decideDelete(
  world: World,
  settings: Settings,
  side: Side,
  { tombstone, read, isProof }: Disappearance,
  moment: Moment,
): void {
  const link = world.link(side.connection, side.entity, tombstone.id);
  if (link === undefined) return;
  if (link.canonicalId !== null && world.isClaimed(side.connection, link.canonicalId)) {
    link.fetchAfter = read.ended;
    world.touchEvidence(link);
    return;
  }
  if (link.state === "gone" && link.shadow.deleted !== undefined) {
    const isOver = link.fetchAfter !== null && link.fetchAfter <= read.began;
    noteEvidence(world, link, read);
    if (isOver) endQuarantine(world, settings, side, link, tombstone, moment);
    return;
  }
  if (!isProof || (link.state !== "live" && link.state !== "held")) {
    if (link.fetchAfter !== null && link.fetchAfter <= read.began) link.fetchAfter = null;
    if (isProof) noteEvidence(world, link, read);
    if (isProof) closeCases(world, link, moment);
    world.touchEvidence(link);
    return;
  }
  const judgement = judgeTombstone(link, read);
  if (judgement !== "believe") {
    world.counts.stale += 1;
    if (judgement === "fetch") link.fetchAfter = moment.now;
    world.touchEvidence(link);
    return;
  }
  noteEvidence(world, link, read);
  world.touchLink(link);
  link.fetchAfter = null;
  if (link.state === "held") {
    link.state = "gone";
    closeCases(world, link, moment);
    return;
  }
  for (const sent of world.openSent(link)) world.seeSent(sent);
  const canonical = link.canonicalId === null ? undefined : world.canonical(link.canonicalId);
  if (canonical !== undefined) bury(world, settings, side, canonical, link, { tombstone, read, isProof }, moment);
}

/** A live record is gone: a merge, or a delete whose policy may wait for its quarantine. */
function bury(
  world: World,
  settings: Settings,
  side: Side,
  canonical: Canonical,
  link: Link,
  { tombstone, read }: Disappearance,
  moment: Moment,
): void {
  const at = tombstone.deletedAt ?? read.began;
  const master = masterOf(world, side, canonical, link, tombstone, at);
  if (master?.certain === true) {
    mergeInto(world, settings, canonical, link, master.link, moment);
    return;
  }
  link.state = "gone";
  // The last content that was read, so that the delete can be undone with values.
  const news = Object.fromEntries(Object.entries(link.shadow.fields).map(([field, shadow]) => [field, shadow.held]));
  world.log.push({
    ...about(canonical, link, moment),
    kind: "deleted",
    note: { policy: side.onDelete, deletedAt: at },
    news,
  });
  // Our own delete, whose answer was lost.
  if (canonical.state === "dead") return;
  world.counts.deleted += 1;
  world.deleted.add(`${link.entity} ${link.remoteId}`);
  link.shadow.deleted = { at, run: moment.run };
  if (master !== undefined) {
    askForMaster(world, side, canonical, link, master.link, moment);
    return;
  }
  const waits =
    !side.namesMaster && side.quarantineMs > 0 && (side.onDelete === "archive" || side.onDelete === "propagate");
  if (waits) link.fetchAfter = moment.now + side.quarantineMs;
  else carryOut(world, settings, side, link, moment);
}

/** D23: a master that changed after the child had disappeared is searched once more before the delete counts. */
function endQuarantine(
  world: World,
  settings: Settings,
  side: Side,
  link: Link,
  tombstone: Tombstone,
  moment: Moment,
): void {
  const canonical = link.canonicalId === null ? undefined : world.canonical(link.canonicalId);
  const at = link.shadow.deleted?.at ?? moment.now;
  const master = canonical === undefined ? undefined : masterOf(world, side, canonical, link, tombstone, at);
  link.fetchAfter = null;
  world.touchLink(link);
  if (canonical === undefined || master === undefined) carryOut(world, settings, side, link, moment);
  else if (master.certain) mergeInto(world, settings, canonical, link, master.link, moment);
  else askForMaster(world, side, canonical, link, master.link, moment);
}

function askForMaster(world: World, side: Side, canonical: Canonical, link: Link, master: Link, moment: Moment): void {
  const subject = {
    kind: "merge",
    link,
    canonicalId: canonical.id,
    reason: `the record disappeared in the minute in which ${master.remoteId} changed, and both share a key: it looks merged`,
    candidates: master.canonicalId === null ? [] : [master.canonicalId],
    detail: { master: master.remoteId },
  } as const;
  openCase(world, side, subject, moment);
}

function noteEvidence(world: World, link: Link, read: Read): void {
  link.readBegan = Math.max(link.readBegan, read.began);
  link.readEnded = Math.max(link.readEnded, read.ended);
  world.touchEvidence(link);
}

function closeCases(world: World, link: Link, moment: Moment): void {
  for (const kind of ["match", "duplicate", "restore"] as const) {
    for (const conflict of world.openCases(link, kind)) {
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
  carryOutPolicy(world, settings, side, canonical, link, moment);
  withdraw(world, settings, canonical, moment);
}

function carryOutPolicy(
  world: World,
  settings: Settings,
  side: Side,
  canonical: Canonical,
  link: Link,
  moment: Moment,
): void {
  // A person rejected the source's deletes at the brake: it alone loses the records.
  switch (moment.overrule === true ? "detach" : side.onDelete) {
    case "ignore":
      return;
    case "detach":
      link.state = "detached";
      world.log.push({ ...about(canonical, link, moment), kind: "detached" });
      return;
    case "archive":
      link.state = "detached";
      archive(world, settings, canonical, link, moment);
      return;
    case "propagate":
      propagate(world, side, canonical, link, moment);
  }
}

function archive(world: World, settings: Settings, canonical: Canonical, link: Link, moment: Moment): void {
  const [field, value] = ["status", "archived"];
  const provenance = { source: link.connection, interval: { lower: moment.now, upper: moment.now } };
  world.log.push({
    ...about(canonical, link, moment),
    kind: "changed",
    set: { [field]: value },
    from: { [field]: canonicalValue(canonical, field) },
    provenance: { [field]: provenance },
    note: { by: "delete" },
  });
  setCanonical(world, settings, canonical, { field, value, provenance }, moment);
}

/** An edit that the author of a delete had not seen. */
interface Unseen {
  readonly field: string;
  readonly value: Value;
  readonly source: string;
}

/** D16: a delete meets an edit that its author had not seen. */
function propagate(world: World, side: Side, canonical: Canonical, link: Link, moment: Moment): void {
  const unseen = Object.entries(link.shadow.fields).flatMap(([field, shadow]): ReadonlyArray<Unseen> => {
    const source = canonical.provenance[field]?.source ?? "hub";
    const value = canonicalValue(canonical, field);
    // What cannot be written there is never seen there.
    if (side.rules.get(field)?.access !== "both" || source === side.connection) return [];
    return equalValues(shadow.base, value) ? [] : [{ field, value, source }];
  });
  if (unseen.length > 0) recordDeleteAgainstUpdate(world, canonical, link, unseen, side.deleteAgainstUpdate, moment);
  if (unseen.length > 0 && side.deleteAgainstUpdate !== "delete") link.state = "detached";
  else killCanonical(world, canonical, link, moment);
}

function recordDeleteAgainstUpdate(
  world: World,
  canonical: Canonical,
  link: Link,
  unseen: ReadonlyArray<Unseen>,
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
    candidates: unseen.map(({ field, value, source }) => ({ source, value, ...boundsOf(canonical, field, source) })),
    detail: { fields: unseen.map(({ field }) => field) },
  });
}

function boundsOf(canonical: Canonical, field: string, source: string) {
  const provenance = canonical.provenance[field];
  const interval = provenance?.source === source ? provenance.interval : null;
  return { lower: interval?.lower ?? null, upper: interval?.upper ?? null };
}

/** D16: before a delete is carried out, the record shows an edit that its author had not seen. */
export function reviveForUpdate(
  world: World,
  settings: Settings,
  canonical: Canonical,
  link: Link,
  unseen: ReadonlyArray<Unseen>,
  moment: Moment,
): void {
  const deleters = world.linksFor(canonical.id).filter((other) => other.state === "gone");
  const deleter = deleters[0];
  const policy =
    deleter === undefined
      ? "keep"
      : (sideOf(settings, deleter.connection, canonical.entity)?.deleteAgainstUpdate ?? "keep");
  recordDeleteAgainstUpdate(world, canonical, deleter ?? link, unseen, policy, moment);
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
  for (const conflict of world.conflictsOf(canonical.id)) {
    if (conflict.kind !== "duplicate" || conflict.remoteId === null) continue;
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

/** A record becomes a live one of the canonical; its next read is a first meeting. */
export function startOver(world: World, link: Link, canonicalId: string, moment: Moment): void {
  link.shadow = { fields: {} };
  link.state = "live";
  link.print = "";
  link.fetchAfter = moment.now;
  world.relink(link, canonicalId);
}

/** A merge inside the CRM: the child's link becomes an alias of the master's, and both accounts become one. */
export function mergeInto(
  world: World,
  settings: Settings,
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
    startOver(world, master, canonical.id, moment);
    closeCases(world, master, moment);
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
