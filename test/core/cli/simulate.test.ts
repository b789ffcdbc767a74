import { readFileSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { StillClock } from "../../kit/clock.ts";
import { createPairKit, type PairKit } from "../../kit/pair-kit.ts";

let kit: PairKit;
let clock: StillClock;
let left: PairKit["left"];
let right: PairKit["right"];

beforeEach(async () => {
  kit = await createPairKit();
  ({ clock, left, right } = kit);
});

afterEach(() => kit.remove());

const write = (file: string, account: unknown, ofRight: Readonly<Record<string, unknown>> = {}): string =>
  kit.configure(file, { right: ofRight, more: { policy: { account } } });

const company = (name: string, fields: Readonly<Record<string, string>>) => ({
  Name: name,
  Domain: `${name}.example`,
  ...fields,
});

/** Two systems that met with other cities and phones: left wins all, and asks a person about the industry. */
async function met(): Promise<void> {
  write("syncline.yaml", { default: [{ prefer: ["left", "right"] }], fields: { industry: "manual" } });
  for (const [index, name] of ["acme", "birch"].entries()) {
    left.screen.create("account", company(name, { Phone: `+44207946000${index}`, City: "Leeds", Industry: "Retail" }));
    right.screen.create("account", company(name, { Phone: `+44207946111${index}`, City: "York", Industry: "Energy" }));
  }
  await kit.run("sync");
  clock.advance(60_000);
  expect((await kit.run("sync")).code).toBe(0);
}

describe("simulate", () => {
  it("tells which decisions, questions and writes another policy would have made, and keeps nothing", async () => {
    await met();
    const other = write("other.yaml", { default: [{ prefer: ["right", "left"] }], fields: { phone: "manual" } });
    const before = readFileSync(kit.file("hub.db"));
    const ran = await kit.run("simulate", "--config", other, "--json");
    expect(ran.code).toBe(0);
    expect(ran.json()).toMatchObject({
      decisions: 6,
      counts: { same: 0, other: 2, asks: 2, settles: 2, untold: 0 },
      standing: 2,
      writes: [
        { connection: "left", creates: 0, updates: 2, deletes: 0, dueNow: 0 },
        { connection: "right", creates: 0, updates: 2, deletes: 0, dueNow: 0 },
      ],
    });
    const text = await kit.run("simulate", "--config", other);
    expect(text.out).toMatch(/Of all 6 decisions .* 6 otherwise: 2 with another value, 2 left to a person, 2 settled/);
    expect(text.out).toMatch(/acme +billingAddress .*Leeds.*York/);
    expect(text.out).toMatch(/acme +phone +\+442079460000 +a person would be asked/);
    expect(left.screen.list("account").map((id) => left.screen.read("account", id)?.City)).toEqual(["Leeds", "Leeds"]);
    expect((await kit.run("replay", "--verify")).code).toBe(0);
    expect(readFileSync(kit.file("hub.db")).length).toBe(before.length);
  });

  it("finds nothing to differ under the policy that ruled, and looks only at what came since", async () => {
    await met();
    const same = await kit.run("simulate");
    expect(same.out).toMatch(/would have made 0 otherwise/);
    clock.advance(3_600_000);
    const other = write("other.yaml", { default: [{ prefer: ["right", "left"] }] });
    const since = new Date(clock.now()).toISOString();
    expect((await kit.run("simulate", "--config", other, "--since", since, "--json")).json()).toMatchObject({
      decisions: 0,
    });
    expect(await kit.run("simulate", "--since", "yesterday")).toMatchObject({ code: 2 });
  });

  it("tells the deletes that would have been handled otherwise, and the creates of another filter", async () => {
    write("syncline.yaml", { default: ["newest", { prefer: ["left", "right"] }] }, { create: { account: false } });
    const gone = left.screen.create("account", company("acme", {}));
    left.screen.create("account", company("birch", {}));
    await kit.run("sync");
    left.screen.remove("account", gone);
    clock.advance(60_000);
    await kit.run("sync");
    const other = write("other.yaml", { default: ["newest", { prefer: ["left", "right"] }] });
    const yaml = JSON.parse(readFileSync(other, "utf8")) as { connections: { left: Record<string, unknown> } };
    yaml.connections.left.deletes = "propagate";
    writeFileSync(other, JSON.stringify(yaml));
    const found = (await kit.run("simulate", "--config", other, "--json")).json();
    expect(found).toMatchObject({
      writes: [{ connection: "left" }, { connection: "right", creates: 2 }],
      deletes: [{ connection: "left", was: "detach", wouldBe: "propagate", count: 1 }],
    });
  });
});
