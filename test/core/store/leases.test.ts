import { eq } from "drizzle-orm";
import { Effect } from "effect";
import { afterEach, describe, expect, it } from "vitest";
import { behind } from "../../../core/store/fence.ts";
import { type JoinOptions, join, type Member } from "../../../core/store/leases.ts";
import { openStore, type Store } from "../../../core/store/open.ts";
import { loadRole, readCensus, StoreBusy } from "../../../core/store/processes.ts";
import { connections, leases, meta } from "../../../core/store/tables.ts";
import { onPostgres, placeFor } from "../../kit/engine-place.ts";

const key = Buffer.alloc(32, 5).toString("base64");
const names = ["crm-1", "crm-2", "crm-3", "crm-4"];
const run = <A, E>(work: Effect.Effect<A, E>): Promise<A> => Effect.runPromise(work);
const open: Array<{ readonly member: Member; readonly store: Store }> = [];
let place = "";

afterEach(async () => {
  for (const { member, store } of open.splice(0)) {
    await run(member.leave);
    await store.close();
  }
  place = "";
});

/** A process: its own sessions, its own membership; it beats when it is told to. */
async function process(
  options: Partial<JoinOptions> = {},
): Promise<{ readonly member: Member; readonly store: Store }> {
  if (place === "") {
    place = await placeFor();
    const first = await run(openStore({ place, key }));
    // All of them were read once; what was not goes to one process.
    const blank = { system: "memory", state: "active", loaded: ["account"], mapPrint: {} };
    await first.database.insert(
      connections,
      names.map((name) => ({
        ...blank,
        name,
        reason: null,
        pausedUntil: null,
        stoppedBy: null,
        stoppedAt: null,
        lastRunAt: null,
        lastSweepAt: null,
      })),
    );
    await first.close();
  }
  const store = await run(openStore({ place, key }));
  const member = await run(join(store.database, { command: "serve", every: () => () => {}, ...options }));
  open.push({ member, store });
  return { member, store };
}

const held = ({ member }: { readonly member: Member }): ReadonlyArray<string> =>
  names.filter((name) => member.held(name) !== undefined);

const note = (store: Store, name: string) =>
  store.database.write("testing", () => store.database.insert(meta, [{ name, value: "1" }]));

const noted = async (store: Store, name: string): Promise<number> =>
  run(store.database.read("looking", async () => store.database.db.$count(meta, eq(meta.name, name))));

/** As if so much time had gone by for the database. */
const age = (store: Store, ms: number) =>
  run(
    store.database.append("aging", async () => {
      const rows = await store.database.db.select().from(leases);
      await store.database.update(
        leases,
        ["name"],
        ["until"],
        rows.map(({ name, until }) => ({ name, until: until - ms })),
      );
    }),
  );

describe.runIf(onPostgres)("processes that share a store", () => {
  it("share the connections out evenly, and give what another one shall have", async () => {
    const one = await process();
    expect((await run(one.member.share(names))).surplus).toEqual([]);
    expect(held(one)).toEqual(names);
    const two = await process();
    expect((await run(two.member.share(names))).gained).toMatchObject([]);
    const { surplus } = await run(one.member.share(names));
    expect(surplus).toHaveLength(2);
    for (const name of surplus) await run(one.member.release(name));
    await run(two.member.share(names));
    expect([...held(one), ...held(two)].sort()).toEqual(names);
    expect(held(two).toSorted()).toEqual(surplus.toSorted());
    const { holderOf } = await run(readCensus(one.store.database));
    expect(names.map((name) => holderOf(name)?.id ?? "").sort()).toEqual(
      [one.member.who.id, one.member.who.id, two.member.who.id, two.member.who.id].sort(),
    );
  });

  it("take everything from one that leaves", async () => {
    const [one, two] = [await process(), await process()];
    await run(one.member.share(names));
    await run(one.member.leave);
    await run(two.member.share(names));
    expect(held(two)).toEqual(names);
    expect((await run(readCensus(two.store.database))).members).toMatchObject([{ id: two.member.who.id }]);
  });

  it("replace one that is silent for the time of a lease: it may neither send nor keep anything more", async () => {
    const lost: Array<string> = [];
    const one = await process({ onLost: (name) => lost.push(name) });
    await run(one.member.share(["crm-1"]));
    const lease = one.member.held("crm-1");
    if (lease === undefined) throw new Error("no lease");
    const fence = one.member.fence([lease]);
    await run(behind(fence)(note(one.store, "before")));
    expect(lease.holds()).toBe(true);

    const two = await process();
    await run(two.member.share(["crm-1"]));
    expect(held(two)).toEqual([]);
    await age(two.store, 16_000);
    await run(two.member.share(["crm-1"]));
    expect(held(two)).toEqual(["crm-1"]);

    const late = await run(Effect.result(behind(fence)(note(one.store, "late"))));
    expect(late._tag === "Failure" && late.failure.message).toContain("crm-1 is kept going by another process now");
    expect([await noted(two.store, "before"), await noted(two.store, "late")]).toEqual([1, 0]);
    await run(one.member.beat);
    expect(lost).toContain("crm-1");
    expect(lease.holds()).toBe(false);
  });

  it("send nothing once the last beat is too long ago, whatever the database says", async () => {
    const one = await process({ leaseMs: 50 });
    await run(one.member.share(["crm-1"]));
    const lease = one.member.held("crm-1");
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(lease?.holds()).toBe(false);
    await run(one.member.beat);
    expect(lease?.holds()).toBe(true);
  });

  it("take all of what they ask for or nothing, and name who has it", async () => {
    const [one, two] = [await process(), await process({ command: "sync" })];
    await run(one.member.share(["crm-1"]));
    const refused = await run(Effect.result(two.member.take(["crm-2", "crm-1"])));
    expect(refused._tag === "Failure" && refused.failure).toBeInstanceOf(StoreBusy);
    expect(two.member.held("crm-2")).toBeUndefined();
    expect(await run(two.member.take(["crm-2", "crm-3"]))).toHaveLength(2);
    await run(one.member.take([loadRole]));
    expect((await run(two.member.share([]))).isLoadingElsewhere).toBe(true);
    expect((await run(one.member.share(["crm-1"]))).isLoadingElsewhere).toBe(false);
  });

  it("give the next holder the calls they made, or let it wait for those that nobody knows of", async () => {
    const one = await process();
    await run(one.member.share(["crm-1", "crm-2"]));
    await run(one.member.release("crm-1", { api: [500, 20] }));
    const two = await process();
    const [told] = await run(two.member.take(["crm-1"]));
    expect(told?.before).toMatchObject({ spent: { api: [500, 20] } });
    await age(two.store, 20_000);
    const [unknown] = await run(two.member.take(["crm-2"]));
    expect(unknown?.before?.spent).toBeNull();
    expect(unknown?.before?.agoMs).toBeGreaterThanOrEqual(4_000);
  });

  it("leave the store to one that wants to be alone, and refuse it while anybody is there", async () => {
    const one = await process();
    const busy = await run(Effect.result(join(one.store.database, { command: "store copy", alone: true })));
    expect(busy._tag === "Failure" ? busy.failure.message : "").toContain("(serve)");
    await run(one.member.leave);
    await process({ command: "store copy", alone: true });
    await expect(process()).rejects.toThrow("(store copy)");
  });
});
