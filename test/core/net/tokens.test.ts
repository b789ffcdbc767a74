import { describe, expect, it } from "vitest";
import type { Token } from "../../../core/connector.ts";
import { createTokens, refreshBeforeMs, type Shelf } from "../../../core/net/tokens.ts";
import { stillClock } from "../../kit/clock.ts";
import { faultOf } from "./kit.ts";

function world() {
  const clock = stillClock();
  const kept = new Map<string, Token>();
  const shelf: Shelf = {
    load: async (name) => kept.get(name) ?? null,
    save: async (name, token) => {
      if (token === null) kept.delete(name);
      else kept.set(name, token);
    },
  };
  let made = 0;
  const refresh = async (): Promise<Token> => {
    made += 1;
    const number = made;
    await Promise.resolve();
    return { value: `token-${number}`, expiresAt: clock.now() + 3_600_000, extra: { apiUrl: "https://x" } };
  };
  return { clock, kept, shelf, refresh, made: () => made };
}

describe("tokens", () => {
  it("are refreshed once, however many ask at the same time", async () => {
    const { clock, shelf, refresh, made } = world();
    const tokens = createTokens(shelf, clock);
    const all = await Promise.all(Array.from({ length: 20 }, () => tokens.get("access", refresh)));
    expect(new Set(all.map(({ value }) => value))).toEqual(new Set(["token-1"]));
    expect(made()).toBe(1);
  });

  it("outlive the process, with what their answer told", async () => {
    const { clock, shelf, refresh, made } = world();
    await createTokens(shelf, clock).get("access", refresh);
    const again = await createTokens(shelf, clock).get("access", refresh);
    expect(again).toMatchObject({ value: "token-1", extra: { apiUrl: "https://x" } });
    expect(made()).toBe(1);
  });

  it("are refreshed shortly before they end", async () => {
    const { clock, shelf, refresh, kept } = world();
    const tokens = createTokens(shelf, clock);
    await tokens.get("access", refresh);
    clock.advance(3_600_000 - refreshBeforeMs - 1);
    expect((await tokens.get("access", refresh)).value).toBe("token-1");
    clock.advance(1);
    expect((await tokens.get("access", refresh)).value).toBe("token-2");
    expect(kept.get("access")?.value).toBe("token-2");
  });

  it("are dropped only while the kept one is the same", async () => {
    const { clock, shelf, refresh, kept, made } = world();
    const tokens = createTokens(shelf, clock);
    const first = await tokens.get("access", refresh);
    // Many callers find out at the same time that the token is dead, and some of them late.
    await Promise.all(Array.from({ length: 5 }, () => tokens.drop("access", first.value)));
    const second = await tokens.get("access", refresh);
    await tokens.drop("access", first.value);
    expect((await tokens.get("access", refresh)).value).toBe(second.value);
    expect(kept.get("access")?.value).toBe("token-2");
    expect(made()).toBe(2);
  });

  it("are never lent again after a drop that is still under way", async () => {
    const { clock, shelf, refresh } = world();
    const tokens = createTokens(shelf, clock);
    const { value } = await tokens.get("access", refresh);
    const dropping = tokens.drop("access", value);
    const next = await tokens.get("access", refresh);
    await dropping;
    expect(next.value).toBe("token-2");
  });

  it("that another process refreshed meanwhile are taken over after a drop", async () => {
    const { clock, shelf, refresh, kept, made } = world();
    const tokens = createTokens(shelf, clock);
    const { value } = await tokens.get("access", refresh);
    kept.set("access", { value: "theirs", expiresAt: clock.now() + 3_600_000 });
    await tokens.drop("access", value);
    expect((await tokens.get("access", refresh)).value).toBe("theirs");
    expect(made()).toBe(1);
  });

  it("fail for all who wait, and are asked for again by the next", async () => {
    const { clock, shelf, refresh } = world();
    const tokens = createTokens(shelf, clock);
    let failures = 0;
    const failing = async (): Promise<Token> => {
      failures += 1;
      throw new Error("no");
    };
    const outcomes = await Promise.all([1, 2, 3].map(() => faultOf(tokens.get("access", failing))));
    expect(outcomes.every((outcome) => outcome instanceof Error)).toBe(true);
    expect(failures).toBe(1);
    expect((await tokens.get("access", refresh)).value).toBe("token-1");
  });

  it("of different names do not mix", async () => {
    const { clock, shelf, refresh } = world();
    const tokens = createTokens(shelf, clock);
    const [one, other] = await Promise.all([tokens.get("one", refresh), tokens.get("other", refresh)]);
    expect(one.value).not.toBe(other.value);
  });
});
