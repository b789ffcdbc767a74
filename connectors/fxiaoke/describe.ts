/**
 * What an object's fields are now: for drift, options, projections and the right way to clear a field.
 *
 * Source  Fxiaoke OpenAPI manual, 获取对象描述 (object describe).
 */
import { AuthFailed, type RemoteField } from "../../core/connector.ts";
import { type Client, isJson, type Json } from "./client.ts";
import { paths } from "./config.ts";

export interface Description {
  /** Active fields by api name. */
  readonly fields: ReadonlyMap<string, RemoteField>;
}

/** Types that the platform computes. */
const computedTypes = new Set(["auto_number", "formula", "count", "quote", "tree_path", "group"]);

/** Fields that the platform keeps itself; `owner` is written through its own call. */
const systemFields = new Set([
  "_id",
  "version",
  "create_time",
  "created_by",
  "last_modified_time",
  "last_modified_by",
  "life_status",
  "life_status_before_invalid",
  "lock_status",
  "is_deleted",
  "owner_modified_time",
  "owner_department",
  "object_describe_api_name",
  "tenant_id",
  "package",
]);

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

function optionsOf(raw: unknown): RemoteField["options"] {
  if (!Array.isArray(raw)) return undefined;
  return raw.filter(isJson).flatMap((option) => {
    const value = text(option.value);
    return value === undefined ? [] : [{ value, label: text(option.label) ?? value }];
  });
}

function fieldOf(name: string, raw: Json): RemoteField {
  const type = text(raw.type) ?? "text";
  const options = optionsOf(raw.options);
  return {
    name,
    label: text(raw.label) ?? name,
    type,
    required: raw.is_required === true,
    readable: true,
    writable: !computedTypes.has(type) && !systemFields.has(name),
    unique: raw.is_unique === true,
    ...(typeof raw.max_length === "number" ? { maxLength: raw.max_length } : {}),
    ...(options === undefined ? {} : { options }),
  };
}

/** Reads the description of one object; the same call serves preset and custom objects. */
export async function readDescription(client: Client, object: string): Promise<Description> {
  const { body } = await client.read({
    path: paths.describe,
    top: { includeDetail: false },
    data: { apiName: object, includeDetail: false },
  });
  const described = isJson(body.data) && isJson(body.data.describe) ? body.data.describe.fields : undefined;
  if (!isJson(described)) {
    throw new AuthFailed(
      `Fxiaoke does not describe the object ${object}`,
      "Check the object's api name, and that the acting employee may see the object (CRM 管理员).",
    );
  }
  const fields = new Map<string, RemoteField>();
  for (const [name, raw] of Object.entries(described)) {
    if (isJson(raw) && raw.is_active !== false) fields.set(name, fieldOf(name, raw));
  }
  return { fields };
}

const descriptionMs = 10 * 60_000;

/** Descriptions by object, read again after ten minutes or when asked. */
export function createDescriptions(client: Client) {
  const held = new Map<string, { readonly readAt: number; readonly description: Promise<Description> }>();
  const of = (object: string, fresh = false): Promise<Description> => {
    const now = client.now();
    const entry = held.get(object);
    if (entry !== undefined && !fresh && now - entry.readAt < descriptionMs) return entry.description;
    const description = readDescription(client, object);
    held.set(object, { readAt: now, description });
    description.catch(() => held.delete(object));
    return description;
  };
  return { of };
}

export type Descriptions = ReturnType<typeof createDescriptions>;

const listTypes = new Set([
  "select_many",
  "tag",
  "array",
  "employee",
  "employee_many",
  "department",
  "department_many",
  "object_reference_many",
  "file_attachment",
  "image",
  "signature",
]);
const textTypes = new Set(["text", "long_text", "html_rich_text", "url", "email", "phone_number"]);

/** What clears a field: the manual names no way, so each type takes the emptiest value that it can hold. */
export function clearing(field: RemoteField | undefined): "" | null | ReadonlyArray<never> {
  if (field === undefined) return null;
  if (textTypes.has(field.type)) return "";
  return listTypes.has(field.type) ? [] : null;
}
