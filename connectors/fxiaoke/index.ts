/**
 * Fxiaoke (纷享销客): preset or custom objects of one tenant, read by polling and written record by record.
 *
 * Source  Fxiaoke OpenAPI manual, developer.fxiaoke.com/openapi_v2.
 */
import type { Connection, Connector, Entity, Operation, Result, Tools } from "../../core/connector.ts";
import { check } from "./check.ts";
import { createClient, limitsOf } from "./client.ts";
import { Config, type Config as FxiaokeConfig, type Settings, settingsOf } from "./config.ts";
import { createDescriptions } from "./describe.ts";
import { find, lookUpsFor } from "./look-up.ts";
import { entitiesOf, ruleFor } from "./map.ts";
import { people } from "./people.ts";
import { Cursor, type Cursor as FxiaokeCursor, fetch, pull } from "./pull.ts";
import { push, recover, type Writer } from "./push.ts";
import { createWebhook } from "./webhook.ts";

/** A connection that can also take records out of the recycle bin. */
export interface FxiaokeConnection extends Connection<FxiaokeCursor> {
  readonly recover: (entity: Entity, ids: ReadonlyArray<string>) => Promise<ReadonlyArray<Result>>;
}

export function connectFxiaoke(config: FxiaokeConfig, tools: Tools): FxiaokeConnection {
  const settings = settingsOf(config);
  const client = createClient(settings, tools);
  const descriptions = createDescriptions(client);
  const writer: Writer = {
    client,
    settings,
    descriptions,
    log: tools.log,
    clock: tools.clock,
    shown: new Map(),
    nullsShownBy: new Set(),
    ownerSteps: new Map(),
  };
  const { aesKey, objects } = settings;
  const webhook = aesKey === undefined ? {} : { webhook: createWebhook({ aesKey, objects, now: tools.clock.now }) };
  const objectOf = (entity: Entity) => settings.objects[entity];
  return {
    check: ({ keys }) => check({ client, settings, descriptions, keys }),
    pull: (entity, request) => pull(writer, objectOf(entity), request),
    fetch: (entity, ids, fields) => fetch(writer, objectOf(entity), ids, fields),
    find: (entity, criteria, fields) => find(writer, objectOf(entity), criteria, fields),
    push: (operations) => push(writer, operations),
    recover: (entity, ids) => recover(writer, entity, ids),
    describe: async (entity) => [...(await descriptions.of(objectOf(entity), true)).fields.values()],
    people: () => people(client, settings),
    ...webhook,
    // An update that moves the owner takes one call more, which its count does not tell.
    callsFor: (kind, count) => count * callsEach(kind, settings),
    callsToFind: (criteria) => lookUpsFor(criteria).length,
  };
}

/** A delete is read back, and so is every write that may wait for an approval. */
function callsEach(kind: Operation["kind"], { deleteMode, triggerApprovalFlow }: Settings): number {
  if (kind === "delete") return deleteMode === "purge" ? 3 : 2;
  return triggerApprovalFlow ? 2 : 1;
}

export const fxiaoke: Connector<FxiaokeConfig, FxiaokeCursor> = {
  system: "fxiaoke",
  title: { en: "Fxiaoke", zh: "纷享销客" },
  config: Config,
  cursor: Cursor,
  entities: (config) => entitiesOf(settingsOf(config)),
  limits: (config) => limitsOf(settingsOf(config)),
  rule: ruleFor,
  connect: connectFxiaoke,
};
