/** The keys by which two records are known to be the same organisation or person. */
import type { Entity } from "./field.ts";
import { sharedDomains } from "./free-mail.ts";
import { isE164 } from "./normalise/phone.ts";
import { isPlaceholder } from "./normalise/tax-id.ts";
import { domainText } from "./normalise/web.ts";
import { isList, type Value, type Values } from "./value.ts";

export interface MatchKey {
  readonly kind: "taxId" | "domain" | "email" | "phone" | "login";
  readonly value: string;
}

/** Shape   normalised values go in; the keys come without doubles, in a fixed order. */
export function matchKeys(entity: Entity, values: Values): ReadonlyArray<MatchKey> {
  return entity === "account" ? accountKeys(values) : contactKeys(values);
}

function accountKeys(values: Values): ReadonlyArray<MatchKey> {
  const keys: Array<MatchKey> = [];
  const taxId = textOf(values.taxId);
  if (taxId !== null && !isPlaceholder(taxId)) keys.push({ kind: "taxId", value: taxId });
  const email = emailOf(values.email);
  const domain = ownDomain(values.domain) ?? ownDomain(values.website) ?? ownDomain(email);
  if (domain !== null) keys.push({ kind: "domain", value: domain });
  if (email !== null) keys.push({ kind: "email", value: email });
  const phone = phoneOf(values.phone);
  if (phone !== null) keys.push({ kind: "phone", value: phone });
  return keys;
}

function contactKeys(values: Values): ReadonlyArray<MatchKey> {
  const keys: Array<MatchKey> = [];
  for (const member of membersOf(values.emails)) add(keys, "email", emailOf(member));
  add(keys, "phone", phoneOf(values.mobile));
  for (const member of membersOf(values.phones)) add(keys, "phone", phoneOf(member));
  add(keys, "login", textOf(values.login)?.toLowerCase() ?? null);
  return keys;
}

function add(keys: Array<MatchKey>, kind: MatchKey["kind"], value: string | null): void {
  if (value !== null && !keys.some((key) => key.kind === kind && key.value === value)) keys.push({ kind, value });
}

const textOf = (value: Value | undefined): string | null => (typeof value === "string" && value !== "" ? value : null);

const membersOf = (value: Value | undefined): ReadonlyArray<string> => (isList(value) ? value : []);

function emailOf(value: Value | undefined): string | null {
  const text = textOf(value);
  return text?.includes("@") ? text : null;
}

/** Only a number that was read with certainty; two texts that look alike prove nothing. */
function phoneOf(value: Value | undefined): string | null {
  const text = textOf(value);
  return text !== null && isE164(text) ? text : null;
}

/** A domain that belongs to the organisation alone. */
function ownDomain(value: Value | undefined): string | null {
  const text = textOf(value);
  if (text === null) return null;
  const domain = domainText(text);
  return domain.includes(".") && !domain.includes("/") && !isAddress(domain) && !sharedDomains.has(domain)
    ? domain
    : null;
}

const numericHost = /^[\d.:[\]]+$/;
const isAddress = (host: string): boolean => numericHost.test(host) || host.includes("@") || host.includes(" ");
