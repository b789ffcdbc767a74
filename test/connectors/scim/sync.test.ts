/** A directory beside a CRM, through the engine: who is who, what travels, and that it comes to rest. */
import { writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMemorySimulator, type MemorySimulator } from "../../../connectors/memory/simulator.ts";
import { createScimSimulator, type Switches } from "../../../connectors/scim/simulator.ts";
import type { Simulator } from "../../../core/simulator.ts";
import { type SimulatorServer, serveSimulator } from "../../../core/simulator-server.ts";
import { type CliKit, createCliKit } from "../../kit/cli-kit.ts";
import { type StillClock, stillClock } from "../../kit/clock.ts";

let kit: CliKit;
let clock: StillClock;
let servers: Array<SimulatorServer>;
let crm: MemorySimulator;
let directory: Simulator;

beforeEach(() => {
  clock = stillClock();
  kit = createCliKit({ clock });
  servers = [];
});

afterEach(async () => {
  for (const server of servers) await server.close();
  kit.remove();
});

async function start(switches: Partial<Switches> = {}, keys: Readonly<Record<string, unknown>> = {}): Promise<void> {
  crm = createMemorySimulator({ clock });
  directory = createScimSimulator({ clock, switches, groups: keys.accounts !== undefined });
  servers = [await serveSimulator(crm), await serveSimulator(directory)];
  const [one, two] = servers;
  const yaml = {
    hub: { store: `sqlite:${kit.file("hub.db")}` },
    connections: {
      crm: {
        use: "memory",
        ...crm.connection(one?.url ?? ""),
        key: { account: "Hub_Id", contact: "Hub_Id" },
        deletes: "propagate",
      },
      directory: {
        use: "scim",
        ...directory.connection(two?.url ?? ""),
        key: { contact: "externalId", ...(keys.accounts === undefined ? {} : { account: "externalId" }) },
        deletes: "propagate",
        ...keys,
      },
    },
  };
  writeFileSync(kit.file("syncline.yaml"), JSON.stringify(yaml));
}

async function settle(): Promise<Readonly<Record<string, unknown>>> {
  for (let round = 0; round < 8; round++) {
    clock.advance(120_000);
    const before = crm.traffic().writes + directory.traffic().writes;
    const ran = await kit.run("sync", "--full", "--json");
    if (ran.code !== 0) throw new Error(`${ran.out} ${ran.err}`);
    if (crm.traffic().writes + directory.traffic().writes === before && ran.json().outbox === 0) return ran.json();
  }
  throw new Error("the systems do not come to rest");
}

const userOf = (email: string) => {
  const id = directory.screen
    .list("contact")
    .find((one) => directory.screen.read("contact", one)?.["emails[1]"] === email);
  return id === undefined ? undefined : { id, ...directory.screen.read("contact", id) };
};
const personOf = (email: string) => {
  const id = crm.screen.list("contact").find((one) => crm.screen.read("contact", one)?.Email === email);
  return id === undefined ? undefined : { id, ...crm.screen.read("contact", id) };
};

const kinds: ReadonlyArray<readonly [string, Partial<Switches>]> = [
  ["a provider that follows the RFC", {}],
  ["a provider with equality and PUT alone", { filter: "eq", times: "refused", patch: false, etag: false }],
  ["a provider with cursors", { paging: "cursor", etag: false, silentPatch: true }],
];

describe.each(kinds)("%s", (_title, switches) => {
  it("gets new contacts, gives its own, links whom both know, and comes to rest", async () => {
    await start(switches);
    crm.screen.create("contact", { FirstName: "Ann", LastName: "Lee", Email: "ann@acme.example", Title: "Buyer" });
    crm.screen.create("contact", { FirstName: "Ben", LastName: "Osei", Email: "ben@acme.example" });
    directory.screen.create("contact", {
      userName: "ann@acme.example",
      "emails[1]": "ann@acme.example",
      "name.familyName": "Lee",
      active: true,
    });
    directory.screen.create("contact", {
      userName: "cara",
      "emails[1]": "cara@acme.example",
      "name.givenName": "Cara",
      "name.familyName": "Ng",
      title: "Clerk",
    });
    const report = await settle();
    expect(report).toMatchObject({ agreement: { share: 1 }, outbox: 0 });
    expect(directory.screen.list("contact")).toHaveLength(3);
    expect(crm.screen.list("contact")).toHaveLength(3);
    expect(userOf("ann@acme.example")).toMatchObject({ title: "Buyer", "name.givenName": "Ann", active: true });
    expect(userOf("ben@acme.example")).toMatchObject({ userName: "ben@acme.example", "name.familyName": "Osei" });
    expect(personOf("cara@acme.example")).toMatchObject({ FirstName: "Cara", LastName: "Ng", Title: "Clerk" });
    const writes = directory.traffic().writes + crm.traffic().writes;
    await settle();
    expect(directory.traffic().writes + crm.traffic().writes).toBe(writes);
  });

  it("carries edits both ways, and deactivates whom the CRM deletes without calling that a restore", async () => {
    await start(switches);
    crm.screen.create("contact", { FirstName: "Ann", LastName: "Lee", Email: "ann@acme.example", Title: "Buyer" });
    await settle();
    clock.advance(3_600_000);
    const user = userOf("ann@acme.example");
    directory.screen.edit("contact", user?.id ?? "", { title: "Head of Purchasing" });
    await settle();
    expect(personOf("ann@acme.example")).toMatchObject({ Title: "Head of Purchasing" });
    crm.screen.edit("contact", personOf("ann@acme.example")?.id ?? "", { LastName: "Lee-Smith" });
    await settle();
    expect(userOf("ann@acme.example")).toMatchObject({ "name.familyName": "Lee-Smith", "name.givenName": "Ann" });
    crm.screen.remove("contact", personOf("ann@acme.example")?.id ?? "");
    await settle();
    expect(userOf("ann@acme.example")).toMatchObject({ active: false });
    await settle();
    expect((await kit.run("conflicts", "list", "--json")).json().items).toEqual([]);
    expect(crm.screen.list("contact")).toEqual([]);
  });

  it("deletes nobody because a read failed, and only whom the provider says to be gone", async () => {
    await start(switches);
    for (let index = 0; index < 5; index++) {
      directory.screen.create("contact", {
        userName: `user-${index}`,
        "emails[1]": `user-${index}@acme.example`,
        "name.familyName": `U${index}`,
      });
    }
    await settle();
    expect(crm.screen.list("contact")).toHaveLength(5);
    directory.screen.remove("contact", userOf("user-3@acme.example")?.id ?? "");
    await settle();
    // A delete may be half of a merge, so it waits before it is carried on.
    expect(personOf("user-3@acme.example")).toBeDefined();
    clock.advance(24 * 3_600_000);
    await settle();
    expect(personOf("user-3@acme.example")).toBeUndefined();
    expect(crm.screen.list("contact")).toHaveLength(4);
  });
});

it("takes groups as accounts, and belonging to one as the contact's account", async () => {
  await start({}, { accounts: { endpoint: "/Groups" } });
  directory.screen.create("account", { displayName: "Acme Tools" });
  await settle();
  const [company = ""] = crm.screen.list("account");
  expect(crm.screen.read("account", company)).toMatchObject({ Name: "Acme Tools" });
  crm.screen.create("account", { Name: "Birch Foods" });
  await settle();
  expect(directory.screen.list("account").map((id) => directory.screen.read("account", id)?.displayName)).toEqual([
    "Acme Tools",
    "Birch Foods",
  ]);
});
