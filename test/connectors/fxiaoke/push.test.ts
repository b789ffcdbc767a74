import { describe, expect, it } from "vitest";
import { customObject, hubKeyField } from "../../../connectors/fxiaoke/simulator.ts";
import { creation, type FxiaokeWorld, fxiaokeWorld, minuteMs, removal, update } from "./kit.ts";

const versionOf = (world: FxiaokeWorld, id: string): number => Number(world.read(id)?.version);

describe("a create", () => {
  it("whose answer is lost is unknown, is found by the hub's id, and never becomes two", async () => {
    const world = await fxiaokeWorld();
    await world.api.describe("account");
    world.simulator.faults.add({ fault: "lost-reply", path: "/data/create", times: 1 });
    expect(await world.push(creation("hub-1", { name: "A" }))).toMatchObject({ kind: "unknown" });
    const [id = ""] = world.simulator.screen.list("account");
    const byKey = [{ field: hubKeyField, value: "hub-1" }];
    const found = await world.api.find("account", byKey, [hubKeyField]);
    expect(found.map((record) => [record.id, record.fields[hubKeyField]])).toEqual([[id, "hub-1"]]);
    // Also a caller who does not look gets no second record.
    expect(await world.push(creation("hub-1", { name: "A" }))).toMatchObject({ kind: "duplicate", id });
    expect(world.simulator.screen.list("account")).toEqual([id]);
  });

  it("is found once the index has caught up, where the answer names no id", async () => {
    const world = await fxiaokeWorld({
      customAccount: customObject,
      switches: { customDataId: "absent", indexLagMs: 4_000 },
    });
    const result = await world.push(creation("hub-1", { name: "A" }));
    const [id = ""] = world.simulator.screen.list("account");
    expect(result).toEqual({ kind: "applied", id, writes: 1 });
    expect(typeof id).toBe("string");
  });

  it("is unknown where the answer names no id and the index takes longer than was said", async () => {
    const world = await fxiaokeWorld({
      customAccount: customObject,
      switches: { customDataId: "absent", indexLagMs: minuteMs },
    });
    expect(await world.push(creation("hub-1", { name: "A" }))).toMatchObject({ kind: "unknown" });
    expect(world.simulator.screen.list("account")).toHaveLength(1);
  });

  it.each(["no_such__c", "field_Old01__c", "tel"])(
    "does not go without a text field for the hub's id: %s",
    async (keyField) => {
      const world = await fxiaokeWorld();
      const operation = { ...creation("hub-1", { name: "A" }), keyField };
      const fault = await world.push(operation).catch((error: unknown) => error);
      expect(fault).toMatchObject({ _tag: "AuthFailed", remedy: expect.stringContaining("key") });
      expect(world.simulator.screen.list("account")).toEqual([]);
    },
  );

  it("names the one record of the same name that the tenant's rule found", async () => {
    const world = await fxiaokeWorld({ switches: { duplicateName: "reject" } });
    const twin = world.account({ name: "A" });
    expect(await world.push(creation("hub-1", { name: "A" }))).toMatchObject({
      kind: "duplicate",
      id: twin,
      field: "name",
      reason: expect.stringContaining("查重"),
    });
    expect(world.simulator.screen.list("account")).toEqual([twin]);
  });

  it("goes past the tenant's rule where the settings say so", async () => {
    const world = await fxiaokeWorld({ switches: { duplicateName: "reject" }, keys: { duplicateSearch: false } });
    world.account({ name: "A" });
    expect(await world.push(creation("hub-1", { name: "A" }))).toMatchObject({ kind: "applied" });
  });
});

describe("a look-up", () => {
  it("that cannot see the field it looked by is a fault, never an empty answer", async () => {
    const world = await fxiaokeWorld();
    world.account({ [hubKeyField]: "hub-1" });
    world.simulator.switches.hiddenFields = [hubKeyField];
    const fault = await world.api
      .find("account", [{ field: hubKeyField, value: "hub-1" }], [])
      .catch((error: unknown) => error);
    expect(fault).toMatchObject({ _tag: "AuthFailed", remedy: expect.stringContaining(hubKeyField) });
  });
});

describe("flows of the tenant", () => {
  it("are not started unless the settings say so", async () => {
    const world = await fxiaokeWorld({ switches: { approval: "on", workflow: "on" } });
    const made = await world.push(creation("hub-1", { name: "A" }));
    const [id = ""] = world.simulator.screen.list("account");
    expect(made).toEqual({ kind: "applied", id, writes: 1 });
    expect(await world.push(update(id, { tel: "1" }))).toEqual({ kind: "applied", id, writes: 1 });
    expect(world.read(id)).toMatchObject({ life_status: "normal", last_modified_by: ["1000"], tel: "1", version: "2" });
  });

  it("make a write pending until it is approved", async () => {
    const world = await fxiaokeWorld({ switches: { approval: "on" }, keys: { triggerApprovalFlow: true } });
    const made = await world.push(creation("hub-1", { name: "A" }));
    const [id = ""] = world.simulator.screen.list("account");
    expect(made).toMatchObject({ kind: "pending", id, reason: expect.stringContaining("under_review") });
    expect(await world.push(update(id, { tel: "1" }))).toMatchObject({
      kind: "later",
      retryAfterMs: expect.any(Number),
    });
    world.simulator.approve("account", id);
    expect(await world.push(update(id, { tel: "1" }))).toMatchObject({ kind: "pending", id });
    expect(world.read(id)).not.toHaveProperty("tel");
    world.simulator.approve("account", id);
    expect(world.read(id)).toMatchObject({ tel: "1", life_status: "normal" });
  });

  it("run where the settings say so, and show as another writer's step", async () => {
    const world = await fxiaokeWorld({ switches: { workflow: "on" }, keys: { triggerWorkFlow: true } });
    const id = world.account();
    const before = versionOf(world, id);
    expect(await world.push(update(id, { tel: "1" }))).toEqual({ kind: "applied", id, writes: 1 });
    expect(versionOf(world, id) - before).toBe(2);
    expect(await world.fetched(id)).toMatchObject({ modifiedBy: "-10000" });
  });

  it("take the calls that the connector says beforehand", async () => {
    const world = await fxiaokeWorld({ keys: { triggerApprovalFlow: true } });
    const [first = "", ...ids] = world.fill(5);
    await world.push(update(first, { tel: "1" }));
    const made = (): number => world.calls("");
    const before = made();
    for (const id of ids) await world.push(update(id, { tel: "1" }));
    expect(made() - before).toBe(world.api.callsFor?.("update", ids.length));
  });
});

describe("an update", () => {
  it("changes only what is due, as one step of the version", async () => {
    const world = await fxiaokeWorld();
    const id = world.account({ tel: "1", fax: "2", remark: "3" });
    const before = world.read(id);
    expect(await world.push(update(id, { tel: "9" }))).toEqual({ kind: "applied", id, writes: 1 });
    const { tel, version, last_modified_by, ...others } = world.read(id) ?? {};
    expect({ tel, version, last_modified_by }).toEqual({ tel: "9", version: "2", last_modified_by: ["1000"] });
    expect(before).toMatchObject(others);
  });

  it.each([true, false])(
    "of the owner is a call of its own, and its steps are counted (time moved: %s)",
    async (ownerMovesTime) => {
      const world = await fxiaokeWorld({ switches: { ownerMovesTime } });
      const ids = world.fill(2);
      for (const id of ids) {
        const before = versionOf(world, id);
        const result = await world.push(update(id, { owner: ["1002"], tel: "1" }));
        expect(world.read(id)).toMatchObject({ owner: ["1002"], tel: "1" });
        expect(result).toEqual({ kind: "applied", id, writes: versionOf(world, id) - before });
      }
    },
  );

  it("whose owner is refused leaves the rest untouched, and says whom to check", async () => {
    const world = await fxiaokeWorld();
    const id = world.account({ tel: "1" });
    expect(await world.push(update(id, { owner: ["9999"], tel: "2" }))).toMatchObject({
      kind: "rejected",
      field: "owner",
      reason: expect.stringContaining("员工不存在"),
      remedy: expect.stringContaining("owners"),
    });
    expect(world.read(id)).toMatchObject({ owner: ["1001"], tel: "1", version: "1" });
  });

  it("is unknown, not failed, when the owner was changed and the rest was lost", async () => {
    const world = await fxiaokeWorld();
    const id = world.account();
    await world.api.describe("account");
    world.simulator.faults.add({ fault: "lost-reply", path: "/data/update", times: 1 });
    expect(await world.push(update(id, { owner: ["1002"], tel: "2" }))).toMatchObject({ kind: "unknown" });
    expect(world.read(id)).toMatchObject({ owner: ["1002"], tel: "2" });
  });

  it("waits for a locked record, and goes when it is unlocked", async () => {
    const world = await fxiaokeWorld();
    const id = world.account();
    world.simulator.screen.edit("account", id, { lock_status: "1" });
    for (const fields of [{ tel: "1" }, { owner: ["1002"] }]) {
      expect(await world.push(update(id, fields))).toMatchObject({
        kind: "later",
        reason: expect.stringContaining("锁定"),
        retryAfterMs: expect.any(Number),
      });
    }
    world.simulator.screen.edit("account", id, { lock_status: "0" });
    expect((await world.push(update(id, { tel: "1" })))?.kind).toBe("applied");
  });

  it("of a pooled record (公海) says that it must be claimed", async () => {
    const world = await fxiaokeWorld();
    const id = world.simulator.screen.create("account", { name: "A", high_seas_id: "pool" });
    expect(await world.fetched(id, ["owner"])).toMatchObject({ fields: { owner: null } });
    for (const fields of [{ tel: "1" }, { owner: ["1002"] }]) {
      expect(await world.push(update(id, fields))).toMatchObject({
        kind: "rejected",
        remedy: expect.stringContaining("公海"),
      });
    }
  });

  it("does not send what the platform drops without a word", async () => {
    const world = await fxiaokeWorld();
    const id = world.account();
    for (const name of ["account_no", "create_time", "life_status", "owner__r", "no_such__c", "field_Old01__c"]) {
      expect(await world.push(update(id, { [name]: "x" }))).toMatchObject({ kind: "rejected", field: name });
    }
    expect(await world.push(update(id, { owner: null }))).toMatchObject({
      kind: "rejected",
      field: "owner",
      remedy: expect.stringContaining("defaultOwner"),
    });
    expect(world.simulator.traffic().writes).toBe(0);
  });

  it("shows the vendor's own words, the code and the trace, with a remedy that fits", async () => {
    const world = await fxiaokeWorld();
    const id = world.account();
    const result = await world.push(update(id, { industry_level1: "99" }));
    expect(result).toMatchObject({
      kind: "rejected",
      field: "industry_level1",
      code: "500",
      reason: expect.stringMatching(/500.*字段\[1级行业\]的选项值\[99\]不存在.*trace E-O\.acme01/),
    });
    expect(result).not.toMatchObject({ remedy: expect.stringContaining("not there") });
    expect(await world.push(update(id, { parent_account_id: "示例" }))).toMatchObject({
      kind: "rejected",
      field: "parent_account_id",
      remedy: expect.stringContaining("parent"),
    });
  });
});

describe("a push of several operations", () => {
  it("keeps what was done when one of them fails", async () => {
    const world = await fxiaokeWorld();
    const ids = world.fill(3);
    await world.api.describe("account");
    world.simulator.faults.add({ fault: "lost-reply", path: "/data/update", from: 2, times: 1 });
    const results = (await world.api.push?.(ids.map((id) => update(id, { tel: "1" })))) ?? [];
    expect(results.map(({ kind }) => kind).sort()).toEqual(["applied", "applied", "unknown"]);
    expect(ids.map((id) => world.read(id)?.tel)).toEqual(["1", "1", "1"]);
  });

  it("throws when nothing could be sent", async () => {
    const world = await fxiaokeWorld();
    const ids = world.fill(2);
    await world.api.describe("account");
    world.simulator.faults.add({ fault: "rate-over-200", path: "/data/update", times: 100 });
    await expect(world.api.push?.(ids.map((id) => update(id, { tel: "1" })))).rejects.toMatchObject({
      _tag: "RateLimited",
    });
    expect(world.simulator.traffic().writes).toBe(0);
  });

  it("does creates, updates and deletes of a custom object through its own paths", async () => {
    const world = await fxiaokeWorld({ customAccount: customObject });
    const [edited = "", removed = ""] = world.fill(2);
    await world.api.push?.([
      update(edited, { name: "B", owner: ["1002"] }),
      removal(removed),
      creation("hub-1", { name: "C" }),
    ]);
    const live = world.simulator.screen.list("account").map((id) => world.read(id));
    expect(live.map((row) => [row?.name, row?.owner])).toEqual([
      ["B", ["1002"]],
      ["C", ["1001"]],
    ]);
    const called = Object.keys(world.simulator.traffic().calls).filter((call) => call.includes("/data/"));
    expect(called.filter((call) => !call.includes("/cgi/crm/custom/"))).toEqual([]);
  });
});
