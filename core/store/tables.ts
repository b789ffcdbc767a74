/**
 * The store: one definition of every table, over a column kit.
 *
 * Clear columns hold nothing personal. `sealed` columns hold all personal values of the row as one sealed JSON value
 * under the data key of the account or contact (or under the hub key where there is none). The change log is the
 * history; canonical rows, match keys and words can be rebuilt from it.
 *
 * What a page writes in random order costs most: a table that is little more than its key is made `without rowid`, so
 * that the key is kept once. drizzle has no word for that; it stands in the migration.
 */
import { sql } from "drizzle-orm";
import { type Kit, sqliteKit } from "./kit.ts";

export function defineTables(kit: Kit) {
  const { table, text, integer, json, bytes, index, uniqueIndex, primaryKey } = kit;

  /** Facts about the store itself: the check of its hub key, the next internal numbers. */
  const meta = table("meta", { name: text().primaryKey(), value: text().notNull() });

  /** Which processes work on this store, and which of them keeps which connection going. A released row stays. */
  const leases = table("leases", {
    name: text().primaryKey(),
    /** Who holds it, as JSON; "" once it is released. */
    holder: text().notNull(),
    /** By the clock of the database. */
    until: integer().notNull(),
    /** Grows whenever somebody takes it: what was begun under an earlier one is not committed. */
    epoch: integer().notNull().default(0),
    /** The calls that a holder made shortly before it gave the connection back, for the limits of the next one. */
    spent: json(),
  });

  /** One row a connection: whether it runs, and until when it waits. */
  const connections = table("connections", {
    name: text().primaryKey(),
    system: text().notNull(),
    /** active, paused, held (a brake), failing */
    state: text().notNull(),
    reason: text(),
    pausedUntil: integer("paused_until"),
    /** Who stopped it by hand; null while nobody has. */
    stoppedBy: text("stopped_by"),
    stoppedAt: integer("stopped_at"),
    /** Entities whose first load has been read to its end, as JSON. */
    loaded: json().notNull(),
    mapPrint: json("map_print").notNull(),
    lastRunAt: integer("last_run_at"),
    lastSweepAt: integer("last_sweep_at"),
  });

  /** Resume points: `changes` and `listing` per entity. Saved in the transaction of their page. */
  const cursors = table(
    "cursors",
    {
      connection: text().notNull(),
      entity: text().notNull(),
      mode: text().notNull(),
      cursor: json().notNull(),
      savedAt: integer("saved_at").notNull(),
    },
    (self) => [primaryKey({ columns: [self.connection, self.entity, self.mode] })],
  );

  /** Access tokens, sealed, and counters of daily limits. */
  const tokens = table(
    "tokens",
    { connection: text().notNull(), name: text().notNull(), sealed: bytes().notNull() },
    (self) => [primaryKey({ columns: [self.connection, self.name] })],
  );

  const counters = table(
    "counters",
    { connection: text().notNull(), name: text().notNull(), day: text().notNull(), used: integer().notNull() },
    (self) => [primaryKey({ columns: [self.connection, self.name] })],
  );

  /** The wrapped data key of each account and contact. Deleting a row makes all that it sealed unreadable. */
  const dataKeys = table("data_keys", { owner: text().primaryKey(), wrapped: bytes().notNull() });

  /** The merged view. `provenance`: [source, lower, upper] by field, "" for all fields that are not named. */
  const canonicals = table(
    "canonicals",
    {
      id: text().primaryKey(),
      entity: text().notNull(),
      /** live, dead, merged */
      state: text().notNull(),
      mergedInto: text("merged_into"),
      /** The business name, for search and lists; null for contacts. */
      name: text(),
      /** The account of a contact, the parent of an account: who waits for it. */
      refersTo: text("refers_to"),
      clear: json().notNull(),
      sealed: bytes(),
      provenance: json().notNull(),
      createdAt: integer("created_at").notNull(),
      updatedAt: integer("updated_at").notNull(),
      revision: integer().notNull(),
    },
    (self) => [
      index("canonicals_refers").on(self.refersTo).where(sql`refers_to is not null`),
      index("canonicals_merged").on(self.mergedInto).where(sql`merged_into is not null`),
    ],
  );

  /** The crosswalk: a remote record and the canonical it belongs to, with the evidence of the last read. */
  const links = table(
    "links",
    {
      id: integer().primaryKey(),
      connection: text().notNull(),
      entity: text().notNull(),
      remoteId: text("remote_id").notNull(),
      canonicalId: text("canonical_id"),
      /** live, detached, gone, held, merged */
      state: text().notNull(),
      /** Keyed print of the record as read: an equal one needs no look at the shadow. */
      print: text().notNull(),
      version: text(),
      modifiedAt: integer("modified_at"),
      remoteCreatedAt: integer("remote_created_at"),
      readBegan: integer("read_began").notNull(),
      readEnded: integer("read_ended").notNull(),
      settledAt: integer("settled_at"),
      /** When the record must be fetched before it is believed again. */
      fetchAfter: integer("fetch_after"),
    },
    (self) => [
      uniqueIndex("links_remote").on(self.connection, self.entity, self.remoteId),
      index("links_canonical").on(self.canonicalId),
      index("links_fetch").on(self.connection, self.fetchAfter).where(sql`fetch_after is not null`),
    ],
  );

  /** What we believe a remote record holds: `base` and `held` by field, and what else the link remembers. */
  const shadows = table("shadows", {
    linkId: integer("link_id").primaryKey(),
    clear: json().notNull(),
    sealed: bytes(),
  });

  /** Deterministic keys of live canonicals, as `storedKey` writes them. Personal values are blind. */
  const matchKeys = table(
    "match_keys",
    { value: text().notNull(), canonicalId: text("canonical_id").notNull() },
    (self) => [primaryKey({ columns: [self.value, self.canonicalId] })],
  );

  /** Blind index over whole words of contact names. */
  const words = table("words", { word: text().notNull(), canonicalId: text("canonical_id").notNull() }, (self) => [
    primaryKey({ columns: [self.word, self.canonicalId] }),
  ]);

  /** The append-only history. */
  const changes = table(
    "changes",
    {
      position: integer().primaryKey({ autoIncrement: true }),
      at: integer().notNull(),
      run: text().notNull(),
      connection: text().notNull(),
      entity: text().notNull(),
      canonicalId: text("canonical_id"),
      remoteId: text("remote_id"),
      kind: text().notNull(),
      clear: json().notNull(),
      sealed: bytes(),
    },
    (self) => [
      index("changes_canonical").on(self.canonicalId),
      index("changes_filled").on(self.run).where(sql`kind = 'filled'`),
    ],
  );

  /** Conflicts and cases: everything that two systems disagree on, or that a person must decide. */
  const conflicts = table(
    "conflicts",
    {
      id: text().primaryKey(),
      kind: text().notNull(),
      entity: text().notNull(),
      canonicalId: text("canonical_id"),
      connection: text(),
      remoteId: text("remote_id"),
      field: text(),
      /** settled, open, resolved, reopened, closed, undone */
      state: text().notNull(),
      rule: text(),
      winner: text(),
      run: text().notNull(),
      openedAt: integer("opened_at").notNull(),
      updatedAt: integer("updated_at").notNull(),
      clear: json().notNull(),
      sealed: bytes(),
    },
    (self) => [
      index("conflicts_canonical").on(self.canonicalId, self.field),
      index("conflicts_open").on(self.openedAt).where(sql`state in ('open', 'reopened')`),
      index("conflicts_record").on(self.connection, self.remoteId).where(sql`state in ('open', 'reopened')`),
      index("conflicts_run").on(self.run),
    ],
  );

  /** Accounts whose first meetings wait for the end of the load. */
  const meetings = table("meetings", { canonicalId: text("canonical_id").primaryKey(), run: text().notNull() });

  /** Who is due where. Never a payload. */
  const outbox = table(
    "outbox",
    {
      canonicalId: text("canonical_id").notNull(),
      connection: text().notNull(),
      entity: text().notNull(),
      revision: integer().notNull(),
      dueAt: integer("due_at").notNull(),
      attempts: integer().notNull(),
      claim: text(),
      claimedRevision: integer("claimed_revision"),
      reason: text(),
    },
    (self) => [
      primaryKey({ columns: [self.connection, self.canonicalId] }),
      index("outbox_due").on(self.connection, self.dueAt),
    ],
  );

  /** What a claim was about to send, until its outcome is known. Never sent again. */
  const sent = table(
    "sent",
    {
      id: text().primaryKey(),
      connection: text().notNull(),
      entity: text().notNull(),
      canonicalId: text("canonical_id").notNull(),
      linkId: integer("link_id"),
      kind: text().notNull(),
      at: integer().notNull(),
      /** open, seen, unclear, pending, closed */
      state: text().notNull(),
      clear: json().notNull(),
      sealed: bytes(),
    },
    (self) => [index("sent_open").on(self.connection, self.canonicalId).where(sql`state <> 'closed'`)],
  );

  /**
   * What systems said, as received: webhook calls (`delivery`, whose entity is not known before they are read) and
   * pages that a brake holds (`page`). Calls stay for a while after they were read, so that they can be read again.
   */
  const inbox = table(
    "inbox",
    {
      id: integer().primaryKey({ autoIncrement: true }),
      connection: text().notNull(),
      /** page, delivery */
      kind: text().notNull(),
      entity: text(),
      /** held, unread, read, unreadable */
      state: text().notNull(),
      /** What makes a call the same call: the sender's id for it, or a print of the body while it is unread. */
      key: text(),
      caseId: text("case_id"),
      receivedAt: integer("received_at").notNull(),
      readAt: integer("read_at"),
      sealed: bytes().notNull(),
    },
    (self) => [
      uniqueIndex("inbox_key").on(self.connection, self.key).where(sql`key is not null`),
      index("inbox_open").on(self.connection, self.state, self.id).where(sql`state in ('held', 'unread')`),
    ],
  );

  /** What a vendor calls us by: one row a channel that we have asked it for. */
  const subscriptions = table(
    "subscriptions",
    {
      connection: text().notNull(),
      /** The channel's id at the vendor. */
      remoteId: text("remote_id").notNull(),
      /** asked, live */
      state: text().notNull(),
      /** Why the last try failed. */
      reason: text(),
      expiresAt: integer("expires_at"),
      checkedAt: integer("checked_at").notNull(),
      /** The secret that its calls carry, and where they go. */
      sealed: bytes().notNull(),
    },
    (self) => [primaryKey({ columns: [self.connection, self.remoteId] })],
  );

  /** When each schedule has last fired, and who runs it now. */
  const schedules = table(
    "schedules",
    {
      connection: text().notNull(),
      /** pull, sweep, upkeep */
      kind: text().notNull(),
      /** The instant of the schedule that was fired, not the one at which it ran. */
      firedAt: integer("fired_at"),
      holder: text(),
      until: integer(),
    },
    (self) => [primaryKey({ columns: [self.connection, self.kind] })],
  );

  /** Keys of the HTTP API. The secret itself is shown once and never kept. */
  const apiKeys = table(
    "api_keys",
    {
      id: text().primaryKey(),
      name: text().notNull(),
      /** viewer, analyst, steward, operator, auditor, admin */
      role: text().notNull(),
      /** Scopes beside those of the role. */
      scopes: json().notNull(),
      hash: text().notNull(),
      createdAt: integer("created_at").notNull(),
      createdBy: text("created_by").notNull(),
      expiresAt: integer("expires_at"),
      revokedAt: integer("revoked_at"),
      revokedBy: text("revoked_by"),
      lastUsedAt: integer("last_used_at"),
      /** The connection whose records it may push; null for keys of people and programs. */
      connection: text(),
    },
    (self) => [uniqueIndex("api_keys_hash").on(self.hash)],
  );

  /**
   * Records of systems that push theirs here (SCIM): kept as sent, and read from here as from any other system. A deleted
   * one stays as a row without content.
   */
  const resources = table(
    "resources",
    {
      connection: text().notNull(),
      id: text().notNull(),
      /** User, Group */
      type: text().notNull(),
      /** Grows with every change in the connection: whoever has read up to one misses none. */
      change: integer().notNull(),
      /** Grows by one with every change of the record. */
      version: integer().notNull(),
      createdAt: integer("created_at").notNull(),
      modifiedAt: integer("modified_at").notNull(),
      /** Blind; null where the type has no unique name, and for deleted ones. */
      uniqueName: text("unique_name"),
      /** Null for deleted ones. */
      sealed: bytes(),
    },
    (self) => [
      primaryKey({ columns: [self.connection, self.id] }),
      uniqueIndex("resources_change").on(self.connection, self.change),
      uniqueIndex("resources_name").on(self.connection, self.type, self.uniqueName).where(sql`unique_name is not null`),
    ],
  );

  /** Answers to writes that came with an Idempotency-Key, for when the same call comes again. */
  const idempotency = table(
    "idempotency",
    {
      actor: text().notNull(),
      key: text().notNull(),
      /** Keyed print of method, path and body. */
      print: text().notNull(),
      at: integer().notNull(),
      status: integer(),
      sealed: bytes(),
    },
    (self) => [primaryKey({ columns: [self.actor, self.key] }), index("idempotency_at").on(self.at)],
  );

  /** What was alarmed about, so that one trouble is told once and its end too. */
  const alerts = table(
    "alerts",
    {
      rule: text().notNull(),
      /** The connection, or "" for the hub. */
      subject: text().notNull(),
      /** firing, ended */
      state: text().notNull(),
      since: integer().notNull(),
      toldAt: integer("told_at"),
      detail: json().notNull(),
    },
    (self) => [primaryKey({ columns: [self.rule, self.subject] })],
  );

  /** What will not succeed alone. */
  const deadLetters = table(
    "dead_letters",
    {
      id: text().primaryKey(),
      connection: text().notNull(),
      entity: text().notNull(),
      canonicalId: text("canonical_id").notNull(),
      remoteId: text("remote_id").notNull(),
      field: text().notNull(),
      move: text().notNull(),
      code: text().notNull(),
      reason: text().notNull(),
      remedy: text().notNull(),
      state: text().notNull(),
      attempts: integer().notNull(),
      firstAt: integer("first_at").notNull(),
      lastAt: integer("last_at").notNull(),
      sealed: bytes(),
    },
    (self) => [
      uniqueIndex("dead_letters_subject").on(
        self.connection,
        self.entity,
        self.canonicalId,
        self.remoteId,
        self.field,
        self.move,
      ),
      index("dead_letters_state").on(self.state, self.connection),
    ],
  );

  /** One run of one connection, with its counts. */
  const runs = table(
    "runs",
    {
      id: text().primaryKey(),
      connection: text().notNull(),
      startedAt: integer("started_at").notNull(),
      endedAt: integer("ended_at"),
      outcome: text().notNull(),
      counts: json().notNull(),
    },
    (self) => [index("runs_connection").on(self.connection, self.startedAt)],
  );

  /** Records that one source has deleted, blanked or overwritten, and when last: what the brake counts over its window. */
  const brakeMarks = table(
    "brake_marks",
    {
      connection: text().notNull(),
      /** deletes, blanks, overwrites */
      kind: text().notNull(),
      /** A canonical id, or entity and blind remote id. */
      record: text().notNull(),
      at: integer().notNull(),
    },
    (self) => [
      primaryKey({ columns: [self.connection, self.kind, self.record] }),
      index("brake_marks_window").on(self.connection, self.kind, self.at),
    ],
  );

  /** Who did what. `sequence` and `hash` are filled by the linker. */
  const audit = table(
    "audit",
    {
      id: integer().primaryKey({ autoIncrement: true }),
      at: integer().notNull(),
      actor: text().notNull(),
      action: text().notNull(),
      subject: text().notNull(),
      detail: json().notNull(),
      sequence: integer(),
      hash: text(),
    },
    (self) => [uniqueIndex("audit_sequence").on(self.sequence)],
  );

  return {
    meta,
    leases,
    connections,
    cursors,
    tokens,
    counters,
    dataKeys,
    canonicals,
    links,
    shadows,
    matchKeys,
    words,
    changes,
    conflicts,
    meetings,
    outbox,
    sent,
    inbox,
    subscriptions,
    schedules,
    apiKeys,
    resources,
    idempotency,
    alerts,
    deadLetters,
    runs,
    brakeMarks,
    audit,
  };
}

export const tables = defineTables(sqliteKit);

export const {
  meta,
  leases,
  connections,
  cursors,
  tokens,
  counters,
  dataKeys,
  canonicals,
  links,
  shadows,
  matchKeys,
  words,
  changes,
  conflicts,
  meetings,
  outbox,
  sent,
  inbox,
  subscriptions,
  schedules,
  apiKeys,
  resources,
  idempotency,
  alerts,
  deadLetters,
  runs,
  brakeMarks,
  audit,
} = tables;
