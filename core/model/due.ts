/** Who is due where: canonical values that differ from a shadow's base, creates that a filter asks for, deletes. */
import { meets } from "./filter.ts";
import { canonicalValue } from "./merge.ts";
import { type Settings, type Side, sideKey } from "./settings.ts";
import { equalValues, isEmpty } from "./value.ts";
import type { Canonical, Link, World } from "./world.ts";

/** Marks every connection that a touched canonical is due in. */
export function markDue(world: World, settings: Settings): void {
  const touched = new Map<string, Canonical>();
  for (const id of world.changedCanonicals.keys()) {
    const canonical = world.canonical(id);
    if (canonical !== undefined) touched.set(canonical.id, canonical);
  }
  for (const link of world.changedLinks.keys()) {
    const canonical = link.canonicalId === null ? undefined : world.canonical(link.canonicalId);
    if (canonical !== undefined) touched.set(canonical.id, canonical);
  }
  for (const canonical of touched.values()) {
    for (const connection of dueIn(world, settings, canonical)) {
      world.markDue({ canonicalId: canonical.id, connection, entity: canonical.entity, reason: "changed" });
    }
  }
}

function dueIn(world: World, settings: Settings, canonical: Canonical): ReadonlyArray<string> {
  const due: Array<string> = [];
  for (const connection of settings.order) {
    const side = settings.sides.get(sideKey(connection, canonical.entity));
    if (side === undefined || !side.writable) continue;
    if (isDueIn(world, settings, side, canonical)) due.push(connection);
  }
  return due;
}

export function isDueIn(world: World, settings: Settings, side: Side, canonical: Canonical): boolean {
  const links = world.linksFor(canonical.id).filter((link) => link.connection === side.connection);
  const live = links.filter((link) => link.state === "live");
  if (canonical.state === "dead") return live.length > 0;
  if (canonical.state !== "live") return false;
  if (live.length > 0) return live.some((link) => dueFields(world, side, canonical, link).length > 0);
  return links.length === 0 && mayCreate(side, canonical);
}

/** Whether the connection receives accounts that it does not have: a key field and the filter of the YAML. */
export function mayCreate(side: Side, canonical: Canonical): boolean {
  if (!side.writable || side.keyField === undefined || canonical.state !== "live") return false;
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
    if (world.openConflict(canonical.id, field) !== undefined) continue;
    due.push(field);
  }
  return due;
}
