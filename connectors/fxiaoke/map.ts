/**
 * Where the canonical fields live in Fxiaoke's preset objects.
 *
 * Source  Fxiaoke OpenAPI manual, 客户对象 (AccountObj) and 联系人对象 (ContactObj), field list and value formats.
 */
import {
  type Codec,
  type Connector,
  codec,
  type Entity,
  type EntityMap,
  type FieldRule,
  type Path,
} from "../../core/connector.ts";
import { isCustom, type Settings } from "./config.ts";

const both = (path: Path, by: Codec): FieldRule => ({ path, codec: by, access: "both" });

/** The preset account. Country, province and city are codes of the vendor's own table, so an address is its text only. */
const account: Readonly<Record<string, FieldRule>> = {
  name: both("name", codec.text()),
  taxId: both("uniform_social_credit_code", codec.taxId()),
  website: both("url", codec.url()),
  phone: both("tel", codec.phone()),
  email: both("email", codec.email()),
  industry: both("industry_level1", codec.option({ by: "label" })),
  billingAddress: both({ street: "address" }, codec.address()),
  owner: both("owner", codec.owner({ shape: "array" })),
  rating: both("account_level", codec.option({ by: "label" })),
  parent: both("parent_account_id", codec.reference({ shape: "id" })),
  description: both("remark", codec.longtext()),
  source: both("account_source", codec.option({ by: "label" })),
};

/** The preset contact: e-mail and phones are separate fields, the name is one. */
const contact: Readonly<Record<string, FieldRule>> = {
  name: both("name", codec.fullName()),
  account: both("account_id", codec.reference({ shape: "id" })),
  emails: both(["email"], codec.emails()),
  phones: both(["tel1", "tel2", "tel3"], codec.phones()),
  mobile: both("mobile1", codec.phone()),
  owner: both("owner", codec.owner({ shape: "array" })),
};

/** A custom object surely has a name and an owner; its other fields are named in the YAML. */
const customFields: Readonly<Record<Entity, ReadonlyArray<string>>> = {
  account: ["name", "owner"],
  contact: ["name", "owner"],
};

const preset: Readonly<Record<Entity, Readonly<Record<string, FieldRule>>>> = { account, contact };

export function entitiesOf(settings: Settings): Record<Entity, EntityMap> {
  const entity = (name: Entity): EntityMap => {
    const object = settings.objects[name];
    const fields = isCustom(object)
      ? Object.fromEntries(Object.entries(preset[name]).filter(([field]) => customFields[name].includes(field)))
      : preset[name];
    return {
      object,
      fields,
      versions: { conditional: "none", counter: true, resolutionMs: 1, lateMs: 60_000, settleMs: settings.indexLagMs },
      // Tombstones come where a query shows invalidated rows; where it hides them, a sweep finds what is missing and a
      // read by id shows the invalidated row itself. What cannot be read is never called gone.
      deletes: { learned: "sweep", goneIsProof: true, namesMaster: false },
      writable: true,
      // Filled by Fxiaoke, or sent with every create.
      selfFilled: ["record_type", "owner", "life_status", "lock_status"],
      pushBatchMax: 50,
      fetchBatchMax: 20,
    };
  };
  return { account: entity("account"), contact: entity("contact") };
}

const shanghaiMinutes = 480;

/** Fxiaoke holds numbers as text, times as epoch milliseconds, dates as midnight at +08:00, employees as lists. */
export const ruleFor: Connector["rule"] = ({ type }, path) => codec.byType(type, path, stored);

const stored = {
  integer: codec.integer({ as: "string" }),
  decimal: codec.decimal({ as: "string" }),
  money: codec.money({ as: "string" }),
  date: codec.date({ as: "epoch", offsetMinutes: shanghaiMinutes }),
  instant: codec.instant({ as: "epoch" }),
  option: codec.option({ by: "label" }),
  owner: codec.owner({ shape: "array" }),
};
