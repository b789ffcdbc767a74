/**
 * A dispute over one field: who the candidates are, what the chain makes of them, and the row of the conflict log
 * (SEMANTICS D9 to D11, D18).
 */
import { canonicalValue, flipsTooOften, setCanonical, takeValue } from "./canonical.ts";
import { type Candidate, compareSources, decideChain, latest, type Verdict } from "./chain.ts";
import { freeze } from "./freeze.ts";
import { intervalOf } from "./interval.ts";
import { isSetType, unionOf } from "./lift.ts";
import { about, logNews, type Moment } from "./moment.ts";
import { chainOf, ownerOf } from "./policy.ts";
import { fieldOf, imageIn, type Settings, sideOf } from "./settings.ts";
import { equalValues, isEmpty, type Value } from "./value.ts";
import {
  type Canonical,
  type Conflict,
  type ConflictCandidate,
  isOpen,
  type Link,
  type Provenance,
  type ShadowField,
  type World,
} from "./world.ts";

/** A candidate, with the record that it comes from. */
export type Contender = Candidate & { readonly remoteId?: string };

/** The system has told a value of its own that was not empty, at least once (D11). */
export const hasSpoken = (shadow: ShadowField): boolean =>
  shadow.spoke === true || (!isEmpty(shadow.held) && shadow.mute !== true);

/** D11: `only` binds once its connection has a live link that has told a value of the field. */
export function ownerBinds(world: World, canonicalId: string, owner: string, field: string): boolean {
  return world.liveLinks(canonicalId, owner).some((link) => {
    const shadow = link.shadow.fields[field];
    return shadow !== undefined && hasSpoken(shadow);
  });
}

/** The canonical value with its provenance, plus each live link whose own news is a candidate beside it. */
export function candidatesOf(world: World, canonical: Canonical, field: string): ReadonlyArray<Contender> {
  const provenance = canonical.provenance[field];
  const value = canonicalValue(canonical, field);
  const links = world.liveLinks(canonical.id);
  const sources = links.filter((link) => link.connection === provenance?.source);
  // A source that has gone on to another value does not stand for this one any more.
  const stands = sources.length === 0 || sources.some((link) => !isElsewhere(link, field, value));
  const own: Contender = {
    source: stands ? (provenance?.source ?? "hub") : "hub",
    value,
    interval: provenance?.interval ?? null,
    recordAt: sources[0]?.modifiedAt ?? undefined,
    pinnedAt: provenance?.pinnedAt,
  };
  const others = links.flatMap((link): ReadonlyArray<Contender> => {
    const shadow = link.shadow.fields[field];
    if (shadow?.lost === undefined) return [];
    if (link.connection === own.source && equalValues(shadow.base, value)) return [];
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

const isElsewhere = (link: Link, field: string, value: Value): boolean => {
  const shadow = link.shadow.fields[field];
  return shadow?.lost !== undefined && !equalValues(shadow.base, value);
};

/**
 * At a first meeting also those that say the same as the canonical value, by the times of their records: which of two
 * equal systems was read first must not matter.
 */
function supportersOf(world: World, settings: Settings, canonical: Canonical, field: string): ReadonlyArray<Contender> {
  const value = canonicalValue(canonical, field);
  return world.liveLinks(canonical.id).flatMap((link): ReadonlyArray<Contender> => {
    const shadow = link.shadow.fields[field];
    const side = sideOf(settings, link.connection, canonical.entity);
    if (shadow === undefined || side === undefined || shadow.lost !== undefined || shadow.mute === true) return [];
    if (link.connection === canonical.provenance[field]?.source || !equalValues(shadow.base, value)) return [];
    const interval = intervalOf({
      lastSeenOld: link.remoteCreatedAt ?? undefined,
      modifiedAt: link.modifiedAt ?? undefined,
      readEnded: link.readEnded,
      resolutionMs: side.resolutionMs,
      skewMs: side.skewMs,
    });
    return [
      {
        source: link.connection,
        value: shadow.base,
        interval,
        recordAt: link.modifiedAt ?? undefined,
        remoteId: link.remoteId,
      },
    ];
  });
}

export interface Dispute {
  readonly field: string;
  readonly base: Value;
  readonly kind: "meeting" | "conflict";
  /** Whose news made it. */
  readonly trigger: Link;
}

/** Runs the chain over all candidates, and writes the conflict down. */
export function settleField(
  world: World,
  settings: Settings,
  canonical: Canonical,
  dispute: Dispute,
  moment: Moment,
): void {
  const { field, kind, trigger } = dispute;
  const owner = ownerOf(chainOf(settings.policy, canonical.entity, field));
  const binds = owner !== undefined && ownerBinds(world, canonical.id, owner, field);
  const candidates = [
    ...candidatesOf(world, canonical, field),
    ...(kind === "meeting" ? supportersOf(world, settings, canonical, field) : []),
  ];
  const current = canonicalValue(canonical, field);
  if (candidates.every((candidate) => equalValues(candidate.value, current))) return;
  const type = fieldOf(settings, canonical.entity, field)?.type ?? "text";
  if (kind === "meeting" && isSetType(type) && !binds && canonical.provenance[field]?.pinnedAt === undefined) {
    joinSets(world, settings, canonical, dispute, candidates, moment);
    return;
  }
  const verdict = judge(settings, canonical, field, candidates, binds);
  if (verdict.kind === "open") {
    const first = candidates.toSorted((one, other) => compareSources(one, other, settings.order))[0];
    if (kind === "meeting" && first !== undefined && !equalValues(first.value, current)) {
      // Which system was read first must not matter: until a person decides, the first one of the YAML stands.
      moveTo(
        world,
        settings,
        canonical,
        dispute,
        first,
        { rule: "order of connections", reason: verdict.reason },
        moment,
      );
    }
    openDispute(world, canonical, dispute, candidates, verdict.reason, moment);
    return;
  }
  const { winner, rule, reason } = verdict;
  if (!equalValues(winner.value, current) && flipsTooOften(settings, canonical, field, winner.value, moment.now)) {
    const interval = trigger.shadow.fields[field]?.lost?.interval ?? null;
    const value = trigger.shadow.fields[field]?.base ?? null;
    freeze(world, canonical, trigger, { field, value, interval, reason: alternating }, moment);
    return;
  }
  const conflict = rule === agreement ? undefined : addSettled(world, canonical, dispute, candidates, verdict, moment);
  if (equalValues(winner.value, current)) {
    settleShadows(world, settings, canonical, field, winner.value, undefined);
    if (conflict !== undefined) {
      const value = trigger.shadow.fields[field]?.base ?? null;
      logNews(world, canonical, trigger, { field, value, note: { why: reason, rule }, kind: "overruled" }, moment);
    }
    return;
  }
  moveTo(
    world,
    settings,
    canonical,
    dispute,
    winner,
    { rule, reason, ...(conflict === undefined ? {} : { conflict }) },
    moment,
  );
}

/** The canonical value becomes this contender's; the one that it replaces stays a candidate of its source. */
function moveTo(
  world: World,
  settings: Settings,
  canonical: Canonical,
  { field, trigger }: Dispute,
  winner: Contender,
  note: Readonly<Record<string, unknown>>,
  moment: Moment,
): void {
  const current = canonicalValue(canonical, field);
  const provenance: Provenance = {
    source: winner.source,
    interval: winner.interval,
    ...(winner.pinnedAt === undefined ? {} : { pinnedAt: winner.pinnedAt }),
  };
  settleShadows(world, settings, canonical, field, winner.value, { value: current, by: canonical.provenance[field] });
  world.counts.changed += 1;
  world.log.push({
    ...about(canonical, trigger, moment),
    connection: winner.source,
    kind: "changed",
    set: { [field]: winner.value },
    from: { [field]: current },
    provenance: { [field]: provenance },
    note,
  });
  setCanonical(world, settings, canonical, { field, value: winner.value, provenance }, moment);
}

export const alternating = "two sides keep changing this field back and forth";
const agreement = "agreement";

/** D9: what a system makes of another candidate's value says the same; of the rest the chain decides. */
function judge(
  settings: Settings,
  canonical: Canonical,
  field: string,
  candidates: ReadonlyArray<Contender>,
  binds: boolean,
): Verdict {
  const whole = withoutCuts(settings, canonical, field, candidates);
  const winner = latest(whole);
  if (winner !== undefined && whole.every((candidate) => equalValues(candidate.value, winner.value))) {
    return { kind: "won", winner, rule: agreement, reason: "the other systems keep the same value in a shorter form" };
  }
  return decideChain(whole, {
    chain: chainOf(settings.policy, canonical.entity, field),
    order: settings.order,
    ownerBinds: binds,
  });
}

function withoutCuts(
  settings: Settings,
  canonical: Canonical,
  field: string,
  candidates: ReadonlyArray<Contender>,
): ReadonlyArray<Contender> {
  const isCutOf = (cut: Contender, full: Contender): boolean => {
    const side = sideOf(settings, cut.source, canonical.entity);
    if (side === undefined || cut.pinnedAt !== undefined || equalValues(cut.value, full.value)) return false;
    return equalValues(imageIn(settings, side, field, full.value), cut.value);
  };
  const whole = candidates.filter((one) => !candidates.some((other) => isCutOf(one, other) && !isCutOf(other, one)));
  return whole.length === 0 ? candidates : whole;
}

/** What each link holds against the value that stands now: agreeing in its own form, or a candidate of its own. */
function settleShadows(
  world: World,
  settings: Settings,
  canonical: Canonical,
  field: string,
  standing: Value,
  displaced: { readonly value: Value; readonly by: Provenance | undefined } | undefined,
): void {
  for (const link of world.liveLinks(canonical.id)) {
    const shadow = link.shadow.fields[field];
    const side = sideOf(settings, link.connection, canonical.entity);
    if (shadow === undefined || side === undefined) continue;
    if (shadow.lost !== undefined) shadow.lost = { interval: shadow.lost.interval };
    if (!equalValues(shadow.base, standing) && equalValues(imageIn(settings, side, field, standing), shadow.held)) {
      shadow.base = standing;
    } else if (displaced?.by?.source === link.connection && equalValues(shadow.base, displaced.value)) {
      // The value that was canonical so far stays a candidate on the link that it came from.
      shadow.lost = { interval: displaced.by.interval };
    }
    world.touchLink(link);
  }
}

/** Lists that meet are joined, in the order of connections; D8 keeps removals apart from then on. */
function joinSets(
  world: World,
  settings: Settings,
  canonical: Canonical,
  dispute: Dispute,
  candidates: ReadonlyArray<Contender>,
  moment: Moment,
): void {
  const { field, trigger } = dispute;
  const type = fieldOf(settings, canonical.entity, field)?.type ?? "set";
  const current = canonicalValue(canonical, field);
  const ordered = candidates.toSorted((one, other) => compareSources(one, other, settings.order));
  const union = ordered.reduce<Value>((joined, candidate) => unionOf(type, joined, candidate.value), null);
  for (const link of world.liveLinks(canonical.id)) {
    const shadow = link.shadow.fields[field];
    if (shadow?.lost === undefined) continue;
    delete shadow.lost;
    world.touchLink(link);
  }
  if (equalValues(union, current)) return;
  const newest = latest(ordered);
  const provenance: Provenance = { source: newest?.source ?? trigger.connection, interval: newest?.interval ?? null };
  world.log.push({
    ...about(canonical, trigger, moment),
    kind: "met",
    set: { [field]: union },
    from: { [field]: current },
    news: { [field]: trigger.shadow.fields[field]?.base ?? null },
    provenance: { [field]: provenance },
  });
  setCanonical(world, settings, canonical, { field, value: union, provenance }, moment);
}

function rowOf(canonical: Canonical, dispute: Dispute, candidates: ReadonlyArray<Contender>, moment: Moment) {
  const { field, base, kind, trigger } = dispute;
  return {
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
    previous: canonicalValue(canonical, field),
    candidates: candidates.map(shownCandidate),
    detail: { kind },
  };
}

function openDispute(
  world: World,
  canonical: Canonical,
  dispute: Dispute,
  candidates: ReadonlyArray<Contender>,
  reason: string,
  moment: Moment,
): void {
  const { field, trigger } = dispute;
  world.counts.opened += 1;
  world.addConflict({
    ...rowOf(canonical, dispute, candidates, moment),
    state: "open",
    rule: "manual",
    winner: null,
    reason,
    result: canonicalValue(canonical, field),
  });
  const value = trigger.shadow.fields[field]?.base ?? null;
  logNews(world, canonical, trigger, { field, value, note: { why: reason } }, moment);
}

function addSettled(
  world: World,
  canonical: Canonical,
  dispute: Dispute,
  candidates: ReadonlyArray<Contender>,
  verdict: Extract<Verdict, { readonly kind: "won" }>,
  moment: Moment,
): string {
  const { winner, rule, reason } = verdict;
  const row = rowOf(canonical, dispute, candidates, moment);
  world.counts.settled += 1;
  world.addConflict({ ...row, state: "settled", rule, winner: winner.source, reason, result: winner.value });
  return row.id;
}

export const shownCandidate = (candidate: Contender): ConflictCandidate => ({
  source: candidate.source,
  value: candidate.value,
  lower: candidate.interval?.lower ?? null,
  upper: candidate.interval?.upper ?? null,
  ...(candidate.remoteId === undefined ? {} : { remoteId: candidate.remoteId }),
});

/** D18: an open row gathers what each system says; when all that speak agree, it closes by itself. */
export function gatherOpen(
  world: World,
  settings: Settings,
  canonical: Canonical,
  open: Conflict,
  moment: Moment,
): void {
  const field = open.field ?? "";
  const current = canonicalValue(canonical, field);
  const told = candidatesOf(world, canonical, field).map(shownCandidate);
  // What a row remembers of a system ends with that system's own news.
  const asked = open.candidates.filter(
    ({ asked: kept, source }) => kept === true && (source === "hub" || !told.some((one) => one.source === source)),
  );
  open.candidates = [...told, ...asked];
  world.touchConflict(open, moment.now);
  const source = canonical.provenance[field]?.source;
  const live = world.liveLinks(canonical.id).filter((link) => link.shadow.fields[field] !== undefined);
  const speaking = live.filter((link) => link.shadow.fields[field]?.lost !== undefined || link.connection === source);
  const values = speaking.map((link) => {
    const shadow = link.shadow.fields[field];
    // Without news of its own the source speaks for the value that stands, whatever was written to it meanwhile.
    return shadow?.lost === undefined ? current : shadow.base;
  });
  for (const candidate of asked) values.push(candidate.value);
  // A person's value, or one whose record is gone, speaks for itself.
  if (!live.some((link) => link.connection === source)) values.push(current);
  const agreed = values[0];
  if (agreed === undefined || !values.every((value) => equalValues(value, agreed))) return;
  open.state = "closed";
  open.reason = "the systems agree by themselves";
  open.result = agreed;
  const last = speaking.at(-1);
  if (last === undefined) return;
  const provenance: Provenance = {
    source: last.connection,
    interval: last.shadow.fields[field]?.lost?.interval ?? null,
  };
  for (const link of speaking) delete link.shadow.fields[field]?.lost;
  for (const link of speaking) world.touchLink(link);
  takeValue(world, settings, canonical, last, { field, value: agreed, provenance, news: agreed }, moment);
}

/** A link does not speak any more: what was open only because of it closes. */
export function withdraw(world: World, settings: Settings, canonical: Canonical, moment: Moment): void {
  for (const conflict of world.conflictsOf(canonical.id)) {
    if (isOpen(conflict) && conflict.kind === "value") {
      gatherOpen(world, settings, canonical, conflict, moment);
    }
  }
}
