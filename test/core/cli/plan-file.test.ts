import { readFileSync, statSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { MemorySimulator } from "../../../connectors/memory/simulator.ts";
import type { StillClock } from "../../kit/clock.ts";
import { createPairKit, type PairKit } from "../../kit/pair-kit.ts";

let kit: PairKit;
let clock: StillClock;
let left: PairKit["left"];
let right: PairKit["right"];

beforeEach(async () => {
  kit = await createPairKit();
  ({ clock, left, right } = kit);
  kit.configure("syncline.yaml");
});

afterEach(() => kit.remove());

const file = (): string => kit.file("plan.json");
const names = ({ screen }: MemorySimulator, entity: "account" | "contact" = "account"): ReadonlyArray<unknown> =>
  screen.list(entity).map((id) => screen.read(entity, id)?.[entity === "account" ? "Name" : "LastName"]);
/** One account in both systems, in agreement. */
async function settled(): Promise<{ readonly here: string; readonly there: string }> {
  const here = left.screen.create("account", { Name: "Acme Tools", City: "Leeds", Phone: "+442079460000" });
  await kit.run("sync");
  clock.advance(60_000);
  await kit.run("sync");
  const [there = ""] = right.screen.list("account");
  return { here, there };
}

describe("plan -o and apply", () => {
  it("writes what was planned, with the references between what is new", async () => {
    const account = left.screen.create("account", { Name: "Acme Tools" });
    left.screen.create("contact", { FirstName: "Ann", LastName: "Lee", CompanyId: account, Email: "ann@acme.example" });
    const planned = await kit.run("plan", "-o", file());
    expect(planned).toMatchObject({ code: 0, out: expect.stringContaining(`npx syncline apply ${file()}`) });
    expect(right.screen.list("account")).toEqual([]);
    const applied = await kit.run("apply", file());
    expect(applied).toMatchObject({ code: 0, out: expect.stringContaining("2 written as planned.") });
    const [made = ""] = right.screen.list("account");
    const [person = ""] = right.screen.list("contact");
    expect(right.screen.read("contact", person)).toMatchObject({ LastName: "Lee", CompanyId: made });
    clock.advance(60_000);
    const after = (await kit.run("sync", "--json")).json();
    expect(after).toMatchObject({ outbox: 0, connections: [{ pushed: { created: 0 } }, { pushed: { created: 0 } }] });
  });

  it("leaves what became due since the plan, and says so", async () => {
    left.screen.create("account", { Name: "Acme Tools" });
    await kit.run("plan", "-o", file());
    left.screen.create("account", { Name: "Birch Foods" });
    const applied = await kit.run("apply", file());
    expect(names(right)).toEqual(["Acme Tools"]);
    expect(applied).toMatchObject({ code: 0, out: expect.stringContaining("not in this plan: 1 more write") });
    await kit.run("sync");
    expect([...names(right)].sort()).toEqual(["Acme Tools", "Birch Foods"]);
  });

  it("writes nothing a second time", async () => {
    left.screen.create("account", { Name: "Acme Tools" });
    await kit.run("plan", "-o", file());
    await kit.run("apply", file());
    const { writes } = right.traffic();
    const again = await kit.run("apply", file());
    expect(again).toMatchObject({ code: 0, out: expect.stringContaining("1 done already") });
    expect(right.traffic().writes).toBe(writes);
  });

  it("refuses the step whose record has changed, naming the field, and does the others", async () => {
    const { here, there } = await settled();
    const other = left.screen.create("account", { Name: "Birch Foods" });
    await kit.run("sync");
    clock.advance(60_000);
    left.screen.edit("account", here, { City: "York" });
    left.screen.edit("account", other, { City: "Hull" });
    await kit.run("plan", "-o", file());
    clock.advance(1_000);
    right.screen.edit("account", there, { Phone: "+442079461111" });
    const applied = await kit.run("apply", file());
    expect(applied.code).toBe(1);
    expect(applied.out).toMatch(/1 written as planned, 1 not written/);
    expect(applied.out).toMatch(/Acme Tools .* phone changed in right since/);
    expect(right.screen.read("account", there)).toMatchObject({ City: "Leeds", Phone: "+442079461111" });
    const cities = right.screen.list("account").map((id) => right.screen.read("account", id)?.City);
    expect(cities).toEqual(["Leeds", "Hull"]);
    // Nothing is lost by it: the next sync brings both.
    clock.advance(60_000);
    await kit.run("sync");
    expect(right.screen.read("account", there)).toMatchObject({ City: "York", Phone: "+442079461111" });
  });

  it("refuses the step whose value has changed at its source", async () => {
    const { here, there } = await settled();
    clock.advance(60_000);
    left.screen.edit("account", here, { City: "York" });
    await kit.run("plan", "-o", file());
    clock.advance(1_000);
    left.screen.edit("account", here, { City: "Hull" });
    const applied = await kit.run("apply", file(), "--json");
    expect(applied.code).toBe(1);
    expect(applied.json()).toMatchObject({
      counts: { written: 0, moved: 1 },
      left: [{ outcome: "moved", reason: "billingAddress would get another value now" }],
    });
    expect(right.screen.read("account", there)).toMatchObject({ City: "Leeds" });
  });

  it("refuses a step in mid-write, when the lock shows that the record has just moved", async () => {
    const { here, there } = await settled();
    clock.advance(60_000);
    left.screen.edit("account", here, { City: "York" });
    await kit.run("plan", "-o", file());
    // The write itself finds the record changed: between its read and its write a person was at work.
    right.faults.add({ fault: "slow", path: "/writes", delayMs: 1 });
    vi.spyOn(clock, "sleep").mockImplementationOnce(async () => {
      right.screen.edit("account", there, { City: "Bath" });
    });
    const applied = await kit.run("apply", file());
    expect(applied).toMatchObject({ code: 1, out: expect.stringMatching(/1 not written.*\n[\s\S]*billingAddress/) });
    expect(right.faults.struck().slow).toBe(1);
    expect(right.screen.read("account", there)).toMatchObject({ City: "Bath" });
  });

  it("says what waits when a system cannot be reached", async () => {
    left.screen.create("account", { Name: "Acme Tools" });
    await kit.run("plan", "-o", file());
    right.faults.add({ fault: "status-500", path: "/companies", times: 1_000 });
    const applied = await kit.run("apply", file(), "--json");
    expect(applied.code).toBe(1);
    expect(applied.json()).toMatchObject({ counts: { written: 0, waits: 1 }, left: [{ reason: expect.any(String) }] });
    expect(right.screen.list("account")).toEqual([]);
  });

  it("keeps the plan sealed and to its owner, and reads back none that was changed", async () => {
    left.screen.create("account", { Name: "Acme Tools" });
    left.screen.create("contact", { FirstName: "Zenobia", LastName: "Canary", Email: "zenobia@canary.example" });
    await kit.run("plan", "-o", file());
    const text = readFileSync(file(), "utf8");
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    expect(text).not.toMatch(/Zenobia|Canary|canary/);
    expect(JSON.parse(text)).toMatchObject({ steps: 2, connections: [{}, { name: "right", creates: 2 }] });
    const { sealed, ...clear } = JSON.parse(text) as { sealed: string };
    const broken = `${sealed.slice(0, -8)}AAAAAAA=`;
    writeFileSync(file(), JSON.stringify({ ...clear, sealed: broken }));
    expect(await kit.run("apply", file())).toMatchObject({
      code: 1,
      err: expect.stringMatching(/another key, or was changed[\s\S]*make a new plan/),
    });
    for (const [wrong, words] of [
      ["not json", "is not JSON"],
      ["{}", "is no plan"],
      [JSON.stringify({ ...clear, sealed, format: 9 }), "has format 9"],
    ] as const) {
      writeFileSync(file(), wrong);
      expect(await kit.run("apply", file())).toMatchObject({ code: 1, err: expect.stringContaining(words) });
    }
    expect(await kit.run("apply", kit.file("none.json"))).toMatchObject({ code: 2 });
    expect(right.screen.list("account")).toEqual([]);
  });

  it("stops at a connection that the YAML does not name any more", async () => {
    left.screen.create("account", { Name: "Acme Tools" });
    await kit.run("plan", "-o", file());
    const yaml = JSON.parse(readFileSync(kit.file("syncline.yaml"), "utf8")) as {
      connections: Record<string, unknown>;
    };
    delete yaml.connections.right;
    writeFileSync(kit.file("syncline.yaml"), JSON.stringify(yaml));
    expect(await kit.run("apply", file())).toMatchObject({ code: 2, err: expect.stringContaining("right") });
  });
});
