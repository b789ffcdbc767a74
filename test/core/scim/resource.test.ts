import { describe, expect, it } from "vitest";
import { enterpriseSchema, groupType, hubSchema, userType } from "../../../core/scim/core-schemas.ts";
import { allSchemas, configDocument, schemaDocument, typeDocument } from "../../../core/scim/discovery.ts";
import { ScimError } from "../../../core/scim/error.ts";
import { everything, project, projectionOf } from "../../../core/scim/project.ts";
import { readResource, validate } from "../../../core/scim/read.ts";
import { replaceResource } from "../../../core/scim/replace.ts";
import { sameObject } from "../../../core/scim/same.ts";
import type { ScimObject } from "../../../core/scim/schema.ts";
import { compareKeys, sortKeyOf } from "../../../core/scim/sort.ts";

const enterprise = enterpriseSchema.id;
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

const employment = {
  employeeNumber: "701984",
  costCenter: "4130",
  organization: "Universal",
  division: "Theme Park",
  department: "Tours",
  manager: { value: "26118915", $ref: "../Users/26118915", displayName: "J Smith" },
};

/** The whole user of RFC 7643, section 8.3, but for its values. */
const fullUser = {
  schemas: [userType.schema.id, enterprise],
  id: "given by a client",
  externalId: "701984",
  userName: "bjensen@example.com",
  name: {
    formatted: "Ms. B J Jensen, III",
    familyName: "Jensen",
    givenName: "B",
    middleName: "J",
    honorificPrefix: "Ms.",
    honorificSuffix: "III",
  },
  displayName: "B Jensen",
  nickName: "B",
  profileUrl: "https://login.example.com/bjensen",
  emails: [
    { value: "b@example.com", type: "work", primary: true },
    { value: "b@jensen.example", type: "home" },
  ],
  addresses: [
    {
      type: "work",
      streetAddress: "100 Universal City Plaza",
      locality: "Hollywood",
      region: "CA",
      postalCode: "91608",
      country: "US",
      formatted: "100 Universal City Plaza\nHollywood, CA",
      primary: true,
    },
  ],
  phoneNumbers: [{ value: "555-555-5555", type: "work" }],
  ims: [{ value: "someaimhandle", type: "aim" }],
  photos: [{ value: "https://photos.example.com/p.jpg", type: "photo" }],
  userType: "Employee",
  title: "Guide",
  preferredLanguage: "en-US",
  locale: "en-US",
  timezone: "America/Los_Angeles",
  active: true,
  password: "t1meMa$heen",
  groups: [{ value: "e9e30dba", $ref: "../Groups/e9e30dba", display: "Guides" }],
  x509Certificates: [{ value: "MIIDQzCCAqygAwIBAgICEAAwDQYJ" }],
  [enterprise]: employment,
  meta: { resourceType: "User", created: "2010-01-23T04:56:22Z", version: 'W/"3694e05e9dff591"' },
};

const refusal = (work: () => unknown): unknown => {
  try {
    work();
    return null;
  } catch (error) {
    return error instanceof ScimError ? error.scimType : error;
  }
};

describe("resources", () => {
  it("are read whole, without what only the server may say", () => {
    const { id: _id, meta: _meta, groups: _groups, schemas: _schemas, ...rest } = fullUser;
    const { displayName: _name, ...manager } = employment.manager;
    expect(plain(readResource(userType, fullUser))).toEqual({
      ...rest,
      [enterprise]: { ...employment, manager },
    });
  });

  it("are read in any case of letters, in the spelling of the schema", () => {
    const read = readResource(userType, {
      USERNAME: "x",
      Name: { FAMILYNAME: "Y" },
      Emails: [{ Value: "z", PRIMARY: "True" }],
      [enterprise.toUpperCase()]: { Department: "D" },
    });
    expect(plain(read)).toEqual({
      userName: "x",
      name: { familyName: "Y" },
      emails: [{ value: "z", primary: true }],
      [enterprise]: { department: "D" },
    });
  });

  it("hold nothing empty, and nothing that the schema does not know", () => {
    const read = readResource(
      userType,
      JSON.parse(
        '{"userName":"x","title":"","nickName":null,"emails":[],"name":{},"shoeSize":43,"__proto__":{"admin":true},"constructor":{"a":1},"toString":"x"}',
      ),
    );
    expect(plain(read)).toEqual({ userName: "x" });
    expect(Object.getPrototypeOf(read)).toBeNull();
    expect(({} as Record<string, unknown>).admin).toBeUndefined();
  });

  it("are refused with what is wrong: types, what is required, two primaries, no object", () => {
    expect(refusal(() => readResource(userType, []))).toBe("invalidSyntax");
    expect(refusal(() => readResource(userType, { userName: { a: 1 } }))).toBe("invalidValue");
    expect(refusal(() => readResource(userType, { active: "maybe" }))).toBe("invalidValue");
    expect(refusal(() => readResource(userType, { name: "B" }))).toBe("invalidValue");
    expect(refusal(() => validate(userType, readResource(userType, { title: "x" })))).toBe("invalidValue");
    const two = {
      userName: "x",
      emails: [
        { value: "a", primary: true },
        { value: "b", primary: true },
      ],
    };
    expect(refusal(() => validate(userType, readResource(userType, two)))).toBe("invalidValue");
  });

  it("are replaced: what is not sent is cleared, what the client cannot know is kept", () => {
    const before = Object.assign(readResource(userType, fullUser), {
      id: "u1",
      groups: [{ value: "g1" }],
    }) as ScimObject;
    const after = plain(
      replaceResource(userType, before, { schemas: [userType.schema.id], userName: "new", name: { givenName: "N" } }),
    );
    expect(after).toEqual({
      userName: "new",
      name: { givenName: "N" },
      active: true,
      password: "t1meMa$heen",
      groups: [{ value: "g1" }],
      [enterprise]: plain(before[enterprise]),
    });
    const named = plain(
      replaceResource(userType, before, { schemas: [userType.schema.id, enterprise], userName: "new" }),
    );
    expect(named).not.toHaveProperty([enterprise]);
    expect(refusal(() => replaceResource(userType, before, { title: "x" }))).toBe("invalidValue");
  });

  it("are the same whatever the order of their members", () => {
    const one = readResource(userType, { userName: "x", name: { givenName: "A", familyName: "B" } });
    const other = readResource(userType, { name: { familyName: "B", givenName: "A" }, userName: "x" });
    expect(sameObject(one, other)).toBe(true);
    expect(sameObject(one, readResource(userType, { userName: "x" }))).toBe(false);
  });
});

describe("what an answer shows", () => {
  const held = Object.assign(readResource(userType, fullUser), {
    id: "u1",
    meta: { resourceType: "User" },
  }) as ScimObject;
  const shown = (attributes: ReadonlyArray<string>, excluded: ReadonlyArray<string> = []) =>
    plain(project(userType, held, projectionOf(attributes, excluded))) as Record<string, unknown>;

  it("is everything but the password, with the schemas in use", () => {
    const all = plain(project(userType, held, everything)) as Record<string, unknown>;
    expect(all).not.toHaveProperty("password");
    expect(all).toMatchObject({ id: "u1", schemas: [userType.schema.id, enterprise], userName: "bjensen@example.com" });
    expect(shown(["password"])).toEqual({ schemas: all.schemas, id: "u1" });
  });

  it("is what was named, with what is always told", () => {
    const schemas = [userType.schema.id, enterprise];
    expect(shown(["userName"])).toEqual({ schemas, id: "u1", userName: "bjensen@example.com" });
    expect(shown(["emails.value", "NAME.givenName"])).toEqual({
      schemas,
      id: "u1",
      name: { givenName: "B" },
      emails: [{ value: "b@example.com" }, { value: "b@jensen.example" }],
    });
    expect(shown([`${enterprise}:department`])).toEqual({ schemas, id: "u1", [enterprise]: { department: "Tours" } });
    expect(shown([enterprise])[enterprise]).toMatchObject({ department: "Tours", costCenter: "4130" });
    expect(shown(['emails[type eq "work"]'])).toHaveProperty("emails");
    expect(shown(["meta"])).toHaveProperty("meta");
    expect(shown(["nothing"])).toEqual({ schemas, id: "u1" });
  });

  it("leaves out what was excluded, never what is always told", () => {
    expect(shown([], ["emails", "id", "name.givenName"])).not.toHaveProperty("emails");
    expect(shown([], ["emails", "id", "name.givenName"])).toMatchObject({ id: "u1", name: { familyName: "Jensen" } });
    expect((shown([], ["name.givenName"]).name as Record<string, unknown>).givenName).toBeUndefined();
    expect(refusal(() => projectionOf(["a"], ["b"]))).toBe("invalidValue");
  });
});

describe("the order of a list", () => {
  const rows = [
    {
      id: "1",
      userName: "b",
      meta: { lastModified: "2026-01-01T00:00:00+01:00" },
      emails: [{ value: "x" }, { value: "a", primary: true }],
    },
    { id: "2", userName: "A", meta: { lastModified: "2025-12-31T23:30:00Z" } },
    { id: "3", userName: "c", meta: { lastModified: "2025-12-31T22:00:00Z" }, emails: [{ value: "b" }] },
  ] as unknown as ReadonlyArray<ScimObject>;
  const order = (by: string, descending = false): string => {
    const key = sortKeyOf(userType, by);
    const keyed = rows.map((row) => ({ key: key(row), id: String(row.id) }));
    return keyed
      .sort((one, other) => compareKeys(one, other, descending))
      .map(({ id }) => id)
      .join("");
  };

  it("is by text without case, by instant, by the primary value, and by id where nothing else tells", () => {
    expect([order("userName"), order("userName", true)]).toEqual(["213", "312"]);
    expect(order("meta.lastModified")).toBe("312");
    expect([order("emails"), order("emails", true)]).toEqual(["132", "231"]);
    expect([order("nothing"), order("title", true)]).toEqual(["123", "123"]);
  });
});

describe("discovery", () => {
  it("tells schemas and types without a null, with every characteristic of an attribute", () => {
    const base = "https://hub.example/scim/v2/idp";
    const documents = [
      ...allSchemas([userType, groupType]).map((schema) => schemaDocument(schema, base)),
      ...[userType, groupType].map((type) => typeDocument(type, base)),
      configDocument(
        {
          patch: true,
          filter: true,
          sort: true,
          etag: true,
          bulk: { operationsMax: 10, bytesMax: 10 },
          pageMax: 200,
          paging: ["index", "cursor"],
        },
        base,
      ),
    ];
    expect(JSON.stringify(documents)).not.toContain("null");
    const [user] = documents as ReadonlyArray<{ id: string; attributes: ReadonlyArray<Record<string, unknown>> }>;
    expect(user?.attributes[0]).toEqual({
      name: "userName",
      type: "string",
      multiValued: false,
      description: expect.any(String),
      required: true,
      caseExact: false,
      mutability: "readWrite",
      returned: "default",
      uniqueness: "server",
    });
    expect(allSchemas([userType, groupType]).map(({ id }) => id)).toEqual([
      userType.schema.id,
      enterprise,
      hubSchema.id,
      groupType.schema.id,
    ]);
  });
});
