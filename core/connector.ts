/**
 * Door 1: all that a connector sees of Syncline.
 *
 * A connector is plain async TypeScript. It turns a vendor's wire protocol into records, tombstones and results,
 * and declares its field map as data. Everything difficult (merging, matching, retries, rate limits, timeouts,
 * tokens, secrets) belongs to the core and is lent through `Tools`.
 */
import type { Schema } from "effect";
import type { FieldRule, RemoteField } from "./model/codec.ts";
import type { Entity } from "./model/field.ts";
import type { Criterion, Operation, Page, RemoteRecord, Result, Tombstone } from "./model/record.ts";
import type { HttpRequest, HttpResponse, Limits } from "./net/http.ts";
import type { Webhook } from "./net/webhook.ts";

export { Schema } from "effect";
export type { Access, Codec, CodecContext, FieldRule, Path, People, RemoteField, RemoteOption } from "./model/codec.ts";
export { pathNames, Refusal, Unreadable } from "./model/codec.ts";
export * as codec from "./model/codecs.ts";
export type { Entity } from "./model/field.ts";
export type {
  BadRecord,
  Change,
  Criterion,
  Operation,
  Page,
  Precondition,
  RemoteRecord,
  Result,
  Tombstone,
} from "./model/record.ts";
export type { Group, Money, Value } from "./model/value.ts";
export { AuthFailed, type Fault, Forged, isFault, RateLimited, Unavailable } from "./net/fault.ts";
export type { HttpRequest, HttpResponse, Limit, Limits } from "./net/http.ts";
export { isSameSecret } from "./net/same-secret.ts";
export { createSkew } from "./net/skew.ts";
export type { Accepted, Channel, Channels, Hint, HookAnswer, HookCall, Webhook } from "./net/webhook.ts";

/** How a system's versions behave; see SEMANTICS D5 to D7. */
export interface Versions {
  /** What a conditional update can name: a version counter, a modified time, or nothing. */
  readonly conditional: "version" | "time" | "none";
  /** Records carry a readable counter that grows by exactly one with each write. */
  readonly counter: boolean;
  /** The grain of `modifiedAt` in milliseconds. */
  readonly resolutionMs: number;
  /** How long after a time-out a write may still land. */
  readonly lateMs: number;
  /** How long a look-up by key may miss a record that was just created. */
  readonly settleMs: number;
}

/** How this system tells that a record was deleted. */
export interface Deletes {
  /**
   * `tombstones`: a pull yields them. `absence`: what a complete read does not name is gone. `sweep`: what a complete
   * listing does not name is fetched by id, which tells. `never`: it cannot be learned.
   */
  readonly learned: "tombstones" | "absence" | "sweep" | "never";
  /** A record that the acting user may not see is never answered as gone. */
  readonly goneIsProof: boolean;
  /** A merge names its master; otherwise it looks like a delete beside an update. */
  readonly namesMaster: boolean;
}

/** One remote object that holds one canonical entity. */
export interface EntityMap {
  /** The remote object's name, such as `Accounts`. */
  readonly object: string;
  /** Rules by canonical field name. */
  readonly fields: Readonly<Record<string, FieldRule>>;
  readonly versions: Versions;
  readonly deletes: Deletes;
  readonly writable: boolean;
  /** Required remote fields that the system fills itself when a create leaves them out. */
  readonly selfFilled?: ReadonlyArray<string>;
  /** Operations in one `push` call; the core never sends more. */
  readonly pushBatchMax: number;
  /** Ids in one `fetch` call; the core never sends more. */
  readonly fetchBatchMax: number;
  /** Rows that the API can list at all in one incremental pull; a pull that reaches it must fail, never stop quietly. */
  readonly resultCap?: number;
}

export type LogFields = Readonly<Record<string, string | number | boolean | null>>;

/** Structured log; never pass secrets or field values. */
export interface Log {
  readonly info: (message: string, fields?: LogFields) => void;
  readonly warn: (message: string, fields?: LogFields) => void;
}

export interface Token {
  readonly value: string;
  /** Epoch milliseconds by our clock. */
  readonly expiresAt: number;
  /** What else the token's answer told, such as the API host. */
  readonly extra?: Readonly<Record<string, string>>;
}

/** Persisted, sealed, and refreshed by one caller at a time, whatever the number of callers. */
export interface Tokens {
  readonly get: (name: string, refresh: () => Promise<Token>) => Promise<Token>;
  /** Drops the stored token if it still is `value`, so that the next `get` refreshes. */
  readonly drop: (name: string, value: string) => Promise<void>;
}

export interface Clock {
  readonly now: () => number;
  /** Ends early, and without an error, when the signal is aborted. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** A record that its system has put into the hub's own store. */
export interface ShelvedRecord {
  readonly id: string;
  /** Of all changes of the connection, the number of this record's last one. */
  readonly change: number;
  /** Grows by one with each change of the record. */
  readonly version: number;
  readonly createdAt: number;
  readonly modifiedAt: number;
  /** Null once it is deleted. */
  readonly body: Readonly<Record<string, unknown>> | null;
}

export type Shelving =
  | { readonly kind: "saved"; readonly record: ShelvedRecord }
  /** Another version stands there by now. */
  | { readonly kind: "moved" }
  | { readonly kind: "gone" }
  | { readonly kind: "refused"; readonly code: string; readonly reason: string };

/** Records of systems that send theirs here, by type. */
export interface RecordShelf {
  /** Deleted ones too, in the order of their last change. */
  readonly since: (type: string, change: number, limit: number) => Promise<ReadonlyArray<ShelvedRecord>>;
  readonly get: (type: string, ids: ReadonlyArray<string>) => Promise<ReadonlyArray<ShelvedRecord>>;
  /** Live ones. */
  readonly all: (type: string) => Promise<ReadonlyArray<ShelvedRecord>>;
  /** Without an id a new one; `version` is what must stand there. */
  readonly put: (
    type: string,
    record: {
      readonly id: string | null;
      readonly version: number | null;
      readonly body: Readonly<Record<string, unknown>>;
    },
  ) => Promise<Shelving>;
  readonly remove: (type: string, id: string) => Promise<Shelving>;
}

/** What the core lends to a connection. */
export interface Tools {
  readonly connection: string;
  /** Sends one call: waits for the named limits, retries what may be retried, times out, and throws only faults. */
  readonly http: (request: HttpRequest) => Promise<HttpResponse>;
  readonly tokens: Tokens;
  readonly clock: Clock;
  readonly log: Log;
  /** Only for connectors whose records are `resident`. */
  readonly shelf?: RecordShelf;
}

export interface PullRequest<Cursor> {
  /**
   * `changes` reads on from the cursor (from the very beginning without one).
   * `listing` reads everything again and proves completeness if it can; its cursor only resumes the same listing.
   */
  readonly mode: "changes" | "listing";
  readonly cursor: Cursor | null;
  /** Remote field names to read; the connector adds the id, times and version itself. */
  readonly fields: ReadonlyArray<string>;
  readonly signal: AbortSignal;
}

export interface CheckRequest {
  /** The remote field that holds the hub's id. */
  readonly keys: Partial<Record<Entity, string>>;
  /** The remote fields that the map reads, with the overrides of the YAML; not known without. */
  readonly reads?: Partial<Record<Entity, ReadonlyArray<string>>>;
  /** The YAML takes the system's own calls. */
  readonly webhook?: boolean;
}

/** Something that `check` found; `field` is a remote field name. */
export interface Problem {
  readonly severity: "error" | "warning";
  readonly what: string;
  readonly remedy: string;
  readonly entity?: Entity;
  readonly field?: string;
}

export interface Person {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly active: boolean;
}

/** A live connection to one tenant. Every method may throw the four faults and nothing else. */
export interface Connection<Cursor = unknown> {
  /** Reaches the system with the credentials; lists what a person must mend (rights, missing fields, key field). */
  readonly check: (request: CheckRequest) => Promise<ReadonlyArray<Problem>>;
  readonly pull: (entity: Entity, request: PullRequest<Cursor>) => AsyncIterable<Page<Cursor>>;
  /** The present state of the ids; an id that is not there comes back as a tombstone, one that cannot be told is left out. */
  readonly fetch: (
    entity: Entity,
    ids: ReadonlyArray<string>,
    fields: ReadonlyArray<string>,
  ) => Promise<{
    readonly changes: ReadonlyArray<RemoteRecord | Tombstone>;
    readonly readBegan: number;
    readonly readEnded: number;
  }>;
  /** Live records that meet any of the criteria. Must not use an index that lags if there is another way. */
  readonly find: (
    entity: Entity,
    criteria: ReadonlyArray<Criterion>,
    fields: ReadonlyArray<string>,
  ) => Promise<ReadonlyArray<RemoteRecord>>;
  /** One result per operation, in order. Absent on read-only systems. */
  readonly push?: (operations: ReadonlyArray<Operation>) => Promise<ReadonlyArray<Result>>;
  readonly describe: (entity: Entity) => Promise<ReadonlyArray<RemoteField>>;
  /** Who works there, for owner fields; empty where the system has no such list. */
  readonly people: () => Promise<ReadonlyArray<Person>>;
  /** How this system calls us; absent where it cannot, or where a key of the configuration is missing for it. */
  readonly webhook?: Webhook;
  /** Calls that a write of `count` operations takes, for `plan`. */
  readonly callsFor?: (kind: Operation["kind"], count: number) => number;
  /** Calls that a look-up by these criteria takes when it finds nothing, for `plan`; one unless said. */
  readonly callsToFind?: (criteria: ReadonlyArray<Criterion>) => number;
  readonly close?: () => Promise<void>;
}

/** One system: its name, its configuration, its field map and how to connect. */
export interface Connector<Config = unknown, Cursor = unknown> {
  /** The word after `use:` in the YAML. */
  readonly system: string;
  readonly title: { readonly en: string; readonly zh: string };
  /** The connection's own keys in the YAML. Every key has a `description` annotation; unknown keys are errors. */
  readonly config: Schema.Codec<Config, unknown>;
  readonly cursor: Schema.Codec<Cursor, unknown>;
  /** The field map; a function because a file's or a directory's objects depend on the configuration. */
  readonly entities: (config: Config) => Partial<Record<Entity, EntityMap>>;
  /** Named limits that `tools.http` keeps; overridden by `limits:` in the YAML. */
  readonly limits: (config: Config) => Limits;
  /** The system sends its records here, and reads them from here: they live in the hub's own store. */
  readonly resident?: true;
  /** Builds a rule for a remote field named in the YAML `map:`, for a canonical field of this type. */
  readonly rule: (field: { readonly name: string; readonly type: string }, path: string) => FieldRule;
  readonly connect: (config: Config, tools: Tools) => Connection<Cursor>;
}
