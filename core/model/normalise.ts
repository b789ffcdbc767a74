/**
 * Brings every value to the one form in which values are compared, stored and written.
 *
 * Rule    Pure, total and idempotent. What cannot be read as its type stays as tidy text: nothing is ever lost, and
 *         `problemOf` names it.
 */
import { dateOf, isDate, isInstant, parseInstant } from "./calendar.ts";
import { decimalText, integerOf } from "./decimal.ts";
import type { Field } from "./field.ts";
import { countryText } from "./normalise/country.ts";
import { localeText } from "./normalise/locale.ts";
import { phoneText } from "./normalise/phone.ts";
import { codeText, linesText, lineText, smallCodeText } from "./normalise/text.ts";
import { domainText, urlText } from "./normalise/web.ts";
import { type FieldType, type Group, isGroup, isList, isMoney, type List, type Money, type Value } from "./value.ts";

export { problemOf } from "./normalise/problem.ts";

export interface NormaliseContext {
  /** ISO 3166 alpha-2, for phone numbers without a country code. */
  readonly country: string;
  /** ISO 4217, for amounts without a currency. */
  readonly currency: string;
}

export function normalise(field: Field, value: Value, context: NormaliseContext): Value {
  return value === null || value === "" ? null : normalisers[field.type](value, context);
}

type Normaliser = (value: NonNullable<Value>, context: NormaliseContext) => Value;

const normalisers: Readonly<Record<FieldType, Normaliser>> = {
  text: texts(lineText),
  longtext: texts(linesText),
  email: texts(smallCodeText),
  phone: texts(phoneOf),
  url: texts(urlText),
  domain: texts(domainText),
  taxid: texts(taxIdText),
  integer: (value) => (isScalar(value) ? (integerOf(scalarText(value)) ?? tidyScalar(value)) : value),
  decimal: (value) => (isScalar(value) ? (decimalText(scalarText(value)) ?? tidyScalar(value)) : value),
  money: moneyOf,
  boolean: booleanOf,
  date: texts(dateText),
  instant: instantOf,
  option: texts(lineText),
  locale: texts(localeText),
  owner: texts(smallCodeText),
  set: (value) => listOf(value, lineText, (members) => members.sort()),
  emails: (value) => listOf(value, smallCodeText),
  phones: (value, context) => listOf(value, (text) => phoneText(text, context.country)),
  address: (value) => groupOf(value, addressMember),
  name: (value) => groupOf(value, (_member, text) => lineText(text)),
  reference: (value) => (typeof value === "string" ? value.trim() || null : value),
};

/** Numbers become text where text belongs; anything else of the wrong kind stays, for `problemOf` to name. */
function texts(tidy: (text: string, context: NormaliseContext) => string): Normaliser {
  return (value, context) => {
    if (typeof value === "string") return tidy(value, context) || null;
    return typeof value === "number" ? tidy(decimalText(value) ?? String(value), context) || null : value;
  };
}

function phoneOf(text: string, context: NormaliseContext): string {
  return phoneText(text, context.country);
}

const separators = /[\s\-\u00ad\u2010-\u2015\u2212]/g;

function taxIdText(text: string): string {
  return codeText(text).toUpperCase().normalize("NFC").replace(separators, "");
}

const isScalar = (value: Value): value is string | number => typeof value === "string" || typeof value === "number";

const scalarText = (value: string | number): string | number => (typeof value === "string" ? codeText(value) : value);

const tidyScalar = (value: string | number): Value => (typeof value === "string" ? codeText(value) || null : value);

function moneyOf(value: NonNullable<Value>, context: NormaliseContext): Value {
  if (isScalar(value)) {
    const amount = decimalText(scalarText(value));
    return amount === null ? tidyScalar(value) : { amount, currency: context.currency };
  }
  if (!isMoney(value)) return value;
  const amount = decimalText(codeText(value.amount)) ?? codeText(value.amount);
  const currency = codeText(value.currency).toUpperCase() || context.currency;
  if (amount === "") return null;
  return amount === value.amount && currency === value.currency ? value : ({ amount, currency } satisfies Money);
}

function booleanOf(value: NonNullable<Value>): Value {
  if (typeof value !== "string") return value;
  const text = smallCodeText(value);
  return text === "true" || text === "false" ? text === "true" : text || null;
}

/** Year first only: 3/4/2026 is two different days in two countries. */
const yearFirst = /^(\d{4})(?:[-/.]|年 ?)(\d{1,2})(?:[-/.]|月 ?)(\d{1,2})日?$/;

function dateText(text: string): string {
  const tidy = codeText(text);
  if (isDate(tidy)) return tidy;
  const match = yearFirst.exec(tidy);
  if (match !== null) {
    const [, year = "", month = "", day = ""] = match;
    const date = `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
    return isDate(date) ? date : tidy;
  }
  const ms = parseInstant(tidy);
  return ms === null ? tidy : (dateOf(ms, 0) ?? tidy);
}

function instantOf(value: NonNullable<Value>): Value {
  if (typeof value !== "string") return value;
  const text = codeText(value);
  const ms = parseInstant(text) ?? (epochDigits.test(text) ? Number(text) : null);
  return ms !== null && isInstant(ms) ? ms : text || null;
}

const epochDigits = /^\d{10,16}$/;

/** Without empties and doubles, in order; a single text is a list of one. */
function listOf(
  value: NonNullable<Value>,
  tidy: (text: string) => string,
  order?: (members: Array<string>) => List,
): Value {
  const list = typeof value === "string" ? [value] : value;
  if (!isList(list)) return list;
  const members: Array<string> = [];
  for (const member of list) {
    const tidied = tidy(member);
    if (tidied !== "") members.push(tidied);
  }
  if (members.length === 0) return null;
  const distinct = members.length === 1 ? members : [...new Set(members)];
  return order === undefined ? distinct : order(distinct);
}

/** Empty members are null; members that are not known stay out; a group without any text is null. */
function groupOf(value: NonNullable<Value>, tidy: (member: string, text: string) => string): Value {
  if (!isGroup(value)) return value;
  const group: Record<string, string | null> = {};
  let filled = false;
  for (const member of Object.keys(value)) {
    const text = value[member];
    const tidied = typeof text === "string" ? tidy(member, text) || null : null;
    group[member] = tidied;
    if (tidied !== null) filled = true;
  }
  return filled ? (group satisfies Group) : null;
}

function addressMember(member: string, text: string): string {
  if (member === "country") return countryText(text);
  return member === "street" ? linesText(text) : lineText(text);
}
