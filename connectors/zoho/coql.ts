/**
 * COQL, Zoho's query language: look-ups that see a record at once, and id listings of any length.
 *
 * Source  Zoho CRM API v8, "Query API (COQL)" and "Limitations"; Zoho's Kaizen post 171 on quotes inside values.
 */
import { AuthFailed, Unavailable } from "../../core/connector.ts";
import type { Client } from "./client.ts";
import type { Module } from "./config.ts";
import { hasMore, idOf, isLater, rowsOf } from "./rows.ts";

export const valuesMax = 50;
const rowsMax = 2000;
const namePattern = /^[A-Za-z][A-Za-z0-9_]{0,99}$/;

/** A text literal; a quote inside is written twice, and control characters have no place in any key. */
export function literal(value: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly these are refused.
  if (/[\u0000-\u001f\u007f]/.test(value)) return undefined;
  return `'${value.replaceAll("'", "''")}'`;
}

function named(name: string): string {
  if (namePattern.test(name)) return name;
  throw new AuthFailed(`"${name}" cannot be the API name of a Zoho field`, "Use the API name that Zoho's setup shows.");
}

interface Query {
  readonly module: Module;
  readonly where: string;
  readonly limit: number;
  readonly offset?: number;
  readonly signal?: AbortSignal;
}

/** Credits go by the limit that a query names. */
const costOf = (limit: number): number => (limit <= 200 ? 1 : limit <= 1000 ? 2 : 3);

async function idsWhere(client: Client, { module, where, limit, offset = 0, signal }: Query) {
  const answer = await client.read({
    method: "POST",
    path: "/crm/v8/coql",
    json: {
      select_query: `select id from ${module} where ${where} order by id asc limit ${limit} offset ${offset}`,
    },
    heavy: true,
    cost: costOf(limit),
    ...(signal === undefined ? {} : { signal }),
  });
  const ids = rowsOf(answer.body).map((row) => idOf(row));
  if (ids.includes(undefined)) throw new Unavailable("Zoho's query answered a row without an id", { sent: true });
  const known = ids.filter((id) => id !== undefined);
  return { ids: known, more: hasMore(answer.body), began: answer.began, ended: answer.ended };
}

const foundMax = 200;

/** Ids of live records whose field equals one of at most 50 values. */
export async function idsWith(
  client: Client,
  module: Module,
  field: string,
  values: ReadonlyArray<string>,
): Promise<ReadonlyArray<string>> {
  const literals = values.map(literal).filter((value) => value !== undefined);
  if (literals.length === 0) return [];
  const { ids } = await idsWhere(client, {
    module,
    where: `${named(field)} in (${literals.join(",")})`,
    limit: foundMax,
  });
  return ids;
}

/** The next ids of a module in ascending order; edits and deletions in between move no other id. */
export async function idsAfter(client: Client, module: Module, last: string | null, signal: AbortSignal) {
  const where = last === null ? "id is not null" : `id > ${literal(last) ?? "0"}`;
  const page = await idsWhere(client, { module, where, limit: rowsMax, signal });
  let before = last;
  for (const id of page.ids) {
    if (before !== null && !isLater(id, before)) {
      throw new Unavailable("Zoho's ids do not ascend, so the listing cannot be trusted", { sent: true });
    }
    before = id;
  }
  return page;
}
