import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Effect } from "effect";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openStore } from "../../../core/store/open.ts";
import { saveSubscription } from "../../../core/store/subscriptions.ts";
import { type CliKit, createCliKit } from "../../kit/cli-kit.ts";

let kit: CliKit;

beforeEach(() => {
  kit = createCliKit();
  writeFileSync(
    kit.file("customers.csv"),
    [
      "No,Company,Website,Phone,Tags",
      "1,Acme Tools,www.acme-tools.com,+1 512-555-1074,key",
      "2,上海华锦电子有限公司,www.huajin.cn,+86 21 6000 0001,",
      "3,=cmd|evil,www.evil-formula.com,,",
    ].join("\n"),
  );
  writeFileSync(
    kit.file("syncline.yaml"),
    [
      `hub: { store: "sqlite:${kit.file("hub.db")}" }`,
      `connections: { list: { use: file, path: "${kit.file("customers.csv")}", id: No } }`,
    ].join("\n"),
  );
});

afterEach(() => kit.remove());

const idOf = async (name: string): Promise<string> => {
  const { items } = (await kit.run("accounts", "search", name, "--json")).json() as { items: Array<{ id: string }> };
  return items[0]?.id ?? "";
};

describe("the command line", () => {
  it("has help for every command", async () => {
    const { out } = await kit.run("--help");
    const names = [...out.matchAll(/^ {2}([a-z-]+) /gm)]
      .map((match) => match[1] ?? "")
      .filter((name) => /^[a-z]/.test(name) && name !== "help");
    expect(names).toEqual(
      expect.arrayContaining([
        "init",
        "check",
        "plan",
        "sync",
        "connections",
        "accounts",
        "contacts",
        "explain",
        "conflicts",
        "dead-letters",
        "export",
        "audit",
        "sandbox",
      ]),
    );
    for (const name of names) {
      const help = await kit.run(name, "--help");
      expect([name, help.code, help.out.includes(`Usage: syncline ${name}`)]).toEqual([name, 0, true]);
    }
  });

  it("suggests the command that was meant, and ends as wrong usage", async () => {
    const { code, err } = await kit.run("synk");
    expect(code).toBe(2);
    expect(err).toContain("Did you mean sync?");
  });

  it("says wrong usage in JSON too, where JSON was asked for", async () => {
    const unknown = await kit.run("sync", "--nope", "--json");
    expect([unknown.code, unknown.json()]).toEqual([
      2,
      { error: { message: "unknown option '--nope'", remedy: "See --help." } },
    ]);
    expect((await kit.run("accounts", "show", "--json")).json()).toMatchObject({
      error: { message: expect.stringContaining("missing required argument") },
    });
  });

  it("says that a folder is no configuration", async () => {
    const { code, err } = await kit.run("check", "-c", kit.folder);
    expect([code, err.includes("is a folder"), err.includes("EISDIR")]).toEqual([2, true, false]);
  });

  it("names what is wrong with a fault plan, with its place", async () => {
    writeFileSync(kit.file("plan.yaml"), "rules:\n  - { fault: lost-replly, tims: 2 }\n");
    const { code, err } = await kit.run("sandbox", "--faults", kit.file("plan.yaml"));
    expect(code).toBe(2);
    expect(err).toMatch(/plan\.yaml:2:\d+: error: unknown key `tims`/);
    expect(err).toContain("Did you mean `lost-reply`?");
    expect(err).not.toContain("SchemaError");
  });

  it("writes an example that is never written over", async () => {
    const other = createCliKit();
    expect((await other.run("init")).code).toBe(0);
    expect(existsSync(other.file("syncline.schema.json"))).toBe(true);
    const written = readFileSync(other.file("syncline.yaml"), "utf8");
    const again = await other.run("init");
    expect(again.code).toBe(2);
    expect(again.err).toContain("is already there");
    expect(readFileSync(other.file("syncline.yaml"), "utf8")).toBe(written);
    other.remove();
  });

  it("says what to do where there is no configuration", async () => {
    const other = createCliKit();
    const { code, err } = await other.run("sync");
    expect(code).toBe(2);
    expect(err).toContain("npx syncline init");
    other.remove();
  });

  it("prints all problems of a file at once, each with line and column", async () => {
    writeFileSync(
      kit.file("syncline.yaml"),
      "connections:\n  list: { use: file, pth: x, id: No }\n  b: { use: zohoo }\n",
    );
    const { code, out } = await kit.run("check");
    expect([code, (await kit.run("sync")).code, (await kit.run("check", "--json")).code]).toEqual([2, 2, 2]);
    expect(out).toMatch(/syncline\.yaml:2:\d+: error: .*pth/);
    expect(out).toMatch(/syncline\.yaml:3:\d+: error: .*zohoo/);
    expect(out).toContain("Did you mean `zoho`?");
  });

  it("plans without leaving anything but audit in the store", async () => {
    const { code, json } = await kit.run("plan", "--json");
    expect(code).toBe(0);
    expect(json().connections).toMatchObject([{ name: "list", pulled: 3, canonicals: 3, creates: 0 }]);
    expect(((await kit.run("accounts", "list", "--json")).json() as { total: number }).total).toBe(0);
    expect(readdirSync(kit.folder).filter((name) => name.startsWith(".plan-"))).toEqual([]);
  });

  it("syncs, lists, searches by part of a name and shows an account with its sources", async () => {
    expect((await kit.run("sync")).code).toBe(0);
    expect((await kit.run("accounts", "search", "华锦")).out).toContain("上海华锦电子有限公司");
    expect((await kit.run("accounts", "search", "acme-tools.com")).out).toContain("Acme Tools");
    const nobody = await kit.run("accounts", "search", "nobody at all");
    expect([nobody.code, nobody.out.includes("No account found")]).toEqual([1, true]);
    const shown = await kit.run("accounts", "show", await idOf("Acme"));
    expect(shown.out).toContain("+15125551074");
    expect(shown.out).toContain("list");
  });

  it("explains a value with its source, its rules and its history", async () => {
    await kit.run("sync");
    const { out } = await kit.run("explain", await idOf("Acme"), "phone");
    expect(out).toContain("phone (Phone 电话): +15125551074");
    expect(out).toContain("from list");
    expect(out).toContain("rules asked: pin → newest");
    const wrong = await kit.run("explain", await idOf("Acme"), "phon");
    expect([wrong.code, wrong.err.includes("has no field phon")]).toEqual([2, true]);
  });

  it("does not mix rows and JSON on standard output", async () => {
    expect((await kit.run("sync")).code).toBe(0);
    const mixed = await kit.run("export", "--json");
    expect([mixed.code, mixed.json()]).toMatchObject([2, { error: { remedy: expect.stringContaining("-o") } }]);
    const file = kit.file("out.csv");
    expect((await kit.run("export", "--json", "-o", file)).json()).toEqual({ file, rows: 3 });
  });

  it("explains a field that nobody has told", async () => {
    await kit.run("sync");
    const { out } = await kit.run("explain", await idOf("Acme Tools"), "owner");
    expect(out).toContain("from nobody yet");
    expect(out).not.toContain("unknown time");
  });

  it("does not call systems equal when one of them could not be read", async () => {
    expect((await kit.run("sync")).out).not.toContain("not known");
    rmSync(kit.file("customers.csv"));
    const { code, out } = await kit.run("sync");
    expect(code).toBe(1);
    expect(out).toContain("Agreement: not known, list could not be read");
  });

  it("exports CSV that no spreadsheet takes for a formula, and JSONL", async () => {
    await kit.run("sync");
    const csv = (await kit.run("export", "--fields", "name,tags")).out;
    expect(csv).toContain("Acme Tools");
    expect(csv).not.toMatch(/(^|,)"?=cmd/m);
    const lines = (await kit.run("export", "--format", "jsonl")).out.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).name).toSorted()).toEqual(
      ["=cmd|evil", "Acme Tools", "上海华锦电子有限公司"].toSorted(),
    );
    const file = kit.file("out.csv");
    expect((await kit.run("export", "-o", file)).out).toContain("3 accounts");
    expect(readFileSync(file, "utf8").startsWith("\ufeff")).toBe(true);
    expect(existsSync(`${file}.partial`)).toBe(false);
  });

  it("writes no file where there is no room for one, and says so", async () => {
    await kit.run("sync");
    const { code, err } = await kit.run("export", "-o", kit.file("missing/folder/out.csv"));
    expect(err).toContain(`there is no folder ${kit.file("missing/folder")}`);
    expect((await kit.run("export", "-o", kit.folder)).err).toContain("it is a folder");
    expect(code).toBe(1);
    expect(err).toContain("was not written");
  });

  it("notes every read of customers in the audit log, which verifies", async () => {
    await kit.run("sync");
    const before = (await kit.run("audit", "verify", "--json")).json() as { entries: number; unlinked: number };
    await kit.run("accounts", "list");
    await kit.run("export");
    const after = (await kit.run("audit", "verify", "--json")).json() as {
      entries: number;
      unlinked: number;
      broken: unknown;
    };
    expect(after.entries + after.unlinked).toBe(before.entries + before.unlinked + 2);
    expect(after.broken).toBeNull();
  });

  it("refuses a value that does not fit its field, and an answer that does not fit its conflict", async () => {
    await kit.run("sync");
    const missing = await kit.run("conflicts", "resolve", "con_none", "--take", "list");
    expect([missing.code, missing.err.includes("There is no conflict con_none")]).toEqual([1, true]);
  });

  it("puts errors into one JSON object too", async () => {
    await kit.run("sync");
    const { code, json } = await kit.run("accounts", "show", "acc_none", "--json");
    expect(code).toBe(1);
    expect(json()).toMatchObject({ error: { message: expect.stringContaining("acc_none") } });
  });

  it("ends the sandbox when it is asked to stop", async () => {
    const other = createCliKit();
    const running = other.run("sandbox", "--only", "fxiaoke", "--json");
    other.stop();
    const { code, json } = await running;
    expect(code).toBe(0);
    expect(json().systems).toMatchObject([{ system: "fxiaoke", connection: { use: "fxiaoke" } }]);
    other.remove();
  });

  it("lets the simulated vendors of the sandbox call a hub, and prints the keys that take their calls", async () => {
    const other = createCliKit();
    const running = other.run("sandbox", "--only", "zoho,fxiaoke,memory", "--hub", "http://127.0.0.1:1/", "--json");
    other.stop();
    const { systems } = (await running).json();
    expect(systems).toMatchObject([
      { connection: { use: "zoho", webhook: true } },
      { connection: { use: "fxiaoke", webhook: true, aesKey: expect.stringMatching(/=$/) } },
      { connection: { use: "memory", webhook: { secrets: [expect.stringMatching(/^whsec_/)] } } },
    ]);
    other.remove();
  });

  it("shows the channel by which a system calls, without its secret", async () => {
    await kit.run("sync");
    const store = await Effect.runPromise(openStore({ place: kit.file("hub.db"), key: undefined }));
    const expiresAt = Date.UTC(2026, 5, 8, 9);
    const channel = {
      connection: "list",
      id: "12345",
      state: "live" as const,
      reason: null,
      expiresAt,
      checkedAt: 1,
      url: "https://hub.acme.example/hooks/list",
      savedAt: 1,
      secrets: [{ text: "canary-of-a-channel", since: 1, until: null }],
    };
    await Effect.runPromise(saveSubscription(store, channel, []));
    store.close();
    const text = await kit.run("connections");
    expect(text.out).toContain("list: the system calls https://hub.acme.example/hooks/list until 2026-06-08 09:00:00Z");
    const json = await kit.run("connections", "--json");
    expect(json.json().items).toMatchObject([{ channel: { id: "12345", state: "live", expiresAt } }]);
    expect(text.out + json.out).not.toContain("canary");
  });
});
