/**
 * What a client sends, brought into the form of the schema: its spelling, its types, only attributes that it knows.
 *
 * Unknown attributes are dropped, as RFC 7644 allows; what the client may not set is ignored where it stands in a whole
 * resource. Every name is looked up in the schema, so that nothing a client names reaches an object's prototype.
 */
import { badRequest } from "./error.ts";
import { booleanOf, instantOf } from "./match.ts";
import { extensionNamed } from "./path.ts";
import {
  type Attribute,
  emptyObject,
  externalId,
  findAttribute,
  isObject,
  type ResourceType,
  type ScimObject,
  type ScimValue,
} from "./schema.ts";

/** Elements of one multi-valued attribute. */
export const elementsMax = 10_000;
const textLengthMax = 64 * 1024;

/**
 * The readable part of a body, as for a create.
 *
 * Errors  throws a ScimError: `invalidSyntax` where it is no object, `invalidValue` for a value of another type.
 */
export function readResource(
  type: ResourceType,
  body: unknown,
  /** The server itself writes: what no client may set in an extension is taken. */
  { isServer = false }: { readonly isServer?: boolean } = {},
): ScimObject {
  if (!isObject(body)) throw badRequest("invalidSyntax", "The body must be one JSON object.");
  const resource = emptyObject();
  for (const [name, raw] of Object.entries(body)) {
    const attribute = name.toLowerCase() === "externalid" ? externalId : findAttribute(type.schema.attributes, name);
    if (attribute !== undefined) {
      set(resource, attribute, raw);
      continue;
    }
    const extension = extensionNamed(type, name);
    if (extension === undefined || !isObject(raw)) continue;
    const inner = emptyObject();
    for (const [part, value] of Object.entries(raw)) {
      const known = findAttribute(extension.attributes, part);
      if (known !== undefined) set(inner, isServer ? { ...known, mutability: "readWrite" } : known, value);
    }
    if (Object.keys(inner).length > 0) resource[extension.id] = inner;
  }
  return resource;
}

function set(target: Record<string, ScimValue>, attribute: Attribute, raw: unknown): void {
  if (attribute.mutability === "readOnly") return;
  const value = readValue(attribute, raw);
  if (value !== undefined) target[attribute.name] = value;
}

/** Undefined for what is empty: null, an empty list, an object without content. */
export function readValue(attribute: Attribute, raw: unknown): ScimValue | undefined {
  if (raw === null || raw === undefined) return undefined;
  if (!attribute.multiValued) {
    // An old client wraps a single value into a list.
    return readElement(attribute, Array.isArray(raw) && raw.length === 1 ? raw[0] : raw);
  }
  const list = Array.isArray(raw) ? raw : [raw];
  if (list.length > elementsMax) {
    throw badRequest("invalidValue", `${attribute.name} may have ${elementsMax} values.`);
  }
  const elements = list.flatMap((one) => readElement(attribute, one) ?? []);
  return elements.length === 0 ? undefined : elements;
}

/** One value; a bare one stands for the `value` of an object. */
export function readElement(attribute: Attribute, raw: unknown): ScimValue | undefined {
  if (raw === null || raw === undefined) return undefined;
  if (attribute.type !== "complex") return readSimple(attribute, raw);
  const parts = attribute.subAttributes ?? [];
  if (!isObject(raw)) {
    const value = findAttribute(parts, "value");
    if (value === undefined || Array.isArray(raw)) throw wrongType(attribute, "an object");
    const simple = readSimple(value, raw);
    return simple === undefined ? undefined : objectOf([["value", simple]]);
  }
  const element = emptyObject();
  for (const [name, inner] of Object.entries(raw)) {
    const part = findAttribute(parts, name);
    // What only the server knows of a group or a manager is not taken from the client.
    if (part === undefined || part.mutability === "readOnly") continue;
    const value = readValue(part, inner);
    if (value !== undefined) element[part.name] = value;
  }
  return Object.keys(element).length === 0 ? undefined : element;
}

export function objectOf(entries: Iterable<readonly [string, ScimValue]>): ScimObject {
  const made = emptyObject();
  for (const [name, value] of entries) made[name] = value;
  return made;
}

function readSimple(attribute: Attribute, raw: unknown): ScimValue | undefined {
  switch (attribute.type) {
    case "boolean": {
      const value = typeof raw === "string" ? booleanOf(raw) : raw;
      if (raw === "") return undefined;
      if (typeof value !== "boolean") throw wrongType(attribute, "true or false");
      return value;
    }
    case "integer":
    case "decimal": {
      if (typeof raw !== "number" || (attribute.type === "integer" && !Number.isInteger(raw))) {
        throw wrongType(attribute, attribute.type === "integer" ? "a whole number" : "a number");
      }
      return raw;
    }
    case "dateTime":
      if (typeof raw !== "string" || Number.isNaN(instantOf(raw))) throw wrongType(attribute, "an instant");
      return raw;
    default:
      if (typeof raw === "number" || typeof raw === "boolean") return String(raw);
      if (typeof raw !== "string") throw wrongType(attribute, "a text");
      if (raw.length > textLengthMax) throw badRequest("invalidValue", `${attribute.name} is too long.`);
      // An empty text is how several clients clear an attribute.
      return raw === "" ? undefined : raw;
  }
}

const wrongType = ({ name }: Attribute, wanted: string) => badRequest("invalidValue", `${name} takes ${wanted}.`);

/** Errors  throws a ScimError of type `invalidValue` for what a resource of this type cannot be without or has twice. */
export function validate(type: ResourceType, resource: ScimObject): void {
  for (const attribute of type.schema.attributes) {
    if (attribute.required && resource[attribute.name] === undefined) {
      throw badRequest("invalidValue", `${attribute.name} is required.`);
    }
  }
  for (const schema of [null, ...type.extensions]) {
    const attributes = schema === null ? type.schema.attributes : schema.attributes;
    const holder = schema === null ? resource : resource[schema.id];
    if (!isObject(holder)) continue;
    for (const { name, multiValued, subAttributes } of attributes) {
      if (!multiValued || subAttributes === undefined) continue;
      const list = (holder as ScimObject)[name];
      const primaries = Array.isArray(list)
        ? list.filter((element) => isObject(element) && element.primary === true).length
        : 0;
      if (primaries > 1) throw badRequest("invalidValue", `Only one of ${name} can be the primary one.`);
    }
  }
}
