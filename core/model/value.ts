/**
 * The values that the canonical model, the shadows and the change log hold.
 *
 * `null` means that a system says "empty"; an absent key means "not known".
 * A value is plain JSON, so that it can be stored, sealed and compared without a class.
 */

/** A decimal amount as text (no binary rounding) with its ISO 4217 currency. */
export interface Money {
  readonly amount: string;
  readonly currency: string;
}

/** Several members that survive as one unit, such as an address. */
export type Group = Readonly<Record<string, string | null>>;

/** A set or an ordered list of contact points. */
export type List = ReadonlyArray<string>;

export type Value = null | string | number | boolean | Money | Group | List;

/** Values by canonical field name; a field that is not known has no key. */
export type Values = Readonly<Record<string, Value>>;

export const fieldTypes = [
  "text", // one line
  "longtext", // many lines
  "email",
  "phone", // E.164 where it can be parsed
  "url",
  "domain", // registrable domain, lower case
  "taxid",
  "integer",
  "decimal", // as text
  "money", // Money
  "boolean",
  "date", // yyyy-mm-dd
  "instant", // epoch milliseconds, UTC
  "option", // one label of a list
  "locale", // BCP 47
  "owner", // e-mail address of a person who works here
  "set", // List, order without meaning
  "emails", // List, first is the main one
  "phones", // List, first is the main one
  "address", // Group: street, city, state, postalCode, country
  "name", // Group: given, family
  "reference", // id of another canonical
] as const;

export type FieldType = (typeof fieldTypes)[number];

export const isList = (value: Value | undefined): value is List => Array.isArray(value);

export const isMoney = (value: Value | undefined): value is Money =>
  typeof value === "object" && value !== null && !Array.isArray(value) && "amount" in value && "currency" in value;

export const isGroup = (value: Value | undefined): value is Group =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !isMoney(value);

/** True for null, blank text, an empty list and a group whose members are all empty. */
export function isEmpty(value: Value | undefined): boolean {
  if (value === null || value === undefined || value === "") return true;
  if (isList(value)) return value.length === 0;
  if (isGroup(value)) return Object.values(value).every((member) => member === null || member === "");
  return false;
}

/** Structural equality; a group's absent member equals an empty one, and a set compares without order if sorted before. */
export function equalValues(left: Value | undefined, right: Value | undefined): boolean {
  if (left === right) return true;
  if (left === undefined || right === undefined || left === null || right === null) return false;
  if (typeof left !== "object" || typeof right !== "object") return false;
  if (isList(left)) {
    return isList(right) && left.length === right.length && left.every((member, index) => member === right[index]);
  }
  if (isList(right)) return false;
  if (isMoney(left)) return isMoney(right) && left.amount === right.amount && left.currency === right.currency;
  if (isMoney(right)) return false;
  for (const member of new Set([...Object.keys(left), ...Object.keys(right)])) {
    if ((left[member] ?? null) !== (right[member] ?? null)) return false;
  }
  return true;
}
