/**
 * Lifting: what a system's new value means for the canonical one (SEMANTICS D8).
 *
 * News is a delta against what the system held, laid onto the base that this stood for. A system that keeps only three
 * of four tags and drops one of its three removed one tag, not two.
 */
import type { FieldType } from "./value.ts";
import { type Group, isEmpty, isGroup, isList, type List, type Value } from "./value.ts";

export const isSetType = (type: FieldType): boolean => type === "set" || type === "emails" || type === "phones";

export const isGroupType = (type: FieldType): boolean => type === "address" || type === "name";

interface Delta {
  readonly added: List;
  readonly removed: List;
  /** For ordered lists: the member that became the first one. */
  readonly promoted: string | undefined;
}

const listOf = (value: Value): List => (isList(value) ? value : []);

function deltaOf(held: Value, news: Value): Delta {
  const before = listOf(held);
  const after = listOf(news);
  return {
    added: after.filter((member) => !before.includes(member)),
    removed: before.filter((member) => !after.includes(member)),
    promoted: after[0] !== before[0] ? after[0] : undefined,
  };
}

function applyDelta(type: FieldType, target: Value, delta: Delta): Value {
  const kept = listOf(target).filter((member) => !delta.removed.includes(member));
  const members = [...kept, ...delta.added.filter((member) => !kept.includes(member))];
  if (members.length === 0) return null;
  if (type === "set") return members.toSorted();
  const { promoted } = delta;
  return promoted === undefined || !members.includes(promoted)
    ? members
    : [promoted, ...members.filter((member) => member !== promoted)];
}

/** The canonical-sized value that the system's news stands for: its delta laid onto `base`. */
export function lift(
  type: FieldType,
  change: { readonly held: Value; readonly base: Value; readonly news: Value },
): Value {
  const { held, base, news } = change;
  if (isSetType(type)) return applyDelta(type, base, deltaOf(held, news));
  if (isGroupType(type)) return liftGroup(held, base, news);
  return news;
}

/** Joins the news of a set into the canonical value, whatever else changed there: additions and removals both survive. */
export function mergeSets(
  type: FieldType,
  change: { readonly held: Value; readonly news: Value; readonly canonical: Value },
): Value {
  return applyDelta(type, change.canonical, deltaOf(change.held, change.news));
}

/** Takes members of an ordered or plain list together, first list first. */
export function unionOf(type: FieldType, left: Value, right: Value): Value {
  const members = [...new Set([...listOf(left), ...listOf(right)])];
  if (members.length === 0) return null;
  return type === "set" ? members.sort() : members;
}

/** Only the changed members replace those of the base; then the group is one unit again. */
function liftGroup(held: Value, base: Value, news: Value): Value {
  const before: Group = isGroup(held) ? held : {};
  const after: Group = isGroup(news) ? news : {};
  const lifted: Record<string, string | null> = isGroup(base) ? { ...base } : {};
  for (const member of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const now = after[member] ?? null;
    if (now !== (before[member] ?? null)) lifted[member] = now;
  }
  return isEmpty(lifted) ? null : lifted;
}

/** A unit that is met for the first time, with the members of `current` that its system does not keep (D26). */
export function completeMet(value: Value, current: Value, members: ReadonlyArray<string>): Value {
  if (!isGroup(value) || !isGroup(current) || members.length === 0) return value;
  const others = Object.entries(current).filter(([member]) => !members.includes(member));
  return completeGroup({ ...Object.fromEntries(others), ...value }, current, members);
}

/**
 * D26: a unit from a system that lacks a member keeps the old value of that member only while country, city and postal
 * code are unchanged; else the member belongs to another place and becomes empty.
 */
export function completeGroup(lifted: Value, base: Value, members: ReadonlyArray<string>): Value {
  if (!isGroup(lifted) || !isGroup(base) || members.length === 0) return lifted;
  const placeMoved = ["country", "city", "postalCode"].some(
    (member) => members.includes(member) && (lifted[member] ?? null) !== (base[member] ?? null),
  );
  if (!placeMoved) return lifted;
  const complete: Record<string, string | null> = {};
  for (const [member, value] of Object.entries(lifted)) complete[member] = members.includes(member) ? value : null;
  return complete;
}
