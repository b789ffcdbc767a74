/** What can be told of a tax or company number without asking anyone. */

const alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY";
const numberOf: ReadonlyMap<string, number> = new Map([...alphabet].map((character, index) => [character, index]));
const weights = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
const looksLikeCreditCode = /^[0-9A-Z]{18}$/;

/**
 * What is wrong with an 18-character 统一社会信用代码; null for a good one and for numbers of another shape.
 *
 * Source  GB 32100-2015, section 4 and annex A: weights 3^i mod 31, the last character makes the sum divisible by 31.
 */
export function creditCodeProblem(text: string): string | null {
  if (!looksLikeCreditCode.test(text)) return null;
  let sum = 0;
  for (const [index, weight] of weights.entries()) {
    const value = numberOf.get(text.charAt(index));
    if (value === undefined) return "The 统一社会信用代码 holds a letter that is never used in it (I, O, S, V, Z).";
    sum += value * weight;
  }
  const expected = (31 - (sum % 31)) % 31;
  return numberOf.get(text.charAt(17)) === expected
    ? null
    : "The last character of the 统一社会信用代码 does not fit the others.";
}

const digits = /\d/g;
const lengthMin = 5;
const knownPlaceholders: ReadonlySet<string> = new Set([
  "12345",
  "123456",
  "1234567",
  "12345678",
  "123456789",
  "1234567890",
]);

/** Too short, without digits, or the same digit all along: what people type when a form demands a number. */
export function isPlaceholder(text: string): boolean {
  const found = text.match(digits);
  if (found === null || text.length < lengthMin) return true;
  return new Set(found).size === 1 || knownPlaceholders.has(found.join(""));
}
