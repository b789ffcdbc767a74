import { describe, expect, it } from "vitest";
import { createKit } from "../../kit/engine-kit.ts";

const two = { a: { conditional: "version", returnsStored: true }, b: { conditional: "none" } } as const;

describe("sync of two systems", () => {
  it("carries a new account to the other system and writes nothing the second time", async () => {
    const kit = await createKit({ systems: two });
    kit.toy("a").create("account", { Name: "Acme", Domain: "acme.test", Phone: "+4930123456" });
    const report = await kit.sync();
    expect(report.connections.map((one) => one.outcome.kind)).toEqual(["ok", "ok"]);
    expect(kit.toy("b").live("account")).toHaveLength(1);
    expect(kit.toy("b").read("account", "b-1")).toMatchObject({
      Name: "Acme",
      Domain: "acme.test",
      Phone: "+4930123456",
    });
    const writes = kit.toy("a").writes.length + kit.toy("b").writes.length;
    const second = await kit.settle();
    expect(kit.toy("a").writes.length + kit.toy("b").writes.length).toBe(writes);
    expect(second.agreement.share).toBe(1);
    expect(second.outbox).toBe(0);
  });

  it("carries an edit both ways, field by field", async () => {
    const kit = await createKit({ systems: two });
    const id = kit.toy("a").create("account", { Name: "Acme", Domain: "acme.test", Phone: "+4930123456" });
    await kit.settle();
    kit.clock.advance(60_000);
    kit.toy("a").edit("account", id, { Phone: "+4930999999" });
    kit.toy("b").edit("account", "b-1", { Name: "Acme GmbH" });
    await kit.settle();
    expect(kit.toy("a").read("account", id)).toMatchObject({ Name: "Acme GmbH", Phone: "+4930999999" });
    expect(kit.toy("b").read("account", "b-1")).toMatchObject({ Name: "Acme GmbH", Phone: "+4930999999" });
    expect(await kit.conflicts()).toEqual([]);
  });

  it("links the same company by domain and logs the differing name as a settled conflict", async () => {
    const kit = await createKit({ systems: two });
    kit.toy("a").create("account", { Name: "Acme", Domain: "acme.test" });
    kit.toy("b").create("account", { Name: "Acme Inc.", Domain: "acme.test", Phone: "+4930123456" });
    await kit.settle();
    const accounts = await kit.accounts();
    expect(accounts).toHaveLength(1);
    expect(kit.toy("a").read("account", "a-1")).toMatchObject({ Name: "Acme", Phone: "+4930123456" });
    expect(kit.toy("b").read("account", "b-1")).toMatchObject({ Name: "Acme" });
    const conflicts = await kit.conflicts("value");
    expect(conflicts.map((row) => [row.field, row.state, row.rule, row.winner])).toEqual([
      ["name", "settled", "prefer", "a"],
    ]);
  });

  it("creates a contact only after its account is there, with the reference of that system", async () => {
    const kit = await createKit({ systems: two });
    const account = kit.toy("a").create("account", { Name: "Acme", Domain: "acme.test" });
    kit.toy("a").create("contact", { First: "Ann", Last: "Lee", Company: account, Mail1: "ann@acme.test" });
    await kit.settle();
    expect(kit.toy("b").live("contact")).toHaveLength(1);
    const [contact] = kit.toy("b").live("contact");
    expect(kit.toy("b").read("contact", contact ?? "")).toMatchObject({
      Company: kit.toy("b").live("account")[0],
      Last: "Lee",
    });
  });
});
