import { describe, expect, it } from "vitest";
import type { FxiaokeSwitches } from "../../../connectors/fxiaoke/simulator.ts";
import { recordsIn } from "../../kit/contract/world.ts";
import { endOf, fxiaokeWorld, minuteMs, removal, tombstonesIn, update } from "./kit.ts";

describe("an invalidated record (作废)", () => {
  it.each(["shown", "filtered"] as const)("comes as a tombstone where a query has it %s", async (invalidRows) => {
    const world = await fxiaokeWorld({ switches: { invalidRows } });
    const [gone = "", kept = ""] = world.fill(2);
    world.clock.advance(20 * minuteMs);
    const first = await world.pull();
    world.clock.advance(20 * minuteMs);
    const deletedAt = world.clock.now();
    world.simulator.screen.remove("account", gone);
    world.clock.advance(2 * minuteMs);
    const second = await world.pull({ cursor: endOf(first) });
    expect(tombstonesIn(second)).toContain(gone);
    expect(tombstonesIn(second)).not.toContain(kept);
    expect(second.flatMap(({ changes }) => changes)).toContainEqual({ kind: "deleted", id: gone, deletedAt });
    world.clock.advance(20 * minuteMs);
    world.simulator.screen.restore("account", gone);
    world.clock.advance(2 * minuteMs);
    const third = await world.pull({ cursor: endOf(second) });
    expect(recordsIn(third).map(({ id }) => id)).toEqual([gone]);
    expect(tombstonesIn(third)).toEqual([]);
  });

  it("is missing from a listing where a query hides it, and a fetch by id tells why", async () => {
    const world = await fxiaokeWorld({ switches: { invalidRows: "hidden" } });
    const [gone = "", kept = ""] = world.fill(2);
    world.clock.advance(20 * minuteMs);
    const first = await world.pull();
    world.clock.advance(20 * minuteMs);
    world.simulator.screen.remove("account", gone);
    world.clock.advance(2 * minuteMs);
    expect(tombstonesIn(await world.pull({ cursor: endOf(first) }))).toEqual([]);
    const listing = await world.pull({ mode: "listing" });
    expect(recordsIn(listing).map(({ id }) => id)).toEqual([kept]);
    expect(listing.at(-1)?.complete).toBe(true);
    expect(await world.fetched(gone)).toMatchObject({ kind: "deleted", id: gone, deletedAt: expect.any(Number) });
    expect(world.maps.account?.deletes).toMatchObject({ learned: "sweep", goneIsProof: true });
    world.simulator.screen.restore("account", gone);
    expect(await world.fetched(gone)).toMatchObject({ kind: "record", id: gone });
  });

  it("is never found live by a look-up", async () => {
    const world = await fxiaokeWorld({ switches: { invalidRows: "shown" } });
    const [gone = ""] = world.fill(1);
    world.simulator.screen.remove("account", gone);
    expect(await world.api.find("account", [{ field: "name", value: "示例 0" }], ["name"])).toEqual([]);
  });
});

describe("a record that the acting user may not see", () => {
  it.each<Partial<FxiaokeSwitches>>([
    { concealedGet: "refused" },
    { concealedGet: "as-purged", purgedGet: "error" },
    { concealedGet: "as-purged", purgedGet: "unclear" },
    { concealedGet: "as-purged", purgedGet: "unclear", failureCode: 32000 },
    { concealedGet: "as-purged", purgedGet: "empty" },
  ])("is never called gone, whatever the gateway answers: %j", async (switches) => {
    const world = await fxiaokeWorld({ switches });
    const [hidden = "", kept = ""] = world.fill(2);
    world.clock.advance(20 * minuteMs);
    const first = await world.pull();
    world.clock.advance(20 * minuteMs);
    world.simulator.conceal("account", hidden, true);
    const { changes } = await world.api.fetch("account", [hidden, kept], ["name"]);
    expect(changes.map(({ kind, id }) => [kind, id])).toEqual([["record", kept]]);
    expect(tombstonesIn(await world.pull({ cursor: endOf(first) }))).toEqual([]);
    expect(tombstonesIn(await world.pull({ mode: "listing" }))).toEqual([]);
    const written = await world.push(update(hidden, { tel: "1" }));
    expect(written).toMatchObject({ kind: "rejected", remedy: expect.stringMatching(/\S/) });
    world.simulator.conceal("account", hidden, false);
    expect(world.read(hidden)).not.toHaveProperty("tel");
    expect(world.logged.join()).toContain(hidden);
  });
});

describe("a refusal that is not about the record", () => {
  it("does not make every record gone: the acting employee has left", async () => {
    const world = await fxiaokeWorld();
    const id = world.account();
    await world.fetched(id);
    world.simulator.switches.actorLeft = true;
    const fault = await world.fetched(id).catch((error: unknown) => error);
    expect(fault).toMatchObject({ _tag: "AuthFailed", remedy: expect.stringContaining("userId") });
    const written = await world.push(update(id, { tel: "1" })).catch((error: unknown) => error);
    expect(written).toMatchObject({ _tag: "AuthFailed" });
    const deleted = await world.push(removal(id)).catch((error: unknown) => error);
    expect(deleted).toMatchObject({ _tag: "AuthFailed" });
  });
});

describe("a delete of the hub", () => {
  it("moves the record to the recycle bin, from where it can be recovered", async () => {
    const world = await fxiaokeWorld();
    const [id = "", other = ""] = world.fill(2);
    expect(await world.push(removal(id))).toEqual({ kind: "applied", id });
    expect(world.simulator.screen.list("account")).toEqual([other]);
    expect(await world.api.recover("account", [id])).toEqual([{ kind: "applied", id }]);
    expect(world.read(id)).toMatchObject({ name: "示例 0", life_status: "normal" });
  });

  it("recovers many in calls of twenty, and says which of them were refused", async () => {
    const world = await fxiaokeWorld();
    const ids = world.fill(25);
    for (const id of ids.slice(0, 24)) world.simulator.screen.remove("account", id);
    const results = await world.api.recover("account", ids);
    expect(results.map(({ kind }) => kind)).toEqual([
      ...Array.from({ length: 20 }, () => "applied"),
      ...Array.from({ length: 5 }, () => "rejected"),
    ]);
    expect(world.calls("/data/recover")).toBe(2);
    expect(world.simulator.screen.list("account")).toHaveLength(21);
  });

  it("keeps what was recovered when a later call fails", async () => {
    const world = await fxiaokeWorld();
    const ids = world.fill(25);
    for (const id of ids) world.simulator.screen.remove("account", id);
    world.simulator.faults.add({ fault: "lost-reply", path: "/data/recover", from: 2, times: 1 });
    const results = await world.api.recover("account", ids);
    expect(results.map(({ kind }) => kind)).toEqual([
      ...Array.from({ length: 20 }, () => "applied"),
      ...Array.from({ length: 5 }, () => "unknown"),
    ]);
  });

  it("is for good where the settings say so", async () => {
    const world = await fxiaokeWorld({ keys: { deleteMode: "purge" } });
    const id = world.account();
    expect(await world.push(removal(id))).toEqual({ kind: "applied", id });
    expect((await world.api.recover("account", [id]))[0]?.kind).toBe("rejected");
  });

  it("of a record that is in the bin already is done, and of a locked one waits", async () => {
    const world = await fxiaokeWorld();
    const [gone = "", locked = ""] = world.fill(2);
    world.simulator.screen.remove("account", gone);
    world.simulator.screen.edit("account", locked, { lock_status: "1" });
    expect(await world.push(removal(gone))).toMatchObject({ kind: "applied", id: gone });
    expect(await world.push(removal(locked))).toMatchObject({ kind: "later", retryAfterMs: expect.any(Number) });
    expect(world.simulator.screen.list("account")).toEqual([locked]);
  });

  it("is not said to be done of a record that the acting user may not see", async () => {
    const world = await fxiaokeWorld({ switches: { concealedGet: "as-purged", purgedGet: "unclear" } });
    const id = world.account();
    world.simulator.conceal("account", id, true);
    expect(await world.push(removal(id))).toMatchObject({ kind: "rejected" });
  });
});
