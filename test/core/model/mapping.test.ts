import { describe, expect, it } from "vitest";
import { type FieldRule, Refusal, Unreadable } from "../../../core/model/codec.ts";
import * as codec from "../../../core/model/codecs.ts";
import { decodeField, encodeField, imageOf } from "../../../core/model/mapping.ts";
import { contextWith } from "./samples.ts";

const context = contextWith();
const name: FieldRule = { path: "Account_Name", codec: codec.text({ max: 10 }), access: "both" };
const address: FieldRule = {
  path: { street: "Billing_Street", city: "Billing_City", country: "Billing_Country" },
  codec: codec.address(),
  access: "both",
};
const emails: FieldRule = { path: ["Email", "Secondary_Email"], codec: codec.emails(), access: "both" };
const revenue: FieldRule = {
  path: { amount: "Annual_Revenue", currency: "Currency" },
  codec: codec.money(),
  access: "both",
};

describe("reading", () => {
  it("knows nothing where the record tells none of the names", () => {
    for (const rule of [name, address, emails, revenue])
      expect(decodeField(rule, { Other: 1 }, context)).toBeUndefined();
  });

  it("reads empty where the record says empty", () => {
    expect(decodeField(name, { Account_Name: null }, context)).toBeNull();
    expect(decodeField(address, { Billing_Street: null, Billing_City: "" }, context)).toBeNull();
    expect(decodeField(emails, { Email: null, Secondary_Email: null }, context)).toBeNull();
  });

  it("holds only the members that the record tells", () => {
    expect(decodeField(address, { Billing_City: "上海", Billing_Street: null }, context)).toEqual({
      street: null,
      city: "上海",
    });
  });

  it("gathers slots in order, without the empty ones", () => {
    expect(decodeField(emails, { Email: null, Secondary_Email: "b@x.cn" }, context)).toEqual(["b@x.cn"]);
    expect(decodeField(emails, { Secondary_Email: "b@x.cn", Email: "a@x.cn" }, context)).toEqual(["a@x.cn", "b@x.cn"]);
  });

  it("takes a record's own fields only", () => {
    expect(decodeField({ ...name, path: "constructor" }, {}, context)).toBeUndefined();
  });

  it("names the member that it cannot read", () => {
    expect(decodeField(address, { Billing_City: 5 }, context)).toEqual(
      new Unreadable("In city: The system sent a number where text was expected."),
    );
  });
});

describe("writing", () => {
  it("spreads values over the remote names", () => {
    expect(encodeField(name, "上海电气", context)).toEqual({ Account_Name: "上海电气" });
    expect(encodeField(address, { city: "上海", state: "SH" }, context)).toEqual({
      Billing_Street: null,
      Billing_City: "上海",
      Billing_Country: null,
    });
    expect(encodeField(emails, ["a@x.cn"], context)).toEqual({ Email: "a@x.cn", Secondary_Email: null });
    expect(encodeField(revenue, { amount: "5", currency: "EUR" }, context)).toEqual({
      Annual_Revenue: 5,
      Currency: "EUR",
    });
  });

  it("clears every field of an empty value, but leaves the currency", () => {
    expect(encodeField(address, null, context)).toEqual({
      Billing_Street: null,
      Billing_City: null,
      Billing_Country: null,
    });
    expect(encodeField(emails, null, context)).toEqual({ Email: null, Secondary_Email: null });
    expect(encodeField(revenue, null, context)).toEqual({ Annual_Revenue: null });
  });

  it("hands on a refusal", () => {
    expect(encodeField(name, ["a"], context)).toBeInstanceOf(Refusal);
  });
});

it("tells what the system will hold", () => {
  expect(imageOf(name, "Shanghai Electric", context)).toBe("Shanghai E");
  expect(imageOf(address, { street: "南京路 1号", state: "SH", country: "CN" }, context)).toEqual({
    street: "南京路 1号",
    city: null,
    country: "CN",
  });
  expect(imageOf(emails, ["a", "b", "c"], context)).toEqual(["a", "b"]);
  expect(imageOf(name, true, context)).toBeInstanceOf(Refusal);
});
