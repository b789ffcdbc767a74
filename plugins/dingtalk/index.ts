/**
 * A custom bot of DingTalk (钉钉).
 *
 * Shape   with a secret, the address gets `timestamp` (milliseconds) and `sign`: base64 of HMAC-SHA256 under the secret
 *         over the timestamp, a line feed and the secret.
 * Source  DingTalk open platform, "自定义机器人接入": `errcode` 0 is success; 20 messages a minute.
 */
import { createHmac } from "node:crypto";
import { type NotificationChannel, Schema } from "../../core/plugin.ts";
import { mustBeZero } from "../answer.ts";
import { markdownOf } from "../markdown.ts";

const Config = Schema.Struct({
  url: Schema.String.check(
    Schema.isPattern(/^https?:\/\/.+[?&]access_token=.+/, { expected: "the bot's address with its access_token" }),
  ).annotate({ description: "The bot's address, with its access_token, as DingTalk shows it." }),
  secret: Schema.optionalKey(
    Schema.String.annotate({ description: "The secret for signing (加签), which begins with SEC." }),
  ),
});

export const dingtalk: NotificationChannel<typeof Config.Type> = {
  channel: "dingtalk",
  title: { en: "DingTalk bot", zh: "钉钉机器人" },
  config: Config,
  send: async (notice, { url, secret }, { post, now }) => {
    const signed = secret === undefined ? url : signedUrl(url, secret, now());
    const markdown = { title: notice.title, text: markdownOf(notice, "\n\n") };
    const answer = await post({ url: signed, body: JSON.stringify({ msgtype: "markdown", markdown }) });
    mustBeZero(answer, ["errcode"], "errmsg");
  },
};

function signedUrl(url: string, secret: string, now: number): string {
  const timestamp = String(now);
  const sign = createHmac("sha256", secret).update(`${timestamp}\n${secret}`).digest("base64");
  const signed = new URL(url);
  signed.searchParams.set("timestamp", timestamp);
  signed.searchParams.set("sign", sign);
  return signed.href;
}
