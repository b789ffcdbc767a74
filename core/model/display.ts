/** Values as short text for people: in lists, conflicts and messages. */
import { instantText, isInstant } from "./calendar.ts";
import type { Entity, Field } from "./field.ts";
import { nameText } from "./names.ts";
import { type Group, isEmpty, isGroup, isList, isMoney, type Value, type Values } from "./value.ts";

const namingFields: Readonly<Record<Entity, ReadonlyArray<string>>> = {
  account: ["name", "legalName", "domain", "website", "email", "phone", "taxId"],
  contact: ["name", "emails", "login", "mobile", "phones"],
};

/** What to call a record: its name, or else what comes nearest to one; empty text if nothing is known. */
export function displayName(entity: Entity, values: Values): string {
  const field = displayField(entity, values);
  return field === null ? "" : namingText(values[field]);
}

/** The field that a record is called by. */
export function displayField(entity: Entity, values: Values): string | null {
  return namingFields[entity].find((field) => namingText(values[field]) !== "") ?? null;
}

function namingText(value: Value | undefined): string {
  if (value === undefined || isEmpty(value)) return "";
  return isList(value) ? (value[0] ?? "") : shortText(value);
}

/** What stands for an empty value. */
export const emptyText = "—";

const lengthMaxUnlessSaid = 200;

/** Any value in one line, cut with an ellipsis. The field tells a time from a number. */
export function shortText(value: Value, options: { readonly field?: Field; readonly lengthMax?: number } = {}): string {
  if (isEmpty(value)) return emptyText;
  return ellipsis(plainText(value, options.field).replace(lineBreaks, " "), options.lengthMax ?? lengthMaxUnlessSaid);
}

const lineBreaks = /\s*\n\s*/g;

function plainText(value: Value, field: Field | undefined): string {
  if (value === null) return "";
  if (typeof value === "number")
    return field?.type === "instant" && isInstant(value) ? instantText(value) : String(value);
  if (typeof value === "string" || typeof value === "boolean") return String(value);
  if (isList(value)) return value.join(", ");
  if (isMoney(value)) return `${value.amount} ${value.currency}`;
  return isGroup(value) ? groupText(value) : "";
}

const addressOrder = ["street", "postalCode", "city", "state", "country"];

function groupText(group: Group): string {
  if ("given" in group || "family" in group) return nameText(group);
  const members = [
    ...addressOrder,
    ...Object.keys(group)
      .filter((member) => !addressOrder.includes(member))
      .sort(),
  ];
  return members.flatMap((member) => group[member] || []).join(", ");
}

function ellipsis(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text;
  const characters = [...text];
  return characters.length <= lengthMax ? text : `${characters.slice(0, Math.max(0, lengthMax - 1)).join("")}…`;
}
