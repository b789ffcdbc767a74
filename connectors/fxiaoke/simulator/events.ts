/**
 * The event sender of the simulator: thin, signed and encrypted notes of changes, as the vendor's demo receiver reads.
 *
 * Source  The vendor's demo repository (fsxiaoke/open-fxiaoke-demo), event callback.
 */
import { createCipheriv, createDecipheriv, createHash, createSecretKey } from "node:crypto";
import { createNotices, type NoticeAnswer, type Notices } from "../../../core/simulator.ts";
import type { StoreEvent } from "./store.ts";
import type { FxiaokeSwitches } from "./switches.ts";
import { tenant } from "./tenant.ts";
import { isJson } from "./wire.ts";

/** The key of the vendor's published test vector. */
export const demoAesKey = "O0YjM0EDOygzNykzMzUjLwUTN3MjL5ADN1QjM5gTM0A=";

export interface EventBody {
  readonly signature: string;
  readonly timestamp: number;
  readonly nonce: string;
  readonly messageId: string;
  readonly retryTimes?: number;
  readonly enterpriseAccount: string;
  readonly encryptedContent: string;
}

export interface EventContent {
  readonly tenantId: number;
  readonly eventType: string;
  readonly apiName: string;
  readonly dataId: string;
  readonly timestamp: number;
  readonly messageId: string;
}

/** AES-256-CBC with the key's first half as the initial vector, in base64. */
export function encrypted(text: string, aesKey: string): string {
  const key = Buffer.from(aesKey, "base64");
  const cipher = createCipheriv("aes-256-cbc", createSecretKey(key), key.subarray(0, 16));
  return Buffer.concat([cipher.update(text, "utf8"), cipher.final()]).toString("base64");
}

/** Null where it is no such text. */
function decrypted(base64: string, aesKey: string): string | null {
  const key = Buffer.from(aesKey, "base64");
  try {
    const decipher = createDecipheriv("aes-256-cbc", createSecretKey(key), key.subarray(0, 16));
    return Buffer.concat([decipher.update(base64, "base64"), decipher.final()]).toString("utf8");
  } catch {
    return null;
  }
}

/** Whether the receiver took the event: it answers "success", encrypted and signed with the same key. */
function isTaken(answer: NoticeAnswer, aesKey: string): boolean {
  if (answer?.status !== 200) return false;
  let told: unknown;
  try {
    told = JSON.parse(answer.body);
  } catch {
    return false;
  }
  if (!isJson(told) || typeof told.encryptedResult !== "string") return false;
  const signed = `${String(told.timestamp)}${String(told.nonce)}${told.encryptedResult}${aesKey}`;
  const isSigned = createHash("sha1").update(signed).digest("hex") === told.signature;
  return isSigned && decrypted(told.encryptedResult, aesKey) === "success";
}

/** SHA-1 over the plain concatenation; the fields are not sorted, and an absent retryTimes counts as nothing. */
export const signatureOf = (body: Omit<EventBody, "signature">, aesKey: string): string =>
  createHash("sha1")
    .update(
      `${body.timestamp}${body.nonce}${body.messageId}${body.retryTimes ?? ""}${body.enterpriseAccount}${body.encryptedContent}${aesKey}`,
    )
    .digest("hex");

const retryMs = 9 * 60_000;
/** Nobody may be there to take them. */
const waitingMax = 10_000;
const retriesMax: Record<FxiaokeSwitches["eventRetry"], number> = {
  one: 1,
  several: 3,
  "out-of-order": 1,
  duplicates: 1,
};

const hex = (number: number, length: number): string => number.toString(16).toUpperCase().padStart(length, "0");

interface Waiting {
  readonly content: EventContent;
  readonly dueAt: number;
  readonly retries: number;
}

export interface EventSender {
  /** The deliveries that are due now. */
  readonly due: () => ReadonlyArray<EventBody>;
  /** The receiver did not answer "success": the event is sent again later, as often as the switch says. */
  readonly refuse: (messageId: string) => void;
  /** The same deliveries as calls to the address that a person has set; none while there is no address. */
  readonly notices: Notices;
  /** Where events go from now on; null for nowhere. */
  readonly setAddress: (url: string | null) => void;
}

export function createEvents(
  now: () => number,
  random: () => number,
  switches: FxiaokeSwitches,
): EventSender & { readonly note: (event: StoreEvent) => void } {
  let waiting: Array<Waiting> = [];
  const sent = new Map<string, Waiting>();
  let counter = 0;
  let address: string | null = null;
  let posted = 0;

  const text = (length: number): string =>
    Array.from({ length }, () => Math.floor(random() * 36).toString(36)).join("");

  const bodyOf = ({ content, retries }: Waiting): EventBody => {
    const unsigned = {
      timestamp: now(),
      nonce: text(16),
      messageId: content.messageId,
      ...(retries === 0 ? {} : { retryTimes: retries }),
      enterpriseAccount: tenant.ea,
      encryptedContent: encrypted(JSON.stringify(content), demoAesKey),
    };
    return { signature: signatureOf(unsigned, demoAesKey), ...unsigned };
  };

  const due = (): ReadonlyArray<EventBody> => {
    const ready = waiting.filter(({ dueAt }) => dueAt <= now());
    waiting = waiting.filter(({ dueAt }) => dueAt > now());
    for (const one of ready) sent.set(one.content.messageId, one);
    const bodies = ready.map(bodyOf);
    if (switches.eventRetry === "out-of-order") return bodies.reverse();
    return switches.eventRetry === "duplicates" ? bodies.flatMap((body) => [body, body]) : bodies;
  };

  const refuse = (messageId: string): void => {
    const one = sent.get(messageId);
    if (one === undefined || one.retries >= retriesMax[switches.eventRetry]) return;
    sent.delete(messageId);
    waiting.push({ ...one, dueAt: now() + retryMs, retries: one.retries + 1 });
  };

  const messageIds = new Map<string, string>();
  const notices = createNotices({
    take: () => {
      const url = address;
      if (url === null) return [];
      return due().map((body) => {
        posted += 1;
        const id = String(posted);
        messageIds.set(id, body.messageId);
        const headers = { "content-type": "application/json;charset=UTF-8" };
        return { id, url, headers, body: JSON.stringify(body) };
      });
    },
    answered: ({ id }, answer) => {
      const messageId = messageIds.get(id) ?? "";
      messageIds.delete(id);
      if (isTaken(answer, demoAesKey)) sent.delete(messageId);
      else refuse(messageId);
    },
  });

  return {
    notices,
    setAddress: (url) => {
      address = url;
      // What happened before is not sent.
      waiting = [];
    },
    note: (event) => {
      if (event.byApi && !switches.eventEcho) return;
      counter += 1;
      // With the time, so that a simulator that was started again does not repeat the ids of its earlier life.
      const messageId = `AC${hex(event.at, 15)}${hex(counter, 16)}`;
      const eventType =
        event.type === "invalid" ? switches.invalidEvent : event.type === "recover" ? "update" : event.type;
      const content = {
        tenantId: tenant.tenantId,
        eventType,
        apiName: event.object,
        dataId: event.id,
        timestamp: event.at,
        messageId,
      };
      waiting.push({ content, dueAt: event.at, retries: 0 });
      if (waiting.length > waitingMax) waiting.shift();
      notices.ring();
    },
    due,
    refuse,
  };
}
