/**
 * The unified customers as a stream of bytes, in the order of their ids, from connections of its own: an export of a
 * million rows neither waits for the moves nor holds them up.
 */
import type { Entity, Model } from "../model/field.ts";
import type { Column, Encoder } from "../plugin.ts";
import type { ExportPlan } from "./export-rows.ts";
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

/** Yields chunks of UTF-8 text, each of whole rows; a few chunks are in memory. All rows are of one moment. */
export async function* exportChunks(
  store: Store,
  model: Model,
  options: ExportOptions,
): AsyncGenerator<Uint8Array, ExportResult> {
  const { entity, encoder, chunkRows = 2000 } = options;
  const columns = exportColumns(model, options);
  const plan: ExportPlan = { entity, columns, withLinks: (options.connections ?? []).length > 0 };
  let rows = 0;
  // It goes with the first rows: before them, nothing is known to be readable.
  let head = Buffer.from(encoder.open(columns));
  for await (const chunk of store.exportRows({ plan, encoder, chunkRows })) {
    rows += chunk.rows;
    if (chunk.rows === 0) continue;
    yield head.byteLength === 0 ? chunk.bytes : Buffer.concat([head, chunk.bytes]);
    head = Buffer.alloc(0);
  }
  if (head.byteLength > 0) yield head;
  return { rows };
}
