/**
 * Writing: creates through the hub's key, updates in batches or under a time precondition, deletes to the recycle bin.
 *
 * A batch may succeed in part, whatever its HTTP status says, so every entry is judged by itself.
 *
 * Source  Zoho CRM API v8, "Insert Records", "Update Records", "Upsert Records" and "Delete Records".
 */
import { AuthFailed, type Entity, isFault, type Operation, type Result, Unavailable } from "../../core/connector.ts";
import type { Answer, Call } from "./client.ts";
import { type Module, modules } from "./config.ts";
import { duplicateIdOf, explain, type Failure, failureOf, fieldOf, isUnknownId, partsOf, refusalOf } from "./errors.ts";
import { instantOf, isJson, type Json, stampOf, textOf } from "./json.ts";
import { batchMax } from "./map.ts";
import type { Reader } from "./pull.ts";
import { projectionOf, readByIds } from "./rows.ts";

type Create = Extract<Operation, { readonly kind: "create" }>;
type Update = Extract<Operation, { readonly kind: "update" }>;
type Delete = Extract<Operation, { readonly kind: "delete" }>;

/** Operations that go in one call, with their places in the push. */
interface Batch {
  readonly module: Module;
  readonly entity: Entity;
  readonly places: ReadonlyArray<number>;
  readonly send: () => Promise<ReadonlyArray<Result>>;
}

/** One result per operation, in order. */
export async function push(reader: Reader, operations: ReadonlyArray<Operation>): Promise<ReadonlyArray<Result>> {
  const results: Array<Result | undefined> = operations.map(() => undefined);
  let isFirst = true;
  for (const batch of await batchesOf(reader, operations)) {
    try {
      const settled = await batch.send();
      batch.places.forEach((place, index) => {
        results[place] = settled[index];
      });
    } catch (error) {
      if (!isFault(error)) throw error;
      const isUnclear = error instanceof Unavailable && error.sent;
      if (isFirst && !isUnclear) throw error;
      // What is settled already must not be lost with the fault; the rest was not sent.
      for (const place of isUnclear ? batch.places : []) results[place] = { kind: "unknown", reason: error.message };
      return results.map((result) => result ?? { kind: "later", reason: `not sent: ${error.message}` });
    }
    isFirst = false;
  }
  return results.map((result) => result ?? { kind: "unknown", reason: "Zoho's answer does not name this record" });
}

async function batchesOf(reader: Reader, operations: ReadonlyArray<Operation>): Promise<ReadonlyArray<Batch>> {
  const batches: Array<Batch> = [];
  for (const entity of ["account", "contact"] as const) {
    const module = modules[entity];
    const placed = operations.flatMap((operation, place) =>
      operation.entity === entity ? [{ operation, place }] : [],
    );
    const add = <O extends Operation>(
      group: ReadonlyArray<{ readonly operation: O; readonly place: number }>,
      size: number,
      send: (part: ReadonlyArray<O>) => Promise<ReadonlyArray<Result>>,
    ) => {
      for (let start = 0; start < group.length; start += size) {
        const part = group.slice(start, start + size);
        const places = part.map(({ place }) => place);
        batches.push({ entity, module, places, send: () => send(part.map(({ operation }) => operation)) });
      }
    };
    const creates = placed.flatMap(({ operation, place }) =>
      operation.kind === "create" ? [{ operation, place }] : [],
    );
    const updates = placed.flatMap(({ operation, place }) =>
      operation.kind === "update" ? [{ operation, place }] : [],
    );
    const deletes = placed.flatMap(({ operation, place }) =>
      operation.kind === "delete" ? [{ operation, place }] : [],
    );
    const isLocked = ({ operation }: { readonly operation: Update }) =>
      operation.precondition?.modifiedAt !== undefined;
    const ways = new Map<string, typeof creates>();
    for (const entry of creates) {
      const way = `${entry.operation.keyField} ${await canUpsert(reader, module, entry.operation)}`;
      ways.set(way, [...(ways.get(way) ?? []), entry]);
    }
    for (const group of ways.values()) add(group, batchMax, (part) => create(reader, module, part));
    add(updates.filter(isLocked), 1, (part) => update(reader, module, part));
    add(
      updates.filter((entry) => !isLocked(entry)),
      batchMax,
      (part) => update(reader, module, part),
    );
    add(deletes, batchMax, (part) => remove(reader, module, part));
  }
  return batches;
}

// ---- creates ----

/**
 * An upsert by the key is repeat-safe in one call. But Zoho then looks at every other unique field too, and would
 * overwrite a stranger that holds one of the values; a record with such values is inserted, which refuses instead.
 */
async function canUpsert({ descriptions }: Reader, module: Module, { keyField, fields }: Create): Promise<boolean> {
  const described = (await descriptions.of(module)).fields;
  if (described.get(keyField)?.unique !== true) {
    throw new AuthFailed(
      `${module}.${keyField === "" ? "(no key)" : keyField} is not a unique field, so a create could make a double`,
      "Mark the field as unique or external in Zoho, and name it under key.",
    );
  }
  return !Object.keys(fields).some((name) => name !== keyField && described.get(name)?.unique === true);
}

async function create(
  reader: Reader,
  module: Module,
  operations: ReadonlyArray<Create>,
): Promise<ReadonlyArray<Result>> {
  const [first] = operations;
  if (first === undefined) return [];
  const isUpsert = await canUpsert(reader, module, first);
  const data = operations.map(({ hubId, keyField, fields }) => ({ ...fields, [keyField]: hubId }));
  const answer = await reader.client.call({
    method: "POST",
    path: `/crm/v8/${module}${isUpsert ? "/upsert" : ""}`,
    json: {
      data,
      ...(isUpsert ? { duplicate_check_fields: [first.keyField] } : {}),
      trigger: reader.settings.trigger,
    },
    ...weight(operations.length),
  });
  const results: Array<Result> = [];
  for (const [index, entry] of entriesOf(answer, operations.length).entries()) {
    const operation = operations[index];
    const failure = failureOf(entry);
    const own = failure === undefined ? undefined : takenBy(failure, operation?.keyField ?? "");
    if (operation === undefined || own === undefined) {
      results.push(failure === undefined ? applied(entry) : refusalOf(failure));
      continue;
    }
    // Our own earlier attempt has landed: the record gets the values of this one.
    const { entity, fields } = operation;
    const [result] = await update(reader, module, [{ kind: "update", entity, id: own, fields }]);
    results.push(result ?? refusalOf(failure ?? { code: "", message: "", details: {} }));
  }
  return results;
}

/** The record that holds the hub's own key, also where it holds other unique values of the operation beside it. */
function takenBy(failure: Failure, keyField: string): string | undefined {
  const own = partsOf(failure).find((part) => part.code === "DUPLICATE_DATA" && fieldOf(part) === keyField);
  return own === undefined ? undefined : duplicateIdOf(own);
}

// ---- updates ----

async function update(
  reader: Reader,
  module: Module,
  operations: ReadonlyArray<Update>,
): Promise<ReadonlyArray<Result>> {
  const [first] = operations;
  if (first === undefined) return [];
  // One time stands for the whole call, so only a single record carries it.
  const unmodifiedSince = operations.length === 1 ? first.precondition?.modifiedAt : undefined;
  const answer = await reader.client.call({
    method: "PUT",
    path: `/crm/v8/${module}`,
    json: { data: operations.map(({ id, fields }) => ({ ...fields, id })), trigger: reader.settings.trigger },
    ...(unmodifiedSince === undefined ? {} : { headers: { "if-unmodified-since": stampOf(unmodifiedSince) } }),
    ...weight(operations.length),
  });
  const entries = entriesOf(answer, operations.length);
  const results = entries.map((entry): Result => {
    const failure = failureOf(entry);
    return failure === undefined ? applied(entry) : refusalOf(failure);
  });
  return provenGone(reader, module, operations, entries, results);
}

/** An unknown id is gone only if the list of deleted records says so; otherwise the record may be hidden. */
async function provenGone(
  { graveyard }: Reader,
  module: Module,
  operations: ReadonlyArray<Update | Delete>,
  entries: ReadonlyArray<Json>,
  results: ReadonlyArray<Result>,
): Promise<ReadonlyArray<Result>> {
  const failures = entries.map(failureOf);
  const unknown = operations.filter((_, index) => {
    const failure = failures[index];
    return failure !== undefined && isUnknownId(failure);
  });
  if (unknown.length === 0) return results;
  const deleted = await deletedOrUnclear(
    graveyard.deletedOf(
      module,
      unknown.map(({ id }) => id),
    ),
  );
  return results.map((result, index) => {
    const failure = failures[index];
    const id = operations[index]?.id ?? "";
    if (failure === undefined || !isUnknownId(failure)) return result;
    const reason = explain(failure);
    if (deleted === undefined) return { kind: "later", reason };
    if (deleted.has(id)) return { kind: "gone", reason };
    return {
      kind: "rejected",
      code: "INVALID_DATA",
      reason,
      remedy:
        "Zoho does not show this record to the API user, and does not list it as deleted: check the sharing rules, or delete the link.",
    };
  });
}

/** A fault after the write must not hide what the write answered. */
async function deletedOrUnclear<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await look;
  } catch (error) {
    if (!isFault(error)) throw error;
    return undefined;
  }
}

// ---- deletes ----

async function remove(
  reader: Reader,
  module: Module,
  operations: ReadonlyArray<Delete>,
): Promise<ReadonlyArray<Result>> {
  const answer = await reader.client.call({
    method: "DELETE",
    path: `/crm/v8/${module}`,
    query: {
      ids: operations.map(({ id }) => id).join(","),
      wf_trigger: String(reader.settings.trigger.includes("workflow")),
    },
    retry: "unsent",
  });
  const entries = entriesOf(answer, operations.length);
  const results = entries.map((entry, index): Result => {
    const failure = failureOf(entry);
    return failure === undefined ? { kind: "applied", id: operations[index]?.id ?? "" } : refusalOf(failure);
  });
  const alive = await aliveOf(reader, module, operations, entries);
  const judged = await provenGone(reader, module, operations, entries, results);
  // "Not deleted" of a record that is still there has another reason than that it is gone.
  return judged.map((result, index) => (alive.has(operations[index]?.id ?? "") ? (results[index] ?? result) : result));
}

async function aliveOf(
  reader: Reader,
  module: Module,
  operations: ReadonlyArray<Delete>,
  entries: ReadonlyArray<Json>,
): Promise<ReadonlySet<string>> {
  const ids = operations.filter((_, index) => failureOf(entries[index]) !== undefined).map(({ id }) => id);
  if (ids.length === 0) return new Set();
  const projection = projectionOf([], await reader.descriptions.of(module));
  const rows = await deletedOrUnclear(readByIds(reader, { module, projection }, ids));
  return new Set(rows?.keys());
}

// ---- answers ----

const heavyFrom = 10;
const recordsPerCredit = 10;

/** A lost write is never sent again blindly: it might cover an edit that was made in between. */
const weight = (count: number): Pick<Call, "heavy" | "cost" | "retry"> => ({
  heavy: count > heavyFrom,
  cost: Math.ceil(count / recordsPerCredit),
  retry: "unsent",
});

/** One entry per record, in the order of the records. A failure of the whole call counts for each of them. */
function entriesOf(answer: Answer, count: number): ReadonlyArray<Json> {
  const { body, failure } = answer;
  if (failure !== undefined) {
    if (body === undefined) throw new Unavailable(explain(failure), { sent: true });
    return Array.from({ length: count }, () => body);
  }
  const entries = Array.isArray(body?.data) ? body.data.filter(isJson) : [];
  if (entries.length !== count) {
    throw new Unavailable(`Zoho answered ${entries.length} entries for ${count} records`, { sent: true });
  }
  return entries;
}

/** The receipt of a write; the answer holds no values. */
function applied(entry: Json): Result {
  const details = isJson(entry.details) ? entry.details : {};
  const id = textOf(details.id);
  if (id === undefined) return { kind: "unknown", reason: "Zoho's answer does not name the record's id" };
  const modifiedAt = instantOf(details.Modified_Time);
  return { kind: "applied", id, ...(modifiedAt === undefined ? {} : { modifiedAt }) };
}
