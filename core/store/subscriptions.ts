/** The channels by which vendors call us: one row a channel that we have asked a vendor for, its secrets sealed. */
import { asc, eq } from "drizzle-orm";
import { type AuditEntry, noteAudit } from "./audit.ts";
import type { Database, Row } from "./database.ts";
import type { Store } from "./open.ts";
import { subscriptions } from "./tables.ts";

/** A secret that calls are accepted with. */
export interface ChannelSecret {
  readonly text: string;
  readonly since: number;
  /** The end of the overlap; null while nothing has taken over from it. */
  readonly until: number | null;
}

export interface Subscription {
  readonly connection: string;
  /** The channel's id at the vendor. */
  readonly id: string;
  /** `asked`: the vendor may or may not have it; `live`: it has confirmed it. */
  readonly state: "asked" | "live";
  /** Why the last try failed. */
  readonly reason: string | null;
  readonly expiresAt: number | null;
  /** When the vendor was last asked. */
  readonly checkedAt: number;
  /** Where its calls go. */
  readonly url: string;
  /** When the vendor last confirmed it. */
  readonly savedAt: number;
  /** The first one is what the vendor was told last. */
  readonly secrets: ReadonlyArray<ChannelSecret>;
}

type Sealed = Pick<Subscription, "url" | "savedAt" | "secrets">;

const purposeOf = (connection: string): string => `channel ${connection}`;

function subscriptionOf({ sealer }: Store, row: Row<typeof subscriptions>): Subscription {
  // Written by saveSubscription only.
  const sealed = sealer.openHub(purposeOf(row.connection), row.sealed) as Sealed;
  return {
    connection: row.connection,
    id: row.remoteId,
    state: row.state === "live" ? "live" : "asked",
    reason: row.reason,
    expiresAt: row.expiresAt,
    checkedAt: row.checkedAt,
    ...sealed,
  };
}

/** Of all connections, also of those that are gone from the YAML. */
export const listSubscriptions = (store: Store) =>
  store.database.read("reading the channels", async () => {
    const rows = await store.database.db.select().from(subscriptions).orderBy(asc(subscriptions.connection));
    return rows.map((row) => subscriptionOf(store, row));
  });

/** The channel of a connection; null where it has none. */
export const readSubscription = (store: Store, connection: string) =>
  store.database.read("reading a channel", async () => {
    const row = await store.database.db
      .select()
      .from(subscriptions)
      .where(eq(subscriptions.connection, connection))
      .get();
    return row === undefined ? null : subscriptionOf(store, row);
  });

/** Keeps this as the connection's one channel, in the place of the one that was. */
export const saveSubscription = (store: Store, channel: Subscription, audit: ReadonlyArray<AuditEntry>) =>
  store.database.write("keeping a channel", async () => {
    const { connection, id, state, reason, expiresAt, checkedAt, url, savedAt, secrets } = channel;
    const sealed = store.sealer.sealHub(purposeOf(connection), { url, savedAt, secrets } satisfies Sealed);
    await store.database.db.delete(subscriptions).where(eq(subscriptions.connection, connection));
    const row = { connection, remoteId: id, state, reason, expiresAt, checkedAt, sealed };
    await store.database.insert(subscriptions, [row], "replace");
    await noteAudit(store.database, audit);
  });

export const dropSubscription = (database: Database, connection: string, audit: ReadonlyArray<AuditEntry>) =>
  database.write("dropping a channel", async () => {
    await database.db.delete(subscriptions).where(eq(subscriptions.connection, connection));
    await noteAudit(database, audit);
  });
