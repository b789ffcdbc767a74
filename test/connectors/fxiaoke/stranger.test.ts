/** A stranger to this project, with the vendor's manual and fetch: what is written by it works here. */
import { createDecipheriv } from "node:crypto";
import { describe, expect, it, onTestFinished } from "vitest";
import { demoAesKey, encrypted, signatureOf } from "../../../connectors/fxiaoke/simulator/events.ts";
import type { Style } from "../../../connectors/fxiaoke/simulator/gate.ts";
import { openIdOf, tenant } from "../../../connectors/fxiaoke/simulator/tenant.ts";
import {
  createFxiaokeSimulator,
  customObject,
  type FxiaokeSimulatorOptions,
  type FxiaokeSwitches,
  hubKeyField,
  seedFxiaoke,
} from "../../../connectors/fxiaoke/simulator.ts";
import { serveSimulator } from "../../../core/simulator-server.ts";
import { stillClock } from "../../kit/clock.ts";

type Json = Readonly<Record<string, unknown>>;

const second = 1_000;
const minuteMs = 60 * second;
const { appId, appSecret, permanentCode } = tenant;
const app = { appId, appSecret, permanentCode };
const data = "/cgi/crm/v2/data";
const customData = "/cgi/crm/custom/v2/data";
const account = { dataObjectApiName: "AccountObj" };

const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);
const listIn = (value: unknown): ReadonlyArray<Json> => (Array.isArray(value) ? value.filter(isJson) : []);
const dataIn = (body: Json): Json => (isJson(body.data) ? body.data : {});
const rowsIn = (body: Json): ReadonlyArray<Json> => listIn(dataIn(body).dataList);
const idsIn = (body: Json): ReadonlyArray<unknown> => rowsIn(body).map(({ _id }) => _id);

async function tenantWith(options: Partial<FxiaokeSimulatorOptions> = {}, style: Style = "app_secret", start?: number) {
  const clock = stillClock(start);
  const simulator = createFxiaokeSimulator({ clock, ...options });
  const { url, close } = await serveSimulator(simulator);
  onTestFinished(close);
  const post = async (path: string, json: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Json> => {
    const response = await fetch(`${url}${path}?thirdTraceId=${crypto.randomUUID()}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(json),
    });
    expect(response.status).toBe(200);
    const body: unknown = await response.json();
    if (!isJson(body)) throw new Error("the answer is no object");
    return body;
  };
  const newToken = () => post("/oauth2.0/token", { ...app, grantType: "app_secret" });
  const oldToken = () => post("/cgi/corpAccessToken/get/V2", app);
  const signedIn = style === "legacy" ? await oldToken() : await newToken();
  const headers: Record<string, string> =
    style === "legacy"
      ? {}
      : { authorization: `Bearer ${signedIn.accessToken}`, "x-fs-ea": String(signedIn.ea), "x-fs-userid": "1000" };
  const inBody: Json =
    style === "legacy"
      ? {
          corpAccessToken: signedIn.corpAccessToken,
          corpId: signedIn.corpId,
          currentOpenUserId: openIdOf("1000"),
        }
      : {};
  const call = (path: string, body: Json): Promise<Json> => post(path, { ...inBody, ...body }, headers);
  const query = (info: Json, more: Json = {}, path = `${data}/query`, object = "AccountObj"): Promise<Json> =>
    call(path, {
      includeNull: false,
      data: {
        dataObjectApiName: object,
        find_explicit_total_num: false,
        search_query_info: { limit: 100, offset: 0, filters: [], orders: [], ...info },
        ...more,
      },
    });
  const get = (id: string, more: Json = {}): Promise<Json> =>
    call(`${data}/get`, { includeNull: false, ...more, data: { ...account, objectDataId: id } });
  const create = (fields: Json, more: Json = {}): Promise<Json> =>
    call(`${data}/create`, {
      ...more,
      data: { object_data: { ...account, owner: ["1000"], ...fields }, details: {}, optionInfo: {} },
    });
  const update = (id: string, fields: Json, more: Json = {}): Promise<Json> =>
    call(`${data}/update`, { ...more, data: { object_data: { ...account, _id: id, ...fields } } });
  const invalid = (id: string): Promise<Json> => call(`${data}/invalid`, { data: { ...account, object_data_id: id } });
  return {
    clock,
    simulator,
    url,
    post,
    call,
    signedIn,
    headers,
    newToken,
    oldToken,
    query,
    get,
    create,
    update,
    invalid,
  };
}

const filter = (field_name: string, operator: string, ...field_values: ReadonlyArray<unknown>): Json => ({
  field_name,
  operator,
  field_values,
});
const byId = [{ fieldName: "_id", isAsc: true }];

describe("the gateway", () => {
  it("answers 200 with a code of its own to a path that does not exist, and HTML outside of /cgi", async () => {
    const { post, url } = await tenantWith();
    expect(await post("/cgi/nope", {})).toEqual({
      errorCode: 10006,
      errorMessage: "the request uri=[/cgi/nope],apiName=[null] is not exists",
    });
    const outside = await fetch(`${url}/nope`, { method: "POST" });
    expect([outside.status, outside.headers.get("content-type")]).toEqual([404, "text/html"]);
  });

  it("wants a trace id only where the tenant's gateway does", async () => {
    const { url, simulator, headers } = await tenantWith();
    const bare = async (query: string): Promise<unknown> => {
      const response = await fetch(`${url}/cgi/crm/v2/object/list${query}`, { method: "POST", headers, body: "{}" });
      const body: unknown = await response.json();
      return isJson(body) ? body.errorCode : undefined;
    };
    expect(await bare("")).toBe(0);
    simulator.switches.traceRequired = true;
    expect(await bare("")).toBe(10006);
    expect(await bare("?thirdTraceId=1")).toBe(10006);
    expect(await bare(`?thirdTraceId=${crypto.randomUUID()}`)).toBe(0);
  });

  it("lets nobody in from an address that is not listed", async () => {
    const { simulator, call } = await tenantWith();
    simulator.switches.sourceIp = "unlisted";
    expect(await call("/cgi/crm/v2/object/list", {})).toMatchObject({
      errorMessage: "the source ip[203.0.113.7] is not in the ip white list",
    });
  });
});

describe("tokens", () => {
  it("come in two generations, each with the tenant's name in its own place", async () => {
    const { newToken, oldToken } = await tenantWith();
    expect(await newToken()).toEqual({
      openUserId: tenant.corpId,
      accessToken: expect.stringMatching(/^[0-9A-F]{32}$/),
      expiresIn: 7200,
      appId,
      ea: tenant.ea,
      errorCode: 0,
      errorMessage: "success",
      traceId: expect.stringMatching(/^E-O\.acme01/),
    });
    expect(await oldToken()).toEqual({
      corpAccessToken: expect.stringMatching(/^[0-9A-F]{32}$/),
      corpId: tenant.corpId,
      expiresIn: 7200,
      errorCode: 0,
      errorMessage: "success",
      traceId: expect.stringMatching(/^open-api-gateway-web\//),
    });
  });

  it("are refused for a wrong secret in the words of each endpoint", async () => {
    const { post } = await tenantWith();
    const words = {
      errorCode: 10006,
      errorMessage: "the parameter appSecret is missing or illegal",
      errorDescription: "缺少参数或参数不合法",
    };
    const wrong = { ...app, appSecret: "no" };
    expect(await post("/oauth2.0/token", { ...wrong, grantType: "app_secret" })).toEqual({
      ...words,
      error: "非法请求",
      error_description: "缺少参数或参数不合法",
    });
    expect(await post("/cgi/corpAccessToken/get/V2", wrong)).toEqual({ ...words, traceId: expect.any(String) });
    expect(await post("/oauth2.0/token", app)).toMatchObject({ errorCode: 10006 });
  });

  it("stay the same for 6600 s, overlap for the rest, and die at 7200 s", async () => {
    const { clock, newToken, signedIn, call } = await tenantWith();
    clock.advance(6_599 * second);
    const same = await newToken();
    expect([same.accessToken, same.expiresIn]).toEqual([signedIn.accessToken, 601]);
    clock.advance(second);
    const next = await newToken();
    expect(next.accessToken).not.toBe(signedIn.accessToken);
    expect(next.expiresIn).toBe(7200);
    clock.advance(599 * second);
    expect(await call("/cgi/crm/v2/object/list", {})).toMatchObject({ errorCode: 0 });
    clock.advance(second);
    expect(await call("/cgi/crm/v2/object/list", {})).toMatchObject({ errorCode: 20016 });
  });

  it("are given ten times a minute and never to two callers at once", async () => {
    const { newToken, clock, simulator, url } = await tenantWith();
    for (let count = 0; count < 9; count += 1) expect((await newToken()).errorCode).toBe(0);
    expect((await newToken()).errorCode).toBe(30004);
    clock.advance(minuteMs);
    // Without a wire between them, so that they surely overlap.
    const body = JSON.stringify({ ...app, grantType: "app_secret" });
    const atOnce = async (): Promise<unknown> =>
      (await simulator.fetch(new Request(`${url}/oauth2.0/token`, { method: "POST", body }))).json();
    expect(await Promise.all([atOnce(), atOnce()])).toMatchObject([{ errorCode: 0 }, { errorCode: 30004 }]);
  });

  it("of one generation are not mixed with the other", async () => {
    const { post, headers, oldToken } = await tenantWith();
    const old = await oldToken();
    const list = "/cgi/crm/v2/object/list";
    expect(await post(list, {})).toMatchObject({
      errorCode: 20017,
      errorMessage: "corpAccessToken为必填项，不能为空",
      traceId: expect.stringMatching(/^E-O\.null\.-1000-/),
    });
    const bogus = { errorCode: 20016, errorMessage: "the cropId,cropAccessToken or authorization is error" };
    expect(await post(list, {}, { ...headers, authorization: "Bearer no" })).toMatchObject(bogus);
    expect(await post(list, {}, { ...headers, authorization: `Bearer ${old.corpAccessToken}` })).toMatchObject(bogus);
    expect(await post(list, { corpId: old.corpId }, headers)).toMatchObject(bogus);
    expect(await post(list, {}, { ...headers, "x-fs-ea": "another" })).toMatchObject(bogus);
    const inBody = { corpAccessToken: old.corpAccessToken, corpId: old.corpId };
    expect(await post(list, inBody)).toMatchObject({ errorMessage: "currentOpenUserId 不能为空" });
    expect(await post(list, { ...inBody, currentOpenUserId: openIdOf("1000") })).toMatchObject({ errorCode: 0 });
    expect(await post(list, { ...inBody, currentOpenUserId: "1000" })).toMatchObject({ errorCode: 20012 });
    expect(await post(list, {}, { ...headers, "x-fs-userid": "1003" })).toMatchObject({ errorCode: 20012 });
  });

  it("that were revoked are refused", async () => {
    const { simulator, call } = await tenantWith();
    simulator.revokeTokens();
    expect(await call("/cgi/crm/v2/object/list", {})).toMatchObject({ errorCode: 20016 });
  });
});

describe("data/query", () => {
  it("pages by rows, and walks by _id as the manual's recipe says, over ids of both lengths", async () => {
    const { simulator, query, clock } = await tenantWith({ switches: { longIdShare: 0.5 } });
    const ids: Array<string> = [];
    for (let index = 0; index < 250; index += 1) {
      ids.push(simulator.screen.create("account", { name: `公司 ${index}` }));
      clock.advance(second);
    }
    expect(new Set(ids.map(({ length }) => length))).toEqual(new Set([24, 32]));
    const first = await query({ orders: byId, limit: 100, offset: 100, fieldProjection: ["name"] });
    expect(dataIn(first)).toMatchObject({ offset: 100, limit: 100, total: 0 });
    expect(Object.keys(rowsIn(first)[0] ?? {}).sort()).toEqual(["_id", "name"]);
    const walked: Array<unknown> = [];
    for (let page = 0; page < 5; page += 1) {
      const after = walked.length === 0 ? [] : [filter("_id", "GT", walked.at(-1))];
      const rows = idsIn(await query({ orders: byId, filters: after, fieldProjection: ["_id"] }));
      walked.push(...rows);
      if (rows.length < 100) break;
    }
    expect(walked).toEqual([...ids].sort());
    expect(idsIn(first)).toEqual(walked.slice(100, 200));
  });

  it("counts only where it is asked to", async () => {
    const { simulator, query } = await tenantWith();
    seedFxiaoke(simulator, { accounts: 3, contacts: false });
    expect(dataIn(await query({ limit: 1 }, { find_explicit_total_num: true }))).toMatchObject({ total: 3, limit: 1 });
    expect(dataIn(await query({ limit: 1 }))).toMatchObject({ total: 0 });
  });

  it("holds to its bounds for limit and offset", async () => {
    const { simulator, query } = await tenantWith();
    seedFxiaoke(simulator, { accounts: 120, contacts: false });
    expect(await query({ limit: 100, offset: 10_100 })).toMatchObject({
      errorCode: 10013,
      errorMessage: "offset out of range 10000",
      errorDescription: "offset 不能超过10000",
    });
    expect(rowsIn(await query({ limit: 200 }))).toHaveLength(100);
    expect(await query({ limit: 100, offset: 50 })).toMatchObject({ errorCode: 500 });
    simulator.switches.limitAbove = "reject";
    simulator.switches.oddOffset = "round";
    simulator.switches.failureCode = 32000;
    expect(await query({ limit: 200 })).toMatchObject({ errorCode: 32000 });
    expect(dataIn(await query({ limit: 100, offset: 150 }))).toMatchObject({ offset: 100 });
    expect(await query({ limit: "100" })).toMatchObject({ errorCode: 10006 });
  });

  it("knows the operators of the manual, and no others", async () => {
    const { simulator, query } = await tenantWith();
    const { screen } = simulator;
    const [small = "", large = "", none = ""] = [
      screen.create("account", { name: "Acme One", field_Emp01__c: "9", fax: "1", owner: ["1001"] }),
      screen.create("account", { name: "Acme Two", field_Emp01__c: "100", owner: ["1002"] }),
      screen.create("account", { name: "Other", owner: ["1002"] }),
    ];
    const cases: ReadonlyArray<readonly [Json, ReadonlyArray<string>]> = [
      [filter("name", "EQ", "Acme One"), [small]],
      [filter("fax", "N", "1"), [large, none]],
      [filter("field_Emp01__c", "GT", "9"), [large]],
      [filter("field_Emp01__c", "GTE", 9), [small, large]],
      [filter("field_Emp01__c", "LT", "100"), [small]],
      [filter("field_Emp01__c", "LTE", "100"), [small, large]],
      [filter("field_Emp01__c", "BETWEEN", "9", "100"), [small, large]],
      [filter("field_Emp01__c", "NBETWEEN", "10", "200"), [small]],
      [filter("name", "LIKE", "Acme"), [small, large]],
      [filter("name", "NLIKE", "Acme"), [none]],
      [filter("name", "STARTWITH", "Ac"), [small, large]],
      [filter("name", "ENDWITH", "Two"), [large]],
      [filter("fax", "IS"), [large, none]],
      [filter("fax", "ISN"), [small]],
      [filter("name", "IN", "Acme One", "Other"), [small, none]],
      [filter("name", "NIN", "Acme One", "Other"), [large]],
      [filter("owner", "IN", "1001"), [small]],
    ];
    for (const [one, wanted] of cases) {
      const found = idsIn(await query({ filters: [one] }));
      expect({ one, found: [...found].sort() }).toEqual({ one, found: [...wanted].sort() });
    }
    const both = [filter("name", "LIKE", "Acme"), filter("name", "NLIKE", "Two")];
    expect(idsIn(await query({ filters: both }))).toEqual([small]);
    for (const one of [
      filter("name", "NE", "x"),
      filter("name", "NOT_IN", "x"),
      filter("owner", "EQ", "1001"),
      filter("no_such", "EQ", "x"),
    ]) {
      expect({ one, code: (await query({ filters: [one] })).errorCode }).toEqual({ one, code: 500 });
    }
    expect(await query({ filters: [{ field_name: "name", operator: "EQ" }] })).toMatchObject({ errorCode: 10006 });
  });

  it("orders by several keys, forwards and backwards, numbers as numbers", async () => {
    const { simulator, query } = await tenantWith();
    for (const [name, field_Emp01__c] of [
      ["a", "9"],
      ["b", "100"],
      ["c", "9"],
    ]) {
      simulator.screen.create("account", { name, field_Emp01__c });
    }
    const orders = [
      { fieldName: "field_Emp01__c", isAsc: true },
      { fieldName: "name", isAsc: "false" },
    ];
    expect(rowsIn(await query({ orders })).map(({ name }) => name)).toEqual(["c", "a", "b"]);
  });

  it("leaves empty fields out unless it is asked for them, and hidden fields always", async () => {
    const { simulator, call, get } = await tenantWith({ switches: { hiddenFields: ["tel"] } });
    const id = simulator.screen.create("account", { name: "A", tel: "1", fax: "" });
    const ask = (includeNull: boolean) =>
      call(`${data}/query`, {
        includeNull,
        data: {
          ...account,
          search_query_info: { limit: 10, offset: 0, filters: [], orders: [], fieldProjection: ["name", "fax", "tel"] },
        },
      });
    expect(rowsIn(await ask(false))).toEqual([{ _id: id, name: "A" }]);
    expect(rowsIn(await ask(true))).toEqual([{ _id: id, name: "A", fax: null }]);
    expect(dataIn(await get(id))).not.toHaveProperty("fax");
    expect(dataIn(await get(id, { includeNull: true }))).toMatchObject({ fax: null });
  });

  it.each([
    ["hidden", [], [], []],
    ["filtered", [], ["gone"], ["gone"]],
    ["shown", ["gone"], ["gone"], ["gone"]],
  ] as const)(
    "with invalidated rows %s gives them as that switch says",
    async (invalidRows, plain, byState, byFlag) => {
      const { simulator, query, invalid, get } = await tenantWith({ switches: { invalidRows } });
      const kept = simulator.screen.create("account", { name: "kept" });
      const gone = simulator.screen.create("account", { name: "gone" });
      expect((await invalid(gone)).errorCode).toBe(0);
      const names = async (...filters: ReadonlyArray<Json>): Promise<ReadonlyArray<unknown>> =>
        rowsIn(await query({ filters })).map(({ name }) => name);
      expect((await names()).filter((name) => name !== "kept")).toEqual(plain);
      expect(await names(filter("life_status", "EQ", "invalid"))).toEqual(byState);
      expect(await names(filter("is_deleted", "EQ", "true"))).toEqual(byFlag);
      expect(await names(filter("is_deleted", "EQ", "false"))).toEqual(["kept"]);
      expect(dataIn(await get(gone))).toMatchObject({
        life_status: "invalid",
        life_status_before_invalid: "normal",
        is_deleted: true,
      });
      expect(dataIn(await get(kept))).toMatchObject({ life_status: "normal", is_deleted: false });
    },
  );

  it("may show an older state for a while, which get never does", async () => {
    const { simulator, query, get, update, clock } = await tenantWith({ switches: { indexLagMs: 3 * second } });
    const id = simulator.screen.create("account", { name: "before" });
    expect(idsIn(await query({}))).toEqual([]);
    clock.advance(4 * second);
    await update(id, { name: "after" });
    expect(rowsIn(await query({})).map(({ name }) => name)).toEqual(["before"]);
    expect(dataIn(await get(id)).name).toBe("after");
    clock.advance(4 * second);
    expect(rowsIn(await query({})).map(({ name }) => name)).toEqual(["after"]);
  });

  it("wants the object's name, of the family of its path", async () => {
    const { call, query, simulator } = await tenantWith();
    const search_query_info = { limit: 1, offset: 0, filters: [], orders: [] };
    expect(await call(`${data}/query`, { data: { search_query_info } })).toMatchObject({
      errorCode: 10006,
      errorMessage: "the parameter apiName is missing or illegal",
    });
    expect(await call(`${data}/query`, { data: { apiName: "AccountObj", search_query_info } })).toMatchObject({
      errorCode: 0,
    });
    expect(await query({}, {}, `${data}/query`, customObject)).toMatchObject({ errorCode: 500 });
    expect(await query({}, {}, `${customData}/query`, customObject)).toMatchObject({ errorCode: 0 });
    simulator.switches.crossedPaths = "tolerate";
    expect(await query({}, {}, `${data}/query`, customObject)).toMatchObject({ errorCode: 0 });
  });

  it("has a lighter sister that names its projection in another place", async () => {
    const { simulator, call } = await tenantWith();
    const id = simulator.screen.create("account", { name: "A", tel: "1" });
    const found = await call(`${customData}/findSimple`, {
      data: { ...account, field_projection: ["name"], search_query_info: { limit: 10, offset: 0, filters: [] } },
    });
    expect(rowsIn(found)).toEqual([{ _id: id, name: "A" }]);
  });

  it("shows nothing that the acting user may not see, and get refuses it", async () => {
    const { simulator, query, get } = await tenantWith();
    const id = simulator.screen.create("account", { name: "A" });
    simulator.conceal("account", id, true);
    expect(idsIn(await query({}))).toEqual([]);
    expect(await get(id)).toMatchObject({ errorCode: 500, errorMessage: "无此操作的数据权限" });
    simulator.switches.forbiddenObjects = ["AccountObj"];
    expect(await query({})).toMatchObject({ errorMessage: "没有客户权限" });
  });
});

describe("writing", () => {
  it("creates a record that the platform completes, and names its id at the top", async () => {
    const { create, get, clock } = await tenantWith();
    const made = await create({ name: "示例科技有限公司", tel: "021-0", version: "9", create_time: 1, __r: "x" });
    expect(made).toMatchObject({ errorCode: 0, errorMessage: "OK", dataId: expect.stringMatching(/^[0-9a-f]{24}$/) });
    expect(dataIn(await get(String(made.dataId)))).toMatchObject({
      name: "示例科技有限公司",
      tel: "021-0",
      version: "1",
      life_status: "normal",
      lock_status: "0",
      is_deleted: false,
      create_time: clock.now(),
      last_modified_time: clock.now(),
      created_by: ["1000"],
      last_modified_by: ["1000"],
      owner: ["1000"],
      record_type: "default__c",
    });
  });

  it("refuses what is missing, of another type, unknown or not there", async () => {
    const { create, call, simulator } = await tenantWith();
    const refusals: ReadonlyArray<readonly [Json, RegExp]> = [
      [{ name: "" }, /字段\[客户名称\]为必填项/],
      [{ name: "A", owner: [] }, /字段\[负责人\]为必填项/],
      [{ name: "A", owner: "1000" }, /owner/],
      [{ name: "A", owner: ["9999"] }, /员工不存在/],
      [{ name: "A", tel: 1 }, /tel/],
      [{ name: "A", industry_level1: "制造业" }, /字段\[1级行业\]的选项值\[制造业\]不存在/],
      [{ name: "A", field_Tag01__c: ["重点"] }, /选项值/],
      [{ name: "A", field_Tag01__c: "1" }, /field_Tag01__c/],
      [{ name: "A", field_Emp01__c: "many" }, /field_Emp01__c/],
      [{ name: "A", field_Day01__c: "2026-01-01" }, /field_Day01__c/],
      [{ name: "A", biz_reg_name: "true" }, /biz_reg_name/],
      [{ name: "A", parent_account_id: "示例" }, /数据\[A\]的字段\[上级客户\]关联关系不存在-201112011/],
      [{ name: "A", no_such__c: "x" }, /不存在/],
      [{ name: "A", field_Old01__c: "x" }, /不存在或已禁用/],
      [{ name: "x".repeat(257) }, /长度/],
    ];
    for (const [fields, words] of refusals) {
      const answer = await create(fields);
      expect({ fields, code: answer.errorCode !== 0, said: answer.errorMessage }).toEqual({
        fields,
        code: true,
        said: expect.stringMatching(words),
      });
    }
    expect(await call(`${data}/create`, { data: { ...account, name: "A", owner: ["1000"] } })).toMatchObject({
      errorMessage: "java.lang.NullPointerException",
    });
    expect(
      await call(`${data}/create`, { data: { ...account, object_data: { name: "A", owner: ["1000"] } } }),
    ).toMatchObject({ errorCode: 10006 });
    expect(simulator.screen.list("account")).toEqual([]);
  });

  it("takes two records of one name unless a rule forbids it, but never two of one unique value", async () => {
    const { create, simulator } = await tenantWith();
    expect(await create({ name: "A", [hubKeyField]: "hub-1" })).toMatchObject({ errorCode: 0 });
    expect(await create({ name: "A" })).toMatchObject({ errorCode: 0 });
    expect(await create({ name: "B", [hubKeyField]: "hub-1" })).toMatchObject({ errorMessage: "字段[Hub ID]的值重复" });
    simulator.switches.duplicateName = "reject";
    expect(await create({ name: "A" })).toMatchObject({ errorMessage: expect.stringContaining("查重") });
    expect(simulator.screen.list("account")).toHaveLength(2);
  });

  it("updates what is named and nothing else, ignores the owner, and counts", async () => {
    const { create, update, get, clock } = await tenantWith();
    const id = String((await create({ name: "A", tel: "1", fax: "2" })).dataId);
    clock.advance(minuteMs);
    expect(await update(id, { tel: "", owner: ["1002"], owner__r: { id: "1" } })).toMatchObject({
      errorCode: 0,
      dataId: id,
    });
    const row = dataIn(await get(id));
    expect(row).toMatchObject({ name: "A", fax: "2", owner: ["1000"], version: "2", last_modified_time: clock.now() });
    expect(row).not.toHaveProperty("tel");
    expect(await update(id, { name: null })).toMatchObject({ errorMessage: "字段[客户名称]为必填项" });
    expect(await update("0123456789abcdef01234567", { tel: "1" })).toMatchObject({ errorMessage: "数据不存在" });
  });

  it("invalidates what is normal, deletes only what is invalidated, and recovers it until then", async () => {
    const { create, invalid, call, get, simulator } = await tenantWith();
    const id = String((await create({ name: "A" })).dataId);
    const many = (action: string) => call(`${data}/${action}`, { data: { ...account, idList: [id] } });
    expect((await many("delete")).errorCode).not.toBe(0);
    expect((await many("recover")).errorCode).not.toBe(0);
    expect((await invalid(id)).errorCode).toBe(0);
    expect((await invalid(id)).errorCode).not.toBe(0);
    expect((await many("recover")).errorCode).toBe(0);
    expect(dataIn(await get(id))).toMatchObject({ life_status: "normal", is_deleted: false, version: "3" });
    await invalid(id);
    expect((await many("delete")).errorCode).toBe(0);
    expect(await get(id)).toMatchObject({ errorMessage: "数据不存在或已被删除" });
    simulator.switches.purgedGet = "empty";
    expect(await get(id)).toMatchObject({ errorCode: 0, data: {} });
    expect((await many("recover")).errorCode).not.toBe(0);
  });

  it("invalidates several custom records in one call, or none of them", async () => {
    const { call } = await tenantWith();
    const made = await Promise.all(
      ["a", "b"].map((name) =>
        call(`${customData}/create`, {
          data: { object_data: { dataObjectApiName: customObject, name, owner: ["1000"] } },
        }),
      ),
    );
    const ids = made.map(({ dataId }) => dataId);
    const all = (idList: ReadonlyArray<unknown>) =>
      call("/cgi/crm/custom/data/invalid", { data: { dataObjectApiName: customObject, idList } });
    const states = async () => {
      const read = (id: unknown) =>
        call(`${customData}/get`, { data: { dataObjectApiName: customObject, objectDataId: id } });
      return (await Promise.all(ids.map(read))).map((body) => dataIn(body).life_status);
    };
    expect((await all([...ids, "no"])).errorCode).not.toBe(0);
    expect(await states()).toEqual(["normal", "normal"]);
    expect((await all(ids)).errorCode).toBe(0);
    expect(await states()).toEqual(["invalid", "invalid"]);
  });

  it("changes owners in a call of its own, with a capital letter in its body", async () => {
    const { create, call, get, clock, simulator } = await tenantWith();
    const id = String((await create({ name: "A" })).dataId);
    const change = (body: Json) => call(`${data}/changeOwner`, { data: { ...account, ...body } });
    clock.advance(minuteMs);
    expect((await change({ data: [{ objectDataId: id, ownerId: ["1002"] }] })).errorCode).toBe(10006);
    expect((await change({ Data: [{ objectDataId: id, ownerId: ["1002"] }] })).errorCode).toBe(0);
    expect(dataIn(await get(id))).toMatchObject({
      owner: ["1002"],
      owner_modified_time: clock.now(),
      last_modified_time: clock.now(),
      version: "2",
    });
    simulator.switches.ownerMovesTime = false;
    clock.advance(minuteMs);
    await change({ Data: [{ objectDataId: id, ownerId: ["1001"] }] });
    expect(dataIn(await get(id))).toMatchObject({
      owner: ["1001"],
      owner_modified_time: clock.now(),
      last_modified_time: clock.now() - minuteMs,
      version: "2",
    });
  });

  it("refuses locked records, and pooled ones until they are claimed", async () => {
    const { simulator, update, invalid, call } = await tenantWith();
    const locked = simulator.screen.create("account", { name: "A" });
    simulator.screen.edit("account", locked, { lock_status: "1" });
    const pooled = simulator.screen.create("account", { name: "B", high_seas_id: "pool" });
    for (const [id, words] of [
      [locked, /锁定/],
      [pooled, /无此操作的数据权限/],
    ] as const) {
      const answers = [
        await update(id, { tel: "1" }),
        await invalid(id),
        await call(`${data}/changeOwner`, { data: { ...account, Data: [{ objectDataId: id, ownerId: ["1002"] }] } }),
      ];
      for (const { errorMessage } of answers) expect(errorMessage).toMatch(words);
    }
  });

  it("starts approvals and workflows unless it is told not to", async () => {
    const { create, update, get, simulator } = await tenantWith({ switches: { approval: "on", workflow: "on" } });
    const id = String((await create({ name: "A" })).dataId);
    expect(dataIn(await get(id))).toMatchObject({ life_status: "under_review", last_modified_by: ["-10000"] });
    expect((await update(id, { name: "B" })).errorCode).not.toBe(0);
    simulator.approve("account", id);
    await update(id, { name: "B" });
    expect(dataIn(await get(id))).toMatchObject({ name: "A", life_status: "in_change" });
    simulator.approve("account", id);
    expect(dataIn(await get(id))).toMatchObject({ name: "B", life_status: "normal" });
    const quiet = { triggerApprovalFlow: false, triggerWorkFlow: false };
    await update(id, { name: "C" }, quiet);
    expect(dataIn(await get(id))).toMatchObject({ name: "C", life_status: "normal", last_modified_by: ["1000"] });
  });

  it("may leave the id out of the answer for custom objects", async () => {
    const { call } = await tenantWith({ switches: { customDataId: "absent" } });
    const made = await call(`${customData}/create`, {
      data: { object_data: { dataObjectApiName: customObject, name: "A", owner: ["1000"] } },
    });
    expect(made.errorCode).toBe(0);
    expect(made).not.toHaveProperty("dataId");
  });
});

describe("employees", () => {
  it("are named in records by FSUID_… in the old style and by plain ids in the new one, unless told otherwise", async () => {
    const old = await tenantWith({}, "legacy");
    const made = await old.create({ name: "A", owner: [openIdOf("1002")] });
    const id = String(made.dataId);
    expect(dataIn(await old.get(id)).owner).toEqual([openIdOf("1002")]);
    expect(dataIn(await old.get(id, { convertUserId: false })).owner).toEqual(["1002"]);
    expect(idsIn(await old.query({ filters: [filter("owner", "IN", openIdOf("1002"))] }))).toEqual([id]);
    expect((await old.create({ name: "B", owner: ["1002"] })).errorCode).toBe(30027);
    const fresh = await tenantWith();
    const other = String((await fresh.create({ name: "A" })).dataId);
    expect(dataIn(await fresh.get(other)).owner).toEqual(["1000"]);
    expect(dataIn(await fresh.get(other, { convertUserId: true })).owner).toEqual([openIdOf("1000")]);
  });

  it("are found by mobile number, by id and by department, at the top of the answer", async () => {
    const { call } = await tenantWith({}, "legacy");
    expect(listIn((await call("/cgi/user/getByMobile", { mobile: tenant.mobile })).empList)).toMatchObject([
      { openUserId: openIdOf("1000"), status: "NORMAL", isActive: true },
    ]);
    expect(await call("/cgi/user/getByMobile", { mobile: "1" })).toMatchObject({ errorCode: 0, empList: [] });
    expect(await call("/cgi/user/get", { openUserId: openIdOf("1001") })).toMatchObject({
      name: "张三",
      isStop: false,
    });
    expect(await call("/cgi/user/get", { openUserId: "FSUID_NO" })).toMatchObject({ errorCode: 30027 });
    const everyone = { departmentId: 999_999, fetchChild: true, showDepartmentIdsDetail: false };
    const list = listIn((await call("/cgi/user/list", everyone)).userList);
    expect(list.map(({ name, isStop }) => [name, isStop])).toContainEqual(["王五", true]);
    expect(await call("/cgi/user/list", { departmentId: 5 })).toMatchObject({ errorCode: 30007 });
  });
});

describe("descriptions", () => {
  it("list the objects, and describe one in each of the three forms that are in use", async () => {
    const { call } = await tenantWith();
    const { objects } = dataIn(await call("/cgi/crm/v2/object/list", { includeNull: false }));
    expect(listIn(objects).map(({ describeApiName, defineType }) => [describeApiName, defineType])).toEqual([
      ["AccountObj", "package"],
      ["ContactObj", "package"],
      [customObject, "custom"],
    ]);
    const forms: ReadonlyArray<Json> = [
      { includeDetail: false, data: { apiName: "AccountObj", includeDetail: false } },
      { includeNull: true, includeDetail: true, data: { apiName: "AccountObj" } },
      { apiName: "AccountObj", includeDetail: true },
    ];
    for (const form of forms) {
      const { describe: described } = dataIn(await call("/cgi/crm/v2/object/describe", form));
      const fields = isJson(described) && isJson(described.fields) ? described.fields : {};
      expect(fields.name).toMatchObject({ api_name: "name", label: "客户名称", type: "text", is_required: true });
      expect(fields.industry_level1).toMatchObject({
        type: "select_one",
        options: expect.arrayContaining([{ label: "制造业", value: "1" }]),
      });
      expect(fields.field_Old01__c).toMatchObject({ is_active: false });
    }
    expect(await call("/cgi/crm/v2/object/describe", { data: { apiName: "NopeObj" } })).toMatchObject({
      errorCode: 10006,
    });
  });
});

describe("limits", () => {
  it.each([
    [100, 30004],
    [60, 14001],
  ] as const)("are %i calls in 20 s for each interface, and code %i above", async (throttleCalls, throttleCode) => {
    const { query, clock, call } = await tenantWith({ switches: { throttleCalls, throttleCode } });
    for (let count = 0; count < throttleCalls; count += 1) expect((await query({ limit: 1 })).errorCode).toBe(0);
    expect((await query({ limit: 1 })).errorCode).toBe(throttleCode);
    expect((await call("/cgi/crm/v2/object/list", {})).errorCode).toBe(0);
    clock.advance(20 * second);
    expect((await query({ limit: 1 })).errorCode).toBe(0);
  });

  it("are the purchased calls of a day, which ends at midnight in Shanghai", async () => {
    const evening = Date.UTC(2026, 5, 1, 15, 30);
    const { query, clock } = await tenantWith({ switches: { dailyCalls: 2 } }, "app_secret", evening);
    await query({ limit: 1 });
    await query({ limit: 1 });
    expect(await query({ limit: 1 })).toMatchObject({ errorCode: 30002 });
    clock.advance(30 * minuteMs - 1);
    expect((await query({ limit: 1 })).errorCode).toBe(30002);
    clock.advance(1);
    expect((await query({ limit: 1 })).errorCode).toBe(0);
  });

  it("let nothing through where no pack was bought", async () => {
    const { query } = await tenantWith({ switches: { quota: "none" } });
    expect(await query({ limit: 1 })).toMatchObject({ errorCode: 30003 });
  });
});

describe("events", () => {
  /** Published with the vendor's demo receiver. */
  const published = {
    timestamp: 1604644770244,
    nonce: "mi3wrpKNnq4YdIZC",
    messageId: "AC11291700002A9F00000608C038697A0",
    enterpriseAccount: "gxcxkj",
    encryptedContent:
      "tRPD30ygQKxFurdWxHQKpRypuXNbRcW/knsKZBCPJv9bsKnQJlUr26USpOgJqhVUm5Q2NiVG1IBrCr0dbrsreRZY6Z5/fbw75IlGQ2d7PkMWtVTAE0RG62j7HJQWAwm+XdmQC4y1AbjHzatjjrXiCKcId112DHZSqB0qznivDStywTjscnNWhaR7xbnSbmKQWsF5YlPUEudZ+P07Ol/cd6F8IXOo+nEu7UH21hRSgKI=",
  };

  it("are signed and encrypted as the vendor's published example", () => {
    expect(signatureOf({ ...published, retryTimes: 1 }, demoAesKey)).toBe("4d7c6742d8efed705054fe895ee487df738c8c50");
    expect(signatureOf(published, demoAesKey)).toBe("8efa909614b2b70946bb1e365860331e56568123");
    expect(encrypted("success", demoAesKey)).toBe("9iY+j+IteClCLdRu0eswVQ==");
  });

  const opened = (content: string): Json => {
    const key = Buffer.from(demoAesKey, "base64");
    const decipher = createDecipheriv("aes-256-cbc", key, key.subarray(0, 16));
    const text = Buffer.concat([decipher.update(content, "base64"), decipher.final()]).toString("utf8");
    const value: unknown = JSON.parse(text);
    return isJson(value) ? value : {};
  };

  it("name the record and the kind of change, and come again after nine minutes when they were refused", async () => {
    const { simulator, clock, invalid } = await tenantWith();
    const id = simulator.screen.create("account", { name: "A" });
    simulator.screen.edit("account", id, { name: "B" });
    await invalid(id);
    const sent = simulator.events.due();
    expect(sent.map(({ encryptedContent }) => opened(encryptedContent))).toMatchObject(
      ["create", "update", "invalid"].map((eventType) => ({ eventType, apiName: "AccountObj", dataId: id })),
    );
    const [first] = sent;
    simulator.events.refuse(first?.messageId ?? "");
    expect(simulator.events.due()).toEqual([]);
    clock.advance(9 * minuteMs);
    expect(simulator.events.due()).toMatchObject([{ messageId: first?.messageId, retryTimes: 1 }]);
  });

  it.each<[Partial<FxiaokeSwitches>, ReadonlyArray<string>]>([
    [{ eventEcho: false }, ["create"]],
    [{ invalidEvent: "delete" }, ["create", "delete"]],
    [{ eventRetry: "out-of-order" }, ["invalid", "create"]],
    [{ eventRetry: "duplicates" }, ["create", "create", "invalid", "invalid"]],
  ])("come in other ways where a tenant is set so: %j", async (switches, types) => {
    const { simulator, invalid } = await tenantWith({ switches });
    const id = simulator.screen.create("account", { name: "A" });
    await invalid(id);
    expect(simulator.events.due().map(({ encryptedContent }) => opened(encryptedContent).eventType)).toEqual(types);
  });
});
