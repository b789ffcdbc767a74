import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createHttpKit, type HttpKit } from "../../kit/http-kit.ts";

let kit: HttpKit;

beforeAll(async () => {
  kit = await createHttpKit({ accounts: 30 });
  kit.one.screen.edit("account", kit.remote.account, { Industry: "Circus" });
  await kit.sync();
});

afterAll(() => kit.close());

type Row = Readonly<Record<string, unknown>>;

/** Every row of a list, page by page, and how many pages that took. */
async function walk(
  path: string,
  limit: number,
): Promise<{ readonly rows: ReadonlyArray<Row>; readonly pages: number }> {
  const rows: Array<Row> = [];
  let cursor = "";
  for (let pages = 1; pages < 200; pages++) {
    const mark = path.includes("?") ? "&" : "?";
    const { status, body } = await kit.call(`${path}${mark}limit=${limit}${cursor}`);
    expect(status).toBe(200);
    const items = body.items as ReadonlyArray<Row>;
    expect(items.length).toBeLessThanOrEqual(limit);
    rows.push(...items);
    if (body.next === null) return { rows, pages };
    cursor = `&cursor=${body.next}`;
  }
  throw new Error(`${path} does not end`);
}

describe("lists by page", () => {
  it.each([
    ["/accounts", "id"],
    ["/contacts", "id"],
    ["/conflicts?state=all", "id"],
    ["/runs", "startedAt"],
    ["/keys", "id"],
    ["/accounts?filter=industry:Retail", "id"],
    ["/accounts?connection=two", "id"],
  ])("%s gives every row exactly once, whatever the size of a page", async (path) => {
    const whole = (await walk(path, 500)).rows;
    expect(whole.length).toBeGreaterThan(0);
    for (const limit of [1, 3, whole.length]) {
      const { rows, pages } = await walk(path, limit);
      expect(rows).toEqual(whole);
      expect(pages).toBe(Math.ceil(whole.length / limit));
    }
    expect(new Set(whole.map((row) => JSON.stringify(row))).size).toBe(whole.length);
  });

  it("gives the history of an account and the audit log exactly once, newest first", async () => {
    const { id } = await kit.account("Birdcage");
    const positions = (await walk(`/accounts/${id}/history`, 2)).rows.map((row) => Number(row.position));
    expect(positions.length).toBeGreaterThan(2);
    expect(positions).toEqual([...new Set(positions)].toSorted((one, other) => other - one));
    const entries = (await walk("/audit?actor=hub", 2)).rows.map((row) => Number(row.id));
    expect(entries.length).toBeGreaterThan(2);
    expect(entries).toEqual([...new Set(entries)].toSorted((one, other) => other - one));
  });

  it("goes on behind the cursor when rows come in between", async () => {
    const first = (await kit.call("/accounts?limit=5")).body;
    kit.one.screen.create("account", { Name: "Late", Domain: "late.com" });
    await kit.sync();
    const rest = (await kit.call(`/accounts?limit=500&cursor=${first.next}`)).body.items as ReadonlyArray<Row>;
    const ids = [...(first.items as ReadonlyArray<Row>), ...rest].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(rest.map(({ name }) => name)).toContain("Late");
  });

  it("refuses cursors of other lists, foreign ones, and limits beyond the bound", async () => {
    const { next } = (await kit.call("/accounts?limit=1")).body;
    for (const query of [`cursor=${next}`, "cursor=abc", "limit=501", "limit=0", "limit=1.5", "limit=ten", "cursor="]) {
      const { status, body } = await kit.call(`/conflicts?${query}`);
      expect([query, status]).toEqual([query, 400]);
      expect(body.errors).toMatchObject([{ path: expect.stringMatching(/^query\.(cursor|limit)$/) }]);
    }
    const { id } = await kit.account("Birdcage");
    const history = (await kit.call(`/accounts/${id}/history?limit=1`)).body.next;
    const other = (await kit.account("Company 1")).id;
    expect((await kit.call(`/accounts/${other}/history?cursor=${history}`)).status).toBe(400);
  });
});

describe("filters", () => {
  const names = async (query: string): Promise<ReadonlyArray<unknown>> =>
    ((await kit.call(`/accounts?limit=500&${query}`)).body.items as ReadonlyArray<Row>).map(({ name }) => name);

  it("fit business fields by their type, all of them together", async () => {
    expect(await names("filter=domain:company-7.com")).toEqual(["Company 7"]);
    expect(await names("filter=domain:WWW.Company-7.com")).toEqual(["Company 7"]);
    expect(await names("filter=industry:Retail&filter=domain:company-7.com")).toEqual(["Company 7"]);
    expect(await names("filter=industry:Banking&filter=domain:company-7.com")).toEqual([]);
    expect(await names("filter=industry:")).toEqual(["Late"]);
    expect(await names("state=deleted")).toEqual([]);
  });

  it("know times and connections", async () => {
    const at = new Date(kit.clock.now()).toISOString();
    expect(await names(`updatedSince=${at}`)).toEqual([]);
    expect((await names("updatedSince=2020-01-01T00:00:00Z")).length).toBe(31);
    expect(await names("connection=three")).toEqual([]);
    expect((await kit.call("/accounts?updatedSince=yesterday")).status).toBe(400);
  });

  it("name what is wrong with them", async () => {
    for (const filter of ["industry", "nope:x", "employees:many"]) {
      const { status, body } = await kit.call(`/accounts?filter=domain:x.com&filter=${filter}`);
      expect([status, body.errors]).toEqual([400, [{ path: "query.filter.1", what: expect.any(String) }]]);
    }
  });
});
