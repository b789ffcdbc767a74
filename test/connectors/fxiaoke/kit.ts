/** The samples of the contract, and a connection to a simulated tenant with switches and settings of its own. */
import type { Config } from "../../../connectors/fxiaoke/config.ts";
import { connectFxiaoke, type FxiaokeConnection, fxiaoke } from "../../../connectors/fxiaoke/index.ts";
import type { Cursor } from "../../../connectors/fxiaoke/pull.ts";
import { demoAesKey } from "../../../connectors/fxiaoke/simulator/events.ts";
import type { Style } from "../../../connectors/fxiaoke/simulator/gate.ts";
import { openIdOf, tenant } from "../../../connectors/fxiaoke/simulator/tenant.ts";
import {
  createFxiaokeSimulator,
  type FxiaokeSimulator,
  type FxiaokeSimulatorOptions,
  type FxiaokeSwitches,
  hubKeyField,
} from "../../../connectors/fxiaoke/simulator.ts";
import type { Change, Connector, Entity, Operation, Page, Result } from "../../../core/connector.ts";
import type { FaultRule, SimulatorClock } from "../../../core/simulator.ts";
import type { Contract, EntityContract, Keys } from "../../kit/connector-contract.ts";
import { openWorld, pagesOf, type World } from "../../kit/contract/world.ts";

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;

const wrongSecret = "not-the-secret";

const place = (action: string) => ({ path: `/data/${action}`, method: "POST" });

const accountIn = (owner: string): EntityContract => ({
  record: (index) => ({ name: `示例 ${index}`, address: `示例路 ${index} 号`, owner: [owner] }),
  edited: "name",
  required: ["name", "owner"],
  refused: { fields: { name: "x".repeat(257) }, field: "name" },
  values: ({ account }) => ({
    name: ["Zylker", "上海电气（集团）有限公司"],
    taxId: ["91310000MA1K000001"],
    website: ["https://www.zylker.example/a"],
    phone: ["+862160000000"],
    email: ["info@zylker.example"],
    industry: ["制造业", "金融业"],
    billingAddress: [{ street: "示例路 1 号" }],
    owner: ["li.si@example.com"],
    rating: ["重要客户"],
    parent: [account],
    description: ["Two\nlines"],
    source: ["展会"],
  }),
});

const contactIn = (owner: string): EntityContract => ({
  record: (index) => ({ name: `张 ${index}`, owner: [owner] }),
  edited: "name",
  required: ["name", "owner"],
  refused: { fields: { name: "x".repeat(257) }, field: "name" },
  values: ({ account }) => ({
    name: [{ family: "张", given: "伟" }],
    account: [account],
    emails: [["zhang.wei@example.com"]],
    phones: [["+862160000001"], ["+862160000001", "+862160000002", "+862160000003"]],
    mobile: ["+8613800138000"],
    owner: ["li.si@example.com"],
  }),
});

/** A custom object has only a name and an owner that the connector knows of. */
const customIn = (owner: string): EntityContract => ({
  record: (index) => ({ name: `示例 ${index}`, field_Note1__c: `说明 ${index}`, owner: [owner] }),
  edited: "field_Note1__c",
  required: ["name", "owner"],
  refused: { fields: { name: "x".repeat(257) }, field: "name" },
  values: () => ({ name: ["Zylker"], owner: ["li.si@example.com"] }),
});

type Given = Pick<FxiaokeSimulatorOptions, "clock" | "faults">;

export interface Variant {
  readonly style?: Style;
  /** A custom object for accounts; contacts are left out then. */
  readonly customAccount?: string;
  readonly switches?: Partial<FxiaokeSwitches>;
}

export function contractFor({ style = "app_secret", customAccount, switches }: Variant): Contract<Config, Cursor> {
  const owner = style === "legacy" ? openIdOf("1001") : "1001";
  return {
    connector: fxiaoke,
    simulate: (given) =>
      createFxiaokeSimulator({
        ...given,
        style,
        ...(switches === undefined ? {} : { switches }),
        ...(customAccount === undefined ? {} : { objects: { account: customAccount } }),
      }),
    wrongCredentials: (keys) => ({ ...keys, auth: { ...credentialsFor(style), appSecret: wrongSecret } }),
    secrets: [tenant.appSecret, tenant.permanentCode, wrongSecret, demoAesKey],
    key: { account: hubKeyField, contact: hubKeyField },
    manyRows: 250,
    calls: () => ({ list: place("query"), create: place("create"), update: place("update") }),
    entities:
      customAccount === undefined
        ? { account: accountIn(owner), contact: contactIn(owner) }
        : { account: customIn(owner) },
    hooks: {
      arrange: async ({ api: { webhook }, simulator }) => {
        if (webhook === undefined) throw new Error("an aesKey is set");
        simulator.hookTo?.("https://hub.acme.example/hooks/fxiaoke-cn");
        return { webhook, secrets: [] };
      },
      proof: "whole",
    },
    cannot: {
      precondition: "Fxiaoke knows no conditional write",
      "find in any case": "the manual does not say whether LIKE tells capital from small letters",
      "half batch": "Fxiaoke writes record by record",
      tombstones: "a query need not show invalidated rows; deletes.test.ts tries each way",
    },
  };
}

export const credentialsFor = (style: Style) => ({
  style,
  appId: tenant.appId,
  appSecret: tenant.appSecret,
  permanentCode: tenant.permanentCode,
});

export interface FxiaokeWorld extends Omit<World<Config, Cursor>, "simulator" | "api" | "reconnect"> {
  readonly simulator: FxiaokeSimulator;
  readonly api: FxiaokeConnection;
  readonly reconnect: () => FxiaokeConnection;
  readonly pull: (
    request?: {
      readonly mode?: "changes" | "listing";
      readonly cursor?: Cursor | null;
      readonly fields?: ReadonlyArray<string>;
    },
    entity?: Entity,
  ) => Promise<ReadonlyArray<Page<Cursor>>>;
  /** The one result of one operation. */
  readonly push: (operation: Operation) => Promise<Result | undefined>;
  /** What a fetch says of one account; undefined where it says nothing. */
  readonly fetched: (id: string, fields?: ReadonlyArray<string>) => Promise<Change | undefined>;
  /** Calls of the simulator so far whose path ends so. */
  readonly calls: (ending: string) => number;
  readonly account: (fields?: Keys) => string;
  readonly fill: (count: number) => ReadonlyArray<string>;
  readonly read: (id: string) => Readonly<Record<string, unknown>> | undefined;
}

export interface FxiaokeWorldOptions extends Variant {
  readonly simulator?: Partial<FxiaokeSimulatorOptions>;
  readonly keys?: Keys;
  readonly faults?: ReadonlyArray<FaultRule>;
  /** How far the remote's clock is ahead of ours. */
  readonly aheadMs?: number;
}

const aheadOf = (clock: SimulatorClock, aheadMs: number): SimulatorClock => ({
  now: () => clock.now() + aheadMs,
  sleep: clock.sleep,
});

export async function fxiaokeWorld(options: FxiaokeWorldOptions = {}): Promise<FxiaokeWorld> {
  const { keys, faults, aheadMs = 0, ...variant } = options;
  const contract = contractFor(variant);
  const made: Array<FxiaokeSimulator> = [];
  // The world hands out the plain shapes; these keep what the connector and its simulator offer beside them.
  const connected: Array<FxiaokeConnection> = [];
  const connector: Connector<Config, Cursor> = {
    ...fxiaoke,
    connect: (config, tools) => {
      const api = connectFxiaoke(config, tools);
      connected.push(api);
      return api;
    },
  };
  const world = await openWorld(
    {
      ...contract,
      connector,
      simulate: ({
        clock,
        faults: plan,
      }: Given & { readonly faults: { readonly rules: ReadonlyArray<FaultRule> } }) => {
        const simulator = createFxiaokeSimulator({
          clock: aheadOf(clock, aheadMs),
          faults: plan,
          ...(variant.style === undefined ? {} : { style: variant.style }),
          ...(variant.switches === undefined ? {} : { switches: variant.switches }),
          ...(variant.customAccount === undefined ? {} : { objects: { account: variant.customAccount } }),
          ...options.simulator,
        });
        made.push(simulator);
        return simulator;
      },
    },
    { ...(keys === undefined ? {} : { keys }), ...(faults === undefined ? {} : { faults }) },
  );
  const [simulator] = made;
  const [api] = connected;
  if (simulator === undefined || api === undefined) throw new Error("no world was made");
  const { screen } = simulator;
  const account = (fields: Keys = {}): string =>
    screen.create("account", { name: "示例科技有限公司", owner: ["1001"], ...fields });
  return {
    ...world,
    simulator,
    api,
    reconnect: () => {
      world.reconnect();
      return connected.at(-1) ?? api;
    },
    pull: ({ fields = ["name"], ...request } = {}, entity = "account") => pagesOf(api, entity, { fields, ...request }),
    push: async (operation) => (await api.push?.([operation]))?.[0],
    fetched: async (id, fields = ["name"]) => (await api.fetch("account", [id], fields)).changes[0],
    calls: (ending) =>
      Object.entries(simulator.traffic().calls).reduce(
        (sum, [call, count]) => sum + (call.endsWith(ending) ? count : 0),
        0,
      ),
    account,
    fill: (count) => Array.from({ length: count }, (_, index) => account({ name: `示例 ${index}` })),
    read: (id) => screen.read("account", id),
  };
}

export const creation = (hubId: string, fields: Keys): Operation => ({
  kind: "create",
  entity: "account",
  hubId,
  keyField: hubKeyField,
  fields: { owner: ["1001"], ...fields },
});

export const update = (id: string, fields: Keys): Operation => ({ kind: "update", entity: "account", id, fields });

export const removal = (id: string): Operation => ({ kind: "delete", entity: "account", id });

export const changesIn = (pages: ReadonlyArray<Page<Cursor>>): ReadonlyArray<Change> =>
  pages.flatMap(({ changes }) => changes);

export const tombstonesIn = (pages: ReadonlyArray<Page<Cursor>>): ReadonlyArray<string> =>
  changesIn(pages).flatMap((change) => (change.kind === "deleted" ? [change.id] : []));

export const endOf = (pages: ReadonlyArray<Page<Cursor>>): Cursor => {
  const last = pages.at(-1);
  if (last === undefined) throw new Error("a pull without a page gives no cursor");
  return last.cursor;
};
