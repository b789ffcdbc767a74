/**
 * Refusals (SEMANTICS D13): per field, remembered with the value that was refused, listed as dead letters, and tried
 * again when the value, the map or the policy changes, or on replay.
 */
import { canonicalValue } from "./canonical.ts";
import { pathNames } from "./codec.ts";
import { about, type Moment } from "./moment.ts";
import type { LeftOut, Patch } from "./patch.ts";
import type { Result } from "./record.ts";
import { fieldOf, type Settings, type Side } from "./settings.ts";
import type { Claimed, Settlement } from "./settle.ts";
import type { Value } from "./value.ts";
import type { Canonical, Link, World } from "./world.ts";

/** A unique field is taken: the record that holds it is fetched, so that matching can decide about it. */
export function settleDuplicate(
  world: World,
  side: Side,
  claimed: Claimed,
  canonical: Canonical,
  link: Link | undefined,
  result: Extract<Result, { readonly kind: "duplicate" }>,
): Settlement {
  const field = canonicalField(side, result.field) ?? "";
  world.deadLetters.push({
    connection: side.connection,
    entity: side.entity,
    canonicalId: canonical.id,
    remoteId: link?.remoteId ?? "",
    field: link === undefined ? "" : field,
    move: "push",
    code: "duplicate",
    reason: `${result.reason} (record ${result.id})`,
    remedy: `Look at record ${result.id} in ${side.connection}: link it to this ${side.entity}, merge the two there, or change the unique value.`,
  });
  if (link !== undefined && field !== "") {
    refuse(world, link, field, {
      value: sentValue(claimed, canonical, field),
      code: "duplicate",
      reason: result.reason,
    });
  }
  return { next: { kind: "dead", reason: result.reason }, fetch: [result.id] };
}

export function settleRejected(
  world: World,
  settings: Settings,
  side: Side,
  claimed: Claimed,
  canonical: Canonical,
  link: Link | undefined,
  result: Extract<Result, { readonly kind: "rejected" }>,
): Settlement {
  const field = canonicalField(side, result.field);
  const atFault = field !== undefined && claimed.writes.some((write) => write.field === field) ? field : undefined;
  if (atFault !== undefined) {
    refuseWrite(world, settings, side, { claimed, canonical, link, named: atFault, result });
    // The other fields go without it.
    return { next: { kind: "again", afterMs: 0, reason: result.reason }, fetch: [] };
  }
  if (claimed.sent.kind !== "delete" && claimed.writes.length > 1 && !claimed.bisected)
    return { next: { kind: "split", reason: result.reason }, fetch: [] };
  if (link === undefined || claimed.sent.kind !== "update") {
    refuseWrite(world, settings, side, { claimed, canonical, link, named: "", result });
    return { next: { kind: "dead", reason: result.reason }, fetch: [] };
  }
  for (const write of claimed.writes)
    refuseWrite(world, settings, side, { claimed, canonical, link, named: write.field, result });
  return { next: { kind: "again", afterMs: 0, reason: result.reason }, fetch: [] };
}

/** One refused field, or with an empty name the whole write. */
function refuseWrite(
  world: World,
  settings: Settings,
  side: Side,
  refused: {
    readonly claimed: Claimed;
    readonly canonical: Canonical;
    readonly link: Link | undefined;
    readonly named: string;
    readonly result: Extract<Result, { readonly kind: "rejected" }>;
  },
): void {
  const { claimed, canonical, link, named, result } = refused;
  const value = sentValue(claimed, canonical, named);
  const name = named === "" ? "" : (fieldOf(settings, side.entity, named)?.title.en ?? named);
  world.deadLetters.push({
    connection: side.connection,
    entity: side.entity,
    canonicalId: canonical.id,
    remoteId: link?.remoteId ?? "",
    field: named,
    move: "push",
    code: result.code,
    reason: name === "" ? result.reason : `${name}: ${result.reason}`,
    remedy: result.remedy,
    // A whole create stays refused while the account is as it was.
    value: named === "" ? claimed.revision : value,
  });
  if (named === "") return;
  if (link !== undefined) refuse(world, link, named, { value, code: result.code, reason: result.reason });
  else world.refusals.set(`${side.connection}\n${canonical.id}\n${named}`, value);
}

/** What was refused is what was sent; the canonical value may have moved on while the write was under way. */
const sentValue = (claimed: Claimed, canonical: Canonical, field: string): Value =>
  claimed.sent.values[field] ?? canonicalValue(canonical, field);

function refuse(
  world: World,
  link: Link,
  field: string,
  refused: { readonly value: Value; readonly code: string; readonly reason: string },
): void {
  const shadow = link.shadow.fields[field] ?? { base: null, held: null };
  link.shadow.fields[field] = { ...shadow, refused };
  world.touchLink(link);
}

/** Fields that a codec refused or that wait are recorded on the link, so that they are tried again (D13). */
export function noteLeftOut(world: World, side: Side, claimed: Claimed, canonical: Canonical, link: Link): void {
  for (const left of claimed.leftOut) {
    if (left.canonicalId !== canonical.id) continue;
    link.shadow.fields[left.field] ??= { base: null, held: null };
    if (left.why !== "refused") continue;
    // The letter of the create becomes one of the record.
    healLetter(world, side, canonical.id, "", left.field);
    refuseLeftOut(world, side, canonical, link, left);
  }
}

/** A value that the codec itself cannot write there. */
export function refuseLeftOut(world: World, side: Side, canonical: Canonical, link: Link, left: LeftOut): void {
  refuse(world, link, left.field, { value: left.value, code: "cannot-be-written", reason: left.reason });
  world.deadLetters.push({
    connection: side.connection,
    entity: side.entity,
    canonicalId: canonical.id,
    remoteId: link.remoteId,
    field: left.field,
    move: "push",
    code: "cannot-be-written",
    reason: left.reason,
    remedy: left.remedy,
    value: left.value,
  });
}

export function healLetter(world: World, side: Side, canonicalId: string, remoteId: string, field: string): void {
  world.healed.push({ connection: side.connection, entity: side.entity, canonicalId, remoteId, field, move: "push" });
}

function canonicalField(side: Side, remote: string | undefined): string | undefined {
  if (remote === undefined) return undefined;
  for (const [field, rule] of side.rules) if (pathNames(rule.path).includes(remote)) return field;
  return undefined;
}

/** D15: a record that is answered as not there may only be hidden from us, so nobody concludes a delete. */
export function noteUnreachable(world: World, side: Side, canonical: Canonical, link: Link): void {
  world.deadLetters.push({
    connection: side.connection,
    entity: side.entity,
    canonicalId: canonical.id,
    remoteId: link.remoteId,
    field: "",
    move: "push",
    code: "not-reachable",
    reason: `${side.connection} answers that this record is not there; it may be deleted or hidden from the acting user`,
    remedy: "Give the acting user the right to see and write the record, or delete it there, then replay.",
  });
}

/** D24: a person rejected what was to be written at the brake: the fields stay as they are there, until a replay. */
export function refuseByPerson(world: World, side: Side, canonical: Canonical, patch: Patch, moment: Moment): void {
  const { link } = patch;
  if (link === null) return;
  if (patch.kind === "delete") {
    link.state = "detached";
    link.shadow.unlinked = true;
    world.touchLink(link);
    world.log.push({ ...about(canonical, link, moment), kind: "unlinked", note: { by: "brake" } });
    return;
  }
  for (const { field, value } of patch.writes) {
    const reason = "a person rejected this write at the brake";
    refuse(world, link, field, { value, code: "rejected-at-brake", reason });
    world.deadLetters.push({
      connection: side.connection,
      entity: side.entity,
      canonicalId: canonical.id,
      remoteId: link.remoteId,
      field,
      move: "push",
      code: "rejected-at-brake",
      reason,
      remedy: `Change the value in ${side.connection} or in the hub, or replay the letter to write it after all.`,
      value,
    });
  }
}
