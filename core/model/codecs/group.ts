/** Addresses and names whose members are spread over several remote fields, and names held in one field. */
import { type Codec, type Path, Unreadable } from "../codec.ts";
import { joinName, splitName } from "../names.ts";
import { type FieldType, isGroup } from "../value.ts";
import { cut, isRecord, misfit, readText, type TextOptions, unreadable } from "./raw.ts";

/** Path by member: any of street, city, state, postalCode, country. */
export const address = (options: TextOptions = {}): Codec => members("address", "address", options);

/** Path by member: given, family. */
export const nameParts = (options: TextOptions = {}): Codec => members("nameParts", "name", options);

/** One field that holds the whole name. Chinese names are split by surname, others at their last space. */
export const fullName = ({ max }: TextOptions = {}): Codec => ({
  name: "fullName",
  types: ["name"],
  ...(max === undefined ? {} : { lengthMax: max }),
  decode: (raw) => {
    const text = readText(raw);
    return typeof text === "string" ? splitName(text) : text;
  },
  encode: (value) => {
    if (value === null) return null;
    return isGroup(value) ? cut(joinName(value), max) || null : misfit(value, "a name");
  },
});

/** Members that the system does not tell are left out of the group; a group without any text is empty. */
function members(name: string, type: FieldType, { max }: TextOptions): Codec {
  return {
    name,
    types: [type],
    ...(max === undefined ? {} : { lengthMax: max }),
    decode: (raw, _context, path) => {
      if (raw === undefined || raw === null) return raw;
      if (!isRecord(raw)) return unreadable(raw, "one text per member");
      const group: Record<string, string | null> = {};
      let known = false;
      let filled = false;
      for (const member of memberNames(path)) {
        const text = readText(raw[member]);
        if (text instanceof Unreadable) return new Unreadable(`In ${member}: ${text.reason}`);
        if (text === undefined) continue;
        group[member] = text;
        known = true;
        if (text !== null) filled = true;
      }
      if (!known) return undefined;
      return filled ? group : null;
    },
    encode: (value, _context, path) => {
      if (value !== null && !isGroup(value)) return misfit(value, "a group of texts");
      const raw: Record<string, string | null> = {};
      for (const member of memberNames(path)) raw[member] = cut(value?.[member] ?? "", max) || null;
      return raw;
    },
  };
}

const memberNames = (path: Path): ReadonlyArray<string> =>
  typeof path === "string" || Array.isArray(path) ? [] : Object.keys(path);
