/** Sets, and contact points that are spread over several remote fields. */
import { type Codec, type Path, Refusal, Unreadable } from "../codec.ts";
import { type FieldType, isList, type List, type Value } from "../value.ts";
import { cut, isRecord, misfit, readText, type TextOptions, unreadable } from "./raw.ts";

export interface SetOptions {
  /** `array` is `["A"]`, `names` is `[{ name: "A" }]`, `joined` is one text with a separator. */
  readonly as?: "array" | "names" | { readonly joined: string };
  /** Members that the system keeps; the first ones by code unit are written. */
  readonly max?: number;
}

export const set = ({ as = "array", max }: SetOptions = {}): Codec => ({
  name: "set",
  types: ["set"],
  decode: (raw) => {
    if (raw === undefined || raw === null) return raw;
    const members = typeof as === "object" ? splitMembers(raw, as.joined) : listMembers(raw, as);
    return members instanceof Unreadable ? members : orNull(sortedMembers(members));
  },
  encode: (value) => {
    if (value !== null && !isList(value)) return misfit(value, "a list");
    const kept = sortedMembers(value ?? []).slice(0, max);
    if (as === "array") return kept;
    if (as === "names") return kept.map((name) => ({ name }));
    const separator = separatorOf(as.joined);
    if (!kept.some((member) => member.includes(separator))) return kept.length === 0 ? null : kept.join(as.joined);
    return new Refusal(
      `A member holds "${separator}", which separates the members of this field.`,
      "Rename the member, or map the set to a field that holds a list.",
    );
  },
});

/** One field per e-mail address, the main one first; those beyond the last slot are not written. */
export const emails = (options: TextOptions = {}): Codec => slots("emails", "emails", options);

/** One field per phone number, the main one first; those beyond the last slot are not written. */
export const phones = (options: TextOptions = {}): Codec => slots("phones", "phones", options);

function slots(name: string, type: FieldType, { max }: TextOptions): Codec {
  return {
    name,
    types: [type],
    ...(max === undefined ? {} : { lengthMax: max }),
    decode: (raw, _context, path) => {
      const slotsRead = Array.isArray(path) ? raw : [raw];
      if (!Array.isArray(slotsRead))
        return slotsRead === undefined ? undefined : unreadable(slotsRead, "one text per slot");
      const members: Array<string> = [];
      let known = false;
      for (const slot of slotsRead) {
        const member = readText(slot);
        if (member instanceof Unreadable) return member;
        if (member !== undefined) known = true;
        if (typeof member === "string" && !members.includes(member)) members.push(member);
      }
      return known ? orNull(members) : undefined;
    },
    encode: (value, _context, path) => {
      if (value !== null && !isList(value)) return misfit(value, "a list");
      const members: Array<string> = [];
      for (const member of value ?? []) {
        const kept = cut(member, max);
        if (kept !== "" && !members.includes(kept)) members.push(kept);
      }
      if (!Array.isArray(path)) return members[0] ?? null;
      return slotNames(path).map((_slot, index) => members[index] ?? null);
    },
  };
}

const slotNames = (path: Path): ReadonlyArray<string> => (Array.isArray(path) ? path : []);

const orNull = (members: List): Value => (members.length === 0 ? null : members);

/** Trimmed, without doubles and empties, by code unit: the form in which sets compare. */
function sortedMembers(members: List): List {
  return [...new Set(members.map((member) => member.trim()))].filter((member) => member !== "").sort();
}

function listMembers(raw: unknown, as: "array" | "names"): ReadonlyArray<string> | Unreadable {
  if (raw === "") return [];
  if (!Array.isArray(raw)) return unreadable(raw, "a list");
  const members: Array<string> = [];
  for (const entry of raw) {
    const member: unknown = as === "names" && isRecord(entry) ? entry.name : entry;
    if (typeof member !== "string" || (as === "names" && !isRecord(entry))) {
      return unreadable(entry, as === "names" ? "an object with a name" : "text");
    }
    members.push(member);
  }
  return members;
}

function splitMembers(raw: unknown, joined: string): ReadonlyArray<string> | Unreadable {
  return typeof raw === "string" ? raw.split(separatorOf(joined)) : unreadable(raw, "text");
}

/** The separator without the spaces around it, so that "a;b" and "a; b" read alike. */
const separatorOf = (joined: string): string => joined.trim() || joined || ";";
