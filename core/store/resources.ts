/**
 * Records of a system that pushes them here: their rows, and what of them is kept in memory.
 *
 * All records of a connection are held open in memory, because a directory is asked for one of them, or for a list by any
 * of their attributes, many times a second. Every look first asks for the number of the last change, so that what another
 * process has written is seen.
 */
import { and, asc, eq, gt, max } from "drizzle-orm";
import { Effect } from "effect";
import { type AuditEntry, noteAudit } from "./audit.ts";
import type { Row } from "./database.ts";
import type { StoreFailed } from "./failure.ts";
import type { Store } from "./open.ts";
import { resources } from "./tables.ts";

export type ResourceBody = Readonly<Record<string, unknown>>;

export interface Resource {
  readonly id: string;
  readonly type: string;
  /** Of all changes in the connection, the number of its last one. */
  readonly change: number;
  readonly version: number;
  readonly createdAt: number;
  readonly modifiedAt: number;
  /** Null once it is deleted. */
  readonly body: ResourceBody | null;
}

/** What is there now. */
export interface ResourceView {
  /** Deleted ones too. */
  readonly get: (id: string) => Resource | undefined;
  /** By its unique name, in the form that `ResourceDraft` gives. */
  readonly named: (type: string, name: string) => Resource | undefined;
  /** Live ones of a type, in the order in which they came. */
  readonly all: (type: string) => ReadonlyArray<Resource>;
  /** How many `all` are. */
  readonly count: (type: string) => number;
  /** Of every type, in the order of their last change. */
  readonly since: (change: number, limit: number) => ReadonlyArray<Resource>;
}

/** A record as it is to be; a body of null deletes it. */
export interface ResourceDraft {
  readonly id: string;
  readonly type: string;
  readonly body: ResourceBody | null;
  readonly uniqueName: string | null;
}

export interface ResourceChanges<A> {
  readonly drafts: ReadonlyArray<ResourceDraft>;
  readonly result: A;
}

export interface Resources {
  readonly look: <A>(look: (view: ResourceView) => A) => Effect.Effect<A, StoreFailed>;
  /** Decides over what is there and keeps what it decides, in one transaction; `decide` may be called again. */
  readonly change: <A>(
    now: number,
    decide: (view: ResourceView) => ResourceChanges<A>,
    audit: (drafts: ReadonlyArray<ResourceDraft>) => ReadonlyArray<AuditEntry>,
  ) => Effect.Effect<{ readonly result: A; readonly saved: ReadonlyArray<Resource> }, StoreFailed>;
}

const purpose = "resource";
const pageRows = 1_000;
const pagesMax = 10_000;

const opened = new WeakMap<Store, Map<string, Resources>>();

/** The same object for all that ask in one process, so that memory is shared. */
export function resourcesOf(store: Store, connection: string): Resources {
  const known = opened.get(store) ?? new Map<string, Resources>();
  opened.set(store, known);
  const found = known.get(connection) ?? openResources(store, connection);
  known.set(connection, found);
  return found;
}

function openResources(store: Store, connection: string): Resources {
  const { database, sealer } = store;
  const blind = (type: string, name: string): string => sealer.blind(`${purpose} ${type}`, name);
  const nameIn = ({ type, uniqueName }: ResourceDraft): string | null =>
    uniqueName === null ? null : blind(type, uniqueName);
  const memory = new Memory(blind);
  const resourceOf = (row: Row<typeof resources>): Resource => ({
    id: row.id,
    type: row.type,
    change: row.change,
    version: row.version,
    createdAt: row.createdAt,
    modifiedAt: row.modifiedAt,
    // Sealed by rowOf only.
    body: row.sealed === null ? null : (sealer.openHub(purpose, row.sealed) as ResourceBody),
  });
  /** Inside a read or a write: takes in what is newer than memory. */
  const refresh = async (): Promise<void> => {
    const [latest] = await database.db
      .select({ change: max(resources.change) })
      .from(resources)
      .where(eq(resources.connection, connection));
    const last = latest?.change ?? 0;
    // A store that was emptied begins anew.
    if (last < memory.change) memory.clear();
    for (let page = 0; memory.change < last && page < pagesMax; page++) {
      const rows = await database.db
        .select()
        .from(resources)
        .where(and(eq(resources.connection, connection), gt(resources.change, memory.change)))
        .orderBy(asc(resources.change))
        .limit(pageRows);
      for (const row of rows) memory.put(resourceOf(row), row.uniqueName);
      if (rows.length === 0) return;
    }
  };
  return {
    look: (look) =>
      database.read("reading records of a directory", async () => {
        await refresh();
        return look(memory);
      }),
    change: (now, decide, audit) =>
      Effect.map(
        database.write("keeping records of a directory", async () => {
          await refresh();
          const { drafts, result } = decide(memory);
          const saved = drafts.map((draft, index) => ({ draft, resource: memory.next(draft, index + 1, now) }));
          await database.insert(
            resources,
            saved.map(({ draft, resource }) => ({
              ...resource,
              connection,
              uniqueName: nameIn(draft),
              sealed: draft.body === null ? null : sealer.sealHub(purpose, draft.body),
            })),
            "replace",
          );
          await noteAudit(database, audit(drafts));
          return { result, saved };
        }),
        ({ result, saved }) => {
          // Only what is committed is remembered.
          for (const { resource, draft } of saved) memory.put(resource, nameIn(draft));
          return { result, saved: saved.map(({ resource }) => resource) };
        },
      ),
  };
}

/** All records of a connection, and the ways to find them. */
class Memory implements ResourceView {
  /** The number of the last change that is in it. */
  change = 0;
  readonly #blind: (type: string, name: string) => string;
  readonly #byId = new Map<string, Resource>();
  readonly #idOfName = new Map<string, string>();
  readonly #nameOfId = new Map<string, string>();
  readonly #live = new Map<string, Map<string, Resource>>();
  readonly #lists = new Map<string, ReadonlyArray<Resource>>();
  /** In the order of their changes; what was changed again since is passed over. */
  #log: Array<Resource> = [];

  constructor(blind: (type: string, name: string) => string) {
    this.#blind = blind;
  }

  get(id: string): Resource | undefined {
    return this.#byId.get(id);
  }

  named(type: string, name: string): Resource | undefined {
    const id = this.#idOfName.get(this.#blind(type, name));
    return id === undefined ? undefined : this.#byId.get(id);
  }

  all(type: string): ReadonlyArray<Resource> {
    let list = this.#lists.get(type);
    if (list === undefined) {
      list = [...(this.#live.get(type)?.values() ?? [])];
      this.#lists.set(type, list);
    }
    return list;
  }

  count(type: string): number {
    return this.#live.get(type)?.size ?? 0;
  }

  since(change: number, limit: number): ReadonlyArray<Resource> {
    let [low, high] = [0, this.#log.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#log[middle]?.change ?? 0) > change) high = middle;
      else low = middle + 1;
    }
    const found: Array<Resource> = [];
    for (let at = low; at < this.#log.length && found.length < limit; at++) {
      const one = this.#log[at];
      if (one !== undefined && this.#byId.get(one.id) === one) found.push(one);
    }
    return found;
  }

  /** The draft as the n-th change after the last one. */
  next({ id, type, body }: ResourceDraft, nth: number, now: number): Resource {
    const before = this.#byId.get(id);
    return {
      id,
      type,
      change: this.change + nth,
      version: (before?.version ?? 0) + 1,
      createdAt: before?.createdAt ?? now,
      modifiedAt: now,
      body,
    };
  }

  put(resource: Resource, blindName: string | null): void {
    const { id, type, change, body } = resource;
    const before = this.#nameOfId.get(id);
    if (before !== undefined && this.#idOfName.get(before) === id) this.#idOfName.delete(before);
    if (blindName === null) this.#nameOfId.delete(id);
    else {
      this.#nameOfId.set(id, blindName);
      this.#idOfName.set(blindName, id);
    }
    this.#byId.set(id, resource);
    const live = this.#live.get(type) ?? new Map<string, Resource>();
    this.#live.set(type, live);
    if (body === null) live.delete(id);
    else live.set(id, resource);
    this.#lists.delete(type);
    this.change = Math.max(this.change, change);
    this.#log.push(resource);
    if (this.#log.length > 2 * this.#byId.size + pageRows) {
      this.#log = this.#log.filter((one) => this.#byId.get(one.id) === one);
    }
  }

  clear(): void {
    for (const map of [this.#byId, this.#idOfName, this.#nameOfId, this.#live, this.#lists]) map.clear();
    this.#log = [];
    this.change = 0;
  }
}
