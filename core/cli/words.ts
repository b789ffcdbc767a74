/** Times, values and outcomes in the words of the command line. */

import { emptyText, shortText } from "../model/display.ts";
import type { Field } from "../model/field.ts";
import type { Interval } from "../model/interval.ts";
import { isEmpty, type Value } from "../model/value.ts";
import type { Outcome } from "../sync/sync.ts";

/** `2026-01-05 09:30:12Z` */
export const timeText = (at: number | null): string =>
  at === null ? emptyText : `${new Date(at).toISOString().slice(0, 19).replace("T", " ")}Z`;

export function intervalText(interval: Interval | null): string {
  if (interval === null) return "at an unknown time";
  if (timeText(interval.lower) === timeText(interval.upper)) return `at ${timeText(interval.lower)}`;
  return `between ${timeText(interval.lower)} and ${timeText(interval.upper)}`;
}

export const valueText = (value: Value, field?: Field, lengthMax = 80): string =>
  isEmpty(value) ? emptyText : shortText(value, { ...(field === undefined ? {} : { field }), lengthMax });

export function outcomeText(outcome: Outcome): string {
  switch (outcome.kind) {
    case "ok":
      return "ok";
    case "paused":
      return outcome.until === null ? "paused" : `paused until ${timeText(outcome.until)}`;
    case "held":
      return "held by a brake";
    case "failed":
      return "failed";
  }
}

/** `1 account`, `2 accounts` */
export const counted = (count: number, word: string): string =>
  `${count.toLocaleString("en")} ${word}${count === 1 ? "" : word.endsWith("s") ? "es" : "s"}`;

export const plainNumber = (count: number): string => count.toLocaleString("en");
