/** Which values Zoho takes for a field, and the entry that it answers for each that it refuses. */
import type { Store } from "./store.ts";
import { type Module, type Schema, type SimulatedField, users } from "./tenant.ts";
import { errorOf, isJson, type Json } from "./wire.ts";

export interface Checking {
  readonly store: Store;
  readonly schema: Schema;
  readonly module: Module;
  /** Place of the record in the call. */
  readonly index: number;
}

const pathOf = (index: number, name: string): string => `$.data[${index}].${name}`;

const wrong = (index: number, name: string, more: Json): Json =>
  errorOf("INVALID_DATA", "invalid data", { ...more, api_name: name, json_path: pathOf(index, name) });

export const missing = (index: number, name: string): Json =>
  errorOf("MANDATORY_NOT_FOUND", "required field not found", { api_name: name, json_path: pathOf(index, name) });

const texts = new Set(["text", "textarea", "email", "phone", "website", "picklist"]);
const patterns: Readonly<Record<string, RegExp>> = {
  email: /^[^\s@]+@[^\s@]+\.[^\s@]+$/,
  phone: /^(?![.-])[0-9a-zA-Z+.()\-;\s/,:]{1,30}$/,
  website: /^(https?:\/\/)?[^\s/]+\.[^\s]+$/i,
  date: /^\d{4}-\d{2}-\d{2}$/,
  datetime: /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(Z|[+-]\d{2}:\d{2})$/,
};

/** The error entry of a value, or undefined where it is taken. */
export function refusalOf(checking: Checking, field: SimulatedField, value: unknown): Json | undefined {
  const { index } = checking;
  const { name, type, length } = field;
  if (value === null) return undefined;
  const typed = (expected: string) => wrong(index, name, { expected_data_type: expected });
  if (name === "Tag") return Array.isArray(value) && value.every(isTag) ? undefined : typed("jsonarray");
  if (texts.has(type)) {
    if (typeof value !== "string") return typed(type === "text" || type === "picklist" ? "text" : type);
    if (length !== undefined && [...value].length > length) return wrong(index, name, { maximum_length: length });
    const pattern = patterns[type];
    if (pattern !== undefined && !pattern.test(value)) return typed(type);
    return type === "picklist" ? listRefusal(index, field, value) : undefined;
  }
  switch (type) {
    case "integer":
      return Number.isInteger(value) && Math.abs(Number(value)) < 1e9 ? undefined : typed("integer");
    case "currency":
    case "double":
    case "percent":
      return typeof value === "number" ? undefined : typed("double");
    case "boolean":
      return typeof value === "boolean" ? undefined : typed("boolean");
    case "bigint":
      return typeof value === "string" && /^\d{1,18}$/.test(value) ? undefined : typed("bigint");
    case "date":
    case "datetime":
      return typeof value === "string" && patterns[type]?.test(value) ? undefined : typed(type);
    case "multiselectpicklist":
      return Array.isArray(value) && value.every((one) => typeof one === "string") ? undefined : typed("jsonarray");
    case "lookup":
    case "ownerlookup":
      return isJson(value) && typeof value.id === "string"
        ? pointerRefusal(checking, field, value.id)
        : typed("jsonobject");
    default:
      return undefined;
  }
}

const isTag = (value: unknown): boolean => isJson(value) && typeof value.name === "string";

/** An unknown choice is added to the list, unless the customer forbids it. */
function listRefusal(index: number, field: SimulatedField, value: string): Json | undefined {
  const options = field.options ?? [];
  if (options.includes(value)) return undefined;
  if (field.strict === true) return wrong(index, field.name, { supported_values: [...options] });
  field.options = [...options, value];
  return undefined;
}

function pointerRefusal({ store, index }: Checking, field: SimulatedField, id: string): Json | undefined {
  const isKnown =
    field.type === "ownerlookup"
      ? users.some((user) => user.id === id && user.active)
      : field.target !== undefined && store.seen(field.target, id) !== undefined;
  return isKnown ? undefined : wrong(index, field.name, { expected_data_type: "jsonobject" });
}

/** What is stored of a value that was taken. */
export function storedOf(field: SimulatedField, value: unknown): unknown {
  if (value === "") return null;
  if (isJson(value) && typeof value.id === "string") return { id: value.id };
  if (field.type === "boolean" && value === null) return false;
  if (field.name === "Tag") {
    return (Array.isArray(value) ? value : []).filter(isJson).map(({ name }, place) => ({
      name,
      id: `50000000000009${String(place).padStart(5, "0")}`,
      color_code: null,
    }));
  }
  if (field.type === "datetime" && typeof value === "string") return Date.parse(value);
  return value;
}
