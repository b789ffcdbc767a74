/**
 * When a value was changed, as well as it can be known (SEMANTICS D20).
 *
 * A CRM gives at best one modified time per record, so a field's change lies somewhere after the last read that showed
 * the old value and not after the record's modified time. Epoch milliseconds; null where the order is unknown.
 */
export interface Interval {
  readonly lower: number;
  readonly upper: number;
}

/**
 * The interval of a change that a read shows.
 *
 * `lastSeenOld` is when the last read that showed the old value began (or the record's creation), `modifiedAt` the
 * record's modified time, `resolutionMs` its grain, `readEnded` bounds it where the system has no times.
 */
export function intervalOf(evidence: {
  readonly lastSeenOld: number | undefined;
  readonly modifiedAt: number | undefined;
  readonly readEnded: number;
  readonly resolutionMs: number;
  readonly skewMs: number;
}): Interval | null {
  if (evidence.lastSeenOld === undefined) return null;
  const upper = evidence.modifiedAt === undefined ? evidence.readEnded : evidence.modifiedAt + evidence.resolutionMs;
  const widened = { lower: evidence.lastSeenOld - evidence.skewMs, upper: upper + evidence.skewMs };
  return widened.lower > widened.upper ? null : widened;
}

/** True when the left change provably came before the right one. */
export function isOlder(left: Interval | null, right: Interval | null): boolean {
  return left !== null && right !== null && left.upper < right.lower;
}
