/**
 * Zoho CRM: Accounts and Contacts of one organisation, read by polling and written in batches.
 *
 * Source  Zoho CRM REST API v8, www.zoho.com/crm/developer/docs/api/v8.
 */
import type { Connection, Connector, Tools } from "../../core/connector.ts";
import { createChannels } from "./channels.ts";
import { check } from "./check.ts";
import { createClient, limitsOf } from "./client.ts";
import { Config, modules, settingsOf, type Config as ZohoConfig } from "./config.ts";
import { queriesFor } from "./coql.ts";
import { Cursor, type Cursor as ZohoCursor } from "./cursor.ts";
import { createGraveyard } from "./deleted.ts";
import { createDescriptions } from "./describe.ts";
import { fetch, find } from "./look-up.ts";
import { batchMax, entitiesOf, ruleFor } from "./map.ts";
import { people } from "./people.ts";
import { pull, type Reader } from "./pull.ts";
import { push } from "./push.ts";
import { createWebhook } from "./webhook.ts";

/** The core sends up to this many updates singly, each with its precondition. */
const singlyMax = 10;

export function connectZoho(config: ZohoConfig, tools: Tools): Connection<ZohoCursor> {
  const { clock, log } = tools;
  const settings = settingsOf(config);
  const client = createClient(settings, tools);
  const descriptions = createDescriptions(client, clock.now);
  const graveyard = createGraveyard(client, log, clock.now);
  const reader: Reader = { client, descriptions, settings, graveyard, clock, log };
  return {
    check: ({ keys, webhook = false }) => check({ client, settings, descriptions, keys, webhook }),
    pull: (entity, request) => pull(reader, modules[entity], request),
    fetch: (entity, ids, fields) => fetch(reader, modules[entity], ids, fields),
    find: (entity, criteria, fields) => find(reader, modules[entity], criteria, fields),
    push: (operations) => push(reader, operations),
    describe: async (entity) => [...(await descriptions.of(modules[entity], true)).fields.values()],
    people: () => people(client),
    webhook: createWebhook(createChannels(client)),
    callsToFind: queriesFor,
    callsFor: (kind, count) => (kind === "update" && count <= singlyMax ? count : Math.ceil(count / batchMax)),
  };
}

export const zoho: Connector<ZohoConfig, ZohoCursor> = {
  system: "zoho",
  title: { en: "Zoho CRM", zh: "Zoho CRM" },
  config: Config,
  cursor: Cursor,
  entities: (config) => entitiesOf(settingsOf(config)),
  limits: (config) => limitsOf(settingsOf(config)),
  rule: ruleFor,
  connect: connectZoho,
};
