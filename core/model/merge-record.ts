/** Merges a believed read of a linked record, field by field, and moves the evidence of its link. */
import { canonicalValue } from "./canonical.ts";
import { reviveForUpdate } from "./deletion.ts";
import { compareVersions, isExactly, type Read } from "./evidence.ts";
import { type Interval, intervalOf } from "./interval.ts";
import { meetField } from "./meeting.ts";
import { mergeNews } from "./merge.ts";
import { logNews, type Moment } from "./moment.ts";
import { absorbEcho, closeOutcomes, isOpaqueRewrite, noteReversal, noteStoredDifferently } from "./own-writes.ts";
import type { RemoteRecord } from "./record.ts";
import { type Decoded, fieldOf, type Settings, type Side } from "./settings.ts";
import { equalValues, isEmpty, type Value } from "./value.ts";
import type { Canonical, Link, Shadow, World } from "./world.ts";

/** How long a reference whose target is not there waits for the next look. */
const waitingRetryMs = 3_600_000;

/** A record with what the edge has made of it. */
export interface Arrived {
  readonly record: RemoteRecord;
  readonly decoded: Decoded;
  /** Keyed print of the record as read. */
  readonly print: string;
  /** The hub's id found in the external key field. */
  readonly hubId: string | null;
}

export interface Incoming {
  readonly arrived: Arrived;
  readonly read: Read;
}

export function mergeRecord(
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
  const versionMoved = compareVersions(record, link) === "higher";
  const open = world.openSent(link);
  const untouched = untouchedSince(side, link, record);
  const waitedFor = link.shadow.waiting;
  const values = resolveReferences(world, settings, side, link, arrived.decoded);
  noteUnreadable(world, side, link, canonical.id, arrived.decoded);
  if (canonical.state === "dead") weighDelete(world, settings, canonical, link, values, moment);
  for (const [field, value] of Object.entries(values)) {
    const shadow = link.shadow.fields[field];
    if (shadow === undefined) {
      if (untouched === undefined) {
        const interval = meetingInterval(side, record, read);
        meetField(world, settings, side, canonical, { link, field, value, interval }, moment);
      } else if (untouched === "no" && !isEmpty(value)) {
        link.shadow.fields[field] = { base: null, held: null };
        const interval = newsInterval(side, link, field, incoming);
        mergeNews(world, settings, side, canonical, { link, field, value, interval }, moment);
      } else {
        // D4: what the system filled in on our create is held, not news.
        link.shadow.fields[field] = { base: null, held: value };
        const note = { why: "on our create, or by a person in the same moment" };
        if (untouched === "perhaps" && !isEmpty(value)) logNews(world, canonical, link, { field, value, note }, moment);
      }
      continue;
    }
    if (equalValues(value, shadow.held)) {
      noteReversal(world, side, canonical, link, { field, open, versionMoved }, moment);
      continue;
    }
    if (absorbEcho(world, settings, side, canonical, link, { field, value, open }, moment)) continue;
    if (isOpaqueRewrite(side, link, record, field, value)) {
      noteStoredDifferently(world, side, canonical, link, { field, sent: shadow.base, stored: value }, moment);
      shadow.held = value;
      world.touchLink(link);
      continue;
    }
    const interval = newsInterval(side, link, field, incoming);
    mergeNews(world, settings, side, canonical, { link, field, value, interval }, moment);
  }
  delete link.shadow.fresh;
  delete link.shadow.receipt;
  advance(link, incoming, waitedFor);
  closeOutcomes(world, side, canonical, link, { record, read, open }, moment);
  world.touchLink(link);
}

/**
 * D4: whether the first read of a record that we created shows it as our create left it; undefined for any other read.
 * A counter proves it. A time only tells that nobody wrote later than in the same moment of that clock.
 */
function untouchedSince(side: Side, link: Link, record: RemoteRecord): "yes" | "no" | "perhaps" | undefined {
  const { fresh, receipt } = link.shadow;
  if (fresh === undefined) return undefined;
  const counted = side.counter ? isExactly("0", record.version, fresh) : undefined;
  if (counted !== undefined) return counted ? "yes" : "no";
  if (receipt?.version !== undefined && record.version !== undefined)
    return receipt.version === record.version ? "yes" : "no";
  const since = receipt?.modifiedAt ?? record.createdAt;
  return since !== undefined && record.modifiedAt !== undefined && record.modifiedAt > since ? "no" : "perhaps";
}

/** D16: before a delete is carried out, the record may show an edit that its author had not seen. */
function weighDelete(
  world: World,
  settings: Settings,
  canonical: Canonical,
  link: Link,
  values: Readonly<Record<string, Value>>,
  moment: Moment,
): void {
  const news = Object.entries(values).flatMap(([field, value]) => {
    const shadow = link.shadow.fields[field];
    const isNews =
      shadow !== undefined && !equalValues(shadow.held, value) && !equalValues(canonicalValue(canonical, field), value);
    return isNews ? [{ field, value, source: link.connection }] : [];
  });
  if (news.length > 0) reviveForUpdate(world, settings, canonical, link, news, moment);
}

/** D20: after the last read that showed the old value, or after our own write of the field that was then changed. */
function newsInterval(side: Side, link: Link, field: string, incoming: Incoming): Interval | null {
  const { receipt } = link.shadow;
  const wroteAt = receipt?.fields.includes(field) === true ? receipt.at : link.readBegan;
  return intervalOf({
    lastSeenOld: Math.max(link.readBegan, wroteAt),
    modifiedAt: incoming.arrived.record.modifiedAt,
    readEnded: incoming.read.ended,
    resolutionMs: side.resolutionMs,
    skewMs: side.skewMs,
  });
}

/** At a first meeting the interval starts at the record's creation. */
export function meetingInterval(side: Side, record: RemoteRecord, read: Read): Interval | null {
  return intervalOf({
    lastSeenOld: record.createdAt,
    modifiedAt: record.modifiedAt,
    readEnded: read.ended,
    resolutionMs: side.resolutionMs,
    skewMs: side.skewMs,
  });
}

/** The evidence of the last believed read. `waitedFor`: references that it was waiting for before this read. */
export function advance(link: Link, incoming: Incoming, waitedFor: Shadow["waiting"] = link.shadow.waiting): void {
  const { arrived, read } = incoming;
  const { record } = arrived;
  const { waiting } = link.shadow;
  link.version = record.version ?? link.version;
  link.modifiedAt = record.modifiedAt ?? link.modifiedAt;
  link.remoteCreatedAt = record.createdAt ?? link.remoteCreatedAt;
  link.readBegan = Math.max(link.readBegan, read.began);
  link.readEnded = Math.max(link.readEnded, read.ended);
  // A reference that still waits must be looked at again, so the print must not say "unchanged".
  link.print = waiting === undefined ? arrived.print : "";
  if (link.fetchAfter !== null && link.fetchAfter <= read.began) link.fetchAfter = null;
  if (waiting === undefined) return;
  // Its target may come with the rest of the load, or later by a person's answer or a right that is given.
  const isNew = Object.entries(waiting).some(([field, remoteId]) => waitedFor?.[field] !== remoteId);
  link.fetchAfter = isNew ? read.ended : read.ended + waitingRetryMs;
}

/** Canonical ids for remote references; one whose target is not linked yet waits and is left unknown. */
export function resolveReferences(
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

/** A field that its codec cannot read is a dead letter of the pull, until a read finds it mended. */
export function noteUnreadable(world: World, side: Side, link: Link, canonicalId: string, decoded: Decoded): void {
  const about = { connection: side.connection, entity: side.entity, canonicalId, remoteId: link.remoteId };
  for (const { field, reason } of decoded.unreadable) {
    world.deadLetters.push({
      ...about,
      field,
      move: "pull",
      code: "unreadable-field",
      reason,
      remedy: `Mend the value in ${side.connection}, or map the field with a fitting codec; the rest of the record was taken.`,
    });
  }
  const unreadable = decoded.unreadable.map(({ field }) => field);
  for (const field of link.shadow.unreadable ?? []) {
    if (!unreadable.includes(field)) world.healed.push({ ...about, field, move: "pull" });
  }
  if (unreadable.length > 0) link.shadow.unreadable = unreadable;
  else delete link.shadow.unreadable;
}
