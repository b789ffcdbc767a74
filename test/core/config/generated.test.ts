import { Schema } from "effect";
import { describe, expect, it } from "vitest";
import { durationMs } from "../../../core/config/duration.ts";
import { initialConfig } from "../../../core/config/initial.ts";
import { asJson, jsonSchema } from "../../../core/config/json-schema.ts";
import { readConfig } from "../../../core/config/read.ts";
import { configReference } from "../../../core/config/reference.ts";
import { connectionKeys } from "../../../core/config/shape.ts";
import { closest } from "../../../core/config/suggest.ts";
import type { Connector } from "../../../core/connector.ts";
import { crm, toyConnectors } from "./toy-connectors.ts";

describe("the JSON Schema", () => {
  const schema = jsonSchema(toyConnectors);
  const definitions = asJson(schema.$defs);

  it("gives each system its own keys beside the shared ones, and no others", () => {
    const block = asJson(definitions["connection-crm"]);
    expect(Object.keys(asJson(block.properties)).toSorted()).toEqual(
      [...connectionKeys, "auth", "pageSize", "region"].toSorted(),
    );
    expect(block).toMatchObject({ required: ["use", "auth"], additionalProperties: false });
    expect(asJson(asJson(definitions["connection-list"]).properties).auth).toBeUndefined();
  });

  it("points only at definitions that it has", () => {
    const references = [...JSON.stringify(schema).matchAll(/"\$ref":"#\/\$defs\/([^"]+)"/g)].map(
      (match) => match[1] ?? "",
    );
    expect(references.length).toBeGreaterThan(5);
    expect(references.filter((name) => definitions[name] === undefined)).toEqual([]);
  });
});

describe("the reference", () => {
  it("names every key with its meaning", () => {
    const text = configReference(toyConnectors);
    for (const key of connectionKeys) expect(text).toContain(`\`connections.<name>.${key}\``);
    expect(text).toContain("| `auth.clientSecret` | text, required | The client's secret. |");
    expect(text).toContain(
      "| `connections.<name>.webhook` | `true` `false` or keys | true takes the system's own webhooks; ",
    );
  });
});

describe("the configuration that init writes", () => {
  it("is sound once its variables are set", () => {
    const anything = { ...crm, config: Schema.Record(Schema.String, Schema.Unknown) };
    // Its configuration is never looked into here.
    const connectors = new Map(
      ["zoho", "fxiaoke", "file"].map((system) => [system, { ...anything, system } as Connector]),
    );
    const names = [...initialConfig().matchAll(/\$\{([A-Z_]+)\}/g)].map((match) => match[1] ?? "");
    const env = Object.fromEntries(names.map((name) => [name, "value"]));
    const { config, problems } = readConfig({ text: initialConfig(), file: "syncline.yaml", env, connectors });
    expect(problems.filter((problem) => problem.severity === "error")).toEqual([]);
    expect(config?.connections.map(({ name }) => name)).toEqual(["zoho-eu", "fxiaoke-cn", "customer-list"]);
  });
});

describe("durations and suggestions", () => {
  it.each([
    ["10m", 600_000],
    ["500ms", 500],
    ["2d", 172_800_000],
    ["10", null],
    ["1h30m", null],
    ["-1s", null],
    ["", null],
  ])("%s is %s ms", (text, ms) => {
    expect(durationMs(text)).toBe(ms);
  });

  it.each([
    ["delets", "deletes"],
    ["taxid", "taxId"],
    ["clientID", "clientId"],
    ["pulll", "pull"],
    ["kye", "key"],
    ["zzz", null],
  ])("%s is close to %s", (word, expected) => {
    expect(closest(word, ["deletes", "taxId", "clientId", "pull", "push", "key"])).toBe(expected);
  });
});
