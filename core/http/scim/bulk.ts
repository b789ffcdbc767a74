/**
 * Bulk: many operations in one request, each a transaction of its own (RFC 7644, section 3.7).
 *
 * `bulkId:x` stands for the id that operation x will get. Operations are done in the order of their references, not of
 * their places; two that wait for each other are made without the reference, which is patched in afterwards.
 */
import { badRequest, errorBody, ScimError } from "../../scim/error.ts";
import { patchUrn } from "../../scim/patch.ts";
import { isObject } from "../../scim/schema.ts";

const bulkResponseUrn = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";
export const bulkOperationsMax = 1_000;
export const bulkBytesMax = 1024 * 1024;

export interface BulkOperation {
  readonly method: "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly bulkId: string | null;
  readonly version: string | null;
  readonly data: unknown;
}

export interface BulkOutcome {
  readonly status: number;
  readonly id: string | null;
  readonly location: string | null;
  readonly version: string | null;
}

/** Carries out one operation whose references are ids already. */
export type CarryOut = (operation: BulkOperation) => Promise<BulkOutcome>;

const prefix = "bulkId:";

export async function runBulk(body: unknown, carryOut: CarryOut): Promise<unknown> {
  const { operations, failuresMax } = readBulk(body);
  const running: Running = { ids: new Map(), failed: new Set(), carryOut, later: [] };
  const answers: Array<unknown> = [];
  let failures = 0;
  for (const operation of inOrder(operations)) {
    if (failures >= failuresMax) break;
    const { shown, isFailed } = await attempt(operation, running);
    answers.push(shown);
    if (isFailed) failures += 1;
  }
  // What was left out of a circle follows now that everybody is there.
  for (const postponed of running.later) await complete(postponed, running);
  return { schemas: [bulkResponseUrn], Operations: answers };
}

/** Attributes that refer to something that does not exist yet. */
interface Postponed {
  readonly path: string;
  readonly id: string;
  readonly value: Readonly<Record<string, unknown>>;
}

async function complete({ path, id, value }: Postponed, { ids, failed, carryOut }: Running): Promise<void> {
  const data = { schemas: [patchUrn], Operations: [{ op: "add", value }] };
  const operation: BulkOperation = { method: "PATCH", path: `${path}/${id}`, bulkId: null, version: null, data };
  try {
    await carryOut(resolved(operation, ids, failed));
  } catch (error) {
    // The resource stands without it, as the client sees when it reads it again.
    if (!(error instanceof ScimError)) throw error;
  }
}

function readBulk(body: unknown): { readonly operations: ReadonlyArray<BulkOperation>; readonly failuresMax: number } {
  if (!isObject(body) || !Array.isArray(body.Operations)) {
    throw badRequest("invalidSyntax", "A bulk request has Operations.");
  }
  if (body.Operations.length > bulkOperationsMax) {
    throw new ScimError(413, null, `A bulk request may have ${bulkOperationsMax} operations (maxOperations).`);
  }
  const { failOnErrors } = body;
  const failuresMax =
    failOnErrors === undefined || failOnErrors === null ? Number.POSITIVE_INFINITY : Number(failOnErrors);
  if (Number.isNaN(failuresMax) || failuresMax < 1) throw badRequest("invalidValue", "failOnErrors is 1 or more.");
  const seen = new Set<string>();
  const operations = body.Operations.map((one: unknown): BulkOperation => {
    if (!isObject(one)) throw badRequest("invalidSyntax", "Each operation is an object.");
    const method = String(one.method).toUpperCase();
    if (method !== "POST" && method !== "PUT" && method !== "PATCH" && method !== "DELETE") {
      throw badRequest("invalidSyntax", "The method of an operation is POST, PUT, PATCH or DELETE.");
    }
    if (typeof one.path !== "string") throw badRequest("invalidSyntax", "Each operation has a path.");
    const bulkId = typeof one.bulkId === "string" && one.bulkId !== "" ? one.bulkId : null;
    if (method === "POST" && bulkId === null)
      throw badRequest("invalidValue", "A POST in a bulk request has a bulkId.");
    if (bulkId !== null && seen.has(bulkId)) throw badRequest("invalidValue", "A bulkId stands once in a request.");
    if (bulkId !== null) seen.add(bulkId);
    return {
      method,
      path: one.path,
      bulkId,
      version: typeof one.version === "string" ? one.version : null,
      data: one.data,
    };
  });
  return { operations, failuresMax };
}

/** By what they refer to; those in a circle come where the first of them stands, without the reference back. */
function inOrder(operations: ReadonlyArray<BulkOperation>): ReadonlyArray<BulkOperation> {
  const byId = new Map(operations.flatMap((one) => (one.bulkId === null ? [] : [[one.bulkId, one] as const])));
  const done = new Set<BulkOperation>();
  const ordered: Array<BulkOperation> = [];
  // A stack of our own: a chain of a thousand references is no deeper than a list of them.
  for (const first of operations) {
    const stack: Array<{ readonly one: BulkOperation; entered: boolean }> = [{ one: first, entered: false }];
    const open = new Set<BulkOperation>();
    while (stack.length > 0) {
      const top = stack.at(-1);
      if (top === undefined || done.has(top.one)) {
        stack.pop();
        continue;
      }
      if (top.entered) {
        stack.pop();
        open.delete(top.one);
        done.add(top.one);
        ordered.push(top.one);
        continue;
      }
      top.entered = true;
      open.add(top.one);
      for (const id of referencesIn(top.one)) {
        const other = byId.get(id);
        if (other !== undefined && !done.has(other) && !open.has(other)) stack.push({ one: other, entered: false });
      }
    }
  }
  return ordered;
}

function referencesIn({ path, data }: BulkOperation): ReadonlySet<string> {
  const found = new Set<string>();
  const look = (text: string): void => {
    for (const match of text.matchAll(/bulkId:([^"/\\]+)/g)) if (match[1] !== undefined) found.add(match[1]);
  };
  look(path);
  if (data !== undefined) look(JSON.stringify(data));
  return found;
}

interface Running {
  readonly ids: Map<string, string>;
  readonly failed: Set<string>;
  readonly carryOut: CarryOut;
  readonly later: Array<Postponed>;
}

async function attempt(given: BulkOperation, { ids, failed, carryOut, later }: Running) {
  const { method, bulkId } = given;
  const about = { method, ...(bulkId === null ? {} : { bulkId }) };
  try {
    const { operation, postponed } = apart(given, ids, failed);
    const outcome = await carryOut(resolved(operation, ids, failed));
    if (bulkId !== null && outcome.id !== null) ids.set(bulkId, outcome.id);
    if (postponed !== null && outcome.id !== null) later.push({ path: given.path, id: outcome.id, value: postponed });
    return {
      isFailed: false,
      shown: {
        ...about,
        ...(outcome.location === null ? {} : { location: outcome.location }),
        ...(outcome.version === null ? {} : { version: outcome.version }),
        status: String(outcome.status),
      },
    };
  } catch (error) {
    if (!(error instanceof ScimError)) throw error;
    if (bulkId !== null) failed.add(bulkId);
    return { isFailed: true, shown: { ...about, status: String(error.status), response: errorBody(error) } };
  }
}

/** A create whose references lead back to it is made without them. */
function apart(operation: BulkOperation, ids: ReadonlyMap<string, string>, failed: ReadonlySet<string>) {
  const { method, data } = operation;
  if (method !== "POST" || !isObject(data)) return { operation, postponed: null };
  const isOpen = (value: unknown): boolean =>
    [...referencesIn({ ...operation, path: "", data: value })].some((name) => !ids.has(name) && !failed.has(name));
  const entries = Object.entries(data);
  const open = entries.filter(([, value]) => isOpen(value));
  if (open.length === 0) return { operation, postponed: null };
  const kept = Object.fromEntries(entries.filter(([, value]) => !isOpen(value)));
  return { operation: { ...operation, data: kept }, postponed: Object.fromEntries(open) };
}

/** With ids in place of references; one to a failed operation fails too. */
function resolved(
  operation: BulkOperation,
  ids: ReadonlyMap<string, string>,
  failed: ReadonlySet<string>,
): BulkOperation {
  const idOf = (text: string): string => {
    const name = text.slice(prefix.length);
    const id = ids.get(name);
    if (id !== undefined) return id;
    throw failed.has(name)
      ? badRequest("invalidValue", `The operation ${name} has failed.`)
      : new ScimError(409, null, `The reference to ${name} leads in a circle, or nowhere.`);
  };
  const inside = (value: unknown): unknown => {
    if (typeof value === "string") return value.startsWith(prefix) ? idOf(value) : value;
    if (Array.isArray(value)) return value.map(inside);
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, inside(inner)]));
  };
  const path = operation.path.replace(/bulkId:[^/]+/g, idOf);
  return { ...operation, path, data: inside(operation.data) };
}
