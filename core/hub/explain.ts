/** Explains a value: what every source says, when it said so, which rules were asked, who won and why. */
import { Effect } from "effect";
import { canonicalValue } from "../model/canonical.ts";
import { decideChain, ruleName } from "../model/chain.ts";
import { candidatesOf, ownerBinds } from "../model/dispute.ts";
import type { Field } from "../model/field.ts";
import type { Interval } from "../model/interval.ts";
import { chainOf, ownerOf } from "../model/policy.ts";
import { sideOf } from "../model/settings.ts";
import { equalValues, isEmpty, type Value } from "../model/value.ts";
import type { Canonical, ChangeRow, Conflict, Link, World } from "../model/world.ts";
import { readHistory, readSheet, type Sheet } from "../store/browse.ts";
import type { Hub } from "./open.ts";

/** What one system says of the field. */
export interface SourceView {
  readonly connection: string;
  readonly remoteId: string;
  readonly state: Link["state"];
  /** The canonical form of what the system holds, as last read or acknowledged. */
  readonly held: Value;
  /** The canonical value that this stands for. */
  readonly base: Value;
  readonly agrees: boolean;
  readonly modifiedAt: number | null;
  readonly readAt: number;
  /** When its losing value was changed there; null where the order is unknown. */
  readonly interval: Interval | null;
  /** Why it differs, in words; empty where it agrees. */
  readonly why: string;
}

export interface FieldExplanation {
  readonly field: Field;
  readonly value: Value;
  readonly source: string | null;
  readonly interval: Interval | null;
  readonly pinnedAt: number | null;
  readonly held: boolean;
  readonly rules: ReadonlyArray<string>;
  readonly decision: string;
  readonly sources: ReadonlyArray<SourceView>;
  readonly history: ReadonlyArray<ChangeRow & { readonly position: number }>;
  readonly conflicts: ReadonlyArray<Conflict>;
}

export interface Explanation {
  readonly sheet: Sheet;
  readonly fields: ReadonlyArray<FieldExplanation>;
}

const historyMax = 1000;

/** Null where there is no such account or contact. With a field, only that one, with its whole history. */
export const explain = Effect.fn("hub.explain")(function* (hub: Hub, id: string, only?: string) {
  const sheet = yield* readSheet(hub, id);
  if (sheet === null) return null;
  const { canonical, world } = sheet;
  const history = yield* readHistory(hub, canonical.id, { limit: historyMax });
  const fields = [...hub.model[canonical.entity].values()].filter((field) =>
    only === undefined ? isKnown(canonical, sheet.links, field.name) : field.name === only,
  );
  return {
    sheet,
    fields: fields.map((field) => explainField(hub, world, sheet, canonical, field, history)),
  } satisfies Explanation;
});

function isKnown(canonical: Canonical, links: ReadonlyArray<Link>, field: string): boolean {
  return (
    !isEmpty(canonical.values[field]) ||
    links.some((link) => link.state === "live" && !isEmpty(link.shadow.fields[field]?.held))
  );
}

function explainField(
  hub: Hub,
  world: World,
  sheet: Sheet,
  canonical: Canonical,
  field: Field,
  history: ReadonlyArray<ChangeRow & { readonly position: number }>,
): FieldExplanation {
  const provenance = canonical.provenance[field.name];
  const chain = chainOf(hub.config.policy, canonical.entity, field.name);
  const touches = (bag: Readonly<Record<string, Value>> | undefined): boolean => bag !== undefined && field.name in bag;
  return {
    field,
    value: canonicalValue(canonical, field.name),
    source: provenance?.source ?? null,
    interval: provenance?.interval ?? null,
    pinnedAt: provenance?.pinnedAt ?? null,
    held: provenance?.hold === true,
    rules: ["pin", ...chain.map(ruleName), "tie-break"],
    decision: decisionOf(hub, world, canonical, field.name),
    sources: sheet.links.map((link) => viewOf(hub, world, canonical, link, field.name)),
    history: history.filter((change) => touches(change.set) || touches(change.from) || touches(change.news)),
    conflicts: sheet.conflicts.filter((conflict) => conflict.field === field.name),
  };
}

/** Why the canonical value is what it is, as things stand now. */
function decisionOf(hub: Hub, world: World, canonical: Canonical, field: string): string {
  const provenance = canonical.provenance[field];
  if (provenance === undefined) return "no system has told a value";
  if (provenance.hold === true) return "a person holds this value; no system can change it until it is released";
  if (world.openConflict(canonical.id, field) !== undefined)
    return "a conflict is open; the value stays until a person decides";
  const candidates = candidatesOf(world, canonical, field);
  if (candidates.length < 2) {
    return provenance.pinnedAt === undefined
      ? `${provenance.source} told it last, and nobody disagrees`
      : "a person decided, and nobody disagrees since";
  }
  const chain = chainOf(hub.config.policy, canonical.entity, field);
  const owner = ownerOf(chain);
  const verdict = decideChain(candidates, {
    chain,
    order: hub.settings.order,
    ownerBinds: owner !== undefined && ownerBinds(world, canonical.id, owner, field),
  });
  return verdict.kind === "open" ? verdict.reason : `${verdict.rule}: ${verdict.reason}`;
}

function viewOf(hub: Hub, world: World, canonical: Canonical, link: Link, field: string): SourceView {
  const shadow = link.shadow.fields[field];
  const base = shadow?.base ?? null;
  const value = canonicalValue(canonical, field);
  const agrees = shadow !== undefined && (equalValues(base, value) || (isEmpty(base) && isEmpty(value)));
  return {
    connection: link.connection,
    remoteId: link.remoteId,
    state: link.state,
    held: shadow?.held ?? null,
    base,
    agrees,
    modifiedAt: link.modifiedAt,
    readAt: link.readEnded,
    interval: shadow?.lost?.interval ?? null,
    why: agrees ? "" : whyDifferent(hub, world, canonical, link, field),
  };
}

function whyDifferent(hub: Hub, world: World, canonical: Canonical, link: Link, field: string): string {
  if (link.state !== "live") return `the record is ${link.state} there`;
  const side = sideOf(hub.settings, link.connection, canonical.entity);
  const rule = side?.rules.get(field);
  if (side === undefined || rule === undefined) return "this connection does not map the field";
  const shadow = link.shadow.fields[field];
  if (shadow === undefined) return "not read yet";
  if (world.openConflict(canonical.id, field) !== undefined) return "waits for the open conflict";
  if (shadow.frozen !== undefined) return `frozen by conflict ${shadow.frozen}`;
  if (shadow.refused !== undefined && equalValues(shadow.refused.value, canonicalValue(canonical, field)))
    return `refused there: ${shadow.refused.reason}`;
  if (!side.writable) return "nothing is written to this connection";
  if (rule.access !== "both") return "the field is not written there";
  return "due to be written";
}
