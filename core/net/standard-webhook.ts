/**
 * Webhooks signed as the Standard Webhooks specification says: for senders that have no way of their own, such as a
 * workflow, a script, or another program of the house.
 *
 * Shape   headers `webhook-id`, `webhook-timestamp` (seconds), `webhook-signature` (`v1,` and base64, several with
 *         spaces between); the signature is HMAC-SHA256 over `id.timestamp.body`.
 *         Body: `{ "type": "account.updated", "data": { "id": "…" } }`; `data.ids` for several; the word before the
 *         dot, or `data.object`, is `account`, `contact` or the remote object's name.
 * Errors  Forged.
 * Source  standardwebhooks.com, specification 1.0.
 */
import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import { Unreadable } from "../model/codec.ts";
import type { Entity } from "../model/field.ts";
import { Forged } from "./fault.ts";
import { isSameSecret } from "./same-secret.ts";
import type { Hint, Webhook } from "./webhook.ts";

const windowMs = 5 * 60_000;
const idLengthMax = 256;
const signaturesMax = 10;
const idsMax = 1000;
const secretPrefix = "whsec_";

/** The bytes behind `whsec_`, or of the text itself where it has no such prefix. */
export function secretBytes(secret: string): Buffer {
  return secret.startsWith(secretPrefix)
    ? Buffer.from(secret.slice(secretPrefix.length), "base64")
    : Buffer.from(secret, "utf8");
}

// Making a key costs more than a signature does; a connection has a handful of secrets at most.
const keys = new Map<string, KeyObject>();
const keysMax = 1000;

function keyOf(secret: string): KeyObject {
  const known = keys.get(secret);
  if (known !== undefined) return known;
  if (keys.size >= keysMax) keys.clear();
  const key = createSecretKey(secretBytes(secret));
  keys.set(secret, key);
  return key;
}

export interface SignedParts {
  readonly id: string;
  /** Whole seconds since 1970, as text. */
  readonly timestamp: string;
  readonly body: Uint8Array | string;
}

/** The signature of one call, in base64 without its version. */
export const signatureOf = (secret: string, { id, timestamp, body }: SignedParts): string =>
  createHmac("sha256", keyOf(secret)).update(`${id}.${timestamp}.`).update(body).digest("base64");

/** `objects`: remote object names by entity. */
export function standardWebhook(objects: Readonly<Partial<Record<Entity, string>>>): Webhook {
  return {
    windowMs,
    accept: (call, secrets) => {
      const { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures } = call.headers;
      if (id === undefined || timestamp === undefined || signatures === undefined)
        throw new Forged("the call carries no webhook-id, webhook-timestamp and webhook-signature");
      if (id === "" || id.length > idLengthMax || !/^\d{1,12}$/.test(timestamp))
        throw new Forged("webhook-id or webhook-timestamp is not one");
      const given = signatures.split(" ", signaturesMax).filter((one) => one.startsWith("v1,"));
      const isProven = secrets.some((secret) => {
        const right = signatureOf(secret, { id, timestamp, body: call.body });
        return given.some((one) => isSameSecret(one.slice(3), right));
      });
      if (!isProven) throw new Forged("the signature does not fit the call");
      return { kind: "delivery", key: id, sentAt: Number(timestamp) * 1000 };
    },
    read: (call) => hintsOf(Buffer.from(call.body).toString("utf8"), objects),
  };
}

function hintsOf(text: string, objects: Readonly<Partial<Record<Entity, string>>>): ReadonlyArray<Hint> | Unreadable {
  const body = parsed(text);
  if (!isBlock(body)) return new Unreadable("the body is not a JSON object");
  const data = isBlock(body.data) ? body.data : {};
  const word = String(data.object ?? String(body.type ?? "").split(".")[0]);
  const entity = (["account", "contact"] as const).find((one) => one === word || objects[one] === word);
  if (entity === undefined) return new Unreadable(`the call is about "${word.slice(0, 60)}", which is not synced`);
  const ids = [data.ids ?? data.id ?? []].flat().map(idOf);
  if (ids.length > idsMax) return new Unreadable(`the call names more than ${idsMax} records`);
  if (ids.includes(undefined)) return new Unreadable("an id in the call is not a text or a whole number");
  if (ids.length === 0) return [{ kind: "pull", entity }];
  return [{ kind: "records", entity, ids: ids.filter((id) => id !== undefined) }];
}

/** A number beyond 2^53 has lost its last digits already. */
function idOf(value: unknown): string | undefined {
  if (typeof value === "string" && value !== "") return value;
  return typeof value === "number" && Number.isSafeInteger(value) ? String(value) : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isBlock = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
