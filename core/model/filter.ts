/** Structured conditions over canonical fields: which accounts a connection receives. Pure data, written in YAML. */
import { isEmpty, isList, isMoney, type Value, type Values } from "./value.ts";

export type Filter =
  | { readonly all: ReadonlyArray<Filter> }
  | { readonly any: ReadonlyArray<Filter> }
  | { readonly not: Filter }
  | { readonly field: string; readonly is: Value }
  | { readonly field: string; readonly in: ReadonlyArray<Value> }
  | { readonly field: string; readonly exists: boolean }
  | { readonly field: string; readonly greaterThan: number }
  | { readonly field: string; readonly lessThan: number }
  | { readonly field: string; readonly contains: string };

/** Whether the values meet the filter; a field that is not known counts as empty. */
export function meets(filter: Filter, values: Values): boolean {
  if ("all" in filter) return filter.all.every((part) => meets(part, values));
  if ("any" in filter) return filter.any.some((part) => meets(part, values));
  if ("not" in filter) return !meets(filter.not, values);
  const value = values[filter.field] ?? null;
  if ("is" in filter) return holds(value, filter.is);
  if ("in" in filter) return filter.in.some((wanted) => holds(value, wanted));
  if ("exists" in filter) return isEmpty(value) !== filter.exists;
  if ("contains" in filter) return contains(value, filter.contains);
  const number = magnitude(value);
  if (number === undefined) return false;
  return "greaterThan" in filter ? number > filter.greaterThan : number < filter.lessThan;
}

function holds(value: Value, wanted: Value): boolean {
  if (isList(value)) return typeof wanted === "string" && value.includes(wanted);
  if (typeof value === "string" && typeof wanted === "string") return value.toLowerCase() === wanted.toLowerCase();
  return value === wanted || (isEmpty(value) && isEmpty(wanted));
}

function contains(value: Value, part: string): boolean {
  if (isList(value)) return value.includes(part);
  return typeof value === "string" && value.toLowerCase().includes(part.toLowerCase());
}

function magnitude(value: Value): number | undefined {
  const raw = isMoney(value) ? value.amount : value;
  if (typeof raw !== "number" && typeof raw !== "string") return undefined;
  const number = Number(raw);
  return raw === "" || Number.isNaN(number) ? undefined : number;
}
