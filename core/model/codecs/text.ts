/** Codecs of fields that hold one text. What the text means is brought to one form by `normalise`, not here. */
import { type Codec, Refusal } from "../codec.ts";
import type { FieldType } from "../value.ts";
import { cut, misfit, readText, type TextOptions } from "./raw.ts";

/** One line. Also carries every type whose canonical value is a text, for systems that know only text. */
export const text = (options: TextOptions = {}): Codec =>
  textCodec(
    "text",
    ["text", "longtext", "email", "phone", "url", "domain", "taxid", "decimal", "date", "option", "locale"],
    options,
  );

export const longtext = (options: TextOptions = {}): Codec => textCodec("longtext", ["longtext", "text"], options);

export const email = (options: TextOptions = {}): Codec => wholeCodec("email", ["email"], options);

export const phone = (options: TextOptions = {}): Codec => wholeCodec("phone", ["phone"], options);

export const url = (options: TextOptions = {}): Codec => wholeCodec("url", ["url"], options);

/** A field that holds a domain or a web address; it is written as a domain. */
export const domain = (): Codec => textCodec("domain", ["domain"], {});

export const taxId = (options: TextOptions = {}): Codec => wholeCodec("taxId", ["taxid"], options);

export const locale = (): Codec => textCodec("locale", ["locale"], {});

function textCodec(name: string, types: ReadonlyArray<FieldType>, { max }: TextOptions): Codec {
  return {
    name,
    types,
    ...(max === undefined ? {} : { lengthMax: max }),
    decode: (raw) => readText(raw),
    encode: (value) => {
      if (value === null) return null;
      return typeof value === "string" ? cut(value, max) || null : misfit(value, "text");
    },
  };
}

/** Text that means something else when it is cut: a shorter phone number calls somebody else. Too long is refused. */
function wholeCodec(name: string, types: ReadonlyArray<FieldType>, { max }: TextOptions): Codec {
  return {
    name,
    types,
    decode: (raw) => readText(raw),
    encode: (value) => {
      if (value === null) return null;
      if (typeof value !== "string") return misfit(value, "text");
      if (max !== undefined && [...value].length > max) {
        return new Refusal(
          `the value is longer than the ${max} characters that fit`,
          "Shorten it in one of the other systems, or map a longer field.",
        );
      }
      return value || null;
    },
  };
}
