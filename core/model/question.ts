/** Takes a person's answer back: the question is open again, with what each system said (SEMANTICS D18, D19). */
import { canonicalValue, setCanonical } from "./canonical.ts";
import { candidatesOf, shownCandidate } from "./dispute.ts";
import { about, type Moment } from "./moment.ts";
import type { Settings } from "./settings.ts";
import { equalValues } from "./value.ts";
import type { Canonical, Conflict, ConflictCandidate, Provenance, World } from "./world.ts";

/** A question that a person has answered, and over which systems still can disagree. */
export function isAnswered(conflict: Conflict): boolean {
  if (conflict.kind !== "value" || conflict.state !== "resolved" || conflict.connection === null) return false;
  const [first, ...others] = conflict.candidates;
  return first !== undefined && others.some((candidate) => !equalValues(candidate.value, first.value));
}

/**
 * The canonical value is again the one that stood while the question was open. A system that still holds what it said
 * is a candidate by that; one that was written over meanwhile by what the row remembers of it. Nothing is pushed.
 */
export function askAgain(
  world: World,
  settings: Settings,
  canonical: Canonical,
  conflict: Conflict,
  moment: Moment,
): void {
  const field = conflict.field ?? "";
  const before = canonicalValue(canonical, field);
  const standing = conflict.previous;
  const told = conflict.candidates.filter((candidate) => candidate.source !== "hub");
  const own = told.find((candidate) => equalValues(candidate.value, standing));
  const provenance: Provenance = { source: own?.source ?? "hub", interval: intervalIn(own) };
  world.log.push({
    ...about(canonical, undefined, moment),
    kind: "changed",
    set: { [field]: standing },
    from: { [field]: before },
    provenance: { [field]: provenance },
    note: { reopened: conflict.id },
  });
  setCanonical(world, settings, canonical, { field, value: standing, provenance }, moment);
  const written: Array<ConflictCandidate> = [];
  for (const candidate of told) {
    const shadows = world
      .liveLinks(canonical.id, candidate.source)
      .filter((link) => candidate.remoteId === undefined || candidate.remoteId === link.remoteId)
      .flatMap((link) => {
        const shadow = link.shadow.fields[field];
        return shadow !== undefined && equalValues(shadow.base, candidate.value) ? [{ link, shadow }] : [];
      });
    if (shadows.length === 0 && candidate !== own) written.push({ ...candidate, asked: true });
    if (equalValues(candidate.value, standing)) continue;
    for (const { link, shadow } of shadows) {
      shadow.lost = { interval: intervalIn(candidate) };
      world.touchLink(link);
    }
  }
  conflict.candidates = [...candidatesOf(world, canonical, field).map(shownCandidate), ...written];
  conflict.state = "reopened";
  conflict.rule = "manual";
  conflict.winner = null;
  conflict.result = standing;
  conflict.reason = "the answer was taken back; a person decides again";
  world.touchConflict(conflict, moment.now);
}

const intervalIn = (candidate: ConflictCandidate | undefined): Provenance["interval"] =>
  candidate === undefined || candidate.lower === null || candidate.upper === null
    ? null
    : { lower: candidate.lower, upper: candidate.upper };
