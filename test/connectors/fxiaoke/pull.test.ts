import { describe, expect, it } from "vitest";
import type { Cursor } from "../../../connectors/fxiaoke/pull.ts";
import { rowsOf } from "../../../connectors/fxiaoke/rows.ts";
import { openIdOf } from "../../../connectors/fxiaoke/simulator/tenant.ts";
import { customObject } from "../../../connectors/fxiaoke/simulator.ts";
import { type Page, Unavailable } from "../../../core/connector.ts";
import { recordsIn } from "../../kit/contract/world.ts";
import { endOf, type FxiaokeWorld, fxiaokeWorld, minuteMs } from "./kit.ts";

const idsIn = (pages: ReadonlyArray<Page<Cursor>>): ReadonlyArray<string> => recordsIn(pages).map(({ id }) => id);

const walkOf = ({ api }: FxiaokeWorld, cursor: Cursor | null = null, fields: ReadonlyArray<string> = ["name"]) =>
  api.pull("account", { mode: "changes", cursor, fields, signal: new AbortController().signal });

describe("the walk through a window", () => {
  it("reads 5,000 records of one modified time once each, with ids of both lengths", async () => {
    const world = await fxiaokeWorld({ switches: { longIdShare: 0.3 } });
    const ids = world.fill(5_000);
    world.clock.advance(10 * minuteMs);
    const pages = await world.pull();
    expect(new Set(ids.map(({ length }) => length))).toEqual(new Set([24, 32]));
    expect(idsIn(pages)).toEqual([...ids].sort());
    expect(new Set(recordsIn(pages).map(({ modifiedAt }) => modifiedAt)).size).toBe(1);
    expect(world.calls("/data/query")).toBeLessThan(60);
  });

  it("leaves a record that is edited meanwhile to the next window, with its new value", async () => {
    const world = await fxiaokeWorld();
    const ids = world.fill(250);
    world.clock.advance(10 * minuteMs);
    const last = [...ids].sort().at(-1) ?? "";
    const first: Array<Page<Cursor>> = [];
    for await (const page of walkOf(world)) {
      if (first.length === 0) world.simulator.screen.edit("account", last, { name: "edited meanwhile" });
      first.push(page);
    }
    expect(idsIn(first)).toEqual([...ids].sort().slice(0, -1));
    world.clock.advance(5 * minuteMs);
    const next = recordsIn(await world.pull({ cursor: endOf(first) }));
    expect(next.map(({ id, fields }) => [id, fields.name])).toEqual([[last, "edited meanwhile"]]);
  });

  it("reaches back for a record that the index shows late", async () => {
    const world = await fxiaokeWorld({ switches: { indexLagMs: 4 * minuteMs } });
    const late = world.account();
    world.clock.advance(2 * minuteMs);
    const first = await world.pull();
    expect(idsIn(first)).toEqual([]);
    world.clock.advance(3 * minuteMs);
    expect(idsIn(await world.pull({ cursor: endOf(first) }))).toEqual([late]);
  });

  it("asks for the window by BETWEEN where the settings say so", async () => {
    const world = await fxiaokeWorld({ keys: { timeFilter: "between" } });
    const [edited = ""] = world.fill(3);
    world.clock.advance(20 * minuteMs);
    const first = await world.pull();
    world.clock.advance(20 * minuteMs);
    world.simulator.screen.edit("account", edited, { name: "edited" });
    world.clock.advance(2 * minuteMs);
    expect(idsIn(await world.pull({ cursor: endOf(first) }))).toEqual([edited]);
  });

  it("starts anew when the connection is pointed at another object", async () => {
    const world = await fxiaokeWorld();
    const ids = world.fill(2);
    world.clock.advance(20 * minuteMs);
    const cursor = { ...endOf(await world.pull()), object: "OldObj__c" };
    world.clock.advance(20 * minuteMs);
    expect(idsIn(await world.pull({ cursor }))).toEqual([...ids].sort());
  });

  it("takes an answer without a list for a failure, not for the end", () => {
    const outcome = { ok: true, began: 0, ended: 0 } as const;
    expect(() => rowsOf({ ...outcome, body: { data: {} } }, 2)).toThrow(Unavailable);
    const row = { _id: "1" };
    expect(rowsOf({ ...outcome, body: { dataList: [row] } }, 2)).toMatchObject({ rows: [row], isLast: true });
    expect(rowsOf({ ...outcome, body: { data: { dataList: [row], limit: 1 } } }, 2)).toMatchObject({ isLast: false });
    // An entry that is no row must not make a full page look like the last one.
    expect(rowsOf({ ...outcome, body: { data: { dataList: [row, null] } } }, 2)).toMatchObject({ isLast: false });
  });
});

describe("clocks", () => {
  it.each([0, 10 * minuteMs, -10 * minuteMs])(
    "end the window a minute before now by the remote's clock, which is %i ms ahead, and time the reads by ours",
    async (aheadMs) => {
      const world = await fxiaokeWorld({ aheadMs });
      const before = world.account();
      world.clock.advance(2 * minuteMs);
      const young = world.account();
      world.clock.advance(59_000);
      const began = world.clock.now();
      const pages = await world.pull();
      const { committed } = endOf(pages);
      const remoteNow = world.clock.now() + aheadMs;
      expect(committed).toBeLessThanOrEqual(remoteNow - minuteMs);
      expect(committed).toBeGreaterThan(remoteNow - minuteMs - 2_000);
      expect(idsIn(pages)).toEqual([before]);
      for (const { readBegan, readEnded } of pages) {
        // The index may be five seconds old.
        expect(readBegan).toBe(began - 5_000);
        expect(readEnded).toBe(world.clock.now());
      }
      world.clock.advance(2 * minuteMs);
      expect(idsIn(await world.pull({ cursor: endOf(pages) }))).toContain(young);
    },
  );

  it("are taken to agree where the gateway sends no Date", async () => {
    const world = await fxiaokeWorld({ switches: { dateHeader: false } });
    const pages = await world.pull();
    expect(endOf(pages).committed).toBe(world.clock.now() - minuteMs);
  });

  it("that go back do not take the cursor back with them", async () => {
    const world = await fxiaokeWorld();
    const first = await world.pull();
    world.clock.advance(-30 * minuteMs);
    const second = await world.reconnect().pull("account", {
      mode: "changes",
      cursor: endOf(first),
      fields: ["name"],
      signal: new AbortController().signal,
    });
    const pages: Array<Page<Cursor>> = [];
    for await (const page of second) pages.push(page);
    expect(endOf(pages).committed).toBe(endOf(first).committed);
  });
});

describe("a change of owner that moves no modified time", () => {
  it("is found by its own time, in both forms of the ids", async () => {
    for (const style of ["app_secret", "legacy"] as const) {
      const world = await fxiaokeWorld({ style, switches: { ownerMovesTime: false } });
      const [moved = ""] = world.fill(3);
      world.clock.advance(20 * minuteMs);
      const first = await world.pull({ fields: ["name", "owner"] });
      world.clock.advance(20 * minuteMs);
      world.simulator.screen.edit("account", moved, { owner: ["1002"] });
      world.clock.advance(2 * minuteMs);
      const next = recordsIn(await world.pull({ cursor: endOf(first), fields: ["name", "owner"] }));
      const owner = style === "legacy" ? openIdOf("1002") : "1002";
      expect(next.map(({ id, fields }) => [id, fields.owner])).toEqual([[moved, [owner]]]);
    }
  });

  it("is found by a listing only where the object has no such time", async () => {
    const world = await fxiaokeWorld({ customAccount: customObject, switches: { ownerMovesTime: false } });
    const id = world.account();
    world.clock.advance(20 * minuteMs);
    const first = await world.pull({ fields: ["owner"] });
    world.clock.advance(20 * minuteMs);
    world.simulator.screen.edit("account", id, { owner: ["1002"] });
    world.clock.advance(2 * minuteMs);
    expect(idsIn(await world.pull({ cursor: endOf(first), fields: ["owner"] }))).toEqual([]);
    const listed = recordsIn(await world.pull({ mode: "listing", fields: ["owner"] }));
    expect(listed.map(({ fields }) => fields.owner)).toEqual([["1002"]]);
  });
});
