/**
 * A Zoho CRM organisation on the wire: the accounts server, Accounts and Contacts with their metadata, COQL, search,
 * bulk read and notification channels. One origin serves them all, so that it can be mounted on a port; the vendor's
 * own hosts are told apart where a test mounts it under them.
 *
 * Source  Zoho CRM REST API v8 and Zoho Accounts OAuth 2.0, as documented; what they leave open is an option.
 */
import { type Context, Hono } from "hono";
import {
  ConnectionCut,
  createFaults,
  type FaultPlan,
  type FaultRule,
  type Screen,
  type Simulator,
  type SimulatorClock,
  seededRandom,
} from "../../core/simulator.ts";
import { apiUrlsOf, dataCentres, modules as moduleOf, type Region, regions } from "./config.ts";
import { createBulk } from "./simulator/bulk.ts";
import { costOfQuery, runQuery } from "./simulator/coql.ts";
import { createGate } from "./simulator/gate.ts";
import { createMetadata } from "./simulator/metadata.ts";
import { createOAuth, credentials } from "./simulator/oauth.ts";
import { createReads } from "./simulator/reads.ts";
import { createRenderer } from "./simulator/render.ts";
import { createStore, type Row } from "./simulator/store.ts";
import { type CustomField, createSchema, isModule, type Module, screenUser, users } from "./simulator/tenant.ts";
import { storedOf } from "./simulator/values.ts";
import { createWatch, type Notification } from "./simulator/watch.ts";
import { answer, isJson, type Json, Refused, refuse } from "./simulator/wire.ts";
import { createWrites } from "./simulator/writes.ts";

/** Scopes that the simulated calls ask for; a consent has all of them unless a test leaves some out. */
export type Scope =
  | "ZohoCRM.modules.ALL"
  | "ZohoCRM.settings.fields.READ"
  | "ZohoCRM.settings.modules.READ"
  | "ZohoCRM.users.READ"
  | "ZohoCRM.org.READ"
  | "ZohoCRM.coql.READ"
  | "ZohoCRM.notifications.ALL"
  | "ZohoSearch.securesearch.READ"
  | "ZohoCRM.bulk.READ";

export interface ZohoSimulatorOptions {
  readonly clock: SimulatorClock;
  readonly seed?: number;
  readonly faults?: FaultPlan;
  readonly region?: Region;
  readonly edition?: "free" | "standard" | "professional" | "enterprise" | "ultimate";
  /** The zone of the user who owns the token; all times are written in it. */
  readonly timeZone?: string;
  readonly multiCurrency?: boolean;
  /** Fields that the customer added; a unique Hub_Id in both modules unless said. */
  readonly fields?: ReadonlyArray<CustomField>;
  /** `Module.Field` that the API user's profile hides, or may only read. */
  readonly hiddenFields?: ReadonlyArray<string>;
  readonly readOnlyFields?: ReadonlyArray<string>;
  readonly missingScopes?: ReadonlyArray<Scope>;
  /** Modules that the API user's profile has no right to. */
  readonly forbidden?: ReadonlyArray<Module>;
  /** Credits in 24 hours; 50,000 unless said. */
  readonly credits?: number;
  readonly tokenLifeMs?: number;
  /** Whether a page token remembers a place in the order, or a number of rows; the documentation does not say. */
  readonly pageTokens?: "place" | "offset";
  /** Rows that page numbers reach, that page tokens reach, and that one bulk file holds. */
  readonly pageRowsMax?: number;
  readonly tokenRowsMax?: number;
  readonly bulkRowsMax?: number;
  readonly deletedRowsMax?: number;
  /** How long a search shows an older state. */
  readonly indexDelayMs?: number;
  readonly restoreMovesTime?: boolean;
  /** What a workflow of the customer changes after a write that lets it run. */
  readonly workflow?: (module: Module, values: Json) => Json;
}

/** What tests and the demo may do beside the wire and the screen. */
export interface ZohoSimulator extends Simulator {
  /** In approval or merge: writes are refused until it is unlocked. */
  readonly lock: (entity: "account" | "contact", id: string, locked: boolean) => void;
  /** Takes a record out of the API user's sight, or brings it back. */
  readonly hide: (entity: "account" | "contact", id: string, hidden: boolean) => void;
  /** Deletes for good, from the recycle bin. */
  readonly purge: (entity: "account" | "contact", id: string) => void;
  readonly expireTokens: () => void;
  /** Access tokens that are valid now. */
  readonly tokensAlive: () => number;
  readonly creditsUsed: () => number;
  /** What Zoho would have sent to the channels since the last call. */
  readonly notifications: () => ReadonlyArray<Notification>;
}

const editions = { free: 5, standard: 10, professional: 15, enterprise: 20, ultimate: 25 } as const;
/** On every edition. */
const heavyCalls = 10;
const heavyFrom = 10;
const recordsPerCredit = 10;
const searchCredits = 3;
const mergeCredits = 50;

const hubKey: CustomField = { name: "Hub_Id", unique: true, external: true };

const html = (status: number): Response =>
  new Response("<html><body>intermediary</body></html>", { status, headers: { "content-type": "text/html" } });

/** What a call weighs, and what it needs. */
interface Weight {
  readonly scope: Scope;
  readonly cost?: (body: unknown) => number;
  readonly heavy?: (request: Request, body: unknown) => boolean;
}

interface Called {
  readonly request: Request;
  readonly body: unknown;
  readonly module: Module;
  readonly id: string;
}

export function createZohoSimulator(options: ZohoSimulatorOptions): ZohoSimulator {
  const { clock, region = "us", edition = "enterprise", timeZone = "Asia/Kolkata", multiCurrency = false } = options;
  const now = clock.now;
  const random = seededRandom(options.seed ?? 1);
  const faults = createFaults(options.faults ?? { rules: [] });
  const schema = createSchema(options.fields ?? [hubKey], multiCurrency);
  const hiddenFields = new Set(options.hiddenFields);
  const readOnlyFields = new Set(options.readOnlyFields);
  const calls: Record<string, number> = {};
  let writesDone = 0;
  let isHalf = false;

  const oauth = createOAuth({
    now,
    random,
    region,
    ...(options.tokenLifeMs === undefined ? {} : { tokenLifeMs: options.tokenLifeMs }),
  });
  const gate = createGate({ now, credits: options.credits ?? 50_000, calls: editions[edition], heavy: heavyCalls });
  const store = createStore({
    now,
    random,
    schema,
    note: (change) => watch.note(change),
    restoreMovesTime: options.restoreMovesTime ?? false,
  });
  const render = createRenderer({ store, schema, timeZone, hiddenFields });
  const watch = createWatch({ now, time: render.time });
  const metadata = createMetadata({ schema, hiddenFields, readOnlyFields, timeZone, multiCurrency, edition });
  const bulk = createBulk({ now, random, store, schema, render, rowsMax: options.bulkRowsMax ?? 200_000 });
  const reads = createReads({
    now,
    random,
    store,
    schema,
    render,
    pageTokens: options.pageTokens ?? "place",
    pageRowsMax: options.pageRowsMax ?? 2_000,
    tokenRowsMax: options.tokenRowsMax ?? 100_000,
    deletedRowsMax: options.deletedRowsMax ?? Number.POSITIVE_INFINITY,
    indexDelayMs: options.indexDelayMs ?? 30_000,
  });
  const writes = createWrites({
    store,
    schema,
    render,
    hiddenFields,
    readOnlyFields,
    wrote: () => {
      writesDone += 1;
    },
    ...(options.workflow === undefined ? {} : { workflow: options.workflow }),
  });

  // ---- one call ----

  /** A token of another data centre is not known here, and only the API hosts answer. */
  const admitHost = (request: Request): void => {
    const { origin, hostname } = new URL(request.url);
    if (regions.some((name) => name !== region && apiUrlsOf(name).includes(origin))) {
      throw new Refused(401, "INVALID_TOKEN", "invalid oauth token");
    }
    if (/(^|\.)zoho\./.test(hostname)) throw new Refused(400, "INVALID_HOST", "The host is invalid");
  };

  const handled = async (work: () => Response | Promise<Response>): Promise<Response> => {
    try {
      return await work();
    } catch (error) {
      if (error instanceof Refused) return answer(error.body, error.status);
      throw error;
    }
  };

  const call = (weight: Weight, run: (called: Called) => Response | Promise<Response>) => async (context: Context) =>
    handled(async () => {
      const request = context.req.raw;
      admitHost(request);
      const expiresAt = oauth.admit(request);
      const text = await request.text();
      // The type of a body is not looked at, but for the bulk API.
      const body: unknown = text === "" ? undefined : parsed(text);
      const leave = gate.enter(weight.cost?.(body) ?? 1, weight.heavy?.(request, body) ?? false);
      try {
        if (options.missingScopes?.includes(weight.scope) === true) throw refuse.scope();
        const name = context.req.param("module");
        if (name !== undefined && !isModule(name)) throw refuse.module();
        const module: Module = isModule(name) ? name : "Accounts";
        if (name !== undefined && options.forbidden?.includes(module) === true) {
          const permissions = [`Crm_Implied_View_${module}`];
          throw new Refused(403, "NO_PERMISSION", "permission denied", { permissions });
        }
        const response = await run({ request, body, module, id: context.req.param("id") ?? "" });
        response.headers.set("x-accesstoken-reset", render.time(expiresAt));
        const remaining = gate.remaining();
        if (remaining !== undefined) response.headers.set("x-api-credits-remaining", String(remaining));
        return response;
      } finally {
        leave();
      }
    });

  const parsed = (text: string): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      throw new Refused(400, "INVALID_DATA", "body is not a valid JSON", {});
    }
  };

  const recordsOf = (body: unknown): number => (isJson(body) && Array.isArray(body.data) ? body.data.length : 1);

  const module: Weight = {
    scope: "ZohoCRM.modules.ALL",
    heavy: (request) => /[?&](sort_by|cvid)=/.test(request.url),
  };
  const writing: Weight = {
    scope: "ZohoCRM.modules.ALL",
    cost: (body) => Math.ceil(recordsOf(body) / recordsPerCredit),
    heavy: (_request, body) => recordsOf(body) > heavyFrom,
  };
  const searching: Weight = { scope: "ZohoSearch.securesearch.READ", cost: () => searchCredits, heavy: () => true };
  const counting: Weight = { scope: "ZohoSearch.securesearch.READ" };
  const watching: Weight = { scope: "ZohoCRM.notifications.ALL" };
  const reading: Weight = { scope: "ZohoCRM.bulk.READ" };

  const single = ({ request, module: name, id }: Called): string => writes.resolve(name, id, request);
  const asRecord = (body: unknown, id: string): Json => ({
    ...(isJson(body) ? body : {}),
    data: isJson(body) && Array.isArray(body.data) ? body.data.slice(0, 1).map((one) => ({ ...one, id })) : [],
  });
  const removing = (called: Called): Request => {
    const url = new URL(called.request.url);
    url.searchParams.set("ids", single(called));
    return new Request(url, { method: "DELETE" });
  };

  // ---- the paths ----

  const app = new Hono();
  const v8 = "/crm/v8";
  app.post("/oauth/v2/token", (context) => oauth.token(context.req.raw));
  app.post("/oauth/v2/token/revoke", (context) => oauth.revoke(context.req.raw));
  app.get("/oauth/v2/auth", (context) => oauth.authorise(context.req.raw));
  app.get("/oauth/serverinfo", () =>
    answer({
      result: "success",
      locations: Object.fromEntries(regions.map((name) => [name, dataCentres[name].accountsUrl])),
    }),
  );

  app.get(
    `${v8}/settings/fields`,
    call({ scope: "ZohoCRM.settings.fields.READ" }, ({ request }) => metadata.fields(request)),
  );
  app.get(
    `${v8}/settings/fields/:id`,
    call({ scope: "ZohoCRM.settings.fields.READ" }, ({ request, id }) => metadata.field(request, id)),
  );
  app.get(
    `${v8}/settings/modules`,
    call({ scope: "ZohoCRM.settings.modules.READ" }, () => metadata.modules()),
  );
  app.get(
    `${v8}/settings/modules/:id`,
    call({ scope: "ZohoCRM.settings.modules.READ" }, ({ id }) => metadata.module(id)),
  );
  app.get(
    `${v8}/users`,
    call({ scope: "ZohoCRM.users.READ" }, ({ request }) => metadata.users(request)),
  );
  app.get(
    `${v8}/org`,
    call({ scope: "ZohoCRM.org.READ" }, () => metadata.org()),
  );

  app.post(
    `${v8}/coql`,
    call({ scope: "ZohoCRM.coql.READ", cost: costOfQuery, heavy: () => true }, ({ body }) =>
      runQuery(store, schema, render, body),
    ),
  );

  app.post(
    `${v8}/actions/watch`,
    call(watching, ({ body }) => watch.save(body, "enable")),
  );
  app.put(
    `${v8}/actions/watch`,
    call(watching, ({ body }) => watch.save(body, "replace")),
  );
  app.patch(
    `${v8}/actions/watch`,
    call(watching, ({ body }) => watch.save(body, "change")),
  );
  app.get(
    `${v8}/actions/watch`,
    call(watching, ({ request }) => watch.list(request)),
  );
  app.delete(
    `${v8}/actions/watch`,
    call(watching, ({ request }) => watch.disable(request)),
  );

  app.post(
    "/crm/bulk/v8/read",
    call(reading, ({ body, request }) => bulk.start(body, request)),
  );
  app.get(
    "/crm/bulk/v8/read/:id",
    call(reading, ({ id }) => bulk.status(id)),
  );
  app.get(
    "/crm/bulk/v8/read/:id/result",
    call(reading, ({ id }) => bulk.result(id)),
  );

  app.get(
    `${v8}/:module/deleted`,
    call(module, ({ module: name, request }) => reads.deleted(name, request)),
  );
  app.get(
    `${v8}/:module/search`,
    call(searching, ({ module: name, request }) => reads.search(name, request)),
  );
  app.get(
    `${v8}/:module/actions/count`,
    call(counting, ({ module: name, request }) => reads.count(name, request)),
  );
  app.post(
    `${v8}/:module/upsert`,
    call(writing, ({ module: name, body, request }) => writes.upsert(name, body, request, isHalf)),
  );
  app.post(
    `${v8}/:module/:id/actions/merge`,
    call({ ...module, cost: () => mergeCredits }, ({ module: name, id, body }) => writes.merge(name, id, body)),
  );
  app.get(
    `${v8}/:module`,
    call(module, ({ module: name, request }) => reads.list(name, request)),
  );
  app.post(
    `${v8}/:module`,
    call(writing, ({ module: name, body }) => writes.insert(name, body, isHalf)),
  );
  app.put(
    `${v8}/:module`,
    call(writing, ({ module: name, body, request }) => writes.update(name, body, request, isHalf)),
  );
  app.delete(
    `${v8}/:module`,
    call(module, ({ module: name, request }) => writes.remove(name, request, isHalf)),
  );
  app.get(
    `${v8}/:module/:id`,
    call(module, (called) => reads.one(called.module, single(called), called.request)),
  );
  app.put(
    `${v8}/:module/:id`,
    call(writing, (called) =>
      writes.update(called.module, asRecord(called.body, single(called)), called.request, false),
    ),
  );
  app.delete(
    `${v8}/:module/:id`,
    call(module, (called) => writes.remove(called.module, removing(called), false)),
  );

  // A known path with another verb, then everything else.
  for (const path of ["/coql", "/actions/watch", "/users", "/org", "/:module", "/:module/:id", "/:module/upsert"]) {
    app.all(`${v8}${path}`, () => handled(() => Promise.reject(refuse.method())));
  }
  app.notFound(() => handled(() => Promise.reject(refuse.url())));
  app.onError((error) => {
    throw error;
  });

  // ---- faults ----

  const tooMany = (headers: Readonly<Record<string, string>> = {}): Response => {
    const message = "You have made too many requests. Please try again after some time.";
    const response = answer(new Refused(429, "TOO_MANY_REQUESTS", message).body, 429);
    for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
    return response;
  };

  const dispatch = async (request: Request): Promise<Response> => {
    const response = await app.fetch(request);
    response.headers.set("date", new Date(now()).toUTCString());
    return response;
  };

  const struck = async (rule: FaultRule | undefined, request: Request): Promise<Response> => {
    const delayMs = rule?.delayMs ?? 1_000;
    if (rule?.fault === "equal-times") store.freeze();
    else store.thaw();
    isHalf = rule?.fault === "half-batch";
    switch (rule?.fault) {
      case "status-429":
        return tooMany();
      case "status-429-retry-after":
        return tooMany({ "retry-after": String(Math.ceil(delayMs / 1000)) });
      case "status-500":
        return answer(new Refused(500, "INTERNAL_ERROR", "Internal Server Error").body, 500);
      case "status-503":
        return html(503);
      case "not-json":
        return html(200);
      case "drop":
        throw new ConnectionCut();
      case "lost-reply":
        await dispatch(request);
        throw new ConnectionCut();
      case "hang-after":
        await dispatch(request);
        await clock.sleep(delayMs);
        throw new ConnectionCut();
      case "late-commit":
        // The write lands when the delay is over, whatever the caller does meanwhile.
        void clock.sleep(delayMs).then(() => dispatch(request));
        throw new ConnectionCut();
      case "slow":
        await clock.sleep(delayMs);
        return dispatch(request);
      case "expire-token":
        oauth.drop(request);
        return dispatch(request);
      default:
        // Zoho refuses for rate by status only.
        return dispatch(request);
    }
  };

  // ---- the screen ----

  const valuesOf = (name: Module, fields: Readonly<Record<string, unknown>>): Json =>
    Object.fromEntries(
      Object.entries(fields).map(([field, value]) => {
        const known = schema[name].get(field);
        if (known === undefined) throw new Error(`${name} has no field ${field}`);
        return [field, storedOf(known, value)];
      }),
    );
  const rowOf = (name: Module, id: string): Row => {
    const row = store.find(name, id);
    if (row === undefined) throw new Error(`no live record ${id} in ${name}`);
    return row;
  };
  const screen: Screen = {
    create: (entity, fields) => store.create(moduleOf[entity], valuesOf(moduleOf[entity], fields), screenUser.id).id,
    edit: (entity, id, fields) => {
      store.change(moduleOf[entity], id, valuesOf(moduleOf[entity], fields), screenUser.id);
    },
    remove: (entity, id) => store.remove(moduleOf[entity], id, screenUser.id),
    restore: (entity, id) => store.restore(moduleOf[entity], id),
    merge: (entity, masterId, childIds) => store.merge(moduleOf[entity], masterId, childIds, screenUser.id),
    read: (entity, id) => store.find(moduleOf[entity], id)?.values,
    list: (entity) => store.rows(moduleOf[entity]).map(({ id }) => id),
  };

  return {
    fetch: async (request) => {
      const { pathname: path } = new URL(request.url);
      const key = `${request.method} ${path.replaceAll(/\/\d{5,}/g, "/{id}")}`;
      calls[key] = (calls[key] ?? 0) + 1;
      return struck(faults.strike({ method: request.method, path }), request);
    },
    screen,
    faults,
    lock: (entity, id, locked) => {
      rowOf(moduleOf[entity], id).locked = locked;
    },
    hide: (entity, id, hidden) => {
      rowOf(moduleOf[entity], id).hidden = hidden;
    },
    purge: (entity, id) => store.purge(moduleOf[entity], id),
    expireTokens: oauth.dropAll,
    tokensAlive: oauth.alive,
    creditsUsed: gate.used,
    notifications: watch.take,
    connection: (baseUrl) => ({
      region,
      accountsUrl: baseUrl,
      apiUrl: baseUrl,
      auth: { ...credentials },
      ...(multiCurrency ? { multiCurrency } : {}),
    }),
    traffic: () => ({ calls: { ...calls }, writes: writesDone }),
  };
}

/** Fills the simulated organisation as people would: accounts with one contact each. Returns the ids in order. */
export function seedZoho(
  { screen }: Simulator,
  { accounts, contacts = true }: { readonly accounts: number; readonly contacts?: boolean },
): { readonly accounts: ReadonlyArray<string>; readonly contacts: ReadonlyArray<string> } {
  const made: { readonly accounts: Array<string>; readonly contacts: Array<string> } = { accounts: [], contacts: [] };
  const owners = users.filter(({ active }) => active).map(({ id }) => ({ id }));
  for (let index = 1; index <= accounts; index += 1) {
    const number = String(index).padStart(5, "0");
    const account = screen.create("account", {
      Account_Name: `Example ${number} GmbH`,
      Phone: `+4930${number.padStart(7, "0")}`,
      Website: `https://www.example-${number}.com`,
      Industry: index % 2 === 0 ? "Technology" : "Energy",
      Employees: index,
      Billing_Street: `Hauptstraße ${index}`,
      Billing_City: "Berlin",
      Billing_Code: "10115",
      Billing_Country: "Germany",
      Owner: owners[index % owners.length],
    });
    made.accounts.push(account);
    if (!contacts) continue;
    const person = {
      First_Name: "Ann",
      Last_Name: `Example ${number}`,
      Account_Name: { id: account },
      Email: `ann@example-${number}.com`,
      Mobile: `+49151${number.padStart(7, "0")}`,
    };
    made.contacts.push(screen.create("contact", person));
  }
  return made;
}

export type { Notification };
export { credentials };
