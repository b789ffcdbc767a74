/** Data quality: what is wrong with a normalised value, in one plain sentence that does not repeat the value. */
import { isDate, isInstant } from "../calendar.ts";
import { decimalText, integerOf } from "../decimal.ts";
import type { Field } from "../field.ts";
import { type FieldType, isEmpty, isGroup, isList, isMoney, type List, type Value } from "../value.ts";
import { isCountryCode } from "./country.ts";
import { canonicalLocale } from "./locale.ts";
import { isE164 } from "./phone.ts";
import { creditCodeProblem, isPlaceholder } from "./tax-id.ts";

/** Null when the value is empty or good. */
export function problemOf(field: Field, value: Value): string | null {
  if (value === null || isEmpty(value)) return null;
  return checks[field.type](value);
}

type Check = (value: Value) => string | null;

const addressShape = /^[^\s@<>(),;:"]{1,64}@(?:[^\s@.<>(),;:"]{1,63}\.)+[^\s@.<>(),;:"\d][^\s@.<>(),;:"]{1,62}$/;
const doubtfulDots = /^\.|\.\.|\.@/;
const urlShape = /^https?:\/\/[^\s/?#]+\.[^\s/?#]+/;
const domainShape =
  /^(?=.{3,253}$)(?:[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}])?\.)+[\p{L}\p{M}\p{N}-]{2,63}$/u;
const currencyShape = /^[A-Z]{3}$/;

const checks: Readonly<Record<FieldType, Check>> = {
  text: textProblem,
  longtext: textProblem,
  email: inText(emailProblem),
  phone: inText(phoneProblem),
  url: inText((text) => (urlShape.test(text) ? null : "This is not a web address.")),
  domain: inText((text) => (domainShape.test(text) ? null : "This is not an internet domain.")),
  taxid: inText(taxIdProblem),
  integer: (value) => (isScalar(value) && integerOf(value) !== null ? null : "This is not a whole number."),
  decimal: (value) => (isScalar(value) && decimalText(value) !== null ? null : "This is not a number."),
  money: moneyProblem,
  boolean: (value) => (typeof value === "boolean" ? null : "This is neither true nor false."),
  date: inText((text) => (isDate(text) ? null : "This is not a date that the calendar has.")),
  instant: (value) => (typeof value === "number" && isInstant(value) ? null : "This is not a date and time."),
  option: textProblem,
  locale: inText((text) => (canonicalLocale(text) === text ? null : "This is not a language tag such as zh-CN.")),
  owner: inText(emailProblem),
  set: (value) => (isList(value) ? null : "This is not a list."),
  emails: inList(emailProblem),
  phones: inList(phoneProblem),
  address: (value) => {
    if (!isGroup(value)) return "This is not an address.";
    const { country } = value;
    return country === undefined || country === null || isCountryCode(country) ? null : "The country is not known.";
  },
  name: (value) => (isGroup(value) ? null : "This is not a name."),
  reference: textProblem,
};

const isScalar = (value: Value): value is string | number => typeof value === "string" || typeof value === "number";

function textProblem(value: Value): string | null {
  return typeof value === "string" ? null : "This is not text.";
}

function inText(check: (text: string) => string | null): Check {
  return (value) => (typeof value === "string" ? check(value) : "This is not text.");
}

function inList(check: (text: string) => string | null): Check {
  return (value) => (isList(value) ? firstProblem(value, check) : "This is not a list.");
}

function firstProblem(members: List, check: (text: string) => string | null): string | null {
  for (const [index, member] of members.entries()) {
    const problem = check(member);
    if (problem !== null) return members.length === 1 ? problem : `Number ${index + 1} of the list: ${problem}`;
  }
  return null;
}

function emailProblem(text: string): string | null {
  return addressShape.test(text) && !doubtfulDots.test(text) ? null : "This is not an e-mail address.";
}

function phoneProblem(text: string): string | null {
  return isE164(text) ? null : "This cannot be read as a phone number.";
}

/** VAT numbers are not checked: only the countries' own services know which are given out. */
function taxIdProblem(text: string): string | null {
  if (isPlaceholder(text)) return "This looks like a placeholder, not a tax number.";
  return creditCodeProblem(text);
}

function moneyProblem(value: Value): string | null {
  if (!isMoney(value)) return "This is not an amount.";
  if (decimalText(value.amount) === null) return "The amount is not a number.";
  return currencyShape.test(value.currency) ? null : "The currency is not a code such as CNY.";
}
