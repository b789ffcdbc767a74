import { afterEach, describe, expect, it } from "vitest";
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
});
