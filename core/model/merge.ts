/**
 * The three-way merge of one field: what a system's news does to the canonical value, the shadow and the log.
 *
 * Let `b` be the base of the reporting system, `v` its news, `c` the canonical value. v = c agrees. c = b: nobody else
 * changed it, so v is taken, unless a person holds the field or another system owns it. Otherwise two systems changed
 * it, and the chain decides over all candidates. SEMANTICS D1, D8, D9, D11, D17, D18 and D26 are kept here.
 */
import { canonicalValue, flipsTooOften, takeValue } from "./canonical.ts";
import { alternating, gatherOpen, hasSpoken, settleField } from "./dispute.ts";
import { freeze, gatherFrozen } from "./freeze.ts";
import { gateOf } from "./gate.ts";
import type { Interval } from "./interval.ts";
import { completeGroup, isGroupType, isSetType, lift, mergeSets } from "./lift.ts";
import { meetField } from "./meeting.ts";
import { logNews, type Moment } from "./moment.ts";
import { fieldOf, imageIn, membersOf, type Settings, type Side } from "./settings.ts";
import { equalValues, isEmpty, type Value } from "./value.ts";
import type { Canonical, Link, Provenance, World } from "./world.ts";

export interface News {
  readonly link: Link;
  readonly field: string;
  readonly value: Value;
  readonly interval: Interval | null;
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
  const open = world.openConflict(canonical.id, field);
  const { base, held } = shadow;
  if (!isEmpty(value) || hasSpoken(shadow)) shadow.spoke = true;
  delete shadow.mute;
  if (equalValues(value, current) || equalValues(value, imageIn(settings, side, field, current))) {
    // D9. It stays a candidate: that two systems came to one value by themselves must not depend on who was read first.
    Object.assign(shadow, { held: value, base: current, lost: { interval } });
    if (open !== undefined) gatherOpen(world, settings, canonical, open, moment);
    return;
  }
  const type = fieldOf(settings, side.entity, field)?.type ?? "text";
  const delta = lift(type, { held, base, news: value });
  const lifted = isGroupType(type) ? completeGroup(delta, base, membersOf(side, field)) : delta;
  // D8: the base stands for the lifted value only if the system really keeps it as v; else for v itself.
  const stands = equalValues(imageIn(settings, side, field, lifted), value) ? lifted : value;
  Object.assign(shadow, { held: value, base: stands, lost: { interval } });

  if (open !== undefined) {
    logNews(
      world,
      canonical,
      link,
      { field, value: stands, note: { why: "a conflict of this field is open" } },
      moment,
    );
    gatherOpen(world, settings, canonical, open, moment);
    return;
  }
  if (shadow.frozen !== undefined) {
    gatherFrozen(world, canonical, link, { field, value: stands }, moment);
    return;
  }
  const unseen = equalValues(current, base);
  const why = keptOut(world, settings, side, canonical, { ...news, unseen: unseen || isSetType(type) }, moment);
  if (why !== undefined) {
    world.counts.overruled += 1;
    logNews(world, canonical, link, { field, value: stands, note: { why }, kind: "overruled" }, moment);
    return;
  }
  if (!unseen && !isSetType(type)) {
    settleField(world, settings, canonical, { field, base, kind: "conflict", trigger: link }, moment);
    return;
  }
  const taken = isSetType(type) ? mergeSets(type, { held, news: value, canonical: current }) : lifted;
  if (flipsTooOften(settings, canonical, field, taken, moment.now)) {
    freeze(world, canonical, link, { field, value: stands, interval, reason: alternating }, moment);
    return;
  }
  supersede(world, canonical, link, field, current);
  const provenance: Provenance = { source: side.connection, interval };
  const note = fillsLength(side, field, value);
  takeValue(world, settings, canonical, link, { field, value: taken, provenance, news: value, ...note }, moment);
}

/** Why news is overruled without a dispute: rule 2 asks the gates, a lock and a rejected brake hold in every case. */
function keptOut(
  world: World,
  settings: Settings,
  side: Side,
  canonical: Canonical,
  news: News & { readonly unseen: boolean },
  moment: Moment,
): string | undefined {
  if (moment.overrule === true) return "rejected by a person at the brake";
  const gate = gateOf(world, settings, side, canonical, news.field, news.interval);
  return gate !== undefined && (news.unseen || gate.by === "hold") ? gate.why : undefined;
}

/** The news was made by somebody who saw the canonical value: who says the same is no candidate any more. */
function supersede(world: World, canonical: Canonical, link: Link, field: string, seen: Value): void {
  delete link.shadow.fields[field]?.lost;
  for (const other of world.liveLinks(canonical.id)) {
    const shadow = other.shadow.fields[field];
    if (shadow?.lost === undefined || !equalValues(shadow.base, seen)) continue;
    delete shadow.lost;
    world.touchLink(other);
  }
}

/** D9: a value that fills the declared length may be a cut one; the log holds the whole that it replaced. */
function fillsLength(side: Side, field: string, value: Value): { readonly note?: { readonly fillsLength: number } } {
  const lengthMax = side.rules.get(field)?.codec.lengthMax;
  if (lengthMax === undefined || typeof value !== "string" || [...value].length < lengthMax) return {};
  return { note: { fillsLength: lengthMax } };
}
