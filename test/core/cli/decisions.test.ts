import { readFileSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CliKit, createCliKit } from "../../kit/cli-kit.ts";

let kit: CliKit;

beforeEach(async () => {
  kit = createCliKit();
  const write = (name: string, rows: ReadonlyArray<string>) => writeFileSync(kit.file(name), rows.join("\n"));
  write("one.csv", [
    "No,Company,Website,Phone,Industry,Employees",
    "1,Acme Tools,www.acme-tools.com,+1 512-555-1074,,12",
    "2,Birch Foods,www.birch.com,,,",
  ]);
  write("two.csv", [
    "No,Company,Website,Phone,Industry,Employees",
    "8,Acme Tools,acme-tools.com,+1 512-555-1075,Retail,",
    "9,Cedar Pumps,cedar.com,,,",
  ]);
  write("syncline.yaml", [
    `hub: { store: "sqlite:${kit.file("hub.db")}" }`,
    "connections:",
    `  one: { use: file, path: "${kit.file("one.csv")}", id: No }`,
    `  two: { use: file, path: "${kit.file("two.csv")}", id: No }`,
    "policy: { account: { default: [newest, { prefer: [one, two] }], fields: { phone: manual } } }",
  ]);
  expect((await kit.run("sync")).code).toBe(0);
});

afterEach(() => kit.remove());

interface Item {
  readonly id: string;
  readonly values: Record<string, unknown>;
  readonly updatedAt: number;
  readonly field?: string;
}

const items = async (...argv: ReadonlyArray<string>): Promise<ReadonlyArray<Item>> =>
  (await kit.run(...argv, "--json")).json().items as ReadonlyArray<Item>;

async function account(name: string): Promise<Item> {
  const found = (await items("accounts", "list")).filter(({ values }) => values.name === name);
  const [one] = found;
  if (one === undefined || found.length > 1) throw new Error(`${found.length} accounts are called ${name}`);
  return one;
}

const byField = (one: Item, other: Item): number =>
  JSON.stringify(one.field).localeCompare(JSON.stringify(other.field));

const openRow = async (): Promise<Item> => {
  const [row] = await items("conflicts", "list", "--field", "phone");
  if (row === undefined) throw new Error("no open conflict of the phone");
  return row;
};

describe("decisions on the command line", () => {
  it("settle an open conflict with one source's value, and take that back", async () => {
    const { id } = await openRow();
    expect((await kit.run("conflicts", "resolve", id, "--take", "two")).code).toBe(0);
    expect((await account("Acme Tools")).values.phone).toBe("+15125551075");
    expect((await kit.run("conflicts", "list")).out).toContain("No open conflicts");
    const undone = await kit.run("conflicts", "undo", id);
    expect([undone.code, undone.out.includes("The question is open again")]).toEqual([0, true]);
    const acme = await account("Acme Tools");
    expect(acme.values.phone).toBe("+15125551074");
    expect((await openRow()).id).toBe(id);
    expect((await kit.run("explain", acme.id, "phone")).out).toContain("asked again");
  });

  it("name the customer of each conflict", async () => {
    const { id } = await openRow();
    const { out, code } = await kit.run("conflicts", "list");
    expect([
      code,
      out
        .split("\n")
        .find((line) => line.startsWith(id))
        ?.includes("Acme Tools"),
    ]).toEqual([0, true]);
    expect(await items("conflicts", "list")).toMatchObject([{ id, name: "Acme Tools" }]);
    const shown = (await kit.run("conflicts", "show", id)).out;
    expect(shown).toContain("agreed on before");
    expect(shown).not.toContain("kind: meeting");
  });

  it("ask again when the row has changed since it was shown", async () => {
    const { id, updatedAt } = await openRow();
    const stale = await kit.run("conflicts", "resolve", id, "--take", "two", "--shown", String(updatedAt - 1));
    expect([stale.code, stale.out.includes("Nothing was changed")]).toEqual([1, true]);
    expect((await account("Acme Tools")).values.phone).toBe("+15125551074");
    const { out } = await kit.run("conflicts", "show", id);
    expect(out).toContain(`--shown ${updatedAt}`);
  });

  it("refuse a value that does not fit its field, no answer, and two answers", async () => {
    const { id } = await openRow();
    const wrong = await kit.run("conflicts", "resolve", id, "--value", "call me");
    expect([wrong.code, wrong.err.includes("Phone")]).toEqual([2, true]);
    expect((await kit.run("conflicts", "resolve", id)).err).toContain("--take <connection>");
    expect((await kit.run("conflicts", "resolve", id, "--take", "one", "--empty")).err).toContain(
      "More than one answer",
    );
    expect((await kit.run("conflicts", "resolve", id, "--take", "three")).err).toContain("there are: ");
  });

  it("hold a person's value against the sources until it is released", async () => {
    const { id } = await account("Birch Foods");
    expect((await kit.run("accounts", "set", id, "industry", "Food", "--hold")).code).toBe(0);
    expect((await kit.run("explain", id, "industry")).out).toContain("a person holds this value");
    expect((await kit.run("accounts", "release", id, "industry")).code).toBe(0);
    expect((await kit.run("accounts", "release", id, "industry")).err).toContain("is not held");
    expect((await account("Birch Foods")).values.industry).toBe("Food");
  });

  it("take back all that a run filled in", async () => {
    // Whichever list was read first, the other one filled in what it lacked.
    expect((await account("Acme Tools")).values).toMatchObject({ industry: "Retail", employees: 12 });
    const [row] = (await kit.run("conflicts", "list", "--all", "--json")).json().items as ReadonlyArray<{
      run: string;
    }>;
    const run = row?.run ?? "";
    const undone = await kit.run("conflicts", "undo", run);
    expect(undone.out).toContain("Taken back: 1 change;");
    const { industry, employees } = (await account("Acme Tools")).values;
    expect([industry ?? null, employees ?? null].filter((value) => value === null)).toHaveLength(1);
    const unknown = await kit.run("conflicts", "undo", "run_bogus");
    expect([unknown.code, unknown.err.includes("There was no run run_bogus")]).toEqual([1, true]);
    expect((await kit.run("sync")).code).toBe(0);
    const [latest] = (await kit.run("sync", "--json")).out.match(/run_\w+/) ?? [];
    expect((await kit.run("conflicts", "undo", latest ?? "")).err).toContain("filled no empty field");
  });

  it("merge two accounts and take them apart again", async () => {
    const birch = await account("Birch Foods");
    const cedar = await account("Cedar Pumps");
    expect((await kit.run("accounts", "merge", birch.id, cedar.id)).code).toBe(0);
    expect((await items("accounts", "list")).length).toBe(2);
    expect((await kit.run("accounts", "show", cedar.id)).out).toContain(`${cedar.id} was merged into it`);
    expect((await kit.run("accounts", "unmerge", birch.id, cedar.id)).code).toBe(0);
    expect((await account("Cedar Pumps")).id).toBe(cedar.id);
    expect((await account("Birch Foods")).id).toBe(birch.id);
  });

  it("D22: list what a changed policy would settle otherwise, and make it so only when asked", async () => {
    const one = readFileSync(kit.file("one.csv"), "utf8").replace("1,Acme Tools", "1,Acme Tools Inc");
    writeFileSync(kit.file("one.csv"), one);
    writeFileSync(kit.file("two.csv"), readFileSync(kit.file("two.csv"), "utf8").replace("8,Acme Tools", "8,ACME"));
    await kit.run("sync");
    const { id } = await account("Acme Tools Inc");
    expect((await kit.run("policy", "plan")).out).toContain("as it was settled");
    const yaml = readFileSync(kit.file("syncline.yaml"), "utf8");
    writeFileSync(kit.file("syncline.yaml"), yaml.replace("prefer: [one, two]", "prefer: [two, one]"));
    await kit.run("sync");
    expect((await account("Acme Tools Inc")).id).toBe(id);
    expect((await items("policy", "plan")).toSorted(byField)).toMatchObject([
      { canonicalId: id, field: "name", from: "Acme Tools Inc", to: "ACME", source: "two", rule: "prefer" },
      { canonicalId: id, field: "website", to: "https://acme-tools.com", source: "two", rule: "prefer" },
    ]);
    expect((await kit.run("policy", "apply")).out).toContain("2 fields changed");
    expect((await account("ACME")).id).toBe(id);
    expect((await kit.run("policy", "plan")).out).toContain("as it was settled");
  });

  it("let a record go its own way, and link it again", async () => {
    const { id } = await account("Birch Foods");
    expect((await kit.run("accounts", "unlink", "one", "2")).code).toBe(0);
    expect((await kit.run("accounts", "show", id)).out).toContain("detached");
    expect((await kit.run("accounts", "link", "one", "2", id)).code).toBe(0);
    expect((await kit.run("accounts", "show", id)).out).toMatch(/one +2 +live/);
    expect((await kit.run("accounts", "unlink", "one", "77")).err).toContain("that the hub knows");
  });
});

describe("undo", () => {
  it("shows what it would touch and changes nothing, then takes a run back, and asks where somebody was at work since", async () => {
    writeFileSync(
      kit.file("one.csv"),
      [
        "No,Company,Website,Phone,Industry,Employees",
        "1,Acme Tools Ltd,www.acme-tools.com,,,12",
        "2,Birch Foods Inc,www.birch.com,,,",
      ].join("\n"),
    );
    const [run = ""] = (await kit.run("sync", "--json")).out.match(/run_\w+/) ?? [];
    const [acme, birch] = [await account("Acme Tools Ltd"), await account("Birch Foods Inc")];
    await kit.run("accounts", "set", birch.id, "name", "Birch Fine Foods");
    const shown = await kit.run("undo", run);
    expect(shown).toMatchObject({ code: 0, out: expect.stringContaining("Acme Tools Ltd → Acme Tools") });
    expect(shown.out).toMatch(/Birch Fine Foods → Birch Foods +asks, it was changed since/);
    expect(shown.out).toMatch(/Nothing has been changed\. Do it: npx syncline undo run_\w+ --yes/);
    expect((await account("Acme Tools Ltd")).id).toBe(acme.id);
    const done = await kit.run("undo", run, "--yes");
    expect([done.code, done.out.includes("1 were changed since and ask")]).toEqual([1, true]);
    expect((await account("Acme Tools")).id).toBe(acme.id);
    expect((await account("Birch Fine Foods")).id).toBe(birch.id);
    const [row] = await items("conflicts", "list", "--field", "name");
    expect(row).toMatchObject({ canonicalId: birch.id, state: "reopened" });
  });

  it("takes back one change by its number, also a merge and another undo", async () => {
    const birch = await account("Birch Foods");
    const cedar = await account("Cedar Pumps");
    await kit.run("accounts", "set", birch.id, "industry", "Food");
    const numbered = (await kit.run("explain", birch.id, "industry")).out.match(/#(\d+)/)?.[1] ?? "";
    expect((await kit.run("undo", numbered, "--yes")).code).toBe(0);
    expect((await account("Birch Foods")).values.industry ?? null).toBeNull();
    const again = (await kit.run("explain", birch.id, "industry")).out.match(/#(\d+)/)?.[1] ?? "";
    expect(Number(again)).toBeGreaterThan(Number(numbered));
    expect((await kit.run("undo", `#${again}`, "--yes")).code).toBe(0);
    expect((await account("Birch Foods")).values.industry).toBe("Food");
    await kit.run("accounts", "merge", birch.id, cedar.id);
    const store = new DatabaseSync(kit.file("hub.db"), { readOnly: true });
    const merged = store
      .prepare("select position from changes where kind = 'merged' and canonical_id = ?")
      .get(birch.id);
    store.close();
    const shown = await kit.run("undo", String(merged?.position));
    expect(shown.out).toContain("two that became one");
    expect((await kit.run("undo", String(merged?.position), "--yes")).code).toBe(0);
    expect((await account("Cedar Pumps")).id).toBe(cedar.id);
    expect((await kit.run("replay", "--verify")).code).toBe(0);
  });

  it("says what is wrong with what it was given", async () => {
    expect(await kit.run("undo", "con_1")).toMatchObject({ code: 2, err: expect.stringContaining("conflicts undo") });
    expect(await kit.run("undo", "run_bogus")).toMatchObject({
      code: 1,
      err: expect.stringContaining("no run run_bogus"),
    });
    expect(await kit.run("undo", "987654")).toMatchObject({
      code: 1,
      err: expect.stringContaining("no change 987654"),
    });
    const [quiet = ""] = (await kit.run("sync", "--json")).out.match(/run_\w+/) ?? [];
    expect(await kit.run("undo", quiet, "--yes")).toMatchObject({ code: 0, out: expect.stringContaining("no value") });
  });
});

describe("replay --verify", () => {
  it("says that the log folds to what is there, and names what does not", async () => {
    const whole = await kit.run("replay", "--verify");
    expect(whole).toMatchObject({
      code: 0,
      out: expect.stringMatching(/\d+ changes fold to the 3 accounts and contacts/),
    });
    const { id } = await account("Cedar Pumps");
    const store = new DatabaseSync(kit.file("hub.db"));
    store.prepare("update canonicals set state = 'dead' where id = ?").run(id);
    store.close();
    const broken = await kit.run("replay", "--verify");
    expect(broken.code).toBe(1);
    expect(broken.out).toMatch(new RegExp(`Of 3 accounts and contacts 1 are not[\\s\\S]*${id} +state`));
    expect((await kit.run("replay")).code).toBe(2);
  });
});
