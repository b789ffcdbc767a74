/**
 * The one contract, as far as a read-only system without a wire can keep it: a person edits a list, and saves it as a
 * CSV file and as JSON lines.
 */
import { appendFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe } from "vitest";
import type { Config } from "../../../connectors/file/config.ts";
import { file } from "../../../connectors/file/index.ts";
import type { Cursor } from "../../../connectors/file/pull.ts";
import type { Entity } from "../../../core/connector.ts";
import { createFaults, type Simulator, type SimulatorClock } from "../../../core/simulator.ts";
import { describeConnector } from "../../kit/connector-contract.ts";
import type { Contract, EntityContract, Fields } from "../../kit/contract/world.ts";
import { temporaryFolder } from "./kit.ts";

type Format = "csv" | "jsonl";

const idColumn = "No";

const quoted = (value: unknown): string => `"${String(value ?? "").replaceAll('"', '""')}"`;

const csvLine = (cells: ReadonlyArray<unknown>): string => `${cells.map(quoted).join(",")}\n`;

/** A list that a person keeps and saves after each change; nothing is ever called. */
function createList(entity: Entity, format: Format, clock: SimulatorClock): Simulator {
  const columns = Object.keys(samples[entity].record(1));
  const path = join(temporaryFolder(), `list.${format}`);
  const rows = new Map<string, Fields>();
  const removed = new Map<string, Fields>();
  let counter = 0;
  const lines = new Map<string, string>();
  const lineOf = (id: string, fields: Fields): string =>
    format === "csv"
      ? csvLine([id, ...columns.map((column) => fields[column])])
      : `${JSON.stringify({ [idColumn]: id, ...fields })}\n`;
  const stamp = (): void => {
    const savedAt = new Date(clock.now());
    utimesSync(path, savedAt, savedAt);
  };
  const save = (): void => {
    const heading = format === "csv" ? csvLine([idColumn, ...columns]) : "";
    writeFileSync(path, heading + [...lines.values()].join(""));
    stamp();
  };
  const change = (id: string, fields: Fields): void => {
    const whole = { ...rows.get(id), ...fields };
    rows.set(id, whole);
    const line = lineOf(id, whole);
    const isNew = !lines.has(id);
    lines.set(id, line);
    if (isNew) {
      appendFileSync(path, line);
      stamp();
    } else save();
  };
  const drop = (id: string): void => {
    removed.set(id, rows.get(id) ?? {});
    rows.delete(id);
    lines.delete(id);
    save();
  };
  save();
  return {
    fetch: async () => {
      throw new Error("a file is never called");
    },
    screen: {
      create: (_entity, fields) => {
        counter += 1;
        const id = `0${String(counter).padStart(5, "0")}`;
        change(id, fields);
        return id;
      },
      edit: (_entity, id, fields) => change(id, fields),
      remove: (_entity, id) => drop(id),
      restore: (_entity, id) => change(id, removed.get(id) ?? {}),
      merge: (_entity, _masterId, childIds) => {
        for (const id of childIds) drop(id);
      },
      read: (_entity, id) => rows.get(id),
      list: () => [...rows.keys()],
    },
    faults: createFaults({ rules: [] }),
    connection: () => ({ path, id: idColumn, entity }),
    traffic: () => ({ calls: {}, writes: 0 }),
  };
}

const address = { street: "1 Main St", city: "Leeds", state: "West Yorkshire", postalCode: "LS1 1AA", country: "GB" };

const account: EntityContract = {
  record: (index) => ({ name: `Company ${index}`, "billingAddress.city": `City ${index}` }),
  edited: "name",
  required: [],
  refused: { fields: {}, field: "" },
  values: ({ account: other }) => ({
    name: ["Zylker", "上海电气（集团）有限公司"],
    taxId: ["91310000MA1K000001"],
    website: ["https://www.zylker.example/a"],
    phone: ["+442079460958"],
    employees: [0, 250],
    annualRevenue: [{ amount: "1234567.89", currency: "USD" }],
    billingAddress: [address],
    owner: ["ann@example.com"],
    tags: [["a", "b"], ["重点"]],
    parent: [other],
    description: ["Two\nlines"],
    industry: ["Energy", "Technology"],
    rating: ["Active"],
    status: ["Open"],
    source: ["Web"],
    email: ["info@zylker.example"],
    legalName: ["Zylker GmbH"],
    domain: ["zylker.example"],
    shippingAddress: [address],
    lifecycleStage: ["Customer"],
  }),
};

const contact: EntityContract = {
  record: (index) => ({ name: "Ann Person", title: `Title ${index}`, emails: `ann${index}@example.com` }),
  edited: "title",
  required: [],
  refused: { fields: {}, field: "" },
  values: () => ({
    name: [{ given: "Li", family: "Na" }],
    emails: [["a@example.com"], ["a@example.com", "b@example.com"]],
    phones: [["+442079460958"], ["+442079460958", "+442079460959"]],
    mobile: ["+8613800138000"],
    title: ["Head of Purchasing"],
    department: ["Purchasing"],
    login: ["li.na"],
    active: [true, false],
    address: [address],
    locale: ["en-GB"],
    emailOptOut: [true, false],
    phoneOptOut: [true, false],
    tags: [["a", "b"]],
    owner: ["ben@example.com"],
    description: ["Two\nlines"],
  }),
};

const samples: Readonly<Record<Entity, EntityContract>> = { account, contact };

const nowhere = { path: "" };

const contractOf = (entity: Entity, format: Format): Contract<Config, Cursor> => ({
  connector: file,
  simulate: ({ clock }) => createList(entity, format, clock),
  wrongCredentials: (keys) => keys,
  secrets: [],
  key: { account: "", contact: "" },
  manyRows: 1_001,
  calls: () => ({ list: nowhere, create: nowhere, update: nowhere }),
  entities: { [entity]: samples[entity] },
  cannot: {
    wire: "a file is read from the disk; what can go wrong there is in pull.test.ts and read.test.ts",
    write: "the hub never writes to a file",
    incremental: "a file does not tell which rows changed, so a changed one is read again as a whole",
    tombstones: "what a complete file does not hold is gone",
    "token expiry": "a file has no token",
    "rate over 200": "nobody counts how often a file is read",
  },
});

describe("a CSV file of accounts", () => describeConnector(contractOf("account", "csv")));
describe("a CSV file of contacts", () => describeConnector(contractOf("contact", "csv")));
describe("JSON lines of accounts", () => describeConnector(contractOf("account", "jsonl")));
