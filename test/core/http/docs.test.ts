import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { routes } from "../../../core/http/api/routes.ts";
import { publicPaths } from "../../../core/http/docs.ts";
import { openApi } from "../../../core/http/openapi.ts";
import { createHttpKit, type HttpKit } from "../../kit/http-kit.ts";

let kit: HttpKit;

beforeAll(async () => {
  kit = await createHttpKit();
});

afterAll(() => kit.close());

const fetchText = async (path: string, headers: Record<string, string> = {}) => {
  const response = await kit.app.request(path, { headers });
  return { status: response.status, headers: response.headers, text: await response.text() };
};

/** Everything below a value, with the key it stands under. */
function* below(value: unknown, key = ""): Generator<readonly [string, unknown]> {
  yield [key, value];
  if (typeof value !== "object" || value === null) return;
  for (const [name, inner] of Object.entries(value)) yield* below(inner, name);
}

describe("the reference of the API", () => {
  it("is OpenAPI 3.1 with every route, unique names, and references that resolve", async () => {
    const { status, text } = await fetchText("/api/v1/openapi.json");
    expect(status).toBe(200);
    const document = JSON.parse(text);
    expect(document.openapi).toBe("3.1.0");
    expect(document.info).toMatchObject({ title: "Syncline", version: "0.0.0-test" });
    const operations = Object.entries<Record<string, Record<string, unknown>>>(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
    );
    expect(operations.length).toBe(routes.length);
    const names = operations.map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
    for (const { path, operation } of operations) {
      expect(path).toMatch(/^\/api\/v1\//);
      expect(operation.summary).toMatch(/\S/);
      const parameters = operation.parameters as ReadonlyArray<{ name: string; in: string; required: boolean }>;
      const named = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      expect(parameters.filter((one) => one.in === "path").map((one) => one.name)).toEqual(named);
      for (const one of parameters) expect(one.in !== "path" || one.required).toBe(true);
    }
    for (const [key, value] of below(document)) {
      if (key !== "$ref") continue;
      const [, , kind = "", name = ""] = String(value).split("/");
      expect([value, document[String(value).split("/")[1] ?? ""]?.[kind]?.[name]]).toEqual([value, expect.anything()]);
    }
    expect(text).not.toContain("x-query-kind");
  });

  it("is there in Chinese too, with the same calls", () => {
    const about = { version: "1", base: "/api/v1" } as const;
    const [english, chinese] = [
      openApi(routes, { ...about, language: "en" }),
      openApi(routes, { ...about, language: "zh" }),
    ];
    expect(Object.keys(chinese.paths as object)).toEqual(Object.keys(english.paths as object));
    for (const route of routes) expect(route.summary.zh).toMatch(/\p{Script=Han}/u);
    const descriptions = [...below(chinese)].filter(
      ([key, value]) => key === "description" && typeof value === "string",
    );
    expect(descriptions.length).toBeGreaterThan(100);
    // Names and states need no translation.
    const left = descriptions.map(([, value]) => String(value)).filter((text) => !/[\p{Script=Han}。]/u.test(text));
    expect([...new Set(left)]).toEqual([]);
  });

  it("is a page of this hub alone, in the browser's language", async () => {
    const page = await fetchText("/api/v1/docs", { "Accept-Language": "zh-CN,zh;q=0.9" });
    expect(page.status).toBe(200);
    expect(page.text).toContain('<html lang="zh-CN">');
    const policy = page.headers.get("Content-Security-Policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).not.toContain("unsafe");
    const assets = [...page.text.matchAll(/(?:src|href|data-document)="([^"]+)"/g)].map((match) => match[1] ?? "");
    expect(assets.length).toBeGreaterThan(4);
    for (const asset of assets) {
      expect(asset).toMatch(/^\/api\/v1\//);
      const { status, text } = await fetchText(asset);
      expect([asset, status, text.length > 20]).toEqual([asset, 200, true]);
    }
    // Inline scripts would not run under the policy.
    expect(page.text).not.toMatch(/<script>|<script [^>]*>[^<]/);
    expect((await fetchText("/api/v1/docs")).text).toContain('<html lang="en">');
  });

  it("is all that the API serves without a key", () => {
    const declared = new Set(routes.map(({ method, path }) => `${method} /api/v1${path}`));
    const open = kit.app.routes
      .filter(({ method }) => method !== "ALL")
      .filter(({ method, path }) => !declared.has(`${method} ${path}`))
      .map(({ path }) => path);
    expect([...new Set(open)].toSorted()).toEqual(publicPaths.map((path) => `/api/v1${path}`).toSorted());
  });
});
