/**
 * The pure heart of apply: what a page of remote changes does to the working set.
 *
 * For each record: is it ours already (link), our own create coming back (external key), somebody we know (match keys),
 * or new? Then the fields are merged one by one. The function is total and deterministic: time, ids and everything
 * loaded come in as arguments.
 */
import { admit, type Numbers, readmit } from "./admit.ts";
import { openCase } from "./cases.ts";
import { decideDelete } from "./deletion.ts";
import { markDue } from "./due.ts";
import { judgeRead, judgeRestore, type Read } from "./evidence.ts";
import { type Arrived, advance, type Incoming, mergeRecord } from "./merge-record.ts";
import { about, type Moment } from "./moment.ts";
import { noteUnbelieved } from "./own-writes.ts";
import type { BadRecord, RemoteRecord, Tombstone } from "./record.ts";
import type { Settings, Side } from "./settings.ts";
import type { Canonical, Link, World } from "./world.ts";

export type { Numbers } from "./admit.ts";
export { settleMeetings } from "./meeting.ts";
export type { Arrived } from "./merge-record.ts";

export interface Arrival {
  readonly records: ReadonlyArray<Arrived>;
  readonly tombstones: ReadonlyArray<Tombstone>;
  readonly bad: ReadonlyArray<BadRecord>;
  readonly read: Read;
  /** The tombstones say only that a look-up by id found nothing, where a hidden record is answered alike. */
  readonly hearsay?: boolean;
}

export function decidePage(
  world: World,
  settings: Settings,
  side: Side,
  arrival: Arrival,
  moment: Moment,
  numbers: Numbers,
): void {
  const { read, hearsay = false } = arrival;
  for (const arrived of arrival.records) decideRecord(world, settings, side, { arrived, read }, moment, numbers);
  for (const tombstone of arrival.tombstones) {
    decideDelete(world, settings, side, { tombstone, read, isProof: !hearsay }, moment);
  }
  for (const bad of arrival.bad) noteBad(world, side, bad);
  markDue(world, settings, moment);
}

function noteBad(world: World, side: Side, bad: BadRecord): void {
  world.counts.bad += 1;
  world.deadLetters.push({
    connection: side.connection,
    entity: side.entity,
    canonicalId: "",
    remoteId: bad.id ?? bad.where,
    field: "",
    move: "pull",
    code: "unreadable-record",
    reason: `${bad.where}: ${bad.problem}`,
    remedy: bad.remedy,
  });
}

function decideRecord(
  world: World,
  settings: Settings,
  side: Side,
  incoming: Incoming,
  moment: Moment,
  numbers: Numbers,
): void {
  const { arrived, read } = incoming;
  const { record } = arrived;
  const link = world.link(side.connection, side.entity, record.id);
  if (link === undefined) {
    admit(world, settings, side, incoming, moment, numbers);
    return;
  }
  if (link.canonicalId !== null && world.isClaimed(side.connection, link.canonicalId)) {
    // D3: what is read while we write is looked at again after the settle.
    noteUnbelieved(world, settings, side, link, arrived.decoded.values, moment);
    link.fetchAfter = read.ended;
    world.touchEvidence(link);
    return;
  }
  const isTombstone = link.state === "gone" || link.state === "detached" || link.state === "merged";
  const judgement = isTombstone
    ? judgeRestore(link, read)
    : judgeRead(link, record, read, link.print === arrived.print);
  if (judgement.kind !== "apply") {
    world.counts.stale += 1;
    if (judgement.kind === "drop") return;
    link.fetchAfter = moment.now;
    world.touchEvidence(link);
    return;
  }
  if (judgement.wentBack) {
    world.counts.wentBack += 1;
    if (link.canonicalId !== null) world.wentBack.add(link.canonicalId);
  }
  if (link.state === "held" || link.canonicalId === null) {
    readmit(world, settings, side, link, incoming, moment);
    return;
  }
  const canonical = world.canonical(link.canonicalId);
  if (canonical === undefined) return;
  if (link.state !== "live" && !revive(world, side, canonical, { link, record }, moment)) {
    advance(link, incoming);
    world.touchEvidence(link);
    return;
  }
  mergeRecord(world, settings, side, canonical, link, incoming, moment);
}

/** The same remote id is alive after its delete: a restore. What others have acted upon is a person's affair. */
function revive(
  world: World,
  side: Side,
  canonical: Canonical,
  { link, record }: { readonly link: Link; readonly record: RemoteRecord },
  moment: Moment,
): boolean {
  // D23: a person unlinked it, and no read overrides that.
  if (link.shadow.unlinked === true) return false;
  // Deleting only deactivates there, and that is what is read.
  if (link.state === "gone" && record.leftover === true) return false;
  const twin = world.liveLinks(canonical.id, side.connection)[0];
  const reason =
    link.state === "merged"
      ? "this record had been merged into another one and is alive again"
      : canonical.state === "dead"
        ? "the record came back after its delete had been carried to the other systems"
        : twin === undefined
          ? undefined
          : `the record came back, and its account has record ${twin.remoteId} here by now`;
  if (reason !== undefined) {
    openCase(world, side, { kind: "restore", link, canonicalId: canonical.id, reason }, moment);
    return false;
  }
  world.revive(link);
  link.fetchAfter = null;
  world.counts.restored += 1;
  world.log.push({ ...about(canonical, link, moment), kind: "restored" });
  return true;
}
