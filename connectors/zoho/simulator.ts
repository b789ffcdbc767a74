/**
 * A Zoho CRM organisation on the wire: the accounts server, Accounts and Contacts with their metadata, COQL, search,
 * bulk read and notification channels. One origin serves them all, so that it can be mounted on a port; the vendor's
 * own hosts are told apart where a test mounts it under them.
 *
 * Source  Zoho CRM REST API v8 and Zoho Accounts OAuth 2.0, as documented; what they leave open is an option.
 */
import {
  createFaults,
  createStrike,
  type FaultPlan,
  type Notices,
  type Simulator,
  type SimulatorClock,
  seededRandom,
} from "../../core/simulator.ts";
import { modules as moduleOf, type Region } from "./config.ts";
import { createBulk } from "./simulator/bulk.ts";
import { createCall, type Scope } from "./simulator/call.ts";
import { runQuery } from "./simulator/coql.ts";
import { createGate } from "./simulator/gate.ts";
import { createMetadata } from "./simulator/metadata.ts";
import { createOAuth, credentials } from "./simulator/oauth.ts";
import { createReads } from "./simulator/reads.ts";
import { refusals } from "./simulator/refusals.ts";
import { createRenderer } from "./simulator/render.ts";
import { createRoutes } from "./simulator/routes.ts";
import { createScreen, seedZoho } from "./simulator/screen.ts";
import { createStore, type Row } from "./simulator/store.ts";
import { type CustomField, createSchema, type Module } from "./simulator/tenant.ts";
import { createWatch, type Notification } from "./simulator/watch.ts";
import type { Json } from "./simulator/wire.ts";
import { createWrites } from "./simulator/writes.ts";

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
  readonly notices: Notices;
  readonly hookTo: (url: string) => { readonly webhook: true };
  /** Loses a channel without a word. */
  readonly loseChannel: (id: string) => void;
}

const editions = { free: 5, standard: 10, professional: 15, enterprise: 20, ultimate: 25 } as const;
/** On every edition. */
const heavyCalls = 10;

const hubKey: CustomField = { name: "Hub_Id", unique: true, external: true };

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

  const { missingScopes = [], forbidden = [] } = options;
  const call = createCall({ region, oauth, gate, render, missingScopes, forbidden });
  const query = (body: unknown): Response => runQuery(store, schema, render, body);
  const app = createRoutes({ call, oauth, metadata, reads, writes, bulk, watch, query, isHalf: () => isHalf });

  const dispatch = async (request: Request): Promise<Response> => {
    const response = await app.fetch(request);
    response.headers.set("date", new Date(now()).toUTCString());
    return response;
  };

  const strike = createStrike({
    clock,
    dispatch,
    freeze: (isFrozen) => (isFrozen ? store.freeze() : store.thaw()),
    revoke: oauth.drop,
    refusals,
    hangs: true,
  });

  const rowOf = (name: Module, id: string): Row => {
    const row = store.find(name, id);
    if (row === undefined) throw new Error(`no live record ${id} in ${name}`);
    return row;
  };

  return {
    fetch: async (request) => {
      const { pathname: path } = new URL(request.url);
      const key = `${request.method} ${path.replaceAll(/\/\d{5,}/g, "/{id}")}`;
      calls[key] = (calls[key] ?? 0) + 1;
      const rule = faults.strike({ method: request.method, path });
      isHalf = rule?.fault === "half-batch";
      return strike(rule, request);
    },
    screen: createScreen(store, schema),
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
    notices: watch.notices,
    loseChannel: watch.lose,
    // The hub makes its channels itself.
    hookTo: () => ({ webhook: true }),
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

export type { Notification, Scope };
export { credentials, seedZoho };
