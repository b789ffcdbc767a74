/** What the steps of one push share: the run, its counts, and what it has learned about single records. */

import { closesCycle, type Patches, patchesFor } from "../model/patch.ts";
import type { Side } from "../model/settings.ts";
import type { Canonical, World } from "../model/world.ts";
import type { Row } from "../store/database.ts";
import type { outbox } from "../store/tables.ts";
import type { Engine, LiveConnection } from "./engine.ts";
import type { Permit } from "./permit.ts";

export interface PushCounts {
  created: number;
  updated: number;
  deleted: number;
  rejected: number;
}

export type OutboxRow = Row<typeof outbox>;

export interface PushRun {
  readonly engine: Engine;
  readonly live: LiveConnection;
  readonly run: string;
  readonly counts: PushCounts;
  /** How often each record was tried in this run. */
  readonly tries: Map<string, number>;
  /** Fields of patches that were refused without naming one, in two parts that are sent one after the other (D13). */
  readonly halves: Map<string, ReadonlyArray<ReadonlySet<string>>>;
  /** Everything due may be written without one. */
  readonly permit: Permit | undefined;
}

/** A reference that waited that often is left out of the create and written later (D25). */
export const waitsMax = 3;

/** The brake holds this connection: what was just read there waits for a decision, so nothing may be written over it. */
export class SourceHeld extends Error {
  readonly _tag = "SourceHeld";
  constructor(connection: string) {
    super(`a brake holds ${connection}; nothing is written there until a person decides`);
    this.name = "SourceHeld";
  }
}

/** The field through which records of this kind refer to others of the same kind, or to their account. */
export const referenceField = (side: Side): string => (side.entity === "account" ? "parent" : "account");

/** What a row would write as things stand. */
export function patchesOf(push: PushRun, world: World, side: Side, canonical: Canonical, row: OutboxRow): Patches {
  const isCircle = closesCycle(world, canonical, referenceField(side));
  const referencesWait = row.attempts < waitsMax && !isCircle;
  return patchesFor(world, push.engine.settings, side, canonical, { referencesWait });
}
