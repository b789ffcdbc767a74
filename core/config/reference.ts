/** A table of all keys of the YAML, from the schemas that read it. */
import { Schema } from "effect";
import type { Connector } from "../connector.ts";
import type { NotificationChannel } from "../plugin.ts";
import { asJson, type Json } from "./json-schema.ts";
import { ConfigShape } from "./shape.ts";

/** The reference in another language: every description, kind and heading is asked for by its English text. */
export type Translate = (english: string) => string;

/** Shape   Markdown: one table of the hub's keys, then one for each system. */
export function configReference(
  connectors: ReadonlyMap<string, Connector>,
  translate: Translate = (english) => english,
  channels: ReadonlyMap<string, NotificationChannel> = new Map(),
): string {
  const rowsIn = (schema: Schema.Top): ReadonlyArray<Row> =>
    rowsOf(schemaOf(schema), "").map(({ key, kind, meaning }) => ({
      key,
      kind: translate(kind),
      meaning: meaning === "" ? "" : translate(meaning),
    }));
  const head = ["key", "value", "meaning"].map(translate);
  const parts = [`### ${translate("All connections and the hub")}`, "", ...table(head, rowsIn(ConfigShape))];
  for (const connector of connectors.values()) {
    const rows = rowsIn(connector.config);
    parts.push("", `### \`use: ${connector.system}\` (${translate(connector.title.en)})`, "");
    parts.push(...(rows.length === 0 ? [translate("No keys of its own.")] : table(head, rows)));
  }
  for (const plugin of channels.values()) {
    parts.push("", `### \`alerts.channels.<name>\`, \`use: ${plugin.channel}\` (${translate(plugin.title.en)})`, "");
    parts.push(...table(head, rowsIn(plugin.config)));
  }
  return `${parts.join("\n")}\n`;
}

const schemaOf = (schema: Schema.Top): Json => asJson(Schema.toJsonSchemaDocument(schema).schema);

interface Row {
  readonly key: string;
  readonly kind: string;
  readonly meaning: string;
}

const depthMax = 8;

function rowsOf(schema: Json, prefix: string, depth = 0): ReadonlyArray<Row> {
  if (depth > depthMax) return [];
  const rows: Array<Row> = [];
  const members = Array.isArray(schema.anyOf) ? schema.anyOf.map(asJson) : [];
  for (const member of members) rows.push(...rowsOf(member, prefix, depth + 1));
  const required = Array.isArray(schema.required) ? schema.required : [];
  for (const [name, inner] of Object.entries(asJson(schema.properties))) {
    const property = asJson(inner);
    const key = prefix === "" ? name : `${prefix}.${name}`;
    const kind = `${kindOf(property)}${required.includes(name) ? ", required" : ""}`;
    rows.push({ key, kind, meaning: String(property.description ?? "") }, ...rowsOf(property, key, depth + 1));
  }
  if (typeof schema.additionalProperties === "object") {
    rows.push(...rowsOf(asJson(schema.additionalProperties), `${prefix}.<name>`, depth + 1));
  }
  const keys = new Set<string>();
  return rows.filter((row) => !keys.has(row.key) && keys.add(row.key));
}

function kindOf(schema: Json): string {
  if (Array.isArray(schema.enum)) return schema.enum.map((choice) => `\`${choice}\``).join(" ");
  if (Array.isArray(schema.anyOf)) {
    const kinds = schema.anyOf.map((member: unknown) => kindOf(asJson(member)));
    return [...new Set(kinds)].join(" or ");
  }
  switch (schema.type) {
    case "object":
      return "keys";
    case "array":
      return "list";
    case "string":
      return "text";
    case "integer":
      return "whole number";
    case "number":
      return "number";
    case "boolean":
      return "`true` `false`";
    default:
      return "any";
  }
}

function table(head: ReadonlyArray<string>, rows: ReadonlyArray<Row>): ReadonlyArray<string> {
  const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");
  return [
    `| ${head.join(" | ")} |`,
    "| --- | --- | --- |",
    ...rows.map(({ key, kind, meaning }) => `| \`${key}\` | ${cell(kind)} | ${cell(meaning)} |`),
  ];
}
