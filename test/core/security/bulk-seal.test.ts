import { afterEach, describe, expect, it } from "vitest";
import { hubKeyOf } from "../../../core/security/hub-key.ts";
import { createSealer, type Sealer } from "../../../core/security/seal.ts";

describe("a page that is sealed on another thread", () => {
  const hubKey = hubKeyOf(Buffer.alloc(32, 3));
  let sealer: Sealer;
  const begin = () => {
    sealer = createSealer(hubKey);
    return sealer.bulk();
  };

  afterEach(() => sealer.close());

  it("opens like any other, under the key that was wrapped, in a sealer of the same hub key", async () => {
    const bulk = begin();
    const pages = Array.from({ length: 3000 }, (_, index) => {
      const owner = `acc_${index}`;
      const { dataKey, wrapped } = bulk.newDataKey(owner);
      return {
        owner,
        wrapped,
        index,
        sealed: bulk.seal(dataKey, "record", { v: { phone: `+4930${index}`, 名: "李" } }),
      };
    });
    await bulk.settled();
    const other = createSealer(hubKey);
    for (const { owner, wrapped, sealed, index } of pages) {
      expect(other.open(other.unwrap(owner, wrapped), "record", sealed)).toEqual({
        v: { phone: `+4930${index}`, 名: "李" },
      });
    }
    const [first, second] = pages;
    if (first === undefined || second === undefined) throw new Error("no pages");
    expect(() => other.unwrap(second.owner, first.wrapped)).toThrow(/does not open/);
    expect(() => other.open(other.unwrap(first.owner, first.wrapped), "sent", first.sealed)).toThrow(/does not open/);
  });

  it("holds nothing plain when it has settled, whatever the size", async () => {
    const bulk = begin();
    const canary = "canary-".repeat(20_000);
    const { dataKey, wrapped } = bulk.newDataKey("acc_1");
    const sealed = bulk.seal(dataKey, "record", { v: { description: canary } });
    await bulk.settled();
    expect(Buffer.from(sealed).includes("canary-")).toBe(false);
    expect(Buffer.from(wrapped).includes(dataKey.raw)).toBe(false);
    expect(sealer.open(dataKey, "record", sealed)).toEqual({ v: { description: canary } });
  });

  it("seals a value once that is said twice, and each key with a nonce of its own", async () => {
    const bulk = begin();
    const one = bulk.newDataKey("acc_1");
    const other = bulk.newDataKey("acc_2");
    const sealed = bulk.seal(one.dataKey, "record", { v: 1 });
    expect(bulk.seal(one.dataKey, "record", { v: 1 })).toBe(sealed);
    const again = bulk.seal(other.dataKey, "record", { v: 1 });
    await bulk.settled();
    expect(Buffer.from(again).equals(Buffer.from(sealed))).toBe(false);
    // Nothing waits any more.
    await bulk.settled();
  });

  it("fails when its thread ends, and takes a new one for the next page", async () => {
    const bulk = begin();
    bulk.seal(bulk.newDataKey("acc_1").dataKey, "record", { v: 1 });
    bulk.flush();
    bulk.close();
    await expect(bulk.settled()).rejects.toThrow(/has ended/);
    const { dataKey } = bulk.newDataKey("acc_2");
    const sealed = bulk.seal(dataKey, "record", { v: 2 });
    await bulk.settled();
    expect(sealer.open(dataKey, "record", sealed)).toEqual({ v: 2 });
  });
});
