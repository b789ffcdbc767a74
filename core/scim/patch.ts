/**
 * PATCH: operations over a resource, in their order, all or none. Everything goes through the schema: a name that it does
 * not have is no target, so no path reaches what is not an attribute.
 *
 * Source  RFC 7644, section 3.5.2, and the forms that Entra ID and Okta send (capital operations, "False" as a text,
 *         dotted keys, brackets as keys, `remove` with the members in its value).
 */
import { badRequest } from "./error.ts";
import { type Filter, parseValuePath, type ValuePath } from "./filter.ts";
import { bindElement, elementsOf } from "./match.ts";
import { extensionNamed, type Place, placeOf } from "./path.ts";
import { elementsMax, readElement, readValue, validate } from "./read.ts";
import { sameValue } from "./same.ts";
import {
  type Attribute,
  emptyObject,
  findAttribute,
  isObject,
  type ResourceType,
  type Schema,
  type ScimObject,
  type ScimValue,
} from "./schema.ts";

export const patchUrn = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const operationsMax = 1_000;

export interface PatchOptions {
  /** Refuses what clients in use send and the RFC does not have. */
  readonly isStrict?: boolean;
}

type Draft = Record<string, ScimValue>;
type Op = "add" | "replace" | "remove";

interface Change {
  readonly type: ResourceType;
  readonly draft: Draft;
  readonly op: Op;
  readonly value: unknown;
  readonly isStrict: boolean;
}

/**
 * The resource as it stands after the message; `resource` itself is left alone.
 *
 * Errors  throws a ScimError: `invalidSyntax`, `invalidPath`, `noTarget`, `mutability`, `invalidValue`, `invalidFilter`.
 */
export function applyPatch(
  type: ResourceType,
  resource: ScimObject,
  message: unknown,
  { isStrict = false }: PatchOptions = {},
): ScimObject {
  const operations = operationsOf(message, isStrict);
  const draft = copyOf(resource) as Draft;
  for (const operation of operations) {
    if (!isObject(operation)) throw badRequest("invalidSyntax", "Each operation is an object.");
    applyOperation(type, draft, operation, isStrict);
  }
  validate(type, draft);
  return draft;
}

function operationsOf(message: unknown, isStrict: boolean): ReadonlyArray<unknown> {
  if (!isObject(message)) throw badRequest("invalidSyntax", "The body must be one PatchOp object.");
  const { Operations, operations, schemas } = message;
  const list = Operations ?? operations;
  if (!Array.isArray(list)) throw badRequest("invalidSyntax", "The body has no Operations.");
  if (list.length > operationsMax)
    throw badRequest("invalidSyntax", `At most ${operationsMax} operations can be sent.`);
  if (!isStrict) return list;
  if (!Array.isArray(schemas) || !schemas.includes(patchUrn) || list.length === 0) {
    throw badRequest("invalidSyntax", "A PatchOp names its schema and has operations.");
  }
  return list;
}

function applyOperation(
  type: ResourceType,
  draft: Draft,
  operation: Readonly<Record<string, unknown>>,
  isStrict: boolean,
): void {
  const op = String(operation.op).toLowerCase();
  if (op !== "add" && op !== "replace" && op !== "remove") {
    throw badRequest("invalidSyntax", "An operation is add, replace or remove.");
  }
  const { path, value } = operation;
  const change: Change = { type, draft, op, value, isStrict };
  if (path === undefined || path === null || path === "") {
    applyWhole(change);
    return;
  }
  if (typeof path !== "string") throw badRequest("invalidPath", "A path is a text.");
  if (!applyAt(change, path)) throw badRequest("invalidPath", `${type.name} has no attribute ${path.slice(0, 80)}.`);
}

/** Without a path every member of the value is a path of its own. */
function applyWhole(change: Change): void {
  const { op, value, type } = change;
  if (op === "remove") throw badRequest("noTarget", "A removal names what it removes.");
  if (!isObject(value)) throw badRequest("invalidValue", "Without a path the value is an object.");
  for (const [name, inner] of Object.entries(value)) {
    if (name.toLowerCase() === "schemas") continue;
    // What nobody knows is ignored here, as it is in a whole resource.
    if (!applyAt({ ...change, value: inner }, name) && change.isStrict) {
      throw badRequest("invalidPath", `${type.name} has no attribute ${name.slice(0, 80)}.`);
    }
  }
}

/** False where the type has no such attribute. */
function applyAt(change: Change, path: string): boolean {
  const { type } = change;
  if (path.toLowerCase() === "schemas") return true;
  const extension = extensionNamed(type, path);
  if (extension !== undefined) {
    applyExtension(change, extension);
    return true;
  }
  const valuePath = parseValuePath(path);
  const place = placeOf(type, valuePath.path);
  if (place === undefined) return false;
  applyPlace(change, place, valuePath);
  return true;
}

function applyExtension(change: Change, extension: Schema): void {
  const { op, value, draft } = change;
  if (op === "remove" || value === null) {
    delete draft[extension.id];
    return;
  }
  if (!isObject(value)) throw badRequest("invalidValue", `${extension.name} is an object.`);
  for (const [name, inner] of Object.entries(value)) {
    const attribute = findAttribute(extension.attributes, name);
    if (attribute === undefined) continue;
    const place = { schema: extension, attribute, sub: null };
    applyPlace({ ...change, value: inner }, place, { path: name, filter: null, sub: null });
  }
}

function applyPlace(change: Change, place: Place, { filter, sub: behind }: ValuePath): void {
  const { draft, op, value } = change;
  const { schema, attribute } = place;
  const holder = holderOf(draft, schema);
  const before = holder[attribute.name];
  const sub = behind === null ? place.sub : partOf(attribute, behind);
  if (isReadOnly(attribute, sub)) {
    if (op !== "remove" && isCurrent(before, value)) return;
    throw badRequest("mutability", `${attribute.name} is read-only.`);
  }
  const after =
    filter === null
      ? withoutFilter(change, attribute, before, sub)
      : withFilter(change, attribute, before, sub, filter);
  if (after === undefined) {
    if (attribute.required) throw badRequest("mutability", `${attribute.name} is required and cannot be removed.`);
    delete holder[attribute.name];
  } else holder[attribute.name] = onePrimary(before, after);
  if (schema === null) return;
  if (Object.keys(holder).length === 0) delete draft[schema.id];
  else draft[schema.id] = holder;
}

function holderOf(draft: Draft, schema: Schema | null): Draft {
  if (schema === null) return draft;
  const held = draft[schema.id];
  return isObject(held) ? (held as Draft) : emptyObject();
}

function partOf(attribute: Attribute, name: string): Attribute {
  const part = findAttribute(attribute.subAttributes ?? [], name);
  if (part === undefined) throw badRequest("invalidPath", `${attribute.name} has no part ${name.slice(0, 80)}.`);
  return part;
}

const isReadOnly = (attribute: Attribute, sub: Attribute | null): boolean =>
  attribute.mutability === "readOnly" || sub?.mutability === "readOnly";

/** Okta's rename of a group repeats its id. */
const isCurrent = (before: ScimValue | undefined, value: unknown): boolean =>
  before !== undefined && JSON.stringify(before) === JSON.stringify(value);

// ---- an attribute as a whole, or a part of all its elements ----

function withoutFilter(
  { op, value }: Change,
  attribute: Attribute,
  before: ScimValue | undefined,
  sub: Attribute | null,
): ScimValue | undefined {
  if (sub !== null) return withPart(attribute, before, sub, op === "remove" ? undefined : readValue(sub, value));
  if (op === "remove") return attribute.multiValued ? withoutElements(attribute, before, value) : undefined;
  const given = readValue(attribute, value);
  if (!attribute.multiValued) {
    if (given === undefined) return undefined;
    return isObject(given) && isObject(before) ? merged(before as ScimObject, given as ScimObject) : given;
  }
  if (op === "replace") return given;
  return withElements(attribute, before, elementsOf(given));
}

function withPart(
  attribute: Attribute,
  before: ScimValue | undefined,
  sub: Attribute,
  part: ScimValue | undefined,
): ScimValue | undefined {
  const elements = elementsOf(before);
  const changed = elements.flatMap((element) => setPart(element, sub, part) ?? []);
  const made = elements.length === 0 && part !== undefined ? [setPart(emptyObject(), sub, part) ?? emptyObject()] : [];
  const all = [...changed, ...made];
  if (attribute.multiValued) return all.length === 0 ? undefined : all;
  return all[0];
}

function setPart(element: ScimValue, sub: Attribute, part: ScimValue | undefined): ScimValue | undefined {
  const next: Draft = Object.assign(emptyObject(), isObject(element) ? element : {});
  const before = next[sub.name];
  if (sub.mutability === "immutable" && before !== undefined && !sameValue(before, part)) {
    throw badRequest("mutability", `${sub.name} cannot be changed once it is set.`);
  }
  if (part === undefined) delete next[sub.name];
  else next[sub.name] = part;
  return Object.keys(next).length === 0 ? undefined : next;
}

function withElements(
  attribute: Attribute,
  before: ScimValue | undefined,
  added: ReadonlyArray<ScimValue>,
): ScimValue | undefined {
  const elements = [...elementsOf(before)];
  const known = new Set(elements.map((element) => keyOf(attribute, element)));
  for (const element of added) {
    const key = keyOf(attribute, element);
    if (known.has(key)) continue;
    known.add(key);
    elements.push(element);
  }
  if (elements.length > elementsMax)
    throw badRequest("invalidValue", `${attribute.name} may have ${elementsMax} values.`);
  return elements.length === 0 ? undefined : elements;
}

/** With a value only these elements go: a client that removes one member names it so. */
function withoutElements(attribute: Attribute, before: ScimValue | undefined, value: unknown): ScimValue | undefined {
  if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) return undefined;
  const list: ReadonlyArray<unknown> = Array.isArray(value) ? value : [value];
  const gone = new Set(list.flatMap((one) => readElement(attribute, one) ?? []).map((one) => keyOf(attribute, one)));
  const left = elementsOf(before).filter((element) => !gone.has(keyOf(attribute, element)));
  return left.length === 0 ? undefined : left;
}

/** Members are the same by their value, all else as a whole. */
function keyOf({ name }: Attribute, element: ScimValue): string {
  if (!isObject(element)) return JSON.stringify(element);
  if (name === "members") return String(element.value);
  return JSON.stringify(Object.entries(element).sort(([one], [other]) => (one < other ? -1 : 1)));
}

// ---- elements that meet a filter ----

function withFilter(
  { op, value, isStrict }: Change,
  attribute: Attribute,
  before: ScimValue | undefined,
  sub: Attribute | null,
  filter: Filter,
): ScimValue | undefined {
  if (!attribute.multiValued) throw badRequest("invalidPath", `${attribute.name} has no elements.`);
  const matches = bindElement(attribute, filter);
  const elements = elementsOf(before);
  const isHit = elements.some(matches);
  if (!isHit) {
    if (op === "remove") {
      if (isStrict && attribute.name !== "members") throw noTarget(attribute);
      return before;
    }
    if (isStrict && op === "replace") throw noTarget(attribute);
    const made = madeFrom(attribute, filter, sub, value);
    if (made === undefined) return before;
    if (!matches(made)) throw noTarget(attribute);
    return withElements(attribute, before, [made]);
  }
  const after = elements.flatMap((element) =>
    matches(element) ? (changedElement(op, attribute, element, sub, value, filter) ?? []) : [element],
  );
  return after.length === 0 ? undefined : after;
}

const noTarget = ({ name }: Attribute) => badRequest("noTarget", `None of ${name} meets the path.`);

function changedElement(
  op: Op,
  attribute: Attribute,
  element: ScimValue,
  sub: Attribute | null,
  value: unknown,
  filter: Filter,
): ScimValue | undefined {
  if (sub !== null) return setPart(element, sub, op === "remove" ? undefined : readValue(sub, value));
  if (op === "remove") return undefined;
  const given = readElement(attribute, value);
  if (given === undefined || !isObject(given)) return given;
  const base = op === "add" && isObject(element) ? (element as ScimObject) : termsOf(attribute, filter);
  return merged(base, given as ScimObject);
}

/** Entra writes `phoneNumbers[type eq "mobile"].value` where there is no such element yet: it is made of the terms. */
function madeFrom(attribute: Attribute, filter: Filter, sub: Attribute | null, value: unknown): ScimValue | undefined {
  const terms = termsOf(attribute, filter);
  if (sub !== null) {
    const part = readValue(sub, value);
    return part === undefined ? undefined : setPart(terms, sub, part);
  }
  const given = readElement(attribute, value);
  if (given === undefined) return undefined;
  return isObject(given) ? merged(terms, given as ScimObject) : given;
}

/** What the equality terms of a bracket say of an element. */
function termsOf(attribute: Attribute, filter: Filter): ScimObject {
  const terms = emptyObject();
  const parts = filter.kind === "and" ? filter.parts : [filter];
  for (const part of parts) {
    if (part.kind !== "compare" || part.operator !== "eq" || part.value === null) continue;
    const known = findAttribute(attribute.subAttributes ?? [], part.path);
    const value = known === undefined ? undefined : readValue(known, part.value);
    if (known !== undefined && value !== undefined) terms[known.name] = value;
  }
  return terms;
}

const merged = (base: ScimObject, given: ScimObject): ScimObject => Object.assign(emptyObject(), base, given);

/** What was just made the primary one takes that from all others. */
function onePrimary(before: ScimValue | undefined, after: ScimValue): ScimValue {
  if (!Array.isArray(after)) return after;
  const was = new Set(elementsOf(before).filter(isPrimary));
  const now = after.filter(isPrimary);
  const fresh = now.filter((element) => !was.has(element));
  const [winner] = fresh;
  // Two that are made primary at once contradict each other, which the validation says.
  if (now.length < 2 || fresh.length !== 1) return after;
  return after.map((element) =>
    isPrimary(element) && element !== winner ? merged(element as ScimObject, { primary: false }) : element,
  );
}

const isPrimary = (element: ScimValue): boolean => isObject(element) && element.primary === true;

function copyOf(value: ScimValue): ScimValue {
  if (Array.isArray(value)) return value.map(copyOf);
  if (typeof value !== "object") return value;
  const copy = emptyObject();
  for (const [name, inner] of Object.entries(value)) if (inner !== undefined) copy[name] = copyOf(inner as ScimValue);
  return copy;
}
