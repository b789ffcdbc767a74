/**
 * Group commit: what arrives at the same time is written in one transaction. The disk's promise is what costs, not the
 * row; each caller hears back only after the commit that holds its own.
 */

export interface GroupCommit<A, B> {
  /** Resolves with what became of the item once it is on disk; rejects with Overloaded, or as the commit failed. */
  readonly add: (item: A) => Promise<B>;
  /** Resolves when nothing waits any more. */
  readonly idle: () => Promise<void>;
  readonly waiting: () => number;
}

/** So many items wait that another one is refused. */
export class Overloaded extends Error {
  readonly _tag = "Overloaded";
  constructor() {
    super("more comes in than the disk takes");
    this.name = "Overloaded";
  }
}

interface Waiting<A, B> {
  readonly item: A;
  readonly settle: (result: B) => void;
  readonly fail: (error: unknown) => void;
}

export interface GroupOptions<A, B> {
  /** Writes a batch in one transaction; one result per item, in order. */
  readonly commit: (batch: ReadonlyArray<A>) => Promise<ReadonlyArray<B>>;
  readonly bytesOf: (item: A) => number;
  readonly batchMax: number;
  readonly waitingMax: number;
  readonly waitingBytesMax: number;
}

/** A commit that waited for others costs less than two that did not. */
const gatherMsMax = 2;

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export function createGroupCommit<A, B>(options: GroupOptions<A, B>): GroupCommit<A, B> {
  const { commit, bytesOf, batchMax, waitingMax, waitingBytesMax } = options;
  const waiting: Array<Waiting<A, B>> = [];
  let waitingBytes = 0;
  let working: Promise<void> | undefined;

  /** What arrives in this turn of the event loop joins the commit; and so do the callers of the last one, who come again. */
  const gather = async (like: number): Promise<void> => {
    const began = performance.now();
    do await nextTurn();
    while (waiting.length < like && performance.now() - began < gatherMsMax);
  };

  const work = async (): Promise<void> => {
    await gather(1);
    while (waiting.length > 0) {
      const batch = waiting.splice(0, batchMax);
      for (const { item } of batch) waitingBytes -= bytesOf(item);
      try {
        const results = await commit(batch.map(({ item }) => item));
        for (const [index, one] of batch.entries()) {
          const result = results[index];
          if (result === undefined) one.fail(new Error("a commit forgot one of its items"));
          else one.settle(result);
        }
      } catch (error) {
        for (const one of batch) one.fail(error);
      }
      await gather(batch.length);
    }
  };

  return {
    add: (item) =>
      new Promise((settle, fail) => {
        if (waiting.length >= waitingMax || waitingBytes >= waitingBytesMax) {
          fail(new Overloaded());
          return;
        }
        waiting.push({ item, settle, fail });
        waitingBytes += bytesOf(item);
        working ??= work().finally(() => {
          working = undefined;
        });
      }),
    idle: async () => {
      while (working !== undefined) await working;
    },
    waiting: () => waiting.length,
  };
}
