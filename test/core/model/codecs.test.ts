import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Codec, type CodecContext, type Path, Refusal, Unreadable } from "../../../core/model/codec.ts";
import * as codec from "../../../core/model/codecs.ts";
import { normalise } from "../../../core/model/normalise.ts";
import type { FieldType, Value } from "../../../core/model/value.ts";
import { anyValue, contextWith, fieldOf } from "./samples.ts";

const context = contextWith();
const withDefault = contextWith({ people: { ...context.people, defaultId: "1000" } });
const place = { street: "S", city: "C", state: "P", postalCode: "Z", country: "N" };

const words: ReadonlySet<FieldType> = new Set(["text", "longtext", "option", "name", "address"]);

/** Each codec with its paths and options. */
const variants: ReadonlyArray<readonly [label: string, codec: Codec, path: Path, context: CodecContext]> = [
  ["text", codec.text(), "F", context],
  ["text of 5", codec.text({ max: 5 }), "F", context],
  ["longtext", codec.longtext(), "F", context],
  ["longtext of 7", codec.longtext({ max: 7 }), "F", context],
  ["email of 9", codec.email({ max: 9 }), "F", context],
  ["phone", codec.phone(), "F", context],
  ["phone of 8", codec.phone({ max: 8 }), "F", context],
  ["url of 12", codec.url({ max: 12 }), "F", context],
  ["domain", codec.domain(), "F", context],
  ["taxId of 18", codec.taxId({ max: 18 }), "F", context],
  ["locale", codec.locale(), "F", context],
  ["integer", codec.integer(), "F", context],
  ["integer as text", codec.integer({ as: "string" }), "F", context],
  ["decimal", codec.decimal(), "F", context],
  ["decimal as text", codec.decimal({ as: "string" }), "F", context],
  ["money in one field", codec.money(), "F", context],
  ["money in two fields", codec.money({ as: "string" }), { amount: "A", currency: "C" }, context],
  ["boolean", codec.boolean(), "F", context],
  ["date", codec.date(), "F", context],
  ["date as epoch", codec.date({ as: "epoch", offsetMinutes: 480 }), "F", context],
  ["instant", codec.instant(), "F", context],
  ["instant as epoch", codec.instant({ as: "epoch" }), "F", context],
  ["option", codec.option(), "Industry", context],
  ["option by label", codec.option({ by: "label" }), "Industry", context],
  ["option by table", codec.option({ values: { A: "active", I: "inactive", X: "inactive" } }), "F", context],
  ["set", codec.set(), "F", context],
  ["set of names", codec.set({ as: "names", max: 2 }), "F", context],
  ["joined set", codec.set({ as: { joined: "; " }, max: 3 }), "F", context],
  ["emails", codec.emails(), ["E1", "E2"], context],
  ["emails in one field", codec.emails({ max: 6 }), "E", context],
  ["phones of 6", codec.phones({ max: 6 }), ["P1", "P2", "P3"], context],
  ["address", codec.address(), place, context],
  ["address without members", codec.address({ max: 6 }), { city: "C", country: "N" }, context],
  ["nameParts", codec.nameParts(), { given: "G", family: "L" }, context],
  ["fullName", codec.fullName(), "F", context],
  ["fullName of 4", codec.fullName({ max: 4 }), "F", context],
  ["owner by id", codec.owner({ shape: "id" }), "F", context],
  ["owner as object", codec.owner({ shape: "object" }), "F", withDefault],
  ["owner as array", codec.owner({ shape: "array" }), "F", withDefault],
  ["reference", codec.reference({ shape: "id" }), "F", context],
  ["reference as object", codec.reference({ shape: "object" }), "F", context],
];

describe.each(variants)("%s", (_label, one, path, its) => {
  const image = (value: Value): unknown => {
    const raw = one.encode(value, its, path);
    return raw instanceof Refusal ? raw : one.decode(raw, its, path);
  };
  // The value that a system holds after a write is a Value; anything else has failed the test before.
  const isValue = (read: unknown): read is Value =>
    read !== undefined && !(read instanceof Refusal) && !(read instanceof Unreadable);

  it("writes what it reads back, and reads that back the same", () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const once = image(value);
        if (once instanceof Refusal) return;
        expect(isValue(once)).toBe(true);
        if (isValue(once)) expect(image(once)).toEqual(once);
      }),
    );
  });

  it("stays stable when the value is normalised in between", () => {
    // A cut web address or number may read as another one, so only words are held to this where text is cut.
    const types = one.types.filter((type) => one.lengthMax === undefined || words.has(type));
    for (const type of types) {
      const tidy = (value: Value): Value => normalise(fieldOf(type), value, its);
      fc.assert(
        fc.property(anyValue, (value) => {
          const once = image(tidy(value));
          if (!isValue(once)) return;
          const first = tidy(once);
          const twice = image(first);
          if (isValue(twice)) expect(tidy(twice)).toEqual(first);
        }),
        { numRuns: 60 },
      );
    }
  });

  it("reads any JSON without throwing", () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), anyValue, fc.constant(undefined)), (raw) => {
        const read = one.decode(raw, its, path);
        if (raw === undefined) expect(read).toBeUndefined();
        if (read instanceof Unreadable) expect(read.reason).toMatch(/\.$/);
      }),
    );
  });

  it("tells empty from not known", () => {
    expect(one.decode(undefined, its, path)).toBeUndefined();
    const empty = one.encode(null, its, path);
    expect(empty).not.toBeInstanceOf(Refusal);
    // What belongs to nobody goes to the default owner.
    const { defaultId, emailOf } = its.people;
    const taker = defaultId === undefined || !one.types.includes("owner") ? null : emailOf(defaultId);
    expect(one.decode(empty, its, path)).toBe(taker);
  });

  it("keeps within its declared length", () => {
    const { lengthMax } = one;
    if (lengthMax === undefined) return;
    fc.assert(
      fc.property(anyValue, (value) => {
        const raw = one.encode(value, its, path);
        if (raw instanceof Refusal || raw === null) return;
        const texts: ReadonlyArray<unknown> = typeof raw === "object" ? Object.values(raw) : [raw];
        for (const text of texts) if (typeof text === "string") expect([...text].length).toBeLessThanOrEqual(lengthMax);
      }),
    );
  });
});

describe("text", () => {
  it("is cut by characters, never through one", () => {
    expect(codec.text({ max: 3 }).encode("上海😀电气", context, "F")).toBe("上海😀");
    expect(codec.text({ max: 5 }).encode("Acme Holding", context, "F")).toBe("Acme");
  });

  it("says what is wrong with another kind of JSON", () => {
    expect(codec.text().decode(5, context, "F")).toEqual(
      new Unreadable("The system sent a number where text was expected."),
    );
    expect(codec.text().decode({ id: "1" }, context, "F")).toBeInstanceOf(Unreadable);
  });
});

describe("numbers", () => {
  it.each([
    ["1200", 1200],
    [1200, 1200],
    ["1200.00", 1200],
    [" 7 ", 7],
    ["90071992547409931", "90071992547409931"],
  ])("reads %j as the whole number %j", (raw, value) => {
    expect(codec.integer().decode(raw, context, "F")).toEqual(value);
  });

  it.each([
    [0.1, "0.1"],
    [1e21, "1000000000000000000000"],
    [1.5e-7, "0.00000015"],
    ["12.50", "12.5"],
    ["-0.0", "0"],
    ["007", "7"],
  ])("reads %j as the decimal %j", (raw, value) => {
    expect(codec.decimal().decode(raw, context, "F")).toBe(value);
  });

  it.each([["1,200"], ["12 kg"], ["."], ["NaN"], [true], ["1e9999"]])("does not guess what %j means", (raw) => {
    expect(codec.decimal().decode(raw, context, "F")).toBeInstanceOf(Unreadable);
  });

  it("refuses to drop digits", () => {
    expect(codec.decimal().encode("12345678901234567.89", context, "F")).toBeInstanceOf(Refusal);
    expect(codec.decimal({ as: "string" }).encode("12345678901234567.89", context, "F")).toBe("12345678901234567.89");
  });
});

describe("money", () => {
  const pair = { amount: "Annual_Revenue", currency: "Currency" };

  it("takes the connection's currency where there is one field", () => {
    expect(codec.money().decode(1200.5, context, "Amount")).toEqual({ amount: "1200.5", currency: "CNY" });
    expect(codec.money().encode({ amount: "1200.5", currency: "CNY" }, context, "Amount")).toBe(1200.5);
  });

  it("never writes euros into a field of yuan", () => {
    expect(codec.money().encode({ amount: "5", currency: "EUR" }, context, "Amount")).toBeInstanceOf(Refusal);
  });

  it("reads and writes amount and currency together", () => {
    expect(codec.money().decode({ amount: "8.00", currency: "eur" }, context, pair)).toEqual({
      amount: "8",
      currency: "EUR",
    });
    expect(codec.money().encode({ amount: "8", currency: "EUR" }, context, pair)).toEqual({
      amount: 8,
      currency: "EUR",
    });
    expect(codec.money().decode({ currency: "EUR" }, context, pair)).toBeUndefined();
  });
});

describe("days and instants", () => {
  it("reads a Chinese day from its first millisecond", () => {
    const days = codec.date({ as: "epoch", offsetMinutes: 480 });
    expect(days.decode(Date.UTC(2026, 0, 31, 16), context, "F")).toBe("2026-02-01");
    expect(days.encode("2026-02-01", context, "F")).toBe(Date.UTC(2026, 0, 31, 16));
  });

  it.each(["2026-02-30", "yesterday", "2026-13-01"])("does not take %s for a day", (raw) => {
    expect(codec.date().decode(raw, context, "F")).toBeInstanceOf(Unreadable);
  });

  it("wants a time zone", () => {
    const when = Date.UTC(2026, 4, 1, 2);
    expect(codec.instant().decode("2026-05-01T10:00:00+08:00", context, "F")).toBe(when);
    expect(codec.instant().decode("2026-05-01T10:00:00+0800", context, "F")).toBe(when);
    expect(codec.instant().decode("2026-05-01T10:00:00", context, "F")).toBeInstanceOf(Unreadable);
    expect(codec.instant().encode(when, context, "F")).toBe("2026-05-01T02:00:00Z");
  });
});

describe("options", () => {
  const byLabel = codec.option({ by: "label" });

  it("holds labels and writes values", () => {
    expect(byLabel.decode("2", context, "Industry")).toBe("化工");
    expect(byLabel.encode("化工", context, "Industry")).toBe("2");
    expect(byLabel.encode("machinery", context, "Industry")).toBe("1");
  });

  it("refuses an unknown label and names the known ones", () => {
    const refusal = byLabel.encode("Space", context, "Industry");
    expect(refusal).toBeInstanceOf(Refusal);
    expect(refusal).toMatchObject({ reason: expect.stringContaining("Machinery, 化工") });
  });

  it("passes values as they are where the field is not described", () => {
    expect(byLabel.encode("Space", context, "Other")).toBe("Space");
  });

  it("uses a fixed table", () => {
    const status = codec.option({ values: { "1": "active", "2": "archived" } });
    expect(status.decode("1", context, "F")).toBe("active");
    expect(status.encode("archived", context, "F")).toBe("2");
    expect(status.encode("inactive", context, "F")).toBeInstanceOf(Refusal);
  });
});

describe("lists", () => {
  it("keeps the first members of a set", () => {
    expect(codec.set({ as: "names", max: 2 }).encode(["c", "a", "b"], context, "Tag")).toEqual([
      { name: "a" },
      { name: "b" },
    ]);
  });

  it("reads a joined set whatever the spaces", () => {
    expect(codec.set({ as: { joined: "; " } }).decode("VIP;重点; VIP ;", context, "F")).toEqual(["VIP", "重点"]);
    expect(codec.set({ as: { joined: "; " } }).encode(["a;b"], context, "F")).toBeInstanceOf(Refusal);
  });

  it("fills slots in order and empties the rest", () => {
    const two = codec.emails();
    expect(two.encode(["a@x.cn"], context, ["E1", "E2"])).toEqual(["a@x.cn", null]);
    expect(two.encode(["a", "b", "c"], context, ["E1", "E2"])).toEqual(["a", "b"]);
    expect(two.decode([null, "b@x.cn"], context, ["E1", "E2"])).toEqual(["b@x.cn"]);
    expect(two.decode([undefined, undefined], context, ["E1", "E2"])).toBeUndefined();
  });
});

describe("names", () => {
  it.each([
    ["王小明", { family: "王", given: "小明" }],
    ["欧阳修", { family: "欧阳", given: "修" }],
    ["諸葛亮", { family: "諸葛", given: "亮" }],
    ["李 娜", { family: "李", given: "娜" }],
    ["Anna Schmidt", { given: "Anna", family: "Schmidt" }],
    ["Anna Maria Schmidt", { given: "Anna Maria", family: "Schmidt" }],
    ["Madonna", { given: null, family: "Madonna" }],
    ["David 王", { given: "David", family: "王" }],
  ])("splits %s", (text, name) => {
    expect(codec.fullName().decode(text, context, "F")).toEqual(name);
  });

  it("keeps a space in a Chinese name that would be split elsewhere", () => {
    expect(codec.fullName().encode({ family: "王", given: "小明" }, context, "F")).toBe("王小明");
    expect(codec.fullName().encode({ family: "欧", given: "阳修" }, context, "F")).toBe("欧 阳修");
  });
});

describe("owners and references", () => {
  const asObject = codec.owner({ shape: "object" });

  it("translates people both ways", () => {
    expect(asObject.decode({ id: "1000", name: "李娜" }, context, "Owner")).toBe("li.na@acme.cn");
    expect(asObject.encode("Anna.Schmidt@acme.de", context, "Owner")).toEqual({ id: "1001" });
    expect(codec.owner({ shape: "array" }).decode(["1001"], context, "owner")).toBe("anna.schmidt@acme.de");
  });

  it("gives unmapped people to the default owner, or refuses", () => {
    expect(asObject.encode("new@acme.cn", withDefault, "Owner")).toEqual({ id: "1000" });
    expect(asObject.encode("new@acme.cn", context, "Owner")).toBeInstanceOf(Refusal);
    expect(asObject.decode({ id: "77" }, context, "Owner")).toBeInstanceOf(Unreadable);
    expect(asObject.decode({ id: "77", email: "Old@Acme.cn" }, context, "Owner")).toBe("old@acme.cn");
  });

  it("reads ids that come as numbers", () => {
    expect(codec.reference({ shape: "object" }).decode({ id: 42, name: "Acme" }, context, "Account")).toBe("42");
    expect(codec.reference({ shape: "id" }).encode("42", context, "Account")).toBe("42");
  });
});
