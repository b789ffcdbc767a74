/** Between the remote fields of a record and one codec: gathers raw values by path, and spreads encoded ones back. */
import { type CodecContext, type FieldRule, type Path, type RawShape, Refusal, type Unreadable } from "./codec.ts";
import type { Value } from "./value.ts";

type RemoteFields = Readonly<Record<string, unknown>>;

/** The canonical value of a rule's remote fields; undefined when the record tells none of them. */
export function decodeField(
  rule: FieldRule,
  fields: RemoteFields,
  context: CodecContext,
): Value | undefined | Unreadable {
  const raw = gather(rule.path, fields);
  return raw === undefined ? undefined : rule.codec.decode(raw, context, rule.path);
}

/** What to write for a canonical value, by remote name. A name that the codec leaves out stays as it is in the system. */
export function encodeField(rule: FieldRule, value: Value, context: CodecContext): RemoteFields | Refusal {
  const raw = rule.codec.encode(value, context, rule.path);
  return raw instanceof Refusal ? raw : spread(rule.path, raw);
}

/**
 * What comes back when the system holds this value: `decode(encode(value))`, without any normalising.
 *
 * Errors  Refusal where the value cannot be written; Unreadable where the system's own form of it cannot be read.
 */
export function imageOf(
  rule: FieldRule,
  value: Value,
  context: CodecContext,
): Value | undefined | Refusal | Unreadable {
  const raw = rule.codec.encode(value, context, rule.path);
  return raw instanceof Refusal ? raw : rule.codec.decode(raw, context, rule.path);
}

function gather(path: Path, fields: RemoteFields): RawShape {
  if (typeof path === "string") return known(fields, path);
  if (isSlots(path)) {
    const slots = path.map((name) => known(fields, name));
    return slots.every((slot) => slot === undefined) ? undefined : slots;
  }
  const members: Record<string, unknown> = {};
  let any = false;
  for (const member of Object.keys(path)) {
    const raw = known(fields, path[member] ?? "");
    if (raw === undefined) continue;
    members[member] = raw;
    any = true;
  }
  return any ? members : undefined;
}

/** Only a record's own keys: a remote field may be called `constructor`. */
const known = (fields: RemoteFields, name: string): unknown => (Object.hasOwn(fields, name) ? fields[name] : undefined);

function spread(path: Path, raw: RawShape): RemoteFields {
  if (typeof path === "string") return { [path]: raw };
  const fields: Record<string, unknown> = {};
  if (isSlots(path)) {
    const slots: ReadonlyArray<unknown> = Array.isArray(raw) ? raw : [];
    path.forEach((name, index) => {
      fields[name] = slots[index] ?? null;
    });
    return fields;
  }
  if (typeof raw !== "object" || raw === null) return fields;
  for (const [member, value] of Object.entries(raw)) {
    const name = path[member];
    if (name !== undefined && value !== undefined) fields[name] = value;
  }
  return fields;
}

// Array.isArray does not narrow a readonly array away from the other kinds of path.
const isSlots = (path: Path): path is ReadonlyArray<string> => Array.isArray(path);
