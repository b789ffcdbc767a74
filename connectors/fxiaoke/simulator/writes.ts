/** The writing actions: what the vendor checks, refuses, ignores and sets itself. */
import type { Author, Row, Store } from "./store.ts";
import type { FxiaokeSwitches } from "./switches.ts";
import {
  employees,
  objects,
  plainIdOf,
  platformFields,
  readOnlyTypes,
  type SimulatedField,
  systemUser,
} from "./tenant.ts";
import { isJson, type Json, Refused } from "./wire.ts";

export interface Writing {
  readonly store: Store;
  readonly switches: FxiaokeSwitches;
  readonly author: Author;
  /** Employees come as FSUID_… values. */
  readonly openIds: boolean;
  readonly body: Json;
  readonly data: Json;
  /** Empty where the caller must name the object inside `object_data`. */
  readonly custom: boolean;
}

const derivedName = /__(r|l|o|v|p|e|relation_ids)$/;
const dataMissing = "java.lang.NullPointerException";

/** The object's name; it must fit the path family. */
export function objectOf(name: unknown, custom: boolean, switches: FxiaokeSwitches): string {
  if (typeof name !== "string" || name === "") throw Refused.parameter("apiName");
  if (!objects.has(name)) throw Refused.business(`对象[${name}]描述获取失败`);
  if (name.endsWith("__c") !== custom && switches.crossedPaths === "reject") {
    throw Refused.business(`对象[${name}]与接口类型不匹配`);
  }
  if (switches.forbiddenObjects.includes(name)) throw Refused.business(`没有${objects.get(name)?.label}权限`);
  return name;
}

function fieldsOf(object: string): ReadonlyMap<string, SimulatedField> {
  return objects.get(object)?.fields ?? new Map();
}

function liveRow({ store }: Writing, object: string, id: unknown): Row & { readonly _id: string } {
  const row = typeof id === "string" ? store.get(object, id) : undefined;
  if (row === undefined || typeof id !== "string") throw Refused.business("数据不存在");
  if (store.isConcealed(object, id)) throw Refused.business("无此操作的数据权限");
  return { ...row, _id: id };
}

/** Nobody has a right to a pooled (公海) record until it is claimed. */
function checkClaimed(row: Row): void {
  if (isBlank(row.owner)) throw Refused.business("无此操作的数据权限");
}

/** Where the vendor's Java meets a JSON value of another type it answers a server error. */
const wrongType = (name: string) => new Refused(500, `Cannot deserialize value of field ${name}`);

const textTypes = new Set(["text", "long_text", "url", "email", "phone_number", "country", "province", "city"]);

function employeeIds(name: string, value: unknown, openIds: boolean): ReadonlyArray<string> {
  if (!Array.isArray(value) || value.some((id) => typeof id !== "string")) throw wrongType(name);
  return value.map((id: string) => {
    const plain = openIds ? plainIdOf(id) : id;
    const found = employees.find((employee) => employee.id === plain);
    if (found === undefined) throw new Refused(30027, "员工不存在");
    return found.id;
  });
}

/** One value as the vendor keeps it. */
function kept(writing: Writing, title: string, field: SimulatedField, value: unknown): unknown {
  const { api_name: name, type } = field;
  if (value === null) return null;
  if (textTypes.has(type)) {
    if (typeof value !== "string") throw wrongType(name);
    if (field.max_length !== undefined && value.length > field.max_length) {
      throw Refused.business(`字段[${field.label}]长度不能超过${field.max_length}`);
    }
    return value;
  }
  switch (type) {
    case "select_one":
    case "record_type":
      if (typeof value !== "string") throw wrongType(name);
      if (!(field.options ?? []).some((option) => option.value === value)) {
        throw Refused.business(`字段[${field.label}]的选项值[${value}]不存在`);
      }
      return value;
    case "select_many":
      if (!Array.isArray(value)) throw wrongType(name);
      for (const member of value) {
        if (!(field.options ?? []).some((option) => option.value === member)) {
          throw Refused.business(`字段[${field.label}]的选项值[${String(member)}]不存在`);
        }
      }
      return value;
    case "number":
    case "currency":
    case "percentile":
      if ((typeof value !== "string" && typeof value !== "number") || value === "" || !Number.isFinite(Number(value))) {
        throw wrongType(name);
      }
      return String(value);
    case "date":
    case "date_time":
      if (typeof value !== "number") throw wrongType(name);
      return value;
    case "true_or_false":
      if (typeof value !== "boolean") throw wrongType(name);
      return value;
    case "employee":
      return employeeIds(name, value, writing.openIds);
    case "object_reference": {
      if (typeof value !== "string") throw wrongType(name);
      const target = field.target_api_name ?? "";
      const row = writing.store.get(target, value);
      if (value !== "" && (row === undefined || row.is_deleted === true)) {
        throw Refused.business(`数据[${title}]的字段[${field.label}]关联关系不存在-201112011`);
      }
      return value;
    }
    default:
      return value;
  }
}

function values(writing: Writing, object: string, given: Json, id: string | undefined): Row {
  const fields = fieldsOf(object);
  const title = typeof given.name === "string" ? given.name : (id ?? "");
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    if (name === "dataObjectApiName" || platformFields.has(name) || derivedName.test(name)) continue;
    const field = fields.get(name);
    if (field === undefined || !field.is_active) throw Refused.business(`字段[${name}]不存在或已禁用`);
    if (readOnlyTypes.has(field.type) || writing.switches.hiddenFields.includes(name)) continue;
    result[name] = kept(writing, title, field, value);
  }
  for (const [name, value] of Object.entries(result)) {
    if (fields.get(name)?.is_unique !== true || value === null || value === "") continue;
    for (const other of writing.store.ids(object)) {
      if (other !== id && writing.store.get(object, other)?.[name] === value) {
        throw Refused.business(`字段[${fields.get(name)?.label ?? name}]的值重复`);
      }
    }
  }
  return result;
}

const isBlank = (value: unknown): boolean =>
  value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0);

function checkRequired({ switches }: Writing, object: string, row: Row): void {
  for (const field of fieldsOf(object).values()) {
    const isRequired = field.is_required || switches.requiredFields.includes(field.api_name);
    if (isRequired && isBlank(row[field.api_name])) {
      throw Refused.business(`字段[${field.label}]为必填项`);
    }
  }
}

const awaitsApproval = ({ switches, body }: Writing): boolean =>
  switches.approval === "on" && body.triggerApprovalFlow !== false;

/** A workflow that touches the record after the write, as the system user and a second later. */
function runWorkflow(writing: Writing, object: string, id: string): void {
  const { workflow } = writing.switches;
  if (workflow === "off" || (workflow === "on" && writing.body.triggerWorkFlow === false)) return;
  const author: Author = { userId: systemUser, at: writing.author.at + 1_000, byApi: false };
  writing.store.change(object, id, {}, author);
}

function objectData({ data }: Writing): Json {
  if (!isJson(data.object_data)) throw new Refused(500, dataMissing);
  return data.object_data;
}

export function create(writing: Writing): Json {
  const { store, switches, author, custom } = writing;
  const given = objectData(writing);
  const object = objectOf(given.dataObjectApiName, custom, switches);
  const row = values(writing, object, given, undefined);
  checkRequired(writing, object, row);
  const options = isJson(writing.data.optionInfo) ? writing.data.optionInfo : {};
  const searches = custom ? writing.body.checkDuplicateSearch === true : options.isDuplicateSearch !== false;
  if (switches.duplicateName === "reject" && searches) {
    const same = store.ids(object).some((id) => {
      const other = store.get(object, id);
      return other !== undefined && other.is_deleted !== true && other.name === row.name;
    });
    if (same) throw Refused.business("查重校验不通过，存在重复数据");
  }
  const times: Record<string, unknown> = {};
  if (writing.body.hasSpecifyTime === true && typeof given.create_time === "number")
    times.create_time = given.create_time;
  const approval = awaitsApproval(writing) ? { life_status: "under_review" } : {};
  const id = store.create(object, { ...row, ...times, ...approval }, author);
  runWorkflow(writing, object, id);
  return custom && switches.customDataId === "absent" ? {} : { dataId: id };
}

export function update(writing: Writing): Json {
  const { store, switches, author, custom, data } = writing;
  const given = objectData(writing);
  const object = objectOf(given.dataObjectApiName, custom, switches);
  const row = liveRow(writing, object, given._id);
  checkClaimed(row);
  if (row.is_deleted === true) throw Refused.business("数据已作废，不能编辑");
  if (row.lock_status === "1" && !(custom && data.skipDataStatusValidate === true)) {
    throw Refused.business("数据已锁定，不能编辑");
  }
  if (row.life_status === "under_review" || row.life_status === "in_change") {
    throw Refused.business("数据处于审批流程中，不能编辑");
  }
  // The owner cannot be changed here: it is dropped without a word.
  const { owner: _owner, record_type: _type, ...changes } = given;
  const written = values(writing, object, changes, row._id);
  checkRequired(writing, object, { ...row, ...written });
  if (awaitsApproval(writing)) {
    store.wait(object, row._id, written);
    store.change(object, row._id, { life_status: "in_change" }, author);
  } else {
    store.change(object, row._id, written, author);
  }
  runWorkflow(writing, object, row._id);
  return { dataId: row._id };
}

export function invalidate(writing: Writing): Json {
  const { store, switches, author, custom, data } = writing;
  const object = objectOf(data.dataObjectApiName, custom, switches);
  const row = liveRow(writing, object, data.object_data_id);
  invalidateRow(row);
  store.invalidate(object, row._id, author);
  return {};
}

function invalidateRow(row: Row): void {
  checkClaimed(row);
  if (row.lock_status === "1") throw Refused.business("数据已锁定，不能作废");
  if (row.life_status !== "normal") throw Refused.business("只有正常状态的数据可以作废");
}

const idList = (data: Json): ReadonlyArray<string> => {
  const list = Array.isArray(data.idList) ? data.idList : [];
  if (list.length === 0 || list.some((id) => typeof id !== "string")) throw Refused.parameter("idList");
  return list;
};

/** Custom objects only: invalidates a list, all or none. */
export function invalidateMany(writing: Writing): Json {
  const { store, switches, author, data } = writing;
  const object = objectOf(data.dataObjectApiName, true, switches);
  const rows = idList(data).map((id) => liveRow(writing, object, id));
  for (const row of rows) invalidateRow(row);
  for (const row of rows) store.invalidate(object, row._id, author);
  return {};
}

/** Purges records of the recycle bin, all or none. */
export function purge(writing: Writing): Json {
  const { store, switches, author, custom, data } = writing;
  const object = objectOf(data.dataObjectApiName, custom, switches);
  const rows = idList(data).map((id) => liveRow(writing, object, id));
  if (rows.some((row) => row.is_deleted !== true)) throw Refused.business("只能删除已作废的数据");
  for (const row of rows) store.purge(object, row._id, author);
  return {};
}

export function recover(writing: Writing): Json {
  const { store, switches, author, custom, data } = writing;
  const object = objectOf(data.dataObjectApiName, custom, switches);
  const rows = idList(data).map((id) => liveRow(writing, object, id));
  if (rows.some((row) => row.is_deleted !== true)) throw Refused.business("只能恢复已作废的数据");
  for (const row of rows) store.recover(object, row._id, author);
  return {};
}

export function changeOwner(writing: Writing): Json {
  const { store, switches, author, custom, data } = writing;
  const object = objectOf(data.dataObjectApiName, custom, switches);
  const list = Array.isArray(data.Data) ? data.Data.filter(isJson) : [];
  if (list.length === 0) throw Refused.parameter("Data");
  const changes = list.map((one) => {
    const row = liveRow(writing, object, one.objectDataId);
    if (row.is_deleted === true) throw Refused.business("数据已作废，不能更换负责人");
    if (row.lock_status === "1") throw Refused.business("数据已锁定，不能更换负责人");
    checkClaimed(row);
    const owner = employeeIds("ownerId", one.ownerId, writing.openIds);
    if (owner.length !== 1) throw Refused.business("字段[负责人]为必填项");
    return { id: row._id, owner };
  });
  for (const { id, owner } of changes) {
    const timed = fieldsOf(object).has("owner_modified_time") ? { owner_modified_time: author.at } : {};
    if (switches.ownerMovesTime) store.change(object, id, { owner, ...timed }, author);
    else store.changeQuietly(object, id, { owner, ...timed });
  }
  return {};
}
