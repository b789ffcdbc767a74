/**
 * Schemas of SCIM: what an attribute is, and how its name is found whatever the case of its letters.
 *
 * Source  RFC 7643, sections 2, 3.1 and 7.
 */

export type AttributeType =
  | "string"
  | "boolean"
  | "decimal"
  | "integer"
  | "dateTime"
  | "binary"
  | "reference"
  | "complex";

export interface Attribute {
  readonly name: string;
  readonly type: AttributeType;
  readonly multiValued: boolean;
  readonly description: string;
  readonly required: boolean;
  readonly caseExact: boolean;
  readonly mutability: "readOnly" | "readWrite" | "immutable" | "writeOnly";
  readonly returned: "always" | "never" | "default" | "request";
  readonly uniqueness: "none" | "server" | "global";
  readonly canonicalValues?: ReadonlyArray<string>;
  readonly referenceTypes?: ReadonlyArray<string>;
  readonly subAttributes?: ReadonlyArray<Attribute>;
}

export interface Schema {
  /** Its URN. */
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly attributes: ReadonlyArray<Attribute>;
}

export interface ResourceType {
  readonly name: string;
  /** Begins with a slash. */
  readonly endpoint: string;
  readonly description: string;
  readonly schema: Schema;
  readonly extensions: ReadonlyArray<Schema>;
}

/**
 * A value as SCIM's JSON holds it. Objects have no prototype and only names of the schema, in its spelling; nothing is
 * null: what is empty is absent.
 */
export type ScimValue = string | number | boolean | ScimObject | ReadonlyArray<ScimValue>;

export interface ScimObject {
  readonly [name: string]: ScimValue | undefined;
}

/** An attribute with the characteristics that the RFC has where a schema says nothing. */
export function attribute(
  name: string,
  type: AttributeType,
  description: string,
  more: Partial<Omit<Attribute, "name" | "type" | "description">> = {},
): Attribute {
  const isExact = type === "reference" || type === "binary";
  return {
    name,
    type,
    multiValued: false,
    description,
    required: false,
    caseExact: isExact,
    mutability: "readWrite",
    returned: "default",
    uniqueness: "none",
    ...more,
  };
}

const indexes = new WeakMap<ReadonlyArray<Attribute>, ReadonlyMap<string, Attribute>>();

/** By name, in any case of letters; only what the schema declares, never what an object inherits. */
export function findAttribute(attributes: ReadonlyArray<Attribute>, name: string): Attribute | undefined {
  let index = indexes.get(attributes);
  if (index === undefined) {
    index = new Map(attributes.map((one) => [one.name.toLowerCase(), one]));
    indexes.set(attributes, index);
  }
  return index.get(name.toLowerCase());
}

export const externalId = attribute("externalId", "string", "The identifier that the client gives.", {
  caseExact: true,
});

/** What every resource has and no schema names. */
export const commonAttributes: ReadonlyArray<Attribute> = [
  attribute("schemas", "reference", "URNs of the schemas in use.", {
    multiValued: true,
    required: true,
    caseExact: false,
    returned: "always",
  }),
  attribute("id", "string", "The identifier that this server gives.", {
    caseExact: true,
    mutability: "readOnly",
    returned: "always",
    uniqueness: "server",
  }),
  externalId,
  attribute("meta", "complex", "What the server knows of the resource.", {
    mutability: "readOnly",
    subAttributes: [
      attribute("resourceType", "string", "The name of its type.", { caseExact: true, mutability: "readOnly" }),
      attribute("created", "dateTime", "When it was made.", { mutability: "readOnly" }),
      attribute("lastModified", "dateTime", "When it was changed last.", { mutability: "readOnly" }),
      attribute("location", "reference", "Its address.", { mutability: "readOnly", referenceTypes: ["uri"] }),
      attribute("version", "string", "Its version, as in the ETag.", { caseExact: true, mutability: "readOnly" }),
    ],
  }),
];

const bases = new WeakMap<Schema, ReadonlyArray<Attribute>>();

/** What stands in a resource itself, beside its extensions: the common attributes and those of the base schema. */
export function baseAttributes({ schema }: ResourceType): ReadonlyArray<Attribute> {
  const known = bases.get(schema) ?? [...commonAttributes, ...schema.attributes];
  bases.set(schema, known);
  return known;
}

/** All schemas that a resource of this type may have, the base schema first. */
export const schemasOf = ({ schema, extensions }: ResourceType): ReadonlyArray<Schema> => [schema, ...extensions];

/** The multi-valued attribute's own value, which a path without a sub-attribute means. */
export const valueAttribute = ({ subAttributes }: Attribute): Attribute | undefined =>
  subAttributes === undefined ? undefined : findAttribute(subAttributes, "value");

export const emptyObject = (): Record<string, ScimValue> => Object.create(null) as Record<string, ScimValue>;

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** An attribute's value of a resource; extension attributes stand in an object under their URN. */
export function valueAt(resource: ScimObject, schema: Schema | null, { name }: Attribute): ScimValue | undefined {
  if (schema === null) return resource[name];
  const extension = resource[schema.id];
  return isObject(extension) ? (extension as ScimObject)[name] : undefined;
}
