/**
 * The unified customers as a stream of bytes, in the order of their ids, from read-only connections of its own: an export
 * of a million rows neither waits for the moves nor holds them up. A large one is read by several threads.
 */
import { DatabaseSync } from "node:sqlite";
import type { Entity, Model } from "../model/field.ts";
import type { Column, Encoder } from "../plugin.ts";
import {
  afterAllIds,
  beforeAllIds,
  type EncodedRows,
  type ExportChunk,
  type ExportPlan,
  type IdRange,
  rangeReader,
} from "./export-rows.ts";
import { readInThreads } from "./export-threads.ts";
import type { Store } from "./open.ts";

export interface ExportOptions {
  readonly entity: Entity;
  readonly encoder: Encoder;
  /** Field names; all without. */
  readonly fields?: ReadonlyArray<string>;
  /** One column a connection with the remote ids. */
  readonly connections?: ReadonlyArray<string>;
  /** Rows encoded into one chunk. */
  readonly chunkRows?: number;
}

export interface ExportResult {
  readonly rows: number;
}

/** The columns of an export. */
export function exportColumns(
  model: Model,
  options: Pick<ExportOptions, "entity" | "fields" | "connections">,
): ReadonlyArray<Column> {
  const chosen = [...model[options.entity].values()].filter(
    (field) => options.fields === undefined || options.fields.includes(field.name),
  );
  return [
    { name: "id", field: null },
    ...chosen.map((field) => ({ name: field.name, field })),
    { name: "createdAt", field: null },
    { name: "updatedAt", field: null },
    ...(options.connections ?? []).map((name) => ({ name, field: null })),
  ];
}

/** Below this, starting threads takes longer than reading the rows. */
const smallRows = 10_000;

/** Yields chunks of UTF-8 text, each of whole rows; a few chunks are in memory. All rows are of one moment. */
export async function* exportChunks(
  store: Store,
  model: Model,
  options: ExportOptions,
): AsyncGenerator<Uint8Array, ExportResult> {
  const { entity, encoder, chunkRows = 2000 } = options;
  const columns = exportColumns(model, options);
  const plan: ExportPlan = { entity, columns, withLinks: (options.connections ?? []).length > 0 };
  const inMemory = store.file === ":memory:";
  const client = inMemory ? store.database.client : new DatabaseSync(store.file, { readOnly: true });
  let rows = 0;
  try {
    if (!inMemory) client.exec("begin");
    const ranges = rangesOf(client, chunkRows);
    const withThreads = !inMemory && encoder.module !== undefined && hasMoreThan(client, smallRows);
    const chunks = withThreads
      ? readInThreads(store, { plan, module: encoder.module, format: encoder.format }, ranges)
      : readHere(rangeReader(client, store.sealer, encoder, plan), ranges);
    // It goes with the first rows: before them, nothing is known to be readable.
    let head = Buffer.from(encoder.open(columns));
    for await (const chunk of chunks) {
      rows += chunk.rows;
      if (chunk.rows === 0) continue;
      yield head.byteLength === 0 ? chunk.bytes : Buffer.concat([head, chunk.bytes]);
      head = Buffer.alloc(0);
    }
    if (head.byteLength > 0) yield head;
    return { rows };
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
