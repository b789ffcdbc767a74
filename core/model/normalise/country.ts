/** Countries as ISO 3166 alpha-2, from codes and from their English and Chinese names. */
import { countryAliases } from "./country-aliases.ts";
import { codeText, lineText } from "./text.ts";

let codesByName: ReadonlyMap<string, string> | undefined;
let codes: ReadonlySet<string> | undefined;

const upperCode = /^[A-Z]{2}$/;
const marks = /\p{M}/gu;
const dots = /[.]/g;
const article = /^the /;

/** The code of a known country; other text stays. */
export function countryText(text: string): string {
  if (upperCode.test(text) && isCountryCode(text)) return text;
  const known = answers.get(text);
  if (known !== undefined) return known;
  codesByName ??= tableOfNames();
  const answer = codesByName.get(fold(text)) ?? lineText(text);
  if (answers.size >= answersMax) answers.clear();
  answers.set(text, answer);
  return answer;
}

/** Few spellings are in use; the bound is against floods of wrong ones. */
const answers = new Map<string, string>();
const answersMax = 1000;

export function isCountryCode(text: string): boolean {
  codes ??= allCodes();
  return codes.has(text);
}

/** Codes that ISO reserves or CLDR invents, which are no countries. */
const notCountries: ReadonlySet<string> = new Set("AC CP CQ DG EA EU EZ IC QO TA UN XA XB ZZ".split(" "));

const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];

function allCodes(): ReadonlySet<string> {
  const english = new Intl.DisplayNames("en", { type: "region", fallback: "none" });
  const found = new Set<string>();
  for (const first of letters) {
    for (const second of letters) {
      const code = first + second;
      // Withdrawn codes such as SU have a name too, but are not their own canonical form.
      const current = Intl.getCanonicalLocales(`und-${code}`)[0] === `und-${code}`;
      if (current && !notCountries.has(code) && english.of(code) !== undefined) found.add(code);
    }
  }
  return found;
}

function tableOfNames(): ReadonlyMap<string, string> {
  codes ??= allCodes();
  const table = new Map<string, string>();
  const languages = ["en", "zh-Hans", "zh-Hant"];
  const styles = ["long", "short"] as const;
  for (const style of styles) {
    for (const language of languages) {
      const names = new Intl.DisplayNames(language, { type: "region", style, fallback: "none" });
      for (const code of codes) {
        const name = names.of(code);
        if (name !== undefined) table.set(fold(name), code);
      }
    }
  }
  for (const code of codes) table.set(fold(code), code);
  for (const [name, code] of Object.entries(countryAliases)) table.set(fold(name), code);
  return table;
}

/** Without accents, case, dots and articles, so that "the U.S.A." and "usa" meet. */
function fold(name: string): string {
  const plain = codeText(name).toLowerCase().normalize("NFKD").replace(marks, "").replace(dots, "");
  return plain.replaceAll("’", "'").replaceAll(" & ", " and ").replace(article, "").trim();
}
