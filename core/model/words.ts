/** Whole words of a name, for searching names through a blind index: the index knows equal words, not parts of words. */
import { isHan, splitName } from "./names.ts";

/** More words than a name has; the rest of a longer text is not searched. */
const wordsMax = 32;
const lengthMax = 500;

const between = /[^\p{L}\p{N}]+/u;
const runs = /\p{Script=Han}+|[^\p{Script=Han}]+/gu;
const marks = /\p{M}/gu;

/** Letters that Unicode does not take apart into a base letter and an accent. */
const plainLetters: Readonly<Record<string, string>> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  ł: "l",
  đ: "d",
  ð: "d",
  þ: "th",
  ı: "i",
};
const oddLetters = /[ßæœøłđðþı]/g;

/**
 * Latin words in small letters without accents; of a Chinese name the whole, the family and the given name.
 *
 * Shape   the same for a name and for what a person types to find it; without doubles, at most 32.
 */
export function wordsOf(text: string): ReadonlyArray<string> {
  const folded = fold(text.slice(0, lengthMax).toWellFormed());
  const words = new Set<string>();
  const pieces = folded.split(between).filter((piece) => piece !== "");
  // 王 小明 is typed with a space too, and is the same name as 王小明.
  if (pieces.length > 1 && isHan(pieces.join(""))) words.add(pieces.join(""));
  for (const piece of pieces) {
    for (const run of piece.match(runs) ?? []) {
      words.add(run);
      if (isHan(run) && pieces.length === 1) addParts(words, run);
    }
  }
  return [...words].slice(0, wordsMax);
}

function addParts(words: Set<string>, name: string): void {
  const parts = splitName(name);
  if (parts?.family) words.add(parts.family);
  if (parts?.given) words.add(parts.given);
}

function fold(text: string): string {
  const plain = text.normalize("NFKD").replace(marks, "").toLowerCase().normalize("NFKC");
  return plain.replace(oddLetters, (letter) => plainLetters[letter] ?? letter);
}
