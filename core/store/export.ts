/**
 * The unified customers as a stream of text, in the order of their ids, from a read-only connection of its own: an export
 * of a million rows neither waits for the moves nor holds them up.
 */
import { DatabaseSync } from "node:sqlite";
import type { Entity, Model } from "../model/field.ts";
import type { Values } from "../model/value.ts";
import type { Column, Encoder } from "../plugin.ts";
import type { Store } from "./open.ts";
import { recordPurpose } from "./rows.ts";

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

interface CanonicalLine {
  readonly id: string;
  readonly clear: string;
  readonly sealed: Uint8Array | null;
  readonly wrapped: Uint8Array | null;
  readonly created_at: number;
  readonly updated_at: number;
  readonly links: string | null;
}

/** Yields chunks of text; at most one chunk is in memory. */
export function* exportChunks(store: Store, model: Model, options: ExportOptions): Generator<string, ExportResult> {
  const { entity, encoder } = options;
  const chunkRows = options.chunkRows ?? 2000;
  const columns = exportColumns(model, options);
  const needsSealed = columns.some((column) => column.field?.sensitivity === "personal");
  const needsLinks = (options.connections ?? []).length > 0;
  const client = store.file === ":memory:" ? store.database.client : new DatabaseSync(store.file, { readOnly: true });
  try {
    const statement = client.prepare(
      `select c.id, c.clear, c.created_at, c.updated_at
        ${needsSealed ? ", c.sealed, k.wrapped" : ", null as sealed, null as wrapped"}
        ${needsLinks ? ", (select json_group_array(json_array(l.connection, l.remote_id)) from links l where l.canonical_id = c.id and l.state = 'live') as links" : ", null as links"}
        from canonicals c ${needsSealed ? "left join data_keys k on k.owner = c.id" : ""}
        where c.entity = ? and c.state = 'live' order by c.id`,
    );
    const encode = encoder.row(columns);
    let chunk = encoder.open(columns);
    let rows = 0;
    for (const row of statement.iterate(entity)) {
      // The columns are those of the statement above.
      const line = row as unknown as CanonicalLine;
      chunk += encode({
        id: line.id,
        createdAt: line.created_at,
        updatedAt: line.updated_at,
        values: valuesOf(store, line),
        links: linksOf(line.links),
      });
      rows += 1;
      if (rows % chunkRows === 0) {
        yield chunk;
        chunk = "";
      }
    }
    if (chunk !== "") yield chunk;
    return { rows };
  } finally {
    if (client !== store.database.client) client.close();
  }
}

function valuesOf(store: Store, line: CanonicalLine): Values {
  // Written by canonicalRow only.
  const clear = JSON.parse(line.clear) as { readonly v: Values };
  if (line.sealed === null || line.wrapped === null) return clear.v;
  const key = store.sealer.unwrap(line.id, line.wrapped);
  const personal = store.sealer.open(key, recordPurpose, line.sealed) as { readonly v: Values };
  return { ...clear.v, ...personal.v };
}

function linksOf(text: string | null): Readonly<Record<string, ReadonlyArray<string>>> {
  if (text === null) return {};
  const links: Record<string, Array<string>> = {};
  for (const [connection, remoteId] of JSON.parse(text) as ReadonlyArray<readonly [string, string]>) {
    const ids = links[connection];
    if (ids === undefined) links[connection] = [remoteId];
    else ids.push(remoteId);
  }
  return links;
}
