/**
 * The schemas that the hub speaks: User, Group, EnterpriseUser, and its own extension.
 *
 * Source  RFC 7643, sections 4 and 8.7; characteristics that its listing contradicts follow its prose.
 */
import { type Attribute, attribute, type ResourceType, type Schema } from "./schema.ts";

const text = (name: string, description: string, more: Parameters<typeof attribute>[3] = {}): Attribute =>
  attribute(name, "string", description, more);

/** value, display, type, primary: the parts that multi-valued attributes have in common. */
const several = (
  name: string,
  description: string,
  {
    value = text("value", "The value."),
    types,
  }: { readonly value?: Attribute; readonly types?: ReadonlyArray<string> } = {},
): Attribute =>
  attribute(name, "complex", description, {
    multiValued: true,
    subAttributes: [
      value,
      text("display", "The value as people read it."),
      text("type", "What kind of value it is.", types === undefined ? {} : { canonicalValues: types }),
      attribute("primary", "boolean", "Whether it is the main one."),
    ],
  });

export const userSchema: Schema = {
  id: "urn:ietf:params:scim:schemas:core:2.0:User",
  name: "User",
  description: "User Account",
  attributes: [
    text("userName", "The name with which the user signs in.", { required: true, uniqueness: "server" }),
    attribute("name", "complex", "The parts of the user's name.", {
      subAttributes: [
        text("formatted", "The whole name."),
        text("familyName", "The family name."),
        text("givenName", "The given name."),
        text("middleName", "Names in between."),
        text("honorificPrefix", "A title before the name."),
        text("honorificSuffix", "What follows the name."),
      ],
    }),
    text("displayName", "The name as it is shown."),
    text("nickName", "What friends say."),
    attribute("profileUrl", "reference", "The address of a page about the user.", { referenceTypes: ["external"] }),
    text("title", "What the user is in the organisation."),
    text("userType", "How the user belongs to the organisation."),
    text("preferredLanguage", "The language that the user prefers."),
    text("locale", "Where the user is, for the form of dates and numbers."),
    text("timezone", "The user's time zone, as IANA names it."),
    attribute("active", "boolean", "Whether the user may sign in."),
    text("password", "A new password.", { mutability: "writeOnly", returned: "never", caseExact: true }),
    several("emails", "E-mail addresses.", { types: ["work", "home", "other"] }),
    several("phoneNumbers", "Phone numbers.", { types: ["work", "home", "mobile", "fax", "pager", "other"] }),
    several("ims", "Addresses of instant messaging.", {
      types: ["aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"],
    }),
    several("photos", "Addresses of pictures.", {
      value: attribute("value", "reference", "The address of the picture.", { referenceTypes: ["external"] }),
      types: ["photo", "thumbnail"],
    }),
    attribute("addresses", "complex", "Postal addresses.", {
      multiValued: true,
      subAttributes: [
        text("formatted", "The whole address."),
        text("streetAddress", "Street and number."),
        text("locality", "City or town."),
        text("region", "State or region."),
        text("postalCode", "Postal code."),
        text("country", "Country, as ISO 3166-1 alpha-2."),
        text("type", "What kind of address it is.", { canonicalValues: ["work", "home", "other"] }),
        attribute("primary", "boolean", "Whether it is the main one."),
      ],
    }),
    attribute("groups", "complex", "Groups that the user belongs to.", {
      multiValued: true,
      mutability: "readOnly",
      subAttributes: [
        text("value", "The group's id.", { caseExact: true, mutability: "readOnly" }),
        attribute("$ref", "reference", "The group's address.", { mutability: "readOnly", referenceTypes: ["Group"] }),
        text("display", "The group's name.", { mutability: "readOnly" }),
        text("type", "direct or indirect.", { mutability: "readOnly", canonicalValues: ["direct", "indirect"] }),
      ],
    }),
    several("entitlements", "What the user is entitled to."),
    several("roles", "Roles of the user."),
    several("x509Certificates", "Certificates of the user.", {
      value: attribute("value", "binary", "One certificate, as DER in base64."),
    }),
  ],
};

export const enterpriseSchema: Schema = {
  id: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
  name: "EnterpriseUser",
  description: "Enterprise User",
  attributes: [
    text("employeeNumber", "The number that the organisation gives."),
    text("costCenter", "The cost centre."),
    text("organization", "The organisation."),
    text("division", "The division."),
    text("department", "The department."),
    attribute("manager", "complex", "The user's manager.", {
      subAttributes: [
        text("value", "The id of the manager's User.", { caseExact: true }),
        attribute("$ref", "reference", "The address of the manager's User.", { referenceTypes: ["User"] }),
        text("displayName", "The manager's name.", { mutability: "readOnly" }),
      ],
    }),
  ],
};

/** What the hub knows of a person beside what the RFC has. */
export const hubSchema: Schema = {
  id: "urn:syncline:scim:schemas:extension:customer:2.0:User",
  name: "CustomerContact",
  description: "What Syncline keeps of a contact beside the core schema",
  attributes: [
    text("hubId", "The contact's id in the hub.", { caseExact: true, mutability: "readOnly" }),
    attribute("emailOptOut", "boolean", "The person wants no e-mails."),
    attribute("tags", "string", "Free words on the contact.", { multiValued: true }),
    text("description", "Free notes about the contact."),
  ],
};

export const groupSchema: Schema = {
  id: "urn:ietf:params:scim:schemas:core:2.0:Group",
  name: "Group",
  description: "Group",
  attributes: [
    text("displayName", "The group's name.", { required: true }),
    attribute("members", "complex", "Who belongs to the group.", {
      multiValued: true,
      subAttributes: [
        text("value", "The member's id.", { caseExact: true, mutability: "immutable" }),
        attribute("$ref", "reference", "The member's address.", {
          mutability: "immutable",
          referenceTypes: ["User", "Group"],
        }),
        text("type", "User or Group.", { mutability: "immutable", canonicalValues: ["User", "Group"] }),
        text("display", "The member's name."),
      ],
    }),
  ],
};

export const userType: ResourceType = {
  name: "User",
  endpoint: "/Users",
  description: "User Account",
  schema: userSchema,
  extensions: [enterpriseSchema, hubSchema],
};

export const groupType: ResourceType = {
  name: "Group",
  endpoint: "/Groups",
  description: "Group",
  schema: groupSchema,
  extensions: [],
};
