/**
 * Alerts for programs: a POST of JSON, signed as Standard Webhooks says, so that the receiver can prove who called.
 *
 * Shape   `{ "type": "alert.begun", "timestamp": "…", "data": { "rule", "connection", "hub", "since", "title", "lines" } }`;
 *         `alert.lasts`, `alert.ended` and `alert.test` too. `webhook-id` is the same when a call is repeated.
 * Source  standardwebhooks.com, specification 1.0.
 */
import { createHmac } from "node:crypto";
import { type NotificationChannel, Schema } from "../../core/plugin.ts";

const Config = Schema.Struct({
  url: Schema.String.check(Schema.isPattern(/^https?:\/\/[^\s]+$/, { expected: "an address" })).annotate({
    description: "Where the calls go.",
  }),
  secret: Schema.String.check(Schema.isMinLength(16, { expected: "a secret of at least 16 characters" })).annotate({
    description: "What calls are signed with, as Standard Webhooks says; whsec_ and base64, or any text.",
  }),
});

const prefix = "whsec_";

export const webhook: NotificationChannel<typeof Config.Type> = {
  channel: "webhook",
  title: { en: "Signed webhook", zh: "带签名的 webhook" },
  config: Config,
  send: async (notice, { url, secret }, { post, now }) => {
    const { id, kind, rule, connection, hub, since, at, title, lines } = notice;
    const body = JSON.stringify({
      type: `alert.${kind}`,
      timestamp: new Date(at).toISOString(),
      data: { rule, connection, hub, since: new Date(since).toISOString(), title, lines },
    });
    const timestamp = String(Math.floor(now() / 1000));
    const signature = createHmac("sha256", keyOf(secret)).update(`${id}.${timestamp}.${body}`).digest("base64");
    const headers = { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` };
    const { status } = await post({ url, headers, body });
    if (status < 200 || status > 299) throw new Error(`it answered ${status}`);
  },
};

const keyOf = (secret: string): Buffer =>
  secret.startsWith(prefix) ? Buffer.from(secret.slice(prefix.length), "base64") : Buffer.from(secret, "utf8");
