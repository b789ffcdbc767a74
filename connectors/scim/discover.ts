/**
 * What a provider really can: its own documents are a hint, a probe is proof. The result is kept for a week.
 *
 * Source  RFC 7644, section 4; RFC 9865 for paging by cursor.
 */
import { createHash } from "node:crypto";
import { type Token, type Tools, Unavailable } from "../../core/connector.ts";
import type { Client } from "./client.ts";
import type { Settings } from "./config.ts";
import { isJson, isTrue, type Json, member, numberIn, textIn } from "./json.ts";
import { knownOf } from "./profiles.ts";

export interface Abilities {
  /** `meta.lastModified` is compared as asked, so a pull reads only what changed. */
  readonly delta: boolean;
  /** Look-ups by equality work; without, everything is read. */
  readonly filter: boolean;
  /** Look-ups by a part of a text work. */
  readonly contains: boolean;
  readonly patch: boolean;
  /** `search`: by index, but only in a search that is posted; one in use forgets the numbers of an address. */
  readonly paging: "index" | "search" | "cursor" | "none";
  /** Attributes that the provider's schema names, in its spelling; empty where it has no schema. */
  readonly attributes: ReadonlyArray<string>;
}

const weekMs = 7 * 24 * 3_600_000;

/** Answers from what was found out before, by whichever process. */
export interface Discover {
  (): Promise<Abilities>;
  /** What is known without asking. */
  readonly soFar: () => Abilities | undefined;
  /** The provider was not as it was found: it is looked at again. */
  readonly forget: () => Promise<void>;
}

export function createDiscover(settings: Settings, client: Client, tools: Tools): Discover {
  const { baseUrl, profile, write } = settings;
  const print = createHash("sha256").update([baseUrl, profile, write].join(" ")).digest("hex");
  const name = `abilities:${print.slice(0, 16)}`;
  const look = async (): Promise<Token> => ({
    value: JSON.stringify(await probe(settings, client)),
    expiresAt: tools.clock.now() + weekMs,
  });
  let known: Promise<Abilities> | undefined;
  const load = async (): Promise<Abilities> => {
    // Kept like a token: sealed, by one caller at a time, until it is too old. Written by probe only.
    const { value } = await tools.tokens.get(name, look);
    return JSON.parse(value) as Abilities;
  };
  let latest: Abilities | undefined;
  const discover = (): Promise<Abilities> => {
    known ??= load().catch((error: unknown) => {
      known = undefined;
      throw error;
    });
    return known.then((abilities) => {
      latest = abilities;
      return abilities;
    });
  };
  const forget = async (): Promise<void> => {
    const { value } = await tools.tokens.get(name, look);
    await tools.tokens.drop(name, value);
    known = undefined;
  };
  return Object.assign(discover, { soFar: () => latest, forget });
}

async function probe(settings: Settings, client: Client): Promise<Abilities> {
  const known = knownOf(settings.profile);
  const config = await documentAt(client, "/ServiceProviderConfig");
  const says = (name: string): boolean | undefined => {
    const part = member(config, name);
    return part === undefined ? undefined : isTrue(member(part, "supported"));
  };
  const pagination = member(config, "pagination");
  const first = await list(client, "/Users", { count: "1" });
  const cursor = isTrue(member(pagination, "cursor")) && !isTrue(member(pagination, "index"));
  const hasCursor = cursor || textIn(first, "nextCursor") !== undefined;
  const total = numberIn(first, "totalResults");
  const filter = known.filter ?? (await canFilter(client));
  return {
    delta: known.delta ?? (filter && total !== undefined && (await canCompareTimes(client, total))),
    filter,
    contains: known.contains ?? (filter && (await canContain(client))),
    patch: known.patch ?? says("patch") ?? true,
    paging: known.paging ?? (hasCursor ? "cursor" : await indexPaging(settings, client)),
    attributes: await attributesOf(client),
  };
}

/** A document of discovery; a provider without it, or with something else there, has said nothing. */
async function documentAt(client: Client, path: string): Promise<Json | undefined> {
  const { status, body } = await client.call({ method: "GET", path });
  return status === 200 ? body : undefined;
}

async function list(client: Client, path: string, query: Readonly<Record<string, string>>): Promise<Json | undefined> {
  const { status, body } = await client.call({ method: "GET", path, query });
  if (status === 200) return body;
  const what = `The provider answered ${status} to a list of ${path.slice(1)}`;
  throw new Unavailable(`${what}; is this the base URL of SCIM 2.0?`, { sent: true });
}

export const searchUrn = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/** The second resource must be another one than the first; where nobody has two, what is usual is taken until a pull fails. */
async function indexPaging(settings: Settings, client: Client): Promise<Abilities["paging"]> {
  for (const path of ["/Users", ...(settings.accounts === undefined ? [] : [settings.accounts.endpoint])]) {
    const first = await list(client, path, { startIndex: "1", count: "1" });
    if ((numberIn(first, "totalResults") ?? 0) < 2) continue;
    if (idIn(await list(client, path, { startIndex: "2", count: "1" })) !== idIn(first)) return "index";
    const json = { schemas: [searchUrn], startIndex: 2, count: 1 };
    const { status, body } = await client.call({ method: "POST", path: `${path}/.search`, json, isRead: true });
    return status === 200 && idIn(body) !== undefined && idIn(body) !== idIn(first) ? "search" : "none";
  }
  return "index";
}

function idIn(body: Json | undefined): string | undefined {
  const rows = member(body, "Resources");
  return Array.isArray(rows) ? textIn(rows[0], "id") : undefined;
}

/** The number that a filter gives; undefined where it is refused. */
async function countOf(client: Client, filter: string): Promise<number | undefined> {
  const { status, body } = await client.call({ method: "GET", path: "/Users", query: { filter, count: "1" } });
  return status === 200 ? numberIn(body, "totalResults") : undefined;
}

/** A name that nobody has must find nobody: a provider that does not filter answers with everybody. */
const canFilter = async (client: Client): Promise<boolean> =>
  (await countOf(client, 'userName eq "nobody-1f0c4b1e-syncline"')) === 0;

const canContain = async (client: Client): Promise<boolean> =>
  (await countOf(client, 'userName co "nobody-1f0c4b1e-syncline"')) === 0;

async function canCompareTimes(client: Client, total: number): Promise<boolean> {
  const later = await countOf(client, 'meta.lastModified gt "2999-01-01T00:00:00Z"');
  if (later !== 0) return false;
  const all = await countOf(client, 'meta.lastModified gt "1970-01-01T00:00:00Z"');
  return all !== undefined && all >= total;
}

const schemasMax = 200;

async function attributesOf(client: Client): Promise<ReadonlyArray<string>> {
  const body = await documentAt(client, "/Schemas");
  const schemas = member(body, "Resources");
  if (!Array.isArray(schemas)) return [];
  return schemas.slice(0, schemasMax).flatMap((schema) => {
    const urn = textIn(schema, "id");
    const attributes = member(schema, "attributes");
    if (urn === undefined || !Array.isArray(attributes)) return [];
    return attributes.flatMap((attribute) => {
      const name = isJson(attribute) ? textIn(attribute, "name") : undefined;
      return name === undefined ? [] : [`${urn}:${name}`];
    });
  });
}
