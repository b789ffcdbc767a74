/**
 * The pure heart of apply: what a page of remote changes does to the working set.
 *
 * For each record: is it ours already (link), our own create coming back (external key), somebody we know (match keys),
 * or new? Then the fields are merged one by one. The function is total and deterministic: time, ids and everything
 * loaded come in as arguments.
 */
import { openCase } from "./cases.ts";
import { decideDelete, reviveForUpdate } from "./deletion.ts";
import { markDue } from "./due.ts";
import { compareVersions, judgeRead, type Read } from "./evidence.ts";
import { type Identified, identify } from "./identify.ts";
import { type Interval, intervalOf } from "./interval.ts";
import { matchKeys } from "./match-keys.ts";
import { about, canonicalValue, type Moment, meetField, mergeNews, settleField } from "./merge.ts";
import { absorbEcho, closeOutcomes, isOpaqueRewrite, noteReversal, noteStoredDifferently } from "./own-writes.ts";
import type { BadRecord, RemoteRecord, Tombstone } from "./record.ts";
import { type Decoded, fieldOf, imageIn, type Settings, type Side } from "./settings.ts";
import { equalValues, isEmpty, type Value } from "./value.ts";
import type { Canonical, Link, Sent, World } from "./world.ts";

/** A record with what the edge has made of it. */
export interface Arrived {
  readonly record: RemoteRecord;
  readonly decoded: Decoded;
  /** Keyed print of the record as read. */
  readonly print: string;
  /** The hub's id found in the external key field. */
  readonly hubId: string | null;
}

export interface Arrival {
  readonly records: ReadonlyArray<Arrived>;
  readonly tombstones: ReadonlyArray<Tombstone>;
  readonly bad: ReadonlyArray<BadRecord>;
  readonly read: Read;
}

export interface Numbers {
  /** The next internal number of a link. */
  readonly nextLink: () => number;
}

export function decidePage(
  world: World,
  settings: Settings,
  side: Side,
  arrival: Arrival,
  moment: Moment,
  numbers: Numbers,
): void {
  for (const arrived of arrival.records)
    decideRecord(world, settings, side, { arrived, read: arrival.read }, moment, numbers);
  for (const tombstone of arrival.tombstones) decideDelete(world, settings, side, tombstone, arrival.read, moment);
  for (const bad of arrival.bad) {
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
  markDue(world, settings);
}

interface Incoming {
  readonly arrived: Arrived;
  readonly read: Read;
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
    link.fetchAfter = read.ended;
    world.touchLink(link);
    return;
  }
  const samePrint = link.print === arrived.print;
  const judgement = judgeRead(link, record, read, samePrint);
  if (judgement.kind === "drop") {
    world.counts.stale += 1;
    return;
  }
  if (judgement.kind === "fetch") {
    world.counts.stale += 1;
    link.fetchAfter = moment.now;
    world.touchLink(link);
    return;
  }
  if (judgement.wentBack) world.counts.wentBack += 1;
  if (link.state === "held" || link.canonicalId === null) {
    holdAgain(world, settings, side, link, incoming, moment, numbers);
    return;
  }
  if (link.state === "merged") {
    // A merged record that is alive again: the system undid its merge. A person decides.
    openCase(
      world,
      side,
      {
        kind: "restore",
        link,
        canonicalId: link.canonicalId,
        reason: "this record had been merged into another one and is alive again",
      },
      moment,
    );
    return;
  }
  const canonical = world.canonical(link.canonicalId);
  if (canonical === undefined) return;
  if (link.state !== "live" && !revive(world, side, canonical, link, moment)) {
    advance(world, side, link, incoming);
    return;
  }
  mergeRecord(world, settings, side, canonical, link, incoming, moment);
}

/** The same remote id is alive after its delete: a restore. Propagated deletes are a person's affair. */
function revive(world: World, side: Side, canonical: Canonical, link: Link, moment: Moment): boolean {
  if (canonical.state === "dead") {
    openCase(
      world,
      side,
      {
        kind: "restore",
        link,
        canonicalId: canonical.id,
        reason: "the record came back after its delete had been carried to the other systems",
      },
      moment,
    );
    return false;
  }
  link.state = "live";
  delete link.shadow.deleted;
  link.fetchAfter = null;
  world.touchLink(link);
  world.counts.restored += 1;
  world.log.push({ ...about(canonical, link, moment), kind: "restored" });
  return true;
}

/** An unlinked record: own create, known, uncertain, or new. */
function admit(
  world: World,
  settings: Settings,
  side: Side,
  incoming: Incoming,
  moment: Moment,
  numbers: Numbers,
): void {
  const { arrived, read } = incoming;
  const { record } = arrived;
  const identified = identify(world, settings, side, arrived);
  const link: Link = {
    id: numbers.nextLink(),
    connection: side.connection,
    entity: side.entity,
    remoteId: record.id,
    canonicalId: null,
    state: "live",
    print: arrived.print,
    version: record.version ?? null,
    modifiedAt: record.modifiedAt ?? null,
    remoteCreatedAt: record.createdAt ?? null,
    readBegan: read.began,
    readEnded: read.ended,
    settledAt: null,
    fetchAfter: null,
    shadow: { fields: {} },
  };
  settleIdentity(world, settings, side, link, identified, incoming, moment);
}

function settleIdentity(
  world: World,
  settings: Settings,
  side: Side,
  link: Link,
  identified: Identified,
  incoming: Incoming,
  moment: Moment,
): void {
  const isNew = !world.linksById.has(link.id);
  switch (identified.kind) {
    case "new": {
      createCanonical(world, settings, side, link, incoming, moment);
      if (isNew) world.addLink(link);
      else world.relink(link, link.canonicalId);
      return;
    }
    case "own": {
      attach(world, link, identified.canonical.id, isNew);
      linkOwnCreate(world, settings, side, identified.canonical, link, identified.attempts, incoming, moment);
      return;
    }
    case "known": {
      attach(world, link, identified.canonical.id, isNew);
      world.counts.linked += 1;
      world.log.push({
        ...about(identified.canonical, link, moment),
        kind: "linked",
        note: { by: identified.by },
      });
      mergeRecord(world, settings, side, identified.canonical, link, incoming, moment);
      return;
    }
    case "case": {
      link.state = "held";
      holdValues(link, incoming.arrived.decoded);
      if (isNew) world.addLink(link);
      world.touchLink(link);
      openCase(
        world,
        side,
        {
          kind: identified.case,
          link,
          canonicalId: identified.candidates[0] ?? null,
          reason: identified.reason,
          candidates: identified.candidates,
        },
        moment,
      );
    }
  }
}

function attach(world: World, link: Link, canonicalId: string, isNew: boolean): void {
  link.state = "live";
  link.canonicalId = canonicalId;
  if (isNew) world.addLink(link);
  else world.relink(link, canonicalId);
}

/** A held record was read again: keep its values fresh, and let it through once a person or the data has decided. */
function holdAgain(
  world: World,
  settings: Settings,
  side: Side,
  link: Link,
  incoming: Incoming,
  moment: Moment,
  numbers: Numbers,
): void {
  advance(world, side, link, incoming);
  const open = [...world.conflicts.values()].some(
    (conflict) =>
      conflict.connection === side.connection &&
      conflict.remoteId === link.remoteId &&
      conflict.entity === side.entity &&
      (conflict.state === "open" || conflict.state === "reopened"),
  );
  if (open) {
    holdValues(link, incoming.arrived.decoded);
    world.touchLink(link);
    return;
  }
  void numbers;
  const separate = link.shadow.separate === true;
  link.shadow = { fields: {} };
  link.state = "live";
  const identified: Identified = separate ? { kind: "new" } : identify(world, settings, side, incoming.arrived);
  settleIdentity(world, settings, side, link, identified, incoming, moment);
}

/** Keeps what a held record says, so that nothing is lost while a person thinks. */
function holdValues(link: Link, decoded: Decoded): void {
  for (const [field, value] of Object.entries(decoded.values)) link.shadow.fields[field] = { base: value, held: value };
  if (Object.keys(decoded.references).length > 0) link.shadow.waiting = decoded.references;
}

function createCanonical(
  world: World,
  settings: Settings,
  side: Side,
  link: Link,
  incoming: Incoming,
  moment: Moment,
): void {
  const { arrived, read } = incoming;
  const id = moment.newId(side.entity === "account" ? "acc" : "ctc");
  const interval = meetingInterval(side, arrived.record, read);
  const canonical: Canonical = {
    id,
    entity: side.entity,
    state: "live",
    mergedInto: null,
    values: {},
    provenance: {},
    flips: {},
    createdAt: moment.now,
    updatedAt: moment.now,
    revision: 1,
  };
  const values = resolveReferences(world, settings, side, link, arrived.decoded);
  for (const [field, value] of Object.entries(values)) {
    link.shadow.fields[field] = isEmpty(value)
      ? { base: value, held: value }
      : { base: value, held: value, spoke: true };
    if (isEmpty(value)) continue;
    canonical.values[field] = value;
    canonical.provenance[field] = { source: side.connection, interval };
  }
  noteUnreadable(world, side, link, id, arrived.decoded);
  link.canonicalId = id;
  world.addCanonical(canonical);
  for (const key of matchKeys(side.entity, canonical.values)) world.addKey(side.entity, key.kind, key.value, id);
  world.counts.created += 1;
  world.log.push({
    ...about(canonical, link, moment),
    kind: "created",
    set: { ...canonical.values },
    provenance: { ...canonical.provenance },
  });
}

/** At a first meeting the interval starts at the record's creation. */
function meetingInterval(side: Side, record: RemoteRecord, read: Read): Interval | null {
  return intervalOf({
    lastSeenOld: record.createdAt,
    modifiedAt: record.modifiedAt,
    readEnded: read.ended,
    resolutionMs: side.resolutionMs,
    skewMs: side.skewMs,
  });
}

/** A record that bears our external key is our own create: its base comes from the attempts, not from a first meeting. */
function linkOwnCreate(
  world: World,
  settings: Settings,
  side: Side,
  canonical: Canonical,
  link: Link,
  attempts: ReadonlyArray<Sent>,
  incoming: Incoming,
  moment: Moment,
): void {
  world.counts.linked += 1;
  world.log.push({
    ...about(canonical, link, moment),
    kind: "linked",
    note: { by: "external key", attempts: attempts.length },
  });
  const attempt = attempts.at(-1);
  if (attempt === undefined) {
    mergeRecord(world, settings, side, canonical, link, incoming, moment);
    return;
  }
  for (const sent of attempts) {
    for (const [field, value] of Object.entries(sent.values)) {
      link.shadow.fields[field] = { base: value, held: imageIn(settings, side, field, value) };
    }
  }
  link.shadow.fresh = true;
  const values = resolveReferences(world, settings, side, link, incoming.arrived.decoded);
  for (const [field, value] of Object.entries(values)) {
    // Any attempt may be the one that landed.
    const landed = attempts.find((sent) => {
      const sentValue = sent.values[field];
      return (
        sentValue !== undefined &&
        (equalValues(sentValue, value) || equalValues(imageIn(settings, side, field, sentValue), value))
      );
    });
    const sentValue = landed?.values[field];
    if (sentValue !== undefined) link.shadow.fields[field] = { base: sentValue, held: value };
  }
  for (const sent of attempts) {
    sent.linkId = link.id;
    world.closeSent(sent);
  }
  mergeRecord(world, settings, side, canonical, link, incoming, moment);
}

/** Merges a believed read of a linked record, field by field. */
function mergeRecord(
  world: World,
  settings: Settings,
  side: Side,
  canonical: Canonical,
  link: Link,
  incoming: Incoming,
  moment: Moment,
): void {
  const { arrived, read } = incoming;
  const { record } = arrived;
  const first = Object.keys(link.shadow.fields).length === 0;
  const versionMoved = compareVersions(record, link) === "higher";
  const interval = first
    ? meetingInterval(side, record, read)
    : intervalOf({
        lastSeenOld: link.readBegan,
        modifiedAt: record.modifiedAt,
        readEnded: read.ended,
        resolutionMs: side.resolutionMs,
        skewMs: side.skewMs,
      });
  const open = world.openSent(link);
  const fresh = link.shadow.fresh === true;
  const values = resolveReferences(world, settings, side, link, arrived.decoded);
  noteUnreadable(world, side, link, canonical.id, arrived.decoded);
  if (canonical.state === "dead") {
    const news = Object.entries(values).filter(([field, value]) => {
      const shadow = link.shadow.fields[field];
      return (
        shadow !== undefined &&
        !equalValues(shadow.held, value) &&
        !equalValues(canonicalValue(canonical, field), value)
      );
    });
    if (news.length > 0)
      reviveForUpdate(
        world,
        settings,
        canonical,
        link,
        news.map(([field]) => field),
        moment,
      );
  }
  for (const [field, value] of Object.entries(values)) {
    const shadow = link.shadow.fields[field];
    const news = { link, field, value, interval };
    if (shadow === undefined) {
      if (fresh) {
        // D4: what the system filled in on our create is held, not news.
        link.shadow.fields[field] = { base: null, held: value };
        world.touchLink(link);
      } else
        meetField(world, settings, side, canonical, { ...news, interval: meetingInterval(side, record, read) }, moment);
      continue;
    }
    if (equalValues(value, shadow.held)) {
      noteReversal(world, side, canonical, link, field, open, versionMoved, moment);
      continue;
    }
    if (absorbEcho(world, settings, side, canonical, link, { field, value, open }, moment)) continue;
    if (isOpaqueRewrite(side, link, record, field)) {
      noteStoredDifferently(world, side, canonical, link, { field, sent: shadow.base, stored: value }, moment);
      shadow.held = value;
      world.touchLink(link);
      continue;
    }
    mergeNews(world, settings, side, canonical, news, moment);
  }
  if (fresh) delete link.shadow.fresh;
  closeOutcomes(world, side, link, record, read, open);
  if (link.shadow.receipt !== undefined) {
    delete link.shadow.receipt;
    world.touchLink(link);
  }
  advance(world, side, link, incoming);
}

/** The evidence of the last believed read. */
function advance(world: World, side: Side, link: Link, incoming: Incoming): void {
  const { arrived, read } = incoming;
  const { record } = arrived;
  link.version = record.version ?? link.version;
  link.modifiedAt = record.modifiedAt ?? link.modifiedAt;
  link.remoteCreatedAt = record.createdAt ?? link.remoteCreatedAt;
  link.readBegan = Math.max(link.readBegan, read.began);
  link.readEnded = Math.max(link.readEnded, read.ended);
  // A reference that still waits must be looked at again, so the print must not say "unchanged".
  link.print = link.shadow.waiting === undefined ? arrived.print : "";
  if (link.fetchAfter !== null && link.fetchAfter <= read.began && link.shadow.waiting === undefined)
    link.fetchAfter = null;
  world.touchLink(link);
  void side;
}

/** Canonical ids for remote references; one whose target is not linked yet waits and is left unknown. */
function resolveReferences(
  world: World,
  settings: Settings,
  side: Side,
  link: Link,
  decoded: Decoded,
): Record<string, Value> {
  const values: Record<string, Value> = { ...decoded.values };
  const waiting: Record<string, string> = {};
  for (const [field, remoteId] of Object.entries(decoded.references)) {
    const target = fieldOf(settings, side.entity, field)?.target;
    const found = target === undefined ? undefined : world.link(side.connection, target, remoteId);
    const canonical =
      found?.canonicalId === null || found === undefined ? undefined : world.canonical(found.canonicalId);
    if (canonical !== undefined) values[field] = canonical.id;
    else if (found?.canonicalId != null) values[field] = found.canonicalId;
    else waiting[field] = remoteId;
  }
  if (Object.keys(waiting).length > 0) link.shadow.waiting = waiting;
  else delete link.shadow.waiting;
  return values;
}

function noteUnreadable(world: World, side: Side, link: Link, canonicalId: string, decoded: Decoded): void {
  for (const { field, reason } of decoded.unreadable) {
    world.deadLetters.push({
      connection: side.connection,
      entity: side.entity,
      canonicalId,
      remoteId: link.remoteId,
      field,
      move: "pull",
      code: "unreadable-field",
      reason,
      remedy: `Mend the value in ${side.connection}, or map the field with a fitting codec; the rest of the record was taken.`,
    });
  }
}

/** Evaluates the first meetings of an account when all connections of the load have been read (D10). */
export function settleMeetings(world: World, settings: Settings, moment: Moment): void {
  for (const id of [...world.meetings, ...world.newMeetings.keys()]) {
    world.metMeetings.add(id);
    const canonical = world.canonical(id);
    if (canonical === undefined || canonical.state !== "live") continue;
    const fields = new Map<string, Link>();
    for (const link of world.liveLinks(canonical.id)) {
      for (const [field, shadow] of Object.entries(link.shadow.fields)) {
        if (shadow.lost !== undefined && !fields.has(field)) fields.set(field, link);
      }
    }
    for (const field of [...fields.keys()].sort()) {
      const trigger = fields.get(field);
      if (trigger === undefined || world.openConflict(canonical.id, field) !== undefined) continue;
      settleField(world, settings, canonical, { field, base: null, kind: "meeting", trigger }, moment);
    }
  }
  markDue(world, settings);
}
