import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normalise } from "../../../core/model/normalise.ts";
import { type FieldType, fieldTypes, type Value } from "../../../core/model/value.ts";
import { anyText, anyValue, fieldOf } from "./samples.ts";

const china = { country: "CN", currency: "CNY" };
const germany = { country: "DE", currency: "EUR" };

const tidy = (type: FieldType, value: Value, context = china): Value => normalise(fieldOf(type), value, context);

describe.each(fieldTypes)("any %s", (type) => {
  it("has one form, which normalising leaves as it is", () => {
    fc.assert(
      fc.property(anyValue, fc.constantFrom(china, germany, { country: "ZZ", currency: "" }), (value, context) => {
        const once = tidy(type, value, context);
        expect(tidy(type, once, context)).toEqual(once);
      }),
    );
  });

  it("is never lost: text with a letter or a digit stays something", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        if (/[\p{L}\p{N}]/u.test(text)) expect(tidy(type, text)).not.toBeNull();
      }),
    );
  });

  it("is null when empty", () => {
    for (const empty of [null, "", [], {}]) expect(tidy("address", tidy("set", empty))).toBeNull();
    expect(tidy(type, null)).toBeNull();
    expect(tidy(type, "")).toBeNull();
  });
});

describe("text", () => {
  it.each([
    ["  Siemens\u00a0 AG\t", "Siemens AG"],
    ["Ａｃｍｅ２", "Acme2"],
    ["上海电气（集团）有限公司", "上海电气（集团）有限公司"],
    ["上海　电气", "上海 电气"],
    ["Mu\u0308ller", "Müller"],
    ["\uff45\u0301t\uff45", "éte"],
    ["Ac\u0000me\u200b", "Acme"],
  ])("brings %j to %j", (text, expected) => {
    expect(tidy("text", text)).toBe(expected);
  });

  it("keeps the lines of a long text", () => {
    expect(tidy("longtext", "  first \r\n\r\n  second\t\r\n")).toBe("first\n\n  second");
  });

  it("makes text of numbers", () => {
    expect(tidy("text", 1e21)).toBe("1000000000000000000000");
  });
});

describe("phone", () => {
  it.each([
    ["021-6234 5678", "+862162345678"],
    ["(010)62345678", "+861062345678"],
    ["13800138000", "+8613800138000"],
    ["１３８ ００１３ ８０００", "+8613800138000"],
    ["8613800138000", "+8613800138000"],
    ["0086 138 0013 8000", "+8613800138000"],
    ["400-800-1234", "+864008001234"],
    ["021-62345678转8001", "+862162345678;ext=8001"],
    ["021-62345678 分机 8001", "+862162345678;ext=8001"],
    ["021-62345678-8001", "+862162345678;ext=8001"],
    ["+86 10 6234 5678 ext. 12", "+861062345678;ext=12"],
    ["tel:+86-138-0013-8000", "+8613800138000"],
    ["+1 555 123 4567", "+15551234567"],
    ["+44 (0)20 7946 0958", "+442079460958"],
    ["+862162345678;ext=12", "+862162345678;ext=12"],
  ])("reads %s as %s", (text, expected) => {
    expect(tidy("phone", text)).toBe(expected);
  });

  it("uses the connection's country", () => {
    expect(tidy("phone", "089 1234567", germany)).toBe("+49891234567");
    expect(tidy("phone", "089 1234567", { country: "", currency: "" })).toBe("089 1234567");
  });

  it.each([["62345678"], ["95588"], ["13800138000 / 13900139000"], ["ask reception"], ["021-62345678 (Li)"]])(
    "leaves %s, which is not certain, as it is",
    (text) => {
      expect(tidy("phone", text)).toBe(text);
    },
  );

  it("keeps the order of a list and drops doubles", () => {
    expect(tidy("phones", ["021-62345678", "13800138000", "+862162345678", " "])).toEqual([
      "+862162345678",
      "+8613800138000",
    ]);
  });
});

describe("e-mail", () => {
  it.each([
    [" Li.Na@Acme.CN ", "li.na@acme.cn"],
    ["ｌｉ＠ａｃｍｅ．ｃｎ", "li@acme.cn"],
    ["li@acme。cn", "li@acme.cn"],
  ])("brings %s to %s", (text, expected) => {
    expect(tidy("email", text)).toBe(expected);
    expect(tidy("owner", text)).toBe(expected);
  });

  it("keeps the main address first", () => {
    expect(tidy("emails", ["B@x.cn", "a@x.cn", "b@X.cn"])).toEqual(["b@x.cn", "a@x.cn"]);
  });
});

describe("web", () => {
  it.each([
    ["www.Example.CN", "https://www.example.cn"],
    ["HTTP://Example.cn/", "http://example.cn"],
    ["https://example.cn/Path?Q=A", "https://example.cn/Path?Q=A"],
    ["example.cn:8080/a", "https://example.cn:8080/a"],
    ["https://WWW.BÜCHER.de", "https://www.bücher.de"],
    ["http://xn--bcher-kva.de/a", "http://bücher.de/a"],
    ["N/A", "N/A"],
    ["none", "none"],
    ["li@acme.cn", "li@acme.cn"],
  ])("brings the address %s to %s", (text, expected) => {
    expect(tidy("url", text)).toBe(expected);
  });

  it.each([
    ["https://www.Example.co.uk/x", "example.co.uk"],
    ["mail.acme.com.cn", "acme.com.cn"],
    ["li@mail.acme.cn", "acme.cn"],
    ["acme.github.io", "acme.github.io"],
    ["www.xn--bcher-kva.de", "bücher.de"],
    ["www.中文.公司.cn", "中文.公司.cn"],
    ["192.168.0.1", "192.168.0.1"],
    ["localhost", "localhost"],
  ])("finds the domain of %s", (text, expected) => {
    expect(tidy("domain", text)).toBe(expected);
  });
});

describe("numbers and codes", () => {
  it.each([
    ["taxid", " 9131 0000-ma1fl0ab3c ", "91310000MA1FL0AB3C"],
    ["taxid", "de 123 456 789", "DE123456789"],
    ["taxid", "９１３１００００", "91310000"],
    ["integer", "1200.0", 1200],
    ["integer", -0, 0],
    ["integer", "about 50", "about 50"],
    ["decimal", 1e-7, "0.0000001"],
    ["decimal", "+012.500", "12.5"],
    ["boolean", "TRUE", true],
    ["boolean", "yes", "yes"],
    ["date", "2026/2/3", "2026-02-03"],
    ["date", "2026年2月3日", "2026-02-03"],
    ["date", "3/4/2026", "3/4/2026"],
    ["date", "2026-02-30", "2026-02-30"],
    ["instant", "2026-02-03T00:00:00+08:00", Date.UTC(2026, 1, 2, 16)],
    ["locale", "zh_CN", "zh-CN"],
    ["locale", "EN-us.UTF-8", "en-US"],
    ["locale", "zh_hans_cn", "zh-Hans-CN"],
    ["locale", "Chinese (simplified)", "Chinese (simplified)"],
  ] as const)("brings the %s %j to %j", (type, value, expected) => {
    expect(tidy(type, value)).toEqual(expected);
  });

  it("gives money plain amounts and codes", () => {
    expect(tidy("money", { amount: "1.2e3", currency: " eur" })).toEqual({ amount: "1200", currency: "EUR" });
    expect(tidy("money", 99.5)).toEqual({ amount: "99.5", currency: "CNY" });
    expect(tidy("money", { amount: "", currency: "EUR" })).toBeNull();
  });

  it("sorts a set by code unit", () => {
    expect(tidy("set", ["重点", "VIP ", "a", "VIP", ""])).toEqual(["VIP", "a", "重点"]);
  });
});

describe("address and name", () => {
  it.each([
    ["中国", "CN"],
    ["中华人民共和国", "CN"],
    ["P.R. China", "CN"],
    ["china", "CN"],
    ["德国", "DE"],
    ["Germany", "DE"],
    ["de", "DE"],
    ["UK", "GB"],
    ["The United States", "US"],
    ["U.S.A.", "US"],
    ["香港", "HK"],
    ["Hong Kong", "HK"],
    ["Côte d'Ivoire", "CI"],
    ["Türkiye", "TR"],
    ["Atlantis", "Atlantis"],
  ])("takes the country %s for %s", (country, expected) => {
    expect(tidy("address", { country })).toEqual({ country: expected });
  });

  it("trims members, keeps empty ones, and adds none", () => {
    expect(tidy("address", { street: " 南京路 1号 \r\n 3楼 ", city: "", state: null })).toEqual({
      street: "南京路 1号\n 3楼",
      city: null,
      state: null,
    });
    expect(tidy("name", { given: " 娜 ", family: "李" })).toEqual({ given: "娜", family: "李" });
    expect(tidy("name", { given: " ", family: null })).toBeNull();
  });
});
