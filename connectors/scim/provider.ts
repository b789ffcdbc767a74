/**
 * SCIM 2.0 the other way: an identity provider pushes its users into the hub, at `/scim/v2/<connection>`.
 *
 * What it has pushed lives in the hub's own store, and is read and written from here like the records of any other system.
 */
import {
  type Connection,
  type Connector,
  type Criterion,
  type Entity,
  type EntityMap,
  type Operation,
  type Page,
  type PullRequest,
  type RecordShelf,
  type RemoteField,
  type RemoteRecord,
  type Result,
  Schema,
  type ShelvedRecord,
  type Shelving,
  type Tombstone,
  type Tools,
  Unavailable,
} from "../../core/connector.ts";
import { isJson, type Json, member } from "./json.ts";
import { fits } from "./look-up.ts";
import { contactFields, ruleFor, withLogin } from "./map.ts";
import { fieldOf, touchedBy, withTouched } from "./places.ts";

const described = <S extends Schema.Top>(schema: S, description: string) => schema.annotate({ description });

export const providerProfiles = ["generic", "entra", "okta"] as const;

export const ProviderConfig = Schema.Struct({
  profile: Schema.optionalKey(
    described(Schema.Literals(providerProfiles), "Who pushes: entra, okta, or another client; generic unless said."),
  ),
  patchAnswer: Schema.optionalKey(
    described(
      Schema.Literals([200, 204]),
      "What a PATCH is answered: 200 with the resource, or 204; 204 for entra, else 200.",
    ),
  ),
  groups: Schema.optionalKey(
    described(
      Schema.Literals(["keep", "accounts"]),
      "keep (default) keeps groups for their client alone; accounts takes each as an account, by its name.",
    ),
  ),
});
export type ProviderConfig = typeof ProviderConfig.Type;

export const Change = Schema.Int;

const types: Readonly<Record<Entity, string>> = { account: "Group", contact: "User" };

/** The hub's own id, in its own extension. */
const hubKey = "urn:syncline:scim:schemas:extension:customer:2.0:User:hubId";

const pageRows = 500;
const batchMax = 100;

function entitiesOf({ groups }: ProviderConfig): Partial<Record<Entity, EntityMap>> {
  const shared = {
    versions: { conditional: "version" as const, counter: true, resolutionMs: 1, lateMs: 0, settleMs: 0 },
    deletes: { learned: "tombstones" as const, goneIsProof: true, namesMaster: false },
    writable: true,
    pushBatchMax: batchMax,
    fetchBatchMax: batchMax,
  };
  const contact: EntityMap = { ...shared, object: "Users", fields: contactFields(), selfFilled: ["userName"] };
  if (groups !== "accounts") return { contact };
  return {
    account: { ...shared, object: "Groups", fields: { name: ruleFor({ name: "name", type: "text" }, "displayName") } },
    contact,
  };
}

function connect(_config: ProviderConfig, tools: Tools): Connection<number> {
  const { shelf } = tools;
  if (shelf === undefined) throw new Unavailable("The hub has lent no shelf to this connection.", { sent: false });
  return {
    check: async () => [],
    pull: (entity, request) => pull(shelf, tools, types[entity], request),
    fetch: async (entity, ids, fields) => {
      const readBegan = tools.clock.now();
      const found = new Map((await shelf.get(types[entity], ids)).map((record) => [record.id, record]));
      const changes = ids.map((id): RemoteRecord | Tombstone => {
        const record = found.get(id);
        return record === undefined ? { kind: "deleted", id } : changeOf(record, fields);
      });
      return { changes, readBegan, readEnded: tools.clock.now() };
    },
    find: async (entity, criteria, fields) => {
      const all = await shelf.all(types[entity]);
      return all.flatMap((record) => {
        const { body } = record;
        if (body === null || !criteria.some((criterion) => isHeld(body, criterion))) return [];
        const change = changeOf(record, fields);
        return change.kind === "record" ? [change] : [];
      });
    },
    push: async (operations) => {
      const results: Array<Result> = [];
      for (const operation of operations) results.push(await write(shelf, operation));
      return results;
    },
    describe: async (entity) => describe(entity),
    people: async () => [],
  };
}

async function* pull(
  shelf: RecordShelf,
  { clock }: Tools,
  type: string,
  { mode, cursor, fields, signal }: PullRequest<number>,
): AsyncGenerator<Page<number>, void, void> {
  let after = cursor ?? 0;
  for (let more = true; more && !signal.aborted; ) {
    const readBegan = clock.now();
    const records = await shelf.since(type, after, pageRows);
    after = records.at(-1)?.change ?? after;
    more = records.length === pageRows;
    yield {
      changes: records.map((record) => changeOf(record, fields)),
      cursor: after,
      readBegan,
      readEnded: clock.now(),
      ...(mode === "listing" && !more ? { complete: true } : {}),
    };
  }
}

function changeOf(record: ShelvedRecord, fields: ReadonlyArray<string>): RemoteRecord | Tombstone {
  const { id, body, version, createdAt, modifiedAt } = record;
  if (body === null) return { kind: "deleted", id, deletedAt: modifiedAt };
  const held = Object.fromEntries(fields.map((name) => [name, fieldOf(body, name)]));
  return { kind: "record", id, fields: held, version: String(version), createdAt, modifiedAt };
}

function isHeld(body: Json, criterion: Criterion): boolean {
  const { field } = criterion;
  if (fits(fieldOf(body, field), criterion)) return true;
  const values = member(body, field.replace(/\[.*$/, ""));
  if (!Array.isArray(values)) return false;
  return values.some((element) => fits(isJson(element) ? member(element, "value") : element, criterion));
}

async function write(shelf: RecordShelf, operation: Operation): Promise<Result> {
  const type = types[operation.entity];
  if (operation.kind === "delete") return resultOf(await shelf.remove(type, operation.id), {});
  if (operation.kind === "create") {
    const { hubId, keyField } = operation;
    const fields = withLogin(operation.entity, { ...operation.fields, [keyField]: hubId });
    const body = withTouched({}, touchedBy({}, fields));
    return resultOf(await shelf.put(type, { id: null, version: null, body }), fields);
  }
  const [before] = await shelf.get(type, [operation.id]);
  if (before === undefined || before.body === null)
    return { kind: "gone", reason: "The record is not there any more." };
  const wanted = operation.precondition?.version;
  const version = wanted === undefined ? before.version : Number(wanted);
  const body = withTouched(before.body, touchedBy(before.body, operation.fields));
  return resultOf(await shelf.put(type, { id: operation.id, version, body }), operation.fields);
}

function resultOf(shelving: Shelving, fields: Readonly<Record<string, unknown>>): Result {
  switch (shelving.kind) {
    case "saved": {
      const { id, version, modifiedAt, body } = shelving.record;
      if (body === null) return { kind: "applied", id };
      const stored = Object.fromEntries(Object.keys(fields).map((name) => [name, fieldOf(body, name)]));
      return { kind: "applied", id, version: String(version), modifiedAt, stored };
    }
    case "moved":
      return { kind: "conflict", reason: "the record was changed since" };
    case "gone":
      return { kind: "gone", reason: "The record is not there any more." };
    case "refused":
      return {
        kind: "rejected",
        code: shelving.code,
        reason: shelving.reason,
        remedy:
          shelving.code === "uniqueness"
            ? "Change the contact's login, or the user who has it in this directory."
            : "Fill in what a user of a directory needs: a login name or an e-mail address.",
      };
  }
}

function describe(entity: Entity): ReadonlyArray<RemoteField> {
  const maps = entitiesOf({ groups: "accounts" });
  const names = Object.values(maps[entity]?.fields ?? {}).flatMap(
    ({ path }): ReadonlyArray<string> => (typeof path === "string" ? [path] : Object.values(path)),
  );
  return [...new Set([...names, "externalId", hubKey])].map((name) => ({
    name,
    label: name,
    type: "text",
    required: name === "userName" || (entity === "account" && name === "displayName"),
    readable: true,
    writable: true,
    unique: name === "userName" || name === "externalId" || name === hubKey,
  }));
}

export const scimProvider: Connector<ProviderConfig, number> = {
  system: "scim-provider",
  title: { en: "SCIM provider (identity providers push here)", zh: "SCIM 服务端（身份提供方推送到此）" },
  config: ProviderConfig,
  cursor: Change,
  entities: entitiesOf,
  // What is let in, not what goes out: Entra ID sends up to 25 requests a second.
  limits: () => ({ requests: { rate: { count: 100, windowMs: 1_000 } } }),
  resident: true,
  rule: ruleFor,
  connect,
};
