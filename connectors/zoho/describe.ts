/**
 * The fields of a module as the API user sees them now.
 *
 * Source  Zoho CRM API v8, "Fields Metadata".
 */
import type { RemoteField } from "../../core/connector.ts";
import type { Client } from "./client.ts";
import type { Module } from "./config.ts";
import { isJson, type Json, listIn, textOf } from "./json.ts";

export interface Description {
  readonly fields: ReadonlyMap<string, RemoteField>;
  /** Text that a list cuts at 500 characters; only a read of the single record has it whole. */
  readonly cutInLists: ReadonlySet<string>;
}

/** A list leaves these out, so what it says about them is never known. */
const singleReadOnly = new Set(["subform", "multiselectlookup", "multiuserlookup"]);
const computed = new Set(["formula", "rollup_summary", "autonumber"]);
const richLength = 50_000;

/** `unique` is an empty object where the field is not; an external field is always unique. */
const isUnique = ({ unique, external }: Json): boolean =>
  (isJson(unique) && Object.keys(unique).length > 0) || (isJson(external) && Object.keys(external).length > 0);

function optionsOf(raw: Json): RemoteField["options"] {
  const values = listIn(raw, "pick_list_values").flatMap((option) => {
    const value = textOf(option.actual_value);
    // "-None-" stands for the empty field.
    if (value === undefined || value === "-None-" || option.type === "unused") return [];
    return [{ value, label: textOf(option.display_value) ?? value }];
  });
  return values.length === 0 ? undefined : values;
}

function fieldOf(name: string, raw: Json): RemoteField {
  const type = textOf(raw.data_type) ?? "text";
  const operations = isJson(raw.operation_type) ? raw.operation_type : {};
  const isLocked = raw.read_only === true || raw.field_read_only === true || operations.api_update === false;
  const options = optionsOf(raw);
  const readable = raw.visible !== false && !singleReadOnly.has(type);
  return {
    name,
    label: textOf(raw.field_label) ?? name,
    type,
    required: raw.system_mandatory === true,
    readable,
    writable: readable && !isLocked && !computed.has(type),
    unique: isUnique(raw),
    ...(typeof raw.length === "number" ? { maxLength: raw.length } : {}),
    ...(options === undefined ? {} : { options }),
  };
}

const isRich = (raw: Json): boolean =>
  raw.data_type === "textarea" &&
  ((isJson(raw.textarea) && raw.textarea.type === "rich_text") || Number(raw.length) >= richLength);

export async function readDescription(client: Client, module: Module): Promise<Description> {
  const { body } = await client.read({ method: "GET", path: "/crm/v8/settings/fields", query: { module } });
  const fields = new Map<string, RemoteField>();
  const cutInLists = new Set<string>();
  for (const raw of listIn(body, "fields")) {
    const name = textOf(raw.api_name);
    if (name === undefined) continue;
    fields.set(name, fieldOf(name, raw));
    if (isRich(raw)) cutInLists.add(name);
  }
  return { fields, cutInLists };
}

const keptMs = 10 * 60_000;

export interface Descriptions {
  /** Read again after ten minutes, or when a fresh one is asked for. */
  readonly of: (module: Module, fresh?: boolean) => Promise<Description>;
}

export function createDescriptions(client: Client, now: () => number): Descriptions {
  const held = new Map<Module, { readonly at: number; readonly description: Promise<Description> }>();
  return {
    of: (module, fresh = false) => {
      const known = held.get(module);
      if (known !== undefined && !fresh && now() - known.at < keptMs) return known.description;
      const description = readDescription(client, module);
      held.set(module, { at: now(), description });
      description.catch(() => held.delete(module));
      return description;
    },
  };
}
