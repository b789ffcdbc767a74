/**
 * What a push may write when it carries out a plan: nothing but what was agreed to, as it was agreed to.
 *
 * A push without a permit writes all that is due. With one, what is not covered stays due, and what is covered is asked
 * for again inside its claim, where the state is the newest.
 */
import type { Result } from "../connector.ts";
import type { Entity } from "../model/field.ts";
import type { Patch } from "../model/patch.ts";
import type { Side } from "../model/settings.ts";
import type { Claimed } from "../model/settle.ts";
import type { Canonical, World } from "../model/world.ts";

export interface Permit {
  /** The accounts or contacts that still may be written there. */
  readonly covered: (connection: string, entity: Entity) => ReadonlyArray<string>;
  /** Whether this write is one of those agreed to, and what it was agreed on still holds. */
  readonly admits: (world: World, side: Side, canonical: Canonical, patch: Patch) => boolean;
  /** The write is claimed; `remoteId` is null for a create. */
  readonly begun: (connection: string, claimed: Claimed, remoteId: string | null) => void;
  readonly settled: (claimed: Claimed, result: Result) => void;
}
