/**
 * The notification channels that Zoho keeps for the user who consented. One channel serves both modules.
 *
 * Units   a channel lives a week at most. An expiry beyond that is no error: it shrinks to one hour, so the answer tells.
 * Errors  RateLimited, AuthFailed (401, 403, an address that Zoho does not take), Unavailable.
 * Source  Zoho CRM API v8, "Notification APIs": Enable, Update, Get and Disable Notifications.
 */
import {
  AuthFailed,
  type Channel,
  type Channels,
  type Entity,
  type Fault,
  RateLimited,
  Unavailable,
} from "../../core/connector.ts";
import type { Client } from "./client.ts";
import { entityOf, modules } from "./config.ts";
import { accessFaultOf, explain, type Failure, failureOf } from "./errors.ts";
import { instantOf, isJson, type Json, listIn, stampOf, textOf } from "./json.ts";
import { addressKeyOf, keyParameter } from "./webhook.ts";

const path = "/crm/v8/actions/watch";
const hourMs = 3_600_000;
/** Less than Zoho's week, because its clock may be behind ours. */
const lifeMs = 7 * 24 * hourMs - hourMs;
const pageRowsMax = 200;
const pagesMax = 50;
const urlLengthMax = 255;
/** A number of 18 digits, which no counter of a person reaches and a signed long still holds. */
const idDigits = 18;

export function createChannels(client: Client): Channels {
  return {
    lifeMs,
    newId: (random) => Array.from({ length: idDigits }, (_, place) => digit(random, place === 0 ? 1 : 0)).join(""),
    list: () => list(client),
    save: (channel, exists) => save(client, channel, exists),
    remove: (ids) => remove(client, ids),
  };
}

const digit = (random: () => number, lowest: number): number => lowest + Math.floor(random() * (10 - lowest));

/** Every channel that this user has, also those of other programs. */
async function list(client: Client): Promise<ReadonlyArray<Channel>> {
  const found = new Map<string, Channel>();
  for (let page = 1; page <= pagesMax; page++) {
    const query = { page: String(page), per_page: String(pageRowsMax) };
    const { body } = await client.read({ method: "GET", path, query });
    // One row for each module of a channel.
    for (const row of listIn(body, "watch")) {
      const channel = channelOf(row);
      const known = channel === undefined ? undefined : found.get(channel.id);
      if (channel !== undefined) found.set(channel.id, known === undefined ? channel : joined(known, channel));
    }
    const info = isJson(body?.info) ? body.info : {};
    if (info.more_records !== true) return [...found.values()];
  }
  throw new Unavailable(`Zoho lists more than ${pagesMax * pageRowsMax} notification channels`, { sent: true });
}

function channelOf(row: Json): Channel | undefined {
  const id = row.channel_id;
  if (typeof id !== "string" && typeof id !== "number") return undefined;
  const entity = entityOf(row.resource_name);
  return {
    id: String(id),
    url: withoutKey(textOf(row.notify_url) ?? ""),
    secret: textOf(row.token) ?? null,
    expiresAt: instantOf(row.channel_expiry) ?? null,
    entities: entity === undefined ? [] : [entity],
  };
}

function joined(one: Channel, other: Channel): Channel {
  const expiries = [one.expiresAt, other.expiresAt].filter((at) => at !== null);
  return {
    ...one,
    expiresAt: expiries.length === 0 ? null : Math.min(...expiries),
    entities: [...new Set([...one.entities, ...other.entities])],
  };
}

async function save(client: Client, channel: Channel, exists: boolean): Promise<Channel> {
  const { secret, expiresAt, entities } = channel;
  const notify_url = withKey(channel.url, secret ?? "");
  if (notify_url.length > urlLengthMax) {
    throw new AuthFailed(
      `the address of the webhook has ${notify_url.length} characters, and Zoho takes ${urlLengthMax}`,
      "Shorten serve.url or the connection's name.",
    );
  }
  const watch = [
    {
      channel_id: channel.id,
      events: entities.map((entity) => `${modules[entity]}.all`),
      ...(expiresAt === null ? {} : { channel_expiry: stampOf(expiresAt) }),
      token: secret,
      notify_url,
      return_affected_field_values: false,
      notify_on_related_action: false,
    },
  ];
  const [entry] = await ask(client, { method: exists ? "PUT" : "POST", json: { watch } });
  const failure = failureOf(entry);
  // The vendor has forgotten it since it was listed.
  if (exists && failure?.code === "NOT_SUBSCRIBED") return save(client, channel, false);
  if (failure !== undefined) throw faultOf(failure);
  const details = isJson(entry?.details) ? entry.details : {};
  const kept = listIn(details, "events");
  const expiries = kept.flatMap(({ channel_expiry }) => instantOf(channel_expiry) ?? []);
  const covered = kept.flatMap(({ resource_name }) => entityOf(resource_name) ?? []);
  return {
    ...channel,
    expiresAt: expiries.length === 0 ? expiresAt : Math.min(...expiries),
    entities: covered.length === 0 ? entities : orderly(covered),
  };
}

const orderly = (found: ReadonlyArray<Entity>): ReadonlyArray<Entity> =>
  (["account", "contact"] as const).filter((entity) => found.includes(entity));

/** What is not there any more is gone, as was asked. */
async function remove(client: Client, ids: ReadonlyArray<string>): Promise<void> {
  if (ids.length === 0) return;
  const entries = await ask(client, { method: "DELETE", query: { channel_ids: ids.join(",") } });
  for (const entry of entries) {
    const failure = failureOf(entry);
    if (failure !== undefined && failure.code !== "NOT_SUBSCRIBED") throw faultOf(failure);
  }
}

/** The entries of the answer; a call that is refused as a whole is one entry. */
async function ask(
  client: Client,
  call: {
    readonly method: "POST" | "PUT" | "DELETE";
    readonly json?: unknown;
    readonly query?: Readonly<Record<string, string>>;
  },
): Promise<ReadonlyArray<Json>> {
  // Each of these calls may be made twice: the id is ours, and names one channel.
  const { body, failure } = await client.call({ ...call, path, retry: "safe" });
  if (failure !== undefined) return body === undefined ? [] : [body];
  const entries = listIn(body, "watch");
  if (entries.length === 0) throw new Unavailable("Zoho's answer names no channel", { sent: true });
  return entries;
}

function faultOf(failure: Failure): Fault {
  const access = accessFaultOf(failure);
  if (access !== undefined) return access;
  if (failure.code === "TOO_MANY_REQUESTS" || failure.code === "RATE_LIMIT_EXCEEDED")
    return new RateLimited(explain(failure), null);
  if (failure.code === "INVALID_DATA") {
    return new AuthFailed(
      explain(failure),
      "Check serve.url: it must be an https address that Zoho can reach, and both modules must be visible to the API user.",
    );
  }
  return new Unavailable(explain(failure), { sent: true });
}

function withKey(url: string, token: string): string {
  return `${url}${url.includes("?") ? "&" : "?"}${keyParameter}=${addressKeyOf(token)}`;
}

/** The address without what `withKey` has put there. */
function withoutKey(url: string): string {
  return url.replace(new RegExp(`[?&]${keyParameter}=[A-Za-z0-9_-]{22}$`), "");
}
