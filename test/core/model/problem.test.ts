import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { problemOf } from "../../../core/model/normalise/problem.ts";
import { normalise } from "../../../core/model/normalise.ts";
import { type FieldType, fieldTypes, type Value } from "../../../core/model/value.ts";
import { anyValue, fieldOf } from "./samples.ts";

const china = { country: "CN", currency: "CNY" };

const problem = (type: FieldType, value: Value): string | null =>
  problemOf(fieldOf(type), normalise(fieldOf(type), value, china));

describe("a good value", () => {
  it.each<[FieldType, Value]>([
    ["email", "Li.Na@Acme.CN"],
    ["email", "o'brien+crm@mail.acme.co.uk"],
    ["email", "info@bücher.de"],
    ["phone", "021-6234 5678"],
    ["url", "www.acme.cn/a"],
    ["domain", "中文.公司.cn"],
    ["taxid", "91110000600037341L"],
    ["taxid", "9144030071526726XG"],
    ["taxid", "914403001922038216"],
    ["taxid", "91330100799655058B"],
    ["taxid", "DE123456788"],
    ["integer", "1200"],
    ["money", { amount: "5", currency: "eur" }],
    ["date", "2024-02-29"],
    ["locale", "zh_CN"],
    ["address", { country: "中国" }],
    ["address", { city: "上海" }],
    ["emails", ["a@x.cn", "b@x.cn"]],
    ["boolean", false],
  ])("of type %s has no problem: %j", (type, value) => {
    expect(problem(type, value)).toBeNull();
  });
});

describe("a bad value", () => {
  it.each<[FieldType, Value, string]>([
    ["email", "li.na@acme", "not an e-mail"],
    ["email", "li na@acme.cn", "not an e-mail"],
    ["email", ".li@acme.cn", "not an e-mail"],
    ["phone", "62345678", "phone number"],
    ["url", "see Google", "web address"],
    ["domain", "localhost", "domain"],
    ["taxid", "000000000000000000", "placeholder"],
    ["taxid", "N/A", "placeholder"],
    ["taxid", "91110000600037341M", "last character"],
    ["taxid", "9111000060003734IL", "letter"],
    ["integer", "about 50", "whole number"],
    ["integer", 1.5, "whole number"],
    ["decimal", "1,2", "not a number"],
    ["money", { amount: "much", currency: "EUR" }, "amount"],
    ["money", { amount: "1", currency: "yuan" }, "currency"],
    ["boolean", "perhaps", "true nor false"],
    ["date", "2026-02-30", "calendar"],
    ["instant", "soon", "date and time"],
    ["locale", "Chinese (simplified)", "language tag"],
    ["address", { country: "Atlantis" }, "country"],
    ["phones", ["+8613800138000", "ask"], "Number 2"],
  ])("of type %s is named: %j", (type, value, words) => {
    expect(problem(type, value)).toContain(words);
  });
});

it("speaks in whole sentences about anything, and never of empty values", () => {
  fc.assert(
    fc.property(fc.constantFrom(...fieldTypes), anyValue, (type, value) => {
      const found = problem(type, value);
      if (found !== null) expect(found).toMatch(/^[A-Z].*\.$|\)\.$/u);
    }),
  );
  for (const type of fieldTypes) expect(problem(type, null)).toBeNull();
});
