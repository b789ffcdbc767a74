/** What puts batches of webhook calls on disk. */
import { Effect } from "effect";
import type { Database } from "./database.ts";
import { inbox } from "./tables.ts";

/** A call, sealed. */
export interface NewCall {
  readonly connection: string;
  readonly key: string;
  readonly receivedAt: number;
  readonly sealed: Buffer;
}

export interface InboxWriter {
  /** One answer per call, in order: whether it was new. Errors  StoreFailed. */
  readonly write: (calls: ReadonlyArray<NewCall>) => Promise<ReadonlyArray<boolean>>;
  readonly close: () => Promise<void>;
}

/** What a row of the inbox has beside the call itself. */
export const unreadDelivery = { kind: "delivery", entity: null, state: "unread", caseId: null, readAt: null };

/** Writes in a transaction of the database. */
export const writerInPlace = (database: Database): InboxWriter => ({
  write: (calls) => {
    const rows = calls.map((call) => ({ ...unreadDelivery, ...call }));
    return Effect.runPromise(database.write("keeping webhook calls", () => database.insertNew(inbox, rows)));
  },
  close: async () => undefined,
});
