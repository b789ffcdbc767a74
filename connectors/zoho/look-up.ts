/**
 * Reading what is asked for by id or by value.
 *
 * Source  Zoho CRM API v8, "Get Records" and "Query API (COQL)".
 */
import type { BadRecord, Criterion, RemoteRecord, Tombstone } from "../../core/connector.ts";
import type { Module } from "./config.ts";
import { idsWith, valuesMax } from "./coql.ts";
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

/** Live records that meet any of the criteria exactly. The search API is not used: it lags, and matches parts of text. */
export async function find(
  reader: Reader,
  module: Module,
  criteria: ReadonlyArray<Criterion>,
  fields: ReadonlyArray<string>,
): Promise<ReadonlyArray<RemoteRecord>> {
  const description = await reader.descriptions.of(module);
  const values = new Map<string, Set<string>>();
  for (const { field, value } of criteria) {
    if (value !== "") values.set(field, (values.get(field) ?? new Set<string>()).add(value));
  }
  const ids = new Set<string>();
  for (const [field, wanted] of values) {
    const all = [...wanted];
    for (let start = 0; start < all.length; start += valuesMax) {
      const found = await idsWith(reader.client, module, field, all.slice(start, start + valuesMax));
      for (const id of found) ids.add(id);
    }
  }
  if (ids.size === 0) return [];
  // The compared fields are read as well, so that a looser comparison at Zoho's side is noticed.
  const projection = projectionOf([...new Set([...fields, ...values.keys()])], description);
  const asked = projectionOf(fields, description);
  const rows = await readByIds(reader, { module, projection }, [...ids]);
  return [...rows.values()]
    .filter((row) => [...values].some(([field, wanted]) => [...wanted].some((value) => isSame(row[field], value))))
    .flatMap((row) => live(recordOf(row, asked, module)));
}

/** Addresses differ in case only when one person typed them twice. */
function isSame(held: unknown, wanted: string): boolean {
  const text = typeof held === "number" ? String(held) : held;
  if (text === wanted) return true;
  return wanted.includes("@") && typeof text === "string" && text.toLowerCase() === wanted.toLowerCase();
}
