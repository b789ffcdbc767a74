/** Whether two values say the same, whatever the order of an object's members. */
import type { ScimObject, ScimValue } from "./schema.ts";

export function sameValue(one: ScimValue | undefined, other: ScimValue | undefined): boolean {
  if (one === other) return true;
  if (one === undefined || other === undefined) return false;
  if (Array.isArray(one) || Array.isArray(other)) {
    return (
      Array.isArray(one) &&
      Array.isArray(other) &&
      one.length === other.length &&
      one.every((element, index) => sameValue(element, other[index]))
    );
  }
  if (typeof one !== "object" || typeof other !== "object") return false;
  return sameObject(one as ScimObject, other as ScimObject);
}

export function sameObject(one: ScimObject, other: ScimObject): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => sameValue(one[name], other[name]));
}
