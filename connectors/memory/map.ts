/** Which remote field holds which canonical one. Data only: the codecs do the work. */
import {
  type Codec,
  type Connector,
  codec,
  type Entity,
  type EntityMap,
  type FieldRule,
  type Path,
} from "../../core/connector.ts";

export const objects: Readonly<Record<Entity, string>> = { account: "companies", contact: "people" };

const both = (path: Path, by: Codec): FieldRule => ({ path, codec: by, access: "both" });

const shared: Omit<EntityMap, "object" | "fields"> = {
  versions: { conditional: "version", counter: true, resolutionMs: 1, lateMs: 60_000, settleMs: 0 },
  deletes: { learned: "tombstones", goneIsProof: true, namesMaster: true },
  writable: true,
  pushBatchMax: 50,
  fetchBatchMax: 100,
};

export const entities: Readonly<Record<Entity, EntityMap>> = {
  account: {
    ...shared,
    object: objects.account,
    fields: {
      name: both("Name", codec.text()),
      taxId: both("TaxId", codec.taxId()),
      domain: both("Domain", codec.domain()),
      phone: both("Phone", codec.phone()),
      industry: both("Industry", codec.option()),
      employees: both("Employees", codec.integer()),
      billingAddress: both(
        { street: "Street", city: "City", state: "State", postalCode: "Zip", country: "Country" },
        codec.address(),
      ),
      owner: both("OwnerId", codec.owner({ shape: "id" })),
      tags: both("Tags", codec.set()),
      parent: both("ParentId", codec.reference({ shape: "id" })),
      description: both("Notes", codec.longtext()),
    },
  },
  contact: {
    ...shared,
    object: objects.contact,
    fields: {
      name: both({ given: "FirstName", family: "LastName" }, codec.nameParts()),
      account: both("CompanyId", codec.reference({ shape: "id" })),
      emails: both(["Email", "Email2"], codec.emails()),
      mobile: both("Mobile", codec.phone()),
      title: both("Title", codec.text()),
      owner: both("OwnerId", codec.owner({ shape: "id" })),
    },
  },
};

/** For fields that the YAML maps. A type that your system stores in a form of its own gets its codec here. */
export const ruleFor: Connector["rule"] = ({ type }, path) => codec.byType(type, path);
