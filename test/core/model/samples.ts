/** What the model's tests share: a context, and arbitrary values that look like what people type. */
import fc from "fast-check";
import type { CodecContext, RemoteField } from "../../../core/model/codec.ts";
import type { Field } from "../../../core/model/field.ts";
import type { FieldType, Value } from "../../../core/model/value.ts";

const people: ReadonlyArray<readonly [id: string, email: string]> = [
  ["1000", "li.na@acme.cn"],
  ["1001", "anna.schmidt@acme.de"],
];

export const industry: RemoteField = {
  name: "Industry",
  label: "Industry",
  type: "picklist",
  required: false,
  readable: true,
  writable: true,
  unique: false,
  options: [
    { value: "1", label: "Machinery" },
    { value: "2", label: "化工" },
    { value: "3", label: "Machinery" },
  ],
};

export function contextWith(change: Partial<CodecContext> = {}): CodecContext {
  return {
    country: "CN",
    currency: "CNY",
    people: {
      emailOf: (id) => people.find(([known]) => known === id)?.[1],
      idOf: (email) => people.find(([, known]) => known === email)?.[0],
    },
    remote: new Map([[industry.name, industry]]),
    ...change,
  };
}

export const fieldOf = (type: FieldType): Field => ({
  name: type,
  type,
  title: { en: type, zh: type },
  description: type,
  sensitivity: "business",
});

const typed = fc.constantFrom(
  "上海电气（集团）有限公司",
  "  Ａcme  ＧmbH ",
  "Siemens\u00a0AG",
  "https://www.Example.CN/a?b=C",
  "WWW.Bücher.de/",
  "xn--fiq228c.com",
  "李 娜",
  "欧阳修",
  "Anna Maria von der Leyen",
  "021-6234 5678",
  "+86 138 0013 8000",
  "(010) 6234-5678-801",
  "Li.Na@Acme.CN",
  "９１３１００００ＭＡ１ＦＬ０ＡＢ３Ｃ",
  "zh_CN",
  "1.50e3",
  "-0.0",
  "2026/2/3",
  "2026年2月30日",
  "中华人民共和国",
  "e\u200b\u0301",
  "\ud800",
  "a;b",
  "",
  " ",
);

export const anyText = fc.oneof(
  typed,
  fc.string({ maxLength: 30 }),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.string({ unit: fc.constantFrom(..."+-0123456789.,:/@ ext转王小明 aB\uff21\uff10\n\t"), maxLength: 24 }),
  fc.webUrl(),
  fc.emailAddress(),
  fc.domain(),
);

const member = fc.option(anyText);
const members = {
  street: member,
  city: member,
  state: member,
  postalCode: member,
  country: member,
  given: member,
  family: member,
};

export const anyGroup = fc.record(members, { requiredKeys: [] });

const day = fc.date({ min: new Date("0001-01-01"), max: new Date("9998-12-31"), noInvalidDate: true });

export const anyValue: fc.Arbitrary<Value> = fc.oneof(
  day.map((date) => date.toISOString().slice(0, 10)),
  day.map((date) => date.getTime()),
  fc.constantFrom("li.na@acme.cn", "Machinery", "化工", "active", "inactive"),
  fc.constant(null),
  anyText,
  fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })),
  fc.boolean(),
  fc.array(anyText, { maxLength: 5 }),
  anyGroup,
  fc.record({
    amount: fc.oneof(anyText, fc.float({ noNaN: true, noDefaultInfinity: true }).map(String)),
    currency: fc.constantFrom("CNY", "eur", ""),
  }),
);
