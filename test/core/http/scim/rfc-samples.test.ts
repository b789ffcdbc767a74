/** The samples of RFC 7643 (section 8) and RFC 7644 (section 3), in their order, sent to a running hub. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createServiceKit, type ServiceKit } from "../../../kit/service-kit.ts";
import { call, core, enterprise, makeToken, message, untilLoaded } from "./client.ts";

let kit: ServiceKit;
let token = "";

const user = `${core}:User`;
const groupUrn = `${core}:Group`;

beforeAll(async () => {
  kit = await createServiceKit({
    names: ["crm"],
    connections: { idp: { use: "scim-provider", deletes: "propagate" } },
  });
  token = await makeToken(kit, "idp");
  await untilLoaded(kit);
});

afterAll(() => kit.stop());

type Json = Readonly<Record<string, unknown>>;

const send = (method: string, path: string, body?: Json, headers: Readonly<Record<string, string>> = {}) =>
  call(kit, path, { method, body, headers: { "content-type": "application/scim+json", ...headers }, as: token });

const get = (path: string, headers?: Readonly<Record<string, string>>) => send("GET", path, undefined, headers);
const change = (path: string, ...operations: ReadonlyArray<Json>) =>
  send("PATCH", path, { schemas: [`${message}:PatchOp`], Operations: operations });
const idsOf = ({ body }: { body: Json }) => (body.Resources as ReadonlyArray<{ id: string }>).map(({ id }) => id);
const found = async (path: string, filter: string) => idsOf(await get(`${path}?filter=${encodeURIComponent(filter)}`));

async function made(path: string, body: Json): Promise<string> {
  const answer = await send("POST", path, body);
  expect([answer.status, answer.body.detail]).toEqual([201, undefined]);
  return String(answer.body.id);
}

const workAddress = {
  type: "work",
  streetAddress: "100 Universal City Plaza",
  locality: "Hollywood",
  region: "CA",
  postalCode: "91608",
  country: "USA",
  formatted: "100 Universal City Plaza\nHollywood, CA 91608 USA",
  primary: true,
};
const homeAddress = {
  type: "home",
  streetAddress: "456 Hollywood Blvd",
  locality: "Hollywood",
  region: "CA",
  postalCode: "91608",
  country: "USA",
  formatted: "456 Hollywood Blvd\nHollywood, CA 91608 USA",
};
const workEmail = { value: "bjensen@example.com", type: "work", primary: true };
const homeEmail = { value: "babs@jensen.org", type: "home" };
const name = {
  formatted: "Ms. Barbara J Jensen, III",
  familyName: "Jensen",
  givenName: "Barbara",
  middleName: "Jane",
  honorificPrefix: "Ms.",
  honorificSuffix: "III",
};
const full = {
  externalId: "701984",
  name,
  displayName: "Babs Jensen",
  nickName: "Babs",
  profileUrl: "https://login.example.com/bjensen",
  emails: [workEmail, homeEmail],
  addresses: [workAddress, homeAddress],
  phoneNumbers: [
    { value: "555-555-5555", type: "work" },
    { value: "555-555-4444", type: "mobile" },
  ],
  ims: [{ value: "someaimhandle", type: "aim" }],
  photos: [
    { value: "https://photos.example.com/profilephoto/72930000000Ccne/F", type: "photo" },
    { value: "https://photos.example.com/profilephoto/72930000000Ccne/T", type: "thumbnail" },
  ],
  userType: "Employee",
  title: "Tour Guide",
  preferredLanguage: "en-US",
  locale: "en-US",
  timezone: "America/Los_Angeles",
  active: true,
  x509Certificates: [{ value: "MIIDQzCCAqygAwIBAgICEAAwDQYJKoZIhvcNAQEFBQAwTjELMAkGA1UEBhMCVVM=" }],
};

describe("RFC 7643, section 8", () => {
  it("8.1: the least user", async () => {
    const id = await made("/Users", { schemas: [user], userName: "least@example.com" });
    const { body, headers } = await get(`/Users/${id}`);
    expect(body).toEqual({
      schemas: [user],
      id,
      userName: "least@example.com",
      meta: {
        resourceType: "User",
        created: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        lastModified: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        version: headers.get("etag"),
        location: `${kit.server.url}/scim/v2/idp/Users/${id}`,
      },
    });
  });

  it("8.2 and 8.4: the full user, and the group that holds it", async () => {
    const sent = { schemas: [user], userName: "full@example.com", ...full, password: "t1meMa$heen" };
    const id = await made("/Users", sent);
    const group = await made("/Groups", {
      schemas: [groupUrn],
      displayName: "Tour Guides of 8.4",
      members: [{ value: id, $ref: `../Users/${id}`, display: "Babs Jensen" }],
    });
    const { password: _secret, ...shown } = sent;
    expect((await get(`/Users/${id}`)).body).toMatchObject({
      ...shown,
      groups: [{ value: group, display: "Tour Guides of 8.4", type: "direct" }],
    });
    expect((await get(`/Users/${id}`)).body).not.toHaveProperty("password");
    expect((await get(`/Groups/${group}`)).body).toMatchObject({
      schemas: [groupUrn],
      displayName: "Tour Guides of 8.4",
      members: [{ value: id, display: "Babs Jensen", type: "User" }],
      meta: { resourceType: "Group" },
    });
  });

  it("8.3: the user of an enterprise", async () => {
    const employment = {
      employeeNumber: "701984",
      costCenter: "4130",
      organization: "Universal Studios",
      division: "Theme Park",
      department: "Tour Operations",
    };
    const manager = await made("/Users", {
      schemas: [user],
      userName: "jsmith@example.com",
      displayName: "John Smith",
    });
    const id = await made("/Users", {
      schemas: [user, enterprise],
      userName: "employed@example.com",
      ...full,
      [enterprise]: { ...employment, manager: { value: manager, $ref: `../Users/${manager}` } },
    });
    expect((await get(`/Users/${id}`)).body).toMatchObject({
      schemas: [user, enterprise],
      ...full,
      [enterprise]: { ...employment, manager: { value: manager } },
    });
  });

  it("8.5: what the provider can", async () => {
    expect((await get("/ServiceProviderConfig")).body).toMatchObject({
      schemas: ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
      patch: { supported: true },
      bulk: { supported: true, maxOperations: expect.any(Number), maxPayloadSize: expect.any(Number) },
      filter: { supported: true, maxResults: expect.any(Number) },
      changePassword: { supported: false },
      sort: { supported: true },
      etag: { supported: true },
      authenticationSchemes: [{ type: "oauthbearertoken", name: expect.any(String), description: expect.any(String) }],
    });
  });

  it("8.6: the types of resources", async () => {
    const { body } = await get("/ResourceTypes");
    expect(body).toMatchObject({ schemas: [`${message}:ListResponse`], totalResults: 2 });
    expect((await get("/ResourceTypes/User")).body).toMatchObject({
      schemas: ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
      id: "User",
      name: "User",
      endpoint: "/Users",
      schema: user,
      schemaExtensions: expect.arrayContaining([{ schema: enterprise, required: false }]),
    });
    expect((await get("/ResourceTypes/Group")).body).toMatchObject({
      id: "Group",
      endpoint: "/Groups",
      schema: groupUrn,
    });
  });

  it("8.7: the schemas, with all their attributes and marks", async () => {
    const attributesOf = async (urn: string) => {
      const { body } = await get(`/Schemas/${urn}`);
      const all = body.attributes as ReadonlyArray<Json>;
      return Object.fromEntries(all.map((one) => [String(one.name), one]));
    };
    const users = await attributesOf(user);
    const listed =
      "userName name displayName nickName profileUrl title userType preferredLanguage locale timezone active password " +
      "emails phoneNumbers ims photos addresses groups entitlements roles x509Certificates";
    expect(Object.keys(users)).toEqual(expect.arrayContaining(listed.split(" ")));
    expect(users.userName).toMatchObject({
      type: "string",
      multiValued: false,
      required: true,
      caseExact: false,
      mutability: "readWrite",
      returned: "default",
      uniqueness: "server",
    });
    expect(users.password).toMatchObject({ mutability: "writeOnly", returned: "never" });
    expect(users.groups).toMatchObject({ type: "complex", multiValued: true, mutability: "readOnly" });
    expect(Object.keys(await attributesOf(groupUrn))).toEqual(expect.arrayContaining(["displayName", "members"]));
    expect(Object.keys(await attributesOf(enterprise)).sort()).toEqual(
      ["costCenter", "department", "division", "employeeNumber", "manager", "organization"].sort(),
    );
  });
});

describe("RFC 7644, section 3", () => {
  let id = "";
  const person = () => `/Users/${id}`;
  const short = { formatted: "Ms. Barbara J Jensen III", familyName: "Jensen", givenName: "Barbara" };

  it("3.3: create", async () => {
    const sent = { schemas: [user], userName: "bjensen", externalId: "bjensen", name: short };
    const answer = await send("POST", "/Users", sent);
    id = String(answer.body.id);
    expect(answer.status).toBe(201);
    expect(answer.headers.get("location")).toBe(`${kit.server.url}/scim/v2/idp/Users/${id}`);
    expect(answer.headers.get("etag")).toMatch(/^W\/"/);
    expect(answer.body).toMatchObject({ ...sent, meta: { resourceType: "User", version: answer.headers.get("etag") } });
    const twin = await send("POST", "/Users", sent);
    expect([twin.status, twin.body.scimType]).toEqual([409, "uniqueness"]);
  });

  it("3.4.1 and 3.4.2: read one, and list with few attributes", async () => {
    const { body, headers } = await get(person());
    expect(body).toMatchObject({ id, userName: "bjensen", meta: { version: headers.get("etag") } });
    const list = (await get("/Users?attributes=userName")).body;
    expect(list.schemas).toEqual([`${message}:ListResponse`]);
    expect(list.totalResults).toBe((list.Resources as ReadonlyArray<unknown>).length);
    expect(list.Resources).toContainEqual({ schemas: [user], id, userName: "bjensen" });
  });

  it("3.4.2.2: the filters of the section", async () => {
    const all = idsOf(await get("/Users?count=200"));
    const since = "2011-05-13T04:42:34Z";
    const counts: ReadonlyArray<readonly [filter: string, isFound: boolean]> = [
      ['userName eq "bjensen"', true],
      ['userName Eq "john"', false],
      [`name.familyName co "O'Malley"`, false],
      ['userName sw "J"', false],
      ['userName sw "B"', true],
      [`${user}:userName sw "B"`, true],
      ["title pr", false],
      [`meta.lastModified gt "${since}"`, true],
      [`meta.lastModified ge "${since}"`, true],
      [`meta.lastModified lt "${since}"`, false],
      [`meta.lastModified le "${since}"`, false],
      ['title pr and userType eq "Employee"', false],
      ['title pr or userType eq "Intern"', false],
      [`schemas eq "${enterprise}"`, false],
      ['userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")', false],
      ['userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")', true],
      ['userType eq "Employee" and (emails.type eq "work")', false],
      ['userType eq "Employee" and emails[type eq "work" and value co "@example.com"]', false],
      ['emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]', false],
    ];
    for (const [filter, isFound] of counts) {
      const ids = await found("/Users", filter);
      expect([filter, ids.includes(id)]).toEqual([filter, isFound]);
      expect(all).toEqual(expect.arrayContaining(ids));
    }
    expect(
      await found("/Users", 'userType eq "Employee" and emails[type eq "work" and value co "@example.com"]'),
    ).toHaveLength(2);
  });

  it("3.4.2.4 and 3.4.3: pages, and a posted search", async () => {
    const page = (await get("/Users?startIndex=1&count=2")).body;
    expect(page).toMatchObject({ startIndex: 1, itemsPerPage: 2 });
    const search = await send("POST", "/.search", {
      schemas: [`${message}:SearchRequest`],
      attributes: ["displayName", "userName"],
      filter: 'displayName sw "john"',
      startIndex: 1,
      count: 10,
    });
    expect(search.body).toMatchObject({ schemas: [`${message}:ListResponse`], totalResults: 1, startIndex: 1 });
    expect(search.body.Resources).toEqual([
      { schemas: [user], id: expect.any(String), displayName: "John Smith", userName: "jsmith@example.com" },
    ]);
  });

  it("3.5.1: replace", async () => {
    const replaced = {
      schemas: [user],
      id,
      userName: "bjensen",
      externalId: "bjensen",
      name: { ...short, middleName: "Jane" },
      roles: [],
      emails: [{ value: "bjensen@example.com" }, { value: "babs@jensen.org" }],
    };
    const before = (await get(person())).headers.get("etag") ?? "";
    const answer = await send("PUT", person(), replaced, { "if-match": before });
    const { roles: _none, ...kept } = replaced;
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject(kept);
    expect(answer.body).not.toHaveProperty("roles");
    expect(answer.headers.get("etag")).not.toBe(before);
  });

  it("3.5.2.1: add", async () => {
    const group = await made("/Groups", { schemas: [groupUrn], displayName: "Guides of 3.5.2" });
    const member = { value: id, display: "Babs Jensen", $ref: `https://example.com/v2/Users/${id}` };
    await change(`/Groups/${group}`, { op: "add", path: "members", value: [member] });
    expect((await get(`/Groups/${group}`)).body.members).toMatchObject([{ value: id, display: "Babs Jensen" }]);
    await change(person(), {
      op: "add",
      value: { emails: [{ value: "babs@home.example", type: "home" }], nickname: "Babs" },
    });
    expect((await get(person())).body).toMatchObject({
      nickName: "Babs",
      emails: [
        { value: "bjensen@example.com" },
        { value: "babs@jensen.org" },
        { value: "babs@home.example", type: "home" },
      ],
    });
  });

  it("3.5.2.2: remove", async () => {
    const [group = ""] = await found("/Groups", 'displayName eq "Guides of 3.5.2"');
    await change(`/Groups/${group}`, { op: "remove", path: `members[value eq "${id}"]` });
    expect((await get(`/Groups/${group}`)).body).not.toHaveProperty("members");
    await change(
      `/Groups/${group}`,
      { op: "remove", path: "members" },
      { op: "add", path: "members", value: [{ value: id, display: "Babs Jensen" }] },
    );
    expect((await get(`/Groups/${group}`)).body.members).toMatchObject([{ value: id }]);
    await change(`/Groups/${group}`, { op: "remove", path: "members" });
    expect((await get(`/Groups/${group}`)).body).not.toHaveProperty("members");
    await change(person(), { op: "add", path: "emails", value: [{ value: "b@work.example.com", type: "work" }] });
    await change(person(), { op: "remove", path: 'emails[type eq "work" and value ew "example.com"]' });
    expect((await get(person())).body.emails).toEqual([
      { value: "bjensen@example.com" },
      { value: "babs@jensen.org" },
      { value: "babs@home.example", type: "home" },
    ]);
  });

  it("3.5.2.3: replace parts", async () => {
    const [group = ""] = await found("/Groups", 'displayName eq "Guides of 3.5.2"');
    const [john = ""] = await found("/Users", 'userName eq "jsmith@example.com"');
    await change(`/Groups/${group}`, {
      op: "replace",
      path: "members",
      value: [
        { value: id, display: "Babs Jensen" },
        { value: john, display: "James Smith" },
      ],
    });
    expect((await get(`/Groups/${group}`)).body.members).toMatchObject([{ value: id }, { value: john }]);
    await change(person(), {
      op: "add",
      path: "addresses",
      value: [{ ...workAddress, primary: undefined }, homeAddress],
    });
    const moved = {
      type: "work",
      streetAddress: "911 Universal City Plaza",
      locality: "Hollywood",
      region: "CA",
      postalCode: "91608",
      country: "US",
      formatted: "911 Universal City Plaza\nHollywood, CA 91608 US",
      primary: true,
    };
    await change(person(), { op: "replace", path: 'addresses[type eq "work"]', value: moved });
    expect((await get(person())).body.addresses).toEqual([moved, homeAddress]);
    await change(person(), {
      op: "replace",
      path: 'addresses[type eq "work"].streetAddress',
      value: "1010 Broadway Ave",
    });
    expect((await get(person())).body.addresses).toEqual([
      { ...moved, streetAddress: "1010 Broadway Ave" },
      homeAddress,
    ]);
    await change(person(), { op: "replace", value: { emails: [workEmail, homeEmail], nickname: "Barb" } });
    expect((await get(person())).body).toMatchObject({ emails: [workEmail, homeEmail], nickName: "Barb" });
  });

  it("3.7: bulk in all methods, with an answer for each and a stop after the first failure", async () => {
    const [john = ""] = await found("/Users", 'userName eq "jsmith@example.com"');
    const least = await found("/Users", 'userName eq "least@example.com"');
    const operations = [
      { method: "POST", path: "/Users", bulkId: "qwerty", data: { schemas: [user], userName: "Alice" } },
      { method: "PUT", path: `/Users/${john}`, data: { schemas: [user], userName: "Bob" } },
      {
        method: "PATCH",
        path: person(),
        data: {
          Operations: [
            { op: "remove", path: "nickName" },
            { op: "replace", path: "userName", value: "Dave" },
          ],
        },
      },
      { method: "DELETE", path: `/Users/${least[0]}` },
    ];
    const answer = await send("POST", "/Bulk", {
      failOnErrors: 1,
      schemas: [`${message}:BulkRequest`],
      Operations: operations,
    });
    expect(answer.body).toMatchObject({
      schemas: [`${message}:BulkResponse`],
      Operations: [
        { method: "POST", bulkId: "qwerty", status: "201", location: expect.stringContaining("/Users/") },
        { method: "PUT", status: "200", location: expect.stringContaining(john) },
        { method: "PATCH", status: "200", location: expect.stringContaining(id) },
        { method: "DELETE", status: "204" },
      ],
    });
    expect((await get(person())).body).toMatchObject({ userName: "Dave" });
    expect((await get(`/Users/${least[0]}`)).status).toBe(404);
    const failing = await send("POST", "/Bulk", {
      failOnErrors: 1,
      schemas: [`${message}:BulkRequest`],
      Operations: [
        { method: "POST", path: "/Users", bulkId: "again", data: { schemas: [user], userName: "Alice" } },
        { method: "DELETE", path: `/Users/${john}` },
      ],
    });
    expect(failing.body.Operations).toMatchObject([
      {
        method: "POST",
        bulkId: "again",
        status: "409",
        response: { schemas: [`${message}:Error`], scimType: "uniqueness" },
      },
    ]);
    expect((await get(`/Users/${john}`)).status).toBe(200);
  });

  it("3.7.2: a group names a user of the same request, and a manager is made in it", async () => {
    const answer = await send("POST", "/Bulk", {
      schemas: [`${message}:BulkRequest`],
      Operations: [
        {
          method: "POST",
          path: "/Users",
          bulkId: "boss",
          data: { schemas: [user, enterprise], userName: "Carol", [enterprise]: { employeeNumber: "11250" } },
        },
        {
          method: "POST",
          path: "/Groups",
          bulkId: "ytrewq",
          data: { schemas: [groupUrn], displayName: "Tour Guides", members: [{ type: "User", value: "bulkId:boss" }] },
        },
      ],
    });
    const [boss = ""] = await found("/Users", 'userName eq "Carol"');
    const [guides = ""] = await found("/Groups", 'displayName eq "Tour Guides"');
    expect(answer.body.Operations).toMatchObject([{ status: "201" }, { status: "201" }]);
    expect((await get(`/Groups/${guides}`)).body.members).toMatchObject([{ type: "User", value: boss }]);
  });

  it("3.10 and 3.12: full names of attributes, and an error that says what is wrong", async () => {
    const shown = (await get(`${person()}?attributes=${user}:userName`)).body;
    expect(shown).toEqual({ schemas: [user], id, userName: "Dave" });
    expect((await get("/Users/2819c223-7f76-453a-919d-413861904646")).body).toEqual({
      schemas: [`${message}:Error`],
      status: "404",
      detail: expect.stringContaining("2819c223-7f76-453a-919d-413861904646"),
    });
    const fixed = await change(person(), { op: "replace", path: "id", value: "mine" });
    expect([fixed.status, fixed.body.scimType]).toEqual([400, "mutability"]);
  });

  it("3.11: there is no person behind a provisioning key", async () => {
    expect((await get("/Me")).status).toBe(501);
  });

  it("3.14 and 3.6: versions guard, and what is deleted is gone", async () => {
    const version = (await get(person())).headers.get("etag") ?? "";
    expect((await get(person(), { "if-none-match": version })).status).toBe(304);
    const stale = { "if-match": 'W/"a330bc54f0671c9"' };
    expect((await send("DELETE", person(), undefined, stale)).status).toBe(412);
    expect((await send("DELETE", person(), undefined, { "if-match": version })).status).toBe(204);
    expect((await get(person())).status).toBe(404);
    expect(await found("/Users", `id eq "${id}"`)).toEqual([]);
  });
});
