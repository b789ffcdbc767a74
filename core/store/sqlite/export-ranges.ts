/** Rows of an export from one range of ids, as text. */
import type { DatabaseSync } from "node:sqlite";
import type { Encoder } from "../../plugin.ts";
import type { Sealer } from "../../security/seal.ts";
import { type CanonicalLine, type ExportPlan, lineWriter, needsSealed } from "../export-rows.ts";

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

/** A function that reads ranges, with its statement and its encoder made once. */
export function rangeReader(
  client: DatabaseSync,
  sealer: Sealer,
  encoder: Encoder,
  plan: ExportPlan,
): (range: IdRange) => EncodedRows {
  // Bytes come as hex text: the driver makes an ArrayBuffer of its own for every blob, which costs more than the decoding.
  const sealed = needsSealed(plan);
  const statement = client.prepare(
    `select c.id, c.clear, c.created_at, c.updated_at
      ${sealed ? ", hex(c.sealed), hex(k.wrapped)" : ", null, null"}
      ${plan.withLinks ? ", (select json_group_array(json_array(l.connection, l.remote_id)) from links l where l.canonical_id = c.id and l.state = 'live')" : ", null"}
      from canonicals c ${sealed ? "left join data_keys k on k.owner = c.id" : ""}
      where c.entity = ? and c.state = 'live' and c.id > ? and c.id <= ? order by c.id`,
  );
  statement.setReturnArrays(true);
  const write = lineWriter(sealer, encoder, plan);
  return ({ after, upTo }) => {
    let text = "";
    let rows = 0;
    for (const row of statement.iterate(plan.entity, after, upTo)) {
      // The columns are those of the statement above, and arrays were asked for.
      text += write(row as unknown as CanonicalLine);
      rows += 1;
    }
    return { text, rows };
  };
}
