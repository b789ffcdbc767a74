/**
 * What another policy would have decided (SEMANTICS D22). A policy change moves no value; it binds from the next merge.
 * Settled rows of the conflict log keep all candidates, so each can be judged again under the policy of today.
 */

import { canonicalValue } from "./canonical.ts";
import { type Candidate, decideChain } from "./chain.ts";
import { ownerBinds } from "./dispute.ts";
import { chainOf, ownerOf } from "./policy.ts";
import type { Settings } from "./settings.ts";
import { equalValues, type Value } from "./value.ts";
import type { Conflict, World } from "./world.ts";

/** A field whose winner would be another one today. */
export interface Difference {
  readonly conflict: string;
  readonly canonicalId: string;
  readonly field: string;
  readonly from: Value;
  readonly to: Value;
  readonly source: string;
  readonly rule: string;
}

/** Undefined where the row would be settled as it was, where nobody can tell, or where the field has moved on since. */
export function judgeAgain(world: World, settings: Settings, row: Conflict): Difference | undefined {
  const { canonicalId, field } = row;
  if (row.kind !== "value" || row.state !== "settled" || canonicalId === null || field === null) return undefined;
  const canonical = world.canonical(canonicalId);
  if (canonical === undefined || canonical.state !== "live") return undefined;
  const from = canonicalValue(canonical, field);
  const isPersons = canonical.provenance[field]?.pinnedAt !== undefined;
  if (isPersons || !equalValues(from, row.result) || world.openConflict(canonical.id, field) !== undefined)
    return undefined;
  const chain = chainOf(settings.policy, canonical.entity, field);
  const owner = ownerOf(chain);
  const verdict = decideChain(row.candidates.map(candidateOf), {
    chain,
    order: settings.order,
    ownerBinds: owner !== undefined && ownerBinds(world, canonical.id, owner, field),
  });
  if (verdict.kind === "open" || equalValues(verdict.winner.value, from)) return undefined;
  const { winner, rule } = verdict;
  return { conflict: row.id, canonicalId: canonical.id, field, from, to: winner.value, source: winner.source, rule };
}

export function candidateOf({ source, value, lower, upper }: Conflict["candidates"][number]): Candidate {
  return { source, value, interval: lower === null || upper === null ? null : { lower, upper } };
}
