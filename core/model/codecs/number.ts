/**
 * Codecs of numbers and of true or false.
 *
 * They read numbers and numeric text alike, because systems mix the two in one field, and write what `as` says.
 */
import { type Codec, Refusal, Unreadable } from "../codec.ts";
import { decimalText, exactNumber, integerOf } from "../decimal.ts";
import type { FieldType, Value } from "../value.ts";
import { misfit, unreadable } from "./raw.ts";

export interface NumberOptions {
  readonly as?: "number" | "string";
}

export const integer = ({ as = "number" }: NumberOptions = {}): Codec =>
  numberCodec("integer", ["integer"], as, "a whole number", integerOf);

export const decimal = ({ as = "number" }: NumberOptions = {}): Codec =>
  numberCodec("decimal", ["decimal"], as, "a number", decimalText);

export const boolean = (): Codec => ({
  name: "boolean",
  types: ["boolean"],
  decode: (raw) => {
    if (raw === undefined || raw === null || typeof raw === "boolean") return raw;
    if (raw === "") return null;
    if (raw === "true" || raw === "false") return raw === "true";
    return unreadable(raw, "true or false");
  },
  encode: (value) => (value === null || typeof value === "boolean" ? value : misfit(value, "true or false")),
});

type Parse = (value: string | number) => string | number | null;

function numberCodec(
  name: string,
  types: ReadonlyArray<FieldType>,
  as: "number" | "string",
  wanted: string,
  parse: Parse,
): Codec {
  return {
    name,
    types,
    decode: (raw) => readNumber(raw, wanted, parse),
    encode: (value) => writeNumber(value, as, wanted, parse),
  };
}

export function readNumber(raw: unknown, wanted: string, parse: Parse): Value | undefined | Unreadable {
  if (raw === undefined || raw === null) return raw;
  if (typeof raw !== "string" && typeof raw !== "number") return unreadable(raw, wanted);
  const trimmed = typeof raw === "string" ? raw.trim() : raw;
  if (trimmed === "") return null;
  return (
    parse(trimmed) ??
    new Unreadable(`The system sent ${typeof raw === "string" ? "text" : "a number"} that is not ${wanted}.`)
  );
}

export function writeNumber(
  value: Value,
  as: "number" | "string",
  wanted: string,
  parse: Parse,
): string | number | null | Refusal {
  if (value === null || value === "") return null;
  const number = typeof value === "string" || typeof value === "number" ? parse(value) : null;
  if (number === null) return misfit(value, wanted);
  const text = String(number);
  if (as === "string") return text;
  return (
    exactNumber(text) ??
    new Refusal("The number has more digits than this field keeps.", "Shorten the number, or map it to a text field.")
  );
}
