/** The read after a write (SEMANTICS D4, D5): what the system made of it, and whether somebody else wrote meanwhile. */
import { isExactly } from "./evidence.ts";
import type { Moment } from "./moment.ts";
import { noteOverwrite, noteStoredDifferently } from "./own-writes.ts";
import type { RemoteRecord } from "./record.ts";
import { decodeRecord, type Settings, type Side } from "./settings.ts";
import type { Claimed } from "./settle.ts";
import { equalValues } from "./value.ts";
import type { World } from "./world.ts";

/**
 * D4 and D5: the read after a write of a system that returns nothing. A counter that moved by exactly our own steps
 * proves that nobody else wrote: what differs is what the system made of it. Otherwise the difference is news, and an
 * edit that nobody read may have been overwritten.
 */
export function settleReadBack(
  world: World,
  settings: Settings,
  side: Side,
  claimed: Claimed,
  outcome: ReadBack,
  moment: Moment,
): void {
  const link = world.link(side.connection, side.entity, outcome.remoteId);
  const canonical = world.canonical(claimed.canonicalId);
  if (link === undefined || canonical === undefined || claimed.sent.kind === "delete") return;
  const { record, versionBefore, writes } = outcome;
  // A new record starts at nothing: the counter shows whether anybody but us has written it.
  const before = claimed.sent.kind === "create" ? "0" : versionBefore;
  const proven = side.counter ? isExactly(before, record?.version, writes) : undefined;
  if (side.conditional === "none" && claimed.sent.kind === "update" && proven !== true) {
    const versions = { before, after: record?.version, by: record?.modifiedBy, known: proven !== undefined };
    const fields = claimed.writes.map((write) => write.field);
    noteOverwrite(world, side, canonical, link, { ...versions, fields, from: claimed.began }, moment);
  }
  if (proven !== true || record === undefined) return;
  const { values } = decodeRecord(settings, side, record.fields);
  for (const { field, value } of claimed.writes) {
    const shadow = link.shadow.fields[field];
    const stored = values[field];
    if (shadow === undefined || stored === undefined || equalValues(stored, shadow.held)) continue;
    noteStoredDifferently(world, side, canonical, link, { field, sent: value, stored }, moment);
    shadow.held = stored;
    world.touchLink(link);
  }
}

/** What was read right after a write; without a record the read failed and comes later. */
export interface ReadBack {
  readonly remoteId: string;
  readonly record: RemoteRecord | undefined;
  readonly versionBefore: string | undefined;
  /** Version steps that our write took. */
  readonly writes: number;
}
