import { describe, expect, it } from "vitest";
import { matchKeys } from "../../../core/model/match-keys.ts";
import type { Values } from "../../../core/model/value.ts";

const keysOf = (entity: "account" | "contact", values: Values): ReadonlyArray<string> =>
  matchKeys(entity, values).map(({ kind, value }) => `${kind} ${value}`);

describe("an account", () => {
  it("is known by tax id, domain, e-mail and phone", () => {
    const values = {
      taxId: "91110000600037341L",
      domain: "acme.cn",
      email: "info@mail.acme.cn",
      phone: "+862162345678",
      name: "Acme",
    };
    expect(keysOf("account", values)).toEqual([
      "taxId 91110000600037341L",
      "domain acme.cn",
      "email info@mail.acme.cn",
      "phone +862162345678",
    ]);
  });

  it.each([["000000000000000000"], ["DE000000000"], ["NONE"], ["123456789"], ["1"]])(
    "is not known by the placeholder %s",
    (taxId) => {
      expect(keysOf("account", { taxId })).toEqual([]);
    },
  );

  it("takes the domain of its website, else of its e-mail address", () => {
    expect(keysOf("account", { website: "https://www.acme.com.cn/about", email: "a@other.cn" })).toEqual([
      "domain acme.com.cn",
      "email a@other.cn",
    ]);
    expect(keysOf("account", { email: "a@mail.acme.cn" })).toEqual(["domain acme.cn", "email a@mail.acme.cn"]);
  });

  it("passes over domains that many share", () => {
    expect(keysOf("account", { website: "https://weibo.com/acme", email: "acme@qq.com" })).toEqual([
      "email acme@qq.com",
    ]);
    expect(keysOf("account", { domain: "linkedin.com", website: "https://acme.de" })).toEqual(["domain acme.de"]);
    expect(keysOf("account", { website: "https://acme.myshopify.com" })).toEqual(["domain acme.myshopify.com"]);
    expect(keysOf("account", { website: "http://192.168.0.1/crm" })).toEqual([]);
  });

  it("is not known by a phone number that could not be read, nor by empty values", () => {
    expect(keysOf("account", { phone: "62345678", taxId: null, domain: null, email: null })).toEqual([]);
  });
});

describe("a contact", () => {
  it("is known by every address, number and login, once each", () => {
    const values = {
      name: { given: "娜", family: "李" },
      emails: ["li.na@acme.cn", "lina@qq.com"],
      mobile: "+8613800138000",
      phones: ["+8613800138000", "+862162345678;ext=12", "ask"],
      login: "Li.Na",
    };
    expect(keysOf("contact", values)).toEqual([
      "email li.na@acme.cn",
      "email lina@qq.com",
      "phone +8613800138000",
      "phone +862162345678;ext=12",
      "login li.na",
    ]);
  });

  it("has no keys when nothing is known", () => {
    expect(keysOf("contact", {})).toEqual([]);
  });
});
