import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Schema } from "effect";
import { describe, expect, it } from "vitest";
import { file as connector } from "../../../connectors/file/index.ts";
import { connect, file, pullAll, put, temporaryFolder } from "./kit.ts";

const rows = (count: number): string =>
  `No,Name\n${Array.from({ length: count }, (_, index) => `${index},N${index}\n`).join("")}`;

describe("a pull", () => {
  it("comes in pages, and only the last one moves the cursor and proves completeness", async () => {
    const { pages, records, cursor } = await pullAll({ path: file("a.csv", rows(1200)), id: "No" });
    expect(pages.map((page) => [page.changes.length, page.cursor.files.length, page.complete])).toEqual([
      [500, 0, undefined],
      [500, 0, undefined],
      [200, 1, true],
    ]);
    expect(new Set(records.map(({ id }) => id)).size).toBe(1200);
    expect(Schema.decodeUnknownSync(connector.cursor)(JSON.parse(JSON.stringify(cursor)))).toEqual(cursor);
  });

  it("of an unchanged source is one empty page that proves nothing", async () => {
    const path = file("a.csv", rows(3));
    const first = await pullAll({ path, id: "No" }, { mode: "changes" });
    const second = await pullAll({ path, id: "No" }, { mode: "changes", cursor: first.cursor });
    expect(second.pages.map(({ changes, complete }) => [changes.length, complete])).toEqual([[0, undefined]]);
    put(path, rows(3), 1_000_000);
    const touched = await pullAll({ path, id: "No" }, { mode: "changes", cursor: second.cursor });
    expect(touched.records).toEqual([]);
  });

  it("of a changed source, or of other fields or columns, reads all of it again", async () => {
    const path = file("a.csv", rows(3));
    const { cursor } = await pullAll({ path, id: "No" }, { mode: "changes" });
    const other = await pullAll({ path, id: "No" }, { mode: "changes", cursor, fields: ["Name"] });
    expect(other.records).toHaveLength(3);
    const meant = await pullAll({ path, id: "No", headers: { Name: "legalName" } }, { mode: "changes", cursor });
    expect(meant.records).toHaveLength(3);
    put(path, rows(4));
    expect((await pullAll({ path, id: "No" }, { mode: "changes", cursor })).records).toHaveLength(4);
  });

  it("knows times only from a column that holds them", async () => {
    const path = file("a.csv", "No,Name,Changed\n1,A,2026-01-02T03:04:05Z\n2,B,\n");
    expect((await pullAll({ path, id: "No" })).records.map(({ modifiedAt }) => modifiedAt)).toEqual([
      undefined,
      undefined,
    ]);
    const timed = await pullAll({ path, id: "No", modifiedColumn: "Changed" });
    expect(timed.records.map(({ modifiedAt }) => modifiedAt)).toEqual([Date.UTC(2026, 0, 2, 3, 4, 5), undefined]);
  });
});

describe("what is not there", () => {
  it("never looks like deleted when the file, the folder or the right is missing", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "empty"));
    for (const path of [join(folder, "none.csv"), join(folder, "empty"), join(folder, "*.csv")]) {
      await expect(pullAll({ path, id: "No" })).rejects.toMatchObject({ _tag: "Unavailable" });
      await expect(connect({ path, id: "No" }).fetch("account", ["1"], [])).rejects.toMatchObject({
        _tag: "Unavailable",
      });
    }
    await expect(pullAll({ path: file("a.pdf", "x"), id: "No" })).rejects.toMatchObject({ _tag: "AuthFailed" });
  });

  it("never looks like deleted when the file has no rows, unless that is allowed", async () => {
    for (const content of ["No,Name\n", ""]) {
      const path = file("a.csv", content);
      expect((await pullAll({ path, id: "No" })).complete).toBe(false);
      expect((await pullAll({ path, id: "No", allowEmpty: true })).complete).toBe(true);
    }
  });

  it("never looks like deleted while the file may still be written", async () => {
    const path = file("a.csv", rows(3));
    put(path, rows(2), 1_000);
    expect((await pullAll({ path, id: "No" })).complete).toBe(false);
  });

  it("in a folder counts as deleted only if the folder always holds all rows", async () => {
    const path = temporaryFolder();
    put(join(path, "b.csv"), "No,Name\n3,C\n1,again\n");
    put(join(path, "a.csv"), "No,Name\n1,A\n");
    put(join(path, "notes.md"), "No");
    const some = await pullAll({ path, id: "No" });
    expect(some.records.map(({ id }) => id)).toEqual(["1", "3"]);
    expect(some.bad[0]?.problem).toBe(`the row has the same id as ${join(path, "a.csv")}:2`);
    expect(some.complete).toBe(false);
    put(join(path, "b.csv"), "No,Name\n3,C\n");
    expect((await pullAll({ path: join(path, "*.csv"), id: "No" })).complete).toBe(false);
    expect((await pullAll({ path: join(path, "*.csv"), id: "No", allRows: true })).complete).toBe(true);
    rmSync(path, { recursive: true });
  });
});

describe("a connection", () => {
  it("fetches by id, and tells what is gone only if all rows could be read", async () => {
    const path = file("a.csv", "No,Name\n1,A\n2,B\n");
    const api = connect({ path, id: "No" });
    expect((await api.fetch("account", ["2", "9"], ["name"])).changes).toEqual([
      { kind: "record", id: "2", fields: { name: "B" } },
      { kind: "deleted", id: "9" },
    ]);
    put(path, "No,Name\n1,A\n2\n");
    expect((await api.fetch("account", ["9"], ["name"])).changes).toEqual([]);
  });

  it("finds by value", async () => {
    const api = connect({ path: file("a.csv", "No,Name,VAT ID\n1,A,X\n2,B,Y\n"), id: "No" });
    expect(await api.find("account", [{ field: "taxId", value: "Y" }], ["name"])).toMatchObject([{ id: "2" }]);
  });

  it("describes its columns and the slots of the map, none of them writable", async () => {
    const fields = await connect({
      path: file("a.csv", "No,Firma\n1,A\n"),
      id: "No",
      headers: { Firma: "name" },
    }).describe("account");
    const labels = new Map(fields.map(({ name, label }) => [name, label]));
    expect([labels.get("No"), labels.get("name"), labels.get("taxId")]).toEqual(["No", "Firma", "no column"]);
    expect(fields.some(({ writable }) => writable)).toBe(false);
  });

  it("checks without throwing, with a remedy for each problem", async () => {
    const missing = await connect({ path: "/nowhere/a.csv", id: "No" }).check({ keys: {} });
    expect(missing.map(({ severity }) => severity)).toEqual(["error"]);
    const path = file("a.csv", "Nr,Foo\n1,A\n");
    const wrong = await connect({ path, id: "No" }).check({ keys: {} });
    expect(wrong[0]?.what).toContain("has no column No");
    const vague = await connect({ path, id: "Nr", headers: { Bar: "name" }, modifiedColumn: "When" }).check({
      keys: {},
    });
    expect(vague.map(({ severity, what }) => [severity, what])).toEqual([
      ["warning", `${path} has no column Bar.`],
      ["error", `${path} has no column When.`],
      ["warning", `No column of ${path} has a heading that is known.`],
    ]);
    const sound = await connect({ path: file("b.csv", "No,Name\n1,A\n"), id: "No" }).check({ keys: {} });
    expect(sound).toEqual([]);
  });

  it("is read-only and learns deletes by absence", () => {
    const map = connector.entities({ path: "a.csv", id: "No", entity: "contact" });
    expect(Object.keys(map)).toEqual(["contact"]);
    expect(map.contact).toMatchObject({
      writable: false,
      deletes: { learned: "absence" },
      versions: { conditional: "none" },
    });
    expect(connect({ path: "a.csv", id: "No" }).push).toBeUndefined();
  });
});
