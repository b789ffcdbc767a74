/**
 * Field masks: what a caller without the scope `personal` sees in place of a value.
 *
 * Rule    A personal value is replaced by `•••` in the shape of its type: a list becomes a list of one mask, a group and
 *         an amount keep their members. An empty value stays empty. A field that the model does not know counts as personal.
 */
import type { Entity, Field, Model } from "../model/field.ts";
import { type Group, isEmpty, isGroup, isList, isMoney, type Value, type Values } from "../model/value.ts";

export const mask = "•••";

/** Hides what the caller may not see; `off` shows everything. */
export interface Masking {
  readonly isMasked: (entity: Entity, field: string) => boolean;
  /** The value as the caller may see it. With `field` null it may be a value of any field, and is masked. */
  readonly value: (entity: Entity, field: string | null, value: Value) => Value;
  readonly values: (entity: Entity, values: Values) => Record<string, Value>;
}

export function maskingFor(model: Model, seesPersonal: boolean): Masking {
  const isMasked = (entity: Entity, field: string | null): boolean =>
    !seesPersonal && (field === null || model[entity].get(field)?.sensitivity !== "business");
  const value: Masking["value"] = (entity, field, given) => (isMasked(entity, field) ? masked(given) : given);
  return {
    isMasked,
    value,
    values: (entity, values) =>
      Object.fromEntries(Object.entries(values).map(([name, given]) => [name, value(entity, name, given)])),
  };
}

export function masked(value: Value): Value {
  if (isEmpty(value)) return value;
  if (isList(value)) return [mask];
  if (isMoney(value)) return { amount: mask, currency: mask };
  if (isGroup(value)) return maskedGroup(value);
  return mask;
}

function maskedGroup(group: Group): Group {
  return Object.fromEntries(
    Object.entries(group).map(([member, text]) => [member, text === null || text === "" ? text : mask]),
  );
}

/** A mask in the shape of the field's type, where the value itself is not looked at. */
export function maskOf(field: Pick<Field, "type">): Value {
  switch (field.type) {
    case "set":
    case "emails":
    case "phones":
      return [mask];
    case "money":
      return { amount: mask, currency: mask };
    case "name":
      return { given: mask, family: mask };
    case "address":
      return { street: mask, city: mask, state: mask, postalCode: mask, country: mask };
    default:
      return mask;
  }
}
