/**
 * Leases: which processes work on a store, and which of them keeps which connection going.
 *
 * A process joins the store and shows by a beat that it lives. It holds a lease per connection, under an epoch that grows
 * whenever the lease changes hands: what was begun under an earlier one is not committed (`fence`), and nothing is sent to
 * a system once the last beat is so long ago that somebody else may have it (`holds`). With SQLite only one process moves
 * anything; with PostgreSQL many share the connections out.
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { eq, sql } from "drizzle-orm";
import { Effect } from "effect";
import type { Before, Spent } from "../net/limits.ts";
import type { Database } from "./database.ts";
import { type Every, everyReal } from "./every.ts";
import { StoreFailed } from "./failure.ts";
import type { Fence } from "./fence.ts";
import {
  type Census,
  censusOf,
  homeOfPids,
  type LeaseRow,
  loadRole,
  memberNameOf,
  rowNameOf,
  StoreBusy,
  upkeepRole,
  type Who,
} from "./processes.ts";
import { type SharedConnection, sharesOf } from "./shares.ts";
import { connections, leases } from "./tables.ts";

export interface Lease {
  readonly name: string;
  readonly epoch: number;
  /** Whether it is surely ours at this moment; asks nobody. */
  readonly holds: () => boolean;
  /** What its last holder may have called; null where nobody had it. */
  readonly before: Before | null;
}

/** What one look at the leases has brought. */
export interface Share {
  readonly gained: ReadonlyArray<Lease>;
  /** Connections of ours that another process shall have. */
  readonly surplus: ReadonlyArray<string>;
  /** Another process reads connections for the first time. */
  readonly isLoadingElsewhere: boolean;
}

export interface Member {
  readonly who: Who;
  /** Takes what this process shall have, and tells what it shall give. */
  readonly share: (names: ReadonlyArray<string>) => Effect.Effect<Share, StoreFailed>;
  /** Takes all of these, or none. Errors  StoreBusy when a living process has one. */
  readonly take: (names: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<Lease>, StoreBusy | StoreFailed>;
  /** Lets nothing be committed once one of these is in other hands. */
  readonly fence: (leases: ReadonlyArray<Lease>) => Fence;
  readonly held: (name: string) => Lease | undefined;
  readonly release: (name: string, spent?: Spent) => Effect.Effect<void, StoreFailed>;
  /** Shows that it lives, and finds out what was taken from it. */
  readonly beat: Effect.Effect<void, StoreFailed>;
  /** Gives everything back. */
  readonly leave: Effect.Effect<void>;
}

export interface JoinOptions {
  readonly command: string;
  readonly alone?: boolean;
  /** A process that has not been heard of for so long is replaced. */
  readonly leaseMs?: number;
  /** Hears of leases that another process has taken. */
  readonly onLost?: (name: string) => void;
  /** Rings for the beat until the answer is called; real time unless said. */
  readonly every?: Every;
}

export const leaseMsDefault = 15_000;
/** Beats in the time of a lease. */
const beatsPerLease = 3;
/** This share of a lease before its end nothing is sent any more: what is on its way arrives before somebody else begins. */
const marginShare = 0.2;
/**
 * Joins the processes of a store; the beat goes on until it leaves.
 *
 * Errors  StoreBusy when another one is there and either wants to be alone, or the engine takes one process only. A dead
 *         process of this machine is replaced at once, any other when its lease has run out.
 */
export const join = Effect.fn("leases.join")(function* (database: Database, options: JoinOptions) {
  const { command, alone = false, leaseMs = leaseMsDefault, onLost = () => {}, every = everyReal } = options;
  let who: Who = {
    id: randomUUID(),
    pid: process.pid,
    host: hostname(),
    home: homeOfPids(),
    command,
    alone: alone || database.processes === "one",
    names: [],
  };
  const own = memberNameOf(who.id);
  const held = new Map<string, Lease>();
  let goodUntil = { steady: 0, wall: 0 };

  /** What begins now is covered for so long, if it is committed. */
  const coverFrom = () => ({ steady: performance.now() + leaseMs, wall: Date.now() + leaseMs });

  /** Writes the row of this process; answers the database's clock. */
  const show = async (): Promise<number> => {
    const until = sql`${database.words.now} + ${leaseMs}`;
    const holder = JSON.stringify(who);
    const [row] = await database.db
      .insert(leases)
      .values({ name: own, holder, until, epoch: 0 })
      .onConflictDoUpdate({ target: leases.name, set: { holder, until } })
      .returning({ until: leases.until });
    return (row?.until ?? 0) - leaseMs;
  };

  const leaseOf = (name: string, epoch: number, before: Before | null): Lease => {
    const lease: Lease = {
      name,
      epoch,
      before,
      holds: () =>
        held.get(name) === lease &&
        performance.now() < goodUntil.steady - leaseMs * marginShare &&
        Date.now() < goodUntil.wall - leaseMs * marginShare,
    };
    return lease;
  };

  /** Inside a transaction. */
  const takeRow = async (row: LeaseRow | undefined, name: string, now: number) => {
    const epoch = (row?.epoch ?? 0) + 1;
    await database.insert(
      leases,
      [{ name: rowNameOf(name), holder: who.id, until: now + leaseMs, epoch, spent: null }],
      "replace",
    );
    // Written by `release` only.
    const spent = (row?.spent ?? null) as Spent | null;
    // One that was killed where there is only one begins again at once; what a system refuses then is waited for.
    const isUnknown = row === undefined || (spent === null && database.processes === "one");
    return leaseOf(name, epoch, isUnknown ? null : { agoMs: Math.max(0, now - row.until), spent });
  };

  const lose = (names: ReadonlyArray<string>): void => {
    for (const name of names) {
      held.delete(name);
      onLost(name);
    }
  };

  const living = async (now: number): Promise<Census> =>
    censusOf(await database.db.select().from(leases), { now, own: who.id, alone: database.processes === "one" });

  const beat = Effect.gen(function* () {
    const cover = coverFrom();
    const before = new Map(held);
    const rows = yield* database.append(
      "keeping the leases",
      async () => {
        await show();
        return database.db
          .update(leases)
          .set({ until: sql`${database.words.now} + ${leaseMs}` })
          .where(eq(leases.holder, who.id))
          .returning({ name: leases.name, epoch: leases.epoch });
      },
      "quiet",
    );
    goodUntil = cover;
    const kept = new Map(rows.map(({ name, epoch }) => [name, epoch]));
    const lost = [...before].filter(([name, { epoch }]) => kept.get(rowNameOf(name)) !== epoch);
    lose(lost.flatMap(([name, lease]) => (held.get(name) === lease ? [name] : [])));
  });

  const cover = coverFrom();
  const other = yield* database.append("joining the processes of the store", async () => {
    const now = await show();
    const { members } = await living(now);
    const others = members.filter(({ id }) => id !== who.id);
    const busy = who.alone ? others[0] : others.find((one) => one.alone);
    if (busy !== undefined) await database.remove(leases, ["name"], [{ name: own }]);
    return busy;
  });
  if (other !== undefined) return yield* Effect.fail(new StoreBusy(other));
  goodUntil = cover;
  const still = every(leaseMs / beatsPerLease, () => void Effect.runPromise(Effect.ignore(beat)));

  const share = Effect.fn("leases.share")(function* (names: ReadonlyArray<string>) {
    const isNews = names.join("\n") !== who.names.join("\n");
    if (isNews) who = { ...who, names };
    const { taken, lost, ...rest } = yield* database.append(
      "sharing the connections out",
      async () => {
        const now = await show();
        const { members, dead, rowOf, holderOf } = await living(now);
        await database.remove(
          leases,
          ["name"],
          dead.map(({ name }) => ({ name })),
        );
        const loaded = await loadedNames(database);
        const known = new Set(members.flatMap((one) => one.names));
        const all = [...known].map(
          (name): SharedConnection => ({ name, holder: holderOf(name)?.id ?? null, isNew: !loaded.has(name) }),
        );
        const sharing = members.filter((one) => one.names.length > 0);
        const shares = sharesOf(
          sharing.map((one) => ({ id: one.id, names: new Set(one.names) })),
          all,
        );
        const mine = [...shares].filter(([, id]) => id === who.id).map(([name]) => name);
        const taken = [];
        for (const name of [...mine, upkeepRole]) {
          if (holderOf(name) === undefined) taken.push(await takeRow(rowOf(name), name, now));
        }
        const lost = [...held].filter(([name, { epoch }]) => rowOf(name)?.epoch !== epoch);
        return {
          taken,
          isLoadingElsewhere: (holderOf(loadRole)?.id ?? who.id) !== who.id,
          lost: lost.map(([name]) => name),
          surplus: [...held.keys()].filter((name) => shares.has(name) && shares.get(name) !== who.id),
        };
      },
      // The others may have to give something.
      isNews ? "told" : "quiet",
    );
    lose(lost);
    for (const lease of taken) held.set(lease.name, lease);
    return { gained: taken, ...rest } satisfies Share;
  });

  const take = Effect.fn("leases.take")(function* (names: ReadonlyArray<string>) {
    const taken = yield* database.append("taking leases", async () => {
      const now = await show();
      const { rowOf, holderOf } = await living(now);
      for (const name of names) {
        const holder = holderOf(name);
        if (holder !== undefined) return holder;
      }
      const all = [];
      for (const name of names) all.push(await takeRow(rowOf(name), name, now));
      return all;
    });
    if (!Array.isArray(taken)) return yield* Effect.fail(new StoreBusy(taken as Who));
    for (const lease of taken) held.set(lease.name, lease);
    return taken as ReadonlyArray<Lease>;
  });

  const release = Effect.fn("leases.release")(function* (name: string, spent?: Spent) {
    const lease = held.get(name);
    held.delete(name);
    if (lease === undefined) return;
    yield* database.append("giving a lease back", async () => {
      const [row] = await database.selectIn(leases, "name", [rowNameOf(name)]);
      if (row === undefined || row.epoch !== lease.epoch) return;
      await database.insert(leases, [{ ...row, holder: "", until: await show(), spent: spent ?? null }], "replace");
    });
  });

  const fence = (these: ReadonlyArray<Lease>): Fence => {
    const epochs = new Map(these.map(({ name, epoch }) => [rowNameOf(name), epoch]));
    return {
      check: async () => {
        const rows = await database.selectIn(leases, "name", [...epochs.keys()]);
        const good = rows.filter((row) => row.holder === who.id && row.epoch === epochs.get(row.name));
        if (good.length === epochs.size) return;
        const missing = these.find(({ name }) => !good.some((row) => row.name === rowNameOf(name)));
        throw new StoreFailed(
          `${missing?.name} is kept going by another process now.`,
          "Nothing is to be done: what was left open here is looked up there.",
          undefined,
        );
      },
    };
  };

  return {
    who,
    share,
    take,
    fence,
    held: (name) => held.get(name),
    release,
    beat,
    leave: Effect.gen(function* () {
      still();
      for (const name of [...held.keys()]) yield* Effect.ignore(release(name));
      yield* Effect.ignore(
        database.append("leaving the store", () => database.remove(leases, ["name"], [{ name: own }])),
      );
    }),
  } satisfies Member;
});

/**
 * Joins while the effect runs.
 *
 * Errors  StoreBusy, as `join`.
 */
export function withStore<A, E, R>(
  database: Database,
  options: JoinOptions,
  work: (member: Member) => Effect.Effect<A, E, R>,
) {
  return Effect.acquireUseRelease(join(database, options), work, (member) => member.leave);
}

/** Connections that have been read to their end once. */
async function loadedNames(database: Database): Promise<ReadonlySet<string>> {
  const rows = await database.db.select({ name: connections.name, loaded: connections.loaded }).from(connections);
  return new Set(rows.flatMap(({ name, loaded }) => (Array.isArray(loaded) && loaded.length > 0 ? [name] : [])));
}
