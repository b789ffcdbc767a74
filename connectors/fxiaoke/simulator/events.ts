/**
 * The event sender of the simulator: thin, signed and encrypted notes of changes, as the vendor's demo receiver reads.
 *
 * Source  The vendor's demo repository (fsxiaoke/open-fxiaoke-demo), event callback.
 */
import { createCipheriv, createHash, createSecretKey } from "node:crypto";
import type { StoreEvent } from "./store.ts";
import type { FxiaokeSwitches } from "./switches.ts";
import { tenant } from "./tenant.ts";

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

/** SHA-1 over the plain concatenation; the fields are not sorted, and an absent retryTimes counts as nothing. */
export const signatureOf = (body: Omit<EventBody, "signature">, aesKey: string): string =>
  createHash("sha1")
    .update(
      `${body.timestamp}${body.nonce}${body.messageId}${body.retryTimes ?? ""}${body.enterpriseAccount}${body.encryptedContent}${aesKey}`,
    )
    .digest("hex");

const retryMs = 9 * 60_000;
const retriesMax: Record<FxiaokeSwitches["eventRetry"], number> = {
  one: 1,
  several: 3,
  "out-of-order": 1,
  duplicates: 1,
};

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
}

export function createEvents(
  now: () => number,
  random: () => number,
  switches: FxiaokeSwitches,
): EventSender & { readonly note: (event: StoreEvent) => void } {
  let waiting: ReadonlyArray<Waiting> = [];
  const sent = new Map<string, Waiting>();
  let counter = 0;

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

  return {
    note: (event) => {
      if (event.byApi && !switches.eventEcho) return;
      counter += 1;
      const messageId = `AC${counter.toString(16).toUpperCase().padStart(31, "0")}`;
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
      waiting = [...waiting, { content, dueAt: event.at, retries: 0 }];
    },
    due: () => {
      const ready = waiting.filter(({ dueAt }) => dueAt <= now());
      waiting = waiting.filter(({ dueAt }) => dueAt > now());
      for (const one of ready) sent.set(one.content.messageId, one);
      const bodies = ready.map(bodyOf);
      if (switches.eventRetry === "out-of-order") return bodies.reverse();
      return switches.eventRetry === "duplicates" ? bodies.flatMap((body) => [body, body]) : bodies;
    },
    refuse: (messageId) => {
      const one = sent.get(messageId);
      if (one === undefined || one.retries >= retriesMax[switches.eventRetry]) return;
      waiting = [...waiting, { ...one, dueAt: now() + retryMs, retries: one.retries + 1 }];
    },
  };
}
