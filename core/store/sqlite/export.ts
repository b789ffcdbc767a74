/** The rows of an export from SQLite, over read-only connections of its own; a large one is read by several threads. */
import { DatabaseSync } from "node:sqlite";
import type { ExportChunk, ExportRequest } from "../export-rows.ts";
import { afterAllIds, beforeAllIds, type EncodedRows, type IdRange, rangeReader } from "./export-ranges.ts";
import { readInThreads } from "./export-threads.ts";
import type { SqliteStore } from "./open.ts";

/** Below this, starting threads takes longer than reading the rows. */
const smallRows = 10_000;

/** Yields chunks of whole rows; a few chunks are in memory. All rows are of one moment. */
export async function* readRanges(
  store: SqliteStore,
  { plan, encoder, chunkRows }: ExportRequest,
): AsyncGenerator<ExportChunk> {
  const inMemory = store.file === ":memory:";
  const client = inMemory ? store.database.client : new DatabaseSync(store.file, { readOnly: true });
  try {
    if (!inMemory) client.exec("begin");
    const ranges = rangesOf(client, chunkRows);
    const withThreads = !inMemory && encoder.module !== undefined && hasMoreThan(client, smallRows);
    yield* withThreads
      ? readInThreads(store, { plan, module: encoder.module, format: encoder.format }, ranges)
      : readHere(rangeReader(client, store.sealer, encoder, plan), ranges);
  } finally {
    if (!inMemory) client.close();
  }
}

function* readHere(read: (range: IdRange) => EncodedRows, ranges: Iterable<IdRange>): Generator<ExportChunk> {
  for (const range of ranges) {
    const { text, rows } = read(range);
    yield { bytes: Buffer.from(text), rows };
  }
}

function hasMoreThan(client: DatabaseSync, rows: number): boolean {
  return client.prepare("select 1 from canonicals limit 1 offset ?").get(rows) !== undefined;
}

/** Cuts the ids into ranges of as many canonicals each, of whatever entity and state; the last one is open. */
function* rangesOf(client: DatabaseSync, rows: number): Generator<IdRange> {
  const cut = client.prepare("select id from canonicals where id > ? order by id limit 1 offset ?");
  let after = beforeAllIds;
  for (;;) {
    const next = cut.get(after, rows - 1);
    const upTo = next === undefined ? afterAllIds : String(next.id);
    yield { after, upTo };
    if (next === undefined) return;
    after = upTo;
  }
}
