/**
 * A Fxiaoke tenant on the wire: tokens of both generations, the data calls of preset and custom objects, the employee
 * directory and the object descriptions. What the manual leaves open is a switch.
 *
 * Source  Fxiaoke OpenAPI manual and its older editions; refusals as published, their missing codes by a switch.
 */
import { type Context, Hono } from "hono";
import {
  ConnectionCut,
  createFaults,
  createStrike,
  type FaultPlan,
  type Notices,
  type Screen,
  type Simulator,
  type SimulatorClock,
  seededRandom,
} from "../../core/simulator.ts";
import { createEvents, demoAesKey, type EventSender } from "./simulator/events.ts";
import { type Caller, createGate, rendered, type Style } from "./simulator/gate.ts";
import { search } from "./simulator/search.ts";
import { type Author, createStore, type Row } from "./simulator/store.ts";
import { defaultSwitches, type FxiaokeSwitches } from "./simulator/switches.ts";
import {
  customObject,
  employees,
  hubKeyField,
  objects,
  openIdOf,
  plainIdOf,
  type SimulatedField,
  tenant,
} from "./simulator/tenant.ts";
import { isJson, type Json, Refused } from "./simulator/wire.ts";
import {
  changeOwner,
  create,
  invalidate,
  invalidateMany,
  objectOf,
  purge,
  recover,
  update,
  type Writing,
} from "./simulator/writes.ts";

export interface FxiaokeSimulatorOptions {
  readonly clock: SimulatorClock;
  readonly seed?: number;
  readonly faults?: FaultPlan;
  readonly switches?: Partial<FxiaokeSwitches>;
  /** The auth style that `connection` names; the simulated gateway serves both. */
  readonly style?: Style;
  /** Objects that hold the entities; `connection` names those that are not preset. */
  readonly objects?: { readonly account?: string; readonly contact?: string };
}

/** What tests and the demo may do beside the wire and the screen. */
export interface FxiaokeSimulator extends Simulator {
  /** Live: a test turns one switch and goes on. */
  readonly switches: { -readonly [Name in keyof FxiaokeSwitches]: FxiaokeSwitches[Name] };
  readonly events: EventSender;
  readonly notices: Notices;
  readonly hookTo: (url: string) => { readonly webhook: true };
  /** Where events go from now on, as a person sets it at the vendor; null for nowhere. */
  readonly setAddress: (url: string | null) => void;
  /** Finishes the approval of a record. */
  readonly approve: (entity: "account" | "contact", id: string) => void;
  /** Takes a record out of the acting user's sight, or brings it back. */
  readonly conceal: (entity: "account" | "contact", id: string, concealed: boolean) => void;
  /** Deletes for good, from the recycle bin. */
  readonly purge: (entity: "account" | "contact", id: string) => void;
  readonly revokeTokens: () => void;
}

type Handler = (call: {
  readonly body: Json;
  readonly data: Json;
  readonly caller: Caller;
  readonly at: number;
}) => Json;

/** The person at the vendor's own screen. */
const screenUser = "1001";

const html = (status: number): Response =>
  new Response("<html><body>intermediary</body></html>", { status, headers: { "content-type": "text/html" } });

export function createFxiaokeSimulator(options: FxiaokeSimulatorOptions): FxiaokeSimulator {
  const { clock } = options;
  const random = seededRandom(options.seed ?? 1);
  const switches: FxiaokeSimulator["switches"] = { ...defaultSwitches, ...options.switches };
  const faults = createFaults(options.faults ?? { rules: [] });
  const gate = createGate(clock.now, random, switches);
  const events = createEvents(clock.now, random, switches);
  const store = createStore(clock, random, switches, events.note);
  const calls: Record<string, number> = {};
  const objectNames = {
    account: options.objects?.account ?? "AccountObj",
    contact: options.objects?.contact ?? "ContactObj",
  };
  let writes = 0;
  let frozenAt: number | undefined;

  const stamp = (): number => Math.floor(clock.now() / switches.tieMs) * switches.tieMs;
  const authorOf = (userId: string, at: number, byApi: boolean): Author => ({ userId, at, byApi });

  const traceId = (userId: string): string => {
    const time = new Date(clock.now()).toISOString().replace(/\D/g, "").slice(0, 14);
    const tail = Math.floor(random() * 0xffffff)
      .toString(16)
      .padStart(6, "0");
    return userId === "" ? `E-O.null.-1000-${tail}` : `E-O.${tenant.ea}.${userId}-${time}-${tail}`;
  };

  const answer = (body: Json): Response =>
    Response.json(body, {
      headers: switches.dateHeader ? { date: new Date(clock.now()).toUTCString() } : {},
    });

  const refusal = (refused: Refused, userId: string): Response =>
    answer({
      // The newer token endpoint names an `error` instead of a trace.
      ...("error" in refused.beside ? {} : { traceId: traceId(userId) }),
      errorCode: refused.code === 0 ? switches.failureCode : refused.code,
      errorMessage: refused.message,
      ...(refused.description === undefined ? {} : { errorDescription: refused.description }),
      ...refused.beside,
    });

  const success = (body: Json, userId: string): Response =>
    answer({ traceId: traceId(userId), errorDescription: "success", errorMessage: "OK", errorCode: 0, ...body });

  const checkCall = (context: Context): void => {
    const trace = context.req.query("thirdTraceId");
    const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;
    if (switches.traceRequired && (trace === undefined || !uuid.test(trace))) throw Refused.parameter("thirdTraceId");
    if (switches.sourceIp === "unlisted") {
      throw Refused.business("the source ip[203.0.113.7] is not in the ip white list");
    }
  };

  const bodyOf = async (context: Context): Promise<Json> => {
    const body: unknown = await context.req.json().catch(() => undefined);
    if (!isJson(body)) throw new Refused(12004, "POST body is empty or no JSON");
    return body;
  };

  /** Answers of business calls: identity, throttle, then the handler. */
  const business = (path: string, handler: Handler, { acting = true, writing = false } = {}) => {
    app.post(path, async (context) => {
      let userId = "";
      try {
        checkCall(context);
        const body = await bodyOf(context);
        const caller = gate.identify(context.req.raw.headers, body, acting);
        userId = caller.userId === "" ? "-10000" : caller.userId;
        gate.admit(path);
        const data = isJson(body.data) ? body.data : {};
        const result = handler({ body, data, caller, at: frozenAt ?? stamp() });
        if (writing) writes += 1;
        return success(result, userId);
      } catch (error) {
        if (error instanceof Refused) return refusal(error, userId);
        throw error;
      }
    });
  };

  const token = (path: string, style: Style) => {
    app.post(path, async (context) => {
      try {
        checkCall(context);
        const body = await bodyOf(context);
        const issued = gate.issue(style, body);
        const trace = style === "legacy" ? "open-api-gateway-web/1" : traceId(tenant.userId);
        return answer({ ...issued, errorCode: 0, errorMessage: "success", traceId: trace });
      } catch (error) {
        if (error instanceof Refused) return refusal(error, "");
        throw error;
      }
    });
  };

  const visibleFields = (object: string): ReadonlyMap<string, SimulatedField> =>
    objects.get(object)?.fields ?? new Map();

  /** A row as the caller sees it: hidden fields left out, employees in the caller's form, empties only if asked for. */
  const shown = (row: Row, object: string, caller: Caller, body: Json, projection?: ReadonlyArray<string>): Row => {
    const entries = Object.entries(row).filter(([name]) => !switches.hiddenFields.includes(name));
    const nulls =
      body.includeNull === true && switches.nullsShown
        ? (projection ?? [...visibleFields(object).keys()])
            .filter((name) => !(name in row) && !switches.hiddenFields.includes(name))
            .map((name) => [name, null] as const)
        : [];
    return rendered(Object.fromEntries([...nulls, ...entries]), caller.openIds);
  };

  const plainFilters = (info: Json, object: string, openIds: boolean): Json => {
    if (!openIds || !Array.isArray(info.filters)) return info;
    const filters = info.filters.filter(isJson).map((filter) => {
      const name = typeof filter.field_name === "string" ? filter.field_name : "";
      if (visibleFields(object).get(name)?.type !== "employee" || !Array.isArray(filter.field_values)) return filter;
      return { ...filter, field_values: filter.field_values.map((id) => plainIdOf(String(id)) ?? String(id)) };
    });
    return { ...info, filters };
  };

  const query =
    (custom: boolean | undefined): Handler =>
    ({ body, data, caller }) => {
      // Old clients name the object `apiName` on the preset path.
      const name = data.dataObjectApiName ?? (custom === false ? data.apiName : undefined);
      const object = objectOf(name, custom ?? String(name).endsWith("__c"), switches);
      if (!isJson(data.search_query_info)) throw Refused.parameter("search_query_info");
      const info = plainFilters(data.search_query_info, object, caller.openIds);
      const listed = custom === undefined ? data.field_projection : info.fieldProjection;
      const projection = Array.isArray(listed) ? listed.map(String) : undefined;
      const withTotal = data.find_explicit_total_num !== false;
      const fields = visibleFields(object);
      const found = search({ rows: store.indexed(object), fields, switches, info, projection, withTotal });
      return {
        data: { ...found, dataList: found.dataList.map((row) => shown(row, object, caller, body, projection)) },
      };
    };

  const get =
    (custom: boolean): Handler =>
    ({ body, data, caller }) => {
      const object = objectOf(data.dataObjectApiName, custom, switches);
      if (typeof data.objectDataId !== "string") throw Refused.parameter("objectDataId");
      const row = store.get(object, data.objectDataId);
      const concealed = store.isConcealed(object, data.objectDataId);
      if (concealed && switches.concealedGet === "refused") throw Refused.business("无此操作的数据权限");
      if (row === undefined || concealed) {
        if (switches.purgedGet === "empty") return { data: {} };
        throw Refused.business(switches.purgedGet === "error" ? "数据不存在或已被删除" : "系统异常，请联系管理员");
      }
      return { data: shown(row, object, caller, body) };
    };

  const write =
    (run: (writing: Writing) => Json, custom: boolean): Handler =>
    ({ body, data, caller, at }) =>
      run({ store, switches, author: authorOf(caller.userId, at, true), openIds: caller.openIds, body, data, custom });

  const app = new Hono();
  token("/oauth2.0/token", "app_secret");
  token("/cgi/corpAccessToken/get/V2", "legacy");
  for (const [base, custom] of [
    ["/cgi/crm/v2/data", false],
    ["/cgi/crm/custom/v2/data", true],
  ] as const) {
    business(`${base}/query`, query(custom));
    business(`${base}/get`, get(custom));
    business(`${base}/create`, write(create, custom), { writing: true });
    business(`${base}/update`, write(update, custom), { writing: true });
    business(`${base}/invalid`, write(invalidate, custom), { writing: true });
    business(`${base}/delete`, write(purge, custom), { writing: true });
    business(`${base}/recover`, write(recover, custom), { writing: true });
    business(`${base}/changeOwner`, write(changeOwner, custom), { writing: true });
  }
  business("/cgi/crm/custom/data/invalid", write(invalidateMany, true), { writing: true });
  business("/cgi/crm/custom/v2/data/findSimple", query(undefined));

  business("/cgi/crm/v2/object/list", () => ({
    data: {
      objects: [...objects].map(([describeApiName, { label }]) => ({
        describeApiName,
        describeDisplayName: label,
        defineType: describeApiName.endsWith("__c") ? "custom" : "package",
        isActive: true,
        iconPath: "",
        iconIndex: 0,
        hideButton: false,
        publicObject: false,
      })),
    },
  }));

  business("/cgi/crm/v2/object/describe", ({ body, data }) => {
    const object = data.apiName ?? body.apiName;
    const described = typeof object === "string" ? objects.get(object) : undefined;
    if (described === undefined) throw Refused.parameter("apiName");
    const fields = Object.fromEntries(
      [...described.fields].map(([name, field]) => {
        const is_required = field.is_required || switches.requiredFields.includes(name);
        return [name, { ...field, is_required, describe_api_name: object }];
      }),
    );
    return { data: { describe: { api_name: object, icon_index: 0, icon_path: "", fields } } };
  });

  const employeeId = (id: string, caller: Caller): string =>
    caller.openIds || switches.directoryIds === "open" ? openIdOf(id) : id;

  business(
    "/cgi/user/getByMobile",
    ({ body, data, caller }) => {
      const mobile = body.mobile ?? data.mobile;
      const empList = employees
        .filter((employee) => employee.mobile === mobile)
        .map(({ id, name, email, isStop }) => ({
          enterpriseId: tenant.tenantId,
          openUserId: employeeId(id, caller),
          account: `user${id}`,
          fullName: name,
          name,
          status: isStop ? "STOP" : "NORMAL",
          mobile,
          email,
          gender: "M",
          isActive: !isStop,
          mainDepartmentIds: [1000],
          departmentIds: [1000],
        }));
      return { empList };
    },
    { acting: false },
  );

  const userOf = (id: string, caller: Caller): Json | undefined => {
    const found = employees.find((employee) => employee.id === id);
    if (found === undefined) return undefined;
    const { name, email, mobile, isStop } = found;
    return {
      openUserId: employeeId(id, caller),
      account: `user${id}`,
      name,
      nickName: name,
      isStop,
      ...(email === "" ? {} : { email }),
      mobile,
      gender: "M",
      position: "",
      departmentIds: [1000],
      employeeNumber: id,
    };
  };

  business(
    "/cgi/user/get",
    ({ body, data, caller }) => {
      const asked = String(body.openUserId ?? data.openUserId ?? "");
      const user = userOf(plainIdOf(asked) ?? asked, caller);
      if (user === undefined) throw new Refused(30027, "员工不存在");
      return user;
    },
    { acting: false },
  );

  business(
    "/cgi/user/list",
    ({ body, data, caller }) => {
      const department = body.departmentId ?? data.departmentId;
      if (department !== 999_999 && department !== 1000) throw new Refused(30007, "部门不存在");
      const listed = switches.directory === "whole" ? employees : [];
      return { userList: listed.map(({ id }) => userOf(id, caller)) };
    },
    { acting: false },
  );

  app.notFound((context) => {
    if (!context.req.path.startsWith("/cgi/")) return html(404);
    return answer({
      errorCode: 10006,
      errorMessage: `the request uri=[${context.req.path}],apiName=[null] is not exists`,
    });
  });
  app.onError((error) => {
    throw error;
  });

  const isToken = (path: string): boolean => path === "/oauth2.0/token" || path === "/cgi/corpAccessToken/get/V2";

  /** Token calls may not overlap, so they hold their place while a fault delays them. */
  const holding = async (request: Request, work: () => Promise<Response> | Response): Promise<Response> => {
    if (!isToken(new URL(request.url).pathname)) return work();
    try {
      gate.enterToken();
    } catch (error) {
      if (error instanceof Refused) return refusal(error, "");
      throw error;
    }
    try {
      return await work();
    } finally {
      gate.leaveToken();
    }
  };

  const revokePresented = async (request: Request): Promise<void> => {
    const bearer = /^Bearer (.+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
    const body: unknown = await request
      .clone()
      .json()
      .catch(() => undefined);
    const value = bearer ?? (isJson(body) ? body.corpAccessToken : undefined);
    if (typeof value === "string") gate.revoke(value);
  };

  const strike = createStrike({
    clock,
    dispatch: (request) => app.fetch(request),
    holding,
    freeze: (isFrozen) => {
      frozenAt = isFrozen ? (frozenAt ?? stamp()) : undefined;
    },
    revoke: revokePresented,
    refusals: { "over-200": () => refusal(new Refused(switches.throttleCode, "秒频次超限"), "") },
    hangs: true,
  });

  /** On the screen a person picks an employee; either form of the id stands for one. */
  const withPlainOwner = (fields: Json): Json =>
    Array.isArray(fields.owner)
      ? { ...fields, owner: fields.owner.map((id) => plainIdOf(String(id)) ?? String(id)) }
      : fields;
  const screenAuthor = (): Author => authorOf(screenUser, stamp(), false);
  const screen: Screen = {
    create: (entity, fields) => {
      const owner = "owner" in fields || "high_seas_id" in fields ? {} : { owner: [tenant.userId] };
      return store.create(objectNames[entity], { ...owner, ...withPlainOwner(fields) }, screenAuthor());
    },
    edit: (entity, id, given) => {
      const object = objectNames[entity];
      const fields = withPlainOwner(given);
      const timed = "owner" in fields && visibleFields(object).has("owner_modified_time");
      const values = { ...fields, ...(timed ? { owner_modified_time: stamp() } : {}) };
      const ownerOnly = Object.keys(fields).every((name) => name === "owner");
      if (ownerOnly && !switches.ownerMovesTime) store.changeQuietly(object, id, values);
      else store.change(object, id, values, screenAuthor());
    },
    remove: (entity, id) => store.invalidate(objectNames[entity], id, screenAuthor()),
    restore: (entity, id) => store.recover(objectNames[entity], id, screenAuthor()),
    merge: (entity, masterId, childIds) => {
      for (const id of childIds) store.invalidate(objectNames[entity], id, screenAuthor());
      if (entity === "account") {
        for (const id of store.ids(objectNames.contact)) {
          const account = store.get(objectNames.contact, id)?.account_id;
          if (typeof account === "string" && childIds.includes(account)) {
            store.change(objectNames.contact, id, { account_id: masterId }, screenAuthor());
          }
        }
      }
      store.change(objectNames[entity], masterId, {}, screenAuthor());
    },
    read: (entity, id) => {
      const row = store.get(objectNames[entity], id);
      return row === undefined || row.is_deleted === true ? undefined : row;
    },
    list: (entity) =>
      store.ids(objectNames[entity]).filter((id) => {
        const row = store.get(objectNames[entity], id);
        return row !== undefined && row.is_deleted !== true;
      }),
  };

  return {
    fetch: async (request) => {
      const { pathname: path } = new URL(request.url);
      const key = `${request.method} ${path}`;
      calls[key] = (calls[key] ?? 0) + 1;
      const rule = faults.strike({ method: request.method, path });
      const response = await strike(rule, request);
      if (switches.loseReplies && path.endsWith("/create")) throw new ConnectionCut();
      return response;
    },
    screen,
    faults,
    switches,
    events,
    notices: events.notices,
    setAddress: events.setAddress,
    hookTo: (url) => {
      events.setAddress(url);
      return { webhook: true };
    },
    approve: (entity, id) => store.approve(objectNames[entity], id, stamp()),
    conceal: (entity, id, concealed) => store.conceal(objectNames[entity], id, concealed),
    purge: (entity, id) => store.purge(objectNames[entity], id, screenAuthor()),
    revokeTokens: gate.revokeAll,
    connection: (baseUrl) => {
      const style = options.style ?? "app_secret";
      const { appId, appSecret, permanentCode, userId, mobile } = tenant;
      return {
        baseUrl,
        auth: { style, appId, appSecret, permanentCode },
        aesKey: demoAesKey,
        ...(style === "legacy" ? { mobile } : { userId }),
        ...(options.objects === undefined ? {} : { objects: options.objects }),
      };
    },
    traffic: () => ({ calls: { ...calls }, writes }),
  };
}

/** Fills the simulated tenant as people would: accounts with one contact each. Returns the ids in order. */
export function seedFxiaoke(
  { screen }: Simulator,
  { accounts, contacts = true }: { readonly accounts: number; readonly contacts?: boolean },
): { readonly accounts: ReadonlyArray<string>; readonly contacts: ReadonlyArray<string> } {
  const made: { readonly accounts: Array<string>; readonly contacts: Array<string> } = { accounts: [], contacts: [] };
  for (let index = 1; index <= accounts; index += 1) {
    const number = String(index).padStart(5, "0");
    const account = screen.create("account", {
      name: `示例科技${number}有限公司`,
      uniform_social_credit_code: `91310000MA1K${String(index).padStart(6, "0")}`,
      tel: `021-6000${number.slice(1)}`,
      url: `https://www.example-${number}.com`,
      email: `info@example-${number}.com`,
      industry_level1: String((index % 4) + 1),
      address: `浦东新区示例路${index}号`,
      owner: [index % 2 === 0 ? "1001" : "1002"],
    });
    made.accounts.push(account);
    if (!contacts) continue;
    const person = screen.create("contact", {
      name: "张伟",
      account_id: account,
      mobile1: `138${String(index).padStart(8, "0")}`,
      email: `zhang.wei@example-${number}.com`,
      owner: ["1001"],
    });
    made.contacts.push(person);
  }
  return made;
}

export type { FxiaokeSwitches };
export { customObject, hubKeyField };
