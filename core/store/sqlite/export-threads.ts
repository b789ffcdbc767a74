/**
 * Reads an export with several threads: each reads ranges of ids in turn, the answers are put back in order.
 *
 * Bounds  each thread has at most two ranges in hand, so that as many chunks are in memory, however slow the reader is.
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { Effect } from "effect";
import type { ExportChunk } from "../export-rows.ts";
import type { IdRange } from "./export-ranges.ts";
import type { ExportOrder, ExportRequest } from "./export-worker.ts";
import type { SqliteStore } from "./open.ts";

const threadsMax = 4;
const rangesInHand = 2;

const workerModule = new URL("./export-worker.ts", import.meta.url);

/** Yields the text of each range, in their order. */
export async function* readInThreads(
  store: SqliteStore,
  work: Pick<ExportOrder, "plan" | "module" | "format">,
  ranges: Iterator<IdRange>,
): AsyncGenerator<ExportChunk> {
  const order: ExportOrder = { ...work, file: store.file, hubKey: store.sealer.hubKey };
  const threads = Array.from({ length: Math.min(threadsMax, availableParallelism()) }, () => new Thread(order));
  try {
    await beginTogether(store, threads);
    const pending: Array<Promise<ExportChunk>> = [];
    let turn = 0;
    const ask = (): void => {
      const next = ranges.next();
      const thread = threads[turn++ % threads.length];
      if (next.done !== true && thread !== undefined) pending.push(thread.ask({ kind: "read", range: next.value }));
    };
    for (let count = 0; count < threads.length * rangesInHand; count++) ask();
    for (let answer = pending.shift(); answer !== undefined; answer = pending.shift()) {
      yield await answer;
      ask();
    }
  } finally {
    await Promise.all(threads.map((thread) => thread.end()));
  }
}

/** Nobody commits while the threads begin to read, so that all of them see the store at one moment. */
function beginTogether(store: SqliteStore, threads: ReadonlyArray<Thread>): Promise<unknown> {
  return Effect.runPromise(
    store.database.write("beginning an export", () =>
      Promise.all(threads.map((thread) => thread.ask({ kind: "begin" }))),
    ),
  );
}

interface Waiting {
  readonly resolve: (answer: ExportChunk) => void;
  readonly reject: (reason: unknown) => void;
}

/** One worker; it answers in the order in which it is asked. */
class Thread {
  readonly #worker: Worker;
  readonly #waiting: Array<Waiting> = [];
  #failure: unknown;

  constructor(order: ExportOrder) {
    this.#worker = new Worker(workerModule, { workerData: order });
    this.#worker.on("message", (answer: ExportChunk) => this.#waiting.shift()?.resolve(answer));
    this.#worker.on("error", (error) => this.#fail(error));
    this.#worker.on("exit", () => this.#fail(new Error("a thread of the export ended early")));
  }

  ask(request: ExportRequest): Promise<ExportChunk> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const answer = new Promise<ExportChunk>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    // It is awaited in its turn; a failure before that is not an unhandled one.
    answer.catch(() => {});
    this.#worker.postMessage(request);
    return answer;
  }

  end(): Promise<unknown> {
    return this.#worker.terminate();
  }

  #fail(reason: unknown): void {
    this.#failure ??= reason;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}
