import { describe, expect, it } from "vitest";
import type { Style } from "../../../connectors/fxiaoke/simulator/gate.ts";
import { AuthFailed } from "../../../core/connector.ts";
import { recordsIn } from "../../kit/contract/world.ts";
import { fxiaokeWorld, hourMs, minuteMs } from "./kit.ts";

const endpoints: Readonly<Record<Style, string>> = {
  app_secret: "/oauth2.0/token",
  legacy: "/cgi/corpAccessToken/get/V2",
};

describe.each<Style>(["app_secret", "legacy"])("access tokens with auth.style: %s", (style) => {
  const endpoint = endpoints[style];

  it("are asked for once by many calls, and kept for the next process", async () => {
    const world = await fxiaokeWorld({ style });
    await Promise.all(Array.from({ length: 8 }, () => world.api.people()));
    await world.reconnect().people();
    expect(world.calls(endpoint)).toBe(1);
    expect(world.calls("/cgi/user/list")).toBe(9);
  });

  it("are renewed before they end, so that in ten hours no call is refused", async () => {
    const world = await fxiaokeWorld({ style });
    const count = 120;
    for (let call = 0; call < count; call += 1) {
      await world.api.people();
      world.clock.advance(5 * minuteMs);
    }
    // A call that had been refused would have been made twice.
    expect(world.calls("/cgi/user/list")).toBe(count);
    expect(world.calls(endpoint)).toBeLessThan(15);
  });

  it("are renewed once for all calls that were refused together", async () => {
    const world = await fxiaokeWorld({ style });
    await world.api.people();
    world.simulator.revokeTokens();
    await Promise.all(Array.from({ length: 8 }, () => world.api.people()));
    expect(world.calls(endpoint)).toBe(2);
  });

  it("end in the middle of a walk without a loss", async () => {
    const world = await fxiaokeWorld({ style });
    const ids = world.fill(250);
    world.clock.advance(2 * minuteMs);
    const seen: Array<string> = [];
    const request = { mode: "changes", cursor: null, fields: ["name"], signal: new AbortController().signal } as const;
    for await (const page of world.api.pull("account", request)) {
      seen.push(...recordsIn([page]).map(({ id }) => id));
      world.simulator.revokeTokens();
      world.clock.advance(3 * hourMs);
    }
    expect(seen).toEqual([...ids].sort());
    expect(world.calls(endpoint)).toBe(3);
  });

  it("that are refused although they are fresh are a matter for a person", async () => {
    const world = await fxiaokeWorld({ style });
    world.simulator.faults.add({ fault: "expire-token", path: "/user/list", times: 10 });
    const fault = await world.api.people().catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(AuthFailed);
    expect(world.calls("/cgi/user/list")).toBe(2);
    expect(world.calls(endpoint)).toBe(2);
  });
});

describe("the acting user", () => {
  it("is found by the mobile number once, in the old style", async () => {
    const world = await fxiaokeWorld({ style: "legacy" });
    const id = world.account();
    await Promise.all([world.fetched(id), world.fetched(id), world.fetched(id)]);
    expect(world.calls("/cgi/user/getByMobile")).toBe(1);
    await world.push({ kind: "update", entity: "account", id, fields: { tel: "1" } });
    expect(world.read(id)?.last_modified_by).toEqual(["1000"]);
  });

  it("whom nobody knows is named with what to do", async () => {
    const world = await fxiaokeWorld({ style: "legacy", keys: { mobile: "13999999999" } });
    const fault = await world.fetched("1").catch((error: unknown) => error);
    expect(fault).toMatchObject({ _tag: "AuthFailed", remedy: expect.stringContaining("mobile") });
  });

  it("who has left is named with what to do", async () => {
    const world = await fxiaokeWorld({ keys: { userId: "1003" } });
    const fault = await world.fetched("1").catch((error: unknown) => error);
    expect(fault).toMatchObject({ _tag: "AuthFailed", remedy: expect.stringContaining("userId") });
  });
});

it("sends a trace id with every call, for gateways that want one", async () => {
  const world = await fxiaokeWorld({ switches: { traceRequired: true } });
  const id = world.account();
  expect(await world.fetched(id)).toMatchObject({ kind: "record", id });
});
