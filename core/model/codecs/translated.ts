/** One connection's own words for the choices of a field: `Manufacturing` here is `制造业` there. */
import { type Codec, Refusal, Unreadable } from "../codec.ts";
import type { Value } from "../value.ts";

/** `words` goes from the hub's value to the one in this system; what is not named stays as it is. */
export function translated(inner: Codec, words: Readonly<Record<string, string>>): Codec {
  const theirs = new Map(Object.entries(words));
  const ours = new Map([...theirs].map(([hub, there]) => [there, hub]));
  const each = (value: Value, by: ReadonlyMap<string, string>): Value => {
    if (typeof value === "string") return by.get(value) ?? value;
    // Only sets are translated, and a set is sorted.
    return Array.isArray(value) ? value.map((member: string) => by.get(member) ?? member).sort() : value;
  };
  return {
    ...inner,
    // Part of the map's print: other words make every record news.
    name: `${inner.name} with ${JSON.stringify(words)}`,
    decode: (raw, context, path) => {
      const value = inner.decode(raw, context, path);
      return value === undefined || value instanceof Unreadable ? value : each(value, ours);
    },
    encode: (value, context, path) => {
      const raw = inner.encode(each(value, theirs), context, path);
      return raw instanceof Refusal
        ? new Refusal(raw.reason, `${raw.remedy} Or name this system's word for it under \`values:\` in the map.`)
        : raw;
    },
  };
}
