import { describe, expect, it } from "vitest";
import { RateLimited } from "../../../core/connector.ts";
import type { Limits } from "../../../core/net/http.ts";
import { type Counters, createGates } from "../../../core/net/limits.ts";
import { stillClock } from "../../kit/clock.ts";
import { client, faultOf, json, loopback } from "./kit.ts";

function memoryCounters() {
  const kept = new Map<string, { day: string; used: number }>();
  const counters: Counters = {
    used: async (name, day) => {
      const counter = kept.get(name);
      return counter?.day === day ? counter.used : 0;
    },
    set: async (name, day, used) => void kept.set(name, { day, used }),
  };
  return { counters, kept };
}

function gatesOf(limits: Limits, counters?: Counters) {
  const clock = stillClock();
  const gates = createGates(limits, { clock, counters });
  const enter = (names: ReadonlyArray<string>, cost = 1, signal?: AbortSignal) => gates.enter({ names, cost, signal });
  return { clock, enter };
}

describe("calls at the same time", () => {
  it("are never more than the limit, through the whole client", async () => {
    let under = 0;
    let most = 0;
    const waiting: Array<() => void> = [];
    const server = await loopback((outgoing) => {
      under += 1;
      most = Math.max(most, under);
      waiting.push(() => {
        under -= 1;
        json(outgoing, 200, {});
      });
      // The first two are answered only when both are there.
      if (waiting.length >= 2) for (const answer of waiting.splice(0)) answer();
    });
    const { http } = client({ limits: { calls: { concurrency: 2 } } });
    const call = () => http({ method: "GET", url: server.url, retry: "safe", limits: ["calls"] });
    await Promise.all(Array.from({ length: 8 }, call));
    expect(server.seen).toHaveLength(8);
    expect(most).toBe(2);
  });

  it("give their places back in order, also when a call fails", async () => {
    const server = await loopback((outgoing) => outgoing.socket?.destroy());
    const { http } = client({ limits: { calls: { concurrency: 1 } } });
    const call = () => faultOf(http({ method: "POST", url: server.url, retry: "unsent", limits: ["calls"] }));
    await Promise.all([call(), call(), call()]);
    expect(server.seen).toHaveLength(3);
  });

  it("let a stopped caller go without taking a place", async () => {
    const { enter } = gatesOf({ calls: { concurrency: 1 } });
    const leave = await enter(["calls"]);
    const stop = new AbortController();
    const stopped = faultOf(enter(["calls"], 1, stop.signal));
    const next = enter(["calls"]);
    stop.abort();
    expect(await stopped).toMatchObject({ _tag: "Unavailable", sent: false });
    leave();
    (await next)();
    (await enter(["calls"]))();
  });

  it("do not wait for each other in a circle, whatever the order of the names", async () => {
    const { enter } = gatesOf({ a: { concurrency: 1 }, b: { concurrency: 1 } });
    const run = async (names: ReadonlyArray<string>) => (await enter(names))();
    await Promise.all([run(["a", "b"]), run(["b", "a"]), run(["a", "b"])]);
  });
});

describe("a sliding window", () => {
  it("never holds more begun calls than the limit, wherever it is laid", async () => {
    const windowMs = 20_000;
    const { clock, enter } = gatesOf({ api: { rate: { count: 3, windowMs } } });
    const begun: Array<number> = [];
    for (let call = 0; call < 10; call += 1) {
      (await enter(["api"]))();
      begun.push(clock.now());
      clock.advance(call * 900);
    }
    for (const at of begun) {
      expect(begun.filter((other) => other >= at && other < at + windowMs).length).toBeLessThanOrEqual(3);
    }
    expect(clock.slept.length).toBeGreaterThan(0);
  });

  it("holds when callers come together", async () => {
    const { clock, enter } = gatesOf({ api: { rate: { count: 2, windowMs: 10_000 } } });
    const begun: Array<number> = [];
    const start = clock.now();
    await Promise.all(
      Array.from({ length: 6 }, async () => {
        (await enter(["api"]))();
        begun.push(clock.now() - start);
      }),
    );
    expect(begun).toEqual([0, 0, 10_000, 10_000, 20_000, 20_000]);
  });

  it("goes on where another process has left it: with the calls that it told of, or as if it had made all it could", async () => {
    const limits = { api: { rate: { count: 2, windowMs: 10_000 } }, free: { concurrency: 1 } };
    for (const [before, waits] of [
      [{ agoMs: 1_000, spent: { api: [3_000] } }, [0, 6_000]],
      [{ agoMs: 4_000, spent: null }, [6_000, 6_000]],
      [{ agoMs: 20_000, spent: null }, [0, 0]],
      [null, [0, 0]],
    ] as const) {
      const clock = stillClock();
      const start = clock.now();
      const gates = createGates(limits, { clock, counters: undefined, before });
      const begun: Array<number> = [];
      for (let call = 0; call < 2; call += 1) {
        (await gates.enter({ names: ["api", "free"], cost: 1, signal: undefined }))();
        begun.push(clock.now() - start);
      }
      expect(begun).toEqual(waits);
      clock.advance(1_000);
      expect(gates.spent().api?.slice(-2)).toEqual(begun.map((at) => clock.now() - start - at));
    }
  });

  it("pauses the run where the wait would be long", async () => {
    const { clock, enter } = gatesOf({ token: { concurrency: 1, rate: { count: 1, windowMs: 600_000 } } });
    (await enter(["token"]))();
    const fault = await faultOf(enter(["token"]));
    expect(fault).toMatchObject({ _tag: "RateLimited", retryAt: clock.now() + 600_000 });
    expect(clock.slept).toEqual([]);
    clock.advance(600_000);
    // The place that the refused call had taken is free again.
    (await enter(["token"]))();
  });
});

describe("cost units a day", () => {
  const limits: Limits = { credits: { daily: { count: 10, offsetMinutes: 480 } } };

  it("are refused when they are used up, until midnight of the fixed offset", async () => {
    const { clock, enter } = gatesOf(limits);
    (await enter(["credits"], 7))();
    const fault = await faultOf(enter(["credits"], 4));
    expect(fault).toBeInstanceOf(RateLimited);
    // 09:00 UTC is 17:00 in Shanghai, whose day ends at 16:00 UTC.
    expect(fault).toMatchObject({ retryAt: Date.UTC(2026, 5, 1, 16) });
    (await enter(["credits"], 3))();
    expect(await faultOf(enter(["credits"]))).toBeInstanceOf(RateLimited);
    clock.advance(7 * 3_600_000 - 1);
    expect(await faultOf(enter(["credits"]))).toBeInstanceOf(RateLimited);
    clock.advance(1);
    (await enter(["credits"], 10))();
  });

  it("outlive the process", async () => {
    const { counters, kept } = memoryCounters();
    (await gatesOf(limits, counters).enter(["credits"], 10))();
    expect(kept.get("credits")).toEqual({ day: "2026-06-01", used: 10 });
    expect(await faultOf(gatesOf(limits, counters).enter(["credits"]))).toBeInstanceOf(RateLimited);
  });

  it("are counted one by one when calls come together", async () => {
    const { counters, kept } = memoryCounters();
    const { enter } = gatesOf(limits, counters);
    const outcomes = await Promise.all(Array.from({ length: 14 }, () => faultOf(enter(["credits"]))));
    expect(outcomes.filter((outcome) => outcome === undefined)).toHaveLength(10);
    expect(kept.get("credits")?.used).toBe(10);
  });

  it("are spent by repeated calls too", async () => {
    const { counters, kept } = memoryCounters();
    const server = await loopback((outgoing, _incoming, index) => json(outgoing, index < 3 ? 500 : 200, {}));
    const { http } = client({ limits, counters });
    await http({ method: "GET", url: server.url, retry: "safe", limits: ["credits"], cost: 2 });
    expect(kept.get("credits")?.used).toBe(6);
  });
});

it("calls a limit that the connector does not declare a mistake", async () => {
  expect(String(await faultOf(gatesOf({}).enter(["credits"])))).toContain("does not declare");
});
