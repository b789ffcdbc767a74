/** The samples of the contract, and a connection to a simulated organisation with options of its own. */
import { type Config, modules } from "../../../connectors/zoho/config.ts";
import type { Cursor } from "../../../connectors/zoho/cursor.ts";
import { zoho } from "../../../connectors/zoho/index.ts";
import {
  createZohoSimulator,
  credentials,
  type ZohoSimulator,
  type ZohoSimulatorOptions,
} from "../../../connectors/zoho/simulator.ts";
import type { Channel, Entity, Operation, Page, Result } from "../../../core/connector.ts";
import type { FaultRule } from "../../../core/simulator.ts";
import type { Contract, Keys } from "../../kit/connector-contract.ts";
import { openWorld, pagesOf, type World } from "../../kit/contract/world.ts";

const dayMs = 24 * 3_600_000;

export const channelSecret = "Zm9yLXRlc3RzLW9ubHktMzItY2hhcnM-";

export const channelAt = (expiresAt: number): Channel => ({
  id: "100000000000000001",
  url: "https://hub.example/hooks/zoho-eu",
  secret: channelSecret,
  expiresAt,
  entities: ["account", "contact"],
});

export const zohoContract: Contract<Config, Cursor> = {
  connector: zoho,
  simulate: createZohoSimulator,
  wrongCredentials: (keys) => ({ ...keys, auth: { ...credentials, refreshToken: "1000.revoked" } }),
  secrets: [credentials.clientSecret, credentials.refreshToken, "1000.revoked"],
  key: { account: "Hub_Id", contact: "Hub_Id" },
  manyRows: 450,
  calls: (entity) => ({
    list: { path: `/crm/v8/${modules[entity]}`, method: "GET" },
    create: { path: `/crm/v8/${modules[entity]}/upsert`, method: "POST" },
    update: { path: `/crm/v8/${modules[entity]}`, method: "PUT" },
  }),
  entities: {
    account: {
      record: (index) => ({ Account_Name: `Company ${index}`, Billing_City: `City ${index}` }),
      edited: "Account_Name",
      required: ["name", "owner"],
      refused: { fields: { Account_Name: "x".repeat(201) }, field: "Account_Name" },
      values: ({ account }) => ({
        name: ["Zylker", "上海电气（集团）有限公司"],
        website: ["https://www.zylker.example/a"],
        phone: ["+442079460958"],
        industry: ["Energy", "Technology"],
        employees: [0, 250],
        annualRevenue: [{ amount: "1234567.89", currency: "USD" }],
        billingAddress: [
          { street: "1 Main St", city: "Leeds", state: "West Yorkshire", postalCode: "LS1 1AA", country: "GB" },
        ],
        shippingAddress: [
          { street: "2 Main St", city: "Leeds", state: "West Yorkshire", postalCode: "LS1 1AB", country: "GB" },
        ],
        owner: ["ann@example.com"],
        rating: ["Active"],
        tags: [["a", "b"], ["重点"]],
        parent: [account],
        description: ["Two\nlines"],
      }),
    },
    contact: {
      record: (index) => ({ First_Name: "Ann", Last_Name: `Person ${index}`, Title: `Title ${index}` }),
      edited: "Title",
      required: ["name", "owner"],
      refused: { fields: { Email: "no address" }, field: "Email" },
      values: ({ account }) => ({
        name: [{ given: "Li", family: "Na" }],
        account: [account],
        emails: [["a@example.com"], ["a@example.com", "b@example.com"]],
        phones: [["+442079460958"], ["+442079460958", "+442079460959", "+442079460960"]],
        mobile: ["+8613800138000"],
        title: ["Head of Purchasing"],
        department: ["Purchasing"],
        address: [
          { street: "1 Main St", city: "Leeds", state: "West Yorkshire", postalCode: "LS1 1AA", country: "GB" },
        ],
        emailOptOut: [true, false],
        tags: [["a", "b"]],
        owner: ["ben@example.com"],
        description: ["Two\nlines"],
      }),
    },
  },
  cannot: {
    "rate over 200": "Zoho refuses for rate by status",
  },
  hooks: {
    arrange: async ({ api: { webhook }, clock }) => {
      if (webhook?.channels === undefined) throw new Error("Zoho has channels");
      await webhook.channels.save(channelAt(clock.now() + dayMs), false);
      return { webhook, secrets: [channelSecret] };
    },
    proof: { text: channelSecret, parameter: "k" },
  },
};

export interface ZohoWorld extends Omit<World<Config, Cursor>, "simulator"> {
  readonly simulator: ZohoSimulator;
  readonly pull: (
    entity: Entity,
    request?: { mode?: "changes" | "listing"; cursor?: Cursor | null; fields?: ReadonlyArray<string> },
  ) => Promise<ReadonlyArray<Page<Cursor>>>;
  readonly push: (operations: ReadonlyArray<Operation>) => Promise<ReadonlyArray<Result>>;
  /** Calls of the simulator so far whose "METHOD path" holds this text. */
  readonly calls: (part: string) => number;
}

export interface ZohoWorldOptions {
  readonly simulator?: Partial<ZohoSimulatorOptions>;
  readonly keys?: Keys;
  readonly faults?: ReadonlyArray<FaultRule>;
}

export async function zohoWorld({ simulator: options, keys, faults }: ZohoWorldOptions = {}): Promise<ZohoWorld> {
  let made: ZohoSimulator | undefined;
  const contract: Contract<Config, Cursor> = {
    ...zohoContract,
    simulate: (given) => {
      made = createZohoSimulator({ ...given, ...options });
      return made;
    },
  };
  const world = await openWorld(contract, {
    ...(keys === undefined ? {} : { keys }),
    ...(faults === undefined ? {} : { faults }),
  });
  if (made === undefined) throw new Error("no simulator was made");
  const simulator = made;
  return {
    ...world,
    simulator,
    pull: (entity, { fields = ["Account_Name"], ...request } = {}) =>
      pagesOf(world.api, entity, { fields, ...request }),
    push: async (operations) => (await world.api.push?.(operations)) ?? [],
    calls: (part) =>
      Object.entries(simulator.traffic().calls).reduce(
        (sum, [call, count]) => sum + (call.includes(part) ? count : 0),
        0,
      ),
  };
}

export const hubKey = { name: "Hub_Id", unique: true, external: true } as const;
