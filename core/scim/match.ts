/**
 * Whether a resource meets a filter: the tree is bound to a type once, and then asked of any number of resources.
 *
 * A multi-valued attribute meets a condition when any of its values does; a bracket asks all of its conditions of one and
 * the same element (RFC 7644, section 3.4.2.2). A missing value meets `ne` and `eq null`, and nothing else.
 */
import { badRequest } from "./error.ts";
import type { Filter, Literal, Operator } from "./filter.ts";
import { extensionNamed, type Place, placeOf } from "./path.ts";
import {
  type Attribute,
  isObject,
  type ResourceType,
  type Schema,
  type ScimObject,
  type ScimValue,
  valueAt,
  valueAttribute,
} from "./schema.ts";

export type Test = (resource: ScimObject) => boolean;

/**
 * Errors  throws a ScimError of type `invalidFilter` for an attribute that the type does not have, or an operator that
 *         does not fit it.
 */
export function bindFilter(type: ResourceType, filter: Filter): Test {
  switch (filter.kind) {
    case "and": {
      const parts = filter.parts.map((part) => bindFilter(type, part));
      return (resource) => parts.every((part) => part(resource));
    }
    case "or": {
      const parts = filter.parts.map((part) => bindFilter(type, part));
      return (resource) => parts.some((part) => part(resource));
    }
    case "not": {
      const part = bindFilter(type, filter.part);
      return (resource) => !part(resource);
    }
    case "present": {
      const extension = extensionNamed(type, filter.path);
      if (extension !== undefined) return (resource) => isFilled(resource[extension.id]);
      const { schema, attribute, sub } = placeIn(type, filter.path);
      return (resource) => partsOf(valueAt(resource, schema, attribute), sub).some(isFilled);
    }
    case "compare":
      return bindComparison(type, filter);
    case "element": {
      const { schema, attribute, sub } = placeIn(type, filter.path);
      if (sub !== null) throw badRequest("invalidFilter", `${filter.path} has no elements.`);
      const matches = bindElement(attribute, filter.filter);
      const behind = filter.sub === null ? null : bindElement(attribute, filter.sub);
      return (resource) =>
        elementsOf(valueAt(resource, schema, attribute)).some(
          (element) => matches(element) && (behind === null || behind(element)),
        );
    }
  }
}

/** A filter over the elements of one attribute, as in a bracket. */
export function bindElement(attribute: Attribute, filter: Filter): (element: ScimValue) => boolean {
  // The bracket is bound as if its attribute's parts were a type of their own.
  const schema: Schema = {
    id: "",
    name: attribute.name,
    description: "",
    attributes: attribute.subAttributes ?? [{ ...attribute, name: "value", multiValued: false }],
  };
  if (hasElement(filter)) throw badRequest("invalidFilter", "A bracket cannot stand in a bracket.");
  const inner = { name: attribute.name, endpoint: "", description: "", schema, extensions: [] };
  const test = bindFilter(inner, filter);
  return (element) => test(isObject(element) ? (element as ScimObject) : { value: element });
}

const hasElement = (filter: Filter): boolean => {
  if (filter.kind === "element") return true;
  if (filter.kind === "not") return hasElement(filter.part);
  return "parts" in filter && filter.parts.some(hasElement);
};

function placeIn(type: ResourceType, path: string): Place {
  const place = placeOf(type, path);
  if (place === undefined) throw badRequest("invalidFilter", `${type.name} has no attribute ${shown(path)}.`);
  if (place.attribute.returned === "never" || place.sub?.returned === "never") {
    throw badRequest("invalidFilter", `Nothing is found by ${place.attribute.name}.`);
  }
  return place;
}

/** What came from outside stands in an answer only so far. */
const shown = (path: string): string => (path.length > 80 ? `${path.slice(0, 80)}…` : path);

function bindComparison(
  type: ResourceType,
  { path, operator, value }: Extract<Filter, { readonly kind: "compare" }>,
): Test {
  const { schema, attribute, sub } = placeIn(type, path);
  const leaf = sub ?? (attribute.type === "complex" ? valueAttribute(attribute) : attribute);
  if (leaf === undefined || leaf.type === "complex") {
    throw badRequest("invalidFilter", `${shown(path)} has parts; name one of them.`);
  }
  const compare = comparisonOf(leaf, operator, value);
  const part = sub ?? (leaf === attribute ? null : leaf);
  const meetsNothing = value === null ? operator === "eq" : operator === "ne";
  if (part === null && !attribute.multiValued) {
    return (resource) => {
      const held = valueAt(resource, schema, attribute);
      return held === undefined ? meetsNothing : compare(held);
    };
  }
  return (resource) => {
    const values = partsOf(valueAt(resource, schema, attribute), part).filter((one) => one !== undefined);
    return values.length === 0 ? meetsNothing : values.some(compare);
  };
}

type Compare = (value: ScimValue) => boolean;

const ordering: ReadonlySet<Operator> = new Set(["gt", "ge", "lt", "le"]);
const parting: ReadonlySet<Operator> = new Set(["co", "sw", "ew"]);

function comparisonOf(leaf: Attribute, operator: Operator, literal: Literal): Compare {
  if (literal === null) {
    if (operator === "eq") return () => false;
    if (operator === "ne") return () => true;
    throw misfit(leaf, operator);
  }
  switch (leaf.type) {
    case "boolean": {
      const wanted = typeof literal === "string" ? booleanOf(literal) : literal;
      if (typeof wanted !== "boolean" || (operator !== "eq" && operator !== "ne")) throw misfit(leaf, operator);
      return (value) => (value === wanted) === (operator === "eq");
    }
    case "integer":
    case "decimal": {
      const wanted = Number(literal);
      if (typeof literal === "boolean" || Number.isNaN(wanted) || parting.has(operator)) throw misfit(leaf, operator);
      return (value) => ordered(Number(value) - wanted, operator);
    }
    case "dateTime": {
      const wanted = typeof literal === "string" ? instantOf(literal) : Number.NaN;
      if (Number.isNaN(wanted) || parting.has(operator)) throw misfit(leaf, operator);
      return (value) => ordered(instantOf(String(value)) - wanted, operator);
    }
    case "binary":
      if (ordering.has(operator)) throw misfit(leaf, operator);
      return textComparison(operator, String(literal), (text) => text);
    default:
      return textComparison(operator, String(literal), leaf.caseExact ? (text) => text : folded);
  }
}

const misfit = ({ name, type }: Attribute, operator: Operator) =>
  badRequest("invalidFilter", `${name} is of type ${type}, and ${operator} with this value does not fit it.`);

export function booleanOf(text: string): boolean | undefined {
  const lower = text.toLowerCase();
  return lower === "true" ? true : lower === "false" ? false : undefined;
}

function ordered(difference: number, operator: Operator): boolean {
  switch (operator) {
    case "eq":
      return difference === 0;
    case "ne":
      return difference !== 0;
    case "gt":
      return difference > 0;
    case "ge":
      return difference >= 0;
    case "lt":
      return difference < 0;
    default:
      return difference <= 0;
  }
}

function textComparison(operator: Operator, literal: string, form: (text: string) => string): Compare {
  const wanted = form(literal);
  const compare = (test: (text: string) => boolean): Compare => {
    return (value) => test(form(String(value)));
  };
  switch (operator) {
    case "eq":
      return compare((text) => text === wanted);
    case "ne":
      return compare((text) => text !== wanted);
    case "co":
      return compare((text) => text.includes(wanted));
    case "sw":
      return compare((text) => text.startsWith(wanted));
    case "ew":
      return compare((text) => text.endsWith(wanted));
    case "gt":
      return compare((text) => text > wanted);
    case "ge":
      return compare((text) => text >= wanted);
    case "lt":
      return compare((text) => text < wanted);
    case "le":
      return compare((text) => text <= wanted);
  }
}

let lastText = "";
let lastFolded = "";

/** The form in which texts compare that are alike but for the case and the width of their letters. */
export function folded(text: string): string {
  // A filter asks the same value of a resource again and again.
  if (text === lastText) return lastFolded;
  lastText = text;
  // Most texts have no letter that another form of it equals.
  lastFolded = (beyondAscii.test(text) ? text.normalize("NFKC") : text).toLowerCase();
  return lastFolded;
}

const beyondAscii = /[^\x20-\x7e]/;

/** Milliseconds; fractions of any length and offsets are understood. NaN for what is no instant. */
export function instantOf(text: string): number {
  const parts = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d{1,30})?(Z|[+-]\d\d:?\d\d)?$/i.exec(text);
  if (parts === null) return Number.NaN;
  const [, date = "", time = "", fraction = "", zone = "Z"] = parts;
  const whole = Date.parse(
    `${date}T${time}${zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone.toUpperCase()}`,
  );
  return whole + (fraction === "" ? 0 : Number(fraction) * 1000);
}

export function elementsOf(value: ScimValue | undefined): ReadonlyArray<ScimValue> {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value as ScimValue];
}

/** The values of an attribute, or of one part of its elements. */
function partsOf(value: ScimValue | undefined, sub: Attribute | null): ReadonlyArray<ScimValue | undefined> {
  const elements = elementsOf(value);
  if (sub === null) return elements;
  return elements.map((element) => (isObject(element) ? (element as ScimObject)[sub.name] : undefined));
}

function isFilled(value: ScimValue | undefined): boolean {
  if (value === undefined || value === "") return false;
  if (Array.isArray(value)) return value.some(isFilled);
  return typeof value !== "object" || Object.values(value).some(isFilled);
}
