/** `data/query` and `findSimple`: filters, orders, paging and projection as the manual describes them. */
import type { Row } from "./store.ts";
import type { FxiaokeSwitches } from "./switches.ts";
import type { SimulatedField } from "./tenant.ts";
import { isJson, type Json, Refused } from "./wire.ts";

const rowsMax = 100;
const offsetMax = 10_000;

export interface Search {
  readonly rows: ReadonlyArray<Row>;
  readonly fields: ReadonlyMap<string, SimulatedField>;
  readonly switches: FxiaokeSwitches;
  readonly info: Json;
  readonly projection: ReadonlyArray<string> | undefined;
  readonly withTotal: boolean;
}

export interface Found {
  readonly dataList: ReadonlyArray<Row>;
  readonly offset: number;
  readonly limit: number;
  readonly total: number;
}

type Test = (row: Row) => boolean;

const numericTypes = new Set(["number", "currency", "percentile", "date", "date_time", "time"]);
const listTypes = new Set(["employee", "employee_many", "department", "select_many", "tag", "array"]);

export function search({ rows, fields, switches, info, projection, withTotal }: Search): Found {
  const limit = limitOf(info.limit, switches);
  const offset = offsetOf(info.offset, limit, switches);
  const filters = Array.isArray(info.filters) ? info.filters.filter(isJson) : [];
  const tests = filters.map((filter) => testOf(filter, fields));
  const asksForInvalid = filters.some(({ field_name }) => field_name === "life_status" || field_name === "is_deleted");
  const showsInvalid = switches.invalidRows === "shown" || (switches.invalidRows === "filtered" && asksForInvalid);
  const hits = rows.filter((row) => (showsInvalid || row.is_deleted !== true) && tests.every((test) => test(row)));
  const orders = Array.isArray(info.orders) ? info.orders.filter(isJson) : [];
  if (orders.length > 0) hits.sort(comparison(orders, fields));
  const names = projection === undefined ? undefined : new Set([...projection, "_id"]);
  for (const name of names ?? []) if (!fields.has(name)) throw Refused.business(`字段[${name}]不存在或已禁用`);
  return {
    dataList: hits.slice(offset, offset + limit).map((row) => (names === undefined ? row : pick(row, names))),
    offset,
    limit,
    total: withTotal ? hits.length : 0,
  };
}

const pick = (row: Row, names: ReadonlySet<string>): Row =>
  Object.fromEntries(Object.entries(row).filter(([name]) => names.has(name)));

function limitOf(asked: unknown, switches: FxiaokeSwitches): number {
  if (typeof asked !== "number" || !Number.isInteger(asked) || asked < 1) throw Refused.parameter("limit");
  if (asked <= rowsMax) return asked;
  if (switches.limitAbove === "reject") throw Refused.business(`limit 不能超过${rowsMax}`);
  return rowsMax;
}

function offsetOf(asked: unknown, limit: number, switches: FxiaokeSwitches): number {
  const offset = asked ?? 0;
  if (typeof offset !== "number" || !Number.isInteger(offset) || offset < 0) throw Refused.parameter("offset");
  if (offset > offsetMax) {
    throw new Refused(10013, `offset out of range ${offsetMax}`, `offset 不能超过${offsetMax}`);
  }
  if (offset % limit === 0) return offset;
  if (switches.oddOffset === "reject") throw Refused.business("offset 必须是 limit 的整数倍");
  return offset - (offset % limit);
}

const isBlank = (value: unknown): boolean => value === undefined || value === null || value === "";

/** One form for comparing: numbers for numeric fields, text for the rest. */
function comparable(value: unknown, numeric: boolean): string | number {
  if (numeric) return typeof value === "number" ? value : Number(value);
  return typeof value === "string" ? value : String(value);
}

function testOf(filter: Json, fields: ReadonlyMap<string, SimulatedField>): Test {
  const name = typeof filter.field_name === "string" ? filter.field_name : "";
  const field = fields.get(name);
  if (field === undefined) throw Refused.business(`过滤字段[${name}]不存在`);
  if (!Array.isArray(filter.field_values)) throw Refused.parameter("field_values");
  const numeric = numericTypes.has(field.type);
  const wanted = filter.field_values.map((value) => comparable(value, numeric));
  const [first = "", second = ""] = wanted;
  const operator = filter.operator;
  if (listTypes.has(field.type)) return listTest(name, operator, wanted.map(String));
  const of = (row: Row) => comparable(row[name], numeric);
  const held =
    (test: (value: string | number) => boolean): Test =>
    (row) =>
      !isBlank(row[name]) && test(of(row));
  switch (operator) {
    case "EQ":
      return held((value) => value === first);
    case "N":
      return (row) => isBlank(row[name]) || of(row) !== first;
    case "GT":
      return held((value) => value > first);
    case "GTE":
      return held((value) => value >= first);
    case "LT":
      return held((value) => value < first);
    case "LTE":
      return held((value) => value <= first);
    case "LIKE":
    case "CONTAINS":
      return held((value) => String(value).includes(String(first)));
    case "NLIKE":
      return (row) => isBlank(row[name]) || !String(of(row)).includes(String(first));
    case "IS":
      return (row) => isBlank(row[name]);
    case "ISN":
      return (row) => !isBlank(row[name]);
    case "IN":
    case "HASANYOF":
      return held((value) => wanted.includes(value));
    case "NIN":
    case "NHASANYOF":
      return (row) => isBlank(row[name]) || !wanted.includes(of(row));
    case "BETWEEN":
      return held((value) => value >= first && value <= second);
    case "NBETWEEN":
      return held((value) => value < first || value > second);
    case "STARTWITH":
      return held((value) => String(value).startsWith(String(first)));
    case "ENDWITH":
      return held((value) => String(value).endsWith(String(first)));
    default:
      throw Refused.business(`不支持的操作符[${String(operator)}]`);
  }
}

/** Lists are compared by their members; employees cannot be compared with EQ. */
function listTest(name: string, operator: unknown, wanted: ReadonlyArray<string>): Test {
  const members = (row: Row): ReadonlyArray<unknown> => {
    const value = row[name];
    return Array.isArray(value) ? value : [];
  };
  const any = (row: Row) => members(row).some((member) => wanted.includes(String(member)));
  switch (operator) {
    case "IN":
    case "HASANYOF":
    case "CONTAINS":
      return any;
    case "NIN":
    case "NHASANYOF":
      return (row) => !any(row);
    case "IS":
      return (row) => members(row).length === 0;
    case "ISN":
      return (row) => members(row).length > 0;
    default:
      throw Refused.business(`字段[${name}]不支持操作符[${String(operator)}]`);
  }
}

function comparison(orders: ReadonlyArray<Json>, fields: ReadonlyMap<string, SimulatedField>) {
  const keys = orders.map(({ fieldName, isAsc }) => {
    const name = typeof fieldName === "string" ? fieldName : "";
    if (!fields.has(name)) throw Refused.business(`排序字段[${name}]不存在`);
    const numeric = numericTypes.has(fields.get(name)?.type ?? "");
    return { name, numeric, sign: isAsc === true || isAsc === "true" ? 1 : -1 };
  });
  return (left: Row, right: Row): number => {
    for (const { name, numeric, sign } of keys) {
      const one = comparable(left[name] ?? "", numeric);
      const other = comparable(right[name] ?? "", numeric);
      if (one !== other) return one < other ? -sign : sign;
    }
    return 0;
  };
}
