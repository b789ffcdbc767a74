import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eq } from "drizzle-orm";
import { Effect } from "effect";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { linkAudit, noteAudit, verifyAudit } from "../../../core/store/audit.ts";
import { withStore } from "../../../core/store/leases.ts";
import { openStore } from "../../../core/store/open.ts";
import { StoreBusy } from "../../../core/store/processes.ts";
import { audit, leases } from "../../../core/store/tables.ts";
import { createKit } from "../../kit/engine-kit.ts";
import { onPostgres, placeFor } from "../../kit/engine-place.ts";
import { sqliteClient } from "../../kit/sqlite-client.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "syncline-store-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const file = (): string => join(folder, "hub.db");
const key = Buffer.alloc(32, 3).toString("base64");
const open = async (options: { key?: string | undefined; file?: string } = {}) =>
  Effect.runPromise(openStore({ place: await placeFor(options.file ?? file()), key: options.key }));

describe.skipIf(onPostgres)("a full disk", () => {
  it("fails the page in words, keeps what was committed, and goes on once there is room", async () => {
    const kit = await createKit({ systems: { a: { pageSize: 50 } }, file: file() });
    for (let index = 0; index < 400; index++) {
      kit.toy("a").create("account", { Name: `Company ${index}`, Domain: `c${index}.test`, Notes: "x".repeat(500) });
    }
    const pages = Number(sqliteClient(kit.store).prepare("pragma page_count").get()?.page_count);
    sqliteClient(kit.store).exec(`pragma max_page_count = ${pages + 150}`);
    const failure = await kit.sync().then(
      () => "no failure",
      (error: Error & { remedy?: string }) => `${error.message} ${error.remedy}`,
    );
    expect(failure).toContain("the disk is full");
    expect(failure).toContain("what was committed is safe");
    const kept = (await kit.accounts()).length;
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThan(400);
    sqliteClient(kit.store).exec("pragma max_page_count = 1073741823");
    await kit.settle();
    expect(await kit.accounts()).toHaveLength(400);
    await kit.close();
  });
});

describe.skipIf(onPostgres)("the key of the store", () => {
  it("is made once, for this user alone, and never again beside data", async () => {
    await (await open()).close();
    await (await open()).close();
    rmSync(`${file()}.key`);
    await expect(open()).rejects.toThrow("its key is missing");
    await expect(open({ key })).rejects.toThrow("does not fit the store");
  });

  it("is refused when others can read it, or when it is no key", async () => {
    await (await open()).close();
    chmodSync(`${file()}.key`, 0o644);
    await expect(open()).rejects.toThrow("can be read by others");
    await expect(open({ key: "short", file: join(folder, "other.db") })).rejects.toThrow(
      "does not hold a key of 32 bytes",
    );
  });
});

describe.skipIf(onPostgres)("a file that is not a store", () => {
  it("is named, with what to do", async () => {
    writeFileSync(file(), "this is a text, and no database at all; it is long enough to be looked at. ".repeat(20));
    await expect(open({ key })).rejects.toThrow("not a Syncline store");
  });
});

describe("the lease of the moves", () => {
  it("refuses a second process and names the one that holds it, and a dead one is replaced", async () => {
    const store = await open({ key });
    const other = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
    const run = () =>
      Effect.runPromise(
        Effect.result(withStore(store.database, { command: "sync", alone: true }, () => Effect.succeed("ran"))),
      );
    const mine = await Effect.runPromise(withStore(store.database, { command: "x" }, ({ who }) => Effect.succeed(who)));
    const holder = JSON.stringify({ ...mine, id: "other", pid: other.pid, command: "sync" });
    await store.database.insert(leases, [
      { name: "process/other", holder, until: Date.now() + 30_000, epoch: 0, spent: null },
    ]);
    const refused = await run();
    expect(refused._tag === "Failure" && refused.failure instanceof StoreBusy).toBe(true);
    expect(refused._tag === "Failure" ? refused.failure.message : "").toContain(`pid ${other.pid}`);
    const gone = new Promise((resolve) => other.once("exit", resolve));
    other.kill();
    await gone;
    expect(await run()).toMatchObject({ success: "ran" });
    await store.close();
  });
});

describe("the audit log", () => {
  it("names the first entry that was changed, removed or added", async () => {
    const store = await open({ key });
    const { database } = store;
    await Effect.runPromise(
      database.write("noting", () =>
        noteAudit(
          database,
          [1, 2, 3, 4, 5].map((at) => ({ at, actor: "test", action: `action ${at}`, subject: "s" })),
        ),
      ),
    );
    await Effect.runPromise(linkAudit(database));
    const verify = () => Effect.runPromise(verifyAudit(database));
    expect(await verify()).toMatchObject({ entries: 5, unlinked: 0, broken: null });
    const third = eq(audit.sequence, 3);
    await database.db.update(audit).set({ subject: "other" }).where(third);
    expect((await verify()).broken).toMatchObject({ sequence: 3, why: expect.stringContaining("changed") });
    await database.db.update(audit).set({ subject: "s" }).where(third);
    const [second] = await database.db.select().from(audit).where(eq(audit.sequence, 2));
    await database.db.delete(audit).where(eq(audit.sequence, 2));
    expect((await verify()).broken).toMatchObject({ sequence: 3, why: expect.stringContaining("entry 2 is missing") });
    await database.db.insert(audit).values(second === undefined ? [] : [second]);
    expect((await verify()).broken).toBeNull();
    await store.close();
  });
});
