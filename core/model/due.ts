/** Who is due where: canonical values that differ from a shadow's base, creates that a filter asks for, deletes. */
import { canonicalValue } from "./canonical.ts";
import { meets } from "./filter.ts";
import type { Moment } from "./moment.ts";
import { type Settings, type Side, sideKey } from "./settings.ts";
import { equalValues, isEmpty } from "./value.ts";
import { type Canonical, type Link, subjectsOf, type World } from "./world.ts";

/** Marks every connection that a touched canonical is due in. */
export function markDue(world: World, settings: Settings, moment: Moment): void {
  const touched = new Map<string, Canonical>();
  for (const id of world.changedCanonicals.keys()) {
    const canonical = world.canonical(id);
    if (canonical !== undefined) touched.set(canonical.id, canonical);
  }
  for (const link of world.changedLinks.keys()) {
    if (world.quiet.has(link)) continue;
    const canonical = link.canonicalId === null ? undefined : world.canonical(link.canonicalId);
    if (canonical !== undefined) touched.set(canonical.id, canonical);
  }
  for (const conflict of world.changedConflicts.keys()) {
    for (const id of subjectsOf(conflict)) {
      const canonical = world.canonical(id);
      if (canonical !== undefined) touched.set(canonical.id, canonical);
    }
  }
  const reason = moment.cause ?? "changed";
  for (const canonical of touched.values()) {
    for (const connection of settings.order) {
      const side = settings.sides.get(sideKey(connection, canonical.entity));
      if (side === undefined || !side.writable || !isDueIn(world, side, canonical)) continue;
      world.markDue({ canonicalId: canonical.id, connection, entity: canonical.entity, reason });
    }
  }
}

export function isDueIn(world: World, side: Side, canonical: Canonical): boolean {
  const links = world.linksFor(canonical.id).filter((link) => link.connection === side.connection);
  const live = links.filter((link) => link.state === "live");
  if (canonical.state === "dead") return live.length > 0;
  if (canonical.state !== "live") return false;
  if (live.length > 0) return live.some((link) => dueFields(world, side, canonical, link).length > 0);
  return mayCreate(world, side, canonical);
}

/**
 * Whether the account is created in a connection that does not have it: a key field, the filter of the YAML, and no
 * earlier link there, whatever became of it, unless a person asked (D14).
 */
export function mayCreate(world: World, side: Side, canonical: Canonical): boolean {
  if (!side.writable || side.keyField === undefined || canonical.state !== "live") return false;
  const links = world.linksFor(canonical.id).filter((link) => link.connection === side.connection);
  if (links.some((link) => link.shadow.asked === true)) return links.every((link) => link.state !== "live");
  if (links.length > 0) return false;
  return typeof side.creates === "boolean" ? side.creates : meets(side.creates, canonical.values);
}

/** D1: a field is due exactly when its base differs from the canonical value, and it can and may be written. */
export function dueFields(world: World, side: Side, canonical: Canonical, link: Link): ReadonlyArray<string> {
  const due: Array<string> = [];
  for (const [field, rule] of side.rules) {
    if (rule.access !== "both") continue;
    const shadow = link.shadow.fields[field];
    if (shadow === undefined) continue;
    const value = canonicalValue(canonical, field);
    if (equalValues(shadow.base, value) || (isEmpty(shadow.base) && isEmpty(value))) continue;
    if (shadow.frozen !== undefined) continue;
    if (shadow.refused !== undefined && equalValues(shadow.refused.value, value)) continue;
    if (isUndecided(world, canonical, field)) continue;
    due.push(field);
  }
  return due;
}

/** A field that a person must decide, or whose first meeting waits for the end of the load, is pushed to nobody. */
export function isUndecided(world: World, canonical: Canonical, field: string): boolean {
  if (world.openConflict(canonical.id, field) !== undefined) return true;
  return world.liveLinks(canonical.id).some((link) => link.shadow.fields[field]?.lost?.waits === true);
}
