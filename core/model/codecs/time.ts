/** Codecs of days and instants. */
import { beginOf, dateOf, instantText, isDate, isInstant, parseInstant } from "../calendar.ts";
import { type Codec, Unreadable } from "../codec.ts";
import { misfit, unreadable } from "./raw.ts";

export interface DateOptions {
  /** `iso` is `yyyy-mm-dd`; `epoch` is the millisecond at which the day begins. */
  readonly as?: "iso" | "epoch";
  /** Minutes east of UTC by which the system's days begin. */
  readonly offsetMinutes?: number;
}

export interface InstantOptions {
  readonly as?: "iso" | "epoch";
}

export const date = ({ as = "iso", offsetMinutes = 0 }: DateOptions = {}): Codec => ({
  name: "date",
  types: ["date"],
  decode: (raw) => {
    if (raw === undefined || raw === null) return raw;
    if (raw === "") return null;
    if (as === "epoch") {
      const ms = readEpoch(raw);
      return ms instanceof Unreadable ? ms : (dateOf(ms, offsetMinutes) ?? noDay);
    }
    if (typeof raw !== "string") return unreadable(raw, "a date");
    if (isDate(raw)) return raw;
    const ms = parseInstant(raw);
    return ms === null ? noDay : (dateOf(ms, offsetMinutes) ?? noDay);
  },
  encode: (value) => {
    if (value === null || value === "") return null;
    if (typeof value !== "string" || !isDate(value)) return misfit(value, "a date such as 2026-01-31");
    return as === "iso" ? value : beginOf(value, offsetMinutes);
  },
});

export const instant = ({ as = "iso" }: InstantOptions = {}): Codec => ({
  name: "instant",
  types: ["instant"],
  decode: (raw) => {
    if (raw === undefined || raw === null) return raw;
    if (raw === "") return null;
    if (as === "epoch") return readEpoch(raw);
    if (typeof raw !== "string") return unreadable(raw, "a date and time");
    return parseInstant(raw) ?? new Unreadable("The system sent text that is not a date and time with a time zone.");
  },
  encode: (value) => {
    if (value === null) return null;
    if (typeof value !== "number" || !isInstant(value)) return misfit(value, "a date and time");
    return as === "iso" ? instantText(value) : value;
  },
});

const noDay = new Unreadable("The system sent a date that the calendar does not have.");

const digits = /^-?\d{1,16}$/;

function readEpoch(raw: unknown): number | Unreadable {
  const ms = typeof raw === "string" && digits.test(raw) ? Number(raw) : raw;
  if (typeof ms !== "number") return unreadable(raw, "a time in milliseconds");
  return isInstant(ms)
    ? ms
    : new Unreadable("The system sent a time that is not whole milliseconds of the years 0 to 9999.");
}
