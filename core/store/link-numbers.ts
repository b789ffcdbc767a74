/**
 * Internal numbers of links: taken from the store in blocks, so that no two pages, of this process or another one, wait
 * for each other's. What a process has not used when it ends is never used.
 */
import { eq } from "drizzle-orm";
import { Effect } from "effect";
import type { Database } from "./database.ts";
import { meta } from "./tables.ts";

export interface LinkNumbers {
  readonly nextLink: () => number;
}

interface Block {
  next: number;
  end: number;
  /** What transactions that have not ended may still take. */
  promised: number;
}

const blockSize = 10_000;
const rowName = "next-link";
const blocks = new WeakMap<Database, Block>();

/**
 * Runs a writing transaction that needs no more numbers than these. Its body starts them when it begins: where it runs
 * twice, it takes the same again.
 */
export const withLinkNumbers = Effect.fn("links.numbers")(function* <A, E>(
  database: Database,
  count: number,
  work: (start: () => LinkNumbers) => Effect.Effect<A, E>,
) {
  let block = blocks.get(database);
  if (block === undefined || block.end - block.next - block.promised < count) {
    const size = Math.max(blockSize, count);
    const next = yield* takeBlock(database, size);
    // What was promised from the one before stays there.
    block = { next, end: next + size, promised: 0 };
    blocks.set(database, block);
  }
  const own = block;
  let first: number | undefined;
  const start = (): LinkNumbers => {
    // Bodies of one process run one after the other, so nobody has taken any since.
    own.next = first ?? own.next;
    first = own.next;
    return { nextLink: () => own.next++ };
  };
  own.promised += count;
  return yield* Effect.ensuring(
    work(start),
    Effect.sync(() => {
      own.promised -= count;
    }),
  );
});

const takeBlock = (database: Database, size: number) =>
  database.append(
    "taking numbers",
    async () => {
      const row = await database.db.select().from(meta).where(eq(meta.name, rowName)).get();
      const first = row === undefined ? 1 : Number(row.value);
      await database.insert(meta, [{ name: rowName, value: String(first + size) }], "replace");
      return first;
    },
    "quiet",
  );
