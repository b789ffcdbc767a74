/** Where the canonical fields live in a file: in slots, which are found among its columns by their headings. */
import {
  type Codec,
  type Connector,
  codec,
  type Entity,
  type EntityMap,
  type FieldRule,
  type Path,
  pathNames,
  Unreadable,
} from "../../core/connector.ts";
import { englishIndustry, status } from "./choices.ts";
import type { Config } from "./config.ts";

const read = (path: Path, by: Codec): FieldRule => ({ path, codec: by, access: "read" });

const addressOf = (field: string): FieldRule =>
  read(
    Object.fromEntries(
      ["street", "city", "state", "postalCode", "country"].map((member) => [member, `${field}.${member}`]),
    ),
    codec.address(),
  );

/** People write `1,200` and `是`; codecs read plain numbers and true or false. */
const tidied = (by: Codec, tidy: (text: string) => string): Codec => ({
  ...by,
  decode: (raw, context, path) => by.decode(tidyRaw(raw, tidy), context, path),
});

function tidyRaw(raw: unknown, tidy: (text: string) => string): unknown {
  if (typeof raw === "string") return tidy(raw);
  if (typeof raw !== "object" || raw === null || !("amount" in raw)) return raw;
  return { ...raw, amount: typeof raw.amount === "string" ? tidy(raw.amount) : raw.amount };
}

const grouped = /^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$/;
const plainNumber = (text: string): string => (grouped.test(text.trim()) ? text.replaceAll(",", "") : text);

const flags: Readonly<Record<string, string>> = {
  yes: "true",
  y: "true",
  "1": "true",
  true: "true",
  on: "true",
  是: "true",
  有: "true",
  启用: "true",
  在职: "true",
  no: "false",
  n: "false",
  "0": "false",
  false: "false",
  off: "false",
  否: "false",
  无: "false",
  停用: "false",
  离职: "false",
};
const plainFlag = (text: string): string => {
  const key = text.trim().toLowerCase();
  return Object.hasOwn(flags, key) ? (flags[key] ?? text) : text;
};

const flag = tidied(codec.boolean(), plainFlag);
const integer = tidied(codec.integer({ as: "string" }), plainNumber);
const decimal = tidied(codec.decimal({ as: "string" }), plainNumber);
const money = tidied(codec.money({ as: "string" }), plainNumber);
const set = codec.set({ as: { joined: ";" } });

/** A file names its owners by e-mail address, or by a text that the `owners` of the YAML know. */
const owner: Codec = {
  name: "file owner",
  types: ["owner"],
  decode: (raw, { people }) => {
    if (raw === undefined || raw === null) return raw;
    if (typeof raw !== "string") return new Unreadable("The owner is not a text.");
    const text = raw.trim();
    if (text === "") return null;
    const email = people.emailOf(text) ?? (text.includes("@") ? text.toLowerCase() : undefined);
    return email ?? new Unreadable("The owner is neither an e-mail address nor named in `owners`.");
  },
  encode: (value) => (typeof value === "string" && value !== "" ? value : null),
};

const whole = codec.fullName();
const parts = codec.nameParts();

/** One column with the whole name, or two with its parts. */
const personName: Codec = {
  name: "file name",
  types: ["name"],
  decode: (raw, context) => {
    if (typeof raw !== "object" || raw === null) return undefined;
    const { full, ...told } = { full: undefined, ...raw };
    const members = parts.decode(told, context, namePaths);
    return members === undefined || members === null ? (whole.decode(full, context, "full") ?? members) : members;
  },
  encode: (value, context) => parts.encode(value, context, namePaths),
};

const namePaths = { given: "name.given", family: "name.family" };

const account: Readonly<Record<string, FieldRule>> = {
  name: read("name", codec.text()),
  legalName: read("legalName", codec.text()),
  taxId: read("taxId", codec.taxId()),
  domain: read("domain", codec.domain()),
  website: read("website", codec.url()),
  phone: read("phone", codec.phone()),
  email: read("email", codec.email()),
  industry: read("industry", codec.option()),
  employees: read("employees", integer),
  annualRevenue: read({ amount: "annualRevenue", currency: "annualRevenue.currency" }, money),
  billingAddress: addressOf("billingAddress"),
  shippingAddress: addressOf("shippingAddress"),
  owner: read("owner", owner),
  lifecycleStage: read("lifecycleStage", codec.option()),
  status: read("status", status),
  rating: read("rating", codec.option()),
  tags: read("tags", set),
  parent: read("parent", codec.reference({ shape: "id" })),
  description: read("description", codec.longtext()),
  source: read("source", codec.option()),
};

/** A contact's account is not here: it would have to be a row of the same connection, and a connection has one entity. */
const contact: Readonly<Record<string, FieldRule>> = {
  name: read({ full: "name", ...namePaths }, personName),
  emails: read(["emails", "emails.2"], codec.emails()),
  phones: read(["phones", "phones.2"], codec.phones()),
  mobile: read("mobile", codec.phone()),
  title: read("title", codec.text()),
  department: read("department", codec.text()),
  login: read("login", codec.text()),
  active: read("active", flag),
  address: addressOf("address"),
  locale: read("locale", codec.locale()),
  emailOptOut: read("emailOptOut", flag),
  phoneOptOut: read("phoneOptOut", flag),
  tags: read("tags", set),
  owner: read("owner", owner),
  description: read("description", codec.longtext()),
};

const inEnglish: Readonly<Record<string, FieldRule>> = { ...account, industry: read("industry", englishIndustry) };

function fieldsOf({ entity, choices }: Pick<Config, "entity" | "choices">): Readonly<Record<string, FieldRule>> {
  if (entity === "contact") return contact;
  return choices === "english" ? inEnglish : account;
}

/** All slots of an entity, in the order of its fields. */
export const slotsOf = (entity: Entity): ReadonlyArray<string> =>
  Object.values(fieldsOf({ entity })).flatMap((rule) => pathNames(rule.path));

export function entitiesOf(config: Config): Partial<Record<Entity, EntityMap>> {
  const entity = config.entity ?? "account";
  const map: EntityMap = {
    object: config.path,
    fields: fieldsOf(config),
    versions: { conditional: "none", counter: false, resolutionMs: 1, lateMs: 0, settleMs: 0 },
    deletes: { learned: "absence", goneIsProof: true, namesMaster: false },
    writable: false,
    pushBatchMax: 1,
    fetchBatchMax: 500,
  };
  return { [entity]: map };
}

/** A column named in the YAML `map:`. */
export const ruleFor: Connector["rule"] = ({ type }, path) =>
  type === "name" ? read({ full: path }, personName) : codec.byType(type, path, tidiedByType, "read");

const tidiedByType = { integer, decimal, money, boolean: flag, owner, set };
