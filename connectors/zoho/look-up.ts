/**
 * Reading what is asked for by id or by value.
 *
 * Source  Zoho CRM API v8, "Get Records" and "Query API (COQL)".
 */
import type { BadRecord, Criterion, RemoteRecord, Tombstone } from "../../core/connector.ts";
import type { Module } from "./config.ts";
import { idsWith } from "./coql.ts";
import type { Json } from "./json.ts";
import type { Reader } from "./pull.ts";
import { projectionOf, readByIds, recordOf, tombstone } from "./rows.ts";

/** The present state of the ids. One that is neither readable nor listed as deleted is left out: it may be hidden. */
export async function fetch(reader: Reader, module: Module, ids: ReadonlyArray<string>, fields: ReadonlyArray<string>) {
  const projection = projectionOf(fields, await reader.descriptions.of(module));
  const readBegan = reader.clock.now();
  const rows = await readByIds(reader, { module, projection }, ids);
  const missing = ids.filter((id) => !rows.has(id));
  const deletedAt = await reader.graveyard.deletedOf(module, missing);
  if (deletedAt.size < missing.length) {
    reader.log.warn("records are neither readable nor listed as deleted; they may be hidden from the API user", {
      module,
      records: missing.length - deletedAt.size,
    });
  }
  const changes = ids.flatMap((id): ReadonlyArray<RemoteRecord | Tombstone> => {
    const row = rows.get(id);
    if (row !== undefined) return live(recordOf(row, projection, module));
    return deletedAt.has(id) ? [tombstone(id, deletedAt.get(id))] : [];
  });
  return { changes, readBegan, readEnded: reader.clock.now() };
}

const live = (read: RemoteRecord | BadRecord): ReadonlyArray<RemoteRecord> => (read.kind === "record" ? [read] : []);

/** Live records that meet any of the criteria. The search API is not used: it lags, and matches parts of text. */
export async function find(
  reader: Reader,
  module: Module,
  criteria: ReadonlyArray<Criterion>,
  fields: ReadonlyArray<string>,
): Promise<ReadonlyArray<RemoteRecord>> {
  const description = await reader.descriptions.of(module);
  const { ids, more } = await idsWith(reader.client, module, criteria);
  if (more) reader.log.warn("a look-up found more records than are looked at", { module });
  if (ids.size === 0) return [];
  // The compared fields are read as well, so that a looser comparison at Zoho's side is noticed.
  const compared = criteria.map(({ field }) => field);
  const projection = projectionOf([...new Set([...fields, ...compared])], description);
  const asked = projectionOf(fields, description);
  const rows = await readByIds(reader, { module, projection }, [...ids]);
  const fits = comparison(criteria);
  return [...rows.values()].filter(fits).flatMap((row) => live(recordOf(row, asked, module)));
}

/** Addresses differ in case only when one person typed them twice. */
function comparison(criteria: ReadonlyArray<Criterion>): (row: Json) => boolean {
  const fields = new Map<string, { readonly whole: Set<string>; readonly parts: Set<string> }>();
  for (const { field, value, how } of criteria) {
    const wanted = fields.get(field) ?? { whole: new Set<string>(), parts: new Set<string>() };
    fields.set(field, wanted);
    if (how === "contains") wanted.parts.add(value.toLowerCase());
    else wanted.whole.add(value.includes("@") ? value.toLowerCase() : value);
  }
  return (row) =>
    [...fields].some(([field, { whole, parts }]) => {
      const held = typeof row[field] === "number" ? String(row[field]) : row[field];
      if (typeof held !== "string") return false;
      const small = held.toLowerCase();
      return (
        whole.has(held) || (small.includes("@") && whole.has(small)) || [...parts].some((part) => small.includes(part))
      );
    });
}
