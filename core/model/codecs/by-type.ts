/** The rule for a field that the YAML names: its type says how it is stored. */
import type { Access, Codec, FieldRule, Path } from "../codec.ts";
import type { FieldType } from "../value.ts";
import { address, fullName } from "./group.ts";
import { owner, reference } from "./link.ts";
import { emails, phones, set } from "./list.ts";
import { money } from "./money.ts";
import { boolean, decimal, integer } from "./number.ts";
import { option } from "./option.ts";
import { domain, email, locale, longtext, phone, taxId, text, url } from "./text.ts";
import { date, instant } from "./time.ts";

/** Codecs by type, for systems that store some in a form of their own. */
export type CodecsByType = Readonly<Partial<Record<FieldType, Codec>>>;

const plain = {
  text: text(),
  longtext: longtext(),
  email: email(),
  phone: phone(),
  url: url(),
  domain: domain(),
  taxid: taxId(),
  integer: integer(),
  decimal: decimal(),
  money: money(),
  boolean: boolean(),
  date: date(),
  instant: instant(),
  option: option(),
  locale: locale(),
  owner: owner({ shape: "id" }),
  set: set(),
  emails: emails(),
  phones: phones(),
  address: address(),
  name: fullName(),
  reference: reference({ shape: "id" }),
} satisfies Readonly<Record<FieldType, Codec>>;

const isKnown = (type: string): type is FieldType => Object.hasOwn(plain, type);

/** A type that `own` does not name is stored in its plain form, one that nobody knows as a text. */
export function byType(type: string, path: string, own: CodecsByType = {}, access: Access = "both"): FieldRule {
  const known = isKnown(type) ? type : "text";
  return { path: shapeOf(known, path), codec: own[known] ?? plain[known], access };
}

/** One remote field holds all of it. */
function shapeOf(type: FieldType, path: string): Path {
  if (type === "emails" || type === "phones") return [path];
  return type === "address" ? { street: path } : path;
}
