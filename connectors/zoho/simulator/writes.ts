/**
 * Insert, update, upsert, delete and merge, judged record by record.
 *
 * Source  Zoho CRM API v8, "Insert Records", "Update Records", "Upsert Records", "Delete Records" and "Merge Records".
 */
import type { Renderer } from "./render.ts";
import type { Row, Store } from "./store.ts";
import { apiUser, type Module, moduleIds, type Schema, systemKeys } from "./tenant.ts";
import { missing, refusalOf, storedOf } from "./values.ts";
import { answer, batch, errorOf, isJson, type Json, Refused, refuse } from "./wire.ts";

export interface WriteOptions {
  readonly store: Store;
  readonly schema: Schema;
  readonly render: Renderer;
  readonly hiddenFields: ReadonlySet<string>;
  readonly readOnlyFields: ReadonlySet<string>;
  /** What a workflow of the customer changes after a write that lets it run. */
  readonly workflow?: (module: Module, values: Json) => Json;
  readonly wrote: () => void;
}

const recordsMax = 100;

const lockedEntry = (index: number): Json =>
  errorOf("RECORD_LOCKED", "record is locked", {
    api_name: "id",
    json_path: `$.data[${index}].id`,
    action: "record_locking",
  });

export type Writes = ReturnType<typeof createWrites>;

export function createWrites(options: WriteOptions) {
  const { store, schema, render, hiddenFields, readOnlyFields, workflow, wrote } = options;

  const recordsIn = (body: unknown): ReadonlyArray<Json> => {
    const data = isJson(body) ? body.data : undefined;
    if (!Array.isArray(data) || data.length === 0) {
      throw new Refused(400, "MANDATORY_NOT_FOUND", "required field not found", { api_name: "data" });
    }
    if (data.length > recordsMax) {
      throw new Refused(400, "LIMIT_EXCEEDED", "the number of records exceeds the limit", {
        maximum_length: recordsMax,
        api_name: "data",
      });
    }
    return data.map((one) => (isJson(one) ? one : {}));
  };

  const receipt = (row: Row, message: string, more: Json = {}): Json => ({
    code: "SUCCESS",
    details: {
      Modified_Time: render.time(row.modifiedAt),
      Modified_By: render.user(row.modifiedBy, false),
      Created_Time: render.time(row.createdAt),
      id: row.id,
      Created_By: render.user(row.createdBy, false),
      ...more,
    },
    message,
    status: "success",
  });

  /** The accepted values, or the entry that refuses the record. */
  const judge = (module: Module, record: Json, index: number, known: Row | undefined): Json | { readonly ok: Json } => {
    const errors: Array<Json> = [];
    const accepted: Json = {};
    for (const field of schema[module].values()) {
      const { name } = field;
      const given = record[name];
      if (given === undefined) {
        if (known === undefined && field.mandatory === true) errors.push(missing(index, name));
        continue;
      }
      // What the profile may not write is dropped without a word.
      const full = `${module}.${name}`;
      if (field.system === true || hiddenFields.has(full) || readOnlyFields.has(full)) continue;
      if (field.mandatory === true && (given === null || given === "")) errors.push(missing(index, name));
      const error = refusalOf({ store, schema, module, index }, field, given === "" ? null : given);
      if (error !== undefined) errors.push(error);
      else accepted[name] = storedOf(field, given);
    }
    if (errors.length === 0) errors.push(...duplicates(module, accepted, index, known));
    if (errors.length === 0) return { ok: accepted };
    const [first = {}] = errors;
    return errors.length === 1 ? first : errorOf("MULTIPLE_OR_MULTI_ERRORS", "multiple errors", { errors });
  };

  const isSame = (left: unknown, right: unknown): boolean =>
    left !== null && left !== undefined && String(left).toLowerCase() === String(right).toLowerCase();

  const holderOf = (module: Module, name: string, value: unknown): Row | undefined =>
    value === null || value === undefined
      ? undefined
      : store.rows(module).find((row) => isSame(row.values[name], value));

  const isUnique = (module: Module, name: string): boolean => {
    const field = schema[module].get(name);
    return field?.unique === true || field?.external === true;
  };

  const duplicates = (module: Module, values: Json, index: number, known: Row | undefined): ReadonlyArray<Json> =>
    Object.entries(values).flatMap(([name, value]) => {
      if (!isUnique(module, name)) return [];
      const holder = holderOf(module, name, value);
      if (holder === undefined || holder.id === known?.id) return [];
      const owner = isJson(holder.values.Owner) ? String(holder.values.Owner.id) : "";
      return [
        errorOf("DUPLICATE_DATA", "duplicate data", {
          api_name: name,
          json_path: `$.data[${index}].${name}`,
          id: holder.id,
          duplicate_record: {
            id: holder.id,
            Owner: { ...render.user(owner, false), zuid: "10000001" },
            module: { api_name: module, id: moduleIds[module] },
          },
          more_records: false,
        }),
      ];
    });

  const runWorkflow = (module: Module, body: unknown, row: Row, values: Json): void => {
    const trigger = isJson(body) ? body.trigger : undefined;
    // Without the key all automation runs; an empty list stops it.
    const runs = !Array.isArray(trigger) || trigger.includes("workflow");
    const changed = runs ? workflow?.(module, values) : undefined;
    if (changed !== undefined && Object.keys(changed).length > 0) store.change(module, row.id, changed, apiUser.id);
  };

  const insertOne = (module: Module, record: Json, index: number, body: unknown): Json => {
    const judged = judge(module, record, index, undefined);
    if (!("ok" in judged) || !isJson(judged.ok)) return judged;
    const row = store.create(module, judged.ok, apiUser.id);
    wrote();
    const entry = receipt(row, "record added", { $approval_state: "approved" });
    runWorkflow(module, body, row, judged.ok);
    return entry;
  };

  const unknownId = (index: number): Json =>
    errorOf("INVALID_DATA", "the id given seems to be invalid", { api_name: "id", json_path: `$.data[${index}].id` });

  const updateOne = (module: Module, record: Json, index: number, body: unknown): Json => {
    const row = typeof record.id === "string" ? store.seen(module, record.id) : undefined;
    if (row === undefined) return unknownId(index);
    if (row.locked) return lockedEntry(index);
    const judged = judge(module, record, index, row);
    if (!("ok" in judged) || !isJson(judged.ok)) return judged;
    store.change(module, row.id, judged.ok, apiUser.id);
    wrote();
    const entry = receipt(row, "record updated");
    runWorkflow(module, body, row, judged.ok);
    return entry;
  };

  /** The header stands for the whole call, and equal times pass. */
  const precondition = (module: Module, records: ReadonlyArray<Json>, request: Request): Response | undefined => {
    const given = Date.parse(request.headers.get("if-unmodified-since") ?? "");
    if (Number.isNaN(given)) return undefined;
    const limit = Math.floor(given / 1000) * 1000;
    const moved = records
      .map(({ id }) => (typeof id === "string" ? store.seen(module, id) : undefined))
      .find((row) => row !== undefined && row.modifiedAt > limit);
    if (moved === undefined) return undefined;
    const message = "record updated time has already passed if-unmodified-since time";
    return answer({ data: [{ ...receipt(moved, message), code: "ALREADY_MODIFIED", status: "error" }] }, 412);
  };

  const half = (entries: ReadonlyArray<Json>, isHalf: boolean, make: (record: Json, index: number) => Json) =>
    entries.map((record, index) => (isHalf && index % 2 === 1 ? lockedEntry(index) : make(record, index)));

  /** Entries of X-EXTERNAL: `Accounts.Hub_Id`, or `Contacts.Account_Name.Hub_Id` for what a lookup points to. */
  const externals = (request: Request): ReadonlyArray<ReadonlyArray<string>> =>
    (request.headers.get("x-external") ?? "").split(",").map((entry) => entry.trim().split("."));

  const isExternal = (module: Module, name: string): boolean => schema[module].get(name)?.external === true;

  /** The records of a body, with lookups by an external value turned into lookups by id. */
  const recordsOf = (module: Module, body: unknown, request: Request): ReadonlyArray<Json> => {
    const lookups = externals(request).filter(([owner, , field]) => owner === module && field !== undefined);
    return recordsIn(body).map((record) => {
      const resolved: Json = { ...record };
      for (const [, name = "", field = ""] of lookups) {
        const pointed = schema[module].get(name)?.target;
        const value = record[name];
        if (pointed === undefined || !isJson(value) || !isExternal(pointed, field) || !(field in value)) continue;
        resolved[name] = { id: holderOf(pointed, field, value[field])?.id ?? "0" };
      }
      return resolved;
    });
  };

  /** An update names its record by the external field of the header where it gives no id. */
  const withId = (module: Module, record: Json, request: Request): Json => {
    if (record.id !== undefined) return record;
    const named = externals(request).find(([owner, , field]) => owner === module && field === undefined);
    const name = named?.[1] ?? "";
    return isExternal(module, name) ? { ...record, id: holderOf(module, name, record[name])?.id ?? "0" } : record;
  };

  const insert = (module: Module, body: unknown, request: Request, isHalf: boolean): Response =>
    batch(
      half(recordsOf(module, body, request), isHalf, (record, index) => insertOne(module, record, index, body)),
      201,
    );

  const update = (module: Module, body: unknown, request: Request, isHalf: boolean): Response => {
    const records = recordsOf(module, body, request).map((record) => withId(module, record, request));
    const moved = precondition(module, records, request);
    if (moved !== undefined) return moved;
    return batch(
      half(records, isHalf, (record, index) => updateOne(module, record, index, body)),
      200,
    );
  };

  const upsert = (module: Module, body: unknown, request: Request, isHalf: boolean): Response => {
    const records = recordsOf(module, body, request);
    const listed = isJson(body) && Array.isArray(body.duplicate_check_fields) ? body.duplicate_check_fields : [];
    const names = listed.map(String);
    for (const name of names) {
      if (name !== systemKeys[module] && !isUnique(module, name)) {
        throw new Refused(400, "INVALID_DATA", "invalid data", {
          api_name: "duplicate_check_fields",
          json_path: "$.duplicate_check_fields",
        });
      }
    }
    // Behind the listed fields every other unique field is compared too; the system field only where nothing is listed.
    const others = [...schema[module].keys()].filter((name) => isUnique(module, name) && !names.includes(name));
    const order = [...(names.length === 0 ? [systemKeys[module]] : names), ...others];
    const found = records.map((record) => target(module, record, order));
    const moved = precondition(
      module,
      found.map((hit) => (hit === undefined ? {} : { id: hit.row.id })),
      request,
    );
    if (moved !== undefined) return moved;
    const entries = half(records, isHalf, (record, index) => {
      // Looked for again, because an earlier record of this call may have made it.
      const hit = target(module, record, order);
      const entry =
        hit === undefined
          ? insertOne(module, record, index, body)
          : updateOne(module, { ...record, id: hit.row.id }, index, body);
      if (entry.status === "error") return entry;
      return { ...entry, action: hit === undefined ? "insert" : "update", duplicate_field: hit?.field ?? null };
    });
    return batch(entries, 200);
  };

  const target = (module: Module, record: Json, order: ReadonlyArray<string>) => {
    const byId = typeof record.id === "string" ? store.seen(module, record.id) : undefined;
    if (byId !== undefined) return { row: byId, field: null };
    for (const field of order) {
      const row = holderOf(module, field, record[field]);
      if (row !== undefined) return { row, field };
    }
    return undefined;
  };

  const remove = (module: Module, request: Request, isHalf: boolean): Response => {
    const text = new URL(request.url).searchParams.get("ids");
    if (text === null || text === "") throw refuse.parameter("ids");
    const ids = text.split(",");
    if (ids.length > recordsMax) throw refuse.invalid("ids", { limit: recordsMax });
    const entries = half(
      ids.map((id) => ({ id })),
      isHalf,
      ({ id }) => {
        const row = store.seen(module, String(id));
        if (row === undefined) return errorOf("INVALID_DATA", "record not deleted", { id });
        if (row.locked) return lockedEntry(0);
        store.remove(module, row.id, apiUser.id);
        wrote();
        return { code: "SUCCESS", details: { id }, message: "record deleted", status: "success" };
      },
    );
    return batch(entries, 200);
  };

  const merge = (module: Module, masterId: string, body: unknown): Response => {
    const [request] = isJson(body) && Array.isArray(body.merge) ? body.merge : [];
    const children = isJson(request) && Array.isArray(request.data) ? request.data.filter(isJson) : [];
    const ids = children.map(({ id }) => String(id));
    if (store.seen(module, masterId) === undefined || ids.length === 0 || ids.length > 2) throw refuse.invalid("id");
    if (ids.some((id) => store.seen(module, id) === undefined || id === masterId)) throw refuse.invalid("id");
    store.merge(module, masterId, ids, apiUser.id);
    wrote();
    return answer({ merge: [{ code: "SUCCESS", details: { id: masterId }, message: "merged", status: "success" }] });
  };

  /** A record's id, or that of the record which holds the value of the external field named in the header. */
  const resolve = (module: Module, id: string, request: Request): string => {
    const named = externals(request).find(([owner, , field]) => owner === module && field === undefined);
    const name = named?.[1] ?? "";
    return isExternal(module, name) ? (holderOf(module, name, decodeURIComponent(id))?.id ?? "0") : id;
  };

  return { insert, update, upsert, remove, merge, resolve };
}
