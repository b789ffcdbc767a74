import { describe, expect, it } from "vitest";
import { createSkew } from "../../../core/net/skew.ts";

/** An answer whose Date header named the second `remoteNow`, asked from `began` to `ended` by our clock. */
const answer = (remoteNow: number | undefined, began: number, ended: number) => ({
  status: 200,
  headers: {},
  text: "",
  json: undefined,
  began,
  ended,
  ...(remoteNow === undefined ? {} : { remoteNow }),
});

describe("how far a remote's clock is from ours", () => {
  it("is not known before any Date header", () => {
    const skew = createSkew();
    skew.learn(answer(undefined, 0, 10));
    expect([skew.leastMs(), skew.boundMs()]).toEqual([undefined, 0]);
  });

  it("narrows from call to call, because a header names a whole second", () => {
    const skew = createSkew();
    skew.learn(answer(5_000, 5_100, 5_200));
    expect([skew.leastMs(), skew.boundMs()]).toEqual([-200, 900]);
    skew.learn(answer(6_000, 6_900, 6_950));
    expect([skew.leastMs(), skew.boundMs()]).toEqual([-200, 200]);
  });

  it("begins anew when a clock was set, ahead or back", () => {
    const skew = createSkew();
    skew.learn(answer(5_000, 5_100, 5_200));
    skew.learn(answer(65_000, 5_300, 5_400));
    expect(skew.leastMs()).toBe(59_600);
    skew.learn(answer(6_000, 6_100, 6_200));
    expect([skew.leastMs(), skew.boundMs()]).toEqual([-200, 900]);
  });
});
