/** SCIM providers that others have written, on a loopback port: what they hold is in memory. */
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { scim } from "@better-auth/scim";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { toNodeHandler } from "better-auth/node";
import express from "express";
import SCIMMY from "scimmy";
import SCIMMYRouters from "scimmy-routers";

export interface Provider {
  readonly baseUrl: string;
  readonly token: string;
  readonly close: () => Promise<void>;
}

type Resource = Record<string, unknown> & { id: string };

const token = "a-token-of-the-test";

async function listen(handler: RequestListener): Promise<{ readonly url: string; readonly close: Provider["close"] }> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // Listening on a port, so there is one.
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** scimmy with scimmy-routers: the whole grammar, sort, index paging. */
export async function startScimmy(
  count = 0,
  seed: (index: number) => Record<string, unknown> = () => ({}),
): Promise<Provider> {
  const users = new Map<string, Resource>();
  let last = 0;
  const save = (id: string | undefined, body: Record<string, unknown>): Resource => {
    const known = id === undefined ? undefined : users.get(id);
    if (id !== undefined && known === undefined) throw new SCIMMY.Types.Error(404, null as never, "Resource not found");
    const name = String(body.userName).toLowerCase();
    for (const other of users.values()) {
      if (other !== known && String(other.userName).toLowerCase() === name) {
        throw new SCIMMY.Types.Error(409, "uniqueness", "userName is taken");
      }
    }
    last += known === undefined ? 1 : 0;
    const own = id ?? `user-${last}`;
    const now = new Date().toISOString();
    const created = (known?.meta as { created?: string } | undefined)?.created ?? now;
    const row: Resource = { ...body, id: own, meta: { resourceType: "User", created, lastModified: now } };
    users.set(own, row);
    return row;
  };
  for (let index = 1; index <= count; index++) save(undefined, seed(index));
  const groups = new Map<string, Resource>();
  SCIMMY.Resources.declare(SCIMMY.Resources.User)
    .extend(SCIMMY.Schemas.EnterpriseUser)
    .ingress(
      async (resource: { id?: string }, data: object) => save(resource.id, JSON.parse(JSON.stringify(data))) as never,
    )
    .egress(async (resource) => {
      // A filter is applied by whoever holds the resources, as its guide says.
      const all = [...users.values()];
      if (resource.id === undefined) return (resource.filter?.match(all) ?? all) as never;
      const row = users.get(resource.id);
      if (row === undefined) throw new SCIMMY.Types.Error(404, null as never, "Resource not found");
      return row as never;
    })
    .degress(async (resource: { id?: string }) => {
      if (!users.delete(resource.id ?? "")) throw new SCIMMY.Types.Error(404, null as never, "Resource not found");
    });
  SCIMMY.Resources.declare(SCIMMY.Resources.Group)
    .ingress(async (_resource: unknown, data: object) => ({ ...data, id: "group" }) as never)
    .egress(async () => [...groups.values()] as never)
    .degress(async () => {});
  const app = express();
  app.use(
    "/scim",
    new SCIMMYRouters({
      type: "bearer",
      handler: (request: { header: (name: string) => string | undefined }) => {
        if (request.header("Authorization") !== `Bearer ${token}`) throw new Error("No such token");
        return "syncline";
      },
    }),
  );
  const { url, close } = await listen(app);
  return { baseUrl: `${url}/scim`, token, close };
}

/** @better-auth/scim: equality alone, no comparison of times. */
export async function startBetterAuth(): Promise<Provider> {
  const secret = "a-secret-of-the-test-that-is-long-enough";
  let handler: RequestListener = (_request, response) => response.end();
  const { url, close } = await listen((request, response) => void handler(request, response));
  const plugin = scim({ connections: [{ id: "syncline", credentials: [{ type: "bearer", id: "one", token }] }] });
  const names = ["user", "session", "account", "verification", ...Object.keys(plugin.schema)];
  const tables = Object.fromEntries(names.map((name): [string, Array<Record<string, unknown>>] => [name, []]));
  const auth = betterAuth({
    baseURL: url,
    secret,
    database: memoryAdapter(tables),
    // Its types are of a later release of better-auth than the one that it asks for.
    plugins: [plugin as never],
    logger: { disabled: true },
    telemetry: { enabled: false },
    rateLimit: { enabled: false },
  });
  handler = toNodeHandler(auth);
  return { baseUrl: `${url}/api/auth/scim/v2`, token, close };
}
