/** A stranger to this project, with the vendor's documentation and fetch: what is written by it works here. */
import { unzipSync } from "fflate";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  createZohoSimulator,
  credentials,
  seedZoho,
  type ZohoSimulatorOptions,
} from "../../../connectors/zoho/simulator.ts";
import { serveSimulator } from "../../../core/simulator-server.ts";
import { stillClock } from "../../kit/clock.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

type Json = Readonly<Record<string, unknown>>;

interface Said {
  readonly status: number;
  /** Undefined where the answer has no body. */
  readonly body: Json | undefined;
  readonly headers: Headers;
}

interface Asked {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

async function said(response: Response): Promise<Said> {
  const text = await response.text();
  // Every documented answer with a body is a JSON object.
  const body = text === "" ? undefined : (JSON.parse(text) as Json);
  return { status: response.status, body, headers: response.headers };
}

async function organisation(options: Partial<ZohoSimulatorOptions> = {}) {
  const clock = stillClock();
  const simulator = createZohoSimulator({ clock, ...options });
  const { url, close } = await serveSimulator(simulator);
  onTestFinished(close);
  const token = (form: Readonly<Record<string, string>>) =>
    fetch(`${url}/oauth/v2/token`, { method: "POST", body: new URLSearchParams(form) }).then(said);
  const { clientId: client_id, clientSecret: client_secret, refreshToken: refresh_token } = credentials;
  const client = { client_id, client_secret };
  const refreshed = await token({ grant_type: "refresh_token", refresh_token, ...client });
  let authorization = `Zoho-oauthtoken ${refreshed.body?.access_token}`;
  const renew = async (): Promise<void> => {
    const { body } = await token({ grant_type: "refresh_token", refresh_token, ...client });
    authorization = `Zoho-oauthtoken ${body?.access_token}`;
  };
  const call = (method: string, path: string, { body, headers }: Asked = {}): Promise<Said> =>
    fetch(`${url}${path}`, {
      method,
      headers: { authorization, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).then(said);
  return { clock, simulator, url, client, refresh_token, token, refreshed, renew, call };
}

// The documentation gives these keys these shapes; a wrong one shows in the comparison.
const rowsIn = ({ body }: Said): ReadonlyArray<Json> => (body?.data ?? []) as ReadonlyArray<Json>;
const infoIn = ({ body }: Said): Json => (body?.info ?? {}) as Json;
const detailsOf = (entry: Json | undefined): Json => (entry?.details ?? {}) as Json;
const codesIn = (answer: Said): ReadonlyArray<unknown> => rowsIn(answer).map(({ code }) => code);

describe("the accounts server", () => {
  it("gives a token for a refresh token, in the query, as a form and as multipart data", async () => {
    const { url, client, refresh_token, refreshed } = await organisation();
    expect(refreshed).toMatchObject({
      status: 200,
      body: { api_domain: "https://www.zohoapis.com", token_type: "Bearer", expires_in: 3600 },
    });
    expect(refreshed.body).not.toHaveProperty("refresh_token");
    const parameters = { grant_type: "refresh_token", refresh_token, ...client };
    const inQuery = await said(
      await fetch(`${url}/oauth/v2/token?${new URLSearchParams(parameters)}`, { method: "POST" }),
    );
    const data = new FormData();
    for (const [name, value] of Object.entries(parameters)) data.set(name, value);
    const multipart = await said(await fetch(`${url}/oauth/v2/token`, { method: "POST", body: data }));
    for (const { body } of [inQuery, multipart]) expect(body?.access_token).toMatch(/^1000\./);
  });

  it("takes a consent's code once, within two minutes", async () => {
    const { url, client, token, clock } = await organisation();
    const redirect_uri = "https://hub.example/callback";
    const query = new URLSearchParams({
      response_type: "code",
      client_id: client.client_id,
      scope: "ZohoCRM.modules.ALL,ZohoCRM.users.READ",
      redirect_uri,
      access_type: "offline",
      prompt: "consent",
      state: "s1",
    });
    const consent = async () => {
      const answer = await fetch(`${url}/oauth/v2/auth?${query}`, { redirect: "manual" });
      return new URL(answer.headers.get("location") ?? "").searchParams;
    };
    const first = await consent();
    expect([first.get("location"), first.get("accounts-server"), first.get("state")]).toEqual([
      "us",
      "https://accounts.zoho.com",
      "s1",
    ]);
    const exchange = (code: string) => token({ grant_type: "authorization_code", redirect_uri, code, ...client });
    expect((await exchange(first.get("code") ?? "")).body).toMatchObject({ refresh_token: expect.any(String) });
    expect(await exchange(first.get("code") ?? "")).toMatchObject({ status: 200, body: { error: "invalid_code" } });
    const second = await consent();
    clock.advance(3 * minuteMs);
    expect((await exchange(second.get("code") ?? "")).body).toEqual({ error: "invalid_code" });
  });

  it("answers most errors over 200, and blocks who asks more than ten times in ten minutes", async () => {
    const { client, refresh_token, token, clock } = await organisation();
    const good = { grant_type: "refresh_token", refresh_token, ...client };
    const errors = [
      await token({ ...good, refresh_token: "1000.no" }),
      await token({ ...good, client_id: "1000.NO" }),
      await token({ ...good, client_secret: "no" }),
    ];
    expect(errors.map(({ status, body }) => [status, body?.error])).toEqual([
      [200, "invalid_code"],
      [200, "invalid_client"],
      [200, "invalid_client_secret"],
    ]);
    for (let request = 0; request < 6; request += 1) await token(good);
    expect(await token(good)).toMatchObject({ status: 400, body: { error: "Access Denied", status: "failure" } });
    clock.advance(10 * minuteMs + 1);
    expect((await token(good)).body?.access_token).toBeDefined();
  });

  it("ends the oldest of eleven tokens, all after an hour, and all when it is told to", async () => {
    const { client, refresh_token, token, call, clock, url } = await organisation();
    const good = { grant_type: "refresh_token", refresh_token, ...client };
    for (let request = 0; request < 9; request += 1) await token(good);
    expect((await call("GET", "/crm/v8/org")).status).toBe(200);
    clock.advance(11 * minuteMs);
    await token(good);
    expect(await call("GET", "/crm/v8/org")).toMatchObject({ status: 401, body: { code: "INVALID_TOKEN" } });
    const { body } = await token(good);
    const org = () =>
      fetch(`${url}/crm/v8/org`, { headers: { authorization: `Zoho-oauthtoken ${body?.access_token}` } });
    expect((await org()).status).toBe(200);
    await fetch(`${url}/oauth/v2/token/revoke?token=${refresh_token}`, { method: "POST" });
    expect((await org()).status).toBe(401);
    expect((await token(good)).body).toEqual({ error: "invalid_code" });
  });

  it("knows its own scheme only", async () => {
    const { url, refreshed, call } = await organisation();
    const bearer = await fetch(`${url}/crm/v8/org`, {
      headers: { authorization: `Bearer ${refreshed.body?.access_token}` },
    });
    expect(await said(bearer)).toMatchObject({
      status: 401,
      body: { code: "AUTHENTICATION_FAILURE", status: "error" },
    });
    expect((await call("GET", "/crm/v8/org")).headers.get("x-accesstoken-reset")).toMatch(/^2026-.*\+05:30$/);
  });
});

describe("lists", () => {
  it("need fields, take at most 50, and show ids as text and times in the user's zone", async () => {
    const { simulator, call } = await organisation();
    simulator.screen.create("account", { Account_Name: "Zylker" });
    expect(await call("GET", "/crm/v8/Accounts")).toMatchObject({
      status: 400,
      body: { code: "REQUIRED_PARAM_MISSING", details: { param_name: "fields" }, status: "error" },
    });
    const many = Array.from({ length: 51 }, (_, index) => `F${index}`).join(",");
    expect(await call("GET", `/crm/v8/Accounts?fields=${many}`)).toMatchObject({
      body: { code: "LIMIT_EXCEEDED", details: { limit: 50, param_name: "fields" } },
    });
    const list = await call("GET", "/crm/v8/Accounts?fields=Account_Name,Owner,Modified_Time,No_Such_Field");
    expect(rowsIn(list)).toEqual([
      {
        id: expect.stringMatching(/^\d{19}$/),
        Account_Name: "Zylker",
        Owner: { name: "Ann Lee", id: "5000000000000100001", email: "ann@example.com" },
        Modified_Time: "2026-06-01T14:30:00+05:30",
      },
    ]);
    expect(infoIn(list)).toEqual({
      call: false,
      email: false,
      per_page: 200,
      count: 1,
      page: 1,
      more_records: false,
      sort_by: "id",
      sort_order: "desc",
      next_page_token: null,
      previous_page_token: null,
      page_token_expiry: null,
    });
  });

  it("reach 2,000 rows by number and more by token, and refuse what does not fit", async () => {
    const { simulator, call, clock, renew } = await organisation();
    for (let index = 0; index < 2_300; index += 1) simulator.screen.create("account", { Account_Name: `A${index}` });
    const path = "/crm/v8/Accounts?fields=Account_Name";
    expect(rowsIn(await call("GET", `${path}&page=10`))).toHaveLength(200);
    expect(await call("GET", `${path}&page=11`)).toMatchObject({
      status: 400,
      body: { code: "DISCRETE_PAGINATION_LIMIT_EXCEEDED", details: { limit: 2000 } },
    });
    const seen = new Set<unknown>();
    let token: unknown = null;
    const walk: Array<unknown> = [];
    for (let page = 0; page < 20; page += 1) {
      const answer = await call("GET", token === null ? path : `${path}&page_token=${token}`);
      for (const { id } of rowsIn(answer)) seen.add(id);
      token = infoIn(answer).next_page_token;
      walk.push(token);
      if (infoIn(answer).more_records === false) break;
    }
    expect(seen.size).toBe(2_300);
    const [first] = walk;
    expect(await call("GET", `${path}&page=2&page_token=${first}`)).toMatchObject({
      body: { code: "AMBIGUITY_DURING_PROCESSING" },
    });
    expect(await call("GET", `${path}&sort_by=Modified_Time&page_token=${first}`)).toMatchObject({
      body: { code: "TOKEN_BOUND_DATA_MISMATCH", details: { param_name: "page_token" } },
    });
    expect(await call("GET", `${path}&page_token=abc`)).toMatchObject({ body: { code: "INVALID_DATA" } });
    expect(await call("GET", `${path}&per_page=201`)).toMatchObject({ status: 400 });
    expect(await call("GET", `${path}&sort_by=Account_Name`)).toMatchObject({
      body: { code: "INVALID_DATA", details: { param_name: "sort_by", supported_values: expect.any(Array) } },
    });
    clock.advance(24 * hourMs);
    await renew();
    expect(await call("GET", `${path}&page_token=${first}`)).toMatchObject({
      body: { code: "EXPIRED_VALUE", details: { api_name: "page_token" } },
    });
  });

  it("answer 204 for nothing and 304 for nothing new, both without a body; the second given counts", async () => {
    const { simulator, call, clock } = await organisation();
    const path = "/crm/v8/Accounts?fields=Account_Name&sort_by=Modified_Time&sort_order=asc";
    expect(await call("GET", path)).toMatchObject({ status: 204, body: undefined });
    simulator.screen.create("account", { Account_Name: "A" });
    const since = (at: string) => call("GET", path, { headers: { "If-Modified-Since": at } });
    expect(rowsIn(await since("2026-06-01T09:00:00+00:00"))).toHaveLength(1);
    expect(rowsIn(await since("2026-06-01T14:30:00+05:30"))).toHaveLength(1);
    expect(await since("2026-06-01T09:00:01Z")).toMatchObject({ status: 304, body: undefined });
    clock.advance(999);
    simulator.screen.create("account", { Account_Name: "B" });
    const times = rowsIn(await call("GET", path.replace("Account_Name", "Modified_Time"))).map(
      (row) => row.Modified_Time,
    );
    expect(new Set(times).size).toBe(1);
  });

  it("show single records whole, and nothing of one that is not there", async () => {
    const { simulator, call } = await organisation();
    const { accounts, contacts } = seedZoho(simulator, { accounts: 1 });
    const [record] = rowsIn(await call("GET", `/crm/v8/Contacts/${contacts[0]}`));
    expect(record).toMatchObject({
      Account_Name: { id: accounts[0], name: "Example 00001 GmbH" },
      $approved: true,
      Email: "ann@example-00001.com",
    });
    expect(await call("GET", "/crm/v8/Contacts/5000000000000999999")).toMatchObject({ status: 204 });
    expect(await call("GET", "/crm/v8/Contacts/abc")).toMatchObject({ status: 400, body: { code: "INVALID_DATA" } });
    expect(await call("GET", "/crm/v8/Nothings?fields=id")).toMatchObject({ body: { code: "INVALID_MODULE" } });
    expect(await call("GET", "/crm/v9/Accounts?fields=id")).toMatchObject({
      status: 404,
      body: { code: "INVALID_URL_PATTERN" },
    });
    expect(await call("PATCH", "/crm/v8/Accounts")).toMatchObject({
      status: 400,
      body: { code: "INVALID_REQUEST_METHOD" },
    });
  });

  it("list what was deleted, until it is restored", async () => {
    const { simulator, call, clock, renew } = await organisation();
    const { accounts } = seedZoho(simulator, { accounts: 3, contacts: false });
    expect((await call("GET", "/crm/v8/Accounts/deleted")).status).toBe(204);
    const [bin = "", purged = "", restored = ""] = accounts;
    for (const id of accounts) simulator.screen.remove("account", id);
    simulator.purge("account", purged);
    simulator.screen.restore("account", restored);
    const list = rowsIn(await call("GET", "/crm/v8/Accounts/deleted?type=all"));
    expect(new Map(list.map((row) => [row.id, row]))).toEqual(
      new Map<unknown, unknown>([
        [
          bin,
          expect.objectContaining({
            type: "recycle",
            display_name: "Example 00001 GmbH",
            deleted_by: expect.objectContaining({ name: "Ann Lee" }),
          }),
        ],
        [purged, expect.objectContaining({ type: "permanent", display_name: null, deleted_by: null })],
      ]),
    );
    expect(await call("GET", "/crm/v8/Accounts/deleted?type=old")).toMatchObject({
      body: { code: "PATTERN_NOT_MATCHED" },
    });
    // The bin is emptied after 60 days; what was deleted for good is listed for 120.
    for (const [days, types] of [
      [61, ["permanent", "permanent"]],
      [60, ["permanent"]],
      [60, []],
    ] as const) {
      clock.advance(days * 24 * hourMs);
      await renew();
      expect(rowsIn(await call("GET", "/crm/v8/Accounts/deleted")).map(({ type }) => type)).toEqual(types);
    }
  });
});

describe("queries", () => {
  it("need a where, pairs in brackets and known columns, and answer lookups by id alone", async () => {
    const { simulator, call } = await organisation();
    const { accounts } = seedZoho(simulator, { accounts: 3 });
    const query = (select_query: string) => call("POST", "/crm/v8/coql", { body: { select_query } });
    const found = await query(
      "select Last_Name, Account_Name, Account_Name.Account_Name from Contacts where ((Last_Name like '%00002%' and Email is not null) and id is not null) order by id asc limit 10 offset 0",
    );
    expect(rowsIn(found)).toEqual([
      {
        id: expect.any(String),
        Last_Name: "Example 00002",
        Account_Name: { id: accounts[1] },
        "Account_Name.Account_Name": "Example 00002 GmbH",
      },
    ]);
    expect(infoIn(found)).toEqual({ count: 1, more_records: false });
    expect((await query("select id from Accounts where Account_Name = 'nobody'")).status).toBe(204);
    const refused = {
      "select id from Accounts": "SYNTAX_ERROR",
      "select id from Accounts where id is not null and Fax is null and Phone is null": "SYNTAX_ERROR",
      "select id from Accounts where Account_Name = 'O'Brien'": "SYNTAX_ERROR",
      "select Nope from Accounts where id is not null": "INVALID_QUERY",
      "select id from Nopes where id is not null": "INVALID_MODULE",
      "select id from Accounts where id is not null limit 2001": "LIMIT_EXCEEDED",
      "select id from Accounts where id is not null limit 200 offset 100000": "LIMIT_EXCEEDED",
      "select id from Accounts where Modified_Time > '2026-01-01'": "INVALID_QUERY",
      "select id from Accounts where Description = 'x'": "INVALID_QUERY",
    };
    for (const [text, code] of Object.entries(refused)) {
      const { status, body } = await query(text);
      expect({ text, status, code: body?.code }).toEqual({ text, status: 400, code });
    }
    expect(await call("POST", "/crm/v8/coql", { body: {} })).toMatchObject({ body: { code: "MANDATORY_NOT_FOUND" } });
  });

  it("see a record at once, where a search sees it late and matches parts", async () => {
    const { call, clock } = await organisation();
    await call("POST", "/crm/v8/Accounts", { body: { data: [{ Account_Name: "Zylker Holding" }] } });
    const search = () => call("GET", "/crm/v8/Accounts/search?criteria=(Account_Name:equals:Zylker)");
    expect((await search()).status).toBe(204);
    const query = { select_query: "select id from Accounts where Account_Name = 'Zylker Holding' limit 1 offset 0" };
    expect(rowsIn(await call("POST", "/crm/v8/coql", { body: query }))).toHaveLength(1);
    clock.advance(minuteMs);
    expect(rowsIn(await search())).toHaveLength(1);
    expect(await call("GET", "/crm/v8/Accounts/search")).toMatchObject({ body: { code: "EXPECTED_PARAM_MISSING" } });
  });
});

describe("writes", () => {
  it("answer one entry for each record in order: 201, 207, 400", async () => {
    const { call, simulator } = await organisation();
    const insert = (data: ReadonlyArray<Json>) => call("POST", "/crm/v8/Accounts", { body: { data } });
    const good = await insert([{ Account_Name: "A", Hub_Id: "h1" }]);
    expect(good.status).toBe(201);
    expect(rowsIn(good)[0]).toMatchObject({
      code: "SUCCESS",
      status: "success",
      message: "record added",
      details: { id: expect.any(String), Modified_Time: "2026-06-01T14:30:00+05:30", Modified_By: { name: "Hub Bot" } },
    });
    const id = detailsOf(rowsIn(good)[0]).id;
    const mixed = await insert([
      { Phone: "555" },
      { Account_Name: "B" },
      { Account_Name: "C", Employees: "many" },
      { Account_Name: "x".repeat(201) },
      { Account_Name: "D", Hub_Id: "h1" },
      { Account_Name: "E", Phone: "-1", Parent_Account: "some name" },
      { Account_Name: "F", Owner: { id: "5000000000000100003" } },
    ]);
    expect(mixed.status).toBe(207);
    expect(codesIn(mixed)).toEqual([
      "MANDATORY_NOT_FOUND",
      "SUCCESS",
      "INVALID_DATA",
      "INVALID_DATA",
      "DUPLICATE_DATA",
      "MULTIPLE_OR_MULTI_ERRORS",
      "INVALID_DATA",
    ]);
    expect(rowsIn(mixed).map(detailsOf)).toMatchObject([
      { api_name: "Account_Name", json_path: "$.data[0].Account_Name" },
      {},
      { api_name: "Employees", expected_data_type: "integer", json_path: "$.data[2].Employees" },
      { api_name: "Account_Name", maximum_length: 200 },
      { api_name: "Hub_Id", id, duplicate_record: { id, module: { api_name: "Accounts" } } },
      { errors: [{ code: "INVALID_DATA" }, { code: "INVALID_DATA" }] },
      { api_name: "Owner" },
    ]);
    expect((await insert([{ Phone: "1" }])).status).toBe(400);
    const tooMany = await insert(Array.from({ length: 101 }, () => ({ Account_Name: "A" })));
    expect(tooMany).toMatchObject({ status: 400, body: { code: "LIMIT_EXCEEDED", details: { maximum_length: 100 } } });
    expect(simulator.screen.list("account")).toHaveLength(2);
  });

  it("change only what is named, and refuse what was changed since a time", async () => {
    const { call, simulator, clock } = await organisation();
    const id = simulator.screen.create("account", { Account_Name: "A", Phone: "555", Fax: "1" });
    clock.advance(10_000);
    const put = (fields: Json, at?: string) =>
      call("PUT", `/crm/v8/Accounts/${id}`, {
        body: { data: [fields] },
        ...(at === undefined ? {} : { headers: { "If-Unmodified-Since": at } }),
      });
    expect(await put({ Phone: null })).toMatchObject({ status: 200 });
    expect(simulator.screen.read("account", id)).toMatchObject({ Account_Name: "A", Phone: null, Fax: "1" });
    const refused = await put({ Fax: "2" }, "2026-06-01T14:30:00+05:30");
    expect(refused).toMatchObject({
      status: 412,
      body: { data: [{ code: "ALREADY_MODIFIED", details: { id, Modified_Time: "2026-06-01T14:30:10+05:30" } }] },
    });
    expect(await put({ Fax: "2" }, "2026-06-01T14:30:10+05:30")).toMatchObject({ status: 200 });
    const unknown = await call("PUT", "/crm/v8/Accounts", {
      body: { data: [{ id: "5000000000000999999", Fax: "1" }] },
    });
    expect(unknown).toMatchObject({
      status: 400,
      body: { data: [{ code: "INVALID_DATA", details: { api_name: "id" } }] },
    });
  });

  it("upsert by the listed field, else by the module's own, and reach records by an external field", async () => {
    const { call, simulator } = await organisation();
    const upsert = (record: Json, duplicate_check_fields?: ReadonlyArray<string>) =>
      call("POST", "/crm/v8/Accounts/upsert", {
        body: { data: [record], ...(duplicate_check_fields === undefined ? {} : { duplicate_check_fields }) },
      });
    const first = await upsert({ Account_Name: "A", Hub_Id: "h1" }, ["Hub_Id"]);
    expect(first).toMatchObject({ status: 200, body: { data: [{ action: "insert", duplicate_field: null }] } });
    expect(await upsert({ Account_Name: "A2", Hub_Id: "h1" }, ["Hub_Id"])).toMatchObject({
      body: { data: [{ action: "update", duplicate_field: "Hub_Id" }] },
    });
    // With another field listed, the name is not compared; without a list it is.
    expect(await upsert({ Account_Name: "A2", Hub_Id: "h2" }, ["Hub_Id"])).toMatchObject({
      body: { data: [{ action: "insert" }] },
    });
    expect(await upsert({ Account_Name: "A2", Fax: "9" })).toMatchObject({
      body: { data: [{ action: "update", duplicate_field: "Account_Name" }] },
    });
    expect(await upsert({ Account_Name: "A" }, ["Fax"])).toMatchObject({ status: 400, body: { code: "INVALID_DATA" } });
    expect(simulator.screen.list("account")).toHaveLength(2);
    const headers = { "X-EXTERNAL": "Accounts.Hub_Id" };
    const [found] = rowsIn(await call("GET", "/crm/v8/Accounts/h1", { headers }));
    expect(found?.id).toBe(detailsOf(rowsIn(first)[0]).id);
    expect(await call("PUT", "/crm/v8/Accounts/h1", { headers, body: { data: [{ Fax: "7" }] } })).toMatchObject({
      status: 200,
    });
    expect(simulator.screen.read("account", String(found?.id))?.Fax).toBe("7");
    await call("PUT", "/crm/v8/Accounts", { headers, body: { data: [{ Hub_Id: "h1", Fax: "8" }] } });
    expect(simulator.screen.read("account", String(found?.id))?.Fax).toBe("8");
    const person = { Last_Name: "Li", Account_Name: { Hub_Id: "h1" } };
    const lookup = { "X-EXTERNAL": "Contacts.Account_Name.Hub_Id" };
    const made = await call("POST", "/crm/v8/Contacts", { headers: lookup, body: { data: [person] } });
    const contact = String(detailsOf(rowsIn(made)[0]).id);
    expect(simulator.screen.read("contact", contact)?.Account_Name).toEqual({ id: found?.id });
    const unknown = { Last_Name: "Li", Account_Name: { Hub_Id: "h9" } };
    expect((await call("POST", "/crm/v8/Contacts", { headers: lookup, body: { data: [unknown] } })).status).toBe(400);
  });

  it("delete into the bin, and say of what is gone already that it was not deleted", async () => {
    const { call, simulator } = await organisation();
    const { accounts } = seedZoho(simulator, { accounts: 2, contacts: false });
    const [one, two] = accounts;
    expect(await call("DELETE", "/crm/v8/Accounts")).toMatchObject({
      status: 400,
      body: { code: "REQUIRED_PARAM_MISSING", details: { param_name: "ids" } },
    });
    expect(await call("DELETE", `/crm/v8/Accounts/${one}`)).toMatchObject({ status: 200 });
    const mixed = await call("DELETE", `/crm/v8/Accounts?ids=${one},${two}&wf_trigger=false`);
    expect(mixed.status).toBe(207);
    expect(rowsIn(mixed)).toMatchObject([
      { code: "INVALID_DATA", message: "record not deleted", details: { id: one } },
      { code: "SUCCESS", message: "record deleted", details: { id: two } },
    ]);
    expect(simulator.screen.list("account")).toEqual([]);
  });

  it("merge two into one: the other is deleted, its contacts move", async () => {
    const { call, simulator } = await organisation();
    const { accounts, contacts } = seedZoho(simulator, { accounts: 2 });
    const [master = "", child = ""] = accounts;
    const merged = await call("POST", `/crm/v8/Accounts/${master}/actions/merge`, {
      body: { merge: [{ data: [{ id: child }] }] },
    });
    expect(merged.status).toBe(200);
    expect(simulator.screen.list("account")).toEqual([master]);
    expect(simulator.screen.read("contact", contacts[1] ?? "")?.Account_Name).toEqual({ id: master });
  });
});

describe("bulk read", () => {
  it("needs a content type, runs through its states, and gives a ZIP with one CSV, ten times a minute", async () => {
    const { call, clock, simulator, url, refreshed } = await organisation();
    const { accounts } = seedZoho(simulator, { accounts: 3, contacts: false });
    const body = { query: { module: { api_name: "Accounts" }, fields: ["Account_Name", "Owner"], page: 1 } };
    const plain = { "content-type": "text/plain" };
    expect(await call("POST", "/crm/bulk/v8/read", { body, headers: plain })).toMatchObject({
      status: 415,
      body: { code: "MEDIA_TYPE_NOT_SUPPORTED" },
    });
    const started = await call("POST", "/crm/bulk/v8/read", { body, headers: { "content-type": "application/json" } });
    expect(started).toMatchObject({ status: 201, body: { data: [{ code: "ADDED_SUCCESSFULLY" }] } });
    const job = detailsOf(rowsIn(started)[0]).id;
    const states: Array<unknown> = [];
    for (let look = 0; look < 4; look += 1) {
      states.push(rowsIn(await call("GET", `/crm/bulk/v8/read/${job}`))[0]?.state);
      clock.advance(4_000);
    }
    expect(states).toEqual(["ADDED", "IN PROGRESS", "IN PROGRESS", "COMPLETED"]);
    const [done] = rowsIn(await call("GET", `/crm/bulk/v8/read/${job}`));
    const result = done?.result as Json;
    expect(result).toMatchObject({ count: 3, more_records: false, per_page: 200_000 });
    const authorization = `Zoho-oauthtoken ${refreshed.body?.access_token}`;
    const download = () => fetch(`${url}${result.download_url}`, { headers: { authorization } });
    const files = unzipSync(new Uint8Array(await (await download()).arrayBuffer()));
    const text = new TextDecoder().decode(files[`${job}.csv`]);
    expect(text.split("\n")[0]).toBe("Id,Account_Name,Owner");
    for (const id of accounts) expect(text).toContain(`${id},`);
    const statuses: Array<number> = [];
    for (let count = 0; count < 10; count += 1) statuses.push((await download()).status);
    expect(statuses).toEqual([...Array.from({ length: 9 }, () => 200), 429]);
    expect(await call("GET", "/crm/bulk/v8/read/1")).toMatchObject({
      status: 404,
      body: { code: "RESOURCE_NOT_FOUND" },
    });
  });
});

describe("notification channels", () => {
  const watch = {
    channel_id: "1000000068001",
    events: ["Accounts.all"],
    notify_url: "https://hub.example/hooks?c=7",
    token: "k3y",
  };

  it("live as long as asked up to a week, and one hour where more was asked", async () => {
    const { call } = await organisation();
    const expiry = async (channel_expiry?: string) => {
      const body = { watch: [{ ...watch, ...(channel_expiry === undefined ? {} : { channel_expiry }) }] };
      const { status, body: answer } = await call("POST", "/crm/v8/actions/watch", { body });
      expect(status).toBe(201);
      const [entry] = (answer?.watch ?? []) as ReadonlyArray<Json>;
      const [event] = (detailsOf(entry).events ?? []) as ReadonlyArray<Json>;
      return Date.parse(String(event?.channel_expiry)) - Date.UTC(2026, 5, 1, 9);
    };
    expect(await expiry("2026-06-07T09:00:00+00:00")).toBe(6 * 24 * hourMs);
    expect(await expiry("2026-06-09T09:00:00+00:00")).toBe(hourMs);
    expect(await expiry()).toBe(hourMs);
  });

  it("tell of changes with the token and the query, in Zoho's words", async () => {
    const { call, simulator } = await organisation();
    await call("POST", "/crm/v8/actions/watch", {
      body: { watch: [{ ...watch, return_affected_field_values: true }] },
    });
    const id = simulator.screen.create("account", { Account_Name: "A" });
    simulator.screen.edit("account", id, { Phone: "555" });
    simulator.screen.remove("account", id);
    const sent = simulator.notifications();
    expect(sent.map(({ body }) => [body.operation, body.ids, body.token, body.query_params])).toEqual(
      ["insert", "update", "delete"].map((operation) => [operation, [id], "k3y", { c: "7" }]),
    );
    expect(sent[1]?.body.affected_fields).toEqual([{ [id]: ["Phone"] }]);
    await call("DELETE", `/crm/v8/actions/watch?channel_ids=${watch.channel_id}`);
    simulator.screen.create("account", { Account_Name: "B" });
    expect(simulator.notifications()).toEqual([]);
    expect((await call("GET", "/crm/v8/actions/watch")).status).toBe(204);
  });

  it("refuse a token of more than 50 characters and an unknown module", async () => {
    const { call } = await organisation();
    const post = (change: Json) =>
      call("POST", "/crm/v8/actions/watch", { body: { watch: [{ ...watch, ...change }] } });
    for (const change of [{ token: "x".repeat(51) }, { events: ["Nopes.all"] }, { notify_url: "x" }]) {
      expect(await post(change)).toMatchObject({ status: 400, body: { watch: [{ code: "INVALID_DATA" }] } });
    }
    expect(await call("PUT", "/crm/v8/actions/watch", { body: { watch: [watch] } })).toMatchObject({
      body: { watch: [{ code: "NOT_SUBSCRIBED" }] },
    });
  });
});

describe("limits", () => {
  it("count credits by the weight of a call, show what is left after the half, and refuse with 429", async () => {
    const { call, simulator } = await organisation({ credits: 20 });
    const org = () => call("GET", "/crm/v8/org");
    expect((await org()).headers.get("x-api-credits-remaining")).toBeNull();
    const data = Array.from({ length: 31 }, (_, index) => ({ Account_Name: `A${index}` }));
    expect((await call("POST", "/crm/v8/Accounts", { body: { data } })).status).toBe(201);
    expect(simulator.creditsUsed()).toBe(1 + 4);
    const query = { select_query: "select id from Accounts where id is not null limit 2000" };
    await call("POST", "/crm/v8/coql", { body: query });
    expect(simulator.creditsUsed()).toBe(8);
    await org();
    expect((await org()).headers.get("x-api-credits-remaining")).toBe("10");
    for (let count = 0; count < 10; count += 1) await org();
    expect(await org()).toMatchObject({ status: 429, body: { code: "TOO_MANY_REQUESTS", status: "error" } });
  });

  it("let no more calls run at a time than the edition has", async () => {
    const clock = stillClock();
    const simulator = createZohoSimulator({ clock, edition: "free" });
    const form = new URLSearchParams({
      grant_type: "refresh_token",
      refresh_token: credentials.refreshToken,
      client_id: credentials.clientId,
      client_secret: credentials.clientSecret,
    });
    const token = await said(
      await simulator.fetch(new Request("https://accounts.zoho.com/oauth/v2/token", { method: "POST", body: form })),
    );
    const headers = { authorization: `Zoho-oauthtoken ${token.body?.access_token}` };
    const call = () => simulator.fetch(new Request("https://www.zohoapis.com/crm/v8/org", { headers }));
    const statuses = (await Promise.all(Array.from({ length: 7 }, call))).map(({ status }) => status);
    expect(statuses.filter((status) => status === 429)).toHaveLength(2);
  });

  it("answer the API hosts of the own data centre only", async () => {
    const simulator = createZohoSimulator({ clock: stillClock() });
    const at = async (host: string) => {
      const headers = { authorization: "Zoho-oauthtoken x" };
      return (await said(await simulator.fetch(new Request(`https://${host}/crm/v8/org`, { headers })))).body?.code;
    };
    expect([await at("crm.zoho.com"), await at("www.zohoapis.eu")]).toEqual(["INVALID_HOST", "INVALID_TOKEN"]);
  });
});
