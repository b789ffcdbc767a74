/** Puts batches of calls on disk: in a thread of its own where the store is a file, else in place. */
import { Worker } from "node:worker_threads";
import type { Bound } from "../database.ts";
import { type StoreFailed, storeFailedOf } from "../failure.ts";
import { type InboxWriter, unreadDelivery, writerInPlace } from "../inbox-writer.ts";
import { inbox } from "../tables.ts";
import type { Batch, BatchAnswer, ThreadData } from "./inbox-thread.ts";
import type { SqliteStore } from "./open.ts";
import { pragmas } from "./pragmas.ts";

export const createInboxWriter = (store: SqliteStore): InboxWriter =>
  store.file === ":memory:" ? writerInPlace(store.database) : inThread(store);

interface Waiting {
  readonly settle: (isNew: ReadonlyArray<boolean>) => void;
  readonly fail: (error: StoreFailed) => void;
}

function inThread({ file, database }: SqliteStore): InboxWriter {
  const { sql, order } = database.insertion(inbox, "ignore");
  const workerData: ThreadData = { file, pragmas, sql, sealedAt: order.indexOf("sealed") };
  const waiting = new Map<number, Waiting>();
  let thread: Worker | undefined;
  let lastNumber = 0;

  const start = (): Worker => {
    const made = new Worker(new URL("./inbox-thread.ts", import.meta.url), { workerData });
    made.on("message", (answer: BatchAnswer) => {
      const one = waiting.get(answer.number);
      waiting.delete(answer.number);
      if (waiting.size === 0) made.unref();
      if ("isNew" in answer) one?.settle(answer.isNew);
      else
        one?.fail(storeFailedOf("keeping webhook calls", answer.errcode === null ? new Error(answer.message) : answer));
    });
    made.on("error", (error) => end(error));
    made.on("exit", () => end(new Error("the thread that keeps webhook calls has ended")));
    made.unref();
    return made;
  };

  /** The thread is gone: what it had in hand may be on disk or not, so its senders must come again. */
  const end = (error: unknown): void => {
    thread = undefined;
    for (const { fail } of waiting.values()) fail(storeFailedOf("keeping webhook calls", error));
    waiting.clear();
  };

  thread = start();
  return {
    write: (calls) =>
      new Promise((settle, fail) => {
        thread ??= start();
        thread.ref();
        lastNumber += 1;
        waiting.set(lastNumber, { settle, fail });
        const { buffer } = new Uint8Array(Buffer.concat(calls.map((call) => call.sealed)));
        const rows = calls.map(({ sealed, ...call }) => {
          const row: Readonly<Record<string, Bound>> = { ...unreadDelivery, ...call };
          return { values: order.map((name) => row[name] ?? null), bytes: sealed.length };
        });
        const batch: Batch = { number: lastNumber, rows, sealed: buffer };
        thread.postMessage(batch, [buffer]);
      }),
    close: async () => {
      await thread?.terminate();
    },
  };
}
