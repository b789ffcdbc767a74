/**
 * The working set of one decision: what a transaction has loaded, and what the pure rules change in it.
 *
 * Rows are plain mutable drafts; the rules touch them through the World, which remembers what must be written back.
 * Nothing here knows a database, a clock or a network.
 */
import type { Entity } from "./field.ts";
import type { Interval } from "./interval.ts";
import type { Value } from "./value.ts";

/** Where a canonical value came from, and when it was changed there. */
export interface Provenance {
  readonly source: string;
  readonly interval: Interval | null;
  /** When a person decided for it: a pin. */
  readonly pinnedAt?: number;
  /** A pin that is a lock until it is released. */
  readonly hold?: true;
}

/** Earlier values of a field within the flip window, to see a war (D17). */
export interface Flip {
  readonly value: Value;
  readonly at: number;
}

export interface Canonical {
  readonly id: string;
  readonly entity: Entity;
  state: "live" | "dead" | "merged";
  mergedInto: string | null;
  values: Record<string, Value>;
  provenance: Record<string, Provenance>;
  flips: Record<string, ReadonlyArray<Flip>>;
  readonly createdAt: number;
  updatedAt: number;
  revision: number;
}

/** What one link remembers of one field; see SEMANTICS D1. */
export interface ShadowField {
  /** The canonical value that the remote value stands for. */
  base: Value;
  /** The canonical form of what the system holds. */
  held: Value;
  /**
   * Set while this system's own news is a candidate beside the canonical value: it lost, or says the same.
   * `waits`: a first meeting that is judged when all connections of the load have been read (D10).
   */
  lost?: { readonly interval: Interval | null; readonly waits?: true };
  refused?: { readonly value: Value; readonly code: string; readonly reason: string };
  /** The system has told a value that was not empty, at least once (D11). */
  spoke?: true;
  /** What is held was written by the hub; the system itself has told no value yet (D11). */
  mute?: true;
  /** The conflict that froze the field for this link (D17). */
  frozen?: string;
  /** How often the hub wrote this value because the system changed it back. */
  rewrites?: { readonly value: Value; readonly count: number; readonly since: number };
}

export interface Shadow {
  fields: Record<string, ShadowField>;
  /** Created by us in that many version steps and not read since: what the system filled in itself is not news (D4). */
  fresh?: number;
  /** The receipt of our last write, until a read has confirmed it. */
  receipt?: {
    readonly version?: string;
    readonly modifiedAt?: number;
    readonly fields: ReadonlyArray<string>;
    /** Our clock when the write began: an edit of these fields that differs from what was written came later (D20). */
    readonly at: number;
  };
  /** References whose target is not linked yet: remote ids by field. */
  waiting?: Record<string, string>;
  /** The delete that waits for its quarantine to end. */
  deleted?: { readonly at: number; readonly run: string };
  /** A person's answer for a held record: make it a canonical of its own. */
  separate?: true;
  /** A person unlinked the record: it is no restore when a later read shows it alive (D23). */
  unlinked?: true;
  /** A person asked that the account be created here again (D14). */
  asked?: true;
  /** Fields that could not be read last time, so that their dead letters close once they can. */
  unreadable?: ReadonlyArray<string>;
}

export interface Link {
  readonly id: number;
  readonly connection: string;
  readonly entity: Entity;
  readonly remoteId: string;
  canonicalId: string | null;
  /** live; detached (deleted there, the others keep it); gone (deleted there and everywhere, or ignored); held (a case decides); merged (an alias of another link) */
  state: "live" | "detached" | "gone" | "held" | "merged";
  print: string;
  version: string | null;
  modifiedAt: number | null;
  remoteCreatedAt: number | null;
  readBegan: number;
  readEnded: number;
  settledAt: number | null;
  fetchAfter: number | null;
  shadow: Shadow;
}

export interface ConflictCandidate {
  readonly source: string;
  readonly value: Value;
  readonly lower: number | null;
  readonly upper: number | null;
  readonly remoteId?: string;
  /** A person asked for it over a value that had changed; it waits for their answer. */
  readonly asked?: true;
}

export const conflictKinds = [
  "value", // systems changed one field
  "match", // a record fits several accounts, or fits one uncertainly
  "duplicate", // a second record of one system fits an account
  "merge", // a deleted record looks merged into another
  "delete", // a delete against an update
  "restore", // a record came back after its delete had been propagated
  "cycle", // references that would close a circle
  "brake", // too many deletes, blanks or overwrites at once
  "freeze", // two sides keep changing a field back
  "late", // a late landing of our write, or a person's return to an earlier value
  "overwrite", // an edit that nobody read may have been overwritten
  "stored-differently", // the system keeps something else than was sent
] as const;

export type ConflictKind = (typeof conflictKinds)[number];

export interface Conflict {
  readonly id: string;
  readonly kind: ConflictKind;
  readonly entity: Entity;
  readonly canonicalId: string | null;
  readonly connection: string | null;
  readonly remoteId: string | null;
  readonly field: string | null;
  state: "settled" | "open" | "resolved" | "reopened" | "closed" | "undone";
  rule: string | null;
  winner: string | null;
  readonly run: string;
  readonly openedAt: number;
  updatedAt: number;
  /** Plain words: why it is open, or why it was settled so. */
  reason: string;
  base: Value;
  /** The value that the decision produced. */
  result: Value;
  /** The canonical value before the decision. */
  previous: Value;
  candidates: ReadonlyArray<ConflictCandidate>;
  /** What a case needs beside values: ids, counts. Never personal. */
  detail: Readonly<Record<string, unknown>>;
}

export const changeKinds = [
  "created",
  "linked",
  "changed",
  "filled",
  "overruled",
  "met",
  "deleted",
  "detached",
  "restored",
  "merged",
  "unmerged",
  "unlinked",
  "relinked",
  "pushed",
  "echo",
  "noted",
  "renamed", // a connection has another name from here on
] as const;

/** One row of the append-only log. `set` folds into the canonical row; `from` and `news` keep what it replaced or refused. */
export interface ChangeRow {
  readonly at: number;
  readonly run: string;
  readonly connection: string;
  readonly entity: Entity;
  readonly canonicalId: string | null;
  readonly remoteId: string | null;
  readonly kind: (typeof changeKinds)[number];
  readonly set?: Readonly<Record<string, Value>>;
  readonly from?: Readonly<Record<string, Value>>;
  readonly news?: Readonly<Record<string, Value>>;
  readonly provenance?: Readonly<Record<string, Provenance>>;
  /** Facts without personal values: rules, counts, states. */
  readonly note?: Readonly<Record<string, unknown>>;
}

/** A write whose outcome is open, or was open when the process ended. */
export interface Sent {
  readonly id: string;
  readonly connection: string;
  readonly entity: Entity;
  readonly canonicalId: string;
  linkId: number | null;
  readonly kind: "create" | "update" | "delete";
  readonly at: number;
  /**
   * open: under way; seen: a read has shown its outcome before its answer came; unclear: no answer; pending: accepted
   * there, not effective yet; closed: the outcome is known
   */
  state: "open" | "seen" | "unclear" | "pending" | "closed";
  /** Canonical values that were about to be sent, by field. */
  readonly values: Readonly<Record<string, Value>>;
  /** The base that each replaced. */
  readonly replaced: Readonly<Record<string, Value>>;
  /** What the write named as its precondition; null where it went without one. */
  readonly precondition: { readonly version?: string; readonly modifiedAt?: number } | null;
  /** The record's counter when an update without a precondition went. */
  readonly versionBefore?: string;
  /** Another write of ours has gone through since: an equal value does not tell any more that this one has landed. */
  covered?: true;
}

/** Its outcome is not known. */
export const isUnsettled = (sent: Pick<Sent, "state">): boolean => sent.state !== "closed" && sent.state !== "seen";

/** Due somewhere: bumping the revision keeps a change that lands during a push. */
export interface Due {
  readonly canonicalId: string;
  readonly connection: string;
  readonly entity: Entity;
  readonly reason: string;
}

/** Aliases of merged canonicals are followed that far. */
const aliasesMax = 32;

export interface DeadLetter {
  readonly connection: string;
  readonly entity: Entity;
  readonly canonicalId: string;
  readonly remoteId: string;
  readonly field: string;
  readonly move: "pull" | "push";
  readonly code: string;
  readonly reason: string;
  readonly remedy: string;
  /** Sealed with the row. */
  readonly value?: unknown;
}

export interface Counts {
  created: number;
  linked: number;
  changed: number;
  unchanged: number;
  filled: number;
  settled: number;
  opened: number;
  overruled: number;
  deleted: number;
  restored: number;
  stale: number;
  wentBack: number;
  echoes: number;
  bad: number;
  /** Records that only a full sweep showed to be different. */
  missed: number;
}

export const noCounts = (): Counts => ({
  created: 0,
  linked: 0,
  changed: 0,
  unchanged: 0,
  filled: 0,
  settled: 0,
  opened: 0,
  overruled: 0,
  deleted: 0,
  restored: 0,
  stale: 0,
  wentBack: 0,
  echoes: 0,
  bad: 0,
  missed: 0,
});

const linkKey = (connection: string, entity: Entity, remoteId: string): string =>
  `${connection}\n${entity}\n${remoteId}`;
const keyKey = (entity: Entity, kind: string, value: string): string => `${entity}\n${kind}\n${value}`;

/** Nobody has decided it yet. */
export const isOpen = (conflict: { readonly state: string }): boolean =>
  conflict.state === "open" || conflict.state === "reopened";

/** Accounts or contacts that a case is about. */
export function subjectsOf({ canonicalId, detail }: Pick<Conflict, "canonicalId" | "detail">): ReadonlyArray<string> {
  const named = Array.isArray(detail.candidates) ? detail.candidates.filter((id) => typeof id === "string") : [];
  return canonicalId === null || named.includes(canonicalId) ? named : [canonicalId, ...named];
}

function addTo(index: Map<string, Set<Conflict>>, key: string, conflict: Conflict): void {
  const rows = index.get(key);
  if (rows === undefined) index.set(key, new Set([conflict]));
  else rows.add(conflict);
}

export interface MatchKeyRow {
  readonly entity: Entity;
  readonly kind: string;
  readonly value: string;
  readonly canonicalId: string;
}

export interface WorldRows {
  readonly canonicals: Iterable<Canonical>;
  readonly links: Iterable<Link>;
  readonly keys: Iterable<{
    readonly entity: Entity;
    readonly kind: string;
    readonly value: string;
    readonly canonicalId: string;
  }>;
  readonly conflicts: Iterable<Conflict>;
  readonly sent: Iterable<Sent>;
  /** Canonicals and connections with a claim under way. */
  readonly claims: Iterable<{ readonly canonicalId: string; readonly connection: string }>;
  readonly meetings: Iterable<string>;
  /**
   * Values that a connection refused for a record it does not have yet: by canonical, connection and field; without a
   * field the revision whose create it refused as a whole.
   */
  readonly refusals: Iterable<{
    readonly canonicalId: string;
    readonly connection: string;
    readonly field: string;
    readonly value: Value;
  }>;
}

export class World {
  readonly canonicals = new Map<string, Canonical>();
  readonly links = new Map<string, Link>();
  readonly linksById = new Map<number, Link>();
  readonly linksOf = new Map<string, Set<Link>>();
  readonly keys = new Map<string, Set<string>>();
  readonly conflicts = new Map<string, Conflict>();
  readonly #conflictsOf = new Map<string, Set<Conflict>>();
  readonly #conflictsAt = new Map<string, Set<Conflict>>();
  readonly sent = new Map<string, Sent>();
  readonly claims = new Set<string>();
  readonly meetings = new Set<string>();
  readonly refusals = new Map<string, Value>();

  readonly changedCanonicals = new Map<string, "new" | "changed">();
  /** Values of changed canonicals before this decision, to find out which match keys went. */
  readonly before = new Map<string, Readonly<Record<string, Value>>>();
  readonly newKeys: Array<MatchKeyRow> = [];
  readonly changedLinks = new Map<Link, "new" | "changed">();
  /** Changed links of which only the evidence changed. */
  readonly quiet = new Set<Link>();
  /** Links that a record came alive under: whoever refers to their canonical may have waited for it. */
  readonly arrived = new Set<Link>();
  /** Canonicals whose record showed a smaller version than before. */
  readonly wentBack = new Set<string>();
  /** Records that this page says were deleted, as `entity id`. */
  readonly deleted = new Set<string>();
  readonly changedConflicts = new Map<Conflict, "new" | "changed">();
  readonly changedSent = new Map<Sent, "new" | "changed">();
  readonly newMeetings = new Map<string, string>();
  readonly metMeetings = new Set<string>();
  readonly log: Array<ChangeRow> = [];
  readonly due = new Map<string, Due>();
  readonly deadLetters: Array<DeadLetter> = [];
  readonly healed: Array<Pick<DeadLetter, "connection" | "entity" | "canonicalId" | "remoteId" | "field" | "move">> =
    [];
  readonly counts: Counts = noCounts();

  constructor(rows: WorldRows) {
    for (const canonical of rows.canonicals) this.canonicals.set(canonical.id, canonical);
    for (const link of rows.links) this.#index(link);
    for (const key of rows.keys) this.#addKey(key.entity, key.kind, key.value, key.canonicalId);
    for (const conflict of rows.conflicts) this.keepConflict(conflict);
    for (const sent of rows.sent) this.sent.set(sent.id, sent);
    for (const claim of rows.claims) this.claims.add(`${claim.connection}\n${claim.canonicalId}`);
    for (const id of rows.meetings) this.meetings.add(id);
    for (const row of rows.refusals)
      this.refusals.set(`${row.connection}\n${row.canonicalId}\n${row.field}`, row.value);
  }

  link(connection: string, entity: Entity, remoteId: string): Link | undefined {
    return this.links.get(linkKey(connection, entity, remoteId));
  }

  /** The canonical of an id, through aliases of merged ones; undefined if it is not loaded. */
  canonical(id: string): Canonical | undefined {
    let found = this.canonicals.get(id);
    for (let hops = 0; found?.state === "merged" && found.mergedInto !== null && hops < aliasesMax; hops++) {
      found = this.canonicals.get(found.mergedInto);
    }
    return found;
  }

  /** Links of a canonical, in a fixed order. */
  linksFor(canonicalId: string): ReadonlyArray<Link> {
    const links = this.linksOf.get(canonicalId);
    return links === undefined ? [] : [...links].sort((one, other) => one.id - other.id);
  }

  liveLinks(canonicalId: string, connection?: string): ReadonlyArray<Link> {
    return this.linksFor(canonicalId).filter(
      (link) => link.state === "live" && (connection === undefined || link.connection === connection),
    );
  }

  /** Takes in a row that the store holds; a row that is there already stays. */
  keepConflict(conflict: Conflict): void {
    if (this.conflicts.has(conflict.id)) return;
    this.conflicts.set(conflict.id, conflict);
    const { canonicalId, connection, remoteId, entity } = conflict;
    if (canonicalId !== null) addTo(this.#conflictsOf, canonicalId, conflict);
    if (connection !== null && remoteId !== null) {
      addTo(this.#conflictsAt, linkKey(connection, entity, remoteId), conflict);
    }
  }

  /** Every loaded row about a canonical, open or not. */
  conflictsOf(canonicalId: string): ReadonlyArray<Conflict> {
    return [...(this.#conflictsOf.get(canonicalId) ?? [])];
  }

  /** The open question whether a record of this connection belongs to this account. */
  openMatch(connection: string, canonicalId: string): Conflict | undefined {
    for (const conflict of this.conflicts.values()) {
      if (conflict.kind !== "match" || conflict.connection !== connection || !isOpen(conflict)) continue;
      if (subjectsOf(conflict).some((id) => this.canonical(id)?.id === canonicalId)) return conflict;
    }
    return undefined;
  }

  openConflict(canonicalId: string, field: string): Conflict | undefined {
    for (const conflict of this.#conflictsOf.get(canonicalId) ?? []) {
      if (conflict.field === field && conflict.kind === "value" && isOpen(conflict)) return conflict;
    }
    return undefined;
  }

  /** Open rows about one record, of one kind or of any. */
  openCases(
    record: { readonly connection: string; readonly entity: Entity; readonly remoteId: string },
    kind?: ConflictKind,
  ): ReadonlyArray<Conflict> {
    const rows = this.#conflictsAt.get(linkKey(record.connection, record.entity, record.remoteId)) ?? [];
    return [...rows].filter((conflict) => (kind === undefined || conflict.kind === kind) && isOpen(conflict));
  }

  /** Open writes that concern a link, or creates of its canonical in its connection. */
  openSent(link: {
    readonly id: number;
    readonly connection: string;
    readonly canonicalId: string | null;
  }): ReadonlyArray<Sent> {
    if (this.sent.size === 0) return [];
    return [...this.sent.values()].filter(
      (sent) =>
        isUnsettled(sent) &&
        sent.connection === link.connection &&
        (sent.linkId === link.id || (sent.linkId === null && sent.canonicalId === link.canonicalId)),
    );
  }

  /** Takes in what another load found; what is here already stays as it is. */
  adopt(other: World): void {
    for (const [id, canonical] of other.canonicals) if (!this.canonicals.has(id)) this.canonicals.set(id, canonical);
    for (const link of other.linksById.values()) if (!this.linksById.has(link.id)) this.#index(link);
    for (const [key, ids] of other.keys) {
      const known = this.keys.get(key);
      if (known === undefined) this.keys.set(key, new Set(ids));
      else for (const id of ids) known.add(id);
    }
    for (const conflict of other.conflicts.values()) this.keepConflict(conflict);
  }

  isClaimed(connection: string, canonicalId: string): boolean {
    return this.claims.has(`${connection}\n${canonicalId}`);
  }

  /** The value of a create that the connection refused, if it did. */
  refusal(connection: string, canonicalId: string, field: string): Value | undefined {
    return this.refusals.get(`${connection}\n${canonicalId}\n${field}`);
  }

  candidates(entity: Entity, kind: string, value: string): ReadonlyArray<string> {
    const known = this.keys.get(keyKey(entity, kind, value));
    if (known === undefined) return [];
    const ids = new Set<string>();
    for (const id of known) {
      const canonical = this.canonical(id);
      if (canonical !== undefined) ids.add(canonical.id);
    }
    return [...ids].sort();
  }

  addCanonical(canonical: Canonical): void {
    this.canonicals.set(canonical.id, canonical);
    this.changedCanonicals.set(canonical.id, "new");
    this.before.set(canonical.id, {});
  }

  /** Call before the first change of a canonical's values. */
  touch(canonical: Canonical, at: number): void {
    // A merged canonical has no match keys of its own any more.
    if (!this.before.has(canonical.id))
      this.before.set(canonical.id, canonical.state === "merged" ? {} : { ...canonical.values });
    if (!this.changedCanonicals.has(canonical.id)) {
      this.changedCanonicals.set(canonical.id, "changed");
      canonical.revision += 1;
    }
    canonical.updatedAt = at;
  }

  addLink(link: Link): void {
    this.#index(link);
    this.changedLinks.set(link, "new");
    if (link.state === "live") this.arrived.add(link);
  }

  touchLink(link: Link): void {
    if (!this.changedLinks.has(link)) this.changedLinks.set(link, "changed");
    this.quiet.delete(link);
  }

  /** Only the evidence of the link has changed: nothing becomes due by that. */
  touchEvidence(link: Link): void {
    if (this.changedLinks.has(link)) return;
    this.changedLinks.set(link, "changed");
    this.quiet.add(link);
  }

  /** Moves a link to another canonical (or to none). */
  relink(link: Link, canonicalId: string | null): void {
    if (link.canonicalId !== null) this.linksOf.get(link.canonicalId)?.delete(link);
    link.canonicalId = canonicalId;
    this.#index(link);
    this.touchLink(link);
    this.arrived.add(link);
  }

  /** A record under this link is alive again. */
  revive(link: Link): void {
    link.state = "live";
    delete link.shadow.deleted;
    delete link.shadow.unlinked;
    delete link.shadow.asked;
    this.touchLink(link);
    this.arrived.add(link);
  }

  /** A match key that is not in the store yet. */
  addKey(entity: Entity, kind: string, value: string, canonicalId: string): void {
    this.#addKey(entity, kind, value, canonicalId);
    this.newKeys.push({ entity, kind, value, canonicalId });
  }

  addConflict(conflict: Conflict): void {
    this.keepConflict(conflict);
    this.changedConflicts.set(conflict, "new");
  }

  touchConflict(conflict: Conflict, at: number): void {
    conflict.updatedAt = at;
    if (!this.changedConflicts.has(conflict)) this.changedConflicts.set(conflict, "changed");
  }

  addSent(sent: Sent): void {
    this.sent.set(sent.id, sent);
    this.changedSent.set(sent, "new");
  }

  closeSent(sent: Sent): void {
    sent.state = "closed";
    this.touchSent(sent);
  }

  /** A read has shown the outcome; what is under way is closed by its answer, or by whoever finds that none will come. */
  seeSent(sent: Sent): void {
    sent.state = sent.state === "open" ? "seen" : "closed";
    this.touchSent(sent);
  }

  touchSent(sent: Sent): void {
    if (!this.changedSent.has(sent)) this.changedSent.set(sent, "changed");
  }

  markDue(due: Due): void {
    this.due.set(`${due.connection}\n${due.canonicalId}`, due);
  }

  #index(link: Link): void {
    this.links.set(linkKey(link.connection, link.entity, link.remoteId), link);
    this.linksById.set(link.id, link);
    if (link.canonicalId === null) return;
    const links = this.linksOf.get(link.canonicalId);
    if (links === undefined) this.linksOf.set(link.canonicalId, new Set([link]));
    else links.add(link);
  }

  #addKey(entity: Entity, kind: string, value: string, canonicalId: string): void {
    const key = keyKey(entity, kind, value);
    const ids = this.keys.get(key);
    if (ids === undefined) this.keys.set(key, new Set([canonicalId]));
    else ids.add(canonicalId);
  }
}
