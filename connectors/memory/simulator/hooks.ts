/**
 * The calls that Memory makes when a record changes, signed as Standard Webhooks says. A call that is not taken is not
 * made again.
 *
 * Source  standardwebhooks.com, specification 1.0.
 */
import { createHmac } from "node:crypto";
import { createNotices, type Notice, type Notices } from "../../../core/simulator.ts";

/** Where the calls go, and the secret that they are signed with: `whsec_` and base64. */
export interface HookAddress {
  readonly url: string;
  readonly secret: string;
}

export interface HookChange {
  readonly object: "companies" | "people";
  readonly id: string;
  readonly what: "created" | "updated" | "deleted";
}

export interface HookSender {
  readonly notices: Notices;
  readonly setAddress: (address: HookAddress | null) => void;
  readonly note: (change: HookChange) => void;
}

const waitingMax = 10_000;

export function createHookSender(now: () => number): HookSender {
  let address: HookAddress | null = null;
  let waiting: Array<Notice> = [];
  let counter = 0;
  const notices = createNotices({
    take: () => {
      const taken = waiting;
      waiting = [];
      return taken;
    },
  });
  return {
    notices,
    setAddress: (given) => {
      address = given;
      waiting = [];
    },
    note: ({ object, id, what }) => {
      if (address === null) return;
      counter += 1;
      const at = now();
      // With the time, so that a simulator that was started again does not repeat the ids of its earlier life.
      const messageId = `msg_${at.toString(36)}_${counter}`;
      const timestamp = String(Math.floor(at / 1000));
      const body = JSON.stringify({
        type: `${object}.${what}`,
        timestamp: new Date(at).toISOString(),
        data: { id },
      });
      const key = Buffer.from(address.secret.replace(/^whsec_/, ""), "base64");
      const signature = createHmac("sha256", key).update(`${messageId}.${timestamp}.${body}`).digest("base64");
      waiting.push({
        id: messageId,
        url: address.url,
        headers: {
          "content-type": "application/json",
          "webhook-id": messageId,
          "webhook-timestamp": timestamp,
          "webhook-signature": `v1,${signature}`,
        },
        body,
      });
      if (waiting.length > waitingMax) waiting.shift();
      notices.ring();
    },
  };
}
