import { Effect } from "effect";
import { Client } from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import { openStore, type Store } from "../../../../core/store/open.ts";
import { PostgresDatabase } from "../../../../core/store/postgres/database.ts";
import { meta } from "../../../../core/store/tables.ts";
import { placeFor } from "../../../kit/engine-place.ts";

const key = Buffer.alloc(32, 3).toString("base64");

const open = (place: string, given = key, readOnly = false): Promise<Store> =>
  Effect.runPromise(openStore({ place, key: given, readOnly }));

/** What a person would read. */
const failure = async (opening: Promise<Store>): Promise<string> =>
  opening.then(
    async (store) => {
      await store.close();
      return "no failure";
    },
    (error: Error & { readonly remedy?: string }) => `${error.message} ${error.remedy}`,
  );

const changed = (place: string, change: (url: URL) => void): string => {
  const url = new URL(place);
  change(url);
  return url.href;
};

describe("a database that cannot be used", () => {
  it("is named without its password, with what is wrong and what to do", async () => {
    const place = await placeFor();
    const nobody = changed(place, (url) => {
      url.username = "nobody-known";
      url.password = "s3cret-word";
    });
    expect(await failure(open(nobody))).toMatch(/refuses the user.*user and password in hub\.store/);
    expect(await failure(open(nobody))).not.toContain("s3cret-word");
    const missing = changed(place, (url) => {
      url.pathname = "/no_such_database";
    });
    expect(await failure(open(missing))).toMatch(/no such database.*createdb/);
    const elsewhere = changed(place, (url) => {
      url.port = "1";
    });
    expect(await failure(open(elsewhere))).toMatch(/is not reached.*host and port/);
  });

  it("is refused when its user may make no tables in it", async () => {
    const place = await placeFor();
    const admin = new Client({ connectionString: place });
    await admin.connect();
    onTestFinished(() => admin.end());
    await admin.query("drop schema public cascade; create schema public; revoke all on schema public from public");
    await admin.query("do $$ begin create role guest login; exception when duplicate_object then null; end $$");
    await admin.query("grant usage on schema public to guest");
    const asGuest = changed(place, (url) => {
      url.username = "guest";
    });
    expect(await failure(open(asGuest))).toMatch(/lacks a right.*own its database/);
  });

  it("is not made by who only wants to read it", async () => {
    const place = await placeFor();
    const admin = new Client({ connectionString: place });
    await admin.connect();
    onTestFinished(() => admin.end());
    await admin.query("drop schema public cascade; create schema public");
    expect(await failure(open(place, key, true))).toMatch(/no store in postgres:.*yet.*syncline sync/);
    expect((await admin.query("select 1 from pg_tables where schemaname = 'public'")).rows).toEqual([]);
  });
});

describe("the key of a store in PostgreSQL", () => {
  it("is asked for, noted by the first who opens it, and any other one is refused", async () => {
    const place = await placeFor();
    expect(await failure(open(place, ""))).toMatch(/SYNCLINE_KEY.*not set.*openssl rand/);
    await (await open(place)).close();
    expect(await failure(open(place, ""))).toMatch(/SYNCLINE_KEY.*not set.*could never open it/);
    expect(await failure(open(place, Buffer.alloc(32, 4).toString("base64")))).toMatch(/does not fit the store/);
    expect(await failure(open(place, "short"))).toMatch(/does not hold a key of 32 bytes/);
    expect(await failure(open(place))).toBe("no failure");
  });
});

describe("a store of a newer version", () => {
  it("is not touched", async () => {
    const place = await placeFor();
    const store = await open(place);
    if (!(store.database instanceof PostgresDatabase)) throw new Error("not PostgreSQL");
    await store.database.pool.query("insert into migrations values ('29990101000000_later', '', 0)");
    await store.close();
    expect(await failure(open(place))).toMatch(/newer Syncline.*29990101000000_later/);
  });
});

describe("a server that ends the connection", () => {
  it("fails the transaction as a whole, in words, and the next one has a connection again", async () => {
    const place = await placeFor();
    const store = await open(place);
    onTestFinished(store.close);
    const { database } = store;
    if (!(database instanceof PostgresDatabase)) throw new Error("not PostgreSQL");
    const insert = (name: string) => database.insert(meta, [{ name, value: "1" }]);
    const broken = Effect.runPromise(
      database.write("keeping a page", async () => {
        await insert("half");
        await database.pool.query(
          "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
        );
        await insert("whole");
      }),
    );
    await expect(broken).rejects.toMatchObject({
      message: "While keeping a page: the database server ended the connection.",
      remedy: expect.stringContaining("what was committed is safe"),
    });
    await Effect.runPromise(database.write("keeping the next", () => insert("next")));
    expect((await database.selectIn(meta, "name", ["half", "whole", "next"])).map(({ name }) => name)).toEqual([
      "next",
    ]);
  });
});
