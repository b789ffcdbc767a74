/** Which path is answered by what, and what a call to it weighs. */
import { Hono } from "hono";
import { dataCentres, regions } from "../config.ts";
import type { Bulk } from "./bulk.ts";
import { type Call, type Called, handled, type Weight } from "./call.ts";
import { costOfQuery } from "./coql.ts";
import type { Metadata } from "./metadata.ts";
import type { OAuth } from "./oauth.ts";
import type { Reads } from "./reads.ts";
import type { Watch } from "./watch.ts";
import { answer, isJson, type Json, refuse } from "./wire.ts";
import type { Writes } from "./writes.ts";

const heavyFrom = 10;
const recordsPerCredit = 10;
const searchCredits = 3;
const mergeCredits = 50;

const recordsOf = (body: unknown): number => (isJson(body) && Array.isArray(body.data) ? body.data.length : 1);

const module: Weight = {
  scope: "ZohoCRM.modules.ALL",
  heavy: (request) => /[?&](sort_by|cvid)=/.test(request.url),
};
const writing: Weight = {
  scope: "ZohoCRM.modules.ALL",
  cost: (body) => Math.ceil(recordsOf(body) / recordsPerCredit),
  heavy: (_request, body) => recordsOf(body) > heavyFrom,
};
const searching: Weight = { scope: "ZohoSearch.securesearch.READ", cost: () => searchCredits, heavy: () => true };
const counting: Weight = { scope: "ZohoSearch.securesearch.READ" };
const watching: Weight = { scope: "ZohoCRM.notifications.ALL" };
const reading: Weight = { scope: "ZohoCRM.bulk.READ" };

export interface Parts {
  readonly call: Call;
  readonly oauth: OAuth;
  readonly metadata: Metadata;
  readonly reads: Reads;
  readonly writes: Writes;
  readonly bulk: Bulk;
  readonly watch: Watch;
  readonly query: (body: unknown) => Response;
  /** Whether the batch of this call fails by half. */
  readonly isHalf: () => boolean;
}

export function createRoutes({ call, oauth, metadata, reads, writes, bulk, watch, query, isHalf }: Parts): Hono {
  const single = ({ request, module: name, id }: Called): string => writes.resolve(name, id, request);
  const asRecord = (body: unknown, id: string): Json => ({
    ...(isJson(body) ? body : {}),
    data: isJson(body) && Array.isArray(body.data) ? body.data.slice(0, 1).map((one) => ({ ...one, id })) : [],
  });
  const removing = (called: Called): Request => {
    const url = new URL(called.request.url);
    url.searchParams.set("ids", single(called));
    return new Request(url, { method: "DELETE" });
  };

  const app = new Hono();
  const v8 = "/crm/v8";
  app.post("/oauth/v2/token", (context) => oauth.token(context.req.raw));
  app.post("/oauth/v2/token/revoke", (context) => oauth.revoke(context.req.raw));
  app.get("/oauth/v2/auth", (context) => oauth.authorise(context.req.raw));
  app.get("/oauth/serverinfo", () =>
    answer({
      result: "success",
      locations: Object.fromEntries(regions.map((name) => [name, dataCentres[name].accountsUrl])),
    }),
  );

  app.get(
    `${v8}/settings/fields`,
    call({ scope: "ZohoCRM.settings.fields.READ" }, ({ request }) => metadata.fields(request)),
  );
  app.get(
    `${v8}/settings/fields/:id`,
    call({ scope: "ZohoCRM.settings.fields.READ" }, ({ request, id }) => metadata.field(request, id)),
  );
  app.get(
    `${v8}/settings/modules`,
    call({ scope: "ZohoCRM.settings.modules.READ" }, () => metadata.modules()),
  );
  app.get(
    `${v8}/settings/modules/:id`,
    call({ scope: "ZohoCRM.settings.modules.READ" }, ({ id }) => metadata.module(id)),
  );
  app.get(
    `${v8}/users`,
    call({ scope: "ZohoCRM.users.READ" }, ({ request }) => metadata.users(request)),
  );
  app.get(
    `${v8}/org`,
    call({ scope: "ZohoCRM.org.READ" }, () => metadata.org()),
  );

  app.post(
    `${v8}/coql`,
    call({ scope: "ZohoCRM.coql.READ", cost: costOfQuery, heavy: () => true }, ({ body }) => query(body)),
  );

  app.post(
    `${v8}/actions/watch`,
    call(watching, ({ body }) => watch.save(body, "enable")),
  );
  app.put(
    `${v8}/actions/watch`,
    call(watching, ({ body }) => watch.save(body, "replace")),
  );
  app.patch(
    `${v8}/actions/watch`,
    call(watching, ({ body }) => watch.save(body, "change")),
  );
  app.get(
    `${v8}/actions/watch`,
    call(watching, ({ request }) => watch.list(request)),
  );
  app.delete(
    `${v8}/actions/watch`,
    call(watching, ({ request }) => watch.disable(request)),
  );

  app.post(
    "/crm/bulk/v8/read",
    call(reading, ({ body, request }) => bulk.start(body, request)),
  );
  app.get(
    "/crm/bulk/v8/read/:id",
    call(reading, ({ id }) => bulk.status(id)),
  );
  app.get(
    "/crm/bulk/v8/read/:id/result",
    call(reading, ({ id }) => bulk.result(id)),
  );

  app.get(
    `${v8}/:module/deleted`,
    call(module, ({ module: name, request }) => reads.deleted(name, request)),
  );
  app.get(
    `${v8}/:module/search`,
    call(searching, ({ module: name, request }) => reads.search(name, request)),
  );
  app.get(
    `${v8}/:module/actions/count`,
    call(counting, ({ module: name, request }) => reads.count(name, request)),
  );
  app.post(
    `${v8}/:module/upsert`,
    call(writing, ({ module: name, body, request }) => writes.upsert(name, body, request, isHalf())),
  );
  app.post(
    `${v8}/:module/:id/actions/merge`,
    call({ ...module, cost: () => mergeCredits }, ({ module: name, id, body }) => writes.merge(name, id, body)),
  );
  app.get(
    `${v8}/:module`,
    call(module, ({ module: name, request }) => reads.list(name, request)),
  );
  app.post(
    `${v8}/:module`,
    call(writing, ({ module: name, body, request }) => writes.insert(name, body, request, isHalf())),
  );
  app.put(
    `${v8}/:module`,
    call(writing, ({ module: name, body, request }) => writes.update(name, body, request, isHalf())),
  );
  app.delete(
    `${v8}/:module`,
    call(module, ({ module: name, request }) => writes.remove(name, request, isHalf())),
  );
  app.get(
    `${v8}/:module/:id`,
    call(module, (called) => reads.one(called.module, single(called), called.request)),
  );
  app.put(
    `${v8}/:module/:id`,
    call(writing, (called) =>
      writes.update(called.module, asRecord(called.body, single(called)), called.request, false),
    ),
  );
  app.delete(
    `${v8}/:module/:id`,
    call(module, (called) => writes.remove(called.module, removing(called), false)),
  );

  // A known path with another verb, then everything else.
  for (const path of ["/coql", "/actions/watch", "/users", "/org", "/:module", "/:module/:id", "/:module/upsert"]) {
    app.all(`${v8}${path}`, () => handled(() => Promise.reject(refuse.method())));
  }
  app.notFound(() => handled(() => Promise.reject(refuse.url())));
  app.onError((error) => {
    throw error;
  });
  return app;
}
