import { describe, expect, it } from "vitest";
import { Refusal, type RemoteField } from "../../../core/model/codec.ts";
import { translated } from "../../../core/model/codecs/translated.ts";
import * as codec from "../../../core/model/codecs.ts";
import { contextWith } from "./samples.ts";

const remote = new Map<string, RemoteField>([
  [
    "industry_level1",
    {
      name: "industry_level1",
      label: "1级行业",
      type: "select_one",
      required: false,
      unique: false,
      readable: true,
      writable: true,
      options: [
        { value: "1", label: "制造业" },
        { value: "2", label: "金融业" },
      ],
    },
  ],
]);
const context = contextWith({ remote });
const one = translated(codec.option({ by: "label" }), { Manufacturing: "制造业", Banking: "金融业" });

describe("a connection's own words for choices", () => {
  it("reads and writes the hub's words through the labels of the system", () => {
    expect(one.decode("1", context, "industry_level1")).toBe("Manufacturing");
    expect(one.encode("Banking", context, "industry_level1")).toBe("2");
  });

  it("leaves what is not named as it is, and keeps empty apart from not known", () => {
    expect(one.decode("9", context, "industry_level1")).toBe("9");
    expect(one.decode(null, context, "industry_level1")).toBeNull();
    expect(one.decode(undefined, context, "industry_level1")).toBeUndefined();
    expect(one.encode(null, context, "industry_level1")).toBeNull();
  });

  it("tells where to name a word that the system does not have", () => {
    const refused = one.encode("Energy", context, "industry_level1");
    expect(refused).toBeInstanceOf(Refusal);
    expect(refused instanceof Refusal ? refused.remedy : "").toContain("values:");
  });

  it("translates each member of a set", () => {
    const tags = translated(codec.set(), { export: "出口" });
    expect(tags.encode(["export", "vip"], context, "F")).toEqual(["vip", "出口"]);
    expect(tags.decode(["出口", "vip"], context, "F")).toEqual(["export", "vip"]);
  });
});
