/** Which attributes an answer shows: `attributes` and `excludedAttributes` (RFC 7644, section 3.9). */
import { badRequest } from "./error.ts";
import { extensionNamed, type Place, placeOf } from "./path.ts";
import {
  type Attribute,
  baseAttributes,
  emptyObject,
  findAttribute,
  isObject,
  type ResourceType,
  type ScimObject,
  type ScimValue,
} from "./schema.ts";

export interface Projection {
  readonly attributes: ReadonlyArray<string>;
  readonly excluded: ReadonlyArray<string>;
}

const namesMax = 200;

/** Names from a query or a body; a value filter in a name is ignored. */
export function projectionOf(attributes: ReadonlyArray<string>, excluded: ReadonlyArray<string>): Projection {
  if (attributes.length > 0 && excluded.length > 0) {
    throw badRequest("invalidValue", "Give attributes or excludedAttributes, not both.");
  }
  if (attributes.length + excluded.length > namesMax) {
    throw badRequest("invalidValue", `At most ${namesMax} attributes can be named.`);
  }
  const bare = (names: ReadonlyArray<string>) => names.map((name) => name.replace(/\[[^\]]*\]/, "").trim());
  return { attributes: bare(attributes), excluded: bare(excluded) };
}

export const everything: Projection = { attributes: [], excluded: [] };

/** A resource as it goes out: with its `schemas`, without what is never told. Bound once, then asked of any number of resources. */
export function bindProjection(
  type: ResourceType,
  { attributes, excluded }: Projection,
): (resource: ScimObject) => ScimObject {
  const wanted = attributes.length === 0 ? null : selectionOf(type, attributes);
  const unwanted = selectionOf(type, excluded);
  const parts = [
    { schema: null, known: baseAttributes(type) },
    ...type.extensions.map((schema) => ({ schema, known: schema.attributes })),
  ];
  return (resource) => {
    const shown = emptyObject();
    shown.schemas = [type.schema.id, ...type.extensions.map(({ id }) => id).filter((id) => resource[id] !== undefined)];
    for (const { schema, known } of parts) {
      const holder = schema === null ? resource : resource[schema.id];
      if (!isObject(holder)) continue;
      const part = schema === null ? shown : emptyObject();
      for (const [name, value] of Object.entries(holder)) {
        const attribute = findAttribute(known, name);
        if (attribute === undefined || attribute.returned === "never" || value === undefined || name === "schemas")
          continue;
        const key = `${schema?.id ?? ""}\n${attribute.name}`;
        const told = toldOf(attribute, value as ScimValue, wanted?.get(key), unwanted.get(key), wanted !== null);
        if (told !== undefined) part[attribute.name] = told;
      }
      if (schema !== null && Object.keys(part).length > 0) shown[schema.id] = part;
    }
    return shown;
  };
}

export const project = (type: ResourceType, resource: ScimObject, projection: Projection): ScimObject =>
  bindProjection(type, projection)(resource);

/** By place, the sub-attributes that were named; `all` for the whole attribute. */
type Selection = ReadonlyMap<string, ReadonlySet<string> | "all">;

function selectionOf(type: ResourceType, names: ReadonlyArray<string>): Selection {
  const selection = new Map<string, Set<string> | "all">();
  for (const name of names) {
    const extension = extensionNamed(type, name);
    const base = name.toLowerCase() === type.schema.id.toLowerCase() ? type.schema : extension;
    if (base !== undefined) {
      const id = extension === undefined ? "" : extension.id;
      for (const { name: inner } of base.attributes) selection.set(`${id}\n${inner}`, "all");
      continue;
    }
    const place = placeOf(type, name);
    if (place !== undefined) select(selection, place);
  }
  return selection;
}

function select(selection: Map<string, Set<string> | "all">, { schema, attribute, sub }: Place): void {
  const key = `${schema?.id ?? ""}\n${attribute.name}`;
  const known = selection.get(key);
  if (sub === null || known === "all") selection.set(key, "all");
  else selection.set(key, (known ?? new Set()).add(sub.name));
}

function toldOf(
  attribute: Attribute,
  value: ScimValue,
  wanted: ReadonlySet<string> | "all" | undefined,
  unwanted: ReadonlySet<string> | "all" | undefined,
  isSelective: boolean,
): ScimValue | undefined {
  if (attribute.returned === "always") return value;
  if (isSelective) {
    if (wanted === undefined) return undefined;
    return wanted === "all" ? value : withParts(value, (name) => wanted.has(name));
  }
  if (attribute.returned === "request" || unwanted === "all") return undefined;
  return unwanted === undefined ? value : withParts(value, (name) => !unwanted.has(name));
}

function withParts(value: ScimValue, keeps: (name: string) => boolean): ScimValue | undefined {
  if (Array.isArray(value)) {
    const parts = value.flatMap((element) => withParts(element, keeps) ?? []);
    return parts.length === 0 ? undefined : parts;
  }
  if (!isObject(value)) return value;
  const part = emptyObject();
  for (const [name, inner] of Object.entries(value)) if (keeps(name)) part[name] = inner as ScimValue;
  return Object.keys(part).length === 0 ? undefined : part;
}
