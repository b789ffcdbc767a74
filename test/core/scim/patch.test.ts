import { describe, expect, it } from "vitest";
import { enterpriseSchema, groupType, userType } from "../../../core/scim/core-schemas.ts";
import { ScimError } from "../../../core/scim/error.ts";
import { applyPatch, patchUrn } from "../../../core/scim/patch.ts";
import { readResource } from "../../../core/scim/read.ts";
import type { ResourceType, ScimObject } from "../../../core/scim/schema.ts";

const enterprise = enterpriseSchema.id;
const core = "urn:ietf:params:scim:schemas:core:2.0:User";

const user = (): ScimObject =>
  Object.assign(
    readResource(userType, {
      userName: "bjensen",
      externalId: "e1",
      name: { familyName: "Jensen", givenName: "Barbara" },
      title: "Guide",
      active: true,
      emails: [
        { value: "b@work.example", type: "work", primary: true },
        { value: "b@home.example", type: "home" },
      ],
      addresses: [{ type: "work", streetAddress: "911 Universal City Plaza", country: "US" }],
      [enterprise]: { department: "Tours", manager: { value: "m1" } },
    }),
    { id: "u1" },
  );
const group = (): ScimObject =>
  Object.assign(
    readResource(groupType, {
      displayName: "Guides",
      members: [{ value: "a" }, { value: "b" }, { value: "c", type: "User" }],
    }),
    { id: "g1" },
  );

type Op = Readonly<Record<string, unknown>>;

function outcomeOf(type: ResourceType, resource: ScimObject, operations: ReadonlyArray<Op>, isStrict = false): unknown {
  try {
    return JSON.parse(
      JSON.stringify(applyPatch(type, resource, { schemas: [patchUrn], Operations: operations }, { isStrict })),
    );
  } catch (error) {
    return error instanceof ScimError ? (error.scimType ?? error.status) : `threw ${String(error)}`;
  }
}

const work = { value: "b@work.example", type: "work", primary: true };
const home = { value: "b@home.example", type: "home" };

/** What is sent to the user, and what differs afterwards (undefined: it is gone); a text is the type of the refusal. */
const userCorpus: ReadonlyArray<
  readonly [title: string, operations: ReadonlyArray<Op>, changed: Readonly<Record<string, unknown>> | string]
> = [
  [
    "add without a path",
    [{ op: "add", value: { nickName: "Babs", emails: [{ value: "x@y.example" }] } }],
    { nickName: "Babs", emails: [work, home, { value: "x@y.example" }] },
  ],
  ["add a single value", [{ op: "add", path: "nickName", value: "Babs" }], { nickName: "Babs" }],
  [
    "add to a complex attribute keeps its other parts",
    [{ op: "add", path: "name", value: { middleName: "J" } }],
    { name: { familyName: "Jensen", givenName: "Barbara", middleName: "J" } },
  ],
  [
    "add a value that is there already",
    [{ op: "add", path: "emails", value: [{ type: "home", value: "b@home.example" }] }],
    {},
  ],
  [
    "add one element without a list",
    [{ op: "add", path: "emails", value: { value: "x@y.example" } }],
    { emails: [work, home, { value: "x@y.example" }] },
  ],
  [
    "add a bare text to a list",
    [{ op: "add", path: "emails", value: "x@y.example" }],
    { emails: [work, home, { value: "x@y.example" }] },
  ],
  [
    "add a primary takes it from the other",
    [{ op: "add", path: "emails", value: [{ value: "p@y.example", primary: true }] }],
    { emails: [{ ...work, primary: false }, home, { value: "p@y.example", primary: true }] },
  ],
  ["replace a single value", [{ op: "replace", path: "title", value: "Chief" }], { title: "Chief" }],
  ["replace what was not there", [{ op: "replace", path: "nickName", value: "Babs" }], { nickName: "Babs" }],
  [
    "replace a part",
    [{ op: "replace", path: "name.familyName", value: "Smith" }],
    { name: { familyName: "Smith", givenName: "Barbara" } },
  ],
  [
    "replace a complex attribute keeps the parts that are not given",
    [{ op: "replace", path: "name", value: { familyName: "Smith" } }],
    { name: { familyName: "Smith", givenName: "Barbara" } },
  ],
  [
    "replace a list",
    [{ op: "replace", path: "emails", value: [{ value: "n@y.example" }] }],
    { emails: [{ value: "n@y.example" }] },
  ],
  ["replace a list with nothing", [{ op: "replace", path: "emails", value: [] }], { emails: undefined }],
  ["replace with null", [{ op: "replace", path: "title", value: null }], { title: undefined }],
  ["replace with an empty text", [{ op: "replace", path: "title", value: "" }], { title: undefined }],
  [
    "replace an element",
    [
      {
        op: "replace",
        path: 'addresses[type eq "work"]',
        value: { type: "work", streetAddress: "1 Main", locality: "Leeds" },
      },
    ],
    { addresses: [{ type: "work", streetAddress: "1 Main", locality: "Leeds" }] },
  ],
  [
    "replace a part of an element",
    [{ op: "replace", path: 'addresses[type eq "work"].streetAddress', value: "1 Main" }],
    { addresses: [{ type: "work", streetAddress: "1 Main", country: "US" }] },
  ],
  [
    "replace a part of all elements",
    [{ op: "replace", path: "emails.type", value: "other" }],
    {
      emails: [
        { ...work, type: "other" },
        { ...home, type: "other" },
      ],
    },
  ],
  [
    "replace makes another one primary",
    [{ op: "replace", path: 'emails[type eq "home"].primary', value: true }],
    {
      emails: [
        { ...work, primary: false },
        { ...home, primary: true },
      ],
    },
  ],
  [
    "replace without a path",
    [{ op: "replace", value: { title: "Chief", active: false } }],
    { title: "Chief", active: false },
  ],
  ["remove a single value", [{ op: "remove", path: "title" }], { title: undefined }],
  ["remove what is not there", [{ op: "remove", path: "nickName" }], {}],
  ["remove a part", [{ op: "remove", path: "name.givenName" }], { name: { familyName: "Jensen" } }],
  ["remove elements", [{ op: "remove", path: 'emails[type eq "home"]' }], { emails: [work] }],
  ["remove the last element", [{ op: "remove", path: 'addresses[type eq "work"]' }], { addresses: undefined }],
  [
    "remove a part of an element",
    [{ op: "remove", path: 'addresses[type eq "work"].country' }],
    { addresses: [{ type: "work", streetAddress: "911 Universal City Plaza" }] },
  ],
  [
    "remove by a comparison",
    [{ op: "remove", path: 'emails[value ew "example" and not (primary eq true)]' }],
    { emails: [work] },
  ],
  ["remove a list", [{ op: "remove", path: "emails" }], { emails: undefined }],
  [
    "several operations, each on the result of the one before",
    [
      { op: "add", path: "nickName", value: "A" },
      { op: "replace", path: "nickName", value: "B" },
      { op: "remove", path: "title" },
    ],
    { nickName: "B", title: undefined },
  ],
  [
    "an extension by its URN and a colon",
    [{ op: "replace", path: `${enterprise}:department`, value: "Sales" }],
    { [enterprise]: { department: "Sales", manager: { value: "m1" } } },
  ],
  [
    "an extension by an old client's dot",
    [{ op: "replace", path: `${enterprise}.department`, value: "Sales" }],
    { [enterprise]: { department: "Sales", manager: { value: "m1" } } },
  ],
  [
    "an extension as an object without a path",
    [{ op: "add", value: { [enterprise]: { costCenter: "9" } } }],
    { [enterprise]: { department: "Tours", manager: { value: "m1" }, costCenter: "9" } },
  ],
  [
    "an extension as a path",
    [{ op: "replace", path: enterprise, value: { department: "Sales" } }],
    { [enterprise]: { department: "Sales", manager: { value: "m1" } } },
  ],
  [
    "removing all of an extension",
    [
      { op: "remove", path: `${enterprise}:department` },
      { op: "remove", path: `${enterprise}:manager` },
    ],
    { [enterprise]: undefined },
  ],
  ["the core schema's URN", [{ op: "replace", path: `${core}:title`, value: "Chief" }], { title: "Chief" }],
  ["Entra: capital operations", [{ op: "Replace", path: "title", value: "Chief" }], { title: "Chief" }],
  [
    "Entra: names in another case",
    [{ op: "replace", path: "NAME.FamilyName", value: "Smith" }],
    { name: { familyName: "Smith", givenName: "Barbara" } },
  ],
  ["Entra: disabling with a text", [{ op: "Replace", path: "active", value: "False" }], { active: false }],
  [
    "Entra: an element that is made of its path",
    [{ op: "Add", path: 'phoneNumbers[type eq "mobile"].value', value: "+1 555" }],
    { phoneNumbers: [{ type: "mobile", value: "+1 555" }] },
  ],
  [
    "Entra: replacing an element that is not there",
    [{ op: "Replace", path: 'emails[type eq "other"].Value', value: "o@y.example" }],
    { emails: [work, home, { type: "other", value: "o@y.example" }] },
  ],
  [
    "Entra: dotted, bracket and URN keys without a path",
    [
      {
        op: "replace",
        value: {
          "name.givenName": "K",
          'emails[type eq "work"].value': "k@y.example",
          [`${enterprise}:employeeNumber`]: "7",
          displayName: "K",
        },
      },
    ],
    {
      name: { familyName: "Jensen", givenName: "K" },
      emails: [{ ...work, value: "k@y.example" }, home],
      [enterprise]: { department: "Tours", manager: { value: "m1" }, employeeNumber: "7" },
      displayName: "K",
    },
  ],
  [
    "Entra: a manager as a bare id",
    [{ op: "Add", path: `${enterprise}:manager`, value: "m2" }],
    { [enterprise]: { department: "Tours", manager: { value: "m2" } } },
  ],
  [
    "Entra: a manager as a list of one",
    [{ op: "Add", path: `${enterprise}:manager`, value: [{ $ref: "../Users/m2", value: "m2" }] }],
    { [enterprise]: { department: "Tours", manager: { value: "m2", $ref: "../Users/m2" } } },
  ],
  [
    "Entra: a role by its primary",
    [{ op: "Add", path: 'roles[primary eq "True"].value', value: "admin" }],
    { roles: [{ primary: true, value: "admin" }] },
  ],
  ["Okta: deactivating without a path", [{ op: "replace", value: { active: false } }], { active: false }],
  [
    "a foreign key in an operation",
    [{ op: "replace", name: "title", path: "title", value: "Chief" }],
    { title: "Chief" },
  ],
  ["an unknown attribute without a path", [{ op: "replace", value: { shoeSize: 43 } }], {}],
  ["a password", [{ op: "replace", path: "password", value: "t1meMa$heen" }], { password: "t1meMa$heen" }],
  ["nothing", [], {}],
  ["no path to remove", [{ op: "remove" }], "noTarget"],
  ["removing what is required", [{ op: "remove", path: "userName" }], "mutability"],
  ["clearing what is required", [{ op: "replace", path: "userName", value: null }], "mutability"],
  ["writing an id", [{ op: "replace", path: "id", value: "u2" }], "mutability"],
  ["writing groups", [{ op: "add", path: "groups", value: [{ value: "g" }] }], "mutability"],
  ["writing meta", [{ op: "replace", path: "meta.created", value: "2020-01-01T00:00:00Z" }], "mutability"],
  ["an unknown attribute", [{ op: "replace", path: "shoeSize", value: 43 }], "invalidPath"],
  ["an unknown part", [{ op: "replace", path: "name.shoeSize", value: 43 }], "invalidPath"],
  ["a bracket on what has no elements", [{ op: "replace", path: 'name[familyName eq "x"]', value: {} }], "invalidPath"],
  ["an array index", [{ op: "replace", path: "emails[0].value", value: "x" }], "invalidFilter"],
  ["an unknown operation", [{ op: "move", path: "title", value: "x" }], "invalidSyntax"],
  ["a number for a boolean", [{ op: "replace", path: "active", value: 7 }], "invalidValue"],
  ["an object for a text", [{ op: "replace", path: "title", value: { a: 1 } }], "invalidValue"],
  [
    "two primaries at once",
    [
      {
        op: "replace",
        path: "emails",
        value: [
          { value: "a", primary: true },
          { value: "b", primary: true },
        ],
      },
    ],
    "invalidValue",
  ],
  ["a broken filter", [{ op: "remove", path: 'emails[type eq "work"' }], "invalidFilter"],
  ["a prototype by its path", [{ op: "add", path: "__proto__.admin", value: true }], "invalidPath"],
  ["a constructor by its path", [{ op: "add", path: "constructor.prototype.admin", value: true }], "invalidPath"],
  ["an inherited name", [{ op: "add", path: "toString", value: "x" }], "invalidPath"],
  [
    "a failure after a success changes nothing",
    [{ op: "replace", path: "title", value: "Chief" }, { op: "remove" }],
    "noTarget",
  ],
];

const members = [{ value: "a" }, { value: "b" }, { value: "c", type: "User" }];
const groupCorpus: ReadonlyArray<
  readonly [title: string, operations: ReadonlyArray<Op>, changed: Readonly<Record<string, unknown>> | string]
> = [
  [
    "add members",
    [{ op: "add", path: "members", value: [{ value: "d", display: "D" }] }],
    { members: [...members, { value: "d", display: "D" }] },
  ],
  [
    "add a member that is there, with another name",
    [{ op: "add", path: "members", value: [{ value: "a", display: "A" }] }],
    {},
  ],
  [
    "add members as an old client does",
    [{ op: "Add", path: "members", value: [{ $ref: null, value: "d" }] }],
    { members: [...members, { value: "d" }] },
  ],
  [
    "remove a member by a filter",
    [{ op: "remove", path: 'members[value eq "b"]' }],
    { members: [members[0], members[2]] },
  ],
  ["remove a member who is none", [{ op: "remove", path: 'members[value eq "z"]' }], {}],
  [
    "Entra: remove with the members in the value",
    [{ op: "Remove", path: "members", value: [{ value: "a" }, { value: "c" }] }],
    { members: [members[1]] },
  ],
  ["remove all members", [{ op: "remove", path: "members" }], { members: undefined }],
  [
    "Okta: replace all members",
    [{ op: "replace", path: "members", value: [{ value: "x", display: "X" }] }],
    { members: [{ value: "x", display: "X" }] },
  ],
  ["Okta: an emptied group", [{ op: "replace", path: "members", value: [] }], { members: undefined }],
  [
    "Okta: a rename that repeats the id",
    [{ op: "replace", value: { id: "g1", displayName: "Rangers" } }],
    { displayName: "Rangers" },
  ],
  [
    "Okta: out and in, in one request",
    [
      { op: "remove", path: 'members[value eq "a"]' },
      { op: "add", path: "members", value: [{ value: "d" }] },
    ],
    { members: [members[1], members[2], { value: "d" }] },
  ],
  ["another id", [{ op: "replace", value: { id: "g2" } }], "mutability"],
  ["another value of a member", [{ op: "replace", path: 'members[value eq "a"].value', value: "z" }], "mutability"],
  ["a group without a name", [{ op: "remove", path: "displayName" }], "mutability"],
];

const expected = (before: ScimObject, changed: Readonly<Record<string, unknown>> | string): unknown =>
  typeof changed === "string" ? changed : JSON.parse(JSON.stringify({ ...before, ...changed }));

describe("PATCH", () => {
  it.each(userCorpus)("of a user: %s", (_title, operations, changed) => {
    const before = user();
    expect(outcomeOf(userType, before, operations)).toEqual(expected(user(), changed));
    // What was there is left alone, also by a message that fails on the way.
    expect(before).toEqual(user());
  });

  it.each(groupCorpus)("of a group: %s", (_title, operations, changed) => {
    expect(outcomeOf(groupType, group(), operations)).toEqual(expected(group(), changed));
  });

  it("refuses in strict mode what the RFC refuses", () => {
    const strict = (operations: ReadonlyArray<Op>) => outcomeOf(userType, user(), operations, true);
    expect(strict([{ op: "replace", path: 'emails[type eq "other"].value', value: "x" }])).toBe("noTarget");
    expect(strict([{ op: "remove", path: 'emails[type eq "other"]' }])).toBe("noTarget");
    expect(strict([{ op: "replace", value: { shoeSize: 43 } }])).toBe("invalidPath");
    expect(strict([])).toBe("invalidSyntax");
  });

  it("refuses messages that are none, and those without an end", () => {
    const sent = (message: unknown): unknown => {
      try {
        return applyPatch(userType, user(), message);
      } catch (error) {
        return error instanceof ScimError ? error.scimType : "threw";
      }
    };
    expect([null, [], "x", {}, { Operations: {} }, { Operations: [1] }].map(sent)).toEqual(
      Array.from({ length: 6 }, () => "invalidSyntax"),
    );
    expect(sent({ Operations: Array.from({ length: 10_000 }, () => ({ op: "remove", path: "title" })) })).toBe(
      "invalidSyntax",
    );
    expect(
      sent({
        Operations: [
          { op: "add", path: "emails", value: Array.from({ length: 20_000 }, (_, at) => ({ value: `${at}` })) },
        ],
      }),
    ).toBe("invalidValue");
    expect(({} as Record<string, unknown>).admin).toBeUndefined();
  });

  it("understands operations in small letters", () => {
    const patched = applyPatch(userType, user(), { operations: [{ op: "replace", path: "title", value: "Chief" }] });
    expect(patched.title).toBe("Chief");
  });
});
