/** Reading: Memory numbers all changes, so a cursor is the number of the last change that was read. */
import {
  type Criterion,
  type Page,
  type PullRequest,
  type RemoteRecord,
  Schema,
  type Tombstone,
} from "../../core/connector.ts";
import type { Client, Row } from "./client.ts";

export const Cursor = Schema.Number;
export type Cursor = typeof Cursor.Type;

type Names = ReadonlyArray<string>;

const pageRows = 100;

/** Deletions come in the same order as everything else, so a listing is a pull from the very beginning. */
export async function* pull(
  client: Client,
  object: string,
  { mode, cursor, fields, signal }: PullRequest<Cursor>,
): AsyncGenerator<Page<Cursor>, void, void> {
  let after = cursor ?? 0;
  for (let more = true; more && !signal.aborted; ) {
    const query = { after: String(after), limit: String(pageRows) };
    const {
      records = [],
      next = after,
      ...answer
    } = await client({ method: "GET", path: `/${object}`, query, signal });
    // A feed that does not move on would be read for ever.
    more = answer.more === true && next > after;
    after = next;
    yield {
      changes: records.map((row) => changeOf(row, fields)),
      cursor: after,
      readBegan: answer.began,
      readEnded: answer.ended,
      ...(mode === "listing" && !more ? { complete: true } : {}),
    };
  }
}

/** Memory hides no record from anyone, so an id that it does not know is gone. */
export async function fetch(client: Client, object: string, ids: Names, fields: Names) {
  const query = { ids: ids.join(",") };
  const { records = [], began, ended } = await client({ method: "GET", path: `/${object}`, query });
  const rows = new Map(records.map((row) => [row.id, row]));
  const changes = ids.map((id): RemoteRecord | Tombstone => {
    const row = rows.get(id);
    return row === undefined ? { kind: "deleted", id } : changeOf(row, fields);
  });
  return { changes, readBegan: began, readEnded: ended };
}

/** Live records that meet any of the criteria. */
export async function find(client: Client, object: string, criteria: ReadonlyArray<Criterion>, fields: Names) {
  const found = new Map<string, RemoteRecord>();
  for (const { field, value, how = "equals" } of criteria) {
    const { records = [] } = await client({ method: "GET", path: `/${object}`, query: { field, [how]: value } });
    for (const row of records) {
      const change = changeOf(row, fields);
      if (change.kind === "record") found.set(change.id, change);
    }
  }
  return [...found.values()];
}

function changeOf(row: Row, names: Names): RemoteRecord | Tombstone {
  const { id, version, createdAt, modifiedAt, modifiedBy, deleted, mergedInto } = row;
  if (deleted) {
    return { kind: "deleted", id, deletedAt: modifiedAt, ...(mergedInto === null ? {} : { mergedInto }) };
  }
  // Memory leaves empty fields out, and hides none: what was asked for and is not there is empty.
  const fields = Object.fromEntries(names.map((name) => [name, row.fields[name] ?? null]));
  return { kind: "record", id, fields, version: String(version), createdAt, modifiedAt, modifiedBy };
}
