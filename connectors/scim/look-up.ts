/** Resources by id, and by what stands in their fields. */
import { type Criterion, type RemoteRecord, type Tombstone, Unavailable } from "../../core/connector.ts";
import { type Client, detailOf } from "./client.ts";
import type { Abilities } from "./discover.ts";
import { isJson, type Json, member, textIn } from "./json.ts";
import { attributeIn, fieldOf, placeOf } from "./places.ts";
import { pull, type Source } from "./pull.ts";
import { recordOf } from "./records.ts";

export async function fetch(source: Source, ids: ReadonlyArray<string>) {
  const changes: Array<RemoteRecord | Tombstone> = [];
  let readBegan = Number.POSITIVE_INFINITY;
  let readEnded = 0;
  for (const id of ids) {
    const answer = await readOne(source, id);
    readBegan = Math.min(readBegan, answer.began);
    readEnded = Math.max(readEnded, answer.ended);
    if (answer.resource === null) changes.push({ kind: "deleted", id });
    else {
      const record = recordOf(source, answer.resource);
      if (record.kind === "record") changes.push(record);
    }
  }
  return { changes, readBegan: ids.length === 0 ? 0 : readBegan, readEnded };
}

export interface One {
  /** Null where there is no such resource. */
  readonly resource: Json | null;
  readonly etag: string | undefined;
  readonly began: number;
  readonly ended: number;
}

export async function readOne(
  { client, endpoint }: { readonly client: Client; readonly endpoint: string },
  id: string,
): Promise<One> {
  const { status, body, headers, began, ended } = await client.call({
    method: "GET",
    path: `${endpoint}/${encodeURIComponent(id)}`,
  });
  if (status === 404) return { resource: null, etag: undefined, began, ended };
  if (status === 200 && body !== undefined) {
    return { resource: body, etag: textIn(member(body, "meta"), "version") ?? headers.etag, began, ended };
  }
  throw new Unavailable(`The provider answered ${status} to ${endpoint}/{id}${detailOf(body)}`, { sent: true });
}

/** Live resources that meet any of the criteria. */
export async function find(source: Source, criteria: ReadonlyArray<Criterion>): Promise<ReadonlyArray<RemoteRecord>> {
  if (criteria.length === 0) return [];
  const asked = askable(criteria, await source.discover());
  const found = new Map<string, RemoteRecord>();
  for (const text of filtersFor(asked)) {
    for (const resource of await search(source, text)) keep(found, source, resource, criteria);
  }
  // What the provider cannot look for is looked for in everything that it has.
  if (asked.length < criteria.length) {
    const request = { mode: "listing" as const, cursor: null, fields: [], signal: new AbortController().signal };
    const whole = { ...source, fields: [...new Set([...source.fields, ...criteria.map(({ field }) => field)])] };
    for await (const page of pull(whole, request)) {
      for (const change of page.changes) {
        if (change.kind !== "record" || !criteria.some((criterion) => fits(change.fields[criterion.field], criterion)))
          continue;
        const fields = Object.fromEntries(source.fields.map((name) => [name, change.fields[name] ?? null]));
        found.set(change.id, { ...change, fields });
      }
    }
  }
  return [...found.values()];
}

const askable = (
  criteria: ReadonlyArray<Criterion>,
  { filter, contains }: Pick<Abilities, "filter" | "contains">,
): ReadonlyArray<Criterion> => criteria.filter(({ how }) => filter && (how !== "contains" || contains));

/** Calls of a look-up that finds nothing; reading everything counts as one, as nobody knows yet how much that is. */
export function callsToFind(criteria: ReadonlyArray<Criterion>, abilities: Abilities | undefined): number {
  const asked = askable(criteria, abilities ?? { filter: true, contains: true });
  return filtersFor(asked).length + (asked.length < criteria.length ? 1 : 0);
}

/** Of several values of one attribute any may fit, so that the numbered names of it ask the same. */
export function filtersFor(criteria: ReadonlyArray<Criterion>): ReadonlyArray<string> {
  return [
    ...new Set(
      criteria.map(({ field, value, how }) => {
        const { urn, attribute, type, part, index } = placeOf(field);
        const bare = urn === null ? attribute : `${urn}:${attribute}`;
        const path =
          type !== null || index !== null ? `${bare}.${part ?? "value"}` : part === null ? bare : `${bare}.${part}`;
        return `${path} ${how === "contains" ? "co" : "eq"} ${JSON.stringify(value)}`;
      }),
    ),
  ];
}

const foundPagesMax = 10;

/** What a filter finds; a filter that this provider refuses finds nothing here, and is then looked for by reading. */
async function search({ client, endpoint, settings }: Source, filter: string): Promise<ReadonlyArray<Json>> {
  const found: Array<Json> = [];
  for (let page = 0; page < foundPagesMax; page++) {
    const query = { filter, startIndex: String(found.length + 1), count: String(settings.pageSize) };
    const { status, body } = await client.call({ method: "GET", path: endpoint, query });
    // Several providers answer so for "nobody".
    if (status === 404) return found;
    if (status !== 200) {
      throw new Unavailable(`The provider refused a look-up with ${status}${detailOf(body)}`, { sent: true });
    }
    const rows = member(body, "Resources");
    const resources = Array.isArray(rows) ? rows.filter(isJson) : [];
    found.push(...resources);
    const total = Number(member(body, "totalResults") ?? 0);
    if (resources.length === 0 || found.length >= total) return found;
  }
  throw new Unavailable("A look-up found more than a person or a company can be.", { sent: true });
}

function keep(
  found: Map<string, RemoteRecord>,
  source: Source,
  resource: Json,
  criteria: ReadonlyArray<Criterion>,
): void {
  // A provider that finds more than it was asked for is not believed.
  if (!criteria.some((criterion) => isHeld(resource, criterion))) return;
  const record = recordOf(source, resource);
  if (record.kind === "record") found.set(record.id, record);
}

const numbersMax = 20;

/** Whether the resource holds what is looked for, under whichever number. */
function isHeld(resource: Json, criterion: Criterion): boolean {
  if (fits(fieldOf(resource, criterion.field), criterion)) return true;
  const place = placeOf(criterion.field);
  const { index, type, part } = place;
  if (index === null && type === null) return false;
  const values = attributeIn(resource, place);
  if (!Array.isArray(values)) return false;
  return values
    .slice(0, numbersMax)
    .some((element) => fits(isJson(element) ? member(element, part ?? "value") : element, criterion));
}

/** Whether one value is what is looked for, in any case of letters. */
export function fits(held: unknown, { value, how }: Criterion): boolean {
  if (typeof held !== "string") return false;
  const [one, other] = [held.toLowerCase(), value.toLowerCase()];
  return how === "contains" ? one.includes(other) : one === other;
}
