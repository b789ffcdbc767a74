/** Lengths of time as people write them: `30s`, `10m`, `1h`, `2d`, `500ms`. */

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const written = /^(\d{1,9})\s?(ms|s|m|h|d)$/;

/** The pattern of a duration, for editors. */
export const durationPattern = written.source;

/** Milliseconds, or null if the text is not a duration. */
export function durationMs(text: string): number | null {
  const match = written.exec(text.trim());
  const unit = units[match?.[2] ?? ""];
  return match === null || unit === undefined ? null : Number(match[1]) * unit;
}
