import { describe, expect, it } from "vitest";
import { readConfig } from "../../../core/config/read.ts";
import { type Filter, meets } from "../../../core/model/filter.ts";
import { toyConnectors } from "./toy-connectors.ts";

function filterOf(written: string): boolean | Filter | undefined {
  const text = `connections: { a: { use: crm, key: { account: K, contact: K }, auth: { clientId: a, clientSecret: "12345678" }, create: { account: ${written} } } }`;
  const { config, problems } = readConfig({ text, file: "f", env: {}, connectors: toyConnectors });
  expect(problems).toEqual([]);
  return config?.connections[0]?.create.account;
}

describe("a filter in the YAML", () => {
  it.each<[string, boolean | Filter]>([
    ["true", true],
    ["false", false],
    ["{ industry: Software }", { field: "industry", is: "Software" }],
    ["{ phone: null }", { field: "phone", is: null }],
    [
      "{ industry: [Software, Banking], status: active }",
      {
        all: [
          { field: "industry", in: ["Software", "Banking"] },
          { field: "status", is: "active" },
        ],
      },
    ],
    [
      "{ field: employees, greaterThan: 10, lessThan: 50 }",
      {
        all: [
          { field: "employees", greaterThan: 10 },
          { field: "employees", lessThan: 50 },
        ],
      },
    ],
    ["{ not: { field: tags, contains: test } }", { not: { field: "tags", contains: "test" } }],
    [
      "{ any: [{ field: taxId, exists: true }, { status: active }] }",
      {
        any: [
          { field: "taxId", exists: true },
          { field: "status", is: "active" },
        ],
      },
    ],
    ["{ field: annualRevenue, greaterThan: 1000000 }", { field: "annualRevenue", greaterThan: 1_000_000 }],
  ])("%s", (written, filter) => {
    expect(filterOf(written)).toEqual(filter);
  });

  it("chooses records when it is evaluated", () => {
    const filter = filterOf("{ industry: [Software, Banking], status: active }");
    if (typeof filter !== "object") throw new Error("not a filter");
    expect(meets(filter, { industry: "banking", status: "active" })).toBe(true);
    expect(meets(filter, { industry: "Retail", status: "active" })).toBe(false);
    expect(meets(filter, { status: "active" })).toBe(false);
  });
});
