import { describe, expect, it } from "vitest";
import { modelOf } from "../../../core/model/fields.ts";
import { newKeyText, readKeyText, sameHash } from "../../../core/security/key-text.ts";
import { mask, maskingFor, maskOf } from "../../../core/security/mask.ts";
import { roleScopes, roles, scopes, scopesOf } from "../../../core/security/roles.ts";

describe("roles", () => {
  it("let everybody ask who they are, and admins do everything", () => {
    for (const role of roles) expect(roleScopes[role]).toContain("self");
    expect(scopesOf("admin")).toEqual(scopes);
  });

  it("keep personal values, writing, exports, keys and the log from each other", () => {
    const holders = (scope: (typeof scopes)[number]) => roles.filter((role) => roleScopes[role].includes(scope));
    expect(holders("personal")).toEqual(["steward", "admin"]);
    expect(holders("customers:write")).toEqual(["steward", "admin"]);
    expect(holders("customers:export")).toEqual(["analyst", "admin"]);
    expect(holders("connections:operate")).toEqual(["operator", "admin"]);
    expect(holders("audit:read")).toEqual(["auditor", "admin"]);
    expect(holders("keys:manage")).toEqual(["admin"]);
  });

  it("take scopes beside those of the role, without doubles", () => {
    expect(scopesOf("analyst", ["personal", "customers:read"])).toEqual([
      "self",
      "customers:read",
      "customers:export",
      "personal",
    ]);
  });
});

describe("masks", () => {
  const model = modelOf({});

  it("hide personal values in the shape of their type, and nothing else", () => {
    const { values } = maskingFor(model, false);
    expect(values("account", { name: "Acme", phone: "+49301", employees: 3, gone: "x", email: null })).toEqual({
      name: "Acme",
      phone: mask,
      employees: 3,
      gone: mask,
      email: null,
    });
    expect(
      values("contact", { name: { given: "Ann", family: null }, emails: ["a@b.c", "d@e.f"], active: true }),
    ).toEqual({ name: { given: mask, family: null }, emails: [mask], active: true });
  });

  it("hide nothing from who may see personal values", () => {
    expect(maskingFor(model, true).values("account", { phone: "+49301" })).toEqual({ phone: "+49301" });
  });

  it("hide values of which the field is not known", () => {
    expect(maskingFor(model, false).value("account", null, "Acme")).toBe(mask);
  });

  it("have a shape for every type", () => {
    for (const field of model.contact.values()) expect(JSON.stringify(maskOf(field))).toContain(mask);
  });
});

describe("the text of a key", () => {
  it("is recognised by its shape and its checksum", () => {
    const { text } = newKeyText("key_01m87dw6eh1y00zr3ez6");
    expect(text).toMatch(/^syn_[0-9a-z]{20}_[0-9a-f]{48}$/);
    expect(readKeyText(text)).toEqual({ id: "key_01m87dw6eh1y00zr3ez6", text });
    const changed = text.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
    for (const wrong of [changed, text.slice(0, -1), `${text} `, text.toUpperCase(), "", "syn__"]) {
      expect(readKeyText(wrong)).toBeNull();
    }
  });

  it("compares hashes of equal and unequal length", () => {
    expect([sameHash("abc", "abc"), sameHash("abc", "abd"), sameHash("abc", "ab")]).toEqual([true, false, false]);
  });
});
