/** Phone numbers as E.164, with an extension as `;ext=12`; what cannot be read with certainty stays as it was typed. */
import { type CountryCode, getCountries, type PhoneNumber, parsePhoneNumberFromString } from "libphonenumber-js/core";
import metadata from "libphonenumber-js/min/metadata";
import { codeText } from "./text.ts";

// Records that were normalised once come back by the thousand, so this shape is taken without parsing.
const e164 = /^\+[1-9]\d{5,14}(?:;ext=\d{1,7})?$/;

const scheme = /^tel:/i;
const digit = /\d/;
/** 021-62345678-8001, 021-62345678转8001: how extensions are written in China. */
const chineseExtension = /^(.*\d) ?(?:转|轉|分机|分機) ?(\d{1,6})$/;
const dashedExtension = /^(\(?0\d{2,3}\)?[- ]?\d{7,8})-(\d{1,6})$/;
/** With a trunk zero, a mobile number, or a 400 or 800 number; a bare local number lacks its area code. */
const chineseNational = /^(?:0|86|1[3-9]\d{9}$|[48]00\d{7}$)/;
const notDigits = /\D/g;

/** The longest text that is tried as a number; E.164 has 15 digits, the rest is punctuation and an extension. */
const lengthMax = 60;

export const isE164 = (text: string): boolean => e164.test(text);

/** `country` is ISO 3166 alpha-2; it says what a number without a country code means. */
export function phoneText(text: string, country: string): string {
  if (e164.test(text)) return text;
  const tidy = codeText(text);
  if (tidy.length > lengthMax || !digit.test(tidy)) return tidy;
  const bare = tidy.replace(scheme, "");
  const number = parse(withExtension(bare, country), country);
  if (number === undefined || !isCertain(number, bare, country)) return tidy;
  const canonical = number.ext === undefined ? number.number : `${number.number};ext=${number.ext}`;
  return e164.test(canonical) ? canonical : tidy;
}

/**
 * How people and systems write a number that is known in canonical form, so that it can be looked for as text: with and
 * without the country code, with the usual groups and dashes, and in one piece. Numbers with an extension stay whole.
 */
export function phoneForms(canonical: string): ReadonlyArray<string> {
  const number = canonical.includes(";") ? undefined : parse(canonical, "");
  if (number === undefined) return [canonical];
  const national = number.formatNational();
  const [area = "", ...rest] = national.split(notDigits).filter((group) => group !== "");
  return [
    ...new Set([
      canonical,
      canonical.slice(1),
      number.formatInternational(),
      national,
      [area, ...rest].join(""),
      [area, ...rest].join("-"),
      rest.length === 0 ? area : `${area}-${rest.join("")}`,
    ]),
  ];
}

const countries: ReadonlySet<string> = new Set(getCountries(metadata));

const isCountry = (code: string): code is CountryCode => countries.has(code);

function parse(text: string, country: string): PhoneNumber | undefined {
  const options = isCountry(country) ? { defaultCountry: country, extract: false } : { extract: false };
  return parsePhoneNumberFromString(text, options, metadata);
}

/** With a country code a possible length is enough; without one, the number must fit the country's plan. */
function isCertain(number: PhoneNumber, text: string, country: string): boolean {
  if (text.startsWith("+")) return number.isPossible();
  if (!number.isValid()) return false;
  // The short metadata knows no area codes, so it takes a local number for a national one.
  return country !== "CN" || number.country !== "CN" || chineseNational.test(text.replace(notDigits, ""));
}

function withExtension(text: string, country: string): string {
  const match = chineseExtension.exec(text) ?? (country === "CN" ? dashedExtension.exec(text) : null);
  return match === null ? text : `${match[1]} ext. ${match[2]}`;
}
