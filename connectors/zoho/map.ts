/**
 * Where the canonical fields live in Zoho's standard modules. Zoho has no standard field for the tax id, the legal
 * name, the domain or the locale; those are custom fields, named in the YAML.
 *
 * Source  Zoho CRM API v8, "Fields Metadata"; Zoho CRM help, "Standard Fields".
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
import { modules, type Settings } from "./config.ts";

const both = (path: Path, by: Codec): FieldRule => ({ path, codec: by, access: "both" });

const account = ({ multiCurrency }: Settings): Readonly<Record<string, FieldRule>> => ({
  name: both("Account_Name", codec.text()),
  website: both("Website", codec.url()),
  phone: both("Phone", codec.phone()),
  industry: both("Industry", codec.option({ by: "label" })),
  employees: both("Employees", codec.integer()),
  annualRevenue: both(
    multiCurrency ? { amount: "Annual_Revenue", currency: "Currency" } : "Annual_Revenue",
    codec.money(),
  ),
  billingAddress: both(
    {
      street: "Billing_Street",
      city: "Billing_City",
      state: "Billing_State",
      postalCode: "Billing_Code",
      country: "Billing_Country",
    },
    codec.address(),
  ),
  shippingAddress: both(
    {
      street: "Shipping_Street",
      city: "Shipping_City",
      state: "Shipping_State",
      postalCode: "Shipping_Code",
      country: "Shipping_Country",
    },
    codec.address(),
  ),
  owner: both("Owner", codec.owner({ shape: "object" })),
  rating: both("Rating", codec.option({ by: "label" })),
  tags: both("Tag", codec.set({ as: "names" })),
  parent: both("Parent_Account", codec.reference({ shape: "object" })),
  description: both("Description", codec.longtext()),
});

const contact = (): Readonly<Record<string, FieldRule>> => ({
  name: both({ given: "First_Name", family: "Last_Name" }, codec.nameParts()),
  // A lookup, despite its name.
  account: both("Account_Name", codec.reference({ shape: "object" })),
  emails: both(["Email", "Secondary_Email"], codec.emails()),
  phones: both(["Phone", "Home_Phone", "Other_Phone"], codec.phones()),
  mobile: both("Mobile", codec.phone()),
  title: both("Title", codec.text()),
  department: both("Department", codec.text()),
  address: both(
    {
      street: "Mailing_Street",
      city: "Mailing_City",
      state: "Mailing_State",
      postalCode: "Mailing_Zip",
      country: "Mailing_Country",
    },
    codec.address(),
  ),
  emailOptOut: both("Email_Opt_Out", codec.boolean()),
  tags: both("Tag", codec.set({ as: "names" })),
  owner: both("Owner", codec.owner({ shape: "object" })),
  description: both("Description", codec.longtext()),
});

/** Records in one write call, and ids in one read. */
export const batchMax = 100;

export function entitiesOf(settings: Settings): Record<Entity, EntityMap> {
  const entity = (name: Entity, fields: EntityMap["fields"]): EntityMap => ({
    object: modules[name],
    fields,
    versions: { conditional: "time", counter: false, resolutionMs: 1000, lateMs: 120_000, settleMs: 0 },
    // A record that is neither readable nor in the list of deleted ones is hidden, and is never answered as gone.
    deletes: { learned: "tombstones", goneIsProof: true, namesMaster: false },
    writable: true,
    selfFilled: ["Owner", "Currency", "Layout"],
    pushBatchMax: batchMax,
    fetchBatchMax: batchMax,
  });
  return { account: entity("account", account(settings)), contact: entity("contact", contact()) };
}

/** Rules for fields named in the YAML, mostly custom ones. */
export const ruleFor: Connector["rule"] = ({ type }, path) =>
  codec.byType(type, path, path === "Tag" ? { ...stored, set: codec.set({ as: "names" }) } : stored);

const stored = {
  option: codec.option({ by: "label" }),
  owner: codec.owner({ shape: "object" }),
  reference: codec.reference({ shape: "object" }),
};
