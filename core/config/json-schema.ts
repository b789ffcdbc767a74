/** The JSON Schema of the YAML for editors, made of the schemas that read it and of those of all connectors. */
import { Schema } from "effect";
import type { Connector } from "../connector.ts";
import type { NotificationChannel } from "../plugin.ts";
import { ChannelShape } from "./alerts-shape.ts";
import { ruleWords } from "./chains.ts";
import { filterTests } from "./create-filters.ts";
import { ConfigShape, ConnectionShape } from "./shape.ts";

export type Json = Readonly<Record<string, unknown>>;

/** Shape   JSON Schema draft 2020-12; `use` of a connection decides which keys it has. */
export function jsonSchema(
  connectors: ReadonlyMap<string, Connector>,
  channels: ReadonlyMap<string, NotificationChannel> = new Map(),
): Json {
  const definitions: Record<string, unknown> = { ...handwritten };
  const shared = blockOf(schemaOf(ConnectionShape, definitions));
  const systems = [...connectors.keys()];
  const cases: Array<Json> = [];
  for (const [system, connector] of connectors) {
    definitions[`connection-${system}`] = together(schemaOf(connector.config, definitions), shared, connector);
    cases.push({
      if: { properties: { use: { const: system } }, required: ["use"] },
      // biome-ignore lint/suspicious/noThenProperty: it is a keyword of JSON Schema.
      then: { $ref: `#/$defs/connection-${system}` },
    });
  }
  const root = blockOf(schemaOf(ConfigShape, definitions));
  const connection = {
    type: "object",
    properties: { use: { ...asJson(shared.properties.use), enum: systems } },
    required: ["use"],
    allOf: cases,
  };
  const connections = { ...asJson(root.properties.connections), additionalProperties: connection };
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Syncline configuration",
    ...root.rest,
    properties: withChains({
      ...root.properties,
      connections,
      alerts: withChannels(asJson(root.properties.alerts), channels, definitions),
    }),
    required: ["connections"],
    $defs: definitions,
  };
}

/** One connector's keys with the shared ones. */
function together(own: Json, shared: Block, connector: Connector): Json {
  const members = own.anyOf;
  if (Array.isArray(members)) {
    return { anyOf: members.map((member: unknown) => together(asJson(member), shared, connector)) };
  }
  const block = blockOf(own);
  const create = asJson(shared.properties.create);
  return {
    ...block.rest,
    description: `${connector.title.en} (${connector.title.zh})`,
    properties: {
      ...shared.properties,
      use: { ...asJson(shared.properties.use), const: connector.system },
      create: { ...create, properties: { account: filterOrFlag, contact: filterOrFlag } },
      ...block.properties,
    },
    required: ["use", ...block.required],
    additionalProperties: false,
  };
}

const filterOrFlag = { anyOf: [{ type: "boolean" }, { $ref: "#/$defs/filter" }] };

const filter = { $ref: "#/$defs/filter" };
const scalar = { type: ["string", "number", "boolean", "null"] };

const handwritten: Json = {
  filter: {
    description:
      "Conditions over canonical fields, or the shorthand { industry: [Software, Banking], status: active }.",
    type: "object",
    minProperties: 1,
    properties: {
      all: { type: "array", items: filter, minItems: 1, description: "All of these conditions hold." },
      any: { type: "array", items: filter, minItems: 1, description: "At least one of these conditions holds." },
      not: { ...filter, description: "The condition does not hold." },
      field: { type: "string", description: `A canonical field, tested by one of ${filterTests.join(", ")}.` },
    },
    additionalProperties: { anyOf: [scalar, { type: "array", items: scalar }] },
  },
  rule: {
    anyOf: [
      { enum: ruleWords },
      {
        type: "object",
        properties: {
          prefer: {
            type: "array",
            items: { type: "string" },
            description: "The first of these connections that has a value.",
          },
        },
        required: ["prefer"],
        additionalProperties: false,
      },
      {
        type: "object",
        properties: { only: { type: "string", description: "The connection that owns the field." } },
        required: ["only"],
        additionalProperties: false,
      },
    ],
  },
  chain: {
    description: "A rule, or a list of rules that are asked in order.",
    anyOf: [{ $ref: "#/$defs/rule" }, { type: "array", items: { $ref: "#/$defs/rule" }, minItems: 1 }],
  },
};

/** Rules are read by hand, so the schema that reads the file says nothing of their form. */
function withChains(properties: Json): Json {
  const policy = asJson(properties.policy);
  const entity = (value: unknown): Json => {
    const block = asJson(value);
    const inner = asJson(block.properties);
    const chain = (of: unknown): Json => ({ ...asJson(of), $ref: "#/$defs/chain" });
    const fields = { ...asJson(inner.fields), additionalProperties: { $ref: "#/$defs/chain" } };
    return { ...block, properties: { ...inner, default: chain(inner.default), fields } };
  };
  const { account, contact } = asJson(policy.properties);
  return { ...properties, policy: { ...policy, properties: { account: entity(account), contact: entity(contact) } } };
}

/** `use` of a channel decides which keys it has. */
function withChannels(
  alerts: Json,
  channels: ReadonlyMap<string, NotificationChannel>,
  definitions: Record<string, unknown>,
): Json {
  const properties = asJson(alerts.properties);
  const shared = blockOf(schemaOf(ChannelShape, definitions));
  const cases = [...channels.values()].map((plugin) => {
    const own = blockOf(schemaOf(plugin.config, definitions));
    definitions[`channel-${plugin.channel}`] = {
      ...own.rest,
      description: `${plugin.title.en} (${plugin.title.zh})`,
      properties: { ...shared.properties, ...own.properties },
      required: ["use", ...own.required],
      additionalProperties: false,
    };
    return {
      if: { properties: { use: { const: plugin.channel } }, required: ["use"] },
      // biome-ignore lint/suspicious/noThenProperty: it is a keyword of JSON Schema.
      then: { $ref: `#/$defs/channel-${plugin.channel}` },
    };
  });
  const channel = {
    type: "object",
    properties: { use: { ...asJson(shared.properties.use), enum: [...channels.keys()] } },
    required: ["use"],
    allOf: cases,
  };
  const known =
    channels.size === 0
      ? asJson(properties.channels)
      : { ...asJson(properties.channels), additionalProperties: channel };
  return { ...alerts, properties: { ...properties, channels: known } };
}

interface Block {
  readonly rest: Json;
  readonly properties: Json;
  readonly required: ReadonlyArray<unknown>;
}

function blockOf(schema: Json): Block {
  const { properties, required, ...rest } = schema;
  return { rest, properties: asJson(properties), required: Array.isArray(required) ? required : [] };
}

function schemaOf(schema: Schema.Top, definitions: Record<string, unknown>): Json {
  const document = Schema.toJsonSchemaDocument(schema);
  for (const [name, definition] of Object.entries(document.definitions)) definitions[name] = tidied(definition);
  return asJson(tidied(document.schema));
}

/** Unknown keys are errors here, and a text of a certain form may be a reference to the environment instead. */
function tidied(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(tidied);
  if (typeof value !== "object" || value === null) return value;
  const copy: Record<string, unknown> = Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, tidied(inner)]),
  );
  if (copy.type === "object" && copy.properties !== undefined && typeof copy.additionalProperties !== "object") {
    copy.additionalProperties = false;
  }
  if (copy.type !== "string" || (copy.pattern === undefined && copy.enum === undefined && copy.allOf === undefined)) {
    return copy;
  }
  const { description, ...form } = copy;
  return {
    ...(description === undefined ? {} : { description }),
    anyOf: [form, { type: "string", pattern: "\\$\\{[A-Za-z_]" }],
  };
}

export function asJson(value: unknown): Json {
  // Whatever is an object here was made from JSON.
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}
