/**
 * Whose record is it? Deterministic, in this order: the hub's own id in the external key field, then the match keys of
 * the YAML in their order. Certain links, uncertain asks a person, nothing found is new.
 */

import { displayName } from "./display.ts";
import { matchKeys } from "./match-keys.ts";
import type { Arrived } from "./merge-record.ts";
import { plainText } from "./normalise/text.ts";
import type { Settings, Side } from "./settings.ts";
import { type Canonical, type ConflictKind, isUnsettled, type Sent, type World } from "./world.ts";

export type Identified =
  | { readonly kind: "new" }
  | { readonly kind: "own"; readonly canonical: Canonical; readonly attempts: ReadonlyArray<Sent> }
  | { readonly kind: "known"; readonly canonical: Canonical; readonly by: string }
  | {
      readonly kind: "case";
      readonly case: ConflictKind;
      readonly candidates: ReadonlyArray<string>;
      readonly reason: string;
    };

export function identify(world: World, settings: Settings, side: Side, arrived: Arrived): Identified {
  const own = byHubId(world, side, arrived.hubId);
  if (own !== undefined) return own;
  const keys = matchKeys(side.entity, arrived.decoded.values);
  for (const kind of settings.match[side.entity]) {
    const found = new Map<string, Canonical>();
    for (const key of keys) {
      if (key.kind !== kind) continue;
      for (const id of world.candidates(side.entity, kind, key.value)) {
        const canonical = world.canonical(id);
        if (canonical !== undefined && !contradicts(canonical, arrived)) found.set(id, canonical);
      }
    }
    if (found.size === 0) continue;
    return byKey(world, side, arrived, kind, [...found.values()]);
  }
  return { kind: "new" };
}

/** Our own create coming back, or a clone that copied the key. */
function byHubId(world: World, side: Side, hubId: string | null): Identified | undefined {
  if (hubId === null || hubId === "") return undefined;
  const canonical = world.canonical(hubId);
  if (canonical === undefined || canonical.entity !== side.entity) return undefined;
  const links = world.linksFor(canonical.id).filter((link) => link.connection === side.connection);
  if (links.some((link) => link.state === "live")) {
    return {
      kind: "case",
      case: "duplicate",
      candidates: [canonical.id],
      reason:
        "this record bears the hub id of an account that already has a record here (a clone, or a create that landed twice)",
    };
  }
  if (canonical.state === "dead") return restored(canonical);
  const attempts = [...world.sent.values()].filter(
    (sent) =>
      sent.kind === "create" &&
      sent.connection === side.connection &&
      sent.canonicalId === canonical.id &&
      isUnsettled(sent),
  );
  return { kind: "own", canonical, attempts };
}

function byKey(world: World, side: Side, arrived: Arrived, kind: string, found: ReadonlyArray<Canonical>): Identified {
  const ids = found.map((canonical) => canonical.id);
  const [canonical, second] = found;
  if (canonical === undefined) return { kind: "new" };
  if (second !== undefined) {
    return {
      kind: "case",
      case: "match",
      candidates: ids,
      reason: `${found.length} ${side.entity}s share this record's ${kind}; until it is answered, none of them is made in ${side.connection}`,
    };
  }
  if (canonical.state === "dead") return restored(canonical);
  if (world.liveLinks(canonical.id, side.connection).length > 0) {
    if (side.duplicates === "separate") return { kind: "new" };
    if (side.duplicates === "fold") return { kind: "known", canonical, by: kind };
    return {
      kind: "case",
      case: "duplicate",
      candidates: ids,
      reason: `a second record of ${side.connection} has the same ${kind}`,
    };
  }
  if (isWeak(side, kind) && !sameName(side, canonical, arrived)) {
    return {
      kind: "case",
      case: "match",
      candidates: ids,
      reason: `the ${kind} is the same, but the names differ; until it is answered, ${side.connection} gets no second record`,
    };
  }
  return { kind: "known", canonical, by: kind };
}

const restored = (canonical: Canonical): Identified => ({
  kind: "case",
  case: "restore",
  candidates: [canonical.id],
  reason: "this record belongs to an account that was deleted everywhere",
});

/** Phones and shared mailboxes are often those of a switchboard or a parent company. */
const isWeak = (side: Side, kind: string): boolean =>
  kind === "phone" || (side.entity === "account" && kind === "email");

/** Two different tax ids, or logins, are two different parties, whatever else they share. */
function contradicts(canonical: Canonical, arrived: Arrived): boolean {
  for (const field of ["taxId", "login"]) {
    const theirs = canonical.values[field];
    const ours = arrived.decoded.values[field];
    if (typeof theirs === "string" && typeof ours === "string" && theirs !== "" && ours !== "" && theirs !== ours)
      return true;
  }
  return false;
}

function sameName(side: Side, canonical: Canonical, arrived: Arrived): boolean {
  const ours = plainText(displayName(side.entity, arrived.decoded.values));
  return ours !== "" && ours === plainText(displayName(side.entity, canonical.values));
}
