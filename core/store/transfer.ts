/** Moves a whole store to another place, from one engine to another or to the same. */
import { Effect } from "effect";
import { StoreFailed, storeFailedOf } from "./failure.ts";
import { withStore } from "./leases.ts";
import type { Store } from "./open.ts";
import type { TablePage, TableSum } from "./table-pages.ts";

/**
 * Copies all rows of one moment into an empty store under the same key, all of them or none. What is sealed is copied as
 * it is. The rows are read again in the new place before they are kept.
 *
 * Errors  StoreBusy when a process works on either store; StoreFailed when the other one is not empty, or when it holds
 *         other rows afterwards.
 */
export const transfer = Effect.fn("store.transfer")(function* (
  from: Store,
  to: Store,
  onPage: (page: TablePage) => void,
) {
  if (from.place === to.place) {
    return yield* Effect.fail(
      new StoreFailed(`${from.place} is the store itself.`, "Name another file or database to copy into.", undefined),
    );
  }
  const copy = Effect.tryPromise({
    try: (): Promise<ReadonlyArray<TableSum>> => to.fill(told(from.pages(), onPage)),
    catch: (error) => storeFailedOf(`copying ${from.place} to ${to.place}`, error),
  });
  const alone = { command: "store copy", alone: true };
  return yield* withStore(from.database, alone, () => withStore(to.database, alone, () => copy));
});

async function* told(pages: AsyncIterable<TablePage>, onPage: (page: TablePage) => void): AsyncGenerator<TablePage> {
  for await (const page of pages) {
    onPage(page);
    yield page;
  }
}
