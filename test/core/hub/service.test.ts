import { Effect } from "effect";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../core/net/clock.ts";
import { StoreFailed } from "../../../core/store/failure.ts";
import { replayCalls } from "../../../core/store/inbox.ts";
import { createServiceKit, type ServiceKit, type ServiceKitOptions } from "../../kit/service-kit.ts";

let kit: ServiceKit | undefined;
afterEach(async () => {
  await kit?.stop();
  kit = undefined;
});

const start = async (options?: ServiceKitOptions): Promise<ServiceKit> => {
  kit = await createServiceKit(options);
  return kit;
};

/** Names of the companies that a system holds. */
const names = (of: ServiceKit, system: string) =>
  (of.systems[system]?.screen.list("account") ?? []).map((id) => of.systems[system]?.screen.read("account", id)?.Name);

describe("a running hub", () => {
  it("loads both systems at its start and brings them into agreement", async () => {
    const running = await start({
      fill: ({ one, two }) => {
        one?.screen.create("account", { Name: "Acme", Domain: "acme.example" });
        two?.screen.create("account", { Name: "Beta", Domain: "beta.example" });
      },
    });
    await running.until(
      "both hold both",
      () => names(running, "one").length === 2 && names(running, "two").length === 2,
    );
    expect(names(running, "one").toSorted()).toEqual(["Acme", "Beta"]);
    expect(names(running, "two").toSorted()).toEqual(["Acme", "Beta"]);
  });

  it("goes on with its first load when the store has not taken one of its writes", async () => {
    let failed = 0;
    const running = await start({
      fill: ({ one }) => one?.screen.create("account", { Name: "Acme", Domain: "acme.example" }),
      opened: ({ store: { database } }) => {
        const write = database.write.bind(database);
        const failing: typeof database.write = (what, body, kept) =>
          what.startsWith("applying") && failed++ === 0
            ? Effect.fail(new StoreFailed("the disk is full", "Make room.", undefined))
            : write(what, body, kept);
        Object.assign(database, { write: failing });
      },
    });
    await running.until("the other has it", () => names(running, "two").length === 1);
    expect(failed).toBeGreaterThan(1);
    expect(running.events).toContainEqual({ kind: "store", ok: false, reason: "the disk is full" });
    await running.until("it is well again", () => running.service.readiness().ready);
  });

  it("carries an edit to the other system when a webhook names the record", async () => {
    const running = await start({
      fill: ({ one }) => one?.screen.create("account", { Name: "Acme", Domain: "acme.example" }),
    });
    await running.until("the other has it", () => names(running, "two").length === 1);
    const [id = ""] = running.systems.one?.screen.list("account") ?? [];
    running.systems.one?.screen.edit("account", id, { Name: "Acme Group" });
    const answer = await running.hook("one", { body: JSON.stringify({ type: "companies.updated", data: { id } }) });
    expect(answer.status).toBe(200);
    await running.until("the edit arrived", () => names(running, "two")[0] === "Acme Group");
  });

  it("carries an edit by its schedule alone", async () => {
    const running = await start({
      keys: { one: { pull: { every: "* * * * * *" } } },
      fill: ({ one }) => one?.screen.create("account", { Name: "Acme", Domain: "acme.example" }),
    });
    await running.until("the other has it", () => names(running, "two").length === 1);
    const [id = ""] = running.systems.one?.screen.list("account") ?? [];
    running.systems.one?.screen.edit("account", id, { Name: "Acme Group" });
    await running.until("the edit arrived", () => names(running, "two")[0] === "Acme Group");
  });

  it("writes and reads nothing while a person has stopped a connection, and makes up for it after", async () => {
    const running = await start({
      fill: ({ one }) => one?.screen.create("account", { Name: "Acme", Domain: "acme.example" }),
    });
    await running.until("the other has it", () => names(running, "two").length === 1);
    await Effect.runPromise(running.service.pause("two", "test"));
    const [id = ""] = running.systems.one?.screen.list("account") ?? [];
    running.systems.one?.screen.edit("account", id, { Name: "Acme Group" });
    await running.hook("one", { body: JSON.stringify({ type: "companies.updated", data: { id } }) });
    await running.until("the hub knows it", () =>
      running.events.some((event) => event.kind === "read" && event.records > 0),
    );
    expect(names(running, "two")).toEqual(["Acme"]);
    await Effect.runPromise(running.service.resume("two", "test"));
    await running.until("the edit arrived", () => names(running, "two")[0] === "Acme Group");
  });

  it("reads a connection that a reload brings, and lets one sleep that it takes away", async () => {
    const running = await start({
      names: ["one", "two", "three"],
      fill: ({ one }) => one?.screen.create("account", { Name: "Acme", Domain: "acme.example" }),
    });
    await running.until("all have it", () => names(running, "three").length === 1);
    let three: Record<string, unknown> | undefined;
    running.setYaml((yaml) => {
      three = yaml.connections.three;
      delete yaml.connections.three;
    });
    expect(await Effect.runPromise(running.service.reload("test"))).toMatchObject({
      kind: "done",
      plan: { gone: ["three"], added: [], changed: [] },
    });
    const states = await Effect.runPromise(running.service.connections());
    expect(states.find((one) => one.name === "three")?.state).toBe("sleeping");
    const [id = ""] = running.systems.one?.screen.list("account") ?? [];
    running.systems.one?.screen.edit("account", id, { Name: "Acme Group" });
    await running.hook("one", { body: JSON.stringify({ type: "companies.updated", data: { id } }) });
    await running.until("two has the edit", () => names(running, "two")[0] === "Acme Group");
    expect(names(running, "three")).toEqual(["Acme"]);
    running.setYaml((yaml) => {
      if (three !== undefined) yaml.connections.three = three;
    });
    await Effect.runPromise(running.service.reload("test"));
    await running.until("three has it too", () => names(running, "three")[0] === "Acme Group");
  });

  it("goes on as before when the YAML has errors", async () => {
    const running = await start();
    const states = async () =>
      (await Effect.runPromise(running.service.connections())).map((one) => one.state).join(" ");
    await running.until("both run", async () => (await states()) === "running running");
    running.setYaml((yaml) => {
      yaml.hub.nonsense = 1;
    });
    const answer = await Effect.runPromise(running.service.reload("test"));
    expect(answer.kind).toBe("refused");
    expect(await states()).toBe("running running");
  });

  it("reads kept calls again on request", async () => {
    const running = await start({
      fill: ({ one }) => one?.screen.create("account", { Name: "Acme", Domain: "acme.example" }),
    });
    await running.until("the other has it", () => names(running, "two").length === 1);
    const [id = ""] = running.systems.one?.screen.list("account") ?? [];
    await running.hook("one", { body: JSON.stringify({ type: "companies.updated", data: { id } }) });
    const reads = () => running.events.filter((event) => event.kind === "read" && event.calls > 0).length;
    await running.until("it was read", () => reads() === 1);
    const { database } = running.service.hub().store;
    expect(await Effect.runPromise(replayCalls(database, { connection: "one", since: null }))).toBe(1);
    running.service.lane("one")?.ring("inbox");
    await running.until("it was read again", () => reads() === 2);
  });

  it("leaves a system that refuses it alone for a while, whatever else happens", async () => {
    const running = await start({ keys: { two: { apiKey: "wrong" } } });
    const tries = () =>
      Object.values(running.systems.two?.traffic().calls ?? {}).reduce((sum, count) => sum + count, 0);
    await running.until("it was refused", () => tries() > 0);
    const before = tries();
    const stored = () => running.events.filter((event) => event.kind === "hook" && event.verdict === "stored").length;
    const reads = () => running.events.filter((event) => event.kind === "read" && event.calls > 0).length;
    for (let call = 1; call <= 8; call += 1) {
      await running.hook("one", { body: JSON.stringify({ type: "companies.updated", data: { id: "1" } }) });
      // Each call is one more commit of the thread that keeps them, and is read on its own.
      await running.until("the call was read", () => reads() >= call);
      await systemClock.sleep(300);
    }
    expect(stored()).toBe(8);
    expect(tries()).toBe(before);
  });
});
