/**
 * One decision of the past under another policy (SEMANTICS D22): the row of the conflict log keeps all candidates, so the
 * chain of another configuration can be asked what it would have made of them.
 */
import { decideChain } from "./chain.ts";
import { ownerBinds } from "./dispute.ts";
import { chainOf, ownerOf } from "./policy.ts";
import { candidateOf } from "./policy-change.ts";
import type { Settings } from "./settings.ts";
import { equalValues, type Value } from "./value.ts";
import type { Conflict, World } from "./world.ts";

/**
 * What another policy would have made of a decision.
 *
 * `same`     the same value, or a person as before
 * `other`    another value
 * `asks`     a person, where a rule has decided
 * `settles`  a value, where a person was asked
 * `untold`   the row does not hold what the rule asks for (the times of whole records), or was overtaken before anybody decided
 */
export type Rejudged =
  | { readonly kind: "same" }
  | { readonly kind: "untold" }
  | { readonly kind: "asks" }
  | { readonly kind: "other" | "settles"; readonly value: Value; readonly source: string; readonly rule: string };

export function rejudge(world: World, settings: Settings, row: Conflict): Rejudged {
  const { canonicalId, field, entity, state } = row;
  if (row.kind !== "value" || canonicalId === null || field === null || state === "closed") return { kind: "untold" };
  const chain = chainOf(settings.policy, entity, field);
  if (chain.includes("newest-record") || row.rule === "hub" || row.rule === "unmerge") return { kind: "untold" };
  const owner = ownerOf(chain);
  const verdict = decideChain(row.candidates.filter(({ asked }) => asked !== true).map(candidateOf), {
    chain,
    order: settings.order,
    ownerBinds: owner !== undefined && ownerBinds(world, canonicalId, owner, field),
  });
  const wasAsked = state !== "settled" && state !== "undone";
  if (verdict.kind === "open") return { kind: wasAsked ? "same" : "asks" };
  const { winner, rule } = verdict;
  const made = { value: winner.value, source: winner.source, rule };
  if (wasAsked) return { kind: "settles", ...made };
  return equalValues(winner.value, row.result) ? { kind: "same" } : { kind: "other", ...made };
}
