/**
 * The inbox: calls as they came in, sealed whole, read later, and kept for a while so that they can be read again.
 *
 * A call that comes twice is kept once: by the sender's id for as long as the row is kept, and where it gives none, an
 * equal body is the same call only while the earlier one is unread.
 */
import { and, asc, eq, gte, inArray, lt, min, sql } from "drizzle-orm";
import type { HookCall } from "../net/webhook.ts";
import type { Sealer } from "../security/seal.ts";
import type { Database } from "./database.ts";
import { createGroupCommit } from "./group-commit.ts";
import type { NewCall } from "./inbox-writer.ts";
import type { Store } from "./open.ts";
import { inbox } from "./tables.ts";
import { isWaiting } from "./waiting.ts";

/** A call to be kept. */
export interface Delivery {
  readonly connection: string;
  /** The sender's id for it; null where it gives none. */
  readonly key: string | null;
  readonly call: HookCall;
}

/** `stored`, or `known` because the same call is there already. */
export type Stored = "stored" | "known";

export interface Receiver {
  /**
   * Resolves once the call is on disk.
   *
   * Errors  StoreFailed: nothing was kept, the sender must come again. Overloaded: too many wait for the disk.
   */
  readonly take: (delivery: Delivery) => Promise<Stored>;
  /** Resolves when nothing waits for its commit any more and the writer has ended. */
  readonly close: () => Promise<void>;
}

const bounds = { batchMax: 1000, waitingMax: 20_000, waitingBytesMax: 64 * 1024 * 1024 };

/** `onStored` hears of every commit that kept something new. */
export function createReceiver(store: Store, onStored: (connections: ReadonlySet<string>) => void): Receiver {
  const { sealer } = store;
  const writer = store.inboxWriter();
  const group = createGroupCommit<Delivery, Stored>({
    ...bounds,
    bytesOf: ({ call }) => call.body.length,
    commit: async (batch) => {
      const isNew = await writer.write(batch.map((delivery) => rowOf(sealer, delivery)));
      const news = new Set(batch.filter((_, index) => isNew[index]).map(({ connection }) => connection));
      if (news.size > 0) onStored(news);
      return isNew.map((one) => (one ? "stored" : "known"));
    },
  });
  return {
    take: group.add,
    close: async () => {
      await group.idle();
      await writer.close();
    },
  };
}

function rowOf(sealer: Sealer, { connection, key, call }: Delivery): NewCall {
  return {
    connection,
    key: key === null ? `body ${sealer.blind("inbox body", call.body)}` : `id ${sealer.blind("inbox id", key)}`,
    receivedAt: call.receivedAt,
    sealed: sealer.sealHubBytes("inbox", packed(call)),
  };
}

/** The length of the head in four bytes, headers and query as JSON, then the body as it was. */
function packed({ headers, query, body }: HookCall): Buffer {
  const head = Buffer.from(JSON.stringify([headers, query]));
  const bytes = Buffer.allocUnsafe(4 + head.length + body.length);
  bytes.writeUInt32BE(head.length, 0);
  bytes.set(head, 4);
  bytes.set(body, 4 + head.length);
  return bytes;
}

function unpacked(bytes: Buffer, receivedAt: number): HookCall {
  const end = 4 + bytes.readUInt32BE(0);
  // Written by `packed` only.
  const [headers, query] = JSON.parse(bytes.toString("utf8", 4, end)) as [HookCall["headers"], HookCall["query"]];
  return { headers, query, body: bytes.subarray(end), receivedAt };
}

/** A call that waits to be read. */
export interface UnreadCall {
  readonly id: number;
  readonly call: HookCall;
}

/** Unread calls of a connection, oldest first. */
export const readUnread = (store: Store, connection: string, limit: number) =>
  store.database.read("reading the inbox", async (): Promise<ReadonlyArray<UnreadCall>> => {
    const rows = await store.database.db
      .select()
      .from(inbox)
      .where(and(isWaiting, eq(inbox.connection, connection), eq(inbox.state, "unread")))
      .orderBy(asc(inbox.id))
      .limit(limit);
    return rows.map((row) => ({
      id: row.id,
      call: unpacked(store.sealer.openHubBytes("inbox", row.sealed), row.receivedAt),
    }));
  });

/** What was read stays for a while; its key too, where it is the sender's own. */
export const noteRead = (database: Database, ids: ReadonlyArray<number>, state: "read" | "unreadable", at: number) =>
  database.write(
    "noting what was read",
    async () => {
      await database.db
        .update(inbox)
        .set({ state, readAt: at, key: sql`case when ${inbox.key} like 'body %' then null else ${inbox.key} end` })
        .where(inArray(inbox.id, [...ids]));
    },
    "soon",
  );

export interface ReplayRequest {
  readonly connection: string;
  /** Calls received at or after this instant; all that are kept without. */
  readonly since: number | null;
}

/** Marks kept calls as unread again; returns how many. */
export const replayCalls = (database: Database, { connection, since }: ReplayRequest) =>
  database.write("marking calls to be read again", async () => {
    const kept = and(
      eq(inbox.connection, connection),
      eq(inbox.kind, "delivery"),
      inArray(inbox.state, ["read", "unreadable"]),
      since === null ? undefined : gte(inbox.receivedAt, since),
    );
    const count = await database.db.$count(inbox, kept);
    await database.db.update(inbox).set({ state: "unread", readAt: null }).where(kept);
    return count;
  });

/** Ids grow with time, so what is old stands first: only that many rows are looked at. */
const pruneMax = 50_000;

/** Drops calls that were received before the instant and are not waiting; a bounded number at a time. */
export const pruneCalls = (database: Database, before: number) =>
  database.write("dropping old calls", async () => {
    const first = await database.db
      .select({ id: min(inbox.id) })
      .from(inbox)
      .get();
    const from = first?.id ?? 0;
    const old = and(
      lt(inbox.id, from + pruneMax),
      eq(inbox.kind, "delivery"),
      inArray(inbox.state, ["read", "unreadable"]),
      lt(inbox.receivedAt, before),
    );
    const count = await database.db.$count(inbox, old);
    if (count > 0) await database.db.delete(inbox).where(old);
    return count;
  });
