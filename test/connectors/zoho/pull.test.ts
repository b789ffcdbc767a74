import { describe, expect, it } from "vitest";
import type { Cursor } from "../../../connectors/zoho/cursor.ts";
import { seedZoho } from "../../../connectors/zoho/simulator.ts";
import { AuthFailed, type Change, type Page, RateLimited } from "../../../core/connector.ts";
import { pagesOf, recordsIn } from "../../kit/contract/world.ts";
import { hubKey, type ZohoWorld, zohoWorld } from "./kit.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

const fill = ({ simulator }: ZohoWorld, count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, index) => simulator.screen.create("account", { Account_Name: `Company ${index}` }));
const idsIn = (pages: ReadonlyArray<Page<Cursor>>): ReadonlyArray<string> =>
  [...new Set(recordsIn(pages).map(({ id }) => id))].sort();
const endOf = (pages: ReadonlyArray<Page<Cursor>>): Cursor => {
  const last = pages.at(-1);
  if (last === undefined) throw new Error("no page");
  return last.cursor;
};
const changesIn = (pages: ReadonlyArray<Page<Cursor>>): ReadonlyArray<Change> =>
  pages.flatMap(({ changes }) => changes);
const tombstonesIn = (pages: ReadonlyArray<Page<Cursor>>): ReadonlyArray<string> =>
  changesIn(pages).flatMap((change) => (change.kind === "deleted" ? [change.id] : []));

describe("the walk through changes", () => {
  it.each(["place", "offset"] as const)(
    "loses no record when one that was read is edited meanwhile, if tokens remember a %s",
    async (pageTokens) => {
      const world = await zohoWorld({ simulator: { pageTokens } });
      const ids: Array<string> = [];
      for (let index = 0; index < 900; index += 1) {
        ids.push(world.simulator.screen.create("account", { Account_Name: `Company ${index}` }));
        if (index % 7 === 0) world.clock.advance(1_000);
      }
      const seen = new Set<string>();
      const request = {
        mode: "changes" as const,
        cursor: null,
        fields: ["Account_Name"],
        signal: new AbortController().signal,
      };
      for await (const page of world.api.pull("account", request)) {
        const [first] = recordsIn([page]);
        for (const { id } of recordsIn([page])) seen.add(id);
        // The record moves from the front to the end, and all behind it move up by one.
        if (first !== undefined && seen.size < 900) world.simulator.screen.edit("account", first.id, { Fax: "1" });
      }
      expect([...seen].sort()).toEqual([...ids].sort());
    },
  );

  it("reads thousands of records of one second", async () => {
    const world = await zohoWorld();
    const ids = fill(world, 2_500);
    expect(idsIn(await world.pull("account"))).toEqual([...ids].sort());
  });

  it("reads an organisation without a record", async () => {
    const world = await zohoWorld();
    const pages = await world.pull("account");
    expect(changesIn(pages)).toEqual([]);
    expect(changesIn(await world.pull("account", { cursor: endOf(pages) }))).toEqual([]);
  });

  it("goes on a day later, when its page token has died", async () => {
    const world = await zohoWorld();
    const ids = fill(world, 700);
    const read: Array<Page<Cursor>> = [];
    const signal = new AbortController().signal;
    for await (const page of world.api.pull("account", { mode: "changes", cursor: null, fields: ["Fax"], signal })) {
      read.push(page);
      if (read.length === 2) break;
    }
    expect(endOf(read).walk).toMatchObject({ phase: "rows", token: expect.any(String) });
    world.clock.advance(25 * hourMs);
    const rest = await pagesOf(world.reconnect(), "account", { cursor: endOf(read), fields: ["Fax"] });
    expect(idsIn([...read, ...rest])).toEqual([...ids].sort());
    expect(endOf(rest).walk).toBeNull();
  });

  it("goes on when a changed map makes its page token invalid", async () => {
    const world = await zohoWorld();
    const ids = fill(world, 700);
    const read: Array<Page<Cursor>> = [];
    const signal = new AbortController().signal;
    for await (const page of world.api.pull("account", { mode: "changes", cursor: null, fields: ["Fax"], signal })) {
      read.push(page);
      if (read.length === 2) break;
    }
    const rest = await pagesOf(world.reconnect(), "account", { cursor: endOf(read), fields: ["Fax", "Website"] });
    expect(idsIn([...read, ...rest])).toEqual([...ids].sort());
  });

  it("reads in bulk what a walk inside one second cannot reach", async () => {
    const world = await zohoWorld({ simulator: { tokenRowsMax: 600 } });
    const ids = fill(world, 1_000);
    const pages = await world.pull("account");
    expect(idsIn(pages)).toEqual([...ids].sort());
    expect(world.calls("POST /crm/bulk/v8/read")).toBe(1);
  });

  it("sees a record that became visible late, behind the last pull", async () => {
    const world = await zohoWorld();
    const [late = ""] = fill(world, 3);
    world.simulator.hide("account", late, true);
    world.clock.advance(90_000);
    const first = await world.pull("account");
    expect(idsIn(first)).not.toContain(late);
    world.simulator.hide("account", late, false);
    expect(idsIn(await world.pull("account", { cursor: endOf(first) }))).toContain(late);
  });

  it("tells times right in every zone, and across a change to summer time", async () => {
    for (const timeZone of ["Asia/Kolkata", "America/New_York", "Australia/Lord_Howe", "UTC"]) {
      const world = await zohoWorld({ simulator: { timeZone } });
      const start = world.clock.now();
      const at = new Map<string, number>();
      for (let month = 0; month < 12; month += 1) {
        at.set(world.simulator.screen.create("account", { Account_Name: `Month ${month}` }), world.clock.now());
        world.clock.advance(30 * dayMs);
      }
      const records = recordsIn(await world.pull("account"));
      expect(new Map(records.map(({ id, modifiedAt }) => [id, modifiedAt]))).toEqual(at);
      expect(records[0]?.createdAt).toBe(start);
    }
  });

  it("asks for no field that the profile hides, so that it does not look empty", async () => {
    const world = await zohoWorld({ simulator: { hiddenFields: ["Accounts.Phone"] } });
    world.simulator.screen.create("account", { Account_Name: "Zylker", Phone: "555-0100" });
    const [record] = recordsIn(await world.pull("account", { fields: ["Account_Name", "Phone", "Fax"] }));
    expect(record?.fields).toEqual({ Account_Name: "Zylker", Fax: null });
  });

  it("reads more fields than one call can name, of one moment each", async () => {
    const names = Array.from({ length: 120 }, (_, index) => `Extra_${index}`);
    const world = await zohoWorld({ simulator: { fields: [hubKey, ...names.map((name) => ({ name }))] } });
    const values = Object.fromEntries(names.map((name) => [name, `value of ${name}`]));
    const ids = Array.from({ length: 130 }, () =>
      world.simulator.screen.create("account", { Account_Name: "A", ...values }),
    );
    const records = recordsIn(await world.pull("account", { fields: names }));
    expect(records.map(({ id }) => id).sort()).toEqual([...ids].sort());
    for (const { fields } of records) expect(fields).toEqual(values);
  });

  it("reads rich text whole, which lists cut", async () => {
    const rich = { name: "Story", type: "textarea", length: 50_000 };
    const world = await zohoWorld({ simulator: { fields: [hubKey, rich] } });
    const text = "A long story. ".repeat(100);
    const id = world.simulator.screen.create("account", { Account_Name: "A", Story: text });
    const [record] = recordsIn(await world.pull("account", { fields: ["Story"] }));
    expect(record?.fields.Story).toBe(text);
    const { changes } = await world.api.fetch("account", [id], ["Story"]);
    expect(changes[0]).toMatchObject({ fields: { Story: text } });
  });
});

describe("the first load of a large organisation", () => {
  const fields = [
    "Account_Name",
    "Phone",
    "Website",
    "Industry",
    "Employees",
    "Annual_Revenue",
    "Owner",
    "Tag",
    "Parent_Account",
    "Description",
    "Billing_City",
  ];

  it("reads in bulk the same values that lists give", async () => {
    const world = await zohoWorld({ keys: { bulkReadAbove: 100 } });
    const { accounts } = seedZoho(world.simulator, { accounts: 150 });
    const [first = "", second = "", third = ""] = accounts;
    world.simulator.screen.edit("account", second, {
      Parent_Account: { id: first },
      Tag: [{ name: "重点" }],
      Description: 'Two\nlines, "quoted", and a comma',
      Annual_Revenue: 1234567.5,
    });
    world.simulator.screen.edit("account", third, { Industry: null, Employees: null, Website: null });
    const bulk = recordsIn(await world.pull("account", { fields }));
    expect(world.calls("/crm/bulk/v8/read")).toBeGreaterThan(2);
    const lists = recordsIn((await zohoLists(world, fields)) ?? []);
    const plain = (records: typeof bulk) =>
      new Map(records.map(({ id, fields: held, modifiedAt }) => [id, { ...held, ...pointers(held), modifiedAt }]));
    expect(plain(bulk)).toEqual(plain(lists));
  });

  it("reads file after file, and then what was edited meanwhile", async () => {
    const world = await zohoWorld({ keys: { bulkReadAbove: 100 }, simulator: { bulkRowsMax: 400 } });
    const ids = fill(world, 1_000);
    const [edited = ""] = ids;
    let first: ReadonlyArray<Page<Cursor>> = [];
    const signal = new AbortController().signal;
    for await (const page of world.api.pull("account", { mode: "changes", cursor: null, fields: ["Fax"], signal })) {
      if (first.length === 0) world.simulator.screen.edit("account", edited, { Fax: "meanwhile" });
      first = [...first, page];
    }
    expect(idsIn(first)).toEqual([...ids].sort());
    expect(world.calls("POST /crm/bulk/v8/read")).toBe(3);
    const next = recordsIn(await world.pull("account", { fields: ["Fax"], cursor: endOf(first) }));
    expect(next.find(({ id }) => id === edited)?.fields.Fax).toBe("meanwhile");
  });

  it("goes on inside a file after a restart, and starts the job again when it is too old", async () => {
    const world = await zohoWorld({ keys: { bulkReadAbove: 100 } });
    const ids = fill(world, 1_200);
    for (const pauseMs of [0, 2 * dayMs]) {
      const read: Array<Page<Cursor>> = [];
      const signal = new AbortController().signal;
      for await (const page of world.api.pull("account", { mode: "changes", cursor: null, fields: ["Fax"], signal })) {
        read.push(page);
        break;
      }
      world.clock.advance(pauseMs);
      const rest = await pagesOf(world.reconnect(), "account", { cursor: endOf(read), fields: ["Fax"] });
      expect(idsIn([...read, ...rest])).toEqual([...ids].sort());
    }
  });

  it("walks page by page where the scopes do not allow to count", async () => {
    const world = await zohoWorld({
      keys: { bulkReadAbove: 100 },
      simulator: { missingScopes: ["ZohoSearch.securesearch.READ"] },
    });
    const ids = fill(world, 450);
    expect(idsIn(await world.pull("account"))).toEqual([...ids].sort());
    expect(world.calls("/crm/bulk/")).toBe(0);
  });
});

/** Lookups carry names in lists and none in files; only the ids matter. */
const pointers = (fields: Readonly<Record<string, unknown>>) => {
  const idOf = (value: unknown): unknown =>
    typeof value === "object" && value !== null && "id" in value ? value.id : value;
  return { Owner: idOf(fields.Owner), Parent_Account: idOf(fields.Parent_Account) };
};

const zohoLists = (world: ZohoWorld, fields: ReadonlyArray<string>) =>
  world.pull("account", { mode: "listing", fields });

describe("deletions", () => {
  it("come as tombstones with their time, once, also when the bin is emptied", async () => {
    const world = await zohoWorld();
    const [gone = "", purged = ""] = fill(world, 4);
    const first = await world.pull("account");
    world.clock.advance(10 * minuteMs);
    const deletedAt = world.clock.now();
    world.simulator.screen.remove("account", gone);
    world.simulator.screen.remove("account", purged);
    world.simulator.purge("account", purged);
    const pages = await world.pull("account", { cursor: endOf(first) });
    expect([...tombstonesIn(pages)].sort()).toEqual([gone, purged].sort());
    expect(changesIn(pages)).toContainEqual({ kind: "deleted", id: gone, deletedAt });
  });

  it("are not believed of a record that was restored meanwhile", async () => {
    const world = await zohoWorld();
    const [id = ""] = fill(world, 2);
    const first = await world.pull("account");
    world.clock.advance(10 * minuteMs);
    world.simulator.screen.remove("account", id);
    world.simulator.screen.restore("account", id);
    expect(tombstonesIn(await world.pull("account", { cursor: endOf(first) }))).toEqual([]);
  });

  it("are found page by page", async () => {
    const world = await zohoWorld();
    const ids = fill(world, 450);
    const first = await world.pull("account");
    world.clock.advance(10 * minuteMs);
    for (const id of ids) world.simulator.screen.remove("account", id);
    expect([...tombstonesIn(await world.pull("account", { cursor: endOf(first) }))].sort()).toEqual([...ids].sort());
  });

  it("are never claimed of a record that is hidden from the API user", async () => {
    const world = await zohoWorld();
    const [hidden = "", gone = ""] = fill(world, 3);
    const first = await world.pull("account");
    world.clock.advance(10 * minuteMs);
    world.simulator.hide("account", hidden, true);
    world.simulator.screen.remove("account", gone);
    expect(tombstonesIn(await world.pull("account", { cursor: endOf(first) }))).toEqual([gone]);
    const { changes } = await world.api.fetch("account", [hidden, gone], ["Account_Name"]);
    expect(changes).toEqual([{ kind: "deleted", id: gone, deletedAt: expect.any(Number) }]);
    const [result] = await world.push([{ kind: "update", entity: "account", id: hidden, fields: { Fax: "1" } }]);
    expect(result).toMatchObject({ kind: "rejected", remedy: expect.stringContaining("sharing rules") });
  });

  it("of the children of a merge come beside the master's change, and name no master", async () => {
    const world = await zohoWorld();
    const { accounts, contacts } = seedZoho(world.simulator, { accounts: 3 });
    const [master = "", child = ""] = accounts;
    const first = await world.pull("account");
    const firstPeople = await world.pull("contact");
    world.clock.advance(10 * minuteMs);
    world.simulator.screen.merge("account", master, [child]);
    const pages = await world.pull("account", { cursor: endOf(first) });
    expect(tombstonesIn(pages)).toEqual([child]);
    expect(idsIn(pages)).toContain(master);
    const people = recordsIn(await world.pull("contact", { cursor: endOf(firstPeople) }));
    expect(people.find(({ id }) => id === contacts[1])?.fields.Account_Name).toMatchObject({ id: master });
  });
});

describe("a listing", () => {
  it("goes on by query where page tokens reach no further, and stays complete", async () => {
    const world = await zohoWorld({ simulator: { tokenRowsMax: 400 } });
    const ids = fill(world, 1_500);
    const pages = await world.pull("account", { mode: "listing" });
    expect(idsIn(pages)).toEqual([...ids].sort());
    expect(pages.at(-1)?.complete).toBe(true);
    expect(world.calls("POST /crm/v8/coql")).toBeGreaterThan(0);
  });
});

describe("limits", () => {
  it("never has more calls under way than the settings say", async () => {
    const world = await zohoWorld({ simulator: { edition: "free" }, keys: { concurrency: 4 } });
    const ids = fill(world, 300);
    await Promise.all(ids.slice(0, 40).map((id) => world.api.fetch("account", [id], ["Fax"])));
    // The Free edition refuses the sixth call; the connector's limit kept it from being made.
    expect(world.logged.filter((line) => line.includes("repeated"))).toEqual([]);
  });

  it("stops before the day's credits are used up, and says when there are new ones", async () => {
    const world = await zohoWorld({ keys: { dailyCredits: 50 }, simulator: { credits: 50 } });
    fill(world, 3);
    const spend = async () => {
      for (let call = 0; call < 100; call += 1) await world.api.people();
    };
    await expect(spend()).rejects.toThrow(RateLimited);
    expect(world.simulator.creditsUsed()).toBe(45);
  });

  it("waits an hour when Zoho says that no credits are left", async () => {
    const world = await zohoWorld({ simulator: { credits: 20 }, keys: { dailyCredits: 1_000 } });
    const fault = await (async () => {
      for (let call = 0; call < 100; call += 1) await world.api.people();
      return undefined;
    })().catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(RateLimited);
    expect((fault as RateLimited).retryAt).toBeGreaterThanOrEqual(world.clock.now() + 50 * minuteMs);
  });
});

it("calls a missing right by its name, with what to do", async () => {
  const world = await zohoWorld({ simulator: { forbidden: ["Contacts"] } });
  fill(world, 1);
  expect(idsIn(await world.pull("account"))).toHaveLength(1);
  await expect(world.pull("contact")).rejects.toThrow(AuthFailed);
});
