/** Dates (`yyyy-mm-dd`) and instants (epoch milliseconds, UTC) as text and back, without the machine's time zone. */

const minuteMs = 60_000;
const datePattern = /^\d{4}-\d{2}-\d{2}$/;
const instantPattern = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)? ?(Z|[+-]\d{2}:?\d{2})$/i;

// The years that ISO 8601 writes with four digits.
const firstInstant = Date.parse("0000-01-01T00:00:00.000Z");
const lastInstant = Date.parse("9999-12-31T23:59:59.999Z");

/** True for a day that the calendar has. */
export function isDate(text: string): boolean {
  if (!datePattern.test(text)) return false;
  const ms = Date.parse(`${text}T00:00:00.000Z`);
  // Date.parse takes February 30 for March 1, so the text must come back.
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

/** True for whole milliseconds within the years 0 to 9999. */
export const isInstant = (ms: number): boolean => Number.isInteger(ms) && ms >= firstInstant && ms <= lastInstant;

/** The day that an instant falls on, `offsetMinutes` east of UTC; null outside the years 0 to 9999. */
export function dateOf(ms: number, offsetMinutes: number): string | null {
  const local = ms + offsetMinutes * minuteMs;
  return isInstant(ms) && isInstant(local) ? new Date(local).toISOString().slice(0, 10) : null;
}

/** The instant at which a day begins, `offsetMinutes` east of UTC. */
export const beginOf = (date: string, offsetMinutes: number): number =>
  Date.parse(`${date}T00:00:00.000Z`) - offsetMinutes * minuteMs;

/** The instant of an ISO 8601 text with a zone, or null. Without a zone the text does not name an instant. */
export function parseInstant(text: string): number | null {
  const match = instantPattern.exec(text);
  if (match === null) return null;
  const [, date = "", clock = "", seconds = "00", fraction = "", zone = "Z"] = match;
  if (!isDate(date)) return null;
  const offset = zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone.toUpperCase();
  const ms = Date.parse(`${date}T${clock}:${seconds}.${fraction.slice(0, 3).padEnd(3, "0")}${offset}`);
  return isInstant(ms) ? ms : null;
}

/** ISO 8601 in UTC, with milliseconds only where there are any. */
export const instantText = (ms: number): string => new Date(ms).toISOString().replace(".000Z", "Z");
