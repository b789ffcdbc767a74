/** The pure part of SCIM, as simulators see it. */
export { enterpriseSchema, groupType, userType } from "./core-schemas.ts";
export {
  type Abilities,
  allSchemas,
  configDocument,
  listDocument,
  listUrn,
  schemaDocument,
  typeDocument,
} from "./discovery.ts";
export { errorBody, ScimError } from "./error.ts";
export { type Filter, parseFilter } from "./filter.ts";
export { bindFilter, elementsOf, folded } from "./match.ts";
export { applyPatch } from "./patch.ts";
export { everything, project, projectionOf } from "./project.ts";
export { readResource, validate } from "./read.ts";
export { replaceResource } from "./replace.ts";
export { sameObject } from "./same.ts";
export { emptyObject, type ResourceType, type ScimObject } from "./schema.ts";
export { compareKeys, sortKeyOf } from "./sort.ts";
