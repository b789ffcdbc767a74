/** The OpenAPI 3.1 document, made of the same declarations that answer the requests. */
import { Schema } from "effect";
import { asJson, type Json } from "../config/json-schema.ts";
import type { Words } from "../security/roles.ts";
import { scopeWords } from "../security/roles.ts";
import { problemKinds, problemType } from "./problem.ts";
import type { Route, Shape } from "./route.ts";
import { queryKind } from "./shapes.ts";
import { inChinese } from "./words.zh.ts";

export type Language = keyof Words;

/** Shape   OpenAPI 3.1; paths are below `base`, shared shapes in components. */
export function openApi(
  routes: ReadonlyArray<Route>,
  about: { readonly version: string; readonly base: string; readonly language: Language },
): Json {
  const schemas: Record<string, unknown> = { Problem: problemSchema };
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = `${about.base}${route.path.replaceAll(/:(\w+)/g, "{$1}")}`;
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route, schemas, about.language) };
  }
  const document = {
    openapi: "3.1.0",
    info: { title: "Syncline", version: about.version, description: intro[about.language] },
    servers: [{ url: "/" }],
    security: [{ key: [] }],
    paths,
    components: {
      schemas,
      securitySchemes: { key: { type: "http", scheme: "bearer", bearerFormat: "syn_<id>_<secret>" } },
    },
  };
  return about.language === "zh" ? asJson(translated(document)) : document;
}

/** Descriptions are told in Chinese, wherever they stand. */
function translated(value: unknown, key = ""): unknown {
  if (Array.isArray(value)) return value.map((inner) => translated(inner));
  if (typeof value === "string") return key === "description" ? inChinese(value) : value;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, translated(inner, name)]));
}

const intro: Words = {
  en: "The unified customers, their conflicts and the connections of this hub. Send an API key as `Authorization: Bearer <key>`; a role gives it scopes. Without the scope `personal` personal values are shown as •••. Lists are paged by `cursor`; a GET of one record gives an ETag, which `If-Match` takes on writes; `Idempotency-Key` makes a write safe to repeat. Errors are RFC 9457 problems.",
  zh: "本中枢的统一客户、冲突与连接。以 `Authorization: Bearer <密钥>` 发送 API 密钥，权限由角色决定。没有 `personal` 权限时，个人信息显示为 •••。列表用 `cursor` 翻页；读取单条记录会返回 ETag，写入时用 `If-Match` 带回；`Idempotency-Key` 让写入可以安全重试。错误遵循 RFC 9457。",
};

function operationOf(route: Route, schemas: Record<string, unknown>, language: Language): Json {
  const [tag = ""] = route.path.split("/").filter((part) => part !== "");
  const isWrite = route.method !== "GET";
  const needs = { en: "Scope", zh: "所需权限" }[language];
  return {
    operationId: route.operation,
    summary: route.summary[language],
    description: `${needs}: \`${route.scope}\` (${scopeWords[route.scope][language]})`,
    tags: [tag],
    parameters: [
      ...parametersOf(route.params, "path", schemas),
      ...parametersOf(route.query, "query", schemas),
      ...(isWrite ? [headerOf("Idempotency-Key", "Makes the write safe to repeat for 24 hours.")] : []),
      ...(route.ifMatch ? [headerOf("If-Match", "The ETag that was seen; 412 if it has changed.")] : []),
    ],
    ...(route.body === null
      ? {}
      : {
          requestBody: { required: true, content: { "application/json": { schema: schemaOf(route.body, schemas) } } },
        }),
    responses: {
      "2XX": {
        description: { en: "Done", zh: "成功" }[language],
        content: Object.fromEntries(
          route.media.map((media) => [
            media,
            { schema: route.response === null ? { type: "string" } : schemaOf(route.response, schemas) },
          ]),
        ),
      },
      default: {
        description: { en: "A problem", zh: "错误" }[language],
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
    "x-scope": route.scope,
  };
}

const headerOf = (name: string, description: string): Json => ({
  name,
  in: "header",
  required: false,
  description,
  schema: { type: "string" },
});

function parametersOf(
  shape: Shape<unknown> | null,
  place: "path" | "query",
  schemas: Record<string, unknown>,
): ReadonlyArray<Json> {
  if (shape === null) return [];
  const schema = schemaOf(shape, schemas);
  const required = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(asJson(schema.properties)).map(([name, property]) => {
    const { description, ...rest } = asJson(property);
    return {
      name,
      in: place,
      required: required.includes(name),
      ...(description === undefined ? {} : { description }),
      schema: wireOf(rest),
    };
  });
}

/** What a text of a query stands for. */
function wireOf({ [queryKind]: kind, ...schema }: Json): Json {
  if (kind === "integer") return { type: "integer" };
  if (kind === "boolean") return { type: "boolean" };
  return kind === "list" ? { type: "array", items: { type: "string" } } : schema;
}

function schemaOf(shape: Shape<unknown>, schemas: Record<string, unknown>): Json {
  const document = Schema.toJsonSchemaDocument(shape, { includeAnnotationKey: (key) => key === queryKind });
  for (const [name, definition] of Object.entries(document.definitions)) schemas[name] = moved(definition);
  return asJson(moved(document.schema));
}

/** References point into the components of the document. */
function moved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(moved);
  if (typeof value === "string") return value.replace(/^#\/\$defs\//, "#/components/schemas/");
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, moved(inner)]));
}

const text = { type: "string" };

const problemSchema: Json = {
  type: "object",
  description: "RFC 9457: what went wrong and the remedy, never a secret or a value.",
  required: ["type", "title", "status", "detail", "remedy", "instance"],
  properties: {
    type: { enum: Object.keys(problemKinds).map((kind) => problemType(kind as keyof typeof problemKinds)) },
    title: text,
    status: { type: "integer" },
    detail: text,
    remedy: text,
    instance: { ...text, description: "The request, as X-Request-Id and the log name it." },
    errors: {
      type: "array",
      items: { type: "object", required: ["path", "what"], properties: { path: text, what: text } },
    },
  },
};
