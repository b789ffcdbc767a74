/** Two connectors for configuration tests: a CRM with credentials and a read-only list. Neither is ever connected. */
import { type Connector, codec, type EntityMap, Schema } from "../../../core/connector.ts";

const entity = (object: string, writable: boolean): EntityMap => ({
  object,
  fields: {
    name: { path: "Name", codec: codec.text(), access: "both" },
    industry: { path: "Industry", codec: codec.option(), access: "both" },
    tags: { path: "Tag", codec: codec.set(), access: "both" },
  },
  versions: { conditional: "none", counter: false, resolutionMs: 1000, lateMs: 0, settleMs: 0 },
  deletes: { learned: "tombstones", goneIsProof: true, namesMaster: false },
  writable,
  pushBatchMax: 10,
  fetchBatchMax: 10,
});

const unused = (): never => {
  throw new Error("a configuration test must not connect");
};

const CrmConfig = Schema.Struct({
  region: Schema.optionalKey(Schema.Literals(["eu", "cn"]).annotate({ description: "Where the tenant lives." })),
  auth: Schema.Struct({
    clientId: Schema.String.check(Schema.isMinLength(1)).annotate({ description: "The client's id." }),
    clientSecret: Schema.String.check(Schema.isMinLength(8)).annotate({ description: "The client's secret." }),
  }).annotate({ description: "Credentials." }),
  pageSize: Schema.optionalKey(Schema.Int.annotate({ description: "Records in one page." })),
});

export const crm: Connector<typeof CrmConfig.Type, unknown> = {
  system: "crm",
  title: { en: "Toy CRM", zh: "玩具" },
  config: CrmConfig,
  cursor: Schema.Unknown,
  entities: () => ({ account: entity("Accounts", true), contact: entity("Contacts", true) }),
  limits: () => ({ calls: { concurrency: 4 }, daily: { daily: { count: 100, offsetMinutes: 0 } } }),
  rule: (_field, path) => ({ path, codec: codec.text(), access: "both" }),
  connect: unused,
};

const ListConfig = Schema.Struct({ path: Schema.String.annotate({ description: "Where the list is." }) });

export const list: Connector<typeof ListConfig.Type, unknown> = {
  system: "list",
  title: { en: "Toy list", zh: "列表" },
  config: ListConfig,
  cursor: Schema.Unknown,
  entities: () => ({ account: entity("rows", false) }),
  limits: () => ({}),
  rule: (_field, path) => ({ path, codec: codec.text(), access: "read" }),
  connect: unused,
};

export const toyConnectors: ReadonlyMap<string, Connector> = new Map<string, Connector>([
  // A connector's configuration type is its own; readers hand it only what its schema decoded.
  ["crm", crm as Connector],
  ["list", list as Connector],
]);
