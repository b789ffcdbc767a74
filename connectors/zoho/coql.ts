/**
 * COQL, Zoho's query language: look-ups that see a record at once, and id listings of any length.
 *
 * Source  Zoho CRM API v8, "Query API (COQL)" and "Limitations"; Zoho's Kaizen post 171 on quotes inside values.
 */
import { AuthFailed, type Criterion, Unavailable } from "../../core/connector.ts";
import type { Client } from "./client.ts";
import type { Module } from "./config.ts";
import { hasMore, idOf, isLater, rowsOf } from "./rows.ts";

const valuesMax = 50;
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

const pageMax = 200;
/** A look-up that fills more pages than this has found something else than one company. */
const pagesMax = 10;
const criteriaMax = 25;

/** A condition for each text that is a part of its field, and for every 50 values that one must equal. */
export function conditionsFor(criteria: ReadonlyArray<Criterion>): ReadonlyArray<string> {
  const whole = new Map<string, Set<string>>();
  const conditions = new Set<string>();
  for (const { field, value, how } of criteria) {
    if (value === "") continue;
    const text = literal(how === "contains" ? `%${value}%` : value);
    if (text === undefined) continue;
    if (how === "contains") conditions.add(`${named(field)} like ${text}`);
    else whole.set(field, (whole.get(field) ?? new Set<string>()).add(text));
  }
  for (const [field, wanted] of whole) {
    const literals = [...wanted];
    for (let start = 0; start < literals.length; start += valuesMax) {
      conditions.add(`${named(field)} in (${literals.slice(start, start + valuesMax).join(",")})`);
    }
  }
  return [...conditions];
}

export const queriesFor = (criteria: ReadonlyArray<Criterion>): number =>
  Math.ceil(conditionsFor(criteria).length / criteriaMax);

/** Ids of live records that meet any of the criteria; more than are looked at come with `more`. */
export async function idsWith(
  client: Client,
  module: Module,
  criteria: ReadonlyArray<Criterion>,
): Promise<{ readonly ids: ReadonlySet<string>; readonly more: boolean }> {
  const conditions = conditionsFor(criteria);
  const found = new Set<string>();
  let isMore = false;
  for (let start = 0; start < conditions.length; start += criteriaMax) {
    const where = anyOf(conditions.slice(start, start + criteriaMax));
    for (let page = 0; page < pagesMax; page += 1) {
      const { ids, more } = await idsWhere(client, { module, where, limit: pageMax, offset: page * pageMax });
      for (const id of ids) found.add(id);
      if (!more) break;
      isMore ||= page === pagesMax - 1;
    }
  }
  return { ids: found, more: isMore };
}

/** COQL takes two criteria on one level; more need brackets. */
function anyOf(conditions: ReadonlyArray<string>): string {
  const [first = "", ...others] = conditions;
  return others.reduce((all, next, place) => (place === 0 ? `${all} or ${next}` : `(${all}) or ${next}`), first);
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
