/** The reference: the OpenAPI document, and a page that shows it. Everything comes from this hub, nothing from elsewhere. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { type Context, Hono } from "hono";
import { html } from "hono/html";
import { type Language, openApi } from "./openapi.ts";
import type { AppOptions } from "./options.ts";
import { base } from "./register.ts";
import type { Route } from "./route.ts";

/** The only addresses of the API that need no key. */
export const publicPaths = [
  "/openapi.json",
  "/docs",
  "/docs/start.js",
  "/docs/swagger-ui-bundle.js",
  "/docs/swagger-ui.css",
] as const;

/** The page runs its own scripts and styles alone, and talks to this hub alone. */
const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const assetTypes = {
  "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
  "swagger-ui.css": "text/css; charset=utf-8",
} as const;

// Later versions of the package bring a dependency with an install script.
const assets = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));

const dayS = 86_400;

export function docs(routes: ReadonlyArray<Route>, { version }: Pick<AppOptions, "version">): Hono {
  const app = new Hono();
  const documents = new Map<Language, string>();
  const documentIn = (language: Language): string => {
    const known = documents.get(language);
    if (known !== undefined) return known;
    const made = JSON.stringify(openApi(routes, { version, base, language }));
    documents.set(language, made);
    return made;
  };
  app.get("/openapi.json", (context) =>
    context.body(documentIn(languageOf(context)), 200, { "Content-Type": "application/json" }),
  );
  app.get("/docs", (context) => {
    context.header("Content-Security-Policy", pagePolicy);
    return context.html(page(languageOf(context)));
  });
  app.get("/docs/start.js", (context) =>
    context.body(start, 200, { "Content-Type": assetTypes["swagger-ui-bundle.js"] }),
  );
  for (const [name, type] of Object.entries(assetTypes)) {
    let bytes: Buffer<ArrayBuffer> | undefined;
    app.get(`/docs/${name}`, (context) => {
      bytes ??= Buffer.from(readFileSync(join(assets, name)));
      return context.body(bytes, 200, { "Content-Type": type, "Cache-Control": `public, max-age=${dayS}` });
    });
  }
  return app;
}

/** `?lang=zh`, or else what the browser prefers. */
function languageOf(context: Context): Language {
  const asked = context.req.query("lang") ?? context.req.header("Accept-Language") ?? "";
  return /^zh\b/i.test(asked) ? "zh" : "en";
}

const words = {
  en: { title: "Syncline API", other: "中文", otherLanguage: "zh", tongue: "en" },
  zh: { title: "Syncline API 参考", other: "English", otherLanguage: "en", tongue: "zh-CN" },
} as const;

function page(language: Language) {
  const { title, other, otherLanguage, tongue } = words[language];
  return html`<!doctype html>
<html lang="${tongue}">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>${title}</title>
    <link rel="stylesheet" href="${base}/docs/swagger-ui.css" />
  </head>
  <body>
    <p><a href="${base}/docs?lang=${otherLanguage}">${other}</a> · <a href="${base}/openapi.json?lang=${language}">openapi.json</a></p>
    <main id="reference" data-document="${base}/openapi.json?lang=${language}"></main>
    <script src="${base}/docs/swagger-ui-bundle.js"></script>
    <script src="${base}/docs/start.js"></script>
  </body>
</html>`;
}

const start = `const place = document.getElementById("reference");
SwaggerUIBundle({ url: place.dataset.document, domNode: place, deepLinking: true, persistAuthorization: false, validatorUrl: null });
`;
