/** Puts batches of webhook calls on disk in a session of its own, beside the transaction of the moves. */
import { Effect } from "effect";
import { type InboxWriter, unreadDelivery } from "../inbox-writer.ts";
import { inbox } from "../tables.ts";
import type { PostgresDatabase } from "./database.ts";

export const writerBeside = (database: PostgresDatabase): InboxWriter => ({
  write: (calls) => {
    const rows = calls.map((call) => ({ ...unreadDelivery, ...call }));
    return Effect.runPromise(database.append("keeping webhook calls", () => database.insertNew(inbox, rows)));
  },
  close: async () => undefined,
});
