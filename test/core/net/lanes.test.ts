import { describe, expect, it } from "vitest";
import { RateLimited } from "../../../core/connector.ts";
import { type Lane, lanes } from "../../../core/net/lanes.ts";
import { createGates } from "../../../core/net/limits.ts";
import { stillClock } from "../../kit/clock.ts";

const unordered: ReadonlyArray<Lane> = ["backfill", "schedule", "user", "webhook"];

describe("lanes", () => {
  it("let the most urgent call through first when places are taken, whoever came first", async () => {
    const gates = createGates({ api: { concurrency: 1 } }, { clock: stillClock(), counters: undefined });
    const enter = (lane: Lane) => gates.enter({ names: ["api"], cost: 1, signal: undefined, lane });
    const leaveFirst = await enter("user");
    const order: Array<Lane> = [];
    const all = unordered.map(async (lane) => {
      const leave = await enter(lane);
      order.push(lane);
      leave();
    });
    leaveFirst();
    await Promise.all(all);
    expect(order).toEqual([...lanes]);
  });

  it("take turns by urgency in a window, and lose nobody", async () => {
    const clock = stillClock();
    const gates = createGates({ api: { rate: { count: 1, windowMs: 1_000 } } }, { clock, counters: undefined });
    const enter = (lane: Lane) => gates.enter({ names: ["api"], cost: 1, signal: undefined, lane });
    (await enter("user"))();
    const order: Array<Lane> = [];
    await Promise.all(
      unordered.map(async (lane) => {
        const leave = await enter(lane);
        order.push(lane);
        leave();
      }),
    );
    expect(order[0]).toBe("webhook");
    expect(order.toSorted()).toEqual([...unordered].toSorted());
  });

  it("leave the rest of a day's budget to the more urgent ones", async () => {
    const gates = createGates(
      { day: { daily: { count: 100, offsetMinutes: 0 } } },
      { clock: stillClock(), counters: undefined },
    );
    const spend = async (lane: Lane, cost: number): Promise<string> => {
      try {
        (await gates.enter({ names: ["day"], cost, signal: undefined, lane }))();
        return "let in";
      } catch (error) {
        if (error instanceof RateLimited) return error.message;
        throw error;
      }
    };
    expect(await spend("backfill", 80)).toBe("let in");
    expect(await spend("backfill", 1)).toContain("20 are kept for what is more urgent");
    expect(await spend("schedule", 10)).toBe("let in");
    expect(await spend("schedule", 1)).toContain("10 are kept for what is more urgent");
    expect(await spend("user", 5)).toBe("let in");
    expect(await spend("webhook", 5)).toBe("let in");
    expect(await spend("webhook", 1)).toContain("used up: 100 of 100.");
    expect(await gates.left()).toEqual({ day: { used: 100, of: 100 } });
  });
});
