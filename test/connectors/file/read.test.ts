import iconv from "iconv-lite";
import { describe, expect, it } from "vitest";
import type { Config } from "../../../connectors/file/config.ts";
import { delimiterOf } from "../../../connectors/file/read-csv.ts";
import { instantOf } from "../../../connectors/file/scan.ts";
import { file, pullAll, valuesOf, workbook } from "./kit.ts";

const chinese =
  "客户编号,公司名称,统一社会信用代码,电话,邮箱,行业\nC1,上海电气集团,91310000631272283J,021-33261888,info@shanghai-electric.com,制造业\n";
const chineseValues = {
  name: "上海电气集团",
  taxId: "91310000631272283J",
  phone: "021-33261888",
  email: "info@shanghai-electric.com",
  industry: "制造业",
};

describe("a CSV file", () => {
  it("is mapped by its English headings", async () => {
    const path = file("a.csv", 'No,Company Name,E-Mail,Employees,Zip\n1,Acme,a@acme.com,"1,200",20095\n');
    const { records, complete } = await pullAll({ path, id: "No" });
    expect(records.map(({ id }) => id)).toEqual(["1"]);
    expect(valuesOf({ path, id: "No" }, records[0])).toEqual({
      name: "Acme",
      email: "a@acme.com",
      employees: 1200,
      billingAddress: { postalCode: "20095" },
    });
    expect(complete).toBe(true);
  });

  it.each([
    ["UTF-8", Buffer.from(chinese)],
    ["UTF-8 with a byte order mark", Buffer.from(`\ufeff${chinese}`)],
    ["GB18030", iconv.encode(chinese, "gb18030")],
    ["UTF-16 little endian", iconv.encode(chinese, "utf-16le", { addBOM: true })],
    ["UTF-16 big endian", iconv.encode(chinese, "utf-16be", { addBOM: true })],
  ])("in %s is read as what it is, with Chinese headings", async (_name, bytes) => {
    const config = { path: file("客户.csv", bytes), id: "客户编号" };
    const { records, bad } = await pullAll(config);
    expect(bad).toEqual([]);
    expect(valuesOf(config, records[0])).toEqual(chineseValues);
  });

  it("whose encoding cannot be told is refused, and read once it is named", async () => {
    const path = file("a.csv", iconv.encode("No,Name\n1,Café Müller\n2,Señor Nuñez\n", "windows-1252"));
    await expect(pullAll({ path, id: "No" })).rejects.toMatchObject({
      _tag: "AuthFailed",
      message: expect.stringContaining("cannot be told"),
    });
    const { records } = await pullAll({ path, id: "No", encoding: "windows-1252" });
    expect(records.map(({ fields }) => fields.name)).toEqual(["Café Müller", "Señor Nuñez"]);
    await expect(pullAll({ path, id: "No", encoding: "klingon" })).rejects.toMatchObject({ _tag: "AuthFailed" });
  });

  it("keeps quoted newlines, delimiters and quotes, and knows the lines behind them", async () => {
    const path = file("a.csv", 'No,Name,Notes\r\n1,"Acme, Inc.","first\nsecond ""x"""\r\n\r\n2,B\r\n3,C,c\r\n');
    const { records, bad } = await pullAll({ path, id: "No" });
    expect(records.map(({ fields }) => [fields.name, fields.description])).toEqual([
      ["Acme, Inc.", 'first\nsecond "x"'],
      ["C", "c"],
    ]);
    expect(bad.map(({ where }) => where)).toEqual([`${path}:5`]);
  });

  it.each([
    ["a.tsv", "No\tName\n1\tAcme, Inc.\n"],
    ["semicolons.csv", "No;Name\n1;Acme, Inc.\n"],
    ["bars.txt", "No|Name\n1|Acme, Inc.\n"],
  ])("%s finds its delimiter", async (name, content) => {
    const { records } = await pullAll({ path: file(name, content), id: "No" });
    expect(records[0]?.fields.name).toBe("Acme, Inc.");
  });

  it("takes the good rows and tells the bad ones with their place", async () => {
    const broken = Buffer.concat([
      Buffer.from("No,Name\n1,Größe\n2\n3,a,b\n,no id\n1,again\n4,"),
      Buffer.from([0xff]),
      Buffer.from("\n5,müde,\n6,Zoë\n7,多多多多多\n"),
    ]);
    const path = file("a.csv", broken);
    const { records, bad, complete } = await pullAll({ path, id: "No" });
    expect(records.map(({ id }) => id)).toEqual(["1", "5", "6", "7"]);
    expect(bad.map(({ where, problem }) => [where.slice(path.length), problem])).toEqual([
      [":3", "the row has 1 cells, and the heading has 2"],
      [":4", "the row has 3 cells, and the heading has 2"],
      [":5", "the row has no No"],
      [":6", `the row has the same id as ${path}:2`],
      [":7", "the bytes of Name do not fit the file's encoding"],
    ]);
    expect(bad.every(({ remedy }) => remedy !== "")).toBe(true);
    expect(complete).toBe(false);
  });

  it("with a quote that is never closed gives what stands before it and is not complete", async () => {
    const path = file("a.csv", 'No,Name\n1,A\n2,"B\n3,C\n4,D\n');
    const { records, bad, complete } = await pullAll({ path, id: "No" });
    expect(records.map(({ id }) => id)).toEqual(["1"]);
    expect(bad).toHaveLength(1);
    expect(bad[0]?.problem).toContain("never closed");
    expect(complete).toBe(false);
  });

  it("tells an empty cell from a column that is not there", async () => {
    const { records } = await pullAll({ path: file("a.csv", "No,Name,Phone\n1,A,\n"), id: "No" });
    expect(records[0]?.fields).toEqual({ name: "A", phone: null });
  });

  it("names columns that have the same heading or none", async () => {
    const path = file("a.csv", "No,Phone,Phone,\n1,2,3,4\n");
    const { records } = await pullAll({ path, id: "No" }, { fields: ["phone", "Phone (2)", "column 4"] });
    expect(records[0]?.fields).toEqual({ phone: "2", "Phone (2)": "3", "column 4": "4" });
  });

  it("may have a column called __proto__", async () => {
    const path = file("a.csv", "No,__proto__\n1,x\n");
    const { records } = await pullAll({ path, id: "No" }, { fields: ["__proto__", "toString"] });
    expect(records).toHaveLength(1);
    expect(Object.keys(records[0]?.fields ?? {})).toEqual(["__proto__"]);
  });
});

describe("headers", () => {
  it("give columns a meaning, and take away the one that their name has", async () => {
    const path = file("a.csv", "name,Firma,Ort\nx,Acme GmbH,Kiel\n");
    const config = {
      path,
      id: "name",
      headers: { name: "legalName", Firma: "name", Ort: "billingAddress.city" },
    } as const;
    const { records } = await pullAll({ ...config, id: "legalName" });
    expect(valuesOf(config, records[0])).toEqual({
      name: "Acme GmbH",
      legalName: "x",
      billingAddress: { city: "Kiel" },
    });
  });

  it("of contacts join or split names and gather contact points", async () => {
    const config = {
      path: file("a.csv", "no,姓名,手机,邮箱,备用邮箱,启用\n1,欧阳小明,13800138000,a@x.cn,b@x.cn,是\n"),
      id: "no",
      entity: "contact",
    } as const;
    const { records } = await pullAll(config);
    expect(valuesOf(config, records[0])).toEqual({
      name: { family: "欧阳", given: "小明" },
      mobile: "13800138000",
      emails: ["a@x.cn", "b@x.cn"],
      active: true,
    });
    const split = { path: file("b.csv", "no,First Name,Last Name\n1,Ann,Lee\n"), id: "no", entity: "contact" } as const;
    expect(valuesOf(split, (await pullAll(split)).records[0])).toEqual({ name: { given: "Ann", family: "Lee" } });
  });
});

describe("ids", () => {
  it("of several columns do not run into each other", async () => {
    const path = file("a.csv", "a,b,name\nx|y,z,1\nx,y|z,2\n");
    const { records } = await pullAll({ path, id: ["a", "b"] });
    expect(records.map(({ id }) => id)).toEqual(["x\\|y|z", "x|y\\|z"]);
  });

  it("in a column that is not there are refused with the columns that are", async () => {
    const path = file("a.csv", "Nr,Name\n1,A\n");
    await expect(pullAll({ path, id: "No" })).rejects.toMatchObject({
      _tag: "AuthFailed",
      remedy: "Name columns that identify a row. There are: Nr, Name.",
    });
  });
});

describe("JSON lines", () => {
  it("are read with nested members, and a key that is not there is not known", async () => {
    const path = file(
      "a.jsonl",
      '{"no":1,"name":"A","employees":7,"address":{"city":"Kiel"},"tags":["x","y"],"phone":null}\n\n{"no":2,"name":"B"}\n{"no":3,\n[1]\n{"name":"C"}',
    );
    const { records, bad } = await pullAll(
      { path, id: "no" },
      { fields: ["name", "employees", "address.city", "tags", "phone"] },
    );
    expect(records.map(({ id, fields }) => [id, fields])).toEqual([
      ["1", { name: "A", employees: "7", "address.city": "Kiel", tags: "x; y", phone: null }],
      ["2", { name: "B" }],
    ]);
    expect(bad.map(({ where, problem }) => [where.slice(path.length), problem])).toEqual([
      [":4", "the line is not JSON"],
      [":5", "the line is not a JSON object"],
      [":6", "the row has no no"],
    ]);
  });
});

describe("a workbook", () => {
  const sheets = {
    Read: [["x"]],
    客户: [[], ["编号", "公司名称", "员工人数"], ["C1", "甲", 12], ["C2", "乙"], [undefined, "丙"]],
  };

  it("is read by sheet, with numbers as text and missing cells as empty", async () => {
    const path = file("a.xlsx", workbook(sheets));
    const { records, bad } = await pullAll({ path, id: "编号", sheet: "客户" });
    expect(records.map(({ id, fields }) => [id, fields])).toEqual([
      ["C1", { name: "甲", employees: "12" }],
      ["C2", { name: "乙", employees: null }],
    ]);
    expect(bad.map(({ where }) => where.slice(path.length))).toEqual([":5"]);
  });

  it("without the sheet, or that is none, is refused", async () => {
    const path = file("a.xlsx", workbook(sheets));
    await expect(pullAll({ path, id: "编号", sheet: "Kunden" })).rejects.toMatchObject({
      _tag: "AuthFailed",
      message: expect.stringContaining("has no sheet Kunden"),
    });
    await expect(pullAll({ path: file("b.xlsx", "not a workbook"), id: "x" })).rejects.toMatchObject({
      _tag: "AuthFailed",
    });
  });
});

describe("small readings", () => {
  it.each([
    ["a,b;c,d", ","],
    ['"a,b,c";d;e', ";"],
    ["a", ","],
    ["a\tb", "\t"],
  ])("%j is delimited by %j", (heading, delimiter) => {
    expect(delimiterOf(heading)).toBe(delimiter);
  });

  it.each([
    ["2026-01-02T03:04:05Z", Date.UTC(2026, 0, 2, 3, 4, 5)],
    ["2026-01-02 03:04", Date.UTC(2026, 0, 2, 3, 4)],
    ["2026/01/02 11:04:05+08:00", Date.UTC(2026, 0, 2, 3, 4, 5)],
    ["2026-01-02T11:04+0800", Date.UTC(2026, 0, 2, 3, 4)],
    ["1767323045", 1_767_323_045_000],
    ["yesterday", undefined],
    ["", undefined],
  ])("%s is the instant %s", (text, instant) => {
    expect(instantOf(text)).toBe(instant);
  });
});

describe("choices in Chinese", () => {
  const rows = "编号,公司名称,行业,状态\n1,甲,制造业,启用\n2,乙,互联网,停用\n3,丙,Retail,归档\n4,丁,养蜂,待定\n";
  const read = async (choices?: "english") => {
    const config: Config = { path: file("c.csv", rows), id: "编号", ...(choices === undefined ? {} : { choices }) };
    const { records } = await pullAll(config);
    return records.map((record) => valuesOf(config, record)).map(({ industry, status }) => [industry, status]);
  };

  it("become the hub's own words for a status, and stand as they are for an industry", async () => {
    expect(await read()).toEqual([
      ["制造业", "active"],
      ["互联网", "inactive"],
      ["Retail", "archived"],
      ["养蜂", "待定"],
    ]);
  });

  it("become English industries where the hub speaks English", async () => {
    expect((await read("english")).map(([industry]) => industry)).toEqual([
      "Manufacturing",
      "Technology",
      "Retail",
      "养蜂",
    ]);
  });
});
