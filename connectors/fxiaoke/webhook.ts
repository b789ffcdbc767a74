/**
 * Fxiaoke's event callback (事件变更订阅): thin events, signed and encrypted with one key that both sides hold. The current
 * manual does not describe it; it exists for some tenants, and this is the contract of the vendor's own demo receiver.
 *
 * Shape   JSON `{signature, timestamp, nonce, messageId, retryTimes?, enterpriseAccount, encryptedContent}`; the content
 *         is `{tenantId, eventType, apiName, dataId, timestamp, messageId}`. Answered with
 *         `{signature, timestamp, nonce, encryptedResult}`, whose result is the word `success`.
 * Units   timestamps are epoch milliseconds; the outer one is the time of this delivery.
 * Source  github.com/fsxiaoke/open-fxiaoke-demo, event callback.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createSecretKey,
  type KeyObject,
  randomBytes,
} from "node:crypto";
import {
  type Accepted,
  type Entity,
  Forged,
  type Hint,
  type HookAnswer,
  type HookCall,
  isSameSecret,
  Unreadable,
  type Webhook,
} from "../../core/connector.ts";
import { isJson, type Json } from "./client.ts";

/** Deliveries come late: the first repetition was seen after nine minutes, and nothing tells of the last one. */
const windowMs = 24 * 3_600_000;
const idLengthMax = 256;

/** The key as it is configured: it is used as text in signatures, and as bytes for the content. */
export interface EventKey {
  /** Base64 of 32 bytes. */
  readonly text: string;
  readonly key: KeyObject;
  readonly iv: Buffer;
}

export function eventKeyOf(aesKey: string): EventKey {
  const bytes = Buffer.from(aesKey, "base64");
  return { text: aesKey, key: createSecretKey(bytes), iv: bytes.subarray(0, 16) };
}

export interface WebhookOptions {
  readonly aesKey: string;
  readonly objects: Readonly<Record<Entity, string>>;
  readonly now: () => number;
}

export function createWebhook({ aesKey, objects, now }: WebhookOptions): Webhook {
  const key = eventKeyOf(aesKey);
  return {
    windowMs,
    accept: ({ body }) => accept(key, body, now()),
    read: ({ body }) => read(key, body, objects),
  };
}

interface Envelope {
  readonly timestamp: number;
  readonly messageId: string;
  readonly encryptedContent: string;
}

/** One refusal for every reason: which of them it was would help somebody who tries keys or contents. */
const notProven = (): Forged => new Forged("the call is not proven");

function accept(key: EventKey, body: HookCall["body"], now: number): Accepted {
  const envelope = envelopeIn(key, body);
  if (envelope === undefined || decrypted(key, envelope.encryptedContent) === undefined) throw notProven();
  const { messageId, timestamp } = envelope;
  return { kind: "delivery", key: messageId, sentAt: timestamp, answer: answerOf(key, now) };
}

/** The envelope, if its signature fits: SHA-1 over the parts as they come, in the order of the demo, then the key. */
function envelopeIn(key: EventKey, body: HookCall["body"]): Envelope | undefined {
  const told = jsonIn(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8"));
  if (told === undefined) return undefined;
  const { signature, timestamp, nonce, messageId, retryTimes, enterpriseAccount, encryptedContent } = told;
  if (typeof signature !== "string" || typeof timestamp !== "number" || typeof nonce !== "string") return undefined;
  if (typeof messageId !== "string" || messageId === "" || messageId.length > idLengthMax) return undefined;
  if (typeof enterpriseAccount !== "string" || typeof encryptedContent !== "string") return undefined;
  // The first delivery carries none.
  if (retryTimes !== undefined && retryTimes !== null && typeof retryTimes !== "number") return undefined;
  const right = signed(
    `${timestamp}${nonce}${messageId}${retryTimes ?? ""}${enterpriseAccount}${encryptedContent}`,
    key,
  );
  return isSameSecret(signature, right) ? { timestamp, messageId, encryptedContent } : undefined;
}

/** Any event about a record means that it is read again; one about another object is none of ours. */
function read(
  key: EventKey,
  body: HookCall["body"],
  objects: WebhookOptions["objects"],
): ReadonlyArray<Hint> | Unreadable {
  const envelope = envelopeIn(key, body);
  const text = envelope === undefined ? undefined : decrypted(key, envelope.encryptedContent);
  const event = text === undefined ? undefined : jsonIn(text);
  if (event === undefined) return new Unreadable("the event does not open with the present aesKey");
  const { apiName, dataId } = event;
  const entity = (["account", "contact"] as const).find((one) => objects[one] === apiName);
  if (entity === undefined) return new Unreadable(`the object ${String(apiName).slice(0, 60)} is not synced`);
  if (typeof dataId !== "string" || dataId === "") return [{ kind: "pull", entity }];
  return [{ kind: "records", entity, ids: [dataId] }];
}

function answerOf(key: EventKey, now: number): HookAnswer {
  const told = replyOf(key, { timestamp: now, nonce: randomBytes(8).toString("hex") });
  return { status: 200, mediaType: "application/json;charset=UTF-8", body: JSON.stringify(told) };
}

export function replyOf(key: EventKey, { timestamp, nonce }: { readonly timestamp: number; readonly nonce: string }) {
  const encryptedResult = encrypted(key, "success");
  return { signature: signed(`${timestamp}${nonce}${encryptedResult}`, key), timestamp, nonce, encryptedResult };
}

const signed = (text: string, key: EventKey): string => createHash("sha1").update(text).update(key.text).digest("hex");

function encrypted({ key, iv }: EventKey, text: string): string {
  const cipher = createCipheriv("aes-256-cbc", key, iv);
  return Buffer.concat([cipher.update(text, "utf8"), cipher.final()]).toString("base64");
}

function decrypted({ key, iv }: EventKey, content: string): string | undefined {
  try {
    const decipher = createDecipheriv("aes-256-cbc", key, iv);
    return Buffer.concat([decipher.update(content, "base64"), decipher.final()]).toString("utf8");
  } catch {
    return undefined;
  }
}

function jsonIn(text: string): Json | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return isJson(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}
