/**
 * By what a record that is in a system already would be found before one is made there: the hub's id, and every match
 * key in every remote field that may hold it (SEMANTICS D12). Systems compare texts, not meanings, so a look-up casts
 * wide, and what comes back is compared again by its match keys.
 */
import { domainToASCII } from "node:url";
import { pathNames, Refusal } from "./codec.ts";
import type { Entity } from "./field.ts";
import { type MatchKey, matchKeys } from "./match-keys.ts";
import { phoneForms } from "./normalise/phone.ts";
import type { Criterion, RemoteRecord } from "./record.ts";
import { decodeRecord, encodeValue, fieldOf, type Settings, type Side } from "./settings.ts";
import type { Value } from "./value.ts";
import type { Canonical } from "./world.ts";

interface Place {
  readonly field: string;
  readonly how: "equals" | "contains";
}

/** The canonical fields that a key may come from. */
const places: Readonly<Record<Entity, Partial<Record<MatchKey["kind"], ReadonlyArray<Place>>>>> = {
  account: {
    taxId: [{ field: "taxId", how: "equals" }],
    domain: [
      { field: "domain", how: "equals" },
      { field: "website", how: "contains" },
      { field: "email", how: "contains" },
    ],
    email: [{ field: "email", how: "equals" }],
    phone: [{ field: "phone", how: "equals" }],
  },
  contact: {
    email: [{ field: "emails", how: "equals" }],
    phone: [
      { field: "mobile", how: "equals" },
      { field: "phones", how: "equals" },
    ],
    login: [{ field: "login", how: "equals" }],
  },
};

/** Shape   without doubles; empty where the side holds neither the hub's id nor any key of this canonical. */
export function criteriaFor(settings: Settings, side: Side, canonical: Canonical): ReadonlyArray<Criterion> {
  const criteria = new Map<string, Criterion>();
  const add = (criterion: Criterion): void => {
    criteria.set(JSON.stringify([criterion.field, criterion.how ?? "equals", criterion.value]), criterion);
  };
  if (side.keyField !== undefined) add({ field: side.keyField, value: canonical.id });
  const keys = keysOf(settings, side, canonical.values);
  const domain = keys.find((key) => key.kind === "domain")?.value;
  for (const key of keys) {
    // An address at the company's own domain is found with all others there.
    if (key.kind === "email" && isAddressAt(key.value, domain)) continue;
    for (const { field, how } of places[side.entity][key.kind] ?? []) {
      const names = pathNames(side.rules.get(field)?.path ?? []);
      for (const value of textsOf(settings, side, { key, field, how })) {
        for (const name of names) add(how === "equals" ? { field: name, value } : { field: name, value, how });
      }
    }
  }
  return [...criteria.values()];
}

/** Whether a record that was found is one of those that were looked for, and not merely alike in its letters. */
export function isSought(
  settings: Settings,
  side: Side,
  sought: ReadonlyArray<Canonical>,
): (record: RemoteRecord) => boolean {
  const ids = new Set(sought.map((canonical) => canonical.id));
  const wanted = new Set(sought.flatMap((canonical) => keysOf(settings, side, canonical.values).map(textOfKey)));
  return (record) => {
    const hubId = side.keyField === undefined ? undefined : record.fields[side.keyField];
    if (typeof hubId === "string" && ids.has(hubId)) return true;
    const { values } = decodeRecord(settings, side, record.fields);
    return keysOf(settings, side, values).some((key) => wanted.has(textOfKey(key)));
  };
}

const isAddressAt = (address: string, domain: string | undefined): boolean =>
  domain !== undefined && (address.endsWith(`@${domain}`) || address.endsWith(`.${domain}`));

const textOfKey = ({ kind, value }: MatchKey): string => `${kind}\n${value}`;

function keysOf(settings: Settings, side: Side, values: Readonly<Record<string, Value>>): ReadonlyArray<MatchKey> {
  const wanted = new Set<string>(settings.match[side.entity]);
  return matchKeys(side.entity, values).filter((key) => wanted.has(key.kind));
}

/** The texts under which the system may hold a key in this field. */
function textsOf(
  settings: Settings,
  side: Side,
  { key, field, how }: Place & { readonly key: MatchKey },
): ReadonlyArray<string> {
  if (!side.rules.has(field)) return [];
  if (how === "contains") return withAsciiForm(key.value);
  const { type } = fieldOf(settings, side.entity, field) ?? {};
  const encoded = encodeValue(side, field, type === "emails" || type === "phones" ? [key.value] : key.value);
  if (encoded instanceof Refusal) return [];
  const own = Object.values(encoded).filter((raw) => typeof raw === "string" && raw !== "") as ReadonlyArray<string>;
  if (key.kind === "phone") return [...new Set([...own, ...phoneForms(key.value)])];
  return key.kind === "domain" ? [...new Set([...own, ...withAsciiForm(key.value)])] : own;
}

function withAsciiForm(domain: string): ReadonlyArray<string> {
  const ascii = domainToASCII(domain);
  return ascii === "" || ascii === domain ? [domain] : [domain, ascii];
}
