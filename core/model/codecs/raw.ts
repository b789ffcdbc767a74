/** What every codec needs to read raw JSON and to say plainly what is wrong with it. */
import { Refusal, Unreadable } from "../codec.ts";
import type { Value } from "../value.ts";

export interface TextOptions {
  /** Characters (code points) that the system keeps. */
  readonly max?: number;
}

export const isRecord = (raw: unknown): raw is Readonly<Record<string, unknown>> =>
  typeof raw === "object" && raw !== null && !Array.isArray(raw);

/** The kind of a JSON value in plain words; never the value itself, which may be personal. */
export function kindOf(raw: unknown): string {
  if (raw === null || raw === undefined) return "empty";
  if (Array.isArray(raw)) return "a list";
  if (typeof raw === "string") return "text";
  if (typeof raw === "number") return "a number";
  if (typeof raw === "boolean") return "true or false";
  return "an object";
}

export const unreadable = (raw: unknown, wanted: string): Unreadable =>
  new Unreadable(`The system sent ${kindOf(raw)} where ${wanted} was expected.`);

/** The canonical value is not of the codec's type: the map joins two fields that do not fit. */
export const misfit = (value: Value, wanted: string): Refusal =>
  new Refusal(
    `The value is ${kindOf(value)}, and this field takes ${wanted}.`,
    "Mend the value, or map the field to one of a fitting type.",
  );

/** Text as it came; empty text is null. */
export function readText(raw: unknown): string | null | undefined | Unreadable {
  if (typeof raw === "string") return raw === "" ? null : raw;
  if (raw === undefined || raw === null) return raw;
  return unreadable(raw, "text");
}

/** Text cut to what the system keeps; a cut leaves no space at its end, as no system keeps one. */
export function cut(text: string, max: number | undefined): string {
  // A text has at least as many UTF-16 units as code points, so most texts need no count.
  if (max === undefined || text.length <= max) return text;
  let end = 0;
  let count = 0;
  for (const character of text) {
    if (count === max) return text.slice(0, end).trimEnd();
    count += 1;
    end += character.length;
  }
  return text;
}

/** A remote id as text; some systems send numbers. */
export function readId(raw: unknown): string | null | undefined {
  if (typeof raw === "string") return raw === "" ? null : raw;
  return typeof raw === "number" && Number.isSafeInteger(raw) ? String(raw) : undefined;
}
