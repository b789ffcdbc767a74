/**
 * A SCIM 2.0 service provider as others build them: users and groups in memory, strict unless a switch says otherwise.
 *
 * Its filters, PATCH and schemas are the pure part that the hub's own provider is made of; what differs between vendors
 * is in `simulator/switches.ts`.
 */
import { randomUUID } from "node:crypto";
import { type Context, Hono } from "hono";
import { pathNames } from "../../core/connector.ts";
import {
  createFaults,
  createStrike,
  type Entity,
  type FaultPlan,
  type Simulator,
  type SimulatorClock,
  scim,
} from "../../core/simulator.ts";
import { settingsOf } from "./config.ts";
import { isJson, type Json } from "./json.ts";
import { entitiesOf } from "./map.ts";
import { fieldOf, touchedBy, withTouched } from "./places.ts";
import { type Switches, strict } from "./simulator/switches.ts";

export type { Switches } from "./simulator/switches.ts";

export interface ScimSimulatorOptions {
  readonly clock: SimulatorClock;
  readonly faults?: FaultPlan;
  readonly switches?: Partial<Switches>;
  /** Groups are accounts in the connection that it names; true unless said. */
  readonly groups?: boolean;
}

interface Row {
  readonly id: string;
  readonly type: scim.ResourceType;
  body: scim.ScimObject;
  readonly created: number;
  modified: number;
  version: number;
}

export const clientId = "syncline-test-client";
export const clientSecret = "simulated-client-secret";
export const basePath = "/scim/v2";
const tokenLifeS = 3600;
const textLengthMax = 256;
const { userType, groupType, ScimError } = scim;

export function createScimSimulator({ clock, faults: plan, switches, groups = true }: ScimSimulatorOptions): Simulator {
  const ways: Switches = { ...strict, ...switches };
  const faults = createFaults(plan ?? { rules: [] });
  const rows = new Map<string, Row>();
  const tokens = new Map<string, number>();
  const calls: Record<string, number> = {};
  let writes = 0;
  let frozenAt: number | undefined;
  let base = "";
  const stamp = (): number => frozenAt ?? clock.now();
  const typeOf = (entity: Entity): scim.ResourceType => (entity === "contact" ? userType : groupType);
  const rowsOf = (type: scim.ResourceType): ReadonlyArray<Row> => [...rows.values()].filter((row) => row.type === type);

  // ---- what is kept ----

  const checkBody = (type: scim.ResourceType, body: scim.ScimObject, own: string | null): void => {
    scim.validate(type, body);
    for (const [name, value] of Object.entries(body)) {
      if (typeof value === "string" && value.length > textLengthMax) {
        throw new ScimError(400, "invalidValue", `Attribute '${name}' is longer than ${textLengthMax} characters.`);
      }
    }
    if (type !== userType) return;
    const wanted = scim.folded(String(body.userName));
    const taken = rowsOf(userType).some((row) => row.id !== own && scim.folded(String(row.body.userName)) === wanted);
    if (taken) throw new ScimError(409, "uniqueness", "Attribute 'userName' must be unique.");
  };
  const insert = (type: scim.ResourceType, body: scim.ScimObject): Row => {
    checkBody(type, body, null);
    const row: Row = { id: randomUUID(), type, body, created: stamp(), modified: stamp(), version: 1 };
    rows.set(row.id, row);
    return row;
  };
  const store = (row: Row, body: scim.ScimObject): Row => {
    checkBody(row.type, body, row.id);
    if (scim.sameObject(row.body, body)) return row;
    return Object.assign(row, { body, modified: stamp(), version: row.version + 1 });
  };

  // ---- how it is shown ----

  const etagOf = ({ version }: Row): string => `W/"${version}"`;
  const shown = (row: Row, projection = scim.everything): Json => {
    const { id, type, body, created, modified } = row;
    const inGroups =
      type === userType
        ? rowsOf(groupType).filter(({ body: { members } }) =>
            scim.elementsOf(members).some((one) => isJson(one) && one.value === id),
          )
        : [];
    const location = `${ways.relativeLocations ? basePath : base}${type.endpoint}/${id}`;
    const whole = Object.assign(scim.emptyObject(), body, {
      id,
      meta: {
        resourceType: type.name,
        created: new Date(created).toISOString(),
        lastModified: new Date(modified).toISOString(),
        location,
        ...(ways.etag ? { version: etagOf(row) } : {}),
      },
      ...(inGroups.length === 0
        ? {}
        : { groups: inGroups.map((group) => ({ value: group.id, display: group.body.displayName, type: "direct" })) }),
    });
    const projected: Json = { ...scim.project(type, whole, projection) };
    return ways.textBooleans && typeof projected.active === "boolean"
      ? { ...projected, active: projected.active ? "True" : "False" }
      : projected;
  };
  const answer = (body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response =>
    new Response(JSON.stringify(body), {
      status,
      headers: { "content-type": "application/scim+json", date: new Date(clock.now()).toUTCString(), ...headers },
    });
  const one = (row: Row, status = 200): Response =>
    answer(shown(row), status, {
      location: `${base}${row.type.endpoint}/${row.id}`,
      ...(ways.etag ? { etag: etagOf(row) } : {}),
    });

  // ---- the wire ----

  const app = new Hono();
  app.onError((error) => {
    if (error instanceof ScimError) return answer(scim.errorBody(error), error.status);
    throw error;
  });
  app.post("/oauth/token", async (context) => {
    const form = new URLSearchParams(await context.req.text());
    const isKnown = form.get("client_id") === clientId && form.get("client_secret") === clientSecret;
    if (form.get("grant_type") !== "client_credentials") return context.json({ error: "unsupported_grant_type" }, 400);
    if (!isKnown) return context.json({ error: "invalid_client" }, 401);
    const token = randomUUID();
    tokens.set(token, clock.now() + tokenLifeS * 1000);
    return context.json({ access_token: token, token_type: "Bearer", expires_in: tokenLifeS });
  });
  app.use(`${basePath}/*`, async (context, next) => {
    const token = /^Bearer (.+)$/i.exec(context.req.header("authorization") ?? "")?.[1] ?? "";
    if ((tokens.get(token) ?? 0) <= clock.now()) {
      const refusal = answer(scim.errorBody(new ScimError(401, null, "Authorization failure.")), 401);
      refusal.headers.set("www-authenticate", 'Bearer realm="scim"');
      return refusal;
    }
    await next();
    return undefined;
  });
  const discovery = (documents: () => unknown) => () => {
    if (ways.noDiscovery) throw new ScimError(404, null, "Endpoint not found.");
    return answer(documents());
  };
  const types = [userType, groupType];
  const abilities = (): scim.Abilities => ({
    patch: ways.patch,
    filter: ways.filter !== "none",
    sort: ways.sort,
    etag: ways.etag,
    bulk: null,
    pageMax: ways.pageMax,
    paging: ways.paging === "none" ? [] : [ways.paging],
  });
  app.get(
    `${basePath}/ServiceProviderConfig`,
    discovery(() => scim.configDocument(abilities(), base)),
  );
  app.get(
    `${basePath}/ResourceTypes`,
    discovery(() => scim.listDocument(types.map((type) => scim.typeDocument(type, base)))),
  );
  app.get(
    `${basePath}/Schemas`,
    discovery(() => scim.listDocument(scim.allSchemas(types).map((schema) => scim.schemaDocument(schema, base)))),
  );

  const filtered = (type: scim.ResourceType, text: string | undefined): ReadonlyArray<Row> => {
    const all = rowsOf(type);
    if (text === undefined || ways.filter === "ignored") return all;
    if (ways.filter === "none") throw new ScimError(400, "invalidFilter", "Filtering is not supported.");
    const filter = scim.parseFilter(text);
    if (ways.filter === "eq") refuseBeyondEquality(filter);
    if (text.toLowerCase().includes("meta.lastmodified")) {
      if (ways.times === "refused")
        throw new ScimError(400, "invalidFilter", "Attribute meta.lastModified is not supported.");
      if (ways.times === "ignored") return all;
    }
    const test = scim.bindFilter(type, filter);
    return all.filter((row) => test(shown(row) as scim.ScimObject));
  };
  interface Asked {
    readonly filter?: string | undefined;
    readonly startIndex: number;
    readonly count: number | undefined;
    readonly cursor?: string | undefined;
    readonly attributes: ReadonlyArray<string>;
    readonly excluded: ReadonlyArray<string>;
    readonly sortBy?: string | undefined;
    readonly descending: boolean;
  }
  const list = (type: scim.ResourceType, asked: Asked): Response => {
    const projection = scim.projectionOf(asked.attributes, asked.excluded);
    let found = filtered(type, asked.filter);
    if (asked.sortBy !== undefined && ways.sort) {
      const key = scim.sortKeyOf(type, asked.sortBy);
      const keyed = found.map((row) => ({ row, id: row.id, key: key(shown(row) as scim.ScimObject) }));
      found = keyed.sort((a, b) => scim.compareKeys(a, b, asked.descending)).map(({ row }) => row);
    }
    const count = asked.count === undefined ? ways.pageMax : Math.max(0, asked.count);
    const size = ways.paging === "none" ? found.length : Math.min(count, ways.pageMax);
    const from = ways.paging === "cursor" ? Number(asked.cursor || 0) : Math.max(1, asked.startIndex) - 1;
    const page = found.slice(from, from + size);
    const next = from + page.length < found.length && page.length > 0 ? String(from + page.length) : undefined;
    return answer({
      schemas: [scim.listUrn],
      totalResults: found.length,
      itemsPerPage: ways.wrongItemsPerPage ? count : page.length,
      ...(ways.paging === "cursor" ? (next === undefined ? {} : { nextCursor: next }) : { startIndex: from + 1 }),
      [ways.smallResources ? "resources" : "Resources"]: page.map((row) => shown(row, projection)),
    });
  };
  const numberOf = (value: unknown): number | undefined => {
    const number = Number(value ?? Number.NaN);
    return Number.isInteger(number) ? number : undefined;
  };
  const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
  const askedIn = (context: Context): Asked => {
    const { filter, startIndex, count, cursor, attributes, excludedAttributes, sortBy, sortOrder } =
      context.req.query();
    const names = (text: string | undefined): ReadonlyArray<string> =>
      text === undefined || text === "" ? [] : text.split(",");
    return {
      filter,
      startIndex: ways.pagesBySearchOnly ? 1 : (numberOf(startIndex) ?? 1),
      count: numberOf(count),
      cursor,
      attributes: names(attributes),
      excluded: names(excludedAttributes),
      sortBy,
      descending: sortOrder === "descending",
    };
  };
  const searchIn = (body: unknown): Asked => {
    const given = isJson(body) ? body : {};
    const names = (value: unknown): ReadonlyArray<string> => (Array.isArray(value) ? value.map(String) : []);
    return {
      filter: textOf(given.filter),
      startIndex: numberOf(given.startIndex) ?? 1,
      count: numberOf(given.count),
      cursor: textOf(given.cursor),
      attributes: names(given.attributes),
      excluded: names(given.excludedAttributes),
      sortBy: textOf(given.sortBy),
      descending: given.sortOrder === "descending",
    };
  };
  const rowOf = (type: scim.ResourceType, context: Context): Row => {
    const row = rows.get(context.req.param("id") ?? "");
    if (row === undefined || row.type !== type) throw new ScimError(404, null, "Resource not found.");
    return row;
  };
  const guard = (row: Row, context: Context): void => {
    const wanted = context.req.header("if-match");
    if (!ways.etag || wanted === undefined || wanted === "*") return;
    if (wanted.replace(/^W\//, "") !== etagOf(row).replace(/^W\//, "")) {
      throw new ScimError(412, null, "Failed to update. Resource has changed on the server.");
    }
  };
  const bodyOf = async (context: Context): Promise<unknown> => {
    const type = context.req.header("content-type") ?? "";
    if (!/^application\/(scim\+)?json\b/i.test(type)) throw new ScimError(415, null, "Unsupported media type.");
    return context.req.json().catch(() => {
      throw new ScimError(400, "invalidSyntax", "The body is not JSON.");
    });
  };
  for (const type of types) {
    const path = `${basePath}${type.endpoint}`;
    app.get(path, (context) => list(type, askedIn(context)));
    app.post(`${path}/.search`, async (context) => list(type, searchIn(await bodyOf(context))));
    app.get(`${path}/:id`, (context) => one(rowOf(type, context)));
    app.post(path, async (context) => {
      const row = insert(type, scim.readResource(type, await bodyOf(context)));
      writes += 1;
      return one(row, 201);
    });
    app.put(`${path}/:id`, async (context) => {
      const row = rowOf(type, context);
      guard(row, context);
      const body = await bodyOf(context);
      store(row, scim.replaceResource(type, row.body, body));
      writes += 1;
      return one(row);
    });
    app.patch(`${path}/:id`, async (context) => {
      if (!ways.patch) throw new ScimError(501, null, "PATCH is not supported.");
      const row = rowOf(type, context);
      guard(row, context);
      store(row, scim.applyPatch(type, row.body, await bodyOf(context), { isStrict: true }));
      writes += 1;
      return ways.silentPatch ? new Response(null, { status: 204 }) : one(row);
    });
    app.delete(`${path}/:id`, (context) => {
      const row = rowOf(type, context);
      guard(row, context);
      rows.delete(row.id);
      writes += 1;
      return new Response(null, { status: 204 });
    });
  }
  app.notFound(() => answer(scim.errorBody(new ScimError(404, null, "Endpoint not found.")), 404));

  // ---- faults ----

  const strike = createStrike({
    clock,
    dispatch: (request) => app.fetch(request),
    freeze: (isFrozen) => {
      frozenAt = isFrozen ? (frozenAt ?? stamp()) : undefined;
    },
    revoke: () => tokens.clear(),
    hangs: false,
  });

  // ---- the provider's own screen ----

  const held = (entity: Entity, id: string): Row => {
    const row = rows.get(id);
    if (row === undefined || row.type !== typeOf(entity)) throw new Error(`no ${entity} ${id}`);
    return row;
  };
  const removed = new Map<string, Row>();
  const maps = entitiesOf(
    settingsOf({ baseUrl: "https://idp.example", auth: { token: "none" }, accounts: { endpoint: "/Groups" } }),
  );
  const namesOf = (entity: Entity): ReadonlyArray<string> => [
    "externalId",
    ...Object.values(maps[entity]?.fields ?? {}).flatMap(({ path }) => pathNames(path)),
  ];
  const made = (entity: Entity, body: Json, fields: Readonly<Record<string, unknown>>): scim.ScimObject =>
    scim.readResource(typeOf(entity), withTouched(body, touchedBy(body, fields)));

  return {
    fetch: async (request) => {
      const { pathname, origin } = new URL(request.url);
      base = `${origin}${basePath}`;
      const key = `${request.method} ${pathname.replace(/(\/(?:Users|Groups))\/.+$/, "$1")}`;
      calls[key] = (calls[key] ?? 0) + 1;
      return strike(faults.strike({ method: request.method, path: pathname }), request);
    },
    screen: {
      create: (entity, fields) => insert(typeOf(entity), made(entity, {}, fields)).id,
      edit: (entity, id, fields) => {
        const row = held(entity, id);
        store(row, made(entity, row.body, fields));
      },
      remove: (entity, id) => {
        removed.set(id, held(entity, id));
        rows.delete(id);
      },
      restore: (_entity, id) => {
        const row = removed.get(id);
        if (row !== undefined) rows.set(id, Object.assign(row, { modified: stamp(), version: row.version + 1 }));
      },
      // A directory knows no merge: the doubles go.
      merge: (entity, masterId, childIds) => {
        for (const id of childIds) rows.delete(held(entity, id).id);
        Object.assign(held(entity, masterId), { modified: stamp() });
      },
      read: (entity, id) => {
        const row = rows.get(id);
        if (row === undefined || row.type !== typeOf(entity)) return undefined;
        return Object.fromEntries(namesOf(entity).map((name) => [name, fieldOf({ ...row.body }, name)]));
      },
      list: (entity) => rowsOf(typeOf(entity)).map(({ id }) => id),
    },
    faults,
    connection: (url) => ({
      baseUrl: `${url}${basePath}`,
      auth: { tokenUrl: `${url}/oauth/token`, clientId, clientSecret },
      etag: ways.etag,
      ...(groups ? { accounts: { endpoint: "/Groups" } } : {}),
    }),
    traffic: () => ({ calls: { ...calls }, writes }),
  };
}

/** As Entra's own server, AWS and Snowflake: equality, joined by `and`. */
function refuseBeyondEquality(filter: scim.Filter): void {
  const isEquality =
    filter.kind === "and"
      ? filter.parts.every((part) => part.kind === "compare" && part.operator === "eq")
      : filter.kind === "compare" && filter.operator === "eq";
  if (!isEquality) throw new ScimError(400, "invalidFilter", "This filter is not supported.");
}
