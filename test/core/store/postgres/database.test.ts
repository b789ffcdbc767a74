import { asc, eq, gt } from "drizzle-orm";
import { Effect } from "effect";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { Database } from "../../../../core/store/database.ts";
import { withLinkNumbers } from "../../../../core/store/link-numbers.ts";
import { openStore, type Store } from "../../../../core/store/open.ts";
import { changes, connections, inbox, links, matchKeys, meta, tokens, words } from "../../../../core/store/tables.ts";
import { placeFor } from "../../../kit/engine-place.ts";

const key = Buffer.alloc(32, 5).toString("base64");

/** As many processes as are wanted, over one database. */
async function processes(count: number): Promise<ReadonlyArray<Store>> {
  const place = await placeFor();
  const stores = await Promise.all(Array.from({ length: count }, () => Effect.runPromise(openStore({ place, key }))));
  onTestFinished(async () => {
    for (const store of stores) await store.close();
  });
  return stores;
}

async function oneStore(): Promise<Store> {
  const [store] = await processes(1);
  if (store === undefined) throw new Error("no store");
  return store;
}

const write = <A>(database: Database, body: () => Promise<A>): Promise<A> =>
  Effect.runPromise(database.write("testing", body));

const change = (run: string) => ({
  at: 1,
  run,
  connection: "a",
  entity: "account",
  canonicalId: null,
  remoteId: null,
  kind: "noted",
  clear: {},
  sealed: null,
});

describe("several processes on one database", () => {
  it("take different numbers for their links, however they come in each other's way", async () => {
    const stores = await processes(4);
    const taken = await Promise.all(
      stores.flatMap(({ database }) =>
        Array.from({ length: 10 }, () =>
          Effect.runPromise(
            // A few of them need more than a block has left.
            withLinkNumbers(database, 3_000, (start) =>
              database.write("testing", async () => {
                start().nextLink();
                const { nextLink } = start();
                return Array.from({ length: 3_000 }, nextLink);
              }),
            ),
          ),
        ),
      ),
    );
    expect(new Set(taken.flat()).size).toBe(4 * 10 * 3_000);
  });

  it("do not both make what both saw to be missing", async () => {
    const stores = await processes(2);
    const made = await Promise.all(
      stores.map(({ database }, index) =>
        write(database, async () => {
          // No row, and so nothing that either could lock.
          const found = await database.selectIn(matchKeys, "value", ["account domain acme.test"]);
          if (found.length > 0) return false;
          await database.insert(matchKeys, [{ value: "account domain acme.test", canonicalId: `acc_${index}` }]);
          return true;
        }),
      ),
    );
    expect(made.filter(Boolean)).toHaveLength(1);
    const [first] = stores;
    expect(await first?.database.db.select().from(matchKeys)).toHaveLength(1);
  });

  it("show a number of the change log only when every smaller one is committed or gone", async () => {
    const [one, two, reader] = await processes(3);
    if (one === undefined || two === undefined || reader === undefined) throw new Error("no store");
    let after = 0;
    const heard: Array<number> = [];
    const listen = async (): Promise<void> => {
      const rows = await reader.database.db
        .select({ position: changes.position })
        .from(changes)
        .where(gt(changes.position, after))
        .orderBy(asc(changes.position));
      for (const { position } of rows) heard.push(position);
      after = heard.at(-1) ?? 0;
    };
    const writing = [one, two].flatMap(({ database }, index) =>
      Array.from({ length: 25 }, (_, turn) =>
        write(database, async () => {
          await database.insert(changes, [change(`run_${index}`), change(`run_${index}`)]);
          // Each takes another while between its numbers and its commit.
          for (let step = 0; step < (turn * (index + 1)) % 5; step++) await database.db.$count(changes);
        }),
      ),
    );
    let working = true;
    const listening = (async () => {
      while (working) await listen();
    })();
    await Promise.all(writing);
    working = false;
    await listening;
    await listen();
    const all = await reader.database.db
      .select({ position: changes.position })
      .from(changes)
      .orderBy(asc(changes.position));
    expect(heard).toEqual(all.map(({ position }) => position));
    expect(heard).toHaveLength(100);
  });

  it("hear that another one has committed, and not of their own commits", async () => {
    const [one, two] = await processes(2);
    if (one === undefined || two === undefined) throw new Error("no store");
    let heard = 0;
    let isListening = (): void => {};
    const listening = new Promise<void>((resolve) => {
      isListening = resolve;
    });
    // The first call says that it listens now.
    const deaf = one.database.onNews(() => {
      heard += 1;
      isListening();
    });
    await listening;
    heard = 0;
    await write(one.database, () => one.database.insert(meta, [{ name: "mine", value: "1" }]));
    await write(two.database, () => two.database.insert(meta, [{ name: "other", value: "1" }]));
    await vi.waitFor(() => expect(heard).toBe(1));
    await deaf();
  });
});

describe("rows in PostgreSQL", () => {
  it("come back as they went in: members in their order, bytes, instants, texts of all scripts", async () => {
    const { database } = await oneStore();
    const loaded = { z: [1, "\u0000", null], a: { "2": true, "1": "上海 🏢" } };
    const row = { ...blank, name: "zoho-eu", system: "zoho", loaded, mapPrint: "ß", lastRunAt: Date.UTC(2286, 10, 20) };
    await write(database, () => database.insert(connections, [row]));
    const sealed = Buffer.from([0, 1, 92, 255, 34, 44, 123]);
    await write(database, () => database.insert(tokens, [{ connection: "a", name: "t", sealed }]));
    const [back] = await database.db.select().from(connections);
    expect(back).toEqual(row);
    expect(JSON.stringify(back?.loaded)).toBe(JSON.stringify(loaded));
    const [same] = await database.selectIn(connections, "name", ["zoho-eu"]);
    expect(same).toEqual(row);
    expect(Buffer.from((await database.selectIn(tokens, "connection", ["a"]))[0]?.sealed ?? [])).toEqual(sealed);
  });

  it("are in the order of their bytes, as in SQLite, whatever the language of the server", async () => {
    const { database } = await oneStore();
    const values = ["b", "B", "a", "_", "ä", "Z", "~", "上"];
    await write(database, () =>
      database.insert(
        words,
        values.map((word) => ({ word, canonicalId: "acc_1" })),
      ),
    );
    const rows = await database.db.select().from(words).orderBy(asc(words.word));
    expect(rows.map(({ word }) => word)).toEqual(
      values.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other))),
    );
  });

  it("keep a text with a character 0 that a system sent, with a mark in its place, and are found by it", async () => {
    const { database } = await oneStore();
    await write(database, () => database.insert(meta, [{ name: "a\u0000b", value: "x\u0000y" }]));
    expect(await database.selectIn(meta, "name", ["a\u0000b"])).toEqual([{ name: "a\ufffdb", value: "x\ufffdy" }]);
    expect(await database.db.select().from(meta).where(eq(meta.name, "a\u0000b"))).toHaveLength(1);
  });

  it("are replaced by the last of those that share a key in one page", async () => {
    const { database } = await oneStore();
    const told = (value: string) => ({ name: "n", value });
    await write(database, () => database.insert(meta, [told("1"), told("2")], "replace"));
    await write(database, () => database.insert(meta, [told("3"), told("4")], "replace"));
    expect(await database.selectIn(meta, "name", ["n"])).toEqual([told("4")]);
    expect(await write(database, () => database.update(meta, ["name"], ["value"], [told("5"), told("6")]))).toBe(1);
    expect(await database.selectIn(meta, "name", ["n"])).toEqual([told("6")]);
    await write(database, () => database.remove(meta, ["name"], [told("6")]));
    expect(await database.selectIn(meta, "name", ["n"])).toEqual([]);
  });

  it("say of each call whether it was new, in their order", async () => {
    const { database } = await oneStore();
    const call = (own: string | null) => ({ ...delivery, key: own });
    const first = await write(database, () => database.insertNew(inbox, [call("1"), call("2"), call("1"), call(null)]));
    const second = await write(database, () => database.insertNew(inbox, [call("2"), call("3"), call(null)]));
    expect([first, second]).toEqual([
      [true, true, false, true],
      [false, true, true],
    ]);
    expect(await database.db.$count(inbox)).toBe(5);
  });

  it("of a body that failed are gone, also those of its first try", async () => {
    const { database } = await oneStore();
    const failed = write(database, async () => {
      await database.insert(meta, [{ name: "half", value: "1" }]);
      throw new Error("it breaks here");
    });
    await expect(failed).rejects.toThrow("it breaks here");
    expect(await database.selectIn(meta, "name", ["half"])).toEqual([]);
  });

  it("are read on in the moment in which the read began", async () => {
    const { database } = await oneStore();
    await write(database, () => database.insert(meta, [{ name: "n", value: "old" }]));
    const seen = await Effect.runPromise(
      database.read("reading twice", async () => {
        const before = await database.selectIn(meta, "name", ["n"]);
        await beside(database);
        return [before, await database.selectIn(meta, "name", ["n"])];
      }),
    );
    expect(seen[0]).toEqual(seen[1]);
    expect(await database.selectIn(meta, "name", ["n"])).toEqual([{ name: "n", value: "new" }]);
  });

  it("of links move their evidence forward only", async () => {
    const { database } = await oneStore();
    await write(database, () => database.insert(links, [link]));
    await write(database, () => database.advanceReads([1], 5, 200));
    expect(await database.selectIn(links, "id", [1])).toEqual([{ ...link, readBegan: 50, readEnded: 200 }]);
  });
});

/** As another process would. */
async function beside(database: Database): Promise<void> {
  const { PostgresDatabase } = await import("../../../../core/store/postgres/database.ts");
  if (!(database instanceof PostgresDatabase)) throw new Error("not PostgreSQL");
  await database.pool.query("update meta set value = 'new' where name = 'n'");
}

const blank = {
  state: "active",
  reason: null,
  pausedUntil: null,
  stoppedBy: null,
  stoppedAt: null,
  lastSweepAt: null,
};

const delivery = {
  connection: "a",
  kind: "delivery",
  entity: null,
  state: "unread",
  caseId: null,
  receivedAt: 1,
  readAt: null,
  sealed: Buffer.from("x"),
};

const link = {
  id: 1,
  connection: "a",
  entity: "account",
  remoteId: "r",
  canonicalId: null,
  state: "live",
  print: "p",
  version: null,
  modifiedAt: null,
  remoteCreatedAt: null,
  readBegan: 50,
  readEnded: 60,
  settledAt: null,
  fetchAfter: null,
};
