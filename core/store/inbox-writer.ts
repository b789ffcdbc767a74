/** Puts batches of calls on disk: in a thread of its own where the store is a file, else in place. */
import type { SQLInputValue } from "node:sqlite";
import { Worker } from "node:worker_threads";
import { Effect } from "effect";
import { type StoreFailed, storeFailedOf } from "./failure.ts";
import type { Batch, BatchAnswer, ThreadData } from "./inbox-thread.ts";
import type { Store } from "./open.ts";
import { pragmas } from "./pragmas.ts";
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

const fixed = { kind: "delivery", entity: null, state: "unread", caseId: null, readAt: null };

export const createInboxWriter = (store: Store): InboxWriter =>
  store.file === ":memory:" ? inPlace(store) : inThread(store);

function inPlace({ database }: Store): InboxWriter {
  return {
    write: (calls) => {
      const rows = calls.map((call) => ({ ...fixed, ...call }));
      return Effect.runPromise(database.write("keeping webhook calls", () => database.insertNew(inbox, rows)));
    },
    close: async () => undefined,
  };
}

interface Waiting {
  readonly settle: (isNew: ReadonlyArray<boolean>) => void;
  readonly fail: (error: StoreFailed) => void;
}

function inThread({ file, database }: Store): InboxWriter {
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
          const row: Readonly<Record<string, SQLInputValue>> = { ...fixed, ...call };
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
