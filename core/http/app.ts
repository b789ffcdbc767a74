/** The API as one Hono app: what is common to all requests, the routes, the reference, and what is served beside them. */
import { Hono, type MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import { methodNotAllowed } from "hono/method-not-allowed";
import { routePath } from "hono/route";
import { secureHeaders } from "hono/secure-headers";
import { routes } from "./api/routes.ts";
import { createGate } from "./caller.ts";
import { docs } from "./docs.ts";
import type { AppOptions } from "./options.ts";
import { notFound, Problem, problemOf, problemResponse } from "./problem.ts";
import { base, register } from "./register.ts";
import { requestIdOf, withRequestId } from "./request-id.ts";

const bodyBytesMax = 1_000_000;

/** Headers that pages of other origins may read and send. */
const exposed = ["ETag", "Retry-After", "X-Request-Id", "Idempotency-Replayed", "Content-Disposition"];
const allowed = ["Authorization", "Content-Type", "If-Match", "If-None-Match", "Idempotency-Key"];

export function createApp(options: AppOptions): Hono {
  const app = new Hono();
  if (options.onAnswered !== undefined) app.use(measured(options.onAnswered));
  app.use(withRequestId);
  app.use(
    secureHeaders({
      strictTransportSecurity: options.tls === true ? "max-age=31536000; includeSubDomains" : false,
      referrerPolicy: "no-referrer",
      xFrameOptions: "DENY",
    }),
  );
  app.use(withPolicy);
  const { origins = [] } = options;
  if (origins.length > 0) {
    app.use(`${base}/*`, cors({ origin: [...origins], allowHeaders: allowed, exposeHeaders: exposed, maxAge: 600 }));
  }
  app.use(`${base}/*`, bodyLimit({ maxSize: bodyBytesMax, onError: (context) => tooLarge(requestIdOf(context)) }));
  app.use(
    `${base}/*`,
    methodNotAllowed({
      app,
      onMethodNotAllowed: (context, methods) => problemResponse(wrongMethod(methods), requestIdOf(context)),
    }),
  );
  register(app, routes, options, createGate(options));
  app.route(base, docs(routes, options));
  options.hooks?.(app);
  app.notFound((context) =>
    problemResponse(
      notFound("There is nothing at this address.", `The API is below ${base}; its reference is at ${base}/docs.`),
      requestIdOf(context),
    ),
  );
  app.onError((error, context) => problemResponse(problemOf(error), requestIdOf(context)));
  return app;
}

/** Answers are data: a browser may run and load nothing of them. Pages say what they need themselves. */
const withPolicy: MiddlewareHandler = async (context, next) => {
  await next();
  const { headers } = context.res;
  if (!headers.has(policyHeader)) headers.set(policyHeader, "default-src 'none'; frame-ancestors 'none'");
};

/** Real time: how long somebody waited, whatever the hub's clock says. */
const measured =
  (tell: NonNullable<AppOptions["onAnswered"]>): MiddlewareHandler =>
  async (context, next) => {
    const began = performance.now();
    await next();
    const route = routePath(context, -1);
    const seconds = (performance.now() - began) / 1000;
    tell({ method: context.req.method, route, status: context.res.status, seconds });
  };

const policyHeader = "Content-Security-Policy";

const tooLarge = (requestId: string): Response =>
  problemResponse(
    new Problem("too-large", `The body is larger than ${bodyBytesMax} bytes.`, "Send less at once."),
    requestId,
  );

const wrongMethod = (methods: ReadonlyArray<string>): Problem =>
  new Problem("method-not-allowed", "The method does not fit this address.", `Use ${methods.join(" or ")}.`, {
    headers: { Allow: methods.join(", ") },
  });
