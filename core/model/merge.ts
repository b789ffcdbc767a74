/**
 * The three-way merge of one field: what a system's news does to the canonical value, the shadow and the log.
 *
 * Let `b` be the base of the reporting system, `v` its news, `c` the canonical value. v = c agrees. c = b: nobody else
 * changed it, so v is taken, unless a person holds the field or another system owns it. Otherwise two systems changed
 * it, and the chain decides over all candidates. SEMANTICS D1, D8 to D11, D17 to D19 and D26 are kept here.
 */
import { type Candidate, decideChain } from "./chain.ts";
import type { Interval } from "./interval.ts";
import { completeGroup, isGroupType, isSetType, lift, mergeSets, unionOf } from "./lift.ts";
import { chainOf, ownerOf } from "./policy.ts";
import { fieldOf, imageIn, membersOf, type Settings, type Side } from "./settings.ts";
import type { FieldType } from "./value.ts";
import { equalValues, isEmpty, type Value } from "./value.ts";
import type { Canonical, Conflict, ConflictCandidate, Flip, Link, Provenance, ShadowField, World } from "./world.ts";

/** Everything about the moment of a decision that the rules must not find out for themselves. */
export interface Moment {
  readonly now: number;
  readonly run: string;
  readonly newId: (prefix: string) => string;
  /** During a load, first meetings wait until all connections have been read (D10). */
  readonly deferMeetings: boolean;
  /** A brake's held work that a person rejected: all news of it is overruled. */
  readonly overrule?: boolean;
}

export interface News {
  readonly link: Link;
  readonly field: string;
  readonly value: Value;
  readonly interval: Interval | null;
}

export const canonicalValue = (canonical: Canonical, field: string): Value => canonical.values[field] ?? null;

const typeOf = (settings: Settings, side: Side, field: string): FieldType =>
  fieldOf(settings, side.entity, field)?.type ?? "text";

/** D11: `only` binds once its connection has a live link that has told a value of the field. */
export function ownerBinds(world: World, canonicalId: string, owner: string, field: string): boolean {
  return world.liveLinks(canonicalId, owner).some((link) => {
    const shadow = link.shadow.fields[field];
    return shadow !== undefined && (shadow.spoke === true || !isEmpty(shadow.held));
  });
}

/** Sets a canonical value, keeps what it replaced in the log, and watches for flips. Returns false when the field got frozen. */
export function setCanonical(
  world: World,
  settings: Settings,
  canonical: Canonical,
  change: { readonly field: string; readonly value: Value; readonly provenance: Provenance },
  moment: Moment,
): void {
  const { field, value, provenance } = change;
  const before = canonicalValue(canonical, field);
  world.touch(canonical, moment.now);
  canonical.values[field] = value;
  canonical.provenance[field] = provenance;
  if (equalValues(before, value)) return;
  const since = moment.now - settings.flipWindowMs;
  const recent: ReadonlyArray<Flip> = (canonical.flips[field] ?? []).filter((flip) => flip.at >= since);
  canonical.flips[field] = [...recent, { value: before, at: moment.now }].slice(-8);
}

/** How often the field would have come back to this value within the window. */
function returnsTo(settings: Settings, canonical: Canonical, field: string, value: Value, now: number): number {
  const since = now - settings.flipWindowMs;
  return (canonical.flips[field] ?? []).filter((flip) => flip.at >= since && equalValues(flip.value, value)).length;
}

/** The first time that a field of a link is seen: there is no base. */
export function meetField(
  world: World,
  settings: Settings,
  side: Side,
  canonical: Canonical,
  news: News,
  moment: Moment,
): void {
  const { link, field, value, interval } = news;
  const current = canonicalValue(canonical, field);
  const shadow: ShadowField = { base: value, held: value };
  if (!isEmpty(value)) shadow.spoke = true;
  link.shadow.fields[field] = shadow;
  world.touchLink(link);
  if (isEmpty(value) && isEmpty(current)) {
    shadow.base = current;
    return;
  }
  if (equalValues(value, current) || equalValues(value, imageIn(settings, side, field, current))) {
    shadow.base = current;
    return;
  }
  if (isEmpty(value)) return;
  const owner = ownerOf(chainOf(settings.policy, side.entity, field));
  const owned = owner !== undefined && owner !== side.connection && ownerBinds(world, canonical.id, owner, field);
  const provenance: Provenance = { source: side.connection, interval };
  if (isEmpty(current) && !owned && canonical.provenance[field]?.hold !== true) {
    world.counts.filled += 1;
    world.log.push({
      ...about(canonical, link, moment),
      kind: "filled",
      set: { [field]: value },
      from: { [field]: current },
      provenance: { [field]: provenance },
    });
    setCanonical(world, settings, canonical, { field, value, provenance }, moment);
    return;
  }
  const type = typeOf(settings, side, field);
  if (isSetType(type) && !owned && canonical.provenance[field]?.hold !== true) {
    const union = unionOf(type, current, value);
    if (!equalValues(union, current)) {
      world.log.push({
        ...about(canonical, link, moment),
        kind: "met",
        set: { [field]: union },
        from: { [field]: current },
        news: { [field]: value },
        provenance: { [field]: provenance },
      });
      setCanonical(world, settings, canonical, { field, value: union, provenance }, moment);
    }
    return;
  }
  shadow.lost = { interval };
  const open = world.openConflict(canonical.id, field);
  if (open !== undefined) {
    updateOpen(world, settings, canonical, open, moment);
    return;
  }
  if (moment.deferMeetings) world.newMeetings.set(canonical.id, moment.run);
  else settleField(world, settings, canonical, { field, base: null, kind: "meeting", trigger: link }, moment);
}

/** News of a linked record's field, already known to differ from `held` and not to be an echo. */
export function mergeNews(
  world: World,
  settings: Settings,
  side: Side,
  canonical: Canonical,
  news: News,
  moment: Moment,
): void {
  const { link, field, value, interval } = news;
  const shadow = link.shadow.fields[field];
  if (shadow === undefined) {
    meetField(world, settings, side, canonical, news, moment);
    return;
  }
  world.touchLink(link);
  const current = canonicalValue(canonical, field);
  const previous = { base: shadow.base, held: shadow.held };
  if (!isEmpty(value) || !isEmpty(previous.held)) shadow.spoke = true;
  if (equalValues(value, current) || equalValues(value, imageIn(settings, side, field, current))) {
    shadow.held = value;
    shadow.base = current;
    delete shadow.lost;
    closeWhenAgreed(world, canonical, field, moment);
    return;
  }
  const type = typeOf(settings, side, field);
  const lifted = liftNews(settings, side, { field, type, held: previous.held, base: previous.base, news: value });
  // D8: the base stands for the lifted value only if the system really keeps it as v; else for v itself.
  const stands = equalValues(imageIn(settings, side, field, lifted), value) ? lifted : value;
  shadow.held = value;
  shadow.base = stands;

  const open = world.openConflict(canonical.id, field);
  if (open !== undefined) {
    shadow.lost = { interval };
    logNews(world, canonical, link, field, stands, moment, { why: "a conflict of this field is open" });
    updateOpen(world, settings, canonical, open, moment);
    return;
  }
  if (shadow.frozen !== undefined) {
    shadow.lost = { interval };
    logNews(world, canonical, link, field, stands, moment, { why: "the field is frozen" });
    return;
  }
  const gate =
    moment.overrule === true
      ? "rejected by a person at the brake"
      : gateOf(world, settings, side, canonical, field, interval);
  const unseen = equalValues(current, previous.base);
  if (gate !== undefined && (unseen || isSetType(type) || gate.startsWith("held") || moment.overrule === true)) {
    shadow.lost = { interval };
    world.counts.overruled += 1;
    logNews(world, canonical, link, field, stands, moment, { why: gate }, "overruled");
    return;
  }
  const provenance: Provenance = { source: side.connection, interval };
  if (isSetType(type)) {
    const merged = mergeSets(type, { held: previous.held, news: value, canonical: current });
    delete shadow.lost;
    take(world, settings, canonical, link, { field, value: merged, provenance, news: value }, moment);
    return;
  }
  if (unseen) {
    if (returnsTo(settings, canonical, field, stands, moment.now) >= settings.flipsMax) {
      freeze(
        world,
        canonical,
        link,
        field,
        { value: stands, interval },
        "two sides keep changing this field back and forth",
        moment,
      );
      return;
    }
    delete shadow.lost;
    take(world, settings, canonical, link, { field, value: lifted, provenance, news: value }, moment);
    return;
  }
  shadow.lost = { interval };
  settleField(world, settings, canonical, { field, base: previous.base, kind: "conflict", trigger: link }, moment);
}

function take(
  world: World,
  settings: Settings,
  canonical: Canonical,
  link: Link,
  change: { readonly field: string; readonly value: Value; readonly provenance: Provenance; readonly news: Value },
  moment: Moment,
): void {
  const { field, value, provenance, news } = change;
  const before = canonicalValue(canonical, field);
  if (equalValues(before, value)) return;
  world.counts.changed += 1;
  world.log.push({
    ...about(canonical, link, moment),
    kind: "changed",
    set: { [field]: value },
    from: { [field]: before },
    ...(equalValues(news, value) ? {} : { news: { [field]: news } }),
    provenance: { [field]: provenance },
  });
  setCanonical(world, settings, canonical, { field, value, provenance }, moment);
}

function liftNews(
  settings: Settings,
  side: Side,
  change: {
    readonly field: string;
    readonly type: FieldType;
    readonly held: Value;
    readonly base: Value;
    readonly news: Value;
  },
): Value {
  const { field, type, held, base, news } = change;
  const lifted = lift(type, { held, base, news });
  return isGroupType(type) ? completeGroup(lifted, base, membersOf(side, field)) : lifted;
}

/** The gates of rules 2 and 3: a person's hold or pin, and the owning connection. Undefined lets the news pass. */
function gateOf(
  world: World,
  settings: Settings,
  side: Side,
  canonical: Canonical,
  field: string,
  interval: Interval | null,
): string | undefined {
  const provenance = canonical.provenance[field];
  if (provenance?.hold === true) return "held by a person";
  const pinnedAt = provenance?.pinnedAt;
  if (pinnedAt !== undefined && !(interval !== null && interval.lower > pinnedAt)) {
    return "a person decided, and this change is not provably later";
  }
  const owner = ownerOf(chainOf(settings.policy, side.entity, field));
  if (owner !== undefined && owner !== side.connection && ownerBinds(world, canonical.id, owner, field)) {
    return `${owner} owns this field`;
  }
  return undefined;
}

/** Runs the chain over the canonical value and every linked value whose news lost so far, and writes the conflict down. */
export function settleField(
  world: World,
  settings: Settings,
  canonical: Canonical,
  dispute: {
    readonly field: string;
    readonly base: Value;
    readonly kind: "meeting" | "conflict";
    readonly trigger: Link;
  },
  moment: Moment,
): void {
  const { field, base, kind, trigger } = dispute;
  const chain = chainOf(settings.policy, canonical.entity, field);
  const owner = ownerOf(chain);
  const candidates = candidatesOf(world, canonical, field);
  const current = canonicalValue(canonical, field);
  if (candidates.every((candidate) => equalValues(candidate.value, current))) return;
  const verdict = decideChain(candidates, {
    chain,
    order: settings.order,
    ownerBinds: owner !== undefined && ownerBinds(world, canonical.id, owner, field),
  });
  const shown = candidates.map(shownCandidate);
  const row = {
    id: moment.newId("con"),
    kind: "value" as const,
    entity: canonical.entity,
    canonicalId: canonical.id,
    connection: trigger.connection,
    remoteId: trigger.remoteId,
    field,
    run: moment.run,
    openedAt: moment.now,
    updatedAt: moment.now,
    base,
    previous: current,
    candidates: shown,
    detail: { kind },
  };
  if (verdict.kind === "open") {
    world.counts.opened += 1;
    world.addConflict({ ...row, state: "open", rule: "manual", winner: null, reason: verdict.reason, result: current });
    logNews(world, canonical, trigger, field, trigger.shadow.fields[field]?.base ?? null, moment, {
      why: verdict.reason,
    });
    return;
  }
  const { winner, rule, reason } = verdict;
  if (returnsTo(settings, canonical, field, winner.value, moment.now) >= settings.flipsMax) {
    const interval = trigger.shadow.fields[field]?.lost?.interval ?? null;
    freeze(
      world,
      canonical,
      trigger,
      field,
      { value: winner.value, interval },
      "two sides keep changing this field back and forth",
      moment,
    );
    return;
  }
  world.counts.settled += 1;
  world.addConflict({ ...row, state: "settled", rule, winner: winner.source, reason, result: winner.value });
  if (equalValues(winner.value, current)) {
    logNews(
      world,
      canonical,
      trigger,
      field,
      trigger.shadow.fields[field]?.base ?? null,
      moment,
      { why: reason, rule },
      "overruled",
    );
    return;
  }
  const provenance: Provenance = {
    source: winner.source,
    interval: winner.interval,
    ...(winner.pinnedAt === undefined ? {} : { pinnedAt: winner.pinnedAt }),
  };
  // The value that canonical held so far stays a candidate on the link that it came from.
  const displaced = canonical.provenance[field];
  for (const link of world.liveLinks(canonical.id)) {
    const shadow = link.shadow.fields[field];
    if (shadow === undefined) continue;
    if (equalValues(shadow.base, winner.value)) {
      delete shadow.lost;
      world.touchLink(link);
    } else if (displaced !== undefined && link.connection === displaced.source && equalValues(shadow.base, current)) {
      shadow.lost = { interval: displaced.interval };
      world.touchLink(link);
    }
  }
  world.counts.changed += 1;
  world.log.push({
    ...about(canonical, trigger, moment),
    connection: winner.source,
    kind: "changed",
    set: { [field]: winner.value },
    from: { [field]: current },
    provenance: { [field]: provenance },
    note: { rule, reason, conflict: row.id },
  });
  setCanonical(world, settings, canonical, { field, value: winner.value, provenance }, moment);
}

/** The canonical value with its provenance, plus each live link whose own news lost and still disagrees. */
export function candidatesOf(
  world: World,
  canonical: Canonical,
  field: string,
): ReadonlyArray<Candidate & { readonly remoteId?: string }> {
  const provenance = canonical.provenance[field];
  const links = world.liveLinks(canonical.id);
  const source = links.find((link) => link.connection === provenance?.source);
  const own: Candidate = {
    source: provenance?.source ?? "hub",
    value: canonicalValue(canonical, field),
    interval: provenance?.interval ?? null,
    recordAt: source?.modifiedAt ?? undefined,
    pinnedAt: provenance?.pinnedAt,
  };
  const others = links.flatMap((link) => {
    const shadow = link.shadow.fields[field];
    if (shadow?.lost === undefined || equalValues(shadow.base, own.value)) return [];
    return [
      {
        source: link.connection,
        value: shadow.base,
        interval: shadow.lost.interval,
        recordAt: link.modifiedAt ?? undefined,
        remoteId: link.remoteId,
      },
    ];
  });
  return [own, ...others];
}

const shownCandidate = (candidate: Candidate & { readonly remoteId?: string }): ConflictCandidate => ({
  source: candidate.source,
  value: candidate.value,
  lower: candidate.interval?.lower ?? null,
  upper: candidate.interval?.upper ?? null,
  ...(candidate.remoteId === undefined ? {} : { remoteId: candidate.remoteId }),
});

/** D18: an open row gathers what each system says; when all agree it closes by itself. */
function updateOpen(world: World, settings: Settings, canonical: Canonical, open: Conflict, moment: Moment): void {
  const field = open.field ?? "";
  open.candidates = candidatesOf(world, canonical, field).map(shownCandidate);
  world.touchConflict(open, moment.now);
  const live = world.liveLinks(canonical.id).filter((link) => link.shadow.fields[field] !== undefined);
  const reported = live.filter(
    (link) => link.shadow.fields[field]?.lost !== undefined || canonical.provenance[field]?.source === link.connection,
  );
  const first = reported[0]?.shadow.fields[field]?.base;
  if (first === undefined || reported.length < 2) return;
  if (!reported.every((link) => equalValues(link.shadow.fields[field]?.base, first))) return;
  open.state = "closed";
  open.reason = "the systems agree by themselves";
  open.result = first;
  const source = reported.at(-1);
  const provenance: Provenance = {
    source: source?.connection ?? "hub",
    interval: source?.shadow.fields[field]?.lost?.interval ?? null,
  };
  for (const link of reported) delete link.shadow.fields[field]?.lost;
  if (source !== undefined)
    take(world, settings, canonical, source, { field, value: first, provenance, news: first }, moment);
}

/** A system came to the canonical value: an open row of the field closes if nobody is left who disagrees. */
function closeWhenAgreed(world: World, canonical: Canonical, field: string, moment: Moment): void {
  const open = world.openConflict(canonical.id, field);
  if (open === undefined) return;
  const candidates = candidatesOf(world, canonical, field);
  open.candidates = candidates.map(shownCandidate);
  world.touchConflict(open, moment.now);
  if (candidates.length > 1) return;
  open.state = "closed";
  open.reason = "the systems agree by themselves";
}

/** D17: stops pushing one field to one link and opens a row; news there gather in it. */
export function freeze(
  world: World,
  canonical: Canonical,
  link: Link,
  field: string,
  news: { readonly value: Value; readonly interval: Interval | null },
  reason: string,
  moment: Moment,
): void {
  const shadow = link.shadow.fields[field];
  if (shadow === undefined || shadow.frozen !== undefined) return;
  const id = moment.newId("con");
  shadow.frozen = id;
  shadow.lost = { interval: news.interval };
  world.touchLink(link);
  world.counts.opened += 1;
  world.addConflict({
    id,
    kind: "freeze",
    entity: canonical.entity,
    canonicalId: canonical.id,
    connection: link.connection,
    remoteId: link.remoteId,
    field,
    state: "open",
    rule: "freeze",
    winner: null,
    run: moment.run,
    openedAt: moment.now,
    updatedAt: moment.now,
    reason,
    base: null,
    previous: canonicalValue(canonical, field),
    result: canonicalValue(canonical, field),
    candidates: candidatesOf(world, canonical, field).map(shownCandidate),
    detail: {},
  });
  logNews(world, canonical, link, field, news.value, moment, { why: reason });
}

export function logNews(
  world: World,
  canonical: Canonical,
  link: Link,
  field: string,
  value: Value,
  moment: Moment,
  note: Readonly<Record<string, unknown>>,
  kind: "overruled" | "noted" | "echo" = "noted",
): void {
  world.log.push({
    ...about(canonical, link, moment),
    kind,
    from: { [field]: canonicalValue(canonical, field) },
    news: { [field]: value },
    note,
  });
}

export function about(canonical: Canonical, link: Link | undefined, moment: Moment) {
  return {
    at: moment.now,
    run: moment.run,
    connection: link?.connection ?? "hub",
    entity: canonical.entity,
    canonicalId: canonical.id,
    remoteId: link?.remoteId ?? null,
  };
}
