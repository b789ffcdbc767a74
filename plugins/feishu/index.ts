/**
 * A custom bot of Feishu (飞书) or Lark.
 *
 * Shape   with a secret, the body carries `timestamp` (seconds, as text) and `sign`: base64 of HMAC-SHA256 over nothing,
 *         under the timestamp, a line feed and the secret as the key.
 * Source  Feishu open platform, "自定义机器人使用指南": `code` 0 is success, 19021 a wrong signature or a clock that is an
 *         hour off; 100 messages a minute.
 */
import { createHmac } from "node:crypto";
import { type NotificationChannel, Schema } from "../../core/plugin.ts";
import { mustBeZero } from "../answer.ts";

const Config = Schema.Struct({
  url: Schema.String.check(
    Schema.isPattern(/^https?:\/\/.+\/hook\/.+/, { expected: "the bot's address, with /hook/ in it" }),
  ).annotate({ description: "The bot's address, as Feishu shows it." }),
  secret: Schema.optionalKey(Schema.String.annotate({ description: "The secret for signing (签名校验)." })),
});

export const feishu: NotificationChannel<typeof Config.Type> = {
  channel: "feishu",
  title: { en: "Feishu bot", zh: "飞书机器人" },
  config: Config,
  send: async ({ title, lines }, { url, secret }, { post, now }) => {
    // Mentions are tags in texts; without the brackets there are none.
    const text = [title, ...lines].join("\n").replaceAll("<", "‹").replaceAll(">", "›");
    const message = { msg_type: "text", content: { text } };
    const body = JSON.stringify(secret === undefined ? message : { ...signature(secret, now()), ...message });
    mustBeZero(await post({ url, body }), ["code", "StatusCode"], "msg");
  },
};

function signature(secret: string, now: number) {
  const timestamp = String(Math.floor(now / 1000));
  return { timestamp, sign: createHmac("sha256", `${timestamp}\n${secret}`).update("").digest("base64") };
}
