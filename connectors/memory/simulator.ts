/**
 * The Memory system itself, on the wire. A simulator of a real vendor looks the same from outside: it speaks the
 * documented protocol, refuses what the vendor refuses, and takes a fault plan.
 */
import { type Context, Hono } from "hono";
import {
  createFaults,
  createStrike,
  type FaultPlan,
  type Notices,
  type Simulator,
  type SimulatorClock,
} from "../../core/simulator.ts";
import { createHookSender, type HookAddress } from "./simulator/hooks.ts";

export interface MemorySimulatorOptions {
  readonly clock: SimulatorClock;
  readonly faults?: FaultPlan;
}

/** What tests and the demo may do beside the wire and the screen. */
export interface MemorySimulator extends Simulator {
  readonly notices: Notices;
  readonly hookTo: (url: string) => { readonly webhook: { readonly secrets: ReadonlyArray<string> } };
  /** Whom it calls from now on, as a person sets it; null for nobody. */
  readonly setAddress: (address: HookAddress | null) => void;
}

interface Row {
  readonly id: string;
  version: number;
  readonly createdAt: number;
  modifiedAt: number;
  modifiedBy: string;
  deleted: boolean;
  mergedInto: string | null;
  fields: Record<string, unknown>;
  /** Number of its last change. */
  change: number;
}

interface Field {
  readonly name: string;
  readonly type: "text" | "number" | "list";
  readonly required: boolean;
  readonly unique: boolean;
  readonly maxLength?: number;
}

type Fields = Record<string, unknown>;
type Outcome = Readonly<Record<string, unknown>> & { readonly status: number };

const field = (name: string, more: Partial<Field> = {}): Field => ({
  name,
  type: "text",
  required: false,
  unique: false,
  ...(more.type === undefined ? { maxLength: 200 } : {}),
  ...more,
});
const texts = (...names: ReadonlyArray<string>) => names.map((name) => field(name));
const keyField = field("Hub_Id", { unique: true });

const companyFields = [
  field("Name", { required: true, maxLength: 100 }),
  ...texts("TaxId", "Domain", "Phone", "Industry", "Street", "City", "State", "Zip", "Country", "OwnerId", "ParentId"),
  field("Employees", { type: "number" }),
  field("Tags", { type: "list" }),
  field("Notes", { maxLength: 10_000 }),
  keyField,
];
const personFields = [
  field("LastName", { required: true, maxLength: 80 }),
  ...texts("FirstName", "CompanyId", "Email", "Email2", "Mobile", "Title", "OwnerId"),
  keyField,
];

const users = [
  { id: "7", email: "ann@example.com", name: "Ann Lee", active: true },
  { id: "8", email: "ben@example.com", name: "Ben Osei", active: true },
];
const apiUser = "8";
const screenUser = "7";
export const apiKey = "simulated-key";
export const hookSecret = "whsec_c2ltdWxhdGVkLXNlY3JldC1vZi10aGUtbWVtb3J5LXN5c3RlbQ==";
const listMax = 500;
const writesMax = 50;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export function createMemorySimulator({ clock, faults: plan }: MemorySimulatorOptions): MemorySimulator {
  const faults = createFaults(plan ?? { rules: [] });
  const calls: Record<string, number> = {};
  const keys = new Set([apiKey]);
  const tables = {
    companies: { fields: companyFields, rows: new Map<string, Row>() },
    people: { fields: personFields, rows: new Map<string, Row>() },
  };
  type Table = (typeof tables)["companies"];
  const tableOf = (entity: "account" | "contact"): Table => tables[entity === "account" ? "companies" : "people"];
  // Longer than a number holds, as at many vendors.
  let lastId = 9_007_199_254_740_993_000n;
  let changes = 0;
  let writes = 0;
  let frozenAt: number | undefined;
  const stamp = (): number => frozenAt ?? clock.now();

  const sender = createHookSender(clock.now);

  const touch = (row: Row, by: string): Row => {
    changes += 1;
    Object.assign(row, { version: row.version + 1, modifiedAt: stamp(), modifiedBy: by, change: changes });
    const object = tables.companies.rows.has(row.id) ? "companies" : "people";
    sender.note({ object, id: row.id, what: row.deleted ? "deleted" : row.version === 1 ? "created" : "updated" });
    return row;
  };
  const insert = (table: Table, fields: Fields, by: string): Row => {
    lastId += 1n;
    const blank = { version: 0, createdAt: stamp(), modifiedAt: 0, modifiedBy: by, change: 0 };
    const row: Row = { id: String(lastId), ...blank, deleted: false, mergedInto: null, fields: { ...fields } };
    table.rows.set(row.id, row);
    return touch(row, by);
  };
  const edit = (row: Row, fields: Fields, by: string): Row => {
    const merged = Object.entries({ ...row.fields, ...fields }).filter(([, value]) => value !== null);
    row.fields = Object.fromEntries(merged);
    return touch(row, by);
  };
  const remove = (row: Row, by: string, mergedInto: string | null = null): Row =>
    touch(Object.assign(row, { deleted: true, mergedInto }), by);

  // ---- what is refused ----

  const refusalOf = (table: Table, fields: Fields, known: Row | undefined): Outcome | undefined => {
    for (const [name, value] of Object.entries(fields)) {
      const rule = table.fields.find((one) => one.name === name);
      const refuse = (message: string): Outcome => ({ status: 422, field: name, message: `${name} ${message}` });
      if (rule === undefined) return refuse("does not exist");
      if (value === null) continue;
      const isRight =
        rule.type === "list" ? Array.isArray(value) : typeof value === (rule.type === "text" ? "string" : "number");
      if (!isRight) return refuse(`takes only a ${rule.type}`);
      if (typeof value === "string" && value.length > (rule.maxLength ?? 0)) return refuse("is too long");
      const taken = [...table.rows.values()].find(
        (row) => rule.unique && !row.deleted && row !== known && row.fields[name] === value,
      );
      if (taken !== undefined) return { status: 409, field: name, id: taken.id, message: `${name} is taken` };
    }
    const after: Fields = { ...known?.fields, ...fields };
    const empty = table.fields.find(({ name, required }) => required && (after[name] ?? "") === "");
    return empty === undefined
      ? undefined
      : { status: 422, field: empty.name, message: `${empty.name} must not be empty` };
  };

  const write = (given: unknown): Outcome => {
    const { object, kind, id, fields, ifVersion }: Fields = isFields(given) ? given : {};
    if (object !== "companies" && object !== "people") return { status: 400, message: "no such object" };
    const table: Table = tables[object];
    const values = isFields(fields) ? fields : {};
    const row = table.rows.get(String(id));
    if (kind !== "create" && (row === undefined || row.deleted)) return { status: 404, message: `no record ${id}` };
    if (kind !== "delete") {
      const refused = refusalOf(table, values, row);
      if (refused !== undefined) return refused;
    }
    if (ifVersion !== undefined && row?.version !== ifVersion) return { status: 412, message: "the version has moved" };
    writes += 1;
    if (row === undefined) return { status: 200, record: shown(insert(table, values, apiUser)) };
    return { status: 200, record: shown(kind === "delete" ? remove(row, apiUser) : edit(row, values, apiUser)) };
  };

  const shown = ({ change: _, ...row }: Row) => row;

  // ---- the wire ----

  const app = new Hono();
  app.use(async (context, next) => {
    const key = /^Bearer (.+)$/.exec(context.req.header("authorization") ?? "")?.[1] ?? "";
    if (!keys.has(key)) return context.json({ message: "unknown key" }, 401);
    await next();
    context.header("date", new Date(clock.now()).toUTCString());
  });
  const list = (table: Table) => (context: Context) => {
    const { ids, field: name, equals, contains, after = "0", limit = "100" } = context.req.query();
    const all = [...table.rows.values()];
    if (ids !== undefined)
      return context.json({
        records: ids
          .split(",")
          .flatMap((id) => table.rows.get(id) ?? [])
          .map(shown),
      });
    if (name !== undefined) {
      const part = contains?.toLowerCase();
      const fits = (held: unknown): boolean =>
        part === undefined ? held === equals : typeof held === "string" && held.toLowerCase().includes(part);
      return context.json({ records: all.filter((row) => !row.deleted && fits(row.fields[name])).map(shown) });
    }
    const behind = all.filter(({ change }) => change > Number(after)).sort((one, other) => one.change - other.change);
    const rows = behind.slice(0, Math.min(Number(limit), listMax));
    const next = rows.at(-1)?.change ?? Number(after);
    return context.json({ records: rows.map(shown), next, more: behind.length > rows.length });
  };
  for (const [name, table] of Object.entries(tables)) {
    app.get(`/${name}`, list(table));
    app.get(`/${name}/fields`, (context) => context.json({ fields: table.fields }));
  }
  app.get("/users", (context) => context.json({ users }));

  let isHalf = false;
  app.post("/writes", async (context) => {
    const body: unknown = await context.req.json().catch(() => undefined);
    const given = isFields(body) && Array.isArray(body.writes) ? body.writes : [];
    if (given.length === 0 || given.length > writesMax) return context.json({ message: "1 to 50 writes" }, 400);
    const half = isHalf;
    const locked: Outcome = { status: 423, message: "locked" };
    return context.json({ results: given.map((one, index) => (half && index % 2 === 1 ? locked : write(one))) });
  });

  const strike = createStrike({
    clock,
    dispatch: (request) => app.fetch(request),
    freeze: (isFrozen) => {
      frozenAt = isFrozen ? (frozenAt ?? stamp()) : undefined;
    },
    hangs: false,
  });

  const rowOf = (entity: "account" | "contact", id: string): Row => {
    const row = tableOf(entity).rows.get(id);
    if (row === undefined) throw new Error(`no ${entity} ${id}`);
    return row;
  };

  return {
    fetch: async (request) => {
      const { pathname: path } = new URL(request.url);
      const key = `${request.method} ${path}`;
      calls[key] = (calls[key] ?? 0) + 1;
      const rule = faults.strike({ method: request.method, path });
      isHalf = rule?.fault === "half-batch";
      return strike(rule, request);
    },
    screen: {
      create: (entity, fields) => insert(tableOf(entity), fields, screenUser).id,
      edit: (entity, id, fields) => void edit(rowOf(entity, id), fields, screenUser),
      remove: (entity, id) => void remove(rowOf(entity, id), screenUser),
      restore: (entity, id) => void touch(Object.assign(rowOf(entity, id), { deleted: false }), screenUser),
      merge: (entity, masterId, childIds) => {
        for (const id of childIds) remove(rowOf(entity, id), screenUser, masterId);
        touch(rowOf(entity, masterId), screenUser);
      },
      read: (entity, id) => {
        const row = tableOf(entity).rows.get(id);
        return row === undefined || row.deleted ? undefined : row.fields;
      },
      list: (entity) => [...tableOf(entity).rows.values()].filter(({ deleted }) => !deleted).map(({ id }) => id),
    },
    faults,
    notices: sender.notices,
    setAddress: sender.setAddress,
    hookTo: (url) => {
      sender.setAddress({ url, secret: hookSecret });
      return { webhook: { secrets: [hookSecret] } };
    },
    connection: (baseUrl) => ({ baseUrl, apiKey }),
    traffic: () => ({ calls: { ...calls }, writes }),
  };
}

/** Fills the simulated system as people would. Returns the ids in order. */
export function seedMemory({ screen }: Simulator, { accounts }: { readonly accounts: number }) {
  const made: { readonly accounts: Array<string>; readonly contacts: Array<string> } = { accounts: [], contacts: [] };
  for (let index = 1; index <= accounts; index += 1) {
    const number = String(index).padStart(4, "0");
    const account = screen.create("account", {
      Name: `Example ${number} Ltd`,
      Domain: `example-${number}.com`,
      Phone: `+4420794${number.padStart(5, "0")}`,
      City: "London",
      Country: "GB",
      OwnerId: screenUser,
    });
    made.accounts.push(account);
    const person = {
      FirstName: "Ann",
      LastName: `Example ${number}`,
      CompanyId: account,
      Email: `ann@example-${number}.com`,
    };
    made.contacts.push(screen.create("contact", person));
  }
  return made;
}
