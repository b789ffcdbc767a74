/**
 * Names of remote fields: a SCIM attribute, a part of one, or one of several values.
 *
 *   userName                               an attribute
 *   name.givenName                         a part of it
 *   urn:…:enterprise:2.0:User:department   an attribute of an extension
 *   phoneNumbers[type eq "mobile"].value   the part of the value of a type
 *   emails[1]                              the first value, the primary one before the others
 *
 * Numbers count what people would call the first, the second: of phone numbers those that no other name means.
 */
import { isJson, isTrue, type Json, member, textIn } from "./json.ts";

export interface Place {
  readonly urn: string | null;
  readonly attribute: string;
  readonly type: string | null;
  /** 1 is the first. */
  readonly index: number | null;
  readonly part: string | null;
}

export function placeOf(name: string): Place {
  const urn = /^(urn:.+):([^:]+)$/i.exec(name);
  const rest = urn?.[2] ?? name;
  const picked = /^([^[.]+)\[(?:(\d+)|type eq "([^"]*)")\](?:\.(.+))?$/.exec(rest);
  if (picked !== null) {
    const [, attribute = "", index, type, part] = picked;
    return {
      urn: urn?.[1] ?? null,
      attribute,
      type: type ?? null,
      index: index === undefined ? null : Number(index),
      part: part ?? null,
    };
  }
  const dot = rest.indexOf(".");
  return {
    urn: urn?.[1] ?? null,
    attribute: dot < 0 ? rest : rest.slice(0, dot),
    type: null,
    index: null,
    part: dot < 0 ? null : rest.slice(dot + 1),
  };
}

/** Phone numbers of these types are not among the numbered ones. */
const apart: Readonly<Record<string, ReadonlySet<string>>> = {
  phoneNumbers: new Set(["mobile", "fax", "pager"]),
};

/** The whole attribute, as it stands. */
export const attributeIn = (resource: Json, { urn, attribute }: Pick<Place, "urn" | "attribute">): unknown =>
  member(urn === null ? resource : member(resource, urn), attribute);

/** A field of a resource; null where it is empty. */
export function fieldOf(resource: Json, name: string): unknown {
  const place = placeOf(name);
  const { attribute, type, index, part } = place;
  const value = attributeIn(resource, place);
  if (index !== null) return plain(attribute, partOf(numbered(attribute, value)[index - 1], part ?? "value"));
  if (type !== null) return plain(attribute, partOf(ofType(value, type), part ?? "value"));
  if (part !== null) return plain(attribute, partOf(Array.isArray(value) ? inOrder(value)[0] : value, part));
  if (Array.isArray(value)) return value.map((element) => (isJson(element) ? member(element, "value") : element));
  return plain(attribute, isJson(value) ? (member(value, "value") ?? null) : value);
}

const partOf = (element: unknown, part: string): unknown =>
  isJson(element) ? member(element, part) : part === "value" ? element : undefined;

/** Several providers send true as a text. */
const plain = (attribute: string, value: unknown): unknown => {
  if (value === undefined || value === null || value === "") return null;
  const isFlag = attribute === "active" || attribute === "emailOptOut";
  return isFlag && typeof value === "string" ? isTrue(value) : value;
};

const elementsOf = (value: unknown): ReadonlyArray<unknown> =>
  Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];

const isPrimary = (element: unknown): boolean => isTrue(member(element, "primary"));

const inOrder = (value: unknown): ReadonlyArray<unknown> => {
  const elements = elementsOf(value);
  return [...elements.filter(isPrimary), ...elements.filter((element) => !isPrimary(element))];
};

const typeOf = (element: unknown): string => (textIn(element, "type") ?? "").toLowerCase();

const numbered = (attribute: string, value: unknown): ReadonlyArray<unknown> =>
  inOrder(value).filter((element) => apart[attribute]?.has(typeOf(element)) !== true);

const ofType = (value: unknown, type: string): unknown =>
  elementsOf(value).find((element) => typeOf(element) === type.toLowerCase());

/** What stands in a resource that is written: the attributes that fields touch, as they are to be. */
export interface Touched {
  readonly urn: string | null;
  readonly attribute: string;
  /** Undefined clears it. */
  readonly value: unknown;
}

/** The attributes that these fields make of a resource; each stands once, whole. */
export function touchedBy(resource: Json, fields: Readonly<Record<string, unknown>>): ReadonlyArray<Touched> {
  const groups = new Map<string, { readonly place: Place; readonly sets: Array<readonly [Place, unknown]> }>();
  for (const [name, value] of Object.entries(fields)) {
    const place = placeOf(name);
    const key = `${place.urn ?? ""}\n${place.attribute}`;
    const group = groups.get(key) ?? { place, sets: [] };
    group.sets.push([place, value]);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ place, sets }) => {
    const { urn, attribute } = place;
    return { urn, attribute, value: cleared(written(attribute, attributeIn(resource, place), sets)) };
  });
}

function written(attribute: string, before: unknown, sets: ReadonlyArray<readonly [Place, unknown]>): unknown {
  let value = before;
  for (const [{ type, index, part }, given] of sets) {
    if (index !== null) continue;
    if (type !== null) value = withType(value, type, part ?? "value", given);
    else if (part !== null) value = withPart(isJson(value) ? value : {}, part, given);
    else value = Array.isArray(given) && elementsOf(before).some(isJson) ? given.map((one) => ({ value: one })) : given;
  }
  const slots = sets.flatMap(([{ index }, given]) => (index === null ? [] : [[index, given] as const]));
  return slots.length === 0 ? value : withSlots(attribute, value, slots);
}

function withPart(element: Json, part: string, given: unknown): Json {
  const { [keyIn(element, part)]: _before, ...rest } = element;
  return isEmpty(given) ? rest : { ...rest, [keyIn(element, part)]: given };
}

const keyIn = (element: Json, name: string): string =>
  Object.keys(element).find((key) => key.toLowerCase() === name.toLowerCase()) ?? name;

function withType(value: unknown, type: string, part: string, given: unknown): ReadonlyArray<unknown> {
  const elements = elementsOf(value);
  const known = ofType(value, type);
  const element = withPart(isJson(known) ? known : { type }, part, given);
  const isBare = Object.keys(element).every((key) => key === "type" || key === "primary");
  if (known === undefined) return isBare ? elements : [...elements, element];
  return elements.flatMap((one) => (one === known ? (isBare ? [] : [element]) : [one]));
}

/** The numbered values become these; what has no number stays, and an element keeps what else it says. */
function withSlots(
  attribute: string,
  value: unknown,
  slots: ReadonlyArray<readonly [index: number, given: unknown]>,
): ReadonlyArray<unknown> {
  const last = Math.max(...slots.map(([index]) => index));
  const before = numbered(attribute, value);
  const wanted = new Map(slots);
  const texts = Array.from({ length: last }, (_, at) =>
    wanted.has(at + 1) ? wanted.get(at + 1) : partOf(before[at], "value"),
  ).filter((text) => !isEmpty(text));
  const beyond = before.slice(last).filter((element) => !texts.includes(partOf(element, "value")));
  const kept = elementsOf(value).filter((element) => !before.includes(element));
  const made = texts.map((text, at) => {
    const known = before.find((element) => sameText(partOf(element, "value"), text));
    return known === undefined ? { value: text, type: at === 0 ? "work" : "other" } : known;
  });
  const all = [...made, ...beyond];
  const first = all[0];
  // Whoever was the primary one stays it only as the first.
  const isMoved = all.some((element, at) => at > 0 && isPrimary(element));
  return [
    ...all.map((element) => {
      if (!isMoved || !isJson(element)) return element;
      return element === first ? { ...element, primary: true } : { ...element, primary: false };
    }),
    ...kept,
  ];
}

const sameText = (one: unknown, other: unknown): boolean =>
  typeof one === "string" && typeof other === "string" && one.toLowerCase() === other.toLowerCase();

const isEmpty = (value: unknown): boolean =>
  value === null || value === undefined || value === "" || (Array.isArray(value) && value.length === 0);

function cleared(value: unknown): unknown {
  if (isEmpty(value)) return undefined;
  return isJson(value) && Object.keys(value).length === 0 ? undefined : value;
}

/** A whole resource with the touched attributes in it, as PUT and POST send it. */
export function withTouched(resource: Json, touched: ReadonlyArray<Touched>): Json {
  let whole: Json = resource;
  for (const { urn, attribute, value } of touched) {
    if (urn === null) whole = withMember(whole, attribute, value);
    else {
      const extension = member(whole, urn);
      const inner = withMember(isJson(extension) ? extension : {}, attribute, value);
      whole = withMember(whole, urn, Object.keys(inner).length === 0 ? undefined : inner);
    }
  }
  return whole;
}

function withMember(object: Json, name: string, value: unknown): Json {
  const { [keyIn(object, name)]: _before, ...rest } = object;
  return value === undefined ? rest : { ...rest, [keyIn(object, name)]: value };
}
