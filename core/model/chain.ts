/**
 * The chain of rules over the whole set of candidates (SEMANTICS D10).
 *
 * Each rule removes candidates or has no opinion; when all that remain hold one value, that value wins and the rule
 * that got there is the reason. Evaluated over the set, never pair by pair, so that the order of arrival does not matter.
 */
import { type Interval, isOlder } from "./interval.ts";
import type { Chain, Rule } from "./policy.ts";
import { equalValues, isList, isMoney, type Value } from "./value.ts";

/** One value that a source stands for. `source` is a connection's name, or `hub` for a person's decision. */
export interface Candidate {
  readonly source: string;
  readonly value: Value;
  readonly interval: Interval | null;
  /** The record's own modified time, for `newest-record`. */
  readonly recordAt?: number | undefined;
  /** When a person decided for this value; such a candidate is a pin. */
  readonly pinnedAt?: number | undefined;
}

export type Verdict =
  | { readonly kind: "won"; readonly winner: Candidate; readonly rule: string; readonly reason: string }
  | { readonly kind: "open"; readonly reason: string };

export interface ChainContext {
  readonly chain: Chain;
  /** Connections in the order of the YAML: the fixed tie-break. */
  readonly order: ReadonlyArray<string>;
  /** Whether `only` binds for its connection (D11). */
  readonly ownerBinds: boolean;
}

export function decideChain(candidates: ReadonlyArray<Candidate>, context: ChainContext): Verdict {
  const steps: Array<{ readonly rule: string; readonly keep: (left: ReadonlyArray<Candidate>) => Step }> = [
    { rule: "pin", keep: keepPinned },
    ...context.chain.map((rule) => ({
      rule: ruleName(rule),
      keep: (left: ReadonlyArray<Candidate>) => applyRule(rule, left, context),
    })),
    { rule: "tie-break", keep: (left) => keepFirst(left, context.order) },
  ];
  let left = candidates;
  for (const step of steps) {
    const outcome = step.keep(left);
    if (outcome === "open") return { kind: "open", reason: "the policy leaves this field to a person" };
    if (outcome.kept.length > 0) left = outcome.kept;
    const winner = latest(left);
    if (winner !== undefined && left.every((candidate) => equalValues(candidate.value, winner.value))) {
      return { kind: "won", winner, rule: step.rule, reason: outcome.reason };
    }
  }
  return { kind: "open", reason: "no rule decides" };
}

export function ruleName(rule: Rule): string {
  if (typeof rule === "string") return rule;
  return "prefer" in rule ? "prefer" : "only";
}

type Step = "open" | { readonly kept: ReadonlyArray<Candidate>; readonly reason: string };

const noOpinion: Step = { kept: [], reason: "no opinion" };

/** A person's value beats what is not provably later; a provably later edit beats the pin. */
function keepPinned(left: ReadonlyArray<Candidate>): Step {
  const pins = left.filter((candidate) => candidate.pinnedAt !== undefined);
  const pin = pins.toSorted((one, other) => (other.pinnedAt ?? 0) - (one.pinnedAt ?? 0))[0];
  if (pin === undefined) return noOpinion;
  const pinnedAt = pin.pinnedAt ?? 0;
  const later = left.filter(
    (candidate) =>
      candidate.pinnedAt === undefined && candidate.interval !== null && candidate.interval.lower > pinnedAt,
  );
  return later.length > 0
    ? { kept: later, reason: "changed after a person had decided" }
    : { kept: [pin], reason: "a person decided, and nothing is provably later" };
}

function applyRule(rule: Rule, left: ReadonlyArray<Candidate>, context: ChainContext): Step {
  if (typeof rule === "object") {
    if ("only" in rule) {
      if (!context.ownerBinds) return noOpinion;
      return {
        kept: left.filter((candidate) => candidate.source === rule.only),
        reason: `${rule.only} owns this field`,
      };
    }
    for (const connection of rule.prefer) {
      const kept = left.filter((candidate) => candidate.source === connection);
      if (kept.length > 0) return { kept, reason: `${connection} is preferred` };
    }
    return noOpinion;
  }
  switch (rule) {
    case "manual":
      return "open";
    case "newest":
      return { kept: keepNewest(left), reason: "changed last, provably" };
    case "newest-record":
      return keepMost(
        left,
        (candidate) => candidate.recordAt,
        "its record was changed last (record times, not field times)",
      );
    case "longest":
      return keepMost(left, (candidate) => textOf(candidate.value)?.length, "the longest text");
    case "shortest":
      return keepMost(left, (candidate) => negative(textOf(candidate.value)?.length), "the shortest text");
    case "max":
      return keepMost(left, (candidate) => magnitude(candidate.value), "the largest value");
    case "min":
      return keepMost(left, (candidate) => negative(magnitude(candidate.value)), "the smallest value");
    case "union":
      return keepUnion(left);
  }
}

/**
 * Drops each value of which every candidate is wholly older than some candidate of another value. Two systems that came
 * to one value stand together, so a later agreement never turns the outcome against itself.
 */
function keepNewest(left: ReadonlyArray<Candidate>): ReadonlyArray<Candidate> {
  const isOutdated = (candidate: Candidate): boolean =>
    left.some((other) => !equalValues(other.value, candidate.value) && isOlder(candidate.interval, other.interval));
  const standing = left.filter((candidate) => !isOutdated(candidate));
  return left.filter((candidate) => standing.some((other) => equalValues(other.value, candidate.value)));
}

function keepMost(
  left: ReadonlyArray<Candidate>,
  measure: (candidate: Candidate) => number | undefined,
  reason: string,
): Step {
  const measured = left.map(measure);
  if (measured.some((value) => value === undefined)) return noOpinion;
  const most = Math.max(...measured.map((value) => value ?? Number.NEGATIVE_INFINITY));
  return { kept: left.filter((_, index) => measured[index] === most), reason };
}

function keepUnion(left: ReadonlyArray<Candidate>): Step {
  const first = left[0];
  if (first === undefined || !left.every((candidate) => candidate.value === null || isList(candidate.value)))
    return noOpinion;
  const members = new Set<string>();
  for (const candidate of left) if (isList(candidate.value)) for (const member of candidate.value) members.add(member);
  return { kept: [{ ...(latest(left) ?? first), value: [...members].sort() }], reason: "all members of all sides" };
}

/** The fixed tie-break: connection order, then the name of the source, then the value itself. */
function keepFirst(left: ReadonlyArray<Candidate>, order: ReadonlyArray<string>): Step {
  const first = left.toSorted((one, other) => compareSources(one, other, order))[0];
  return first === undefined
    ? noOpinion
    : { kept: [first], reason: "no rule decides; the fixed order of connections does" };
}

/** Orders candidates by connection, so that nothing depends on the order in which they arrived. */
export function compareSources(one: Candidate, other: Candidate, order: ReadonlyArray<string>): number {
  const rank = (candidate: Candidate): number => {
    const index = order.indexOf(candidate.source);
    return index < 0 ? order.length : index;
  };
  return (
    rank(one) - rank(other) ||
    compareTexts(one.source, other.source) ||
    compareTexts(JSON.stringify(one.value), JSON.stringify(other.value))
  );
}

const compareTexts = (one: string, other: string): number => (one === other ? 0 : one < other ? -1 : 1);

/** Of candidates with one value, the one whose evidence is latest carries the provenance. */
export function latest(candidates: ReadonlyArray<Candidate>): Candidate | undefined {
  const at = (candidate: Candidate): number => candidate.pinnedAt ?? candidate.interval?.upper ?? -1;
  const since = (candidate: Candidate): number => candidate.interval?.lower ?? -1;
  return candidates.toSorted(
    (one, other) => at(other) - at(one) || since(other) - since(one) || compareTexts(one.source, other.source),
  )[0];
}

const negative = (value: number | undefined): number | undefined => (value === undefined ? undefined : -value);

function textOf(value: Value): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function magnitude(value: Value): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  const text = isMoney(value) ? value.amount : value;
  if (typeof text !== "string") return undefined;
  const number = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(text) : Number(text);
  return Number.isFinite(number) ? number : undefined;
}
