/** Rows of an export from one range of ids, as text. */
import type { DatabaseSync } from "node:sqlite";
import type { Entity } from "../model/field.ts";
import type { Values } from "../model/value.ts";
import type { Column, Encoder } from "../plugin.ts";
import type { Sealer } from "../security/seal.ts";
import { recordPurpose } from "./rows.ts";

/** What to export; plain data, so that another thread can be told. */
export interface ExportPlan {
  readonly entity: Entity;
  readonly columns: ReadonlyArray<Column>;
  /** Whether a column shows the remote ids. */
  readonly withLinks: boolean;
}

/** Ids after the one and up to the other. */
export interface IdRange {
  readonly after: string;
  readonly upTo: string;
}

/** Ids are made of small letters, digits and underlines. */
export const beforeAllIds = "";
export const afterAllIds = "~";

export interface EncodedRows {
  readonly text: string;
  readonly rows: number;
}

export interface ExportChunk {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly rows: number;
}

type CanonicalLine = readonly [
  id: string,
  clear: string,
  createdAt: number,
  updatedAt: number,
  sealed: string | null,
  wrapped: string | null,
  links: string | null,
];

/** A function that reads ranges, with its statement and its encoder made once. */
export function rangeReader(
  client: DatabaseSync,
  sealer: Sealer,
  encoder: Encoder,
  plan: ExportPlan,
): (range: IdRange) => EncodedRows {
  // Bytes come as hex text: the driver makes an ArrayBuffer of its own for every blob, which costs more than the decoding.
  const needsSealed = plan.columns.some((column) => column.field?.sensitivity === "personal");
  const statement = client.prepare(
    `select c.id, c.clear, c.created_at, c.updated_at
      ${needsSealed ? ", hex(c.sealed), hex(k.wrapped)" : ", null, null"}
      ${plan.withLinks ? ", (select json_group_array(json_array(l.connection, l.remote_id)) from links l where l.canonical_id = c.id and l.state = 'live')" : ", null"}
      from canonicals c ${needsSealed ? "left join data_keys k on k.owner = c.id" : ""}
      where c.entity = ? and c.state = 'live' and c.id > ? and c.id <= ? order by c.id`,
  );
  statement.setReturnArrays(true);
  const encode = encoder.row(plan.columns);
  return ({ after, upTo }) => {
    let text = "";
    let rows = 0;
    for (const row of statement.iterate(plan.entity, after, upTo)) {
      // The columns are those of the statement above, and arrays were asked for.
      const line = row as unknown as CanonicalLine;
      const [id, , createdAt, updatedAt, , , links] = line;
      text += encode({ id, createdAt, updatedAt, values: valuesOf(sealer, line), links: linksOf(links) });
      rows += 1;
    }
    return { text, rows };
  };
}

function valuesOf(sealer: Sealer, [id, clearText, , , sealed, wrapped]: CanonicalLine): Values {
  // Written by canonicalRow only.
  const clear = JSON.parse(clearText) as { readonly v: Values };
  // Nothing is sealed, it is not asked for, or the key was destroyed.
  if (!sealed || !wrapped) return clear.v;
  const key = sealer.unwrap(id, Buffer.from(wrapped, "hex"));
  const personal = sealer.open(key, recordPurpose, Buffer.from(sealed, "hex")) as { readonly v: Values };
  return { ...clear.v, ...personal.v };
}

const noLinks: Readonly<Record<string, ReadonlyArray<string>>> = {};

function linksOf(text: string | null): Readonly<Record<string, ReadonlyArray<string>>> {
  if (text === null) return noLinks;
  const links: Record<string, Array<string>> = {};
  for (const [connection, remoteId] of JSON.parse(text) as ReadonlyArray<readonly [string, string]>) {
    const ids = links[connection];
    if (ids === undefined) links[connection] = [remoteId];
    else ids.push(remoteId);
  }
  return links;
}
