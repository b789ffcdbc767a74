/**
 * Records that have no link yet, or whose link a case holds: own create, known, uncertain, or new (SEMANTICS D4, D12).
 */
import { openCase } from "./cases.ts";
import { type Identified, identify } from "./identify.ts";
import { matchKeys } from "./match-keys.ts";
import {
  advance,
  type Incoming,
  meetingInterval,
  mergeRecord,
  noteUnreadable,
  resolveReferences,
} from "./merge-record.ts";
import { about, type Moment } from "./moment.ts";
import { isOurs } from "./own-writes.ts";
import { type Decoded, imageIn, type Settings, type Side } from "./settings.ts";
import { isEmpty } from "./value.ts";
import type { Canonical, Link, Provenance, Sent, World } from "./world.ts";

export interface Numbers {
  /** The next internal number of a link. */
  readonly nextLink: () => number;
}

/** An unlinked record: own create, known, uncertain, or new. */
export function admit(
  world: World,
  settings: Settings,
  side: Side,
  incoming: Incoming,
  moment: Moment,
  numbers: Numbers,
): void {
  const { arrived, read } = incoming;
  const { record } = arrived;
  const identified = identify(world, settings, side, arrived);
  const link: Link = {
    id: numbers.nextLink(),
    connection: side.connection,
    entity: side.entity,
    remoteId: record.id,
    canonicalId: null,
    state: "live",
    print: arrived.print,
    version: record.version ?? null,
    modifiedAt: record.modifiedAt ?? null,
    remoteCreatedAt: record.createdAt ?? null,
    readBegan: read.began,
    readEnded: read.ended,
    settledAt: null,
    fetchAfter: null,
    shadow: { fields: {} },
  };
  settleIdentity(world, settings, side, link, identified, incoming, moment);
  // A reference that could not be resolved is looked at again when the rest of the load is there.
  if (link.shadow.waiting !== undefined && link.state === "live") link.fetchAfter = read.ended;
}

function settleIdentity(
  world: World,
  settings: Settings,
  side: Side,
  link: Link,
  identified: Identified,
  incoming: Incoming,
  moment: Moment,
): void {
  const isNew = !world.linksById.has(link.id);
  switch (identified.kind) {
    case "new": {
      createCanonical(world, settings, side, link, incoming, moment);
      if (isNew) world.addLink(link);
      else world.relink(link, link.canonicalId);
      return;
    }
    case "own": {
      attach(world, link, identified.canonical.id, isNew);
      linkOwnCreate(world, settings, side, identified.canonical, link, identified.attempts, incoming, moment);
      return;
    }
    case "known": {
      attach(world, link, identified.canonical.id, isNew);
      world.counts.linked += 1;
      world.log.push({
        ...about(identified.canonical, link, moment),
        kind: "linked",
        note: { by: identified.by },
      });
      mergeRecord(world, settings, side, identified.canonical, link, incoming, moment);
      return;
    }
    case "case": {
      link.state = "held";
      holdValues(link, incoming.arrived.decoded);
      if (isNew) world.addLink(link);
      world.touchLink(link);
      openCase(
        world,
        side,
        {
          kind: identified.case,
          link,
          canonicalId: identified.candidates[0] ?? null,
          reason: identified.reason,
          candidates: identified.candidates,
        },
        moment,
      );
    }
  }
}

function attach(world: World, link: Link, canonicalId: string, isNew: boolean): void {
  link.state = "live";
  link.canonicalId = canonicalId;
  if (isNew) world.addLink(link);
  else world.relink(link, canonicalId);
}

/** A held record was read again: its values are kept fresh, and it is let in once a person or the data has decided. */
export function readmit(
  world: World,
  settings: Settings,
  side: Side,
  link: Link,
  incoming: Incoming,
  moment: Moment,
): void {
  advance(link, incoming);
  if (world.openCases(link).length > 0) {
    holdValues(link, incoming.arrived.decoded);
    world.touchLink(link);
    return;
  }
  const separate = link.shadow.separate === true;
  link.shadow = { fields: {} };
  link.state = "live";
  const identified: Identified = separate ? { kind: "new" } : identify(world, settings, side, incoming.arrived);
  settleIdentity(world, settings, side, link, identified, incoming, moment);
}

/** Keeps what a held record says, so that nothing is lost while a person thinks. */
function holdValues(link: Link, decoded: Decoded): void {
  for (const [field, value] of Object.entries(decoded.values)) link.shadow.fields[field] = { base: value, held: value };
  if (Object.keys(decoded.references).length > 0) link.shadow.waiting = decoded.references;
}

function createCanonical(
  world: World,
  settings: Settings,
  side: Side,
  link: Link,
  incoming: Incoming,
  moment: Moment,
): void {
  const { arrived, read } = incoming;
  const id = moment.newId(side.entity === "account" ? "acc" : "ctc");
  const provenance: Provenance = {
    source: side.connection,
    interval: meetingInterval(side, arrived.record, read),
  };
  const canonical: Canonical = {
    id,
    entity: side.entity,
    state: "live",
    mergedInto: null,
    values: {},
    provenance: {},
    flips: {},
    createdAt: moment.now,
    updatedAt: moment.now,
    revision: 1,
  };
  const values = resolveReferences(world, settings, side, link, arrived.decoded);
  for (const field in values) {
    const value = values[field] ?? null;
    if (isEmpty(value)) {
      link.shadow.fields[field] = { base: value, held: value };
      continue;
    }
    link.shadow.fields[field] = { base: value, held: value, spoke: true };
    canonical.values[field] = value;
    canonical.provenance[field] = provenance;
  }
  noteUnreadable(world, side, link, id, arrived.decoded);
  link.canonicalId = id;
  world.addCanonical(canonical);
  for (const key of matchKeys(side.entity, canonical.values)) world.addKey(side.entity, key.kind, key.value, id);
  world.counts.created += 1;
  world.log.push({
    ...about(canonical, link, moment),
    kind: "created",
    set: { ...canonical.values },
    provenance: { ...canonical.provenance },
  });
}

/** A record that bears our external key is our own create: its base comes from the attempts, not from a first meeting. */
function linkOwnCreate(
  world: World,
  settings: Settings,
  side: Side,
  canonical: Canonical,
  link: Link,
  attempts: ReadonlyArray<Sent>,
  incoming: Incoming,
  moment: Moment,
): void {
  world.counts.linked += 1;
  world.log.push({
    ...about(canonical, link, moment),
    kind: "linked",
    note: { by: "external key", attempts: attempts.length },
  });
  const attempt = attempts.at(-1);
  if (attempt === undefined) {
    mergeRecord(world, settings, side, canonical, link, incoming, moment);
    return;
  }
  for (const sent of attempts) {
    for (const [field, value] of Object.entries(sent.values)) {
      link.shadow.fields[field] = { base: value, held: imageIn(settings, side, field, value), mute: true };
    }
  }
  link.shadow.fresh = 1;
  const values = resolveReferences(world, settings, side, link, incoming.arrived.decoded);
  for (const [field, value] of Object.entries(values)) {
    // Any attempt may be the one that landed.
    const landed = attempts.find((sent) => {
      const sentValue = sent.values[field];
      return sentValue !== undefined && isOurs(settings, side, field, value, sentValue);
    });
    const sentValue = landed?.values[field];
    if (sentValue !== undefined) link.shadow.fields[field] = { base: sentValue, held: value, mute: true };
  }
  for (const sent of attempts) {
    sent.linkId = link.id;
    world.seeSent(sent);
  }
  mergeRecord(world, settings, side, canonical, link, incoming, moment);
}
