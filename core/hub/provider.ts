/**
 * The hub as a SCIM service provider: what a client may do with the records of its connection.
 *
 * A record is kept as its client sent it, and changed by nobody else but an ordinary push. Everything here is bound to one
 * connection: records of others are not there. Passwords are taken and thrown away.
 */
import { randomUUID } from "node:crypto";
import { Effect } from "effect";
import type { ConnectionConfig, HubConfig } from "../config/hub-config.ts";
import { groupType, userType } from "../scim/core-schemas.ts";
import { ScimError } from "../scim/error.ts";
import { elementsOf, folded } from "../scim/match.ts";
import { applyPatch } from "../scim/patch.ts";
import { readResource, validate } from "../scim/read.ts";
import { replaceResource } from "../scim/replace.ts";
import { sameObject } from "../scim/same.ts";
import { emptyObject, isObject, type ResourceType, type ScimObject, type ScimValue } from "../scim/schema.ts";
import type { StoreFailed } from "../store/failure.ts";
import {
  type Resource,
  type ResourceChanges,
  type ResourceDraft,
  type Resources,
  type ResourceView,
  resourcesOf,
} from "../store/resources.ts";
import type { Hub } from "./open.ts";

/** Users first: one client looks at the first type alone. */
export const providerTypes: ReadonlyArray<ResourceType> = [userType, groupType];

/** The connections that a client can push into. */
export const providersIn = ({ connections }: Pick<HubConfig, "connections">): ReadonlyArray<ConnectionConfig> =>
  connections.filter(({ connector }) => connector.resident === true);

/** Records of one connection; they are held in memory. */
export const recordsMax = 200_000;

export interface Written {
  /** What the client asked about, as it is now. */
  readonly resource: Resource;
  /** Everything that is another one than before: nothing where the write said what was there. */
  readonly changed: ReadonlyArray<Resource>;
}

export interface Precondition {
  /** The text of an If-Match header, or a version of a bulk operation. */
  readonly ifMatch?: string | undefined;
}

export interface Provider {
  readonly look: <A>(look: (view: ResourceView) => A) => Effect.Effect<A, ScimError | StoreFailed>;
  readonly create: (type: ResourceType, body: unknown) => Effect.Effect<Written, ScimError | StoreFailed>;
  readonly replace: (
    type: ResourceType,
    id: string,
    body: unknown,
    asked: Precondition,
  ) => Effect.Effect<Written, ScimError | StoreFailed>;
  readonly patch: (
    type: ResourceType,
    id: string,
    message: unknown,
    asked: Precondition,
  ) => Effect.Effect<Written, ScimError | StoreFailed>;
  readonly remove: (
    type: ResourceType,
    id: string,
    asked: Precondition,
  ) => Effect.Effect<Written, ScimError | StoreFailed>;
  /** A whole record as an ordinary push wants it; null for a new one. */
  readonly put: (
    type: ResourceType,
    id: string | null,
    body: unknown,
    version: number | null,
  ) => Effect.Effect<Written, ScimError | StoreFailed>;
}

export const providerOf = (hub: Pick<Hub, "store" | "clock">, connection: string, actor: string): Provider => {
  const resources = resourcesOf(hub.store, connection);
  const write = (action: string, decide: Decide) => writing(resources, { hub, connection, actor, action }, decide);
  return {
    look: (look) =>
      Effect.flatMap(
        resources.look((view) => judged(() => look(view))),
        told,
      ),
    create: (type, body) =>
      write("create", (view) => {
        checkRoom(view);
        return [draftOf(view, type, randomUUID(), prepared(type, readResource(type, body)))];
      }),
    replace: (type, id, body, asked) =>
      write("replace", (view) => {
        const before = liveOne(view, type, id, asked);
        return changedFrom(view, type, before, replaceResource(type, bodyOf(before), body));
      }),
    patch: (type, id, message, asked) =>
      write("patch", (view) => {
        const before = liveOne(view, type, id, asked);
        return changedFrom(view, type, before, applyPatch(type, bodyOf(before), message));
      }),
    remove: (type, id, asked) =>
      write("delete", (view) => {
        liveOne(view, type, id, asked);
        return [{ id, type: type.name, body: null, uniqueName: null }, ...withoutMember(view, id)];
      }),
    put: (type, id, body, version) =>
      write("push", (view) => {
        const whole = prepared(type, readResource(type, body, { isServer: true }));
        if (id === null) {
          checkRoom(view);
          return [draftOf(view, type, randomUUID(), whole)];
        }
        const before = liveOne(view, type, id, {});
        if (version !== null && before.version !== version) throw moved();
        return changedFrom(view, type, before, whole);
      }),
  };
};

type Decide = (view: ResourceView) => ReadonlyArray<ResourceDraft> | Resource;

/** Refusals are results: a transaction that throws is a store that failed. */
function judged<A>(judge: () => A): A | ScimError {
  try {
    return judge();
  } catch (error) {
    if (error instanceof ScimError) return error;
    throw error;
  }
}

const told = <A>(judgement: A | ScimError): Effect.Effect<A, ScimError> =>
  judgement instanceof ScimError ? Effect.fail(judgement) : Effect.succeed(judgement);

const writing = Effect.fn("provider.write")(function* (
  resources: Resources,
  by: {
    readonly hub: Pick<Hub, "clock">;
    readonly connection: string;
    readonly actor: string;
    readonly action: string;
  },
  decide: Decide,
) {
  const { connection, actor, action } = by;
  const at = by.hub.clock.now();
  const { result, saved } = yield* resources.change(
    at,
    (view): ResourceChanges<Resource | ScimError | null> => {
      const decided = judged(() => decide(view));
      return Array.isArray(decided)
        ? { drafts: decided, result: null }
        : { drafts: [], result: decided as Resource | ScimError };
    },
    (drafts) =>
      drafts.map(({ id, type }) => ({ at, actor, action: `scim ${action}`, subject: `${connection}/${type}/${id}` })),
  );
  // What was asked about is the first draft.
  const resource = (yield* told(result)) ?? saved[0];
  if (resource === undefined) return yield* Effect.fail(gone("such resource"));
  return { resource, changed: saved } satisfies Written;
});

export const typeNamed = (name: string): ResourceType => (name === groupType.name ? groupType : userType);

const maxShown = 100;

/** Says what a client asked for, as far as a person would read it. */
export const gone = (kind: string, name?: string): ScimError => {
  const shown = name === undefined ? "" : ` ${JSON.stringify(name.slice(0, maxShown))}`;
  return new ScimError(404, null, `There is no ${kind}${shown}.`);
};
const moved = (): ScimError => new ScimError(412, null, "The resource was changed since.");

/** In the form of the pure part: no prototype. */
export const bodyOf = ({ body }: Resource): ScimObject => Object.assign(emptyObject(), body);

export const etagOf = ({ version }: Pick<Resource, "version">): string => `W/"${version}"`;

const bare = (etag: string): string => etag.trim().replace(/^W\//, "");

/** Whether one of the versions of a header is this one. */
export const isNamedIn = (header: string, resource: Resource): boolean =>
  header.trim() === "*" || header.split(",").some((one) => bare(one) === bare(etagOf(resource)));

/** A record of this type that is there; also one of another type or connection is not. */
export function liveOne(view: ResourceView, type: ResourceType, id: string, { ifMatch }: Precondition): Resource {
  const found = view.get(id);
  if (found === undefined || found.body === null || found.type !== type.name) throw gone(type.name, id);
  if (ifMatch !== undefined && !isNamedIn(ifMatch, found)) throw moved();
  return found;
}

function checkRoom(view: ResourceView): void {
  const held = providerTypes.reduce((sum, { name }) => sum + view.count(name), 0);
  if (held >= recordsMax) throw new ScimError(403, null, `A connection holds ${recordsMax} resources at most.`);
}

/** What is kept: without a password, and with the type of every member. */
function prepared(type: ResourceType, resource: ScimObject): ScimObject {
  const { password: _, ...rest } = resource;
  const whole: Record<string, ScimValue | undefined> = Object.assign(emptyObject(), rest);
  if (type === groupType && rest.members !== undefined) {
    whole.members = elementsOf(rest.members).map((member) =>
      isObject(member) && member.type === undefined
        ? (Object.assign(emptyObject(), member, { type: "User" }) as ScimObject)
        : member,
    );
  }
  return whole as ScimObject;
}

function changedFrom(view: ResourceView, type: ResourceType, before: Resource, after: ScimObject) {
  const whole = prepared(type, after);
  return sameObject(bodyOf(before), whole) ? before : [draftOf(view, type, before.id, whole)];
}

function draftOf(view: ResourceView, type: ResourceType, id: string, body: ScimObject): ResourceDraft {
  validate(type, body);
  const uniqueName = type === userType ? folded(String(body.userName)) : null;
  if (uniqueName !== null) {
    const holder = view.named(type.name, uniqueName);
    if (holder !== undefined && holder.id !== id) {
      throw new ScimError(409, "uniqueness", "Another user has this userName.");
    }
  }
  return { id, type: type.name, body, uniqueName };
}

/** A user who is gone belongs to no group any more. */
function withoutMember(view: ResourceView, id: string): ReadonlyArray<ResourceDraft> {
  return view.all(groupType.name).flatMap((group) => {
    const members = elementsOf(bodyOf(group).members);
    const left = members.filter((member) => !isObject(member) || member.value !== id);
    if (left.length === members.length || group.id === id) return [];
    const { members: _, ...rest } = bodyOf(group);
    const body = left.length === 0 ? rest : { ...rest, members: left };
    return [{ id: group.id, type: group.type, body: Object.assign(emptyObject(), body), uniqueName: null }];
  });
}

// ---- as it is shown ----

const shownOnce = new WeakMap<Resource, ScimObject>();
const groupsOnce = new WeakMap<ReadonlyArray<Resource>, ReadonlyMap<string, ReadonlyArray<ScimObject>>>();

/** A record with what the server knows of it: its id, its times, the groups that it belongs to. No location: that is the face's. */
export function wholeOf(view: ResourceView, resource: Resource): ScimObject {
  let whole = shownOnce.get(resource);
  if (whole === undefined) {
    const meta = Object.assign(emptyObject(), {
      resourceType: resource.type,
      created: new Date(resource.createdAt).toISOString(),
      lastModified: new Date(resource.modifiedAt).toISOString(),
      version: etagOf(resource),
    });
    whole = Object.assign(emptyObject(), resource.body, { id: resource.id, meta });
    shownOnce.set(resource, whole);
  }
  if (resource.type !== userType.name) return whole;
  const groups = groupsOf(view.all(groupType.name)).get(resource.id);
  return groups === undefined ? whole : Object.assign(emptyObject(), whole, { groups });
}

function groupsOf(groups: ReadonlyArray<Resource>): ReadonlyMap<string, ReadonlyArray<ScimObject>> {
  const known = groupsOnce.get(groups);
  if (known !== undefined) return known;
  const made = new Map<string, Array<ScimObject>>();
  for (const group of groups) {
    const body = bodyOf(group);
    for (const member of elementsOf(body.members)) {
      if (!isObject(member) || typeof member.value !== "string") continue;
      const entry = Object.assign(emptyObject(), { value: group.id, display: body.displayName, type: "direct" });
      const list = made.get(member.value);
      if (list === undefined) made.set(member.value, [entry]);
      else list.push(entry);
    }
  }
  groupsOnce.set(groups, made);
  return made;
}
