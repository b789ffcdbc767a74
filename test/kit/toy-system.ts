/**
 * A small system for engine tests: two objects, whole control over what its API does at each call. It can be made lossy,
 * versioned, conditional or silent, as the three model systems of the semantics.
 */
import type {
  Change,
  Connection,
  Connector,
  Criterion,
  EntityMap,
  Operation,
  Page,
  RemoteRecord,
  Result,
} from "../../core/connector.ts";
import { codec, RateLimited, Schema, Unavailable } from "../../core/connector.ts";
import type { Entity } from "../../core/model/field.ts";

export interface ToyOptions {
  readonly conditional?: "version" | "time" | "none";
  readonly counter?: boolean;
  readonly resolutionMs?: number;
  readonly nameMax?: number;
  /** Answers of writes hold what was stored. */
  readonly returnsStored?: boolean;
  /** Answers of writes hold the modified time. */
  readonly returnsTime?: boolean;
  readonly pageSize?: number;
  readonly namesMaster?: boolean;
  readonly writable?: boolean;
  readonly learned?: "tombstones" | "absence";
  readonly lateMs?: number;
  readonly settleMs?: number;
  /** False: a record that the acting user may not see is answered as gone. */
  readonly goneIsProof?: boolean;
  /** The industry is rewritten in ways that cannot be declared. */
  readonly opaque?: boolean;
  /** How a pull goes on: by the order of changes, or by (modified time, id) as most APIs do. */
  readonly cursor?: "tick" | "time";
}

interface Row {
  readonly id: string;
  fields: Record<string, unknown>;
  version: number;
  modifiedAt: number;
  readonly createdAt: number;
  deletedAt: number | null;
  mergedInto: string | null;
  /** Order of changes, for the cursor. */
  tick: number;
}

function meets({ fields }: Row, { field, value, how }: Criterion): boolean {
  const held = fields[field];
  return how === "contains" ? typeof held === "string" && held.includes(value) : held === value;
}

/** What a test may do at a call: throw a fault, wait, or change the world. */
export interface Hooks {
  beforePage?: (entity: Entity, index: number) => void | Promise<void>;
  beforePush?: (operations: ReadonlyArray<Operation>) => void | Promise<void>;
  /** Called with each operation after it took effect; a thrown error loses the answer. */
  afterWrite?: (operation: Operation, id: string) => void;
  /** Replaces the result of one operation before it takes effect. */
  refuse?: (operation: Operation) => Result | undefined;
  beforeFetch?: (ids: ReadonlyArray<string>) => void | Promise<void>;
  afterFetch?: (ids: ReadonlyArray<string>) => void | Promise<void>;
  /** Changes what is stored of a write. */
  store?: (fields: Record<string, unknown>) => Record<string, unknown>;
}

export class Toy {
  readonly rows: Record<Entity, Map<string, Row>> = { account: new Map(), contact: new Map() };
  readonly writes: Array<Operation> = [];
  readonly hooks: Hooks = {};
  /** Fields that the acting user may not see. */
  readonly hidden = new Set<string>();
  /** Records that the acting user may not see. */
  readonly hiddenRecords = new Set<string>();
  /** Records that look-ups by key do not find yet. */
  readonly unindexed = new Set<string>();
  /** Ids that were fetched one by one, call by call. */
  readonly fetches: Array<ReadonlyArray<string>> = [];
  readonly options: ToyOptions;
  readonly now: () => number;
  calls = 0;
  #tick = 0;
  #next = 1;
  readonly #prefix: string;

  constructor(prefix: string, now: () => number, options: ToyOptions = {}) {
    this.#prefix = prefix;
    this.now = now;
    this.options = options;
  }

  stamp(): number {
    const resolution = this.options.resolutionMs ?? 1;
    return Math.floor(this.now() / resolution) * resolution;
  }

  create(entity: Entity, fields: Record<string, unknown>, id = `${this.#prefix}${this.#next++}`): string {
    const at = this.stamp();
    this.rows[entity].set(id, {
      id,
      fields: { ...fields },
      version: 1,
      modifiedAt: at,
      createdAt: at,
      deletedAt: null,
      mergedInto: null,
      tick: ++this.#tick,
    });
    return id;
  }

  edit(entity: Entity, id: string, fields: Record<string, unknown>): void {
    const row = this.rows[entity].get(id);
    if (row === undefined) throw new Error(`no ${entity} ${id}`);
    row.fields = { ...row.fields, ...fields };
    row.version += 1;
    row.modifiedAt = this.stamp();
    row.tick = ++this.#tick;
  }

  /** Puts an older state back, with its version and time, as a backup does. */
  rollBack(entity: Entity, id: string, fields: Record<string, unknown>, version: number, modifiedAt: number): void {
    this.edit(entity, id, fields);
    const row = this.rows[entity].get(id);
    if (row !== undefined) Object.assign(row, { version, modifiedAt });
  }

  remove(entity: Entity, id: string, mergedInto: string | null = null): void {
    const row = this.rows[entity].get(id);
    if (row === undefined) throw new Error(`no ${entity} ${id}`);
    row.deletedAt = this.now();
    row.mergedInto = mergedInto;
    row.tick = ++this.#tick;
  }

  restore(entity: Entity, id: string): void {
    const row = this.rows[entity].get(id);
    if (row === undefined) throw new Error(`no ${entity} ${id}`);
    row.deletedAt = null;
    row.tick = ++this.#tick;
  }

  read(entity: Entity, id: string): Record<string, unknown> | undefined {
    const row = this.rows[entity].get(id);
    return row === undefined || row.deletedAt !== null ? undefined : row.fields;
  }

  live(entity: Entity): ReadonlyArray<string> {
    return [...this.rows[entity].values()].filter((row) => row.deletedAt === null).map((row) => row.id);
  }

  /** A record with the asked fields; those that it does not have are empty, unless the test hides them. */
  record(row: Row, names: ReadonlyArray<string>): RemoteRecord {
    const fields: Record<string, unknown> = {};
    for (const name of names) if (!this.hidden.has(name)) fields[name] = row.fields[name] ?? null;
    return {
      kind: "record",
      id: row.id,
      fields,
      modifiedAt: row.modifiedAt,
      createdAt: row.createdAt,
      ...(this.options.counter === false ? {} : { version: String(row.version) }),
    };
  }

  connection(): Connection {
    const toy = this;
    const change = (row: Row, names: ReadonlyArray<string>): Change =>
      row.deletedAt === null
        ? toy.record(row, names)
        : {
            kind: "deleted",
            id: row.id,
            deletedAt: row.deletedAt,
            ...(toy.options.namesMaster && row.mergedInto !== null ? { mergedInto: row.mergedInto } : {}),
          };
    return {
      check: async () => [],
      async *pull(entity, { mode, cursor, fields }): AsyncIterable<Page> {
        if (toy.options.cursor === "time" && mode === "changes") {
          yield* toy.#pullByTime(entity, cursor, fields);
          return;
        }
        const size = toy.options.pageSize ?? 100;
        const whole = mode === "listing" || toy.options.learned === "absence";
        const startsOver = mode === "changes" && toy.options.learned === "absence";
        let from = startsOver || typeof cursor !== "number" ? 0 : cursor;
        for (let index = 0; ; index++) {
          await toy.hooks.beforePage?.(entity, index);
          toy.calls += 1;
          const readBegan = toy.now();
          const rows = [...toy.rows[entity].values()]
            .filter((row) => row.tick > from && (toy.options.learned !== "absence" || row.deletedAt === null))
            .filter((row) => !toy.hiddenRecords.has(row.id))
            .sort((one, other) => one.tick - other.tick)
            .slice(0, size);
          const last = rows.length < size;
          from = rows.at(-1)?.tick ?? from;
          yield {
            changes: rows.map((row) => change(row, fields)),
            cursor: from,
            readBegan,
            readEnded: toy.now(),
            ...(whole && last ? { complete: true } : {}),
          };
          if (last) return;
        }
      },
      fetch: async (entity, ids, fields) => {
        await toy.hooks.beforeFetch?.(ids);
        toy.calls += 1;
        const readBegan = toy.now();
        const changes = ids.map((id): RemoteRecord | { kind: "deleted"; id: string } => {
          const row = toy.rows[entity].get(id);
          const isGone = row === undefined || row.deletedAt !== null || toy.hiddenRecords.has(id);
          return isGone ? { kind: "deleted", id } : toy.record(row, fields);
        });
        toy.fetches.push(ids);
        const readEnded = toy.now();
        await toy.hooks.afterFetch?.(ids);
        return { changes, readBegan, readEnded };
      },
      find: async (entity, criteria, fields) => {
        toy.calls += 1;
        return [...toy.rows[entity].values()]
          .filter((row) => !toy.unindexed.has(row.id) && !toy.hiddenRecords.has(row.id))
          .filter((row) => row.deletedAt === null && criteria.some((criterion) => meets(row, criterion)))
          .map((row) => toy.record(row, fields));
      },
      push: async (operations) => {
        await toy.hooks.beforePush?.(operations);
        toy.calls += 1;
        return operations.map((operation) => toy.#write(operation));
      },
      describe: async () => [],
      people: async () => [],
    };
  }

  /** Pages by (modified time, id), so that many records with one time cross the borders of pages. */
  async *#pullByTime(entity: Entity, cursor: unknown, fields: ReadonlyArray<string>): AsyncIterable<Page> {
    const size = this.options.pageSize ?? 100;
    const key = (row: Row): string => `${String(row.modifiedAt).padStart(15, "0")}/${row.id}`;
    let from = typeof cursor === "string" ? cursor : "";
    for (let index = 0; ; index++) {
      await this.hooks.beforePage?.(entity, index);
      const readBegan = this.now();
      const rows = [...this.rows[entity].values()]
        .filter((row) => row.deletedAt === null && key(row) > from)
        .sort((one, other) => (key(one) < key(other) ? -1 : 1))
        .slice(0, size);
      const last = rows.at(-1);
      if (last !== undefined) from = key(last);
      const changes = rows.map((row) => this.record(row, fields));
      yield { changes, cursor: from, readBegan, readEnded: this.now() };
      if (rows.length < size) return;
    }
  }

  #write(operation: Operation): Result {
    const refused = this.hooks.refuse?.(operation);
    if (refused !== undefined) return refused;
    const { entity } = operation;
    if (operation.kind === "create") {
      const id = this.create(entity, this.#stored({ ...operation.fields, [operation.keyField]: operation.hubId }));
      this.writes.push(operation);
      return this.#answer(operation, entity, id);
    }
    const row = this.rows[entity].get(operation.id);
    if (row === undefined || row.deletedAt !== null || this.hiddenRecords.has(row.id))
      return { kind: "gone", reason: "not there" };
    if (operation.kind === "delete") {
      this.remove(entity, operation.id);
      this.writes.push(operation);
      return this.#answer(operation, entity, operation.id);
    }
    const { precondition } = operation;
    if (
      this.options.conditional === "version" &&
      precondition?.version !== undefined &&
      precondition.version !== String(row.version)
    ) {
      return { kind: "conflict", reason: "version moved" };
    }
    if (
      this.options.conditional === "time" &&
      precondition?.modifiedAt !== undefined &&
      row.modifiedAt > precondition.modifiedAt
    ) {
      return { kind: "conflict", reason: "modified since" };
    }
    this.edit(entity, operation.id, this.#stored(operation.fields));
    this.writes.push(operation);
    return this.#answer(operation, entity, operation.id);
  }

  #stored(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
    const stored: Record<string, unknown> = { ...fields };
    const { nameMax } = this.options;
    if (nameMax !== undefined && typeof stored.Name === "string") stored.Name = stored.Name.slice(0, nameMax);
    return this.hooks.store?.(stored) ?? stored;
  }

  #answer(operation: Operation, entity: Entity, id: string): Result {
    this.hooks.afterWrite?.(operation, id);
    const row = this.rows[entity].get(id);
    if (row === undefined || operation.kind === "delete") return { kind: "applied", id };
    return {
      kind: "applied",
      id,
      ...(this.options.returnsStored === true
        ? { stored: { ...row.fields }, version: String(row.version), modifiedAt: row.modifiedAt }
        : {}),
      ...(this.options.returnsTime === true ? { modifiedAt: row.modifiedAt } : {}),
    };
  }
}

/** The connector of a toy: every canonical field that the tests use, under names of its own. */
export function toyConnector(toy: Toy): Connector {
  const { options } = toy;
  const shared: Pick<EntityMap, "versions" | "deletes" | "writable" | "pushBatchMax" | "fetchBatchMax"> = {
    versions: {
      conditional: options.conditional ?? "none",
      counter: options.counter ?? true,
      resolutionMs: options.resolutionMs ?? 1,
      lateMs: options.lateMs ?? 60_000,
      settleMs: options.settleMs ?? 0,
    },
    deletes: {
      learned: options.learned ?? "tombstones",
      goneIsProof: options.goneIsProof ?? true,
      namesMaster: options.namesMaster ?? false,
    },
    writable: options.writable ?? true,
    pushBatchMax: 50,
    fetchBatchMax: 100,
  };
  const rule = (path: string, of: ReturnType<typeof codec.text>) => ({ path, codec: of, access: "both" as const });
  return {
    system: "toy",
    title: { en: "Toy", zh: "玩具" },
    config: Schema.Unknown,
    cursor: Schema.Unknown,
    entities: () => ({
      account: {
        object: "Companies",
        ...shared,
        fields: {
          name: rule("Name", codec.text(options.nameMax === undefined ? {} : { max: options.nameMax })),
          legalName: rule("Legal", codec.text()),
          taxId: rule("Tax", codec.text()),
          domain: rule("Domain", codec.domain()),
          website: rule("Website", codec.url()),
          phone: rule("Phone", codec.phone()),
          email: rule("Email", codec.email()),
          industry: rule("Industry", options.opaque === true ? { ...codec.text(), opaque: true } : codec.text()),
          employees: rule("Employees", codec.integer()),
          status: rule("Status", codec.text()),
          owner: rule("Owner", codec.text()),
          tags: rule("Tags", codec.set()),
          parent: rule("Parent", codec.reference({ shape: "id" })),
          description: rule("Notes", codec.longtext()),
          billingAddress: {
            path: { street: "Street", city: "City", state: "State", postalCode: "Zip", country: "Country" },
            codec: codec.address(),
            access: "both",
          },
        },
      },
      contact: {
        object: "People",
        ...shared,
        fields: {
          name: { path: { given: "First", family: "Last" }, codec: codec.nameParts(), access: "both" },
          account: rule("Company", codec.reference({ shape: "id" })),
          emails: { path: ["Mail1", "Mail2"], codec: codec.emails(), access: "both" },
          mobile: rule("Mobile", codec.phone()),
          title: rule("Title", codec.text()),
        },
      },
    }),
    limits: () => ({}),
    rule: (_field, path) => rule(path, codec.text()),
    connect: () => toy.connection(),
  };
}

export const lostAnswer = (): never => {
  throw new Unavailable("the answer was lost", { sent: true });
};

export const rateLimited = (retryAt: number | null): never => {
  throw new RateLimited("slow down", retryAt);
};
