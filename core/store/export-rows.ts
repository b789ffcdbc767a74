/** A row of an export, from what an engine reads to text. */
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

export interface ExportChunk {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly rows: number;
}

/** What to export and how to write it. */
export interface ExportRequest {
  readonly plan: ExportPlan;
  readonly encoder: Encoder;
  /** Rows of one chunk. */
  readonly chunkRows: number;
}

/** A row as the engines read it; sealed values and keys as hex text, links as JSON. */
export type CanonicalLine = readonly [
  id: string,
  clear: string,
  createdAt: number,
  updatedAt: number,
  sealed: string | null,
  wrapped: string | null,
  links: string | null,
];

export const needsSealed = (plan: ExportPlan): boolean =>
  plan.columns.some((column) => column.field?.sensitivity === "personal");

/** A function that writes a row, with its encoder made once. */
export function lineWriter(sealer: Sealer, encoder: Encoder, plan: ExportPlan): (line: CanonicalLine) => string {
  const encode = encoder.row(plan.columns);
  return (line) => {
    const [id, , createdAt, updatedAt, , , links] = line;
    return encode({ id, createdAt, updatedAt, values: valuesOf(sealer, line), links: linksOf(links) });
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
