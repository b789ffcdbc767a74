import { Effect } from "effect";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createServiceKit, type ServiceKit, secret } from "../../kit/service-kit.ts";
import { call, core, makeToken } from "../http/scim/client.ts";

let kits: ReadonlyArray<ServiceKit> = [];
const names = ["one", "two", "three", "idp"];

/** Two hubs on one database: what one does not keep going, the other one does. */
beforeEach(async () => {
  const first = await createServiceKit({
    names: ["one", "two", "three"],
    connections: { idp: { use: "scim-provider", profile: "okta" } },
    fill: ({ one }) => one?.screen.create("account", { Name: "Acme", Domain: "acme.example" }),
  });
  kits = [first];
  await first.until("all have it", () => companies("two")[0] === "Acme" && companies("three")[0] === "Acme");
  await first.until("everything is read once", () => first.service.lanes().every((lane) => lane.isLoaded()));
  const { folder, connections } = first;
  kits = [first, await createServiceKit({ folder, names: [], connections })];
  await first.until("each keeps its share", () => kits.every((kit) => kept(kit).length === 2));
});

afterEach(async () => {
  for (const kit of kits.toReversed()) await kit.stop();
});

const kitAt = (index: number): ServiceKit => {
  const kit = kits[index];
  if (kit === undefined) throw new Error(`no hub ${index}`);
  return kit;
};
const kept = ({ service }: ServiceKit): ReadonlyArray<string> =>
  names.filter((name) => service.lane(name)?.keeping !== null);
const screenOf = (system: string) => {
  const { screen } = kitAt(0).systems[system] ?? {};
  if (screen === undefined) throw new Error(`no system ${system}`);
  return screen;
};
const companies = (system: string) =>
  screenOf(system)
    .list("account")
    .map((id) => screenOf(system).read("account", id)?.Name);
/** The hub that does not keep the connection going, and the one that does. */
const sidesOf = (name: string): readonly [other: ServiceKit, holder: ServiceKit] => {
  const holder = kits.find((kit) => kept(kit).includes(name)) ?? kitAt(0);
  return [kits.find((kit) => kit !== holder) ?? kitAt(0), holder];
};

const rename = (system: string, name: string): string => {
  const [id = ""] = screenOf(system).list("account");
  screenOf(system).edit("account", id, { Name: name });
  return id;
};

describe("two hubs on one database", () => {
  it("keep each connection going in one of them, and show who in both", async () => {
    expect([...kept(kitAt(0)), ...kept(kitAt(1))].toSorted()).toEqual(names.toSorted());
    for (const kit of kits) {
      await kit.until("all run", async () => {
        const states = await Effect.runPromise(kit.service.connections());
        return states.every(({ state }) => state === "running");
      });
      const states = await Effect.runPromise(kit.service.connections());
      const elsewhere = states.filter((one) => one.elsewhere !== null).map(({ name }) => name);
      expect(elsewhere.toSorted()).toEqual(names.filter((name) => !kept(kit).includes(name)).toSorted());
    }
  });

  it("carry an edit on that a call brings to the one that does not keep the connection going", async () => {
    const [other] = sidesOf("one");
    const id = rename("one", "Acme Group");
    const answer = await other.hook("one", {
      body: JSON.stringify({ type: "companies.updated", data: { id } }),
      secret,
    });
    expect(answer.status).toBe(200);
    await other.until("the others have it", () =>
      ["two", "three"].every((system) => companies(system)[0] === "Acme Group"),
    );
  });

  it("pull at once what the other one is asked for, and stop what the other one stops", async () => {
    const [other, holder] = sidesOf("one");
    rename("one", "Acme Group");
    expect(await Effect.runPromise(other.service.syncNow("one", false, "test"))).toEqual({ kind: "taken" });
    await other.until("the others have it", () => companies("two")[0] === "Acme Group");
    await Effect.runPromise(other.service.pause("one", "test"));
    await other.until("it stops there", () => holder.service.lane("one")?.status().state === "stopped");
    const shown = await Effect.runPromise(other.service.connections());
    expect(shown.find(({ name }) => name === "one")).toMatchObject({ state: "stopped", reason: "stopped by test" });
    await Effect.runPromise(other.service.resume("one", "test"));
    await other.until("it goes on there", () => holder.service.lane("one")?.status().state === "running");
  });

  it("take a user in at once who is pushed to the one that does not keep the directory going", async () => {
    const [other] = sidesOf("idp");
    const token = await makeToken(other, "idp");
    await other.until("it has read the directory", () => other.service.lane("idp")?.isLoaded() === true);
    const user = {
      schemas: [`${core}:User`],
      userName: "ann@acme.example",
      name: { givenName: "Ann", familyName: "Lee" },
    };
    const made = await call(other, "/Users", { method: "POST", body: user, as: token });
    expect(made.status).toBe(201);
    await other.until("the CRMs have her", () => screenOf("two").list("contact").length === 1);
  });

  it("give everything to the other one when one stops, and the writes go on", async () => {
    const [first, second] = [kitAt(0), kitAt(1)];
    const [other, holder] = sidesOf("two");
    await holder.service.stop(2_000);
    await other.until("it keeps all", () => kept(other).length === names.length);
    const id = rename("one", "Acme Group");
    const body = JSON.stringify({ type: "companies.updated", data: { id } });
    await other.hook("one", { body, secret });
    await other.until("the others have it", () => companies("two")[0] === "Acme Group");
    kits = [first, second];
  });
});
