/** An identity provider that pushes into a running hub, over a real socket. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Effect } from "effect";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createKey, revokeKey } from "../../../../core/hub/keys.ts";
import { listCanonicals, readHistory } from "../../../../core/store/browse.ts";
import { onPostgres } from "../../../kit/engine-place.ts";
import { createServiceKit, type ServiceKit } from "../../../kit/service-kit.ts";
import {
  type Answer,
  call as callHub,
  core,
  enterprise,
  makeToken,
  message,
  type Sent,
  untilLoaded,
} from "./client.ts";

let kit: ServiceKit;
let token = "";

const patchOp = `${message}:PatchOp`;

beforeEach(async () => {
  kit = await createServiceKit({
    names: ["crm"],
    connections: {
      idp: { use: "scim-provider", profile: "okta", deletes: "propagate" },
      entra: { use: "scim-provider", profile: "entra" },
    },
  });
  token = await makeToken(kit, "idp");
  await untilLoaded(kit);
});

afterEach(() => kit.stop());

const call = (path: string, sent: Sent = {}): Promise<Answer> => callHub(kit, path, { as: token, ...sent });

const ann = {
  schemas: [`${core}:User`, enterprise],
  userName: "ann@acme.example",
  externalId: "okta-1",
  name: { givenName: "Ann", familyName: "Lee" },
  emails: [{ value: "ann@acme.example", type: "work", primary: true }],
  title: "Buyer",
  active: true,
  password: "placeholder",
  groups: [],
  [enterprise]: { department: "Purchasing" },
};

const create = (body: unknown = ann, path = "/Users") => call(path, { method: "POST", body });
const patch = (id: unknown, operations: ReadonlyArray<unknown>, more: Sent = {}) =>
  call(`/Users/${id}`, { method: "PATCH", body: { schemas: [patchOp], Operations: operations }, ...more });

const people = () => {
  const { screen } = kit.systems.crm ?? { screen: undefined };
  return (screen?.list("contact") ?? []).map(
    (id) => ({ id, ...screen?.read("contact", id) }) as Record<string, unknown>,
  );
};
const contacts = async () => {
  const hub = kit.service.hub();
  return Effect.runPromise(listCanonicals(hub, { entity: "contact", limit: 100 }));
};

describe("a user that is pushed", () => {
  it("is a contact of the hub before the answer, and a person in the CRM soon after", async () => {
    const made = await create();
    expect(made.status).toBe(201);
    expect(made.headers.get("content-type")).toContain("application/scim+json");
    expect(made.headers.get("location")).toBe(`${kit.server.url}/scim/v2/idp/Users/${made.body.id}`);
    expect(made.body).toMatchObject({
      ...JSON.parse(JSON.stringify({ ...ann, password: undefined, groups: undefined })),
      meta: { resourceType: "User", version: 'W/"1"' },
    });
    expect(made.body).not.toHaveProperty("password");
    const [contact] = await contacts();
    expect(contact?.values).toMatchObject({
      login: "ann@acme.example",
      emails: ["ann@acme.example"],
      title: "Buyer",
      department: "Purchasing",
      active: true,
    });
    const history = await Effect.runPromise(readHistory(kit.service.hub(), contact?.id ?? "", { limit: 10 }));
    expect(history.map(({ kind, connection }) => `${kind} ${connection}`)).toContain("created idp");
    await kit.until("the CRM has her", () => people().some(({ Email }) => Email === "ann@acme.example"));
    expect(people()[0]).toMatchObject({ FirstName: "Ann", LastName: "Lee", Title: "Buyer" });
  });

  it("shows what somebody has changed in the CRM, with a new version", async () => {
    const { body } = await create();
    await kit.until("the CRM has her", () => people().length === 1);
    kit.systems.crm?.screen.edit("contact", String(people()[0]?.id), { Title: "Head of Purchasing" });
    await Effect.runPromise(kit.service.syncNow("crm", false, "test"));
    await kit.until(
      "the directory has it",
      async () => (await call(`/Users/${body.id}`)).body.title === "Head of Purchasing",
    );
    const now = await call(`/Users/${body.id}`);
    expect(now.headers.get("etag")).toBe('W/"2"');
    expect(now.body).toMatchObject({
      meta: { version: 'W/"2"' },
      [enterprise]: { department: "Purchasing" },
      externalId: "okta-1",
    });
  });

  it("follows deactivation and its end, and leaves when it is deleted", async () => {
    const { body } = await create();
    await kit.until("the CRM has her", () => people().length === 1);
    for (const active of [false, true, false]) {
      expect((await patch(body.id, [{ op: "replace", value: { active } }])).body.active).toBe(active);
      expect((await contacts())[0]?.values.active).toBe(active);
    }
    expect((await call(`/Users/${body.id}`, { method: "DELETE" })).status).toBe(204);
    expect((await call(`/Users/${body.id}`)).status).toBe(404);
    expect((await call("/Users")).body).toMatchObject({ totalResults: 0, Resources: [] });
    expect((await call(`/Users/${body.id}`, { method: "DELETE" })).status).toBe(404);
    // Its name is free again.
    const again = await create();
    expect([again.status, again.body.id === body.id]).toEqual([201, false]);
  });

  it("is applied even when two calls say the same, and nothing moves by a change that is none", async () => {
    const { body } = await create();
    const before = await call(`/Users/${body.id}`);
    const same = await patch(body.id, [{ op: "Replace", path: "title", value: "Buyer" }]);
    expect([same.status, same.headers.get("etag")]).toEqual([200, before.headers.get("etag")]);
    expect(same.body.meta).toEqual(before.body.meta);
    for (const active of ["False", "True", "False"])
      await patch(body.id, [{ op: "Replace", path: "active", value: active }]);
    expect((await contacts())[0]?.values.active).toBe(false);
  });

  it("is kept while its connection is stopped, and read when it goes on", async () => {
    await Effect.runPromise(kit.service.pause("idp", "test"));
    expect((await create()).status).toBe(201);
    expect(await contacts()).toEqual([]);
    await Effect.runPromise(kit.service.resume("idp", "test"));
    await Effect.runPromise(kit.service.syncNow("idp", false, "test"));
    await kit.until("the hub has her", async () => (await contacts()).length === 1);
  });
});

describe("what a client can ask", () => {
  const seed = async (count: number) => {
    for (let index = 1; index <= count; index++) {
      await create({
        schemas: [`${core}:User`],
        userName: `user-${String(index).padStart(2, "0")}`,
        title: index % 2 === 0 ? "even" : "odd",
      });
    }
  };

  it("is lists by index, by cursor and by search, filtered, sorted and projected", async () => {
    await seed(12);
    const names = ({ body }: Answer) =>
      (body.Resources as ReadonlyArray<{ userName: string }>).map(({ userName }) => userName);
    const first = await call("/Users?startIndex=1&count=5");
    expect(first.body).toMatchObject({ totalResults: 12, startIndex: 1, itemsPerPage: 5 });
    expect(names(await call("/Users?startIndex=11&count=5"))).toEqual(["user-11", "user-12"]);
    expect((await call("/Users?startIndex=99")).body).toMatchObject({
      totalResults: 12,
      itemsPerPage: 0,
      Resources: [],
    });
    expect((await call("/Users?count=0")).body).toMatchObject({ totalResults: 12, Resources: [] });
    expect(names(await call(`/Users?filter=${encodeURIComponent('userName eq "USER-03"')}`))).toEqual(["user-03"]);
    const even = await call(
      `/Users?filter=${encodeURIComponent('title eq "even" and userName gt "user-04"')}&sortBy=userName&sortOrder=descending`,
    );
    expect(names(even)).toEqual(["user-12", "user-10", "user-08", "user-06"]);
    const shown = (await call("/Users?count=1&attributes=userName")).body.Resources as ReadonlyArray<object>;
    expect(Object.keys(shown[0] ?? {}).sort()).toEqual(["id", "schemas", "userName"]);
    let [cursor, walked]: [string | undefined, Array<string>] = ["", []];
    for (let page = 0; cursor !== undefined && page < 9; page++) {
      const answer: Answer = await call(`/Users?cursor=${cursor}&count=5`);
      walked = walked.concat(names(answer));
      cursor = answer.body.nextCursor as string | undefined;
    }
    expect(walked).toHaveLength(12);
    const search = await call("/Users/.search", {
      method: "POST",
      body: { filter: 'title eq "odd"', startIndex: 2, count: 2, attributes: ["userName"] },
    });
    expect(names(search)).toEqual(["user-03", "user-05"]);
    expect(
      (await call("/.search", { method: "POST", body: { filter: 'meta.resourceType eq "User"', count: 1 } })).body
        .totalResults,
    ).toBe(12);
  });

  it("is refused with the right type where it makes no sense", async () => {
    const { body } = await create();
    const types = async (path: string, sent: Sent = {}) => {
      const answer = await call(path, sent);
      return [answer.status, answer.body.scimType ?? null, answer.body.status];
    };
    const filter = (text: string) => `/Users?filter=${encodeURIComponent(text)}`;
    expect(await types(filter("shoeSize eq 43"))).toEqual([400, "invalidFilter", "400"]);
    expect(await types(filter("userName is broken"))).toEqual([400, "invalidFilter", "400"]);
    expect(await types(filter('password eq "x"'))).toEqual([400, "invalidFilter", "400"]);
    expect(await types("/Users?cursor=forged")).toEqual([400, "invalidCursor", "400"]);
    expect(await types("/Users?cursor=&startIndex=1")).toEqual([400, "invalidValue", "400"]);
    expect(await types("/Users?attributes=a&excludedAttributes=b")).toEqual([400, "invalidValue", "400"]);
    expect(await types("/Users", { method: "POST", body: ann })).toEqual([409, "uniqueness", "409"]);
    expect(await types("/Users", { method: "POST", body: { ...ann, userName: "ANN@acme.example" } })).toEqual([
      409,
      "uniqueness",
      "409",
    ]);
    expect(await types("/Users", { method: "POST", body: {} })).toEqual([400, "invalidValue", "400"]);
    expect(await types("/Users", { method: "POST", body: "{not json" })).toEqual([400, "invalidSyntax", "400"]);
    expect(await types("/Users", { method: "POST", body: "x", headers: { "content-type": "text/plain" } })).toEqual([
      415,
      null,
      "415",
    ]);
    expect(await types("/Users", { method: "DELETE" })).toEqual([405, null, "405"]);
    expect(await types("/Nothing")).toEqual([404, null, "404"]);
    expect(await types("/Users/none")).toEqual([404, null, "404"]);
    expect(await types(`/Groups/${body.id}`)).toEqual([404, null, "404"]);
    expect(await types("/Me")).toEqual([501, null, "501"]);
    expect(await types("/Schemas?filter=x")).toEqual([403, null, "403"]);
    expect(await types("/Users/none", { method: "PUT", body: ann })).toEqual([404, null, "404"]);
  });

  it("is guarded by versions", async () => {
    const { body, headers } = await create();
    const etag = headers.get("etag") ?? "";
    expect((await call(`/Users/${body.id}`, { headers: { "if-none-match": etag } })).status).toBe(304);
    const change = [{ op: "replace", path: "title", value: "Chief" }];
    expect((await patch(body.id, change, { headers: { "if-match": 'W/"9"' } })).status).toBe(412);
    expect((await patch(body.id, change, { headers: { "if-match": etag } })).status).toBe(200);
    expect((await patch(body.id, change, { headers: { "if-match": etag } })).status).toBe(412);
    expect((await call(`/Users/${body.id}`, { method: "DELETE", headers: { "if-match": etag } })).status).toBe(412);
    expect(
      (
        await call(`/Users/${body.id}`, {
          method: "PUT",
          body: { ...ann, title: "Boss" },
          headers: { "if-match": "*" },
        })
      ).body.title,
    ).toBe("Boss");
  });

  it("is what the server is, readable by a client that checks it", async () => {
    const config = (await call("/ServiceProviderConfig")).body;
    expect(config).toMatchObject({
      patch: { supported: true },
      bulk: { supported: true, maxOperations: 1000 },
      etag: { supported: true },
      pagination: { cursor: true, index: true },
    });
    const types = (await call("/ResourceTypes")).body.Resources as ReadonlyArray<{ name: string; endpoint: string }>;
    expect(types.map(({ name, endpoint }) => name + endpoint)).toEqual(["User/Users", "Group/Groups"]);
    expect((await call(`/Schemas/${core}:USER`)).body.id).toBe(`${core}:User`);
    expect((await call("/Schemas/urn:none")).status).toBe(404);
    expect((await call("/ResourceTypes/Group")).body.endpoint).toBe("/Groups");
  });
});

describe("groups", () => {
  it("keep their members, show in their users, and lose who is deleted", async () => {
    const user = (await create()).body.id;
    const made = await create(
      { schemas: [`${core}:Group`], displayName: "Buyers", members: [{ value: user, display: "Ann" }] },
      "/Groups",
    );
    expect(made.body.members).toEqual([{ value: user, display: "Ann", type: "User" }]);
    expect((await call(`/Users/${user}`)).body.groups).toEqual([
      { value: made.body.id, display: "Buyers", type: "direct" },
    ]);
    const found = await call(
      `/Groups?excludedAttributes=members&filter=${encodeURIComponent('displayName eq "buyers"')}`,
    );
    expect((found.body.Resources as ReadonlyArray<object>)[0]).not.toHaveProperty("members");
    await call(`/Users/${user}`, { method: "DELETE" });
    expect((await call(`/Groups/${made.body.id}`)).body).not.toHaveProperty("members");
  });
});

describe("Entra ID", () => {
  it("gets 204 for a PATCH, in both of its dialects", async () => {
    const as = await makeToken(kit, "entra");
    const sent = (operations: ReadonlyArray<unknown>) => ({
      method: "PATCH",
      as,
      connection: "entra",
      body: { schemas: [patchOp], Operations: operations },
    });
    const probe = await call(`/Users?filter=${encodeURIComponent('userName eq "none"')}`, { as, connection: "entra" });
    expect([probe.status, probe.body.totalResults]).toEqual([200, 0]);
    const { body } = await call("/Users", {
      method: "POST",
      as,
      connection: "entra",
      body: { ...ann, roles: [], meta: { resourceType: "User" } },
    });
    const old = await call(
      `/Users/${body.id}`,
      sent([
        { op: "Replace", path: "active", value: "False" },
        { op: "Add", path: 'phoneNumbers[type eq "mobile"].value', value: "+44 20 7946 0000" },
      ]),
    );
    expect([old.status, old.body]).toEqual([204, {}]);
    await call(
      `/Users/${body.id}`,
      sent([
        { op: "replace", value: { "name.givenName": "Anna", [`${enterprise}:department`]: "Sales", active: true } },
      ]),
    );
    expect((await call(`/Users/${body.id}`, { as, connection: "entra" })).body).toMatchObject({
      active: true,
      name: { givenName: "Anna", familyName: "Lee" },
      phoneNumbers: [{ type: "mobile", value: "+44 20 7946 0000" }],
      [enterprise]: { department: "Sales" },
    });
  });
});

describe("bulk", () => {
  const bulk = (operations: ReadonlyArray<unknown>, more: object = {}) =>
    call("/Bulk", {
      method: "POST",
      body: { schemas: [`${message}:BulkRequest`], Operations: operations, ...more },
    });
  const post = (bulkId: string, path: string, data: unknown) => ({ method: "POST", path, bulkId, data });

  it("resolves references forward and in a circle, and goes on after failures", async () => {
    const { status, body } = await bulk([
      post("g", "/Groups", { displayName: "Team", members: [{ value: "bulkId:u" }] }),
      post("u", "/Users", { userName: "u", [enterprise]: { manager: { value: "bulkId:m" } } }),
      post("m", "/Users", { userName: "m", [enterprise]: { manager: { value: "bulkId:u" } } }),
      post("twin", "/Users", { userName: "U" }),
      post("orphan", "/Groups", { displayName: "Lost", members: [{ value: "bulkId:twin" }] }),
    ]);
    expect(status).toBe(200);
    const answers = body.Operations as ReadonlyArray<{ bulkId: string; status: string; location?: string }>;
    expect(Object.fromEntries(answers.map((one) => [one.bulkId, one.status]))).toEqual({
      g: "201",
      u: "201",
      m: "201",
      twin: "409",
      orphan: "400",
    });
    const idOf = (name: string) =>
      answers
        .find(({ bulkId }) => bulkId === name)
        ?.location?.split("/")
        .at(-1);
    const read = async (path: string) => (await call(path)).body as Record<string, { manager?: { value: string } }>;
    expect((await read(`/Users/${idOf("u")}`))[enterprise]?.manager?.value).toBe(idOf("m"));
    expect((await read(`/Users/${idOf("m")}`))[enterprise]?.manager?.value).toBe(idOf("u"));
    expect((await call(`/Groups/${idOf("g")}`)).body.members).toMatchObject([{ value: idOf("u") }]);
    expect(await contacts()).toHaveLength(2);
  });

  it("stops after as many failures as it may have, and has a bound", async () => {
    const { body } = await bulk([{ method: "DELETE", path: "/Users/none" }, post("u", "/Users", { userName: "u" })], {
      failOnErrors: 1,
    });
    expect(body.Operations).toHaveLength(1);
    expect((await call("/Users")).body.totalResults).toBe(0);
    const many = await bulk(
      Array.from({ length: 1_001 }, (_, index) => post(`b${index}`, "/Users", { userName: `u${index}` })),
    );
    expect([many.status, String(many.body.detail)]).toEqual([413, expect.stringContaining("maxOperations")]);
    const large = await call("/Bulk", { method: "POST", body: `{"Operations":[],"x":"${"x".repeat(2_000_000)}"}` });
    expect([large.status, String(large.body.detail)]).toEqual([413, expect.stringContaining("maxPayloadSize")]);
  });
});

describe("who may come in", () => {
  it("is only who holds a good token of this connection", async () => {
    const other = await makeToken(kit, "entra");
    const expired = await makeToken(kit, "idp", 1);
    const hub = kit.service.hub();
    const person = await Effect.runPromise(
      createKey(hub, "cli:test", { name: "admin", role: "admin", scopes: [], expiresAt: null }),
    );
    const made = await Effect.runPromise(
      createKey(hub, "cli:test", { name: "old", role: "provisioner", scopes: [], expiresAt: null, connection: "idp" }),
    );
    await Effect.runPromise(revokeKey(hub, "cli:test", made.key.id));
    for (const as of [other, expired, person.text, made.text, "syn_none", ""]) {
      const { status, headers, body } = await call("/Users", { as });
      expect([status, headers.get("www-authenticate"), body.status]).toEqual([
        401,
        expect.stringContaining("Bearer"),
        "401",
      ]);
    }
    expect((await call("/Users", { connection: "crm" })).status).toBe(401);
    expect((await call("/Users", { connection: "none" })).status).toBe(401);
    // Two tokens are good at once, while one takes the place of the other.
    expect((await call("/Users", { as: await makeToken(kit, "idp") })).status).toBe(200);
    expect((await call("/Users")).status).toBe(200);
  });

  it("sees only the records of its connection", async () => {
    const { body } = await create();
    const as = await makeToken(kit, "entra");
    expect((await call(`/Users/${body.id}`, { as, connection: "entra" })).status).toBe(404);
    expect((await call("/Users", { as, connection: "entra" })).body.totalResults).toBe(0);
    expect((await call("/Users", { method: "POST", as, connection: "entra", body: ann })).status).toBe(201);
  });
});

describe("what is kept", () => {
  it.skipIf(onPostgres)("is sealed: no value of a person stands readable in the store", async () => {
    await create({ ...ann, userName: "zenobia-canary@secret.example", displayName: "Zenobia Canary" });
    const [contact] = await contacts();
    expect(contact?.values.login).toBe("zenobia-canary@secret.example");
    const bytes = readdirSync(kit.folder)
      .filter((name) => !name.endsWith(".key"))
      .map((name) => readFileSync(join(kit.folder, name)));
    expect(bytes.length).toBeGreaterThan(0);
    for (const file of bytes) expect(file.includes("anary")).toBe(false);
  });
});

describe("what is hostile", () => {
  it("is refused, and never a fault of the hub", async () => {
    const { body } = await create();
    const deep = `${"(".repeat(1_500)}title pr${")".repeat(1_500)}`;
    const attempts: ReadonlyArray<readonly [string, Sent]> = [
      [`/Users?filter=${encodeURIComponent(deep)}`, {}],
      ["/Users/.search", { method: "POST", body: { filter: `${"not (".repeat(5_000)}title pr${")".repeat(5_000)}` } }],
      ["/Users/.search", { method: "POST", body: { filter: `title eq "${"x".repeat(900_000)}"` } }],
      [
        `/Users/${body.id}`,
        {
          method: "PATCH",
          body: { Operations: Array.from({ length: 10_000 }, () => ({ op: "add", path: "title", value: "x" })) },
        },
      ],
      [
        `/Users/${body.id}`,
        { method: "PATCH", body: { Operations: [{ op: "add", path: "__proto__.polluted", value: true }] } },
      ],
      [
        `/Users/${body.id}`,
        {
          method: "PATCH",
          body: '{"Operations":[{"op":"add","path":"constructor.prototype","value":{"polluted":true}}]}',
        },
      ],
      ["/Users", { method: "POST", body: `${"[".repeat(100_000)}${"]".repeat(100_000)}` }],
      ["/Users", { method: "POST", body: "{" }],
      ["/Users/%00", {}],
      ["/Users?count=abc", {}],
    ];
    for (const [path, sent] of attempts) {
      const { status } = await call(path, sent);
      expect([path.slice(0, 40), status >= 400 && status < 500]).toEqual([path.slice(0, 40), true]);
    }
    const unknown = await create({
      schemas: ["urn:none"],
      userName: "x",
      "urn:none": { a: 1 },
      __proto__: { admin: true },
    });
    expect(unknown.status).toBe(201);
    expect(unknown.body).not.toHaveProperty(["urn:none"]);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect((await call("/Users")).status).toBe(200);
  });
});
