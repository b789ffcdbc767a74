/**
 * Memory: a small made-up CRM, and the template for a new connector.
 *
 * Copy this folder, give it your system's name, and go through the files in this order: `map.ts` (which field is which),
 * `client.ts` (one call), `pull.ts`, `push.ts`, then `simulator.ts` against the vendor's documentation.
 */
import { type Connection, type Connector, type Problem, Schema, type Tools } from "../../core/connector.ts";
import { createClient, describe } from "./client.ts";
import { entities, objects, ruleFor } from "./map.ts";
import { Cursor, fetch, find, type Cursor as MemoryCursor, pull } from "./pull.ts";
import { push } from "./push.ts";

const Config = Schema.Struct({
  baseUrl: Schema.String.annotate({ description: "Address of the system, such as https://crm.acme.example." }),
  apiKey: Schema.String.annotate({ description: "API key of the user who acts for the hub." }),
});
type Config = typeof Config.Type;

function connect({ baseUrl, apiKey }: Config, tools: Tools): Connection<MemoryCursor> {
  const client = createClient({ baseUrl: baseUrl.replace(/\/$/, ""), apiKey }, tools);
  return {
    check: async ({ keys }) => {
      const problems: Array<Problem> = [];
      for (const entity of ["account", "contact"] as const) {
        const key = keys[entity];
        const fields = await describe(client, objects[entity]);
        if (key === undefined || fields.find(({ name }) => name === key)?.unique === true) continue;
        const what = `${objects[entity]} has no unique field ${key}.`;
        problems.push({ severity: "error", entity, field: key, what, remedy: "Add it, and mark it as unique." });
      }
      return problems;
    },
    pull: (entity, request) => pull(client, objects[entity], request),
    fetch: (entity, ids, fields) => fetch(client, objects[entity], ids, fields),
    find: (entity, criteria, fields) => find(client, objects[entity], criteria, fields),
    callsToFind: (criteria) => criteria.length,
    push: (operations) => push(client, operations),
    describe: (entity) => describe(client, objects[entity]),
    people: async () => (await client({ method: "GET", path: "/users" })).users ?? [],
  };
}

export const memory: Connector<Config, MemoryCursor> = {
  system: "memory",
  title: { en: "Memory", zh: "内存示例" },
  config: Config,
  cursor: Cursor,
  entities: () => entities,
  limits: () => ({ api: { concurrency: 4, rate: { count: 600, windowMs: 60_000 } } }),
  rule: ruleFor,
  connect,
};
