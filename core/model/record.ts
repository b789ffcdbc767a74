/** Remote data in remote field names: what a connector reads and what it is asked to write. */
import type { Entity } from "./field.ts";

/**
 * A live remote record.
 *
 * Shape   `fields` has a key only for what is known: it was asked for and the acting user may read it. `null` is empty.
 * Units   instants are epoch milliseconds by the remote's clock.
 */
export interface RemoteRecord {
  readonly kind: "record";
  readonly id: string;
  readonly fields: Readonly<Record<string, unknown>>;
  /** A counter that grows by one with each write, as a decimal string, where the system has one. */
  readonly version?: string;
  readonly modifiedAt?: number;
  readonly createdAt?: number;
  /** Who wrote last, for explanations only. */
  readonly modifiedBy?: string;
  /** What a delete of ours leaves in this system, such as a deactivated user: that it is there is no restore. */
  readonly leftover?: true;
}

/** Word that a record was deleted; `mergedInto` where the system names the master of a merge. */
export interface Tombstone {
  readonly kind: "deleted";
  readonly id: string;
  readonly deletedAt?: number;
  readonly mergedInto?: string;
}

/** Something that could not be read as a record; the rest of the page is good. */
export interface BadRecord {
  readonly kind: "bad";
  readonly id?: string;
  /** Where a person finds it, such as `customers.csv:17`. */
  readonly where: string;
  readonly problem: string;
  readonly remedy: string;
}

export type Change = RemoteRecord | Tombstone | BadRecord;

/** One page of a pull. `cursor` is safe to resume from if the process dies right after this page is committed. */
export interface Page<Cursor = unknown> {
  readonly changes: ReadonlyArray<Change>;
  readonly cursor: Cursor;
  /** When the request for this page began and ended, by our clock. */
  readonly readBegan: number;
  readonly readEnded: number;
  /** True on the last page of a pull or listing that is proven to have named every record. */
  readonly complete?: boolean;
}

/** What the base of a conditional write must still be; taken from a closed version only. */
export interface Precondition {
  readonly version?: string;
  readonly modifiedAt?: number;
}

/** One write that the core asks for. `fields` are in remote names and hold only what is due. */
export type Operation =
  | {
      readonly kind: "create";
      readonly entity: Entity;
      /** The hub's id; the connector writes it into the external key field named by `keyField`. */
      readonly hubId: string;
      readonly keyField: string;
      readonly fields: Readonly<Record<string, unknown>>;
    }
  | {
      readonly kind: "update";
      readonly entity: Entity;
      readonly id: string;
      readonly fields: Readonly<Record<string, unknown>>;
      readonly precondition?: Precondition;
    }
  | { readonly kind: "delete"; readonly entity: Entity; readonly id: string };

/**
 * What became of one operation, in the order of the operations.
 *
 * `applied`   done; `stored` holds what the system made of it where its answer says so, `writes` how many
 *             version steps it took (1 unless said).
 * `pending`   accepted but not yet effective (an approval).
 * `later`     not now (a locked record); it is tried again after `retryAfterMs`.
 * `unknown`   sent, no answer: it may have been applied.
 * `conflict`  the precondition did not hold.
 * `gone`      the record is not there any more.
 * `duplicate` a unique field is taken by `id`.
 * `rejected`  refused; `field` is the remote field at fault where the system names it.
 */
export type Result =
  | {
      readonly kind: "applied";
      readonly id: string;
      readonly version?: string;
      readonly modifiedAt?: number;
      readonly stored?: Readonly<Record<string, unknown>>;
      readonly writes?: number;
    }
  | { readonly kind: "pending"; readonly id: string; readonly reason: string }
  | { readonly kind: "later"; readonly reason: string; readonly retryAfterMs?: number }
  | { readonly kind: "unknown"; readonly reason: string }
  | { readonly kind: "conflict"; readonly reason: string }
  | { readonly kind: "gone"; readonly reason: string }
  | { readonly kind: "duplicate"; readonly id: string; readonly field?: string; readonly reason: string }
  | {
      readonly kind: "rejected";
      readonly field?: string;
      readonly code: string;
      readonly reason: string;
      /** What a person can do about it. */
      readonly remedy: string;
    };

/** A remote field and its text, or a part of it, for look-ups before a create. */
export interface Criterion {
  readonly field: string;
  readonly value: string;
  /** `equals` unless said; `contains` finds the value anywhere in the field, in any case of letters if the system can. */
  readonly how?: "equals" | "contains";
}
