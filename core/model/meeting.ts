/**
 * First meetings: a field of a link is seen for the first time, so there is no base (SEMANTICS D9, D10, D21, D26).
 *
 * Equal values agree, a value fills an empty one, lists are joined, and two different values are a dispute. During a
 * load disputes wait until all connections have been read.
 */
import { canonicalValue, setCanonical } from "./canonical.ts";
import { gatherOpen, settleField } from "./dispute.ts";
import { markDue } from "./due.ts";
import { gateOf } from "./gate.ts";
import { completeMet, isGroupType } from "./lift.ts";
import type { News } from "./merge.ts";
import { about, type Moment } from "./moment.ts";
import { fieldOf, imageIn, membersOf, type Settings, type Side } from "./settings.ts";
import { equalValues, isEmpty, type Value } from "./value.ts";
import type { Canonical, Link, Provenance, ShadowField, World } from "./world.ts";

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
  const whole = wholeOf(settings, side, field, value, current);
  const shadow: ShadowField = {
    base: equalValues(imageIn(settings, side, field, whole), value) ? whole : value,
    held: value,
  };
  if (!isEmpty(value)) shadow.spoke = true;
  link.shadow.fields[field] = shadow;
  world.touchLink(link);
  if (
    (isEmpty(value) && isEmpty(current)) ||
    equalValues(whole, current) ||
    equalValues(value, imageIn(settings, side, field, current))
  ) {
    shadow.base = current;
    return;
  }
  if (isEmpty(value)) return;
  const gate = gateOf(world, settings, side, canonical, field, interval);
  if (isEmpty(current) && gate === undefined) {
    fill(
      world,
      settings,
      canonical,
      link,
      { field, value: whole, provenance: { source: side.connection, interval } },
      moment,
    );
    return;
  }
  shadow.lost = moment.deferMeetings ? { interval, waits: true } : { interval };
  const open = world.openConflict(canonical.id, field);
  if (open !== undefined) {
    shadow.lost = { interval };
    gatherOpen(world, settings, canonical, open, moment);
    return;
  }
  if (moment.deferMeetings) world.newMeetings.set(canonical.id, moment.run);
  else settleField(world, settings, canonical, { field, base: null, kind: "meeting", trigger: link }, moment);
}

function wholeOf(settings: Settings, side: Side, field: string, value: Value, current: Value): Value {
  const type = fieldOf(settings, side.entity, field)?.type ?? "text";
  return isGroupType(type) ? completeMet(value, current, membersOf(side, field)) : value;
}

/** D21: fills are counted and kept in the log with their values, because an early clear looks the same. */
function fill(
  world: World,
  settings: Settings,
  canonical: Canonical,
  link: Link,
  change: { readonly field: string; readonly value: Value; readonly provenance: Provenance },
  moment: Moment,
): void {
  const { field, value, provenance } = change;
  world.counts.filled += 1;
  world.log.push({
    ...about(canonical, link, moment),
    kind: "filled",
    set: { [field]: value },
    from: { [field]: canonicalValue(canonical, field) },
    provenance: { [field]: provenance },
  });
  setCanonical(world, settings, canonical, { field, value, provenance }, moment);
}

/** Judges the first meetings that waited, when all connections of the load have been read (D10). */
export function settleMeetings(world: World, settings: Settings, moment: Moment): void {
  for (const id of [...world.meetings, ...world.newMeetings.keys()]) {
    world.metMeetings.add(id);
    const canonical = world.canonical(id);
    if (canonical === undefined || canonical.state !== "live") continue;
    const waiting = waitingFields(world, canonical);
    for (const [field, trigger] of waiting) {
      const open = world.openConflict(canonical.id, field);
      if (open !== undefined) gatherOpen(world, settings, canonical, open, moment);
      else settleField(world, settings, canonical, { field, base: null, kind: "meeting", trigger }, moment);
    }
  }
  world.newMeetings.clear();
  markDue(world, settings, moment);
}

/** Fields that waited, in a fixed order, each with the first link that says something else. */
function waitingFields(world: World, canonical: Canonical): ReadonlyArray<readonly [string, Link]> {
  const waiting = new Map<string, Link>();
  const links = world.liveLinks(canonical.id).toSorted((one, other) => (one.connection < other.connection ? -1 : 1));
  for (const link of links) {
    for (const [field, shadow] of Object.entries(link.shadow.fields)) {
      if (shadow.lost?.waits !== true) continue;
      shadow.lost = { interval: shadow.lost.interval };
      world.touchLink(link);
      if (!waiting.has(field)) waiting.set(field, link);
    }
  }
  return [...waiting].toSorted(([one], [other]) => (one < other ? -1 : 1));
}
