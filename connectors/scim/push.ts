/**
 * Writing: each operation is a call of its own. A change reads the resource first, so that what the hub does not know
 * stays, and sends only what differs, by PATCH or as the whole resource.
 *
 * Source  RFC 7644, sections 3.3, 3.5, 3.6 and 3.14.
 */
import { type Entity, type Operation, type Result, type Tools, Unavailable } from "../../core/connector.ts";
import { type Answer, type Client, detailOf } from "./client.ts";
import { groupUrn, type Settings, userUrn } from "./config.ts";
import type { Discover } from "./discover.ts";
import { isJson, isTrue, type Json, member, textIn } from "./json.ts";
import { find, readOne } from "./look-up.ts";
import { endpointOf, withLogin } from "./map.ts";
import { attributeIn, fieldOf, placeOf, type Touched, touchedBy, withTouched } from "./places.ts";
import { secondOf } from "./records.ts";

export interface Target {
  readonly settings: Settings;
  readonly client: Client;
  readonly discover: Discover;
  readonly log: Tools["log"];
}

const patchUrn = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

export async function push(target: Target, operations: ReadonlyArray<Operation>): Promise<ReadonlyArray<Result>> {
  const results: Array<Result> = [];
  for (const operation of operations) {
    try {
      results.push(await write(target, operation));
    } catch (error) {
      // What was written before is told; the fault stops the rest, and says of this one whether it may have been done.
      if (results.length === 0 || !(error instanceof Unavailable)) throw error;
      const { message } = error;
      results.push(
        error.sent ? { kind: "unknown", reason: message } : { kind: "later", reason: message, retryAfterMs: 0 },
      );
      while (results.length < operations.length) {
        results.push({ kind: "later", reason: "not sent: the provider failed before", retryAfterMs: 0 });
      }
    }
    if (results.length === operations.length) break;
  }
  return results;
}

function write(target: Target, operation: Operation): Promise<Result> {
  switch (operation.kind) {
    case "create":
      return create(target, operation);
    case "update":
      return update(target, operation);
    case "delete":
      return remove(target, operation);
  }
}

// ---- create ----

async function create(target: Target, operation: Extract<Operation, { kind: "create" }>): Promise<Result> {
  const { entity, hubId, keyField } = operation;
  const endpoint = endpointOf(target.settings, entity);
  const fields = withLogin(entity, { ...operation.fields, [keyField]: hubId });
  if (entity === "contact" && (fields.userName ?? "") === "") {
    return {
      kind: "rejected",
      field: "userName",
      code: "invalidValue",
      reason: "A user needs a login name, and this contact has neither a login nor an e-mail address.",
      remedy: "Fill in the contact's login or e-mail address.",
    };
  }
  const known = await leftoverOf(target, operation);
  if (known !== undefined) {
    return update(target, { kind: "update", entity, id: known, fields: { ...fields, active: fields.active ?? true } });
  }
  const body = withTouched({ schemas: schemasFor(target.settings, entity, fields) }, touchedBy({}, fields));
  const answer = await target.client.call({ method: "POST", path: endpoint, json: body });
  const id = textIn(answer.body, "id");
  if ((answer.status === 201 || answer.status === 200) && id !== undefined) return applied(answer, id, fields);
  if (answer.status === 409) return taken(target, operation, fields, answer);
  return refusalOf(answer, fields);
}

/** A user whom the hub has deactivated before, and who is to be there again. */
async function leftoverOf(
  { settings, client, discover }: Target,
  { entity, hubId, keyField }: Extract<Operation, { kind: "create" }>,
): Promise<string | undefined> {
  if (entity !== "contact" || settings.deprovision !== "deactivate") return undefined;
  const { filter } = await discover();
  if (!filter) return undefined;
  const source = { settings, client, discover, endpoint: "/Users", fields: [keyField] };
  const [found] = await find(source, [{ field: keyField, value: hubId }]);
  return found?.leftover === true ? found.id : undefined;
}

const baseSchemaOf = ({ accounts }: Settings, entity: Entity): string =>
  entity === "contact" ? userUrn : (accounts?.schema ?? groupUrn);

function schemasFor(
  settings: Settings,
  entity: Entity,
  fields: Readonly<Record<string, unknown>>,
): ReadonlyArray<string> {
  const base = baseSchemaOf(settings, entity);
  const filled = Object.entries(fields).filter(([, value]) => value !== null && value !== "");
  return [...new Set([base, ...filled.flatMap(([name]) => placeOf(name).urn ?? [])])];
}

/** A unique value is taken: by whom, the provider does not say. */
async function taken(
  { settings, client, discover }: Target,
  { entity }: Operation,
  fields: Readonly<Record<string, unknown>>,
  answer: Answer,
): Promise<Result> {
  const reason = `The provider answered 409${detailOf(answer.body)}`;
  const name = entity === "contact" ? "userName" : (settings.accounts?.name ?? "displayName");
  const value = fields[name];
  if (typeof value === "string") {
    const source = { settings, client, discover, endpoint: endpointOf(settings, entity), fields: [name] };
    // Several providers compare the case of letters in a filter, and not when a name must be unique.
    const forms = [...new Set([value, value.toLowerCase()])].map((form) => ({ field: name, value: form }));
    const [found] = await find(source, forms);
    if (found !== undefined) return { kind: "duplicate", id: found.id, field: name, reason };
  }
  return {
    kind: "rejected",
    field: name,
    code: "uniqueness",
    reason,
    remedy: `Change the ${name}, or the resource that has it.`,
  };
}

// ---- update ----

const attemptsMax = 3;

async function update(target: Target, operation: Extract<Operation, { kind: "update" }>, attempt = 1): Promise<Result> {
  const { settings, client, discover } = target;
  const { entity, id, fields, precondition } = operation;
  const endpoint = endpointOf(settings, entity);
  const { resource, etag } = await readOne({ client, endpoint }, id);
  if (resource === null) return { kind: "gone", reason: "The provider has no such resource." };
  const wanted = precondition?.modifiedAt;
  if (wanted !== undefined && secondOf(textIn(member(resource, "meta"), "lastModified")) !== wanted) {
    return { kind: "conflict", reason: "the resource was changed since" };
  }
  const touched = touchedBy(resource, fields).filter((one) => !isSame(resource, one));
  if (touched.length === 0) return appliedAs(resource, id, fields);
  const headers = settings.etag && etag !== undefined ? { "if-match": etag } : {};
  const { patch } = await discover();
  const byPatch = settings.write === "patch" || (settings.write === "auto" && patch);
  const path = `${endpoint}/${encodeURIComponent(id)}`;
  const answer = byPatch
    ? await client.call({ method: "PATCH", path, headers, json: patchOf(resource, touched) })
    : await client.call({ method: "PUT", path, headers, json: wholeOf(target, entity, resource, touched) });
  if (answer.status === 200 || answer.status === 204) return applied(answer, id, fields);
  if (answer.status === 404) return { kind: "gone", reason: "The provider has no such resource." };
  if (answer.status === 412) {
    // Without a version of ours the resource is read again; with one the hub decides anew.
    if (wanted === undefined && attempt < attemptsMax) return update(target, operation, attempt + 1);
    return { kind: "conflict", reason: "the resource was changed since" };
  }
  return refusalOf(answer, fields);
}

const isSame = (resource: Json, touched: Touched): boolean =>
  JSON.stringify(attributeIn(resource, touched) ?? null) === JSON.stringify(touched.value ?? null);

/** Parts of a single complex attribute go apart, so that what others wrote beside them stays. */
function patchOf(resource: Json, touched: ReadonlyArray<Touched>) {
  const operations = touched.flatMap(({ urn, attribute, value }) => {
    const path = urn === null ? attribute : `${urn}:${attribute}`;
    const before = attributeIn(resource, { urn, attribute });
    if (value === undefined) return [{ op: "remove", path }];
    if (typeof value !== "object" || value === null || Array.isArray(value) || !isJson(before)) {
      return [{ op: "replace", path, value }];
    }
    const after: Json = { ...value };
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((part) => {
      if (JSON.stringify(before[part]) === JSON.stringify(after[part])) return [];
      const at = `${path}.${part}`;
      return after[part] === undefined
        ? [{ op: "remove", path: at }]
        : [{ op: "replace", path: at, value: after[part] }];
    });
  });
  return { schemas: [patchUrn], Operations: operations };
}

/** The whole resource, with what the hub does not know in it. */
function wholeOf({ settings }: Target, entity: Entity, resource: Json, touched: ReadonlyArray<Touched>): Json {
  const whole = withTouched(resource, touched);
  const named = member(whole, "schemas");
  const urns = touched.flatMap(({ urn, value }) => (urn === null || value === undefined ? [] : [urn]));
  const base = baseSchemaOf(settings, entity);
  const schemas = [...new Set([...(Array.isArray(named) ? named : [base]), ...urns])];
  return { ...whole, schemas };
}

// ---- delete ----

async function remove(target: Target, { entity, id }: Extract<Operation, { kind: "delete" }>): Promise<Result> {
  const { settings, client } = target;
  const endpoint = endpointOf(settings, entity);
  if (settings.deprovision === "ignore") return { kind: "applied", id };
  if (entity === "contact" && settings.deprovision === "deactivate") {
    const { resource } = await readOne({ client, endpoint }, id);
    if (resource === null) return { kind: "gone", reason: "The provider has no such resource." };
    const active = member(resource, "active");
    if (active !== undefined && !isTrue(active)) return { kind: "applied", id };
    const result = await update(target, { kind: "update", entity, id, fields: { active: false } });
    return result.kind === "applied" ? { kind: "applied", id } : result;
  }
  const answer = await client.call({ method: "DELETE", path: `${endpoint}/${encodeURIComponent(id)}` });
  if (answer.status === 204 || answer.status === 200) return { kind: "applied", id };
  if (answer.status === 404) return { kind: "gone", reason: "The provider has no such resource." };
  return refusalOf(answer, {});
}

// ---- answers ----

function applied({ body }: Answer, id: string, fields: Readonly<Record<string, unknown>>): Result {
  return body === undefined ? { kind: "applied", id } : appliedAs(body, id, fields);
}

function appliedAs(resource: Json, id: string, fields: Readonly<Record<string, unknown>>): Result {
  const modifiedAt = secondOf(textIn(member(resource, "meta"), "lastModified"));
  return {
    kind: "applied",
    id,
    ...(modifiedAt === undefined ? {} : { modifiedAt }),
    stored: Object.fromEntries(Object.keys(fields).map((name) => [name, fieldOf(resource, name)])),
  };
}

const remedies: Readonly<Record<string, string>> = {
  uniqueness: "Change the value, or the resource that has it.",
  mutability: "Map the field to be read only: the provider does not let clients write it.",
  invalidValue: "Mend the value in the hub, or relax the provider's rule.",
  invalidPath: "The provider does not have this attribute: take it out of the map.",
  noTarget: "The provider does not have this attribute: take it out of the map.",
};

function refusalOf({ status, body }: Answer, fields: Readonly<Record<string, unknown>>): Result {
  const type = textIn(body, "scimType");
  const reason = `The provider answered ${status}${detailOf(body)}`;
  if (status === 405 || status === 501) {
    return {
      kind: "rejected",
      code: String(status),
      reason,
      remedy: "The provider does not take this kind of write: set write to patch or to put.",
    };
  }
  const field = fieldIn(textIn(body, "detail") ?? "", fields);
  return {
    kind: "rejected",
    ...(field === undefined ? {} : { field }),
    code: type ?? String(status),
    reason,
    remedy: remedies[type ?? ""] ?? "Look at the resource and its rules at the provider.",
  };
}

/** SCIM has no place for the name of an attribute; most providers say it in their words. */
function fieldIn(detail: string, fields: Readonly<Record<string, unknown>>): string | undefined {
  const lower = detail.toLowerCase();
  const named = Object.keys(fields).filter((name) => {
    const { attribute, part } = placeOf(name);
    return (
      hasWord(lower, name) || hasWord(lower, attribute) || (part !== null && part !== "value" && hasWord(lower, part))
    );
  });
  return named.length === 1 ? named[0] : undefined;
}

const hasWord = (text: string, word: string): boolean => {
  const at = text.indexOf(word.toLowerCase());
  if (at < 0) return false;
  const around = [text[at - 1] ?? " ", text[at + word.length] ?? " "];
  return around.every((character) => !/[a-z0-9]/.test(character));
};
