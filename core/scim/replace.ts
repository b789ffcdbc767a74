/**
 * PUT: the resource that stands after a whole one was sent. What the client may set and has not sent is cleared; kept are
 * the parts that it cannot know of: read-only ones, extensions that it does not name, and `active`.
 *
 * Source  RFC 7644, section 3.5.1.
 */
import { badRequest } from "./error.ts";
import { readResource, validate } from "./read.ts";
import { sameValue } from "./same.ts";
import { emptyObject, isObject, type ResourceType, type ScimObject, type ScimValue } from "./schema.ts";

/** Errors  as readResource and validate; `mutability` for an immutable attribute that would change. */
export function replaceResource(type: ResourceType, before: ScimObject, body: unknown): ScimObject {
  const sent = readResource(type, body);
  const named = new Set(
    isObject(body) && Array.isArray(body.schemas) ? body.schemas.map((urn) => String(urn).toLowerCase()) : [],
  );
  const after = Object.assign(emptyObject(), sent);
  for (const extension of type.extensions) {
    const kept = before[extension.id];
    if (!isObject(kept)) continue;
    if (sent[extension.id] === undefined && !named.has(extension.id.toLowerCase())) {
      after[extension.id] = kept as ScimObject;
      continue;
    }
    const own = extension.attributes.filter(
      ({ name, mutability }) => mutability === "readOnly" && kept[name] !== undefined,
    );
    if (own.length === 0) continue;
    const ours = Object.fromEntries(own.map(({ name }) => [name, kept[name] as ScimValue]));
    after[extension.id] = Object.assign(emptyObject(), sent[extension.id], ours);
  }
  for (const { name, mutability } of type.schema.attributes) {
    const kept = before[name];
    if (kept === undefined) continue;
    if (mutability === "readOnly" || mutability === "writeOnly") after[name] = sent[name] ?? kept;
    if (mutability === "immutable" && !sameValue(sent[name] ?? kept, kept)) {
      throw badRequest("mutability", `${name} cannot be changed.`);
    }
  }
  if (sent.active === undefined && before.active !== undefined) after.active = before.active;
  validate(type, after);
  return after;
}
