/** What a person must know or mend before this provider is used; and what its fields are. */
import type { CheckRequest, Entity, Problem, RemoteField } from "../../core/connector.ts";
import type { Client } from "./client.ts";
import type { Settings } from "./config.ts";
import type { Discover } from "./discover.ts";
import { endpointOf, entitiesOf } from "./map.ts";
import { placeOf } from "./places.ts";

/** Attributes of the RFC's schemas that may hold the hub's id or are mapped anyway; others the provider must name. */
const common = ["externalId", "userName", "displayName", "nickName", "userType", "preferredLanguage", "timezone"];

export async function check(
  { settings, client, discover }: { readonly settings: Settings; readonly client: Client; readonly discover: Discover },
  { keys }: CheckRequest,
): Promise<ReadonlyArray<Problem>> {
  const problems: Array<Problem> = [];
  const { delta, filter, attributes } = await discover();
  for (const entity of Object.keys(entitiesOf(settings)) as ReadonlyArray<Entity>) {
    const endpoint = endpointOf(settings, entity);
    const { status } = await client.call({ method: "GET", path: endpoint, query: { count: "1" } });
    if (status === 404) {
      const what = `The provider has no ${endpoint}.`;
      problems.push({ severity: "error", entity, what, remedy: "Check baseUrl and accounts.endpoint." });
    }
    const key = keys[entity];
    if (key === undefined || isKnown(key, attributes)) continue;
    problems.push({
      severity: "error",
      entity,
      field: key,
      what: `${endpoint.slice(1)} have no attribute ${key} that could hold the hub's id.`,
      remedy: "Use externalId, or an attribute that the provider's schema names.",
    });
  }
  if (!filter) {
    problems.push({
      severity: "warning",
      what: "The provider cannot look for a resource: before every create everything is read.",
      remedy: "Nothing to do; with many users, pull less often.",
    });
  } else if (!delta) {
    problems.push({
      severity: "warning",
      what: "The provider cannot say what has changed: every pull reads everything.",
      remedy: "Nothing to do; with many users, pull less often.",
    });
  }
  return problems;
}

function isKnown(field: string, attributes: ReadonlyArray<string>): boolean {
  if (common.includes(field)) return true;
  const { urn, attribute } = placeOf(field);
  const wanted = (urn === null ? `:${attribute}` : `${urn}:${attribute}`).toLowerCase();
  return attributes.some((name) => name.toLowerCase().endsWith(wanted));
}

/** The fields that are mapped, and those of the provider's schema that could be. */
export async function describe(
  settings: Settings,
  discover: Discover,
  entity: Entity,
): Promise<ReadonlyArray<RemoteField>> {
  const { attributes } = await discover();
  const map = entitiesOf(settings)[entity];
  const mapped = Object.values(map?.fields ?? {}).flatMap(({ path, access }) =>
    (typeof path === "string" ? [path] : Object.values(path)).map((name: string) => [name, access !== "read"] as const),
  );
  const others = attributes.map((name) => [bareName(name), true] as const);
  const names = new Map<string, boolean>([...others, ["externalId", true], ...mapped]);
  return [...names].map(([name, writable]) => ({
    name,
    label: name,
    type: "text",
    required: name === "userName" || (entity === "account" && name === settings.accounts?.name),
    readable: true,
    writable,
    unique: name === "userName" || name === "externalId",
  }));
}

/** Attributes of the core schemas go by their own name. */
const bareName = (name: string): string => name.replace(/^urn:ietf:params:scim:schemas:core:2\.0:[^:]+:/i, "");
