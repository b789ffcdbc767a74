import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { enterpriseSchema, groupType, userType } from "../../../core/scim/core-schemas.ts";
import { ScimError } from "../../../core/scim/error.ts";
import { operators, parseFilter } from "../../../core/scim/filter.ts";
import { bindFilter, instantOf } from "../../../core/scim/match.ts";
import { readResource } from "../../../core/scim/read.ts";
import type { ResourceType, ScimObject } from "../../../core/scim/schema.ts";

const meta = { resourceType: "User", created: "2010-01-23T04:56:22Z", lastModified: "2011-05-13T04:42:34Z" };

/** Known by id: what no client may set is put in beside what it sends. */
const resource = (type: ResourceType, id: string, body: unknown): ScimObject =>
  Object.assign(readResource(type, body), {
    id,
    meta: { ...meta, resourceType: type.name },
    schemas: [type.schema.id],
  });

const people: ReadonlyArray<ScimObject> = [
  resource(userType, "bj", {
    userName: "bjensen@example.com",
    externalId: "701984",
    name: { formatted: "Ms. Barbara J Jensen III", familyName: "Jensen", givenName: "Barbara" },
    title: "Tour Guide",
    userType: "Employee",
    active: true,
    emails: [
      { value: "bjensen@example.com", type: "work", primary: true },
      { value: "babs@jensen.org", type: "home" },
    ],
    phoneNumbers: [{ value: "555-555-8377", type: "mobile" }],
    ims: [{ value: "someaimhandle", type: "aim" }],
    [enterpriseSchema.id]: { employeeNumber: "701984", department: "Tours", manager: { value: "26118915" } },
  }),
  resource(userType, "js", {
    userName: "JSMITH",
    name: { familyName: "O'Malley", givenName: "Jo" },
    displayName: 'Jo "J" Smith',
    userType: "Intern",
    active: false,
    emails: [{ value: "jo@example.com", type: "home" }],
    roles: [{ value: "admin", primary: true }],
  }),
  resource(userType, "ln", { userName: "李娜", nickName: "娜", locale: "zh-CN", title: "" }),
];
const groups: ReadonlyArray<ScimObject> = [
  resource(groupType, "g1", { displayName: "Tour Guides", members: [{ value: "bj" }, { value: "js", type: "User" }] }),
  resource(groupType, "g2", { displayName: "Employees" }),
];

const found = (type: ResourceType, filter: string): string => {
  const test = bindFilter(type, parseFilter(filter));
  return (type === userType ? people : groups)
    .filter(test)
    .map(({ id }) => id)
    .join(" ");
};

/** Filters of RFC 7644, of Entra ID and Okta, and what the grammar allows beside them. */
const corpus: ReadonlyArray<readonly [filter: string, found: string]> = [
  ['userName eq "bjensen@example.com"', "bj"],
  ['userName Eq "BJENSEN@EXAMPLE.COM"', "bj"],
  ['USERNAME eq "jsmith"', "js"],
  ['userName eq "ＪＳＭＩＴＨ"', "js"],
  ['userName eq "李娜"', "ln"],
  ['externalId eq "701984"', "bj"],
  ['id eq "bj"', "bj"],
  ['id eq "BJ"', ""],
  ['name.familyName co "O\'Malley"', "js"],
  ['userName sw "J"', "js"],
  ['urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J"', "js"],
  ['URN:IETF:params:scim:schemas:core:2.0:user:username sw "J"', "js"],
  ['userName ew "example.com"', "bj"],
  ["title pr", "bj"],
  ["not (title pr)", "js ln"],
  ["not(title pr)", "js ln"],
  ['meta.lastModified gt "2011-05-13T04:42:33Z"', "bj js ln"],
  ['meta.lastModified ge "2011-05-13T04:42:34Z"', "bj js ln"],
  ['meta.lastModified lt "2011-05-13T04:42:34Z"', ""],
  ['meta.lastModified le "2011-05-13T04:42:34.0000001Z"', "bj js ln"],
  ['meta.lastModified gt "2011-05-13T12:42:33+08:00"', "bj js ln"],
  ['meta.lastModified eq "2011-05-13T12:42:34.0000000+08:00"', "bj js ln"],
  ["meta.lastModified gt 2011-05-13T04:42:33Z", "bj js ln"],
  ['title pr and userType eq "Employee"', "bj"],
  ['title pr or userType eq "Intern"', "bj js"],
  ['title pr and not (userType eq "Intern")', "bj"],
  ['schemas eq "urn:ietf:params:scim:schemas:core:2.0:User"', "bj js ln"],
  ['userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")', "bj"],
  ['userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")', "ln"],
  ['userType eq "Employee" and (emails.type eq "work")', "bj"],
  ['userType eq "Employee" and emails[type eq "work" and value co "@example.com"]', "bj"],
  ['emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]', "bj"],
  ['emails[type eq "home" and value co "@example.com"]', "js"],
  ['emails.type eq "work" and emails.value co "jensen.org"', "bj"],
  ['emails[type eq "work"].value eq "bjensen@example.com"', "bj"],
  ['emails[type eq "work"].value eq "babs@jensen.org"', ""],
  ['emails[type eq "home"].value pr', "bj js"],
  ['emails eq "jo@example.com"', "js"],
  ['emails.type ne "home"', "bj ln"],
  ['not (emails.type eq "home")', "ln"],
  ['emails[not (type eq "home")]', "bj"],
  ["emails[primary eq true]", "bj"],
  ['roles[primary eq "True"].value eq "admin"', "js"],
  ["active eq true", "bj"],
  ["active eq false", "js"],
  ['active eq "False"', "js"],
  ["active ne true", "js ln"],
  ["active eq null", "ln"],
  ["nickName eq null", "bj js"],
  ["nickName ne null", "ln"],
  ["title eq null", "js ln"],
  ['urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "tours"', "bj"],
  ['urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq "26118915"', "bj"],
  ['urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "26118915"', "bj"],
  ["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User pr", "bj"],
  ['id eq "bj" and urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq "26118915"', "bj"],
  [
    'active eq true and (meta.lastModified ge "0001-01-01T00:00:00.0000000Z" and meta.lastModified le "2026-11-27T11:00:00.1234567Z")',
    "bj",
  ],
  ['displayName eq "Jo \\"J\\" Smith"', "js"],
  ['nickName eq "\\u5a1c"', "ln"],
  ["externalId eq jyoung", ""],
  ["meta.resourceType eq User", "bj js ln"],
  ['userName gt "j"', "js ln"],
  ['userName ge "jsmith" and userName lt "k"', "js"],
  ['title pr or userType eq "Intern" and active eq true', "bj"],
  ['(title pr or userType eq "Intern") and active eq false', "js"],
  ['userName eq "a" or userName eq "b" or userName eq "JSMITH"', "js"],
  ["name pr", "bj js"],
  ["phoneNumbers pr and ims pr", "bj"],
  ['  userName   eq   "JSMITH"  ', "js"],
  ["password2 pr or title pr", "invalidFilter"],
  ['emails.unknown eq "x"', "invalidFilter"],
  ['password eq "secret"', "invalidFilter"],
  ["active gt true", "invalidFilter"],
  ['active co "tr"', "invalidFilter"],
  ['name eq "Barbara"', "invalidFilter"],
  ['meta.lastModified co "2011"', "invalidFilter"],
  ['meta.lastModified gt "yesterday"', "invalidFilter"],
  ['userName is "x"', "invalidFilter"],
  ["userName eq 'x'", "invalidFilter"],
  ['userName eq "x', "invalidFilter"],
  ['userName eq "\\x"', "invalidFilter"],
  ["userName eq", "invalidFilter"],
  ["userName", "invalidFilter"],
  ["", "invalidFilter"],
  ["(", "invalidFilter"],
  ["title pr)", "invalidFilter"],
  ["title pr and", "invalidFilter"],
  ["not title pr", "invalidFilter"],
  ['emails[type eq "work"', "invalidFilter"],
  ['emails[emails[type eq "x"]]', "invalidFilter"],
  ['title[value eq "x"].value.value eq "x"', "invalidFilter"],
  ["toString pr", "invalidFilter"],
  ["__proto__ pr", "invalidFilter"],
  ["constructor.name eq Object", "invalidFilter"],
];

const groupCorpus: ReadonlyArray<readonly [filter: string, found: string]> = [
  ['displayName eq "tour guides"', "g1"],
  ['members eq "js"', "g1"],
  ['members.value eq "js"', "g1"],
  ['members[value eq "js"]', "g1"],
  ['members[value eq "js" and type eq "User"]', "g1"],
  ['id eq "g1" and members eq "bj"', "g1"],
  ["not (members pr)", "g2"],
  ['members eq "JS"', ""],
];

const outcome = (type: ResourceType, filter: string): string => {
  try {
    return found(type, filter);
  } catch (error) {
    return error instanceof ScimError ? String(error.scimType) : `threw ${String(error)}`;
  }
};

describe("filters", () => {
  it.each(corpus)("%s", (filter, expected) => expect(outcome(userType, filter)).toBe(expected));
  it.each(groupCorpus)("of groups: %s", (filter, expected) => expect(outcome(groupType, filter)).toBe(expected));

  it.each([
    ["5,000 brackets", `${"(".repeat(5_000)}title pr${")".repeat(5_000)}`],
    ["5,000 nots", `${"not (".repeat(5_000)}title pr${")".repeat(5_000)}`],
    ["a million characters", `title eq "${"x".repeat(1_000_000)}"`],
    ["thousands of terms", Array.from({ length: 400 }, () => "title pr").join(" or ")],
    ["a word without an end", "x".repeat(8_000)],
  ])("%s are refused at once", (_what, filter) => {
    expect(outcome(userType, filter)).toBe("invalidFilter");
  });

  it("ends, with a tree or a refusal, whatever it is given", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "(",
        ")",
        "[",
        "]",
        '"',
        "\\",
        " ",
        "not",
        "and",
        "or",
        "pr",
        "title",
        "emails",
        ".value",
        ...operators,
      ),
      fc.string({ maxLength: 5 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        expect(outcome(userType, pieces.join(" "))).not.toMatch(/^threw/);
        expect(outcome(userType, pieces.join(""))).not.toMatch(/^threw/);
      }),
      { numRuns: 500 },
    );
  });

  it("finds what it is asked for, by any text that JSON can write", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: "binary" }), (text) => {
        const one = resource(userType, "x", { userName: "u", externalId: text });
        const test = bindFilter(userType, parseFilter(`externalId eq ${JSON.stringify(text)}`));
        expect(JSON.stringify(text).length > 8_000 || test(one)).toBe(true);
      }),
    );
  });

  it("knows an instant in every form that clients send, and nothing else", () => {
    expect(instantOf("2011-05-13T04:42:34Z")).toBe(Date.UTC(2011, 4, 13, 4, 42, 34));
    expect(instantOf("2011-05-13T04:42:34.1234567+0000")).toBeCloseTo(Date.UTC(2011, 4, 13, 4, 42, 34) + 123.4567, 3);
    for (const text of ["2011-05-13", "now", "2011-05-13T25:61:00Z", ""]) expect(instantOf(text)).toBeNaN();
  });
});
