/**
 * A group bot of WeCom (企业微信).
 *
 * Source  WeCom developer documentation, "群机器人配置说明": POST of markdown to the bot's address, whose `key` is its
 *         secret; `errcode` 0 is success; 20 messages a minute, 4096 bytes each.
 */
import { type NotificationChannel, Schema } from "../../core/plugin.ts";
import { mustBeZero } from "../answer.ts";
import { markdownOf } from "../markdown.ts";

const Config = Schema.Struct({
  url: Schema.String.check(
    Schema.isPattern(/^https?:\/\/.+[?&]key=.+/, { expected: "the bot's address with its key" }),
  ).annotate({ description: "The bot's address, with its key, as WeCom shows it." }),
});

const bytesMax = 4096;

export const wecom: NotificationChannel<typeof Config.Type> = {
  channel: "wecom",
  title: { en: "WeCom bot", zh: "企业微信机器人" },
  config: Config,
  send: async (notice, { url }, { post }) => {
    const content = cutToBytes(markdownOf(notice, "\n"), bytesMax);
    const body = JSON.stringify({ msgtype: "markdown", markdown: { content } });
    mustBeZero(await post({ url, body }), ["errcode"], "errmsg");
  },
};

/** A character is never cut in two. */
function cutToBytes(text: string, max: number): string {
  const bytes = new TextEncoder().encode(text);
  return bytes.length <= max ? text : new TextDecoder().decode(bytes.subarray(0, max)).replace(/\ufffd+$/, "");
}
