/**
 * Zoho's notifications: calls without a signature, proven by what we gave Zoho to say back. A call must carry the
 * channel's token in its body and a key made from it in its address: who has read the address in a proxy's log cannot
 * make the body.
 *
 * Source  Zoho CRM API v8, "Notification APIs".
 */
import { createHmac } from "node:crypto";
import {
  type Accepted,
  type Channels,
  Forged,
  type Hint,
  type HookCall,
  isSameSecret,
  Unreadable,
  type Webhook,
} from "../../core/connector.ts";
import { entityOf } from "./config.ts";
import { isJson, type Json, textOf } from "./json.ts";

/** Nothing binds a call to its time, and Zoho says nothing of late ones; a copy inside it is known by its key. */
const windowMs = 24 * 3_600_000;
/** The name of the key in the address. */
export const keyParameter = "k";

/** What the address carries; the token cannot be had from it. */
export const addressKeyOf = (token: string): string =>
  createHmac("sha256", token).update("notify_url").digest("base64url").slice(0, 22);

/** The events are named one way where they are asked for, and another where they come. */
const operations: Readonly<Record<string, string>> = { create: "insert", edit: "update" };

export function createWebhook(channels: Channels): Webhook {
  return { windowMs, accept, read: ({ body }) => hintsOf(body), channels };
}

function accept({ query, body }: HookCall, secrets: ReadonlyArray<string>): Accepted {
  const given = query[keyParameter] ?? "";
  // Strangers stop here, before their body is looked at.
  const fitting = secrets.filter((secret) => isSameSecret(given, addressKeyOf(secret)));
  if (fitting.length === 0) throw new Forged("the address of the call does not hold the channel's key");
  const notice = noticeIn(body);
  const token = textOf(notice?.token) ?? "";
  if (notice === undefined || !fitting.some((secret) => isSameSecret(token, secret)))
    throw new Forged("the call does not carry the channel's token");
  const { channel_id, module, operation, ids, server_time } = notice;
  if (typeof module !== "string" || typeof operation !== "string" || !Array.isArray(ids))
    throw new Forged("the call is no notification");
  const sentAt = Number.isSafeInteger(server_time) ? Number(server_time) : null;
  // Without a time, two edits of one record could not be told from one that came twice.
  if (sentAt === null) return { kind: "delivery", key: null, sentAt };
  const key = JSON.stringify([channel_id ?? null, module, operations[operation] ?? operation, ids, sentAt]);
  return { kind: "delivery", key, sentAt };
}

/** The records that a notification names; what happened to them is read from Zoho, whatever it says. */
function hintsOf(body: Uint8Array): ReadonlyArray<Hint> | Unreadable {
  const notice = noticeIn(body);
  if (notice === undefined) return new Unreadable("the body is not a JSON object");
  const { module, ids } = notice;
  const entity = entityOf(module);
  if (entity === undefined) return new Unreadable(`the module ${String(module).slice(0, 60)} is not synced`);
  const named = Array.isArray(ids) ? ids : [];
  if (!named.every((id) => typeof id === "string" && /^\d{1,20}$/.test(id)))
    return new Unreadable("an id in the call is not a text of digits");
  return named.length === 0 ? [{ kind: "pull", entity }] : [{ kind: "records", entity, ids: named }];
}

function noticeIn(body: Uint8Array): Json | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8"));
    return isJson(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}
