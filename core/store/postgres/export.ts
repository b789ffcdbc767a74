/** The rows of an export from PostgreSQL, page by page of one moment. */
import type { PoolClient } from "pg";
import { type CanonicalLine, type ExportChunk, type ExportRequest, lineWriter, needsSealed } from "../export-rows.ts";
import { storeFailedOf } from "../failure.ts";
import type { PostgresStore } from "./open.ts";
import { inSnapshot } from "./snapshot.ts";

/** Yields chunks of whole rows, in the order of the ids; one chunk is in memory. */
export async function* readRows(store: PostgresStore, request: ExportRequest): AsyncGenerator<ExportChunk> {
  try {
    yield* inSnapshot(store.database.pool, (client) => pages(store, request, client));
  } catch (error) {
    throw storeFailedOf("reading the customers", error);
  }
}

async function* pages(
  store: PostgresStore,
  { plan, encoder, chunkRows }: ExportRequest,
  client: PoolClient,
): AsyncGenerator<ExportChunk> {
  const write = lineWriter(store.sealer, encoder, plan);
  const sealed = needsSealed(plan);
  const text = `select c.id, c.clear, c.created_at, c.updated_at
    ${sealed ? ", encode(c.sealed, 'hex'), encode(k.wrapped, 'hex')" : ", null, null"}
    ${plan.withLinks ? ", (select json_agg(json_build_array(l.connection, l.remote_id) order by l.id)::text from links l where l.canonical_id = c.id and l.state = 'live')" : ", null"}
    from canonicals c ${sealed ? "left join data_keys k on k.owner = c.id" : ""}
    where c.entity = $1 and c.state = 'live' and c.id > $2 order by c.id limit $3`;
  for (let after = ""; ; ) {
    const { rows } = await client.query<Array<unknown>>({
      text,
      values: [plan.entity, after, chunkRows],
      rowMode: "array",
    });
    // The columns are those of the statement above.
    const lines = rows as unknown as ReadonlyArray<CanonicalLine>;
    const last = lines.at(-1);
    if (last === undefined) return;
    yield { bytes: Buffer.from(lines.map(write).join("")), rows: lines.length };
    if (lines.length < chunkRows) return;
    after = last[0];
  }
}
