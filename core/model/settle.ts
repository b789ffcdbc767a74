/**
 * Settling a write: what its outcome does to the shadow, the log and the outbox (SEMANTICS D1, D2, D4, D12, D15).
 * Refusals are in `refusal.ts`, the read after a write in `read-back.ts`.
 */
import { openCase } from "./cases.ts";
import { hasSpoken } from "./dispute.ts";
import { isExactly } from "./evidence.ts";
import { countRewrite } from "./freeze.ts";
import { about, type Moment } from "./moment.ts";
import { noteStoredDifferently } from "./own-writes.ts";
import type { FieldWrite, LeftOut } from "./patch.ts";
import type { Result } from "./record.ts";
import { healLetter, noteLeftOut, noteUnreachable, settleDuplicate, settleRejected } from "./refusal.ts";
import { decodeRecord, imageIn, type Settings, type Side } from "./settings.ts";
import { equalValues, type Value } from "./value.ts";
import { type Canonical, isUnsettled, type Link, type Sent, type ShadowField, type World } from "./world.ts";

/** A write that was claimed: its intent, and what it wrote. */
export interface Claimed {
  readonly sent: Sent;
  readonly canonicalId: string;
  readonly linkId: number | null;
  readonly writes: ReadonlyArray<FieldWrite>;
  readonly leftOut: ReadonlyArray<LeftOut>;
  /** One half of a patch that was refused without naming a field. */
  readonly bisected: boolean;
  /** The canonical's revision that was sent. */
  readonly revision: number;
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

/** The answer to one claimed write. */
export interface Outcome {
  readonly claimed: Claimed;
  readonly result: Result;
  /** Our clock when the answer was there. */
  readonly answeredAt: number;
}

export interface Numbers {
  readonly nextLink: () => number;
}

const lockedWaitMs = 5 * 60_000;
const pendingWaitMs = 60 * 60_000;
const goneWaitMs = 60_000;

export function settle(
  world: World,
  settings: Settings,
  side: Side,
  outcome: Outcome,
  moment: Moment,
  numbers: Numbers,
): Settlement {
  const { claimed, result, answeredAt } = outcome;
  const { sent } = claimed;
  const link = claimed.linkId === null ? undefined : world.linksById.get(claimed.linkId);
  const canonical = world.canonicals.get(claimed.canonicalId);
  if (link !== undefined) {
    // D3: every settle moves it, also an unclear one.
    link.settledAt = result.kind === "unknown" ? moment.now : answeredAt;
    world.touchLink(link);
  }
  // The created record may have been read, and the write closed by that, before this settle.
  const wasSeen = !isUnsettled(sent);
  if (wasSeen || (result.kind !== "unknown" && result.kind !== "pending")) world.closeSent(sent);
  if (canonical === undefined) return { next: { kind: "done" }, fetch: [] };
  const mine = link === undefined ? [] : [link.remoteId];
  switch (result.kind) {
    case "applied":
      return sent.kind === "delete"
        ? settleDeleted(world, canonical, link, { sent, already: false }, moment)
        : settleApplied(world, settings, side, { ...outcome, result, wasSeen }, canonical, moment, numbers);
    case "pending":
      sent.state = "pending";
      world.touchSent(sent);
      return { next: { kind: "again", afterMs: pendingWaitMs, reason: result.reason }, fetch: [] };
    case "later":
      return {
        next: { kind: "again", afterMs: result.retryAfterMs ?? lockedWaitMs, reason: result.reason },
        fetch: [],
      };
    case "unknown": {
      if (!wasSeen) sent.state = "unclear";
      world.touchSent(sent);
      if (link !== undefined) link.fetchAfter = moment.now;
      // A create may be repeated only once it can neither land nor hide any more (D12).
      const afterMs = sent.kind === "create" && !wasSeen ? side.lateMs + side.settleMs : 0;
      return { next: { kind: "again", afterMs, reason: result.reason }, fetch: mine };
    }
    case "conflict":
      if (link !== undefined) link.fetchAfter = moment.now;
      return { next: { kind: "again", afterMs: 0, reason: result.reason }, fetch: mine };
    case "gone":
      return settleGone(world, side, sent, canonical, link, moment);
    case "duplicate":
      return settleDuplicate(world, side, claimed, canonical, link, result);
    case "rejected":
      return settleRejected(world, settings, side, claimed, canonical, link, result);
  }
}

interface AppliedOutcome extends Outcome {
  readonly result: Extract<Result, { readonly kind: "applied" }>;
  /** A read has shown the created record already, and knows better what it holds. */
  readonly wasSeen: boolean;
}

function settleApplied(
  world: World,
  settings: Settings,
  side: Side,
  outcome: AppliedOutcome,
  canonical: Canonical,
  moment: Moment,
  numbers: Numbers,
): Settlement {
  const { claimed, result, answeredAt, wasSeen } = outcome;
  const { sent, writes } = claimed;
  const known = claimed.linkId === null ? undefined : world.linksById.get(claimed.linkId);
  const link = known ?? linkCreated(world, side, canonical, outcome, moment, numbers);
  const stored = result.stored === undefined ? {} : decodeRecord(settings, side, result.stored).values;
  if (!wasSeen) {
    for (const write of writes) writeShadow(world, settings, side, { canonical, link, write, stored }, moment);
    const isTouched = side.counter && isExactly("0", result.version, result.writes ?? 1) === false;
    if (sent.kind === "create" && !isTouched) holdDefaults(link, stored);
    noteLeftOut(world, side, claimed, canonical, link);
    link.shadow.receipt = {
      ...(result.version === undefined ? {} : { version: result.version }),
      ...(result.modifiedAt === undefined ? {} : { modifiedAt: result.modifiedAt }),
      fields: writes.map((write) => write.field),
      at: claimed.began,
    };
    link.version = result.version ?? link.version;
    link.modifiedAt = result.modifiedAt ?? link.modifiedAt;
    // The next read looks different from the last one, whoever wrote it.
    link.print = "";
  }
  for (const other of world.openSent(link)) {
    if (other.id === sent.id) continue;
    other.covered = true;
    world.touchSent(other);
  }
  for (const { field } of writes) healLetter(world, side, canonical.id, link.remoteId, field);
  healLetter(world, side, canonical.id, link.remoteId, "");
  link.settledAt = answeredAt;
  world.touchLink(link);
  world.log.push({
    ...about(canonical, link, moment),
    kind: "pushed",
    news: Object.fromEntries(writes.map(({ field, value }) => [field, value])),
    from: Object.fromEntries(writes.map(({ field, replaces }) => [field, replaces])),
    note: { write: sent.kind, intent: sent.id },
  });
  const noReceipt = result.stored === undefined && result.modifiedAt === undefined && result.version === undefined;
  if (noReceipt) link.fetchAfter = answeredAt;
  return { next: { kind: "done" }, fetch: noReceipt ? [link.remoteId] : [] };
}

/** D4: what the answer to a create shows beside what was sent, the system has filled in; what differs later is news. */
function holdDefaults(link: Link, stored: Readonly<Record<string, Value>>): void {
  for (const [field, value] of Object.entries(stored)) link.shadow.fields[field] ??= { base: null, held: value };
}

/** D1: the base is what was sent, not today's canonical; held is what the system made of it. */
function writeShadow(
  world: World,
  settings: Settings,
  side: Side,
  written: {
    readonly canonical: Canonical;
    readonly link: Link;
    readonly write: FieldWrite;
    readonly stored: Readonly<Record<string, Value>>;
  },
  moment: Moment,
): void {
  const { canonical, link, write, stored } = written;
  const { field, value } = write;
  const before = link.shadow.fields[field];
  const image = imageIn(settings, side, field, value);
  const made = stored[field] ?? image;
  const next: ShadowField = { base: value, held: made };
  if (before !== undefined && hasSpoken(before)) next.spoke = true;
  else next.mute = true;
  if (before?.lost !== undefined) next.rewrites = countRewrite(settings, before, value, moment.now);
  else if (before?.rewrites !== undefined && equalValues(before.rewrites.value, value)) next.rewrites = before.rewrites;
  if (before?.frozen !== undefined) next.frozen = before.frozen;
  link.shadow.fields[field] = next;
  if (stored[field] === undefined || equalValues(made, value) || equalValues(made, image)) return;
  noteStoredDifferently(world, side, canonical, link, { field, sent: value, stored: made }, moment);
}

/** The link of a record that we created; one that a read has linked meanwhile is that record. */
function linkCreated(
  world: World,
  side: Side,
  canonical: Canonical,
  { claimed, result }: AppliedOutcome,
  moment: Moment,
  numbers: Numbers,
): Link {
  const seen = world.link(side.connection, side.entity, result.id);
  const twin = world.liveLinks(canonical.id, side.connection).find((other) => other !== seen);
  const link: Link = seen ?? {
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
    // An edit that a later read shows was made after the request began; no read has ended yet.
    readBegan: claimed.began,
    readEnded: 0,
    settledAt: null,
    fetchAfter: null,
    shadow: { fields: {}, fresh: result.writes ?? 1 },
  };
  if (seen === undefined) {
    // Somebody made the same company at the same time (L7): a person decides which record stands.
    if (twin !== undefined) Object.assign(link, { canonicalId: null, state: "held" });
    world.addLink(link);
  } else if (seen.canonicalId === null && seen.state !== "held") {
    world.relink(seen, canonical.id);
    world.revive(seen);
  }
  claimed.sent.linkId = link.id;
  for (const other of world.linksFor(canonical.id)) {
    // A person asked for it, and here it is.
    if (other.connection !== side.connection || other.shadow.asked !== true) continue;
    delete other.shadow.asked;
    world.touchLink(other);
  }
  if (twin !== undefined) {
    const reason = `we created this record while record ${twin.remoteId} was made there for the same ${side.entity}`;
    openCase(
      world,
      side,
      { kind: "duplicate", link, canonicalId: canonical.id, reason, candidates: [canonical.id] },
      moment,
    );
  }
  return link;
}

/** The record is not there any more, by our own hand or by somebody else's before it. */
function settleDeleted(
  world: World,
  canonical: Canonical,
  link: Link | undefined,
  { sent, already }: { readonly sent: Sent; readonly already: boolean },
  moment: Moment,
): Settlement {
  if (link === undefined) return { next: { kind: "done" }, fetch: [] };
  link.state = "gone";
  link.print = "";
  world.log.push({
    ...about(canonical, link, moment),
    kind: "pushed",
    // The last content that was read, so that the delete can be undone with values (D16).
    news: Object.fromEntries(Object.entries(link.shadow.fields).map(([field, shadow]) => [field, shadow.held])),
    note: { delete: true, intent: sent.id, ...(already ? { already } : {}) },
  });
  return { next: { kind: "done" }, fetch: [] };
}

function settleGone(
  world: World,
  side: Side,
  sent: Sent,
  canonical: Canonical,
  link: Link | undefined,
  moment: Moment,
): Settlement {
  if (link === undefined) return { next: { kind: "done" }, fetch: [] };
  if (sent.kind === "delete") return settleDeleted(world, canonical, link, { sent, already: true }, moment);
  const reason = "the record is not there any more";
  link.fetchAfter = moment.now;
  if (side.goneIsProof) return { next: { kind: "again", afterMs: goneWaitMs, reason }, fetch: [link.remoteId] };
  // Trying again would change nothing.
  noteUnreachable(world, side, canonical, link);
  return { next: { kind: "dead", reason }, fetch: [link.remoteId] };
}
