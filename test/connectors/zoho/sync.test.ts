/** The connector under the real engine: two simulated systems come to agree, and a second run writes nothing. */
import { Effect } from "effect";
import { expect, it, onTestFinished } from "vitest";
import { memory } from "../../../connectors/memory/index.ts";
import { createMemorySimulator, seedMemory } from "../../../connectors/memory/simulator.ts";
import { zoho } from "../../../connectors/zoho/index.ts";
import { createZohoSimulator, seedZoho } from "../../../connectors/zoho/simulator.ts";
import { type Connector, Schema } from "../../../core/connector.ts";
import { modelOf } from "../../../core/model/fields.ts";
import type { Policy } from "../../../core/model/policy.ts";
import { sideKey } from "../../../core/model/settings.ts";
import { createTools } from "../../../core/net/tools.ts";
import type { Simulator } from "../../../core/simulator.ts";
import { serveSimulator } from "../../../core/simulator-server.ts";
import { openStore } from "../../../core/store/open.ts";
import { counterShelf, tokenShelf } from "../../../core/store/secrets.ts";
import { type ConnectionSetup, connect } from "../../../core/sync/connect.ts";
import type { Engine, LiveConnection } from "../../../core/sync/engine.ts";
import { createIds } from "../../../core/sync/ids.ts";
import { sync } from "../../../core/sync/sync.ts";
import { stillClock } from "../../kit/clock.ts";

const minuteMs = 60_000;

async function connectedTo(
  connector: Connector,
  simulator: Simulator,
  { name, clock, store }: { readonly name: string; readonly clock: Engine["clock"]; readonly store: Engine["store"] },
): Promise<LiveConnection> {
  const server = await serveSimulator(simulator);
  onTestFinished(() => server.close());
  const config = Schema.decodeUnknownSync(connector.config)(simulator.connection(server.url));
  const setup: ConnectionSetup = {
    name,
    connector,
    config,
    push: true,
    deletes: "detach",
    deleteAgainstUpdate: "keep",
    duplicates: "ask",
    quarantineMs: 0,
    skewMs: 0,
    map: {},
    key: { account: "Hub_Id", contact: "Hub_Id" },
    create: {},
    owners: {},
    defaultOwner: "ann@example.com",
    country: "DE",
    currency: "EUR",
    brake: { share: 0.05, records: 20, windowMs: 60 * minuteMs },
  };
  const tools = createTools({
    connection: name,
    limits: connector.limits(config),
    allowedHosts: ["127.0.0.1"],
    tokens: tokenShelf(store, name, config),
    counters: counterShelf(store, name),
    clock,
    log: { info: () => undefined, warn: () => undefined },
  }).forLane("user");
  return (await Effect.runPromise(connect(setup, modelOf({}), tools))).live;
}

async function world() {
  const clock = stillClock();
  const zohoSide = createZohoSimulator({ clock });
  const memorySide = createMemorySimulator({ clock });
  const key = Buffer.alloc(32, 5).toString("base64");
  const store = await Effect.runPromise(openStore({ place: ":memory:", key }));
  onTestFinished(() => store.close());
  // The engine hands each connector what that connector gave it.
  const opened = [
    await connectedTo(zoho as unknown as Connector, zohoSide, { name: "zoho-us", clock, store }),
    await connectedTo(memory as unknown as Connector, memorySide, { name: "memory-one", clock, store }),
  ];
  const chain: Policy["account"] = { default: ["newest", { prefer: ["zoho-us", "memory-one"] }], fields: {} };
  const engine: Engine = {
    store,
    model: modelOf({}),
    settings: {
      model: modelOf({}),
      policy: { account: chain, contact: chain },
      order: ["zoho-us", "memory-one"],
      sides: new Map(
        opened.flatMap((live) => [...live.sides].map(([entity, side]) => [sideKey(live.name, entity), side] as const)),
      ),
      match: { account: ["taxId", "domain", "email", "phone"], contact: ["email", "login", "phone"] },
      flipsMax: 3,
      flipWindowMs: 24 * 60 * minuteMs,
    },
    connections: opened,
    clock,
    ids: createIds(clock.now),
    progress: () => undefined,
  };
  const settle = async () => {
    for (let round = 0; round < 8; round += 1) {
      clock.advance(5 * minuteMs);
      const before = zohoSide.traffic().writes + memorySide.traffic().writes;
      const report = await Effect.runPromise(sync(engine, { full: false, pushes: true }));
      const failures = report.connections.filter(({ outcome }) => outcome.kind !== "ok");
      expect(failures.map(({ name, outcome }) => ({ name, outcome }))).toEqual([]);
      if (zohoSide.traffic().writes + memorySide.traffic().writes === before && report.outbox === 0) return report;
    }
    throw new Error("the systems do not come to rest");
  };
  return { clock, zoho: zohoSide, memory: memorySide, settle };
}

const namesIn = ({ screen }: Simulator, field: string): ReadonlyArray<unknown> =>
  screen
    .list("account")
    .map((id) => screen.read("account", id)?.[field])
    .sort();

it("brings two systems to agreement, carries edits both ways, and then writes nothing", async () => {
  const { clock, zoho: here, memory: there, settle } = await world();
  const ours = seedZoho(here, { accounts: 30 });
  seedMemory(there, { accounts: 4 });
  const first = await settle();
  expect(first.agreement).toMatchObject({ share: 1, open: 0, pending: 0 });
  expect(here.screen.list("account")).toHaveLength(34);
  expect(namesIn(here, "Account_Name")).toEqual(namesIn(there, "Name"));
  expect(here.screen.list("contact")).toHaveLength(34);
  expect(there.screen.list("contact")).toHaveLength(34);

  const [edited = ""] = ours.accounts;
  const key = here.screen.read("account", edited)?.Account_Name;
  const twin = there.screen.list("account").find((id) => there.screen.read("account", id)?.Name === key) ?? "";
  clock.advance(minuteMs);
  here.screen.edit("account", edited, { Account_Name: "Renamed in Zoho" });
  there.screen.edit("account", twin, { Phone: "+442079460000" });
  await settle();
  expect(there.screen.read("account", twin)).toMatchObject({ Name: "Renamed in Zoho", Phone: "+442079460000" });
  expect(here.screen.read("account", edited)).toMatchObject({
    Account_Name: "Renamed in Zoho",
    Phone: "+442079460000",
  });

  const writes = here.traffic().writes + there.traffic().writes;
  clock.advance(60 * minuteMs);
  await settle();
  expect(here.traffic().writes + there.traffic().writes).toBe(writes);
});

it("makes no double when the answer to a create is lost", async () => {
  const { zoho: here, memory: there, settle } = await world();
  seedMemory(there, { accounts: 3 });
  here.faults.add({ fault: "lost-reply", method: "POST", path: "/upsert", times: 2 });
  await settle();
  expect(here.faults.struck()["lost-reply"]).toBe(2);
  expect(namesIn(here, "Account_Name")).toEqual(namesIn(there, "Name"));
  expect(here.screen.list("contact")).toHaveLength(3);
});
