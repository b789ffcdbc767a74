/** The connector under the real engine, beside a simulated Zoho organisation. */
import { Effect } from "effect";
import { describe, expect, it, onTestFinished } from "vitest";
import { fxiaoke } from "../../../connectors/fxiaoke/index.ts";
import {
  createFxiaokeSimulator,
  type FxiaokeSimulator,
  type FxiaokeSwitches,
  hubKeyField,
  seedFxiaoke,
} from "../../../connectors/fxiaoke/simulator.ts";
import { zoho } from "../../../connectors/zoho/index.ts";
import { users as zohoUsers } from "../../../connectors/zoho/simulator/tenant.ts";
import { createZohoSimulator, seedZoho, type ZohoSimulator } from "../../../connectors/zoho/simulator.ts";
import { type Connector, Schema } from "../../../core/connector.ts";
import { modelOf } from "../../../core/model/fields.ts";
import type { Policy } from "../../../core/model/policy.ts";
import { sideKey } from "../../../core/model/settings.ts";
import { createTools } from "../../../core/net/tools.ts";
import type { Simulator } from "../../../core/simulator.ts";
import { serveSimulator } from "../../../core/simulator-server.ts";
import { listConflicts } from "../../../core/store/browse.ts";
import { openStore } from "../../../core/store/open.ts";
import { counterShelf, tokenShelf } from "../../../core/store/secrets.ts";
import { type ConnectionSetup, connect } from "../../../core/sync/connect.ts";
import type { Engine, LiveConnection } from "../../../core/sync/engine.ts";
import { createIds } from "../../../core/sync/ids.ts";
import { sync } from "../../../core/sync/sync.ts";
import { type StillClock, stillClock } from "../../kit/clock.ts";
import { minuteMs } from "./kit.ts";

const cn = "fxiaoke-cn";
const us = "zoho-us";
/** Rounds until the systems must have come to rest. */
const roundsMax = 10;

/** Zoho's choices and Fxiaoke's are other words for the same. */
const industries = { Energy: "制造业", Technology: "信息技术", Banking: "金融业", Consulting: "零售业" };
const owners = { "ann@example.com": "zhang.san@example.com", "ben@example.com": "li.si@example.com" };

interface Side {
  readonly name: string;
  readonly connector: Connector;
  readonly simulator: Pick<Simulator, "fetch" | "connection">;
  readonly setup: Pick<ConnectionSetup, "map" | "key" | "owners" | "defaultOwner" | "country" | "currency">;
}

async function opened(
  { name, connector, simulator, setup }: Side,
  { clock, store }: Pick<Engine, "clock" | "store">,
  deletes: ConnectionSetup["deletes"],
): Promise<LiveConnection> {
  const server = await serveSimulator(simulator);
  onTestFinished(() => server.close());
  const config = Schema.decodeUnknownSync(connector.config)(simulator.connection(server.url));
  const tools = createTools({
    connection: name,
    limits: connector.limits(config),
    allowedHosts: ["127.0.0.1"],
    tokens: tokenShelf(store, name, config),
    counters: counterShelf(store, name),
    clock,
    log: { info: () => undefined, warn: () => undefined },
  }).forLane("user");
  const whole: ConnectionSetup = {
    name,
    connector,
    config,
    push: true,
    deletes,
    deleteAgainstUpdate: "keep",
    duplicates: "ask",
    quarantineMs: 0,
    skewMs: 0,
    create: {},
    brake: { share: 0.5, records: 20, windowMs: 60 * minuteMs },
    ...setup,
  };
  return (await Effect.runPromise(connect(whole, modelOf({}), tools))).live;
}

interface Options {
  readonly switches?: Partial<FxiaokeSwitches>;
  readonly deletes?: ConnectionSetup["deletes"];
  /** Wraps the simulated gateway, to act between two of its answers. */
  readonly between?: (simulator: FxiaokeSimulator) => Simulator["fetch"];
  /** The tenant that another hub writes to already, and the clock of both. */
  readonly shared?: { readonly here: FxiaokeSimulator; readonly clock: StillClock };
}

async function world({ switches, deletes = "detach", between, shared }: Options = {}) {
  const clock = shared?.clock ?? stillClock();
  const there: ZohoSimulator = createZohoSimulator({ clock });
  const here = shared?.here ?? createFxiaokeSimulator({ clock, ...(switches === undefined ? {} : { switches }) });
  const key = Buffer.alloc(32, 5).toString("base64");
  const store = await Effect.runPromise(openStore({ place: ":memory:", key }));
  onTestFinished(() => store.close());
  const sides: ReadonlyArray<Side> = [
    {
      name: us,
      // The engine hands each connector what that connector gave it.
      connector: zoho as unknown as Connector,
      simulator: there,
      setup: {
        map: {},
        key: { account: "Hub_Id", contact: "Hub_Id" },
        owners: {},
        defaultOwner: "ann@example.com",
        country: "DE",
        currency: "EUR",
      },
    },
    {
      name: cn,
      connector: fxiaoke as unknown as Connector,
      simulator: { connection: here.connection, fetch: between?.(here) ?? here.fetch },
      setup: {
        map: { account: { industry: { values: industries } } },
        key: { account: hubKeyField, contact: hubKeyField },
        owners,
        defaultOwner: "zhang.san@example.com",
        country: "CN",
        currency: "CNY",
      },
    },
  ];
  const connections: Array<LiveConnection> = [];
  for (const side of sides) connections.push(await opened(side, { clock, store }, deletes));
  const chain: Policy["account"] = { default: ["newest", { prefer: [us, cn] }], fields: {} };
  const model = modelOf({});
  const engine: Engine = {
    store,
    model,
    settings: {
      model,
      policy: { account: chain, contact: chain },
      order: [us, cn],
      sides: new Map(
        connections.flatMap((live) =>
          [...live.sides].map(([entity, side]) => [sideKey(live.name, entity), side] as const),
        ),
      ),
      match: { account: ["taxId", "domain", "email", "phone"], contact: ["email", "login", "phone"] },
      flipsMax: 3,
      flipWindowMs: 24 * 60 * minuteMs,
    },
    connections,
    clock,
    ids: createIds(clock.now),
    progress: () => undefined,
  };
  const writes = (): number => here.traffic().writes + there.traffic().writes;
  const run = async (full = false, afterMs = 10 * minuteMs) => {
    clock.advance(afterMs);
    const report = await Effect.runPromise(sync(engine, { full, pushes: true }));
    expect(report.connections.map(({ name, outcome }) => [name, outcome.kind])).toEqual([
      [us, "ok"],
      [cn, "ok"],
    ]);
    return report;
  };
  const settle = async () => {
    for (let round = 0; round < roundsMax; round += 1) {
      const before = writes();
      const report = await run();
      if (writes() === before && report.outbox === 0) return report;
    }
    throw new Error("the systems do not come to rest");
  };
  const rows = async (kind: string) => {
    const listed = await Effect.runPromise(listConflicts({ store, model }, { limit: 1_000 }));
    return listed.filter((row) => row.kind === kind);
  };
  return { clock, here, there, run, settle, writes, rows };
}

const users = { ann: idOf("ann@example.com"), ben: idOf("ben@example.com") };

function idOf(address: string): string {
  const user = zohoUsers.find(({ email }) => email === address);
  if (user === undefined) throw new Error(`nobody in Zoho has ${address}`);
  return user.id;
}

const named = ({ screen }: Simulator, field: string, entity: "account" | "contact" = "account") =>
  screen
    .list(entity)
    .map((id) => screen.read(entity, id)?.[field])
    .sort();

const twinOf = ({ screen }: Simulator, field: string, value: unknown): string =>
  screen.list("account").find((id) => screen.read("account", id)?.[field] === value) ?? "none";

describe("Fxiaoke and Zoho under the engine", () => {
  it("come to full agreement, carry edits both ways, and then write nothing", async () => {
    const { clock, here, there, settle, writes } = await world();
    const ours = seedFxiaoke(here, { accounts: 25 });
    seedZoho(there, { accounts: 15 });
    const first = await settle();
    expect(first.agreement).toMatchObject({ share: 1, open: 0, pending: 0 });
    // Fifteen companies were in both, and were known by their domains; nobody works in both.
    expect(here.screen.list("account")).toHaveLength(25);
    expect(here.screen.list("contact")).toHaveLength(40);
    expect(named(here, "name")).toEqual(named(there, "Account_Name"));
    expect(named(here, "email", "contact")).toEqual(named(there, "Email", "contact"));

    const [edited = "", cleared = ""] = ours.accounts;
    const twin = twinOf(there, "Account_Name", here.screen.read("account", edited)?.name);
    const clearedTwin = twinOf(there, "Account_Name", here.screen.read("account", cleared)?.name);
    clock.advance(minuteMs);
    here.screen.edit("account", edited, { name: "改名有限公司" });
    there.screen.edit("account", twin, { Website: "https://new.example" });
    here.screen.edit("account", cleared, { tel: "" });
    await settle();
    expect(there.screen.read("account", twin)).toMatchObject({ Account_Name: "改名有限公司" });
    expect(here.screen.read("account", edited)).toMatchObject({ name: "改名有限公司", url: "https://new.example" });
    expect(there.screen.read("account", clearedTwin)).toMatchObject({ Phone: null });

    const before = writes();
    clock.advance(60 * minuteMs);
    await settle();
    expect(writes()).toBe(before);
  });

  it("make no double when the answers to creates are lost", async () => {
    const { here, there, settle } = await world({ switches: { indexLagMs: 3_000 } });
    seedZoho(there, { accounts: 4 });
    here.faults.add({ fault: "lost-reply", path: "/data/create", times: 3 });
    await settle();
    expect(here.faults.struck()["lost-reply"]).toBe(3);
    expect(named(here, "name")).toEqual(named(there, "Account_Name"));
    expect(here.screen.list("contact")).toHaveLength(4);
  });

  it("log a possible overwrite when somebody edits between the read and the write", async () => {
    const armed = { id: "" };
    const { clock, here, there, settle, rows } = await world({
      between: (simulator) => async (request) => {
        if (armed.id !== "" && new URL(request.url).pathname.endsWith("/data/update")) {
          const id = armed.id;
          armed.id = "";
          simulator.screen.edit("account", id, { tel: "021-99999999" });
        }
        return simulator.fetch(request);
      },
    });
    const { accounts } = seedFxiaoke(here, { accounts: 3, contacts: false });
    await settle();
    expect(await rows("overwrite")).toEqual([]);
    const [id = ""] = accounts;
    const twin = twinOf(there, "Account_Name", here.screen.read("account", id)?.name);
    clock.advance(minuteMs);
    there.screen.edit("account", twin, { Website: "https://new.example" });
    armed.id = id;
    const before = String(here.screen.read("account", id)?.version);
    await settle();
    expect(await rows("overwrite")).toMatchObject([
      {
        connection: cn,
        remoteId: id,
        state: "settled",
        rule: "possible overwrite",
        detail: {
          fields: ["website"],
          versionBefore: before,
          versionAfter: String(Number(before) + 2),
          lastModifiedBy: "1000",
        },
      },
    ]);
    // The person's edit was of another field: it is news, and reaches the other system.
    expect(here.screen.read("account", id)).toMatchObject({ tel: "021-99999999", url: "https://new.example" });
    expect(there.screen.read("account", twin)).toMatchObject({
      Phone: "+862199999999",
      Website: "https://new.example",
    });
  });

  it("make no doubles where two new hubs write to one tenant within a minute", async () => {
    const first = await world();
    const second = await world({ shared: first });
    for (const { there } of [first, second]) seedZoho(there, { accounts: 12 });
    await first.run();
    // The pull ends a minute before now, so the other hub's records are not read yet.
    await second.run(false, 5_000);
    await second.settle();
    expect(first.here.screen.list("account")).toHaveLength(12);
    expect(named(first.here, "name")).toEqual(named(first.there, "Account_Name"));
    expect(await second.rows("duplicate")).toEqual([]);
  });

  it("carry a delete that only a sweep can find, and never one of a record that was hidden", async () => {
    const { clock, here, there, run, settle } = await world({
      switches: { invalidRows: "hidden", concealedGet: "as-purged" },
      deletes: "propagate",
    });
    const { accounts } = seedFxiaoke(here, { accounts: 6, contacts: false });
    await settle();
    const [gone = "", hidden = ""] = accounts;
    const nameOf = (id: string): unknown => here.screen.read("account", id)?.name;
    const [goneName, hiddenName] = [nameOf(gone), nameOf(hidden)];
    clock.advance(10 * minuteMs);
    here.screen.remove("account", gone);
    here.conceal("account", hidden, true);
    await settle();
    expect(named(there, "Account_Name")).toContain(goneName);
    await run(true);
    await settle();
    expect(named(there, "Account_Name")).not.toContain(goneName);
    expect(named(there, "Account_Name")).toContain(hiddenName);
    expect(there.screen.list("account")).toHaveLength(5);
  });

  it("carry a new owner and a new choice as each system names them", async () => {
    const { clock, here, there, settle } = await world({ switches: { ownerMovesTime: false } });
    const { accounts } = seedFxiaoke(here, { accounts: 2, contacts: false });
    await settle();
    const [id = "", other = ""] = accounts;
    const twin = twinOf(there, "Account_Name", here.screen.read("account", id)?.name);
    const otherTwin = twinOf(there, "Account_Name", here.screen.read("account", other)?.name);
    // Number 1001 is 张三, who is Ann to Zoho; 1002 is 李四, who is Ben.
    expect(there.screen.read("account", twin)).toMatchObject({ Owner: { id: users.ben } });
    expect(there.screen.read("account", otherTwin)).toMatchObject({ Owner: { id: users.ann } });
    clock.advance(minuteMs);
    there.screen.edit("account", twin, { Industry: "Technology", Owner: { id: users.ann } });
    here.screen.edit("account", other, { owner: ["1002"], industry_level1: "2" });
    await settle();
    // Number three of the tenant's own list is 信息技术.
    expect(here.screen.read("account", id)).toMatchObject({ industry_level1: "3", owner: ["1001"] });
    expect(there.screen.read("account", otherTwin)).toMatchObject({
      Industry: "Banking",
      Owner: { id: users.ben },
    });
  });
});
