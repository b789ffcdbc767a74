/**
 * Takes secrets and personal values out of a text that was not written by the hub alone, such as the reason that a
 * system gave.
 *
 * It is the second line of defence: what the hub writes itself holds ids, counts and states only.
 */
export type Redact = (text: string) => string;

const hidden = "•••";
const lengthMax = 400;
/** Patterns are sought in that many characters. */
const lookedAtMax = 4_000;

const patterns: ReadonlyArray<readonly [RegExp, string]> = [
  // API keys of the hub, and JSON Web Tokens.
  [/\bsyn[_-][A-Za-z0-9_-]{8,}/g, hidden],
  [/\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.?[A-Za-z0-9_-]*/g, hidden],
  [/\bwhsec_[A-Za-z0-9+/=_-]+/g, hidden],
  [/\b(bearer|basic|zoho-oauthtoken)\s+[^\s"',;]+/gi, `$1 ${hidden}`],
  [/\b1000\.[0-9a-f]{16,}\.[0-9a-f]{16,}/gi, hidden],
  [/\b((?:[a-z_-]*(?:token|secret|passw(?:or)?d|api_?key|signature))["']?\s*[=:]\s*["']?)[^\s"'&,;]+/gi, `$1${hidden}`],
  [/[\p{L}\p{N}._%+-]+@[\p{L}\p{N}.-]+\.\p{L}{2,}/gu, hidden],
  // Phone numbers: with a plus, and mobile numbers of mainland China. Longer rows of digits are ids.
  [/\+\d[\d ().-]{6,}\d/g, hidden],
  [/(?<![\d.])1[3-9]\d{9}(?!\d)/g, hidden],
  // Nothing that people should read is a mixed word of 40 letters and digits.
  [/\b(?=[A-Za-z0-9_+-]*\d)(?=[A-Za-z0-9_+-]*[A-Za-z])[A-Za-z0-9_+-]{40,}={0,2}/g, hidden],
];

/** `secrets`: those that are known, the longest first; asked for each text, because a reload changes them. */
export function createRedact(secrets: () => ReadonlyArray<string>): Redact {
  return (text) => {
    let clean = text;
    for (const secret of secrets()) clean = clean.replaceAll(secret, hidden);
    if (clean.length > lookedAtMax) clean = clean.slice(0, lookedAtMax).replace(/\S*$/, "");
    for (const [pattern, instead] of patterns) clean = clean.replace(pattern, instead);
    return clean.length > lengthMax ? `${clean.slice(0, lengthMax)}…` : clean;
  };
}
