/**
 * Writing: one call a record, and a call of its own for the owner.
 *
 * Fxiaoke answers a write without values or version and knows no conditional write; the core reads the record back.
 *
 * Source  Fxiaoke OpenAPI manual, 新建/编辑/作废/删除/恢复数据 and 更换负责人 (changeOwner).
 */
import {
  AuthFailed,
  type Entity,
  type Fault,
  isFault,
  type Operation,
  type Result,
  type Tools,
} from "../../core/connector.ts";
import { isJson, type Json } from "./client.ts";
import { actionPath, isCustom } from "./config.ts";
import { clearing, type Description } from "./describe.ts";
import { explain, type Failure, fieldLabelOf, remedyOf, textOf } from "./errors.ts";
import { find } from "./look-up.ts";
import { type Reader, readRow } from "./pull.ts";
import { isDeleted } from "./rows.ts";

export interface Writer extends Reader {
  readonly clock: Tools["clock"];
  /** Version steps of one changeOwner by object, once measured: the manual does not say whether it moves the version. */
  readonly ownerSteps: Map<string, number>;
}

type Rejected = Extract<Result, { kind: "rejected" }>;

const derivedName = /__(r|l|o|v|p|e|relation_ids)$/;
/** A locked record or an approval is waited for in minutes, not seconds. */
const waitMs = 10 * 60_000;
/** The APL manual advises at most 20 ids for delete and recover. */
const idsMax = 20;

/** One result per operation, in order. Throws a fault only if nothing at all could be sent. */
export async function push(writer: Writer, operations: ReadonlyArray<Operation>): Promise<ReadonlyArray<Result>> {
  const outcomes = await Promise.all(operations.map((operation) => writeOrFault(writer, operation)));
  const faults = outcomes.filter((outcome) => isFault(outcome));
  const [first] = faults;
  if (first !== undefined && faults.length === outcomes.length) throw first;
  return outcomes.map((outcome) => (isFault(outcome) ? postponed(outcome, writer.clock.now()) : outcome));
}

function postponed(fault: Fault, now: number): Result {
  const retryAt = fault._tag === "RateLimited" ? fault.retryAt : null;
  return {
    kind: "later",
    reason: fault.message,
    ...(retryAt === null ? {} : { retryAfterMs: Math.max(0, retryAt - now) }),
  };
}

async function writeOrFault(writer: Writer, operation: Operation): Promise<Result | Fault> {
  try {
    return await write(writer, operation);
  } catch (error) {
    if (!isFault(error)) throw error;
    return isUnclear(error) ? { kind: "unknown", reason: error.message } : error;
  }
}

/** The call may have been carried out. */
const isUnclear = (fault: Fault): boolean => fault._tag === "Unavailable" && fault.sent;

const resultOf = (fault: Fault, now: number): Result =>
  isUnclear(fault) ? { kind: "unknown", reason: fault.message } : postponed(fault, now);

async function write(writer: Writer, operation: Operation): Promise<Result> {
  const object = writer.settings.objects[operation.entity];
  switch (operation.kind) {
    case "create":
      return create(writer, object, operation);
    case "update":
      return update(writer, object, operation);
    case "delete":
      return remove(writer, object, operation.id);
  }
}

/** Creates one record with the hub's id in the key field, which alone can tell later whether it was made. */
async function create(writer: Writer, object: string, operation: Operation & { kind: "create" }): Promise<Result> {
  const { client, settings } = writer;
  const { hubId, keyField } = operation;
  const description = await writer.descriptions.of(object);
  requireKey(object, keyField, description);
  const refused = unwritable(operation.fields, description) ?? ownerless(operation.fields);
  if (refused !== undefined) return refused;
  const filled = Object.entries(operation.fields).filter(([, value]) => value !== null && value !== undefined);
  const outcome = await client.call({
    path: actionPath(object, "create"),
    retry: "unsent",
    top: { ...triggers(writer), ...(isCustom(object) ? { checkDuplicateSearch: settings.duplicateSearch } : {}) },
    data: {
      object_data: {
        dataObjectApiName: object,
        object_describe_api_name: object,
        record_type: settings.recordType,
        ...Object.fromEntries(filled),
        [keyField]: hubId,
      },
      details: {},
      optionInfo: { skipFuncValidate: false, isDuplicateSearch: settings.duplicateSearch, useValidationRule: true },
    },
  });
  if (!outcome.ok) return refusedCreate(writer, object, operation, outcome.failure, description);
  const id = typeof outcome.body.dataId === "string" ? outcome.body.dataId : "";
  if (id !== "") return effective(writer, object, id, 1);
  const found = await findCreated(writer, object, keyField, hubId);
  if (found !== undefined) return effective(writer, object, found, 1);
  return { kind: "unknown", reason: "created without an id in the answer, and not yet found by its key" };
}

function requireKey(object: string, keyField: string, { fields }: Description): void {
  if (fields.get(keyField)?.type === "text") return;
  throw new AuthFailed(
    `${object} has no active text field ${keyField === "" ? "(no key)" : keyField}, so a create could make a double`,
    "Add a single-line text field with 唯一性 (unique) for the hub's id, and name it under key.",
  );
}

/** Custom objects may answer a create without `dataId`; the index may need its lag to show the record. */
async function findCreated(
  writer: Writer,
  object: string,
  keyField: string,
  hubId: string,
): Promise<string | undefined> {
  const criteria = [{ field: keyField, value: hubId }];
  const [atOnce] = await find(writer, object, criteria, []);
  if (atOnce !== undefined) return atOnce.id;
  await writer.clock.sleep(writer.settings.indexLagMs);
  const [later] = await find(writer, object, criteria, []);
  return later?.id;
}

async function refusedCreate(
  writer: Writer,
  object: string,
  operation: Operation & { kind: "create" },
  failure: Failure,
  description: Description,
): Promise<Result> {
  if (textOf(failure)?.class !== "duplicate") return rejected(failure, description);
  // The answer does not name the other record: our own key first, then the name, which the rule usually compares.
  const { name } = operation.fields;
  const candidates = [
    { field: operation.keyField, value: operation.hubId },
    ...(typeof name === "string" ? [{ field: "name", value: name }] : []),
  ];
  for (const criterion of candidates) {
    const [only, second] = await find(writer, object, [criterion], []);
    if (only !== undefined && second === undefined) {
      return { kind: "duplicate", id: only.id, field: criterion.field, reason: explain(failure) };
    }
  }
  return rejected(failure, description);
}

/** Changes only what is given. The owner goes first, so that a refused owner leaves the record untouched. */
async function update(writer: Writer, object: string, operation: Operation & { kind: "update" }): Promise<Result> {
  const { id } = operation;
  const description = await writer.descriptions.of(object);
  const refused = unwritable(operation.fields, description) ?? ownerless(operation.fields);
  if (refused !== undefined) return refused;
  const { owner, ...others } = operation.fields;
  let writes = 0;
  if (owner !== undefined) {
    const moved = await changeOwner(writer, object, id, owner, description);
    if (typeof moved !== "number") return moved;
    writes += moved;
  }
  if (Object.keys(others).length > 0) {
    const written = await updateFields(writer, object, id, others, description);
    if (written !== undefined && isFault(written)) {
      if (owner === undefined) throw written;
      return { kind: "unknown", reason: `the owner is changed, the rest is not known: ${written.message}` };
    }
    if (written !== undefined) return written;
    writes += 1;
  }
  return effective(writer, object, id, writes);
}

/** Undefined when the update is done. */
async function updateFields(
  writer: Writer,
  object: string,
  id: string,
  fields: Json,
  description: Description,
): Promise<Result | Fault | undefined> {
  const values = Object.entries(fields).map(([name, value]) => [
    name,
    value === null || value === undefined ? clearing(description.fields.get(name)) : value,
  ]);
  try {
    const outcome = await writer.client.call({
      path: actionPath(object, "update"),
      retry: "unsent",
      top: triggers(writer),
      data: { object_data: { ...Object.fromEntries(values), _id: id, dataObjectApiName: object }, optionInfo: {} },
    });
    return outcome.ok ? undefined : await refusedWrite(writer, object, id, outcome.failure, description);
  } catch (error) {
    if (isFault(error)) return error;
    throw error;
  }
}

/** Answers the version steps that the change took. */
async function changeOwner(
  writer: Writer,
  object: string,
  id: string,
  owner: unknown,
  description: Description,
): Promise<number | Result> {
  const { client, ownerSteps } = writer;
  const known = ownerSteps.get(object);
  const before = known === undefined ? await versionOf(writer, object, id) : undefined;
  const outcome = await client.call({
    path: actionPath(object, "changeOwner"),
    retry: "unsent",
    data: { dataObjectApiName: object, Data: [{ objectDataId: id, ownerId: owner }] },
  });
  if (!outcome.ok) return refusedWrite(writer, object, id, outcome.failure, description, "owner");
  if (known !== undefined) return known;
  const after = before === undefined ? undefined : await versionOf(writer, object, id);
  const steps = before === undefined || after === undefined ? undefined : after - before;
  // More than one step is somebody else's write in between: it teaches nothing.
  if (steps === 0 || steps === 1) ownerSteps.set(object, steps);
  return steps === 0 ? 0 : 1;
}

async function versionOf(writer: Writer, object: string, id: string): Promise<number | undefined> {
  const row = await readRow(writer, object, id);
  if (typeof row === "string" || row.version === undefined) return undefined;
  const version = Number(row.version);
  return Number.isFinite(version) ? version : undefined;
}

/** 作废 moves to the recycle bin; with `deleteMode: purge` the record is then deleted for good. */
async function remove(writer: Writer, object: string, id: string): Promise<Result> {
  const { client, settings } = writer;
  const description = await writer.descriptions.of(object);
  const invalidated = await client.call({
    path: actionPath(object, "invalid"),
    retry: "unsent",
    data: { object_data_id: id, dataObjectApiName: object },
  });
  const row = await readRow(writer, object, id);
  if (row === "absent" && invalidated.ok) return { kind: "applied", id };
  const inBin = typeof row !== "string" && isDeleted(row);
  if (!inBin && !invalidated.ok) return byState(row, invalidated.failure, description);
  if (!inBin && row !== "hidden")
    return { kind: "pending", id, reason: "the vendor has not invalidated it yet (approval)" };
  if (settings.deleteMode === "invalid") return { kind: "applied", id };
  const purged = await client.call({
    path: actionPath(object, "delete"),
    retry: "unsent",
    data: { idList: [id], dataObjectApiName: object },
  });
  return purged.ok ? { kind: "applied", id } : rejected(purged.failure, description);
}

/**
 * Takes records out of the recycle bin, at most twenty a call; to undo deletes of the hub.
 *
 * Errors  as in `push`; a refusal names the call that failed.
 */
export async function recover(
  writer: Writer,
  entity: Entity,
  ids: ReadonlyArray<string>,
): Promise<ReadonlyArray<Result>> {
  const object = writer.settings.objects[entity];
  const description = await writer.descriptions.of(object);
  const results: Array<Result> = [];
  for (let from = 0; from < ids.length; from += idsMax) {
    const idList = ids.slice(from, from + idsMax);
    try {
      results.push(...(await recoverSome(writer, object, idList, description)));
    } catch (error) {
      if (!isFault(error)) throw error;
      const result = resultOf(error, writer.clock.now());
      if (results.length === 0 && result.kind !== "unknown") throw error;
      results.push(...idList.map(() => result));
    }
  }
  return results;
}

async function recoverSome(
  writer: Writer,
  object: string,
  idList: ReadonlyArray<string>,
  description: Description,
): Promise<ReadonlyArray<Result>> {
  const path = actionPath(object, "recover");
  const outcome = await writer.client.call({ path, retry: "unsent", data: { idList, dataObjectApiName: object } });
  return idList.map((id) => (outcome.ok ? { kind: "applied", id } : rejected(outcome.failure, description)));
}

const triggers = ({ settings }: Writer): Json => ({
  triggerApprovalFlow: settings.triggerApprovalFlow,
  triggerWorkFlow: settings.triggerWorkFlow,
});

const approvalStates = new Set<unknown>(["under_review", "in_change"]);

/** With approval flows on, a write is accepted but need not count yet; only the record tells. */
async function effective(writer: Writer, object: string, id: string, writes: number): Promise<Result> {
  if (writer.settings.triggerApprovalFlow) {
    const row = await readRow(writer, object, id);
    if (isJson(row) && approvalStates.has(row.life_status)) {
      return { kind: "pending", id, reason: `waits for an approval in Fxiaoke (${String(row.life_status)})` };
    }
  }
  return { kind: "applied", id, writes };
}

async function refusedWrite(
  writer: Writer,
  object: string,
  id: string,
  failure: Failure,
  description: Description,
  field?: string,
): Promise<Result> {
  return byState(await readRow(writer, object, id), failure, description, field);
}

/** Texts of refusals are not published, so the record itself says why it could not be written. */
function byState(row: Json | string, failure: Failure, description: Description, field?: string): Result {
  // Two answers that say the same are believed; a record that is only hidden is refused for rights by one of them.
  const isGone = isJson(row) ? isDeleted(row) : row === "absent" && textOf(failure)?.class === "gone";
  if (isGone) return { kind: "gone", reason: explain(failure) };
  if (isJson(row)) {
    const locked = row.lock_status === "1" || row.lock_status === 1;
    if (locked || approvalStates.has(row.life_status)) {
      const why = locked ? "the record is locked" : "the record waits for an approval";
      return { kind: "later", reason: `${why}: ${explain(failure)}`, retryAfterMs: waitMs };
    }
  }
  return rejected(failure, description, field);
}

function rejected(failure: Failure, description: Description, field?: string): Rejected {
  const named = fieldLabelOf(failure);
  const found = [...description.fields.values()].find(({ label, name }) => label === named || name === named);
  const at = found?.name ?? field;
  return {
    kind: "rejected",
    ...(at === undefined ? {} : { field: at }),
    code: String(failure.code),
    reason: explain(failure),
    remedy: remedyOf(failure),
  };
}

/** Fxiaoke drops what it cannot write without a word, so it is refused here. */
function unwritable(fields: Json, description: Description): Rejected | undefined {
  for (const name of Object.keys(fields)) {
    const field = description.fields.get(name);
    if (field?.writable === true && !derivedName.test(name)) continue;
    const computed = field !== undefined || derivedName.test(name);
    return {
      kind: "rejected",
      field: name,
      code: computed ? "read-only-field" : "no-such-field",
      reason: computed ? `Fxiaoke computes ${name} itself` : `the object has no active field ${name}`,
      remedy: computed ? "Map it for reading only." : "Correct the map, or enable the field in Fxiaoke.",
    };
  }
  return undefined;
}

function ownerless(fields: Json): Rejected | undefined {
  if (!("owner" in fields)) return undefined;
  const { owner } = fields;
  if (Array.isArray(owner) && owner.length > 0) return undefined;
  return {
    kind: "rejected",
    field: "owner",
    code: "owner-needed",
    reason: "a record of Fxiaoke cannot be left without an owner through the API",
    remedy: "Map the owner to an employee, or set defaultOwner.",
  };
}
