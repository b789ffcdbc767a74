/** The read after a write (SEMANTICS D4, D5): what the system made of it, and whether somebody else wrote meanwhile. */
import { isExactly } from "./evidence.ts";
import type { Moment } from "./moment.ts";
import { noteStoredDifferently } from "./own-writes.ts";
import type { RemoteRecord } from "./record.ts";
import { decodeRecord, type Settings, type Side } from "./settings.ts";
import type { Claimed } from "./settle.ts";
import { equalValues } from "./value.ts";
import type { Canonical, Link, World } from "./world.ts";

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
    noteOverwrite(world, side, canonical, link, claimed, versions, moment);
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

function noteOverwrite(
  world: World,
  side: Side,
  canonical: Canonical,
  link: Link,
  claimed: Claimed,
  versions: {
    readonly before: string | undefined;
    readonly after: string | undefined;
    readonly by: string | undefined;
    readonly known: boolean;
  },
  moment: Moment,
): void {
  world.addConflict({
    id: moment.newId("con"),
    kind: "overwrite",
    entity: side.entity,
    canonicalId: canonical.id,
    connection: side.connection,
    remoteId: link.remoteId,
    field: null,
    state: "settled",
    rule: versions.known ? "possible overwrite" : "unverifiable write",
    winner: null,
    run: moment.run,
    openedAt: moment.now,
    updatedAt: moment.now,
    reason: versions.known
      ? `somebody else wrote this record in ${side.connection} around our write; a value that nobody read may be lost. Look into its history there`
      : `${side.connection} has no counter that would show whether somebody else wrote at the same moment`,
    base: null,
    previous: null,
    result: null,
    candidates: [],
    detail: {
      fields: claimed.writes.map((write) => write.field),
      versionBefore: versions.before ?? null,
      versionAfter: versions.after ?? null,
      lastModifiedBy: versions.by ?? null,
      from: claimed.began,
      to: moment.now,
    },
  });
}
