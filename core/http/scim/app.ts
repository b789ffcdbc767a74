/**
 * `/scim/v2/:connection`: what an identity provider sees of the hub (RFC 7644, RFC 9865).
 *
 * A write is kept, and taken in by the hub like any other news, before it is answered; so the next read of any system
 * already knows it. A write of which the hub is not told in time (a stopped connection) is read by the next pull.
 */
import { Effect } from "effect";
import { type Context, Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { ConnectionConfig } from "../../config/hub-config.ts";
import { recogniseKey } from "../../hub/keys.ts";
import type { Hub } from "../../hub/open.ts";
import {
  etagOf,
  gone,
  isNamedIn,
  liveOne,
  type Provider,
  providerOf,
  providersIn,
  providerTypes,
  type Written,
  wholeOf,
} from "../../hub/provider.ts";
import type { RunningService } from "../../hub/start-service.ts";
import type { Entity } from "../../model/field.ts";
import { nestsDeeper } from "../../net/json-depth.ts";
import {
  type Abilities,
  allSchemas,
  configDocument,
  listDocument,
  schemaDocument,
  typeDocument,
} from "../../scim/discovery.ts";
import { badRequest, errorBody, ScimError } from "../../scim/error.ts";
import { bindProjection } from "../../scim/project.ts";
import { isObject, type ResourceType, type ScimObject } from "../../scim/schema.ts";
import { scopesOf } from "../../security/roles.ts";
import { noteAudit } from "../../store/audit.ts";
import type { Resource, ResourceView } from "../../store/resources.ts";
import { bodyOfRequest } from "../body.ts";
import { createBuckets, type Rate } from "../buckets.ts";
import { type AppOptions, refusedRate } from "../options.ts";
import { type BulkOperation, bulkBytesMax, bulkOperationsMax, runBulk } from "./bulk.ts";
import { type ListQuery, listBody, pageMax, pageOf, queryIn, searchIn } from "./query.ts";

export interface ScimFaceOptions extends Pick<AppOptions, "clock" | "log" | "onRefused" | "addressOf"> {
  readonly service: Pick<RunningService, "hub" | "lane">;
}

export const scimBase = "/scim/v2";
const depthMax = 32;
const mediaType = "application/scim+json";

const abilities: Abilities = {
  patch: true,
  filter: true,
  sort: true,
  etag: true,
  bulk: { operationsMax: bulkOperationsMax, bytesMax: bulkBytesMax },
  pageMax,
  paging: ["index", "cursor"],
};

/** Who calls, and what about. */
interface Calling {
  readonly hub: Hub;
  readonly connection: string;
  readonly actor: string;
  readonly provider: Provider;
  /** Of this connection, for locations. */
  readonly base: string;
  readonly patchAnswer: 200 | 204;
  readonly takesGroups: boolean;
}

type Handle = (context: Context, calling: Calling) => Promise<Response>;

export function createScimFace(options: ScimFaceOptions): Hono {
  const { service, clock } = options;
  const app = new Hono();
  const ofKeys = createBuckets();
  const ofAddresses = createBuckets();
  const run = <A, E>(work: Effect.Effect<A, E>): Promise<A> =>
    Effect.runPromise(service.hub().traced(work)).catch(thrown);

  /** Lets a client in that holds a key of this connection. */
  const enter = async (context: Context): Promise<Calling> => {
    const hub = service.hub();
    const name = context.req.param("connection") ?? "";
    const text = /^Bearer +(\S+) *$/i.exec(context.req.header("authorization") ?? "")?.[1];
    const found = text === undefined ? null : await run(recogniseKey(hub, text));
    const key = found?.kind === "known" ? found.key : null;
    const isLet = key !== null && key.connection === name && scopesOf(key.role, key.scopes).includes("provision");
    const connection = providersIn(hub.config).find((one) => one.name === name);
    if (!isLet || connection === undefined) {
      const address = options.addressOf?.(context) ?? "";
      options.onRefused?.(found === null ? "missing" : found.kind === "refused" ? found.why : "unknown", address);
      // A key of another connection learns nothing, not even whether this one is there.
      if (ofAddresses.take(address, refusedRate, clock.now()) > 0) throw new Busy(60);
      throw new ScimError(401, null, "The request carries no token of this connection.");
    }
    const waitMs = ofKeys.take(key.id, rateOf(connection), clock.now());
    if (waitMs > 0) throw new Busy(Math.ceil(waitMs / 1000));
    const actor = `key:${key.id}`;
    const config = isObject(connection.config) ? connection.config : {};
    const patchAnswer = config.patchAnswer ?? (config.profile === "entra" ? 204 : 200);
    return {
      hub,
      connection: name,
      actor,
      provider: providerOf(hub, name, actor),
      // Behind a proxy the request names another address than its client has called.
      base: `${hub.config.serve.url ?? new URL(context.req.url).origin}${scimBase}/${name}`,
      patchAnswer: patchAnswer === 204 ? 204 : 200,
      takesGroups: config.groups === "accounts",
    };
  };

  const handle = (handler: Handle) => async (context: Context) => {
    try {
      return await handler(context, await enter(context));
    } catch (error) {
      return refusal(error, options);
    }
  };

  /** The hub hears of what was written before its client does. */
  const tell = async ({ connection, takesGroups }: Calling, changed: ReadonlyArray<Resource>): Promise<void> => {
    const lane = service.lane(connection);
    if (lane === undefined) return;
    const told: ReadonlyArray<readonly [Entity, string]> = [
      ["contact", "User"],
      ...(takesGroups ? ([["account", "Group"]] as const) : []),
    ];
    for (const [entity, type] of told) {
      const ids = changed.filter((one) => one.type === type).map(({ id }) => id);
      if (ids.length === 0) continue;
      // It is kept already; what cannot be taken in now is read by the next pull.
      await lane.takeIn(entity, ids).catch((error: unknown) => {
        options.log.warn("a pushed record waits for the next pull", { connection, why: String(error) });
      });
    }
  };

  const noteRead = ({ hub, connection, actor }: Calling, what: string, shown: number): Promise<void> =>
    run(
      hub.store.database.write(
        "noting a read",
        () =>
          noteAudit(hub.store.database, [
            { at: clock.now(), actor, action: `scim ${what}`, subject: connection, detail: { shown } },
          ]),
        "soon",
      ),
    );

  // ---- one resource ----

  const located = ({ base }: Calling, { endpoint }: ResourceType, id: string): string => `${base}${endpoint}/${id}`;

  /** One resource as this request wants to see it. */
  const showing = (context: Context, calling: Calling, type: ResourceType) => {
    const show = bindProjection(type, queryIn(projectionIn(context)).projection);
    return (view: ResourceView, resource: Resource): ScimObject =>
      show(withLocation(wholeOf(view, resource), located(calling, type, resource.id)));
  };

  const one = async (
    context: Context,
    calling: Calling,
    {
      type,
      resource,
      status,
    }: { readonly type: ResourceType; readonly resource: Resource; readonly status: 200 | 201 },
  ): Promise<Response> => {
    const shown = showing(context, calling, type);
    const body = await run(calling.provider.look((view) => shown(view, resource)));
    const location = status === 201 ? { location: located(calling, type, resource.id) } : {};
    return answer(body, status, { etag: etagOf(resource), ...location });
  };

  const written = async (calling: Calling, work: Effect.Effect<Written, unknown>): Promise<Written> => {
    const done = await run(work);
    await tell(calling, done.changed);
    return done;
  };

  for (const type of providerTypes) {
    const path = `${scimBase}/:connection${type.endpoint}`;
    app.get(
      path,
      handle(async (context, calling) => list(calling, [type], queryIn(context.req.query()))),
    );
    app.post(
      `${path}/.search`,
      handle(async (context, calling) => list(calling, [type], searchIn(await bodyOf(context)))),
    );
    app.post(
      path,
      handle(async (context, calling) => {
        const { resource } = await written(calling, calling.provider.create(type, await bodyOf(context)));
        return one(context, calling, { type, resource, status: 201 });
      }),
    );
    app.get(
      `${path}/:id`,
      handle(async (context, calling) => {
        const id = context.req.param("id") ?? "";
        const known = context.req.header("if-none-match");
        const shown = showing(context, calling, type);
        const { resource, body } = await run(
          calling.provider.look((view) => {
            const resource = liveOne(view, type, id, {});
            const isKnown = known !== undefined && isNamedIn(known, resource);
            return { resource, body: isKnown ? null : shown(view, resource) };
          }),
        );
        const headers = { etag: etagOf(resource) };
        if (body === null) return new Response(null, { status: 304, headers });
        await noteRead(calling, `read ${type.name}`, 1);
        return answer(body, 200, headers);
      }),
    );
    app.put(
      `${path}/:id`,
      handle(async (context, calling) => {
        const id = context.req.param("id") ?? "";
        const asked = { ifMatch: context.req.header("if-match") };
        const { resource } = await written(calling, calling.provider.replace(type, id, await bodyOf(context), asked));
        return one(context, calling, { type, resource, status: 200 });
      }),
    );
    app.patch(
      `${path}/:id`,
      handle(async (context, calling) => {
        const id = context.req.param("id") ?? "";
        const asked = { ifMatch: context.req.header("if-match") };
        const { resource } = await written(calling, calling.provider.patch(type, id, await bodyOf(context), asked));
        const wantsBody = calling.patchAnswer === 200 || context.req.query("attributes") !== undefined;
        if (wantsBody) return one(context, calling, { type, resource, status: 200 });
        return new Response(null, { status: 204, headers: { etag: etagOf(resource) } });
      }),
    );
    app.delete(
      `${path}/:id`,
      handle(async (context, calling) => {
        const id = context.req.param("id") ?? "";
        await written(calling, calling.provider.remove(type, id, { ifMatch: context.req.header("if-match") }));
        return new Response(null, { status: 204 });
      }),
    );
  }

  // ---- lists ----

  const list = async (calling: Calling, types: ReadonlyArray<ResourceType>, query: ListQuery): Promise<Response> => {
    const { hub, connection, provider } = calling;
    const listing = { types, connection, sealer: hub.store.sealer, now: clock.now() };
    const page = await run(provider.look((view) => pageOf(view, query, listing)));
    const shows = new Map(types.map((type) => [type, bindProjection(type, query.projection)]));
    const shown = page.rows.map(({ type, resource, whole }) =>
      shows.get(type)?.(withLocation(whole, located(calling, type, resource.id))),
    );
    await noteRead(calling, "list", shown.length);
    return answer(listBody(page, shown));
  };

  const all = `${scimBase}/:connection`;
  app.get(
    all,
    handle(async (context, calling) => list(calling, providerTypes, queryIn(context.req.query()))),
  );
  app.post(
    `${all}/.search`,
    handle(async (context, calling) => list(calling, providerTypes, searchIn(await bodyOf(context)))),
  );

  // ---- bulk ----

  app.post(
    `${all}/Bulk`,
    handle(async (context, calling) => {
      const body = await bodyOf(context);
      const changed: Array<Resource> = [];
      const answered = await runBulk(body, async (operation) => {
        const { type, id } = targetOf(operation);
        const done = await run(carriedOut(calling.provider, operation, type, id));
        changed.push(...done.changed);
        const { resource } = done;
        const isGone = resource.body === null;
        return {
          status: operation.method === "POST" ? 201 : operation.method === "DELETE" ? 204 : 200,
          id: resource.id,
          location: located(calling, type, resource.id),
          version: isGone ? null : etagOf(resource),
        };
      });
      await tell(calling, [...new Map(changed.map((resource) => [resource.id, resource])).values()]);
      return answer(answered);
    }),
  );

  // ---- what the server is ----

  const discovery = (document: (base: string, context: Context) => unknown) =>
    handle(async (context, { base }) => {
      if (context.req.query("filter") !== undefined) throw new ScimError(403, null, "Discovery takes no filter.");
      return answer(document(base, context));
    });
  app.get(
    `${all}/ServiceProviderConfig`,
    discovery((base) => configDocument(abilities, base)),
  );
  app.get(
    `${all}/ResourceTypes`,
    discovery((base) => listDocument(providerTypes.map((type) => typeDocument(type, base)))),
  );
  app.get(
    `${all}/ResourceTypes/:name`,
    discovery((base, context) => {
      const wanted = (context.req.param("name") ?? "").toLowerCase();
      const type = providerTypes.find(({ name }) => name.toLowerCase() === wanted);
      if (type === undefined) throw gone("resource type", wanted);
      return typeDocument(type, base);
    }),
  );
  const schemas = allSchemas(providerTypes);
  app.get(
    `${all}/Schemas`,
    discovery((base) => listDocument(schemas.map((schema) => schemaDocument(schema, base)))),
  );
  app.get(
    `${all}/Schemas/:urn`,
    discovery((base, context) => {
      const wanted = (context.req.param("urn") ?? "").toLowerCase();
      const schema = schemas.find(({ id }) => id.toLowerCase() === wanted);
      if (schema === undefined) throw gone("schema", wanted);
      return schemaDocument(schema, base);
    }),
  );
  app.all(
    `${all}/Me`,
    handle(async () => {
      throw new ScimError(501, null, "A token belongs to a client, not to a user.");
    }),
  );
  app.all(
    `${all}/*`,
    handle(async (context) => {
      const isKnown = app.routes.some(({ path }) => isSamePath(path, context.req.path));
      throw isKnown
        ? new ScimError(405, null, "The method does not fit this address.")
        : gone("address", context.req.path);
    }),
  );
  return app;
}

/** The limit `requests` of the connection, as the YAML may set it. */
function rateOf({ connector, config, limits }: ConnectionConfig): Rate {
  const { rate } = { ...connector.limits(config), ...limits }.requests ?? {};
  if (rate === undefined) return { perMinute: Number.MAX_SAFE_INTEGER, burst: Number.MAX_SAFE_INTEGER };
  return { perMinute: (rate.count * 60_000) / rate.windowMs, burst: rate.count };
}

/** 429 with a time: come again later. */
class Busy extends Error {
  readonly seconds: number;
  constructor(seconds: number) {
    super("too many requests");
    this.seconds = seconds;
  }
}

/** What Effect wraps is what was failed with. */
function thrown(error: unknown): never {
  if (error instanceof Error && error.cause instanceof ScimError) throw error.cause;
  throw error;
}

function refusal(error: unknown, { log }: Pick<ScimFaceOptions, "log">): Response {
  if (error instanceof Busy) {
    const body = errorBody(new ScimError(429, null, "Too many requests."));
    return answer(body, 429, { "retry-after": String(error.seconds) });
  }
  if (error instanceof ScimError) {
    const challenge = error.status === 401 ? { "www-authenticate": 'Bearer realm="syncline"' } : {};
    return answer(errorBody(error), error.status, challenge);
  }
  log.warn("a SCIM request failed", { why: error instanceof Error ? error.name : "unknown" });
  // The store does not answer; whoever pushes comes again.
  return answer(errorBody(new ScimError(503, null, "The hub cannot answer now.")), 503, { "retry-after": "30" });
}

const answer = (body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response =>
  new Response(JSON.stringify(body), {
    status: status as ContentfulStatusCode,
    headers: { "content-type": `${mediaType}; charset=utf-8`, "cache-control": "no-store", ...headers },
  });

/** Only a read of one resource names attributes in its address. */
function projectionIn(context: Context): Readonly<Record<string, string | undefined>> {
  const { attributes, excludedAttributes } = context.req.query();
  return { attributes, excludedAttributes };
}

function withLocation(whole: ScimObject, location: string): ScimObject {
  const meta = isObject(whole.meta) ? (whole.meta as ScimObject) : {};
  return { ...whole, meta: { ...meta, location } };
}

async function bodyOf(context: Context): Promise<unknown> {
  const type = (context.req.header("content-type") ?? "").split(";")[0]?.trim().toLowerCase();
  if (type !== mediaType && type !== "application/json") {
    throw new ScimError(415, null, `Send ${mediaType} or application/json.`);
  }
  const encoding = context.req.header("content-encoding");
  if (encoding !== undefined && encoding.toLowerCase() !== "identity") {
    throw new ScimError(415, null, "Send the body as it is, not compressed.");
  }
  const body = await bodyOfRequest(context.req.raw, bulkBytesMax);
  if (body === "too large") throw new ScimError(413, null, `A body may have ${bulkBytesMax} bytes (maxPayloadSize).`);
  if (body === "cut") throw badRequest("invalidSyntax", "The body ended early.");
  if (nestsDeeper(body, depthMax)) throw badRequest("invalidSyntax", `A body may be ${depthMax} levels deep.`);
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw badRequest("invalidSyntax", "The body is not JSON.");
  }
}

function targetOf({ method, path }: BulkOperation): { readonly type: ResourceType; readonly id: string } {
  const [, endpoint = "", id = "", ...more] = path.split("/");
  const type = providerTypes.find((one) => one.endpoint.toLowerCase() === `/${endpoint.toLowerCase()}`);
  if (type === undefined || more.length > 0 || (method === "POST") !== (id === "")) {
    throw badRequest("invalidSyntax", "The path of an operation is /Users, /Groups, or one of them with an id.");
  }
  return { type, id: decodeURIComponent(id) };
}

function carriedOut(provider: Provider, { method, data, version }: BulkOperation, type: ResourceType, id: string) {
  const asked = { ifMatch: version ?? undefined };
  switch (method) {
    case "POST":
      return provider.create(type, data);
    case "PUT":
      return provider.replace(type, id, data, asked);
    case "PATCH":
      return provider.patch(type, id, data, asked);
    case "DELETE":
      return provider.remove(type, id, asked);
  }
}

/** Whether a path is the pattern's, whatever the method. */
function isSamePath(pattern: string, path: string): boolean {
  if (pattern.includes("*")) return false;
  const [wanted, given] = [pattern.split("/"), path.split("/")];
  return wanted.length === given.length && wanted.every((part, at) => part.startsWith(":") || part === given[at]);
}
