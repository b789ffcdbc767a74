/**
 * Wars (SEMANTICS D17): a canonical value that keeps coming back, or a system that keeps undoing what the hub writes.
 * Only the field of that link is frozen; what it says from then on gathers in the row that a person answers.
 */
import { canonicalValue } from "./canonical.ts";
import { candidatesOf, shownCandidate } from "./dispute.ts";
import type { Interval } from "./interval.ts";
import { logNews, type Moment } from "./moment.ts";
import type { Settings } from "./settings.ts";
import { equalValues, type Value } from "./value.ts";
import type { Canonical, Link, ShadowField, World } from "./world.ts";

/** Stops pushing one field to one link and opens a row; news there gather in it. */
export function freeze(
  world: World,
  canonical: Canonical,
  link: Link,
  news: {
    readonly field: string;
    readonly value: Value;
    readonly interval: Interval | null;
    readonly reason: string;
  },
  moment: Moment,
): void {
  const { field, value, interval, reason } = news;
  const shadow = link.shadow.fields[field];
  if (shadow === undefined || shadow.frozen !== undefined) return;
  const id = moment.newId("con");
  shadow.frozen = id;
  shadow.lost = { interval };
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
  logNews(world, canonical, link, { field, value, note: { why: reason } }, moment);
}

/** News of a frozen field become candidates of its row. */
export function gatherFrozen(
  world: World,
  canonical: Canonical,
  link: Link,
  news: { readonly field: string; readonly value: Value },
  moment: Moment,
): void {
  const { field, value } = news;
  const row = world.conflicts.get(link.shadow.fields[field]?.frozen ?? "");
  if (row !== undefined) {
    row.candidates = candidatesOf(world, canonical, field).map(shownCandidate);
    world.touchConflict(row, moment.now);
  }
  logNews(world, canonical, link, { field, value, note: { why: "the field is frozen" } }, moment);
}

/** The system changed our value back, and we write the same value again. */
export function countRewrite(
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
export function freezeWars(world: World, settings: Settings, canonical: Canonical, link: Link, moment: Moment): void {
  for (const [field, shadow] of Object.entries(link.shadow.fields)) {
    const { rewrites, lost } = shadow;
    if (lost === undefined || rewrites === undefined || rewrites.count < settings.flipsMax) continue;
    if (moment.now - rewrites.since > settings.flipWindowMs) continue;
    if (!equalValues(rewrites.value, canonicalValue(canonical, field))) continue;
    if (equalValues(shadow.base, rewrites.value)) continue;
    const reason = `${link.connection} changed this field back ${rewrites.count} times after the hub had written it`;
    freeze(world, canonical, link, { field, value: shadow.base, interval: lost.interval, reason }, moment);
  }
}
