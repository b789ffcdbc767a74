/**
 * Looking for records by what stands in their fields, before one is made.
 *
 * Source  Fxiaoke OpenAPI manual, 查询数据列表 (data/query), filters and operators.
 */
import { AuthFailed, type Criterion, type RemoteRecord } from "../../core/connector.ts";
import type { Json } from "./client.ts";
import type { Reader } from "./pull.ts";
import { changeOf, type Filter, idOf, pageRowsMax, projectionFor, projectionOf, query } from "./rows.ts";

/** Values of one IN filter; the manual names no bound. */
const valuesMax = 50;
/** A look-up that fills more pages than this has found something else than one company. */
const foundPagesMax = 10;

interface LookUp {
  readonly field: string;
  readonly filter: Filter;
  /** A search index may compare more loosely than we do. */
  readonly fits: (held: string) => boolean;
}

/** Filters are ANDed, so each field is asked apart, and each part of a text; whole values go many in one query. */
export function lookUpsFor(criteria: ReadonlyArray<Criterion>): ReadonlyArray<LookUp> {
  const whole = new Map<string, Set<string>>();
  const parts = new Map<string, LookUp>();
  for (const { field, value, how } of criteria) {
    if (how !== "contains") whole.set(field, (whole.get(field) ?? new Set<string>()).add(value));
    else {
      const filter: Filter = { field_name: field, operator: "LIKE", field_values: [value] };
      const small = value.toLowerCase();
      parts.set(`${field}\n${small}`, { field, filter, fits: (held) => held.toLowerCase().includes(small) });
    }
  }
  const lookUps: Array<LookUp> = [];
  for (const [field, wanted] of whole) {
    const values = [...wanted];
    for (let start = 0; start < values.length; start += valuesMax) {
      const some = values.slice(start, start + valuesMax);
      const filter: Filter = { field_name: field, operator: some.length === 1 ? "EQ" : "IN", field_values: some };
      lookUps.push({ field, filter, fits: (held) => wanted.has(held) });
    }
  }
  return [...lookUps, ...parts.values()];
}

/** Live records that meet any of the criteria. */
export async function find(
  reader: Reader,
  object: string,
  criteria: ReadonlyArray<Criterion>,
  fields: ReadonlyArray<string>,
): Promise<ReadonlyArray<RemoteRecord>> {
  const projection = projectionOf(fields, await reader.descriptions.of(object));
  const found = new Map<string, RemoteRecord>();
  for (const { field, filter, fits } of lookUpsFor(criteria)) {
    for await (const rows of rowsFor(reader, object, { filter, fields: [...projection.asked, field] })) {
      const shown = projectionFor(projection, rows, { object, shownBy: reader.nullsShownBy });
      for (const row of rows) {
        if (!(field in row)) throw unseen(object, field);
        if (!fits(String(row[field] ?? ""))) continue;
        const change = changeOf(row, shown, `${object} by ${field}`);
        if (change.kind === "record") found.set(change.id, change);
      }
    }
  }
  return [...found.values()];
}

async function* rowsFor(
  reader: Reader,
  object: string,
  { filter, fields }: { readonly filter: Filter; readonly fields: ReadonlyArray<string> },
): AsyncIterable<ReadonlyArray<Json>> {
  let last: string | undefined;
  for (let page = 0; page < foundPagesMax; page += 1) {
    const behind: ReadonlyArray<Filter> =
      last === undefined ? [] : [{ field_name: "_id", operator: "GT", field_values: [last] }];
    const { rows, isLast } = await query(reader.client, {
      object,
      filters: [filter, ...behind],
      fields,
      limit: pageRowsMax,
    });
    yield rows;
    last = rows.map(idOf).findLast((id) => id !== undefined);
    if (isLast || last === undefined) return;
  }
  reader.log.warn("a look-up found more records than are looked at", { object, field: filter.field_name });
}

/** The gateway finds by a field that it does not show: nothing can be told, and "not found" would make a second record. */
const unseen = (object: string, field: string): AuthFailed =>
  new AuthFailed(
    `the acting employee may not see ${object}.${field}`,
    `Let the acting employee see and edit ${field} (字段权限), or make that employee a CRM 管理员.`,
  );
