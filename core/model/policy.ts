/** Which value survives when two systems changed one field: chains of rules, per entity and field. Types and look-up only. */
import type { Entity } from "./field.ts";

/**
 * One rule of a chain; each removes candidates or has no opinion.
 *
 * `newest` compares evidence intervals, `newest-record` the records' modified times, `union` joins sets,
 * `longest` `shortest` compare texts, `max` `min` numbers and dates, `manual` leaves it to a person,
 * `prefer` takes the first connection of the list that is among the candidates, `only` names the owning connection.
 */
export type Rule =
  | "newest"
  | "newest-record"
  | "union"
  | "longest"
  | "shortest"
  | "max"
  | "min"
  | "manual"
  | { readonly prefer: ReadonlyArray<string> }
  | { readonly only: string };

export type Chain = ReadonlyArray<Rule>;

export interface EntityPolicy {
  readonly default: Chain;
  readonly fields: Readonly<Record<string, Chain>>;
}

export type Policy = Readonly<Record<Entity, EntityPolicy>>;

/** The chain of one field; a field's own chain replaces the default one. */
export function chainOf(policy: Policy, entity: Entity, field: string): Chain {
  return policy[entity].fields[field] ?? policy[entity].default;
}

/** The connection that owns the field, if its chain begins with `only`. */
export function ownerOf(chain: Chain): string | undefined {
  for (const rule of chain) if (typeof rule === "object" && "only" in rule) return rule.only;
  return undefined;
}
