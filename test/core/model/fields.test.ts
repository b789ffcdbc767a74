import { describe, expect, it } from "vitest";
import { entities } from "../../../core/model/field.ts";
import { builtInFields, modelOf, problemOfCustom } from "../../../core/model/fields.ts";

describe("the built-in fields", () => {
  it("are the canonical ones, under their own names", () => {
    expect([...builtInFields.account.keys()].join(" ")).toBe(
      "name legalName taxId domain website phone email industry employees annualRevenue billingAddress shippingAddress " +
        "owner lifecycleStage status rating tags parent description source",
    );
    expect([...builtInFields.contact.keys()].join(" ")).toBe(
      "name account emails phones mobile title department login active address locale emailOptOut phoneOptOut tags " +
        "owner description",
    );
  });

  it("have titles in both languages and one sentence each", () => {
    for (const entity of entities) {
      for (const [name, field] of builtInFields[entity]) {
        expect(field.name).toBe(name);
        expect(field.title.en).toMatch(/^[A-Z]/);
        expect(field.title.zh).toMatch(/\p{Script=Han}/u);
        expect(field.description).toMatch(/^[A-Z](?:[^.]|\.\d)*\.$/);
        expect(field.type === "reference").toBe(field.target !== undefined);
      }
    }
  });

  it("seal what is personal", () => {
    const named = (entity: "account" | "contact", sensitivity: string): ReadonlyArray<string> =>
      [...builtInFields[entity].values()]
        .filter((field) => field.sensitivity === sensitivity)
        .map((field) => field.name);
    expect(named("account", "personal")).toEqual(["phone", "email", "owner", "description"]);
    expect(named("contact", "business")).toEqual(["account", "active", "locale"]);
  });
});

describe("a field of one's own", () => {
  const model = modelOf({
    account: { segment: { type: "option", options: ["A", "B"], title: { zh: "细分" } }, hotline: { type: "phone" } },
    contact: { birthday: { type: "date" }, nickname: { type: "text", sensitivity: "business" } },
  });

  it("joins the built-in ones", () => {
    expect(model.account.get("segment")).toMatchObject({
      name: "segment",
      type: "option",
      title: { en: "细分", zh: "细分" },
      sensitivity: "business",
      options: ["A", "B"],
    });
    expect(model.account.size).toBe(builtInFields.account.size + 2);
  });

  it("is personal where it names or reaches a person, unless the YAML says otherwise", () => {
    expect(model.account.get("hotline")?.sensitivity).toBe("personal");
    expect(model.contact.get("birthday")?.sensitivity).toBe("personal");
    expect(model.contact.get("nickname")?.sensitivity).toBe("business");
  });

  it("never replaces a built-in one", () => {
    expect(modelOf({ account: { name: { type: "integer" } } }).account.get("name")?.type).toBe("text");
    expect(problemOfCustom("account", "name", { type: "text" })).toContain("Rename");
  });

  it.each([
    ["Segment", { type: "text" }, "small letter"],
    ["partner", { type: "reference" }, "target"],
    ["partner", { type: "text", target: "account" }, "Remove `target`"],
    ["size", { type: "text", options: ["S"] }, "Remove `options`"],
  ] as const)("is refused as %s %j", (name, field, words) => {
    expect(problemOfCustom("account", name, field)).toContain(words);
  });

  it("may be of any type", () => {
    expect(problemOfCustom("contact", "mentor", { type: "reference", target: "contact" })).toBeNull();
  });
});
