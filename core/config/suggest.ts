/** "Did you mean …": the known word that a mistyped one is closest to. */

const lengthMax = 64;

/** The closest candidate, if it is close enough to be a slip of the hand. */
export function closest(word: string, candidates: Iterable<string>): string | null {
  let best: string | null = null;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    if (candidate === word) continue;
    const allowed = Math.max(1, Math.floor(Math.max(word.length, candidate.length) / 3));
    const distance = editDistance(fold(word), fold(candidate));
    if (distance <= allowed && distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** A sentence for a remedy: the suggestion, or what there is to choose from. */
export function suggestion(word: string, candidates: ReadonlyArray<string>): string {
  const near = closest(word, candidates);
  if (near !== null) return `Did you mean \`${near}\`?`;
  return candidates.length === 0 ? "Remove it." : `Known here: ${listed(candidates)}.`;
}

const listedMax = 40;

/** Words in one line, with a bound. */
export function listed(words: ReadonlyArray<string>): string {
  const shown = words.slice(0, listedMax).join(", ");
  return words.length > listedMax ? `${shown} and more` : shown;
}

const fold = (word: string): string =>
  word
    .slice(0, lengthMax)
    .toLowerCase()
    .replace(/[-_\s]/g, "");

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
export function editDistance(left: string, right: string): number {
  let before: ReadonlyArray<number> = [];
  let previous: ReadonlyArray<number> = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1];
      let cost = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (row > 1 && column > 1 && swapped) cost = Math.min(cost, (before[column - 2] ?? 0) + 1);
      current.push(cost);
    }
    before = previous;
    previous = current;
  }
  return previous[right.length] ?? 0;
}
