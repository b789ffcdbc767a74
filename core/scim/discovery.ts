/**
 * What a server tells of itself (RFC 7643, sections 5 to 7). No nulls: clients that check the schemas refuse them.
 */
import { type Attribute, type ResourceType, type Schema, schemasOf } from "./schema.ts";

export const listUrn = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

export interface Abilities {
  readonly patch: boolean;
  readonly filter: boolean;
  readonly sort: boolean;
  readonly etag: boolean;
  readonly bulk: { readonly operationsMax: number; readonly bytesMax: number } | null;
  readonly pageMax: number;
  readonly paging: ReadonlyArray<"index" | "cursor">;
}

export function configDocument(abilities: Abilities, location: string) {
  const { patch, filter, sort, etag, bulk, pageMax, paging } = abilities;
  return {
    schemas: ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
    patch: { supported: patch },
    bulk: {
      supported: bulk !== null,
      maxOperations: bulk?.operationsMax ?? 0,
      maxPayloadSize: bulk?.bytesMax ?? 0,
    },
    filter: { supported: filter, maxResults: pageMax },
    changePassword: { supported: false },
    sort: { supported: sort },
    etag: { supported: etag },
    authenticationSchemes: [
      {
        type: "oauthbearertoken",
        name: "Bearer token",
        description: "A token of this connection in the Authorization header.",
        primary: true,
      },
    ],
    pagination: {
      cursor: paging.includes("cursor"),
      index: paging.includes("index"),
      defaultPaginationMethod: paging.includes("index") ? "index" : "cursor",
      defaultPageSize: pageMax,
      maxPageSize: pageMax,
    },
    meta: { resourceType: "ServiceProviderConfig", location: `${location}/ServiceProviderConfig` },
  };
}

export const typeDocument = (type: ResourceType, location: string) => ({
  schemas: ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
  id: type.name,
  name: type.name,
  description: type.description,
  endpoint: type.endpoint,
  schema: type.schema.id,
  schemaExtensions: type.extensions.map(({ id }) => ({ schema: id, required: false })),
  meta: { resourceType: "ResourceType", location: `${location}/ResourceTypes/${type.name}` },
});

export const schemaDocument = (schema: Schema, location: string) => ({
  schemas: ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
  id: schema.id,
  name: schema.name,
  description: schema.description,
  attributes: schema.attributes.map(attributeDocument),
  meta: { resourceType: "Schema", location: `${location}/Schemas/${schema.id}` },
});

function attributeDocument(attribute: Attribute): Readonly<Record<string, unknown>> {
  const { subAttributes, canonicalValues, referenceTypes, ...rest } = attribute;
  return {
    ...rest,
    ...(canonicalValues === undefined ? {} : { canonicalValues }),
    ...(referenceTypes === undefined ? {} : { referenceTypes }),
    ...(subAttributes === undefined ? {} : { subAttributes: subAttributes.map(attributeDocument) }),
  };
}

export const allSchemas = (types: ReadonlyArray<ResourceType>): ReadonlyArray<Schema> => [
  ...new Map(types.flatMap(schemasOf).map((schema) => [schema.id, schema])).values(),
];

/** An unpaged list, as discovery answers. */
export const listDocument = (resources: ReadonlyArray<unknown>) => ({
  schemas: [listUrn],
  totalResults: resources.length,
  itemsPerPage: resources.length,
  startIndex: 1,
  Resources: resources,
});
