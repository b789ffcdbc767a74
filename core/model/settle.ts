/**
 * Settling a write: what its outcome does to the shadow, the log and the outbox (SEMANTICS D1, D4, D5, D13, D17).
 */
import { pathNames } from "./codec.ts";
import { about, freeze, type Moment } from "./merge.ts";
import { noteStoredDifferently } from "./own-writes.ts";
import type { FieldWrite, LeftOut } from "./patch.ts";
import type { RemoteRecord, Result } from "./record.ts";
import { decodeRecord, fieldOf, imageIn, type Settings, type Side } from "./settings.ts";
import { equalValues, type Value } from "./value.ts";
import type { Canonical, Link, Sent, ShadowField, World } from "./world.ts";

/** A write that was claimed: its intent, and what it wrote. */
export interface Claimed {
  readonly sent: Sent;
  readonly canonicalId: string;
  readonly linkId: number | null;
  readonly writes: ReadonlyArray<FieldWrite>;
  readonly leftOut: ReadonlyArray<LeftOut>;
  /** One half of a patch that was refused without naming a field. */
  readonly bisected: boolean;
  /** Our clock when the request began. */
  readonly began: number;
}

/** What the outbox row does next. */
export type Next =
  | { readonly kind: "done" }
  | { readonly kind: "again"; readonly afterMs: number; readonly reason: string }
  | { readonly kind: "split"; readonly reason: string }
  | { readonly kind: "dead"; readonly reason: string };

export interface Settlement {
  readonly next: Next;
  /** Remote ids to fetch and apply now: read-backs, lost races, records that hold a unique value. */
  readonly fetch: ReadonlyArray<string>;
}

const lockedWaitMs = 5 * 60_000;
const pendingWaitMs = 60 * 60_000;

export function settle(
  world: World,
  settings: Settings,
  side: Side,
  claimed: Claimed,
  result: Result,
  moment: Moment,
  numbers: { readonly nextLink: () => number },
): Settlement {
  const { sent } = claimed;
  const link = claimed.linkId === null ? undefined : world.linksById.get(claimed.linkId);
  const canonical = world.canonicals.get(claimed.canonicalId);
  if (link !== undefined) {
    link.settledAt = moment.now;
    world.touchLink(link);
  }
  if (result.kind !== "unknown") world.closeSent(sent);
  if (canonical === undefined) return { next: { kind: "done" }, fetch: [] };
  switch (result.kind) {
    case "applied":
      return settleApplied(world, settings, side, claimed, result, canonical, link, moment, numbers);
    case "pending":
      return { next: { kind: "again", afterMs: pendingWaitMs, reason: result.reason }, fetch: [] };
    case "later":
      return {
        next: { kind: "again", afterMs: result.retryAfterMs ?? lockedWaitMs, reason: result.reason },
        fetch: [],
      };
    case "unknown": {
      sent.state = "unclear";
      world.touchSent(sent);
      if (link !== undefined) link.fetchAfter = moment.now;
      // A create may be repeated only once it can neither land nor hide any more (D12).
      const afterMs = sent.kind === "create" ? Math.max(side.lateMs, side.settleMs) : 0;
      return {
        next: { kind: "again", afterMs, reason: result.reason },
        fetch: link === undefined ? [] : [link.remoteId],
      };
    }
    case "conflict":
      if (link !== undefined) link.fetchAfter = moment.now;
      return {
        next: { kind: "again", afterMs: 0, reason: result.reason },
        fetch: link === undefined ? [] : [link.remoteId],
      };
    case "gone":
      return settleGone(world, side, claimed, canonical, link, moment);
    case "duplicate":
      return settleDuplicate(world, side, claimed, canonical, link, result);
    case "rejected":
      return settleRejected(world, settings, side, claimed, canonical, link, result);
  }
}

type AppliedResult = Extract<Result, { readonly kind: "applied" }>;

function settleApplied(
  world: World,
  settings: Settings,
  side: Side,
  claimed: Claimed,
  result: AppliedResult,
  canonical: Canonical,
  known: Link | undefined,
  moment: Moment,
  numbers: { readonly nextLink: () => number },
): Settlement {
  const { sent, writes } = claimed;
  if (sent.kind === "delete") {
    if (known !== undefined) {
      known.state = "gone";
      known.print = "";
      // The last content that was read, so that the delete can be undone with values (D16).
      const content = Object.fromEntries(
        Object.entries(known.shadow.fields).map(([field, shadow]) => [field, shadow.held]),
      );
      world.log.push({
        ...about(canonical, known, moment),
        kind: "pushed",
        news: content,
        note: { delete: true, intent: sent.id },
      });
    }
    return { next: { kind: "done" }, fetch: [] };
  }
  const link = known ?? newLink(world, side, canonical, result, claimed, numbers);
  const stored = result.stored === undefined ? {} : decodeRecord(settings, side, result.stored).values;
  for (const { field, value } of writes) {
    const before = link.shadow.fields[field];
    const made = stored[field] ?? imageIn(settings, side, field, value);
    const next: ShadowField = { base: value, held: made };
    if (before?.spoke === true) next.spoke = true;
    if (before?.lost !== undefined) next.rewrites = countRewrite(settings, before, value, moment.now);
    else if (before?.rewrites !== undefined && equalValues(before.rewrites.value, value))
      next.rewrites = before.rewrites;
    link.shadow.fields[field] = next;
    healLetter(world, side, canonical.id, link.remoteId, field);
    if (
      stored[field] !== undefined &&
      !equalValues(made, value) &&
      !equalValues(made, imageIn(settings, side, field, value))
    ) {
      noteStoredDifferently(world, side, canonical, link, { field, sent: value, stored: made }, moment);
    }
  }
  noteLeftOut(world, side, claimed, canonical, link);
  healLetter(world, side, canonical.id, link.remoteId, "");
  if (result.stored === undefined) {
    link.shadow.receipt = {
      ...(result.version === undefined ? {} : { version: result.version }),
      ...(result.modifiedAt === undefined ? {} : { modifiedAt: result.modifiedAt }),
      fields: writes.map((write) => write.field),
    };
  }
  link.version = result.version ?? link.version;
  link.modifiedAt = result.modifiedAt ?? link.modifiedAt;
  link.settledAt = moment.now;
  // The next read looks different from the last one, whoever wrote it.
  link.print = "";
  world.touchLink(link);
  world.log.push({
    ...about(canonical, link, moment),
    kind: "pushed",
    news: Object.fromEntries(writes.map(({ field, value }) => [field, value])),
    from: Object.fromEntries(writes.map(({ field, replaces }) => [field, replaces])),
    note: { write: sent.kind, intent: sent.id },
  });
  const noReceipt = result.stored === undefined && result.modifiedAt === undefined && result.version === undefined;
  return { next: { kind: "done" }, fetch: noReceipt ? [link.remoteId] : [] };
}

function newLink(
  world: World,
  side: Side,
  canonical: Canonical,
  result: AppliedResult,
  claimed: Claimed,
  numbers: { readonly nextLink: () => number },
): Link {
  const seen = world.link(side.connection, side.entity, result.id);
  if (seen !== undefined) {
    // The created record was read (and linked) before this settle.
    if (seen.canonicalId === null) world.relink(seen, canonical.id);
    seen.state = "live";
    return seen;
  }
  const link: Link = {
    id: numbers.nextLink(),
    connection: side.connection,
    entity: side.entity,
    remoteId: result.id,
    canonicalId: canonical.id,
    state: "live",
    print: "",
    version: null,
    modifiedAt: null,
    remoteCreatedAt: null,
    // Nothing was read yet: any read that begins after the write was sent is newer than what we know.
    readBegan: claimed.began,
    readEnded: claimed.began,
    settledAt: null,
    fetchAfter: null,
    shadow: { fields: {}, fresh: true },
  };
  claimed.sent.linkId = link.id;
  world.addLink(link);
  return link;
}

/** D17: the system changed our value back, and we write the same value again. */
function countRewrite(
  settings: Settings,
  before: ShadowField,
  value: Value,
  now: number,
): NonNullable<ShadowField["rewrites"]> {
  const earlier = before.rewrites;
  const goesOn =
    earlier !== undefined && equalValues(earlier.value, value) && now - earlier.since <= settings.flipWindowMs;
  return goesOn ? { value, count: earlier.count + 1, since: earlier.since } : { value, count: 1, since: now };
}

/** Before a write: a field that the system keeps changing back is frozen instead of written once more. */
export function freezeWars(
  world: World,
  settings: Settings,
  canonical: Canonical,
  link: Link,
  fields: ReadonlyArray<string>,
  moment: Moment,
): void {
  for (const field of fields) {
    const shadow = link.shadow.fields[field];
    const rewrites = shadow?.rewrites;
    if (shadow?.lost === undefined || rewrites === undefined) continue;
    const inWindow = moment.now - rewrites.since <= settings.flipWindowMs;
    if (
      !inWindow ||
      rewrites.count < settings.flipsMax ||
      !equalValues(rewrites.value, canonical.values[field] ?? null)
    )
      continue;
    freeze(
      world,
      canonical,
      link,
      field,
      { value: shadow.base, interval: shadow.lost.interval },
      `${link.connection} changed this field back ${rewrites.count} times after the hub had written it`,
      moment,
    );
  }
}

function settleGone(
  world: World,
  side: Side,
  claimed: Claimed,
  canonical: Canonical,
  link: Link | undefined,
  moment: Moment,
): Settlement {
  if (link === undefined) return { next: { kind: "done" }, fetch: [] };
  if (claimed.sent.kind === "delete") {
    link.state = "gone";
    world.log.push({ ...about(canonical, link, moment), kind: "pushed", note: { delete: true, already: true } });
    return { next: { kind: "done" }, fetch: [] };
  }
  link.fetchAfter = moment.now;
  void side;
  return {
    next: { kind: "again", afterMs: 60_000, reason: "the record is not there any more" },
    fetch: [link.remoteId],
  };
}

/** A unique field is taken: the record that holds it is fetched, so that matching can decide about it. */
function settleDuplicate(
  world: World,
  side: Side,
  claimed: Claimed,
  canonical: Canonical,
  link: Link | undefined,
  result: Extract<Result, { readonly kind: "duplicate" }>,
): Settlement {
  const field = canonicalField(side, result.field) ?? "";
  world.deadLetters.push({
    connection: side.connection,
    entity: side.entity,
    canonicalId: canonical.id,
    remoteId: link?.remoteId ?? "",
    field: link === undefined ? "" : field,
    move: "push",
    code: "duplicate",
    reason: `${result.reason} (record ${result.id})`,
    remedy: `Look at record ${result.id} in ${side.connection}: link it to this ${side.entity}, merge the two there, or change the unique value.`,
  });
  if (link !== undefined && field !== "") refuse(link, field, canonical, "duplicate", result.reason, world);
  return { next: { kind: "dead", reason: result.reason }, fetch: [result.id] };
}

function settleRejected(
  world: World,
  settings: Settings,
  side: Side,
  claimed: Claimed,
  canonical: Canonical,
  link: Link | undefined,
  result: Extract<Result, { readonly kind: "rejected" }>,
): Settlement {
  const field = canonicalField(side, result.field);
  const atFault = field !== undefined && claimed.writes.some((write) => write.field === field) ? field : undefined;
  if (atFault === undefined && link !== undefined && claimed.sent.kind === "update") {
    if (claimed.writes.length > 1 && !claimed.bisected)
      return { next: { kind: "split", reason: result.reason }, fetch: [] };
    for (const write of claimed.writes) refuseWrite(world, settings, side, canonical, link, write.field, result);
    return { next: { kind: "again", afterMs: 0, reason: result.reason }, fetch: [] };
  }
  refuseWrite(world, settings, side, canonical, link, atFault ?? "", result);
  if (atFault === undefined) return { next: { kind: "dead", reason: result.reason }, fetch: [] };
  // The other fields go without it (D13).
  return { next: { kind: "again", afterMs: 0, reason: result.reason }, fetch: [] };
}

/** One refused field, or with an empty name the whole write. */
function refuseWrite(
  world: World,
  settings: Settings,
  side: Side,
  canonical: Canonical,
  link: Link | undefined,
  named: string,
  result: Extract<Result, { readonly kind: "rejected" }>,
): void {
  const name = named === "" ? "" : (fieldOf(settings, side.entity, named)?.title.en ?? named);
  world.deadLetters.push({
    connection: side.connection,
    entity: side.entity,
    canonicalId: canonical.id,
    remoteId: link?.remoteId ?? "",
    field: named,
    move: "push",
    code: result.code,
    reason: name === "" ? result.reason : `${name}: ${result.reason}`,
    remedy: result.remedy,
    ...(named === "" ? {} : { value: canonical.values[named] ?? null }),
  });
  if (named === "") return;
  if (link !== undefined) refuse(link, named, canonical, result.code, result.reason, world);
  else world.refusals.set(`${side.connection}\n${canonical.id}\n${named}`, canonical.values[named] ?? null);
}

function refuse(link: Link, field: string, canonical: Canonical, code: string, reason: string, world: World): void {
  const shadow = link.shadow.fields[field] ?? { base: null, held: null };
  link.shadow.fields[field] = { ...shadow, refused: { value: canonical.values[field] ?? null, code, reason } };
  world.touchLink(link);
}

/** Fields that a codec refused or that wait are recorded on the link, so that they are tried again (D13). */
function noteLeftOut(world: World, side: Side, claimed: Claimed, canonical: Canonical, link: Link): void {
  for (const left of claimed.leftOut) {
    if (left.canonicalId !== canonical.id) continue;
    link.shadow.fields[left.field] ??= { base: null, held: null };
    if (left.why === "refused") refuseLeftOut(world, side, canonical, link, left);
  }
}

/** A value that the codec itself cannot write there. */
export function refuseLeftOut(world: World, side: Side, canonical: Canonical, link: Link, left: LeftOut): void {
  refuse(link, left.field, canonical, "cannot-be-written", left.reason, world);
  world.deadLetters.push({
    connection: side.connection,
    entity: side.entity,
    canonicalId: canonical.id,
    remoteId: link.remoteId,
    field: left.field,
    move: "push",
    code: "cannot-be-written",
    reason: left.reason,
    remedy: left.remedy,
    value: left.value,
  });
}

function healLetter(world: World, side: Side, canonicalId: string, remoteId: string, field: string): void {
  world.healed.push({ connection: side.connection, entity: side.entity, canonicalId, remoteId, field, move: "push" });
}

function canonicalField(side: Side, remote: string | undefined): string | undefined {
  if (remote === undefined) return undefined;
  for (const [field, rule] of side.rules) if (pathNames(rule.path).includes(remote)) return field;
  return undefined;
}

/**
 * D4 and D5: the read after a write of a system that returns nothing. A counter that moved by exactly our own steps
 * proves that nobody else wrote: what differs is what the system made of it. Otherwise the difference is news, and an
 * edit that nobody read may have been overwritten.
 */
export function settleReadBack(
  world: World,
  settings: Settings,
  side: Side,
  claimed: Claimed,
  outcome: { readonly record: RemoteRecord; readonly versionBefore: string | undefined; readonly writes: number },
  moment: Moment,
): void {
  const link = world.link(side.connection, side.entity, outcome.record.id);
  const canonical = world.canonical(claimed.canonicalId);
  if (link === undefined || canonical === undefined || claimed.sent.kind === "delete") return;
  const { record, versionBefore, writes } = outcome;
  // A new record starts at nothing: the counter shows whether anybody but us has written it.
  const proven = isExactly(claimed.sent.kind === "create" ? "0" : versionBefore, record.version, writes);
  if (claimed.sent.kind === "update" && proven !== true) {
    noteOverwrite(
      world,
      side,
      canonical,
      link,
      claimed,
      { before: versionBefore, after: record.version, by: record.modifiedBy, known: proven !== undefined },
      moment,
    );
  }
  if (proven !== true) return;
  const { values } = decodeRecord(settings, side, record.fields);
  for (const { field, value } of claimed.writes) {
    const shadow = link.shadow.fields[field];
    const stored = values[field];
    if (shadow === undefined || stored === undefined || equalValues(stored, shadow.held)) continue;
    noteStoredDifferently(world, side, canonical, link, { field, sent: value, stored }, moment);
    shadow.held = stored;
    world.touchLink(link);
  }
}

/** Undefined where there is no counter to tell. */
function isExactly(before: string | undefined, after: string | undefined, steps: number): boolean | undefined {
  if (before === undefined || after === undefined || !/^\d+$/.test(before) || !/^\d+$/.test(after)) return undefined;
  return BigInt(after) === BigInt(before) + BigInt(steps);
}

function noteOverwrite(
  world: World,
  side: Side,
  canonical: Canonical,
  link: Link,
  claimed: Claimed,
  versions: {
    readonly before: string | undefined;
    readonly after: string | undefined;
    readonly by: string | undefined;
    readonly known: boolean;
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
    rule: versions.known ? "possible overwrite" : "unverifiable write",
    winner: null,
    run: moment.run,
    openedAt: moment.now,
    updatedAt: moment.now,
    reason: versions.known
      ? `somebody else wrote this record in ${side.connection} around our write; a value that nobody read may be lost. Look into its history there`
      : `${side.connection} has no counter that would show whether somebody else wrote at the same moment`,
    base: null,
    previous: null,
    result: null,
    candidates: [],
    detail: {
      fields: claimed.writes.map((write) => write.field),
      versionBefore: versions.before ?? null,
      versionAfter: versions.after ?? null,
      lastModifiedBy: versions.by ?? null,
      from: claimed.began,
      to: moment.now,
    },
  });
}
