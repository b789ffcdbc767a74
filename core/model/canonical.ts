/** Reading and setting one canonical value, and the memory of its earlier values that shows a war (SEMANTICS D17). */
import { about, type Moment } from "./moment.ts";
import type { Settings } from "./settings.ts";
import { equalValues, type Value } from "./value.ts";
import type { Canonical, Flip, Link, Provenance, World } from "./world.ts";

/** Of two sides that alternate, each return of one value lies two flips back; twice that much is remembered. */
const flipsKeptPerReturn = 4;

export const canonicalValue = (canonical: Canonical, field: string): Value => canonical.values[field] ?? null;

/** Sets a canonical value; what it replaced is remembered for the flip window. The log is the caller's. */
export function setCanonical(
  world: World,
  settings: Settings,
  canonical: Canonical,
  change: { readonly field: string; readonly value: Value; readonly provenance: Provenance },
  moment: Moment,
): void {
  const { field, value, provenance } = change;
  const before = canonicalValue(canonical, field);
  world.touch(canonical, moment.now);
  canonical.values[field] = value;
  canonical.provenance[field] = provenance;
  if (equalValues(before, value)) return;
  const since = moment.now - settings.flipWindowMs;
  const recent: ReadonlyArray<Flip> = (canonical.flips[field] ?? []).filter((flip) => flip.at >= since);
  canonical.flips[field] = [...recent, { value: before, at: moment.now }].slice(
    -flipsKeptPerReturn * settings.flipsMax,
  );
}

/** Makes a link's news canonical and writes down what it replaced. */
export function takeValue(
  world: World,
  settings: Settings,
  canonical: Canonical,
  link: Link,
  change: {
    readonly field: string;
    readonly value: Value;
    readonly provenance: Provenance;
    readonly news: Value;
    readonly note?: Readonly<Record<string, unknown>>;
  },
  moment: Moment,
): void {
  const { field, value, provenance, news, note } = change;
  const before = canonicalValue(canonical, field);
  if (equalValues(before, value)) return;
  world.counts.changed += 1;
  world.log.push({
    ...about(canonical, link, moment),
    kind: "changed",
    set: { [field]: value },
    from: { [field]: before },
    ...(equalValues(news, value) ? {} : { news: { [field]: news } }),
    provenance: { [field]: provenance },
    ...(note === undefined ? {} : { note }),
  });
  setCanonical(world, settings, canonical, { field, value, provenance }, moment);
}

/** Whether the field would come back to this value once too often within the window. */
export function flipsTooOften(
  settings: Settings,
  canonical: Canonical,
  field: string,
  value: Value,
  now: number,
): boolean {
  const since = now - settings.flipWindowMs;
  const returns = (canonical.flips[field] ?? []).filter((flip) => flip.at >= since && equalValues(flip.value, value));
  return returns.length >= settings.flipsMax;
}
