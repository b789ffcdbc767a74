import { describe, expect, it } from "vitest";
import { faultOf, nextShanghaiMidnight, readFaultOf, textOf } from "../../../connectors/fxiaoke/errors.ts";
import { AuthFailed, RateLimited, Unavailable } from "../../../core/connector.ts";
import { fxiaokeWorld, minuteMs, update } from "./kit.ts";

const failure = (code: number, message = "words") => ({ code, message, traceId: "E-O.acme01.1000-1" });

const thrownBy = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("limits that answer over 200", () => {
  it.each([30004, 14001] as const)(
    "%i is waited for, and is a pause with a time when it lasts",
    async (throttleCode) => {
      const world = await fxiaokeWorld({ switches: { throttleCode } });
      const id = world.account();
      await world.fetched(id);
      world.simulator.faults.add({ fault: "rate-over-200", path: "/data/get", times: 2 });
      expect(await world.fetched(id)).toMatchObject({ kind: "record" });
      expect(world.clock.slept.every((ms) => ms >= 5_000 && ms <= 20_000)).toBe(true);
      world.simulator.faults.add({ fault: "rate-over-200", path: "/data/get", times: 1_000 });
      const fault = await thrownBy(world.fetched(id));
      expect(fault).toBeInstanceOf(RateLimited);
      expect(fault).toMatchObject({
        retryAt: expect.any(Number),
        message: expect.stringContaining(String(throttleCode)),
      });
    },
  );

  it("lets a gateway that takes fewer calls than its manual says have its way", async () => {
    const world = await fxiaokeWorld({ switches: { throttleCalls: 60 } });
    const ids = world.fill(130);
    for (const id of ids) expect(await world.fetched(id)).toMatchObject({ kind: "record", id });
  });

  it("30002 is a pause until midnight in Shanghai", async () => {
    const world = await fxiaokeWorld({ switches: { dailyCalls: 3 } });
    const id = world.account();
    await world.fetched(id);
    await world.fetched(id);
    const fault = await thrownBy(world.fetched(id));
    expect(fault).toBeInstanceOf(RateLimited);
    expect(fault).toMatchObject({ retryAt: Date.UTC(2026, 5, 1, 16) });
    expect(world.clock.slept).toEqual([]);
    const written = await thrownBy(world.push(update(id, { tel: "1" })));
    expect(written).toMatchObject({ _tag: "RateLimited", retryAt: Date.UTC(2026, 5, 1, 16) });
    world.clock.advance(7 * 60 * minuteMs);
    expect(await world.fetched(id)).toMatchObject({ kind: "record" });
  });

  it("keeps a tenth of the day's calls for others", async () => {
    const world = await fxiaokeWorld({ keys: { dailyCalls: 20 } });
    const id = world.account();
    const read = async (): Promise<void> => {
      for (let call = 0; call < 30; call += 1) await world.fetched(id);
    };
    const fault = await thrownBy(read());
    expect(fault).toMatchObject({ _tag: "RateLimited", retryAt: Date.UTC(2026, 5, 1, 16) });
    expect(world.calls("")).toBe(18);
  });

  it.each([
    [Date.UTC(2026, 0, 1, 15, 59, 59, 999), Date.UTC(2026, 0, 1, 16)],
    [Date.UTC(2026, 0, 1, 16), Date.UTC(2026, 0, 2, 16)],
    [Date.UTC(2026, 11, 31, 20), Date.UTC(2027, 0, 1, 16)],
  ])("the day after %i begins at %i", (now, midnight) => {
    expect(nextShanghaiMidnight(now)).toBe(midnight);
  });
});

describe("what a person must mend", () => {
  it("is a pack that was not bought (30003)", async () => {
    const world = await fxiaokeWorld({ switches: { quota: "none" } });
    const fault = await thrownBy(world.pull());
    expect(fault).toBeInstanceOf(AuthFailed);
    expect(fault).toMatchObject({ remedy: expect.stringContaining("pack") });
  });

  it("is an address that is not on the white list", async () => {
    const world = await fxiaokeWorld({ switches: { sourceIp: "unlisted" } });
    const fault = await thrownBy(world.pull());
    expect(fault).toMatchObject({
      _tag: "AuthFailed",
      message: expect.stringContaining("203.0.113.7"),
      remedy: expect.stringContaining("white list"),
    });
  });

  it("is a wrong secret", async () => {
    for (const style of ["app_secret", "legacy"] as const) {
      const auth = { style, appId: "FSAID_1310001", appSecret: "no", permanentCode: "0".repeat(32) };
      const world = await fxiaokeWorld({ style, keys: { auth } });
      const fault = await thrownBy(world.pull());
      expect(fault).toMatchObject({ _tag: "AuthFailed", remedy: expect.stringContaining("appSecret") });
      expect(world.clock.slept).toEqual([]);
    }
  });

  it("is a missing right to a whole object, in the vendor's words", async () => {
    const world = await fxiaokeWorld({ switches: { forbiddenObjects: ["ContactObj"] } });
    expect(await thrownBy(world.pull())).toBeUndefined();
    expect(await thrownBy(world.pull({}, "contact"))).toMatchObject({
      _tag: "AuthFailed",
      message: expect.stringContaining("没有联系人权限"),
      remedy: expect.stringContaining("right"),
    });
  });
});

describe("the code table", () => {
  it.each([
    [-1, Unavailable],
    [50009, Unavailable],
    [14001, RateLimited],
    [30004, RateLimited],
    [30002, RateLimited],
    [30003, AuthFailed],
    [15003, AuthFailed],
    [20006, AuthFailed],
    [20010, AuthFailed],
    [20015, AuthFailed],
    [20017, AuthFailed],
    [20020, AuthFailed],
    [20021, AuthFailed],
    [20022, AuthFailed],
    [12002, AuthFailed],
  ] as const)("%i concerns the connection", (code, kind) => {
    const fault = faultOf(failure(code), 1_000, 0);
    expect(fault).toBeInstanceOf(kind);
    if (fault instanceof Unavailable) expect(fault.sent).toBe(true);
    if (fault instanceof AuthFailed) expect(fault.remedy).toMatch(/\S/);
  });

  it.each([-2, 500, 10001, 10006, 10013, 11018, 15002, 20012, 20014, 20016, 30007, 30027, 32000, 10100023, 201112011])(
    "%i concerns one record or one token",
    (code) => {
      expect(faultOf(failure(code), 1_000, 0)).toBeUndefined();
    },
  );

  it("waits longer with each refusal in a row, and never longer than the window", () => {
    const waits = [0, 1, 2, 3, 9].map((strikes) => faultOf(failure(30004), 0, strikes));
    expect(waits).toMatchObject([5_000, 10_000, 20_000, 20_000, 20_000].map((retryAt) => ({ retryAt })));
  });

  it("shows a text that nobody knows as it came", () => {
    const fault = readFaultOf(failure(32000, "某个新的错误"));
    expect(fault).toBeInstanceOf(AuthFailed);
    expect(fault.message).toContain("32000");
    expect(fault.message).toContain("某个新的错误");
    expect(fault.message).toContain("E-O.acme01.1000-1");
    expect(readFaultOf(failure(500, "某个新的错误"))).toBeInstanceOf(Unavailable);
  });

  it.each([
    ["数据不存在或已被删除", "gone"],
    ["数据不存在", "gone"],
    ["数据已作废，不能编辑", "gone"],
    ["无此操作的数据权限", "right"],
    ["没有客户权限", "right"],
    ["Bad Request", "right"],
    ["数据[A]的字段[客户名称]关联关系不存在-201112011", "record"],
    ["员工不存在", undefined],
    ["部门不存在", undefined],
    ["字段[1级行业]的选项值[99]不存在", undefined],
    ["过滤字段[x]不存在", undefined],
    ["字段[x]不存在或已禁用", undefined],
    ["对象[X]不存在", undefined],
    ["the request uri=[/cgi/nope],apiName=[null] is not exists", undefined],
    ["数据已锁定，不能编辑", "locked"],
    ["数据处于审批流程中，不能编辑", "approval"],
    ["查重校验不通过，存在重复数据", "duplicate"],
  ])("reads %s as %s", (message, kind) => {
    expect(textOf(failure(500, message))?.class).toBe(kind);
  });
});
