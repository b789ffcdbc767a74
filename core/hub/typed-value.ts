/** A value that a person typed, as the canonical value of its field; refused with the reason if it is not good. */
import type { Field } from "../model/field.ts";
import { type NormaliseContext, normalise, problemOf } from "../model/normalise.ts";
import { type FieldType, isEmpty, isGroup, isList, type Value } from "../model/value.ts";

export type Typed =
  | { readonly kind: "value"; readonly value: Value }
  | { readonly kind: "wrong"; readonly reason: string; readonly remedy: string };

/**
 * Shape   lists are separated by `;`, groups are JSON objects, money is `12.50 EUR`; an empty text is empty.
 */
export function typedValue(field: Field, text: string, context: NormaliseContext): Typed {
  const raw = rawOf(field.type, text.trim());
  if (raw === undefined) {
    return {
      kind: "wrong",
      reason: `${field.title.en} is not written like this.`,
      remedy: `Give a JSON object, such as ${field.type === "name" ? '{"given":"Ann","family":"Lee"}' : '{"street":"1 Main Street","city":"Berlin","country":"DE"}'}.`,
    };
  }
  return normalised(field, raw, context);
}

/** A value that a program sent as JSON, as the canonical value of its field; the reason never repeats it. */
export function typedJson(field: Field, given: Value, context: NormaliseContext): Typed {
  const wrong = (reason: string): Typed => ({ kind: "wrong", reason, remedy: field.description });
  if (lists.has(field.type) && !isEmpty(given) && !isList(given)) return wrong("must be a list of texts");
  if (!lists.has(field.type) && isList(given)) return wrong("must not be a list");
  if (groups.has(field.type) && !isEmpty(given) && !isGroup(given)) return wrong("must be an object");
  if (
    !groups.has(field.type) &&
    field.type !== "money" &&
    typeof given === "object" &&
    given !== null &&
    !isList(given)
  )
    return wrong("must not be an object");
  if (field.type === "boolean" && given !== null && typeof given !== "boolean") return wrong("must be true or false");
  const typed = normalised(field, given, context);
  return typed.kind === "value" ? typed : wrong(`is no ${field.type} that can be read`);
}

function normalised(field: Field, raw: Value, context: NormaliseContext): Typed {
  const value = normalise(field, raw, context);
  const problem = problemOf(field, value);
  if (problem !== null) return { kind: "wrong", reason: `${field.title.en}: ${problem}`, remedy: field.description };
  return { kind: "value", value };
}

const lists: ReadonlySet<FieldType> = new Set(["set", "emails", "phones"]);
const groups: ReadonlySet<FieldType> = new Set(["address", "name"]);

/** Undefined where the text has not the shape of the type. */
function rawOf(type: FieldType, text: string): Value | undefined {
  if (text === "") return null;
  if (lists.has(type))
    return text
      .split(/[;；]/)
      .map((member) => member.trim())
      .filter((member) => member !== "");
  if (groups.has(type)) return groupOf(text);
  if (type === "money") {
    const [amount = "", currency] = text.split(/\s+/);
    return currency === undefined ? amount : { amount, currency: currency.toUpperCase() };
  }
  if (type === "boolean") return /^(true|yes|是)$/i.test(text) ? true : /^(false|no|否)$/i.test(text) ? false : text;
  return text;
}

function groupOf(text: string): Value | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return undefined;
    return Object.fromEntries(
      Object.entries(parsed).map(([member, value]) => [member, value === null ? null : String(value)]),
    );
  } catch {
    return undefined;
  }
}
