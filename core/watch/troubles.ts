/** Which rules are broken at one moment. Pure: the same snapshot has the same troubles. */
import type { AlertRule } from "../config/alerts-shape.ts";
import type { AlertLimits } from "../config/hub-config.ts";
import type { ConnectionStatus } from "../hub/service.ts";
import type { AlertDetail } from "../store/alerts.ts";

export interface ConnectionFacts {
  readonly name: string;
  readonly state: ConnectionStatus["state"];
  readonly stateSince: number;
  /** Why, without secrets and personal values. */
  readonly reason: string | null;
  /** Null where it was not measured yet. */
  readonly agreement: number | null;
  readonly outbox: number;
  readonly outboxSince: number | null;
  readonly deadLetters: number;
  readonly lostChannels: number;
}

export interface Snapshot {
  readonly now: number;
  /** Null while the store answers. */
  readonly storeTrouble: string | null;
  readonly connections: ReadonlyArray<ConnectionFacts>;
  /** Counted over the windows of their rules. */
  readonly opened: number;
  readonly refused: number;
  readonly exports: number;
}

export interface Trouble {
  readonly rule: AlertRule;
  /** The connection, or "" for the hub. */
  readonly subject: string;
  /** Numbers for the words; never a value of a customer. */
  readonly detail: AlertDetail;
}

export function troublesOf(snapshot: Snapshot, limits: AlertLimits): ReadonlyArray<Trouble> {
  const { storeTrouble, opened, refused, exports } = snapshot;
  const troubles: Array<Trouble> = [];
  const ofHub = (rule: AlertRule, isBroken: boolean, detail: AlertDetail): void => {
    if (isBroken) troubles.push({ rule, subject: "", detail });
  };
  const burst = (limit: { readonly count: number; readonly withinMs: number } | null, count: number) => ({
    isBroken: limit !== null && count >= limit.count,
    detail: { count, withinMs: limit?.withinMs ?? 0 },
  });
  ofHub("store", limits.store && storeTrouble !== null, { reason: storeTrouble });
  for (const [rule, count] of [
    ["conflicts", opened],
    ["signIns", refused],
    ["exports", exports],
  ] as const) {
    const { isBroken, detail } = burst(limits[rule], count);
    ofHub(rule, isBroken, detail);
  }
  for (const one of snapshot.connections) troubles.push(...ofConnection(one, snapshot.now, limits));
  return troubles;
}

function ofConnection(one: ConnectionFacts, now: number, limits: AlertLimits): ReadonlyArray<Trouble> {
  const { name: subject, state, stateSince, reason, agreement, outbox, outboxSince, deadLetters, lostChannels } = one;
  // A person has stopped it, or taken it out of the YAML: what waits there is meant to wait.
  if (state === "stopped" || state === "sleeping") return [];
  const { failing, outbox: waiting } = limits;
  const troubles: Array<Trouble> = [];
  if (failing !== null && state === "failing" && now - stateSince >= failing.forMs)
    troubles.push({ rule: "failing", subject, detail: { forMs: failing.forMs, reason } });
  if (limits.brake && state === "held") troubles.push({ rule: "brake", subject, detail: { reason } });
  if (limits.agreement !== null && agreement !== null && agreement < limits.agreement.below)
    troubles.push({ rule: "agreement", subject, detail: { share: agreement, below: limits.agreement.below } });
  if (waiting !== null && outboxSince !== null && now - outboxSince >= waiting.olderMs)
    troubles.push({ rule: "outbox", subject, detail: { count: outbox, olderMs: waiting.olderMs } });
  if (limits.deadLetters !== null && deadLetters > limits.deadLetters.above)
    troubles.push({ rule: "deadLetters", subject, detail: { count: deadLetters } });
  if (limits.channel && lostChannels > 0) troubles.push({ rule: "channel", subject, detail: { count: lostChannels } });
  return troubles;
}
