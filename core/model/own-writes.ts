/**
 * Our own writes as they come back (SEMANTICS D2, D4): echoes, late landings, rewrites by the system, and the closing of
 * outcomes that were open.
 */
import { canonicalValue } from "./canonical.ts";
import { compareVersions, isExactly, type Read } from "./evidence.ts";
import { logNews, type Moment } from "./moment.ts";
import { plainText } from "./normalise/text.ts";
import type { RemoteRecord } from "./record.ts";
import { imageIn, type Settings, type Side } from "./settings.ts";
import { equalValues, isList, type Value } from "./value.ts";
import type { Canonical, Link, Sent, World } from "./world.ts";

/** D2: a read value equal to an open sent value, or to its image in that system, is our own write coming back. */
export function absorbEcho(
  world: World,
  settings: Settings,
  side: Side,
  canonical: Canonical,
  link: Link,
  read: { readonly field: string; readonly value: Value; readonly open: ReadonlyArray<Sent> },
  moment: Moment,
): boolean {
  const { field, value, open } = read;
  const shadow = link.shadow.fields[field];
  if (shadow === undefined) return false;
  for (const sent of open) {
    const sentValue = sent.values[field];
    if (sentValue === undefined) continue;
    if (!isOurs(settings, side, field, value, sentValue)) continue;
    if (!equalValues(sentValue, shadow.base) && !equalValues(sentValue, canonicalValue(canonical, field))) {
      noteLate(world, side, canonical, link, field, value, moment);
    }
    shadow.held = value;
    shadow.base = sentValue;
    delete shadow.lost;
    world.touchLink(link);
    world.counts.echoes += 1;
    return true;
  }
  // D8: members that an open write of ours added count as echo, whatever else the user did to the list.
  if (isList(value)) {
    for (const sent of open) {
      const sentValue = sent.values[field];
      if (!isList(sentValue)) continue;
      const ours = sentValue.filter((member) => !listOf(shadow.held).includes(member) && value.includes(member));
      if (ours.length === 0) continue;
      shadow.held = [...listOf(shadow.held), ...ours];
      shadow.base = [...listOf(shadow.base), ...ours.filter((member) => !listOf(shadow.base).includes(member))];
      world.touchLink(link);
    }
  }
  return false;
}

/** The value is what we sent, or what the system makes of it. */
export const isOurs = (settings: Settings, side: Side, field: string, value: Value, sentValue: Value): boolean =>
  equalValues(value, sentValue) ||
  equalValues(value, imageIn(settings, side, field, sentValue)) ||
  isRewritten(side, field, value, sentValue);

/** What a system makes of an opaque field cannot be declared; a text in other letters or signs is still ours. */
function isRewritten(side: Side, field: string, value: Value, sentValue: Value): boolean {
  if (side.rules.get(field)?.codec.opaque !== true) return false;
  if (typeof value !== "string" || typeof sentValue !== "string") return false;
  return plainText(value) === plainText(sentValue);
}

const listOf = (value: Value): ReadonlyArray<string> => (isList(value) ? value : []);

/**
 * D3: a read while a write of ours is under way is not applied, and the write may cover what it showed. So the log keeps
 * every value that is neither what the system held nor what we have sent.
 */
export function noteUnbelieved(
  world: World,
  settings: Settings,
  side: Side,
  link: Link,
  values: Readonly<Record<string, Value>>,
  moment: Moment,
): void {
  const canonical = link.canonicalId === null ? undefined : world.canonical(link.canonicalId);
  if (canonical === undefined) return;
  const open = world.openSent(link);
  const note = { why: "read while a write of ours was under way; read again after it" };
  for (const [field, value] of Object.entries(values)) {
    const held = link.shadow.fields[field]?.held;
    if (held === undefined || equalValues(value, held) || equalValues(value, canonicalValue(canonical, field)))
      continue;
    const isSent = open.some(({ values: sent }) => {
      const sentValue = sent[field];
      return sentValue !== undefined && isOurs(settings, side, field, value, sentValue);
    });
    if (!isSent) logNews(world, canonical, link, { field, value, note }, moment);
  }
}

/** D2: an old value read back while a write is open and the version has moved may be a person's reversal. */
export function noteReversal(
  world: World,
  side: Side,
  canonical: Canonical,
  link: Link,
  read: { readonly field: string; readonly open: ReadonlyArray<Sent>; readonly versionMoved: boolean },
  moment: Moment,
): void {
  const { field, open, versionMoved } = read;
  if (open.length === 0 || !versionMoved) return;
  const shadow = link.shadow.fields[field];
  if (
    shadow === undefined ||
    !open.some((sent) => sent.values[field] !== undefined && !equalValues(sent.values[field], shadow.held))
  )
    return;
  noteLate(world, side, canonical, link, field, shadow.held, moment);
}

function noteLate(
  world: World,
  side: Side,
  canonical: Canonical,
  link: Link,
  field: string,
  value: Value,
  moment: Moment,
): void {
  world.addConflict({
    id: moment.newId("con"),
    kind: "late",
    entity: side.entity,
    canonicalId: canonical.id,
    connection: link.connection,
    remoteId: link.remoteId,
    field,
    state: "settled",
    rule: "late landing or reversal",
    winner: null,
    run: moment.run,
    openedAt: moment.now,
    updatedAt: moment.now,
    reason: "a write of ours landed late, or a person went back to an earlier value; both values are kept here",
    base: null,
    previous: canonicalValue(canonical, field),
    result: canonicalValue(canonical, field),
    candidates: [{ source: link.connection, value, lower: null, upper: null, remoteId: link.remoteId }],
    detail: {},
  });
}

/**
 * D4: the field's codec is declared opaque, and at the first read after our write the time equals the receipt, or the
 * text differs in letters and signs only, whoever has edited another field since: the system rewrote our value.
 */
export function isOpaqueRewrite(side: Side, link: Link, record: RemoteRecord, field: string, value: Value): boolean {
  const receipt = link.shadow.receipt;
  if (receipt === undefined || !receipt.fields.includes(field) || side.rules.get(field)?.codec.opaque !== true)
    return false;
  if (isRewritten(side, field, value, link.shadow.fields[field]?.base ?? null)) return true;
  if (receipt.version !== undefined) return receipt.version === record.version;
  return receipt.modifiedAt !== undefined && receipt.modifiedAt === record.modifiedAt;
}

export function noteStoredDifferently(
  world: World,
  side: Side,
  canonical: Canonical,
  link: Link,
  difference: { readonly field: string; readonly sent: Value; readonly stored: Value },
  moment: Moment,
): void {
  const { field, sent, stored } = difference;
  world.addConflict({
    id: moment.newId("con"),
    kind: "stored-differently",
    entity: side.entity,
    canonicalId: canonical.id,
    connection: link.connection,
    remoteId: link.remoteId,
    field,
    state: "settled",
    rule: "stored differently",
    winner: null,
    run: moment.run,
    openedAt: moment.now,
    updatedAt: moment.now,
    reason: `${link.connection} keeps something else than was sent; a receipt shows that nobody edited in between`,
    base: sent,
    previous: sent,
    result: sent,
    candidates: [{ source: link.connection, value: stored, lower: null, upper: null, remoteId: link.remoteId }],
    detail: {},
  });
}

/**
 * Closes writes whose outcome this read has made plain (D2). One that may still land keeps the record on the list of
 * those to fetch, so that it is closed although nothing else happens there.
 */
export function closeOutcomes(
  world: World,
  side: Side,
  canonical: Canonical,
  link: Link,
  seen: { readonly record: RemoteRecord; readonly read: Read; readonly open: ReadonlyArray<Sent> },
  moment: Moment,
): void {
  const { record, read, open } = seen;
  for (const sent of open) {
    if (sent.state === "open" || sent.state === "closed") continue;
    const landsUntil = sent.at + side.lateMs;
    const isLate = sent.state === "unclear" && read.began >= landsUntil;
    // Without a precondition an equal value may be that of a later try, and this one may still land on what follows.
    const isTold = sent.covered !== true || sent.precondition !== null;
    const isOver = isPast(record, sent) || (isTold && hasLanded(link, sent));
    if (isOver || isLate) {
      world.closeSent(sent);
      weighOverwrite(world, side, canonical, link, { sent, record }, moment);
    } else if (sent.state === "unclear") link.fetchAfter = landsUntil;
  }
}

/** D5, L2: a write without a precondition that landed some time, in a record that others have written meanwhile. */
function weighOverwrite(
  world: World,
  side: Side,
  canonical: Canonical,
  link: Link,
  { sent, record }: { readonly sent: Sent; readonly record: RemoteRecord },
  moment: Moment,
): void {
  if (sent.kind !== "update" || sent.precondition !== null || !side.counter) return;
  const before = sent.versionBefore;
  const untouched = isExactly(before, record.version, 0);
  const oursAlone = hasLanded(link, sent) && isExactly(before, record.version, 1);
  if (untouched === true || oursAlone === true) return;
  const seen = { before, after: record.version, by: record.modifiedBy, known: untouched !== undefined };
  noteOverwrite(world, side, canonical, link, { ...seen, fields: Object.keys(sent.values), from: sent.at }, moment);
}

function hasLanded(link: Link, sent: Sent): boolean {
  const values = Object.entries(sent.values);
  return values.length > 0 && values.every(([field, value]) => equalValues(link.shadow.fields[field]?.base, value));
}

/** The version that the write named is over: it has either landed or been turned away. */
function isPast(record: RemoteRecord, sent: Sent): boolean {
  if (sent.precondition === null) return false;
  const { version = null, modifiedAt = null } = sent.precondition;
  return compareVersions(record, { version, modifiedAt }) === "higher";
}

/** D5: an edit around our write may be lost that nobody has read. */
export function noteOverwrite(
  world: World,
  side: Side,
  canonical: Canonical,
  link: Link,
  seen: {
    readonly before: string | undefined;
    readonly after: string | undefined;
    readonly by: string | undefined;
    /** A counter tells that somebody else wrote. */
    readonly known: boolean;
    readonly fields: ReadonlyArray<string>;
    /** Our clock when the write began. */
    readonly from: number;
  },
  moment: Moment,
): void {
  world.addConflict({
    id: moment.newId("con"),
    kind: "overwrite",
    entity: side.entity,
    canonicalId: canonical.id,
    connection: side.connection,
    remoteId: link.remoteId,
    field: null,
    state: "settled",
    rule: seen.known ? "possible overwrite" : "unverifiable write",
    winner: null,
    run: moment.run,
    openedAt: moment.now,
    updatedAt: moment.now,
    reason: seen.known
      ? `somebody else wrote this record in ${side.connection} around our write; a value that nobody read may be lost. Look into its history there`
      : `${side.connection} has no counter that would show whether somebody else wrote at the same moment`,
    base: null,
    previous: null,
    result: null,
    candidates: [],
    detail: {
      fields: seen.fields,
      versionBefore: seen.before ?? null,
      versionAfter: seen.after ?? null,
      lastModifiedBy: seen.by ?? null,
      from: seen.from,
      to: moment.now,
    },
  });
}
