/** The order of a list (RFC 7644, section 3.4.2.3): by one attribute, and by id where that says the same. */
import { elementsOf, folded, instantOf } from "./match.ts";
import { placeOf } from "./path.ts";
import { isObject, type ResourceType, type ScimObject, type ScimValue, valueAt, valueAttribute } from "./schema.ts";

type Key = string | number | undefined;

/** What a resource is sorted by; an attribute that the type does not have sorts nothing. */
export function sortKeyOf(type: ResourceType, by: string): (resource: ScimObject) => Key {
  const place = placeOf(type, by);
  if (place === undefined) return () => undefined;
  const { schema, attribute } = place;
  const part = place.sub ?? (attribute.type === "complex" ? valueAttribute(attribute) : undefined);
  const leaf = part ?? attribute;
  return (resource) => {
    const elements = elementsOf(valueAt(resource, schema, attribute));
    const chosen = elements.find((element) => isObject(element) && element.primary === true) ?? elements[0];
    const value = part === undefined || !isObject(chosen) ? chosen : (chosen as ScimObject)[part.name];
    return keyOf(value, leaf.type, leaf.caseExact);
  };
}

function keyOf(value: ScimValue | undefined, type: string, caseExact: boolean): Key {
  if (value === undefined || typeof value === "object") return undefined;
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (type === "dateTime") return instantOf(value);
  return caseExact ? value : folded(value);
}

/** Missing values come last, and first when descending; equal ones by id. */
export function compareKeys(
  one: { readonly key: Key; readonly id: string },
  other: { readonly key: Key; readonly id: string },
  descending: boolean,
): number {
  const order = keyOrder(one.key, other.key);
  if (order !== 0) return descending ? -order : order;
  return one.id === other.id ? 0 : one.id < other.id ? -1 : 1;
}

function keyOrder(one: Key, other: Key): number {
  if (one === other) return 0;
  if (one === undefined) return 1;
  if (other === undefined) return -1;
  return one < other ? -1 : 1;
}
