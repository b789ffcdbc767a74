import fc from "fast-check";
import { expect, it } from "vitest";
import { displayName, shortText } from "../../../core/model/display.ts";
import { anyValue, fieldOf } from "./samples.ts";

it.each([
  [{ name: { given: "小明", family: "王" } }, "王小明"],
  [{ name: { given: "修", family: "欧阳" } }, "欧阳修"],
  [{ name: { given: "阳修", family: "欧" } }, "欧阳修"],
  [{ name: { given: "Anna", family: "Schmidt" } }, "Anna Schmidt"],
  [{ name: { given: null, family: "Madonna" } }, "Madonna"],
  [{ name: null, emails: ["li.na@acme.cn", "b@x.cn"] }, "li.na@acme.cn"],
  [{ login: "lina" }, "lina"],
  [{}, ""],
])("calls the contact %j %s", (values, expected) => {
  expect(displayName("contact", values)).toBe(expected);
});

it("calls an account by the best name that is known", () => {
  expect(displayName("account", { name: "Acme", legalName: "Acme GmbH" })).toBe("Acme");
  expect(displayName("account", { name: "", legalName: "上海电气集团股份有限公司" })).toBe("上海电气集团股份有限公司");
  expect(displayName("account", { domain: "acme.cn" })).toBe("acme.cn");
});

it("shortens any value to one line", () => {
  expect(shortText(null)).toBe("—");
  expect(shortText(["VIP", "重点"])).toBe("VIP, 重点");
  expect(shortText({ amount: "1200.5", currency: "EUR" })).toBe("1200.5 EUR");
  expect(shortText({ country: "DE", city: "Berlin", street: "Platz 1\nHof", state: null })).toBe(
    "Platz 1 Hof, Berlin, DE",
  );
  expect(shortText(false)).toBe("false");
  expect(shortText(0)).toBe("0");
  expect(shortText(0, { field: fieldOf("instant") })).toBe("1970-01-01T00:00:00Z");
  expect(shortText("上海电气集团", { lengthMax: 4 })).toBe("上海电…");
  fc.assert(
    fc.property(anyValue, (value) => {
      const text = shortText(value, { lengthMax: 10 });
      expect([...text].length).toBeLessThanOrEqual(10);
      expect(text).not.toContain("\n");
    }),
  );
});
