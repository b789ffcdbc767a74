import { expect, it } from "vitest";
import { phoneForms } from "../../../core/model/normalise/phone.ts";

it.each([
  ["+8657181000000", ["+8657181000000", "057181000000", "0571-81000000", "0571 8100 0000"]],
  ["+8613800138000", ["+8613800138000", "8613800138000", "13800138000", "138-0013-8000"]],
  ["+15125555958", ["+15125555958", "5125555958", "512-555-5958", "(512) 555-5958", "+1 512 555 5958"]],
  ["+4930123456", ["030123456", "030 123456", "030-123456"]],
])("a phone number is looked for as people write it: %s", (canonical, written) => {
  expect(phoneForms(canonical)).toEqual(expect.arrayContaining(written));
});

it("a phone number with an extension is looked for as it is", () => {
  expect(phoneForms("+8621623456780;ext=12")).toEqual(["+8621623456780;ext=12"]);
});
