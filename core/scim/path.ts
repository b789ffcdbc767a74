/**
 * Names of attributes: with or without the URN of their schema, with or without a sub-attribute.
 *
 * URNs hold dots and colons, so a URN is recognised as one of those that the type has, the longest first; an old client
 * writes a dot behind it.
 */
import {
  type Attribute,
  commonAttributes,
  findAttribute,
  type ResourceType,
  type Schema,
  schemasOf,
} from "./schema.ts";

/** Where an attribute stands. `schema` is null for the base schema and for common attributes. */
export interface Place {
  readonly schema: Schema | null;
  readonly attribute: Attribute;
  readonly sub: Attribute | null;
}

/** Longer names than that are nobody's. */
export const pathLengthMax = 1024;

/** Undefined where the type has no such attribute. */
export function placeOf(type: ResourceType, path: string): Place | undefined {
  if (path.length > pathLengthMax) return undefined;
  const lower = path.toLowerCase();
  const named = schemasOf(type)
    .filter(({ id }) => lower.startsWith(id.toLowerCase()) && /^[:.]/.test(path.slice(id.length)))
    .sort((one, other) => other.id.length - one.id.length)[0];
  if (named !== undefined) {
    return inAttributes(named.attributes, named === type.schema ? null : named, path.slice(named.id.length + 1));
  }
  return inAttributes(type.schema.attributes, null, path) ?? inAttributes(commonAttributes, null, path);
}

function inAttributes(attributes: ReadonlyArray<Attribute>, schema: Schema | null, path: string): Place | undefined {
  const dot = path.indexOf(".");
  const attribute = findAttribute(attributes, dot < 0 ? path : path.slice(0, dot));
  if (attribute === undefined) return undefined;
  if (dot < 0) return { schema, attribute, sub: null };
  const sub = findAttribute(attribute.subAttributes ?? [], path.slice(dot + 1));
  return sub === undefined ? undefined : { schema, attribute, sub };
}

/** The extension whose URN this is. */
export const extensionNamed = (type: ResourceType, name: string): Schema | undefined =>
  type.extensions.find(({ id }) => id.toLowerCase() === name.toLowerCase());
