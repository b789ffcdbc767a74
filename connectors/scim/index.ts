/** SCIM 2.0 as a client: the users, and if asked the groups, of any directory that speaks it. */
import type { Connection, Connector, Entity, Tools } from "../../core/connector.ts";
import { check, describe } from "./check.ts";
import { createClient, limitsOf } from "./client.ts";
import { Config, settingsOf } from "./config.ts";
import { createDiscover } from "./discover.ts";
import { callsToFind, fetch, find } from "./look-up.ts";
import { endpointOf, entitiesOf, ruleFor } from "./map.ts";
import { Cursor, pull, type Source } from "./pull.ts";
import { push } from "./push.ts";

function connect(config: Config, tools: Tools): Connection<Cursor> {
  const settings = settingsOf(config);
  const client = createClient(settings, tools);
  const discover = createDiscover(settings, client, tools);
  const source = (entity: Entity, fields: ReadonlyArray<string>): Source => {
    return { settings, client, discover, endpoint: endpointOf(settings, entity), fields };
  };
  return {
    check: (request) => check({ settings, client, discover }, request),
    pull: (entity, request) => pull(source(entity, request.fields), request),
    fetch: (entity, ids, fields) => fetch(source(entity, fields), ids),
    find: (entity, criteria, fields) => find(source(entity, fields), criteria),
    push: (operations) => push({ settings, client, discover, log: tools.log }, operations),
    describe: (entity) => describe(settings, discover, entity),
    people: async () => [],
    // A change reads before it writes; a delete may only be a change.
    callsFor: (kind, count) =>
      kind === "delete" && settings.deprovision === "ignore" ? 0 : count * (kind === "create" ? 1 : 2),
    callsToFind: (criteria) => callsToFind(criteria, discover.soFar()),
  };
}

export const scim: Connector<Config, Cursor> = {
  system: "scim",
  title: { en: "SCIM directory", zh: "SCIM 目录" },
  config: Config,
  cursor: Cursor,
  entities: (config) => entitiesOf(settingsOf(config)),
  limits: limitsOf,
  rule: ruleFor,
  connect,
};
