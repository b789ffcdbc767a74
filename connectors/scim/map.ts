/**
 * Where the canonical fields live in SCIM's core and enterprise schemas; names as `places.ts` reads them.
 *
 * Source  RFC 7643, sections 4.1 to 4.3.
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
import { enterpriseUrn, type Settings } from "./config.ts";

const both = (path: Path, by: Codec): FieldRule => ({ path, codec: by, access: "both" });

const workAddress = (part: string): string => `addresses[type eq "work"].${part}`;

/** Numbered values that the hub reads and writes; more of them stay as they are. */
export const contactFields = (): Readonly<Record<string, FieldRule>> => ({
  login: both("userName", codec.text()),
  name: both({ given: "name.givenName", family: "name.familyName" }, codec.nameParts()),
  emails: both(["emails[1]", "emails[2]", "emails[3]"], codec.emails()),
  phones: both(["phoneNumbers[1]", "phoneNumbers[2]"], codec.phones()),
  mobile: both('phoneNumbers[type eq "mobile"].value', codec.phone()),
  title: both("title", codec.text()),
  department: both(`${enterpriseUrn}:department`, codec.text()),
  active: both("active", codec.boolean()),
  address: both(
    {
      street: workAddress("streetAddress"),
      city: workAddress("locality"),
      state: workAddress("region"),
      postalCode: workAddress("postalCode"),
      country: workAddress("country"),
    },
    codec.address(),
  ),
  locale: both("locale", codec.locale()),
});

const contact = (settings: Settings): Readonly<Record<string, FieldRule>> => ({
  ...contactFields(),
  // Who belongs to a group is written at the group, by whoever runs the directory.
  ...(settings.accounts?.endpoint === "/Groups"
    ? { account: { path: "groups[1]", codec: codec.reference({ shape: "id" }), access: "read" as const } }
    : {}),
});

export const endpointOf = (settings: Settings, entity: Entity): string =>
  entity === "contact" ? "/Users" : (settings.accounts?.endpoint ?? "/Groups");

/** Each write and each read by id is a call of its own. */
export const batchMax = 20;

export function entitiesOf(settings: Settings): Partial<Record<Entity, EntityMap>> {
  const shared = {
    versions: {
      conditional: settings.etag ? ("time" as const) : ("none" as const),
      counter: false,
      // Whole seconds are kept: several providers show no more.
      resolutionMs: 1000,
      lateMs: 60_000,
      settleMs: settings.profile === "entra" ? 60_000 : 0,
    },
    // A listing names whom it has; whom it does not name is asked for by id.
    deletes: { learned: "sweep" as const, goneIsProof: true, namesMaster: false },
    writable: true,
    pushBatchMax: batchMax,
    fetchBatchMax: batchMax,
  };
  const users: EntityMap = { ...shared, object: "Users", fields: contact(settings), selfFilled: ["userName"] };
  if (settings.accounts === undefined) return { contact: users };
  const { endpoint, name } = settings.accounts;
  return {
    account: { ...shared, object: endpoint.slice(1), fields: { name: both(name, codec.text()) } },
    contact: users,
  };
}

/** For fields that the YAML maps. */
export const ruleFor: Connector["rule"] = ({ type }, path) => codec.byType(type, path);

/** Every user has a login name; where the hub knows none, the main e-mail address is one. */
export function withLogin(
  entity: Entity,
  fields: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  if (entity !== "contact") return fields;
  const login = fields.userName ?? fields["emails[1]"];
  return login === undefined || login === null ? fields : { ...fields, userName: login };
}
