/** The shelf that a connector with resident records is lent: the records of its connection, and no others. */
import { Effect } from "effect";
import type { RecordShelf, ShelvedRecord, Shelving } from "../connector.ts";
import { ScimError } from "../scim/error.ts";
import type { StoreFailed } from "../store/failure.ts";
import type { Resource } from "../store/resources.ts";
import type { Hub } from "./open.ts";
import { providerOf, typeNamed, type Written, wholeOf } from "./provider.ts";

export function shelfFor(hub: Pick<Hub, "store" | "clock">, connection: string): RecordShelf {
  const provider = providerOf(hub, connection, "hub");
  return {
    since: (type, change, limit) =>
      Effect.runPromise(
        provider.look((view) => {
          // Of other types' changes only the number matters, which goes on with the next of this one.
          const found: Array<Resource> = [];
          for (let after = change; found.length < limit; ) {
            const page = view.since(after, limit);
            found.push(...page.filter((one) => one.type === type));
            const last = page.at(-1);
            if (last === undefined || page.length < limit) break;
            after = last.change;
          }
          return found.slice(0, limit).map((one) => shelved(one, one.body === null ? null : wholeOf(view, one)));
        }),
      ),
    get: (type, ids) =>
      Effect.runPromise(
        provider.look((view) =>
          ids.flatMap((id) => {
            const one = view.get(id);
            if (one === undefined || one.type !== type) return [];
            return [shelved(one, one.body === null ? null : wholeOf(view, one))];
          }),
        ),
      ),
    all: (type) =>
      Effect.runPromise(provider.look((view) => view.all(type).map((one) => shelved(one, wholeOf(view, one))))),
    put: (type, { id, version, body }) => saving(provider.put(typeNamed(type), id, body, version)),
    remove: (type, id) => saving(provider.remove(typeNamed(type), id, {})),
  };
}

const shelved = (resource: Resource, body: ShelvedRecord["body"]): ShelvedRecord => {
  const { id, change, version, createdAt, modifiedAt } = resource;
  return { id, change, version, createdAt, modifiedAt, body };
};

async function saving(work: Effect.Effect<Written, ScimError | StoreFailed>): Promise<Shelving> {
  const done = await Effect.runPromise(Effect.result(work));
  if (done._tag === "Success") {
    const { resource } = done.success;
    return { kind: "saved", record: shelved(resource, resource.body) };
  }
  const error = done.failure;
  if (!(error instanceof ScimError)) throw error;
  if (error.status === 404) return { kind: "gone" };
  if (error.status === 412) return { kind: "moved" };
  return { kind: "refused", code: error.scimType ?? String(error.status), reason: error.message };
}
