import { describe, expect, it } from "vitest";
import { openIdOf } from "../../../connectors/fxiaoke/simulator/tenant.ts";
import { Refusal } from "../../../core/connector.ts";
import { encodeField } from "../../../core/model/mapping.ts";
import { contextOf, mapOf, recordsIn, valueIn } from "../../kit/contract/world.ts";
import { fxiaokeWorld, minuteMs, update } from "./kit.ts";

describe("choices", () => {
  it("are numbers of the tenant on the wire and labels to the hub", async () => {
    const world = await fxiaokeWorld();
    const id = world.account({ industry_level1: "2" });
    const context = await contextOf(world, "account");
    const rule = mapOf(world, "account").fields.industry;
    const read = await world.fetched(id, ["industry_level1"]);
    if (rule === undefined || read?.kind !== "record") throw new Error("nothing was read");
    expect(read.fields).toEqual({ industry_level1: "2" });
    expect(valueIn("account", "industry", rule, { fields: read.fields, context })).toBe("金融业");
    expect(encodeField(rule, "制造业", context)).toEqual({ industry_level1: "1" });
    const unknown = encodeField(rule, "采矿业", context);
    expect(unknown).toBeInstanceOf(Refusal);
    expect(unknown).toMatchObject({ remedy: expect.stringMatching(/\S/) });
  });
});

describe("a field that the answer leaves out", () => {
  const fields = ["name", "tel", "fax", "owner"];

  it.each([true, false])("is empty where it may be empty (empty fields shown on request: %s)", async (nullsShown) => {
    const world = await fxiaokeWorld({ switches: { nullsShown } });
    const id = world.account({ tel: "1" });
    world.clock.advance(2 * minuteMs);
    const wanted = { name: "示例科技有限公司", tel: "1", fax: null, owner: ["1001"] };
    expect(recordsIn(await world.pull({ fields })).map((record) => record.fields)).toEqual([wanted]);
    expect(await world.fetched(id, fields)).toMatchObject({ fields: wanted });
    await world.push(update(id, { tel: null }));
    expect(await world.fetched(id, fields)).toMatchObject({ fields: { ...wanted, tel: null } });
  });

  it("is not known where the acting user may not see it", async () => {
    const world = await fxiaokeWorld({ switches: { hiddenFields: ["tel", "name"] } });
    const id = world.account({ tel: "1" });
    world.clock.advance(2 * minuteMs);
    const wanted = { fax: null, owner: ["1001"] };
    expect(recordsIn(await world.pull({ fields })).map((record) => record.fields)).toEqual([wanted]);
    expect(await world.fetched(id, fields)).toMatchObject({ fields: wanted });
    const read = await world.fetched(id, fields);
    expect(read?.kind === "record" ? Object.keys(read.fields).sort() : read).toEqual(["fax", "owner"]);
  });

  it("is not known where the object does not have it", async () => {
    const world = await fxiaokeWorld();
    const id = world.account();
    const read = await world.fetched(id, ["name", "field_Old01__c", "no_such__c"]);
    expect(read?.kind === "record" ? Object.keys(read.fields) : read).toEqual(["name"]);
  });
});

describe("employees", () => {
  it.each([
    ["app_secret", {}, "1001", "1003"],
    ["app_secret", { convertUserId: true }, openIdOf("1001"), openIdOf("1003")],
    ["legacy", {}, openIdOf("1001"), openIdOf("1003")],
  ] as const)("are known by e-mail in the form that records use (%s %j)", async (style, keys, active, stopped) => {
    const world = await fxiaokeWorld({ style, keys });
    const id = world.account({ owner: ["1001"] });
    const people = await world.api.people();
    expect(people).toContainEqual({ id: active, email: "zhang.san@example.com", name: "张三", active: true });
    expect(people).toContainEqual({ id: stopped, email: "wang.wu@example.com", name: "王五", active: false });
    // Without an e-mail nobody else could name him.
    expect(people.map(({ name }) => name)).not.toContain("赵六");
    expect(await world.fetched(id, ["owner"])).toMatchObject({ fields: { owner: [active] } });
    const context = await contextOf(world, "account");
    const rule = mapOf(world, "account").fields.owner;
    if (rule === undefined) throw new Error("owners are not mapped");
    expect(valueIn("account", "owner", rule, { fields: { owner: [active] }, context })).toBe("zhang.san@example.com");
    const next = encodeField(rule, "li.si@example.com", context);
    if (next instanceof Refusal) throw new Error(next.reason);
    expect(await world.push(update(id, next))).toMatchObject({ kind: "applied" });
    expect(world.read(id)?.owner).toEqual(["1002"]);
  });
});

describe("times and versions", () => {
  it("come as milliseconds and as text, with who wrote last", async () => {
    const world = await fxiaokeWorld();
    world.clock.advance(123);
    const createdAt = world.clock.now();
    const id = world.account();
    world.clock.advance(minuteMs);
    await world.push(update(id, { tel: "1" }));
    expect(await world.fetched(id)).toMatchObject({
      id,
      version: "2",
      createdAt,
      modifiedAt: createdAt + minuteMs,
      modifiedBy: "1000",
    });
  });
});
