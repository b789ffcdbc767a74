import { afterEach, describe, expect, it } from "vitest";
import { registry } from "../../config/registry.ts";
import { systemClock } from "../../core/net/clock.ts";
import { createChannelTools } from "../../core/net/notices.ts";
import type { Notice } from "../../core/plugin.ts";
import { dingtalkBot, feishuBot, mailServer, type Receiver, signedReceiver, wecomBot } from "../kit/receivers.ts";

const secret = "SECretOfThisBot0123456789";
const token = "token-of-this-bot-0123456789";
const { now } = systemClock;

const closing: Array<() => Promise<void>> = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const started = async <R extends Pick<Receiver, "close">>(making: Promise<R>): Promise<R> => {
  const made = await making;
  closing.push(made.close);
  return made;
};

const notice = (change: Partial<Notice> = {}): Notice => ({
  id: "alert_1",
  kind: "begun",
  rule: "failing",
  connection: "zoho-eu",
  hub: "acme",
  since: Date.UTC(2026, 5, 1, 9),
  at: Date.UTC(2026, 5, 1, 9, 15),
  title: "acme: zoho-eu 已失败 15 分钟",
  lines: ["Reason: api.example.com answered [500](http://evil.example) <@all> *now*", "Since 09:00Z"],
  ...change,
});

/** Sends through the plugin as the hub does, with this port named in serve.hosts. */
async function send(channel: string, config: object, port: number | null, given = notice()): Promise<void> {
  const plugin = registry.channels.get(channel);
  if (plugin === undefined) throw new Error(`there is no channel ${channel}`);
  const hosts = port === null ? [] : [`127.0.0.1:${port}`];
  await plugin.send(given, config, createChannelTools(hosts, systemClock));
}

describe("the WeCom bot", () => {
  it("takes markdown in which a system's words make no link and no mention", async () => {
    const bot = await started(wecomBot(token));
    await send("wecom", { url: `http://127.0.0.1:${bot.port}/cgi-bin/webhook/send?key=${token}` }, bot.port);
    const [text = ""] = bot.taken;
    expect(text).toContain("**acme: zoho-eu 已失败 15 分钟**\nReason: api.example.com answered (500)(http://evil");
    expect(text).not.toMatch(/[<>[\]]|@all/);
  });

  it("gets no more bytes than it takes, and no half character", async () => {
    const bot = await started(wecomBot(token));
    const url = `http://127.0.0.1:${bot.port}/?key=${token}`;
    await send("wecom", { url }, bot.port, notice({ lines: ["数".repeat(3000)] }));
    expect(bot.taken[0]?.endsWith("数")).toBe(true);
  });

  it("tells why it refused, without its key", async () => {
    const bot = await started(wecomBot("another-key"));
    const sending = send("wecom", { url: `http://127.0.0.1:${bot.port}/?key=${token}` }, bot.port);
    await expect(sending).rejects.toThrow("it answered code 93000: invalid webhook url");
  });
});

describe("the DingTalk bot", () => {
  it("takes a signed message", async () => {
    const bot = await started(dingtalkBot(token, secret, now));
    await send("dingtalk", { url: `http://127.0.0.1:${bot.port}/robot/send?access_token=${token}`, secret }, bot.port);
    expect(bot.taken[0]).toContain("zoho-eu 已失败");
  });

  it("refuses another secret", async () => {
    const bot = await started(dingtalkBot(token, secret, now));
    const url = `http://127.0.0.1:${bot.port}/robot/send?access_token=${token}`;
    await expect(send("dingtalk", { url, secret: "SECother" }, bot.port)).rejects.toThrow("code 310000");
  });
});

describe("the Feishu bot", () => {
  it("takes a signed message", async () => {
    const bot = await started(feishuBot(token, secret, now));
    await send("feishu", { url: `http://127.0.0.1:${bot.port}/open-apis/bot/v2/hook/${token}`, secret }, bot.port);
    expect(bot.taken[0]).toContain("zoho-eu 已失败");
    expect(bot.taken[0]).not.toContain("<");
  });

  it("refuses another secret", async () => {
    const bot = await started(feishuBot(token, secret, now));
    const url = `http://127.0.0.1:${bot.port}/open-apis/bot/v2/hook/${token}`;
    await expect(send("feishu", { url, secret: "other" }, bot.port)).rejects.toThrow("code 19021: sign match fail");
  });
});

describe("the signed webhook", () => {
  const whsec = "whsec_c3luY2xpbmUtdGVzdC1zZWNyZXQtMDEyMzQ1Njc4OQ==";

  it("is a call that its receiver can prove", async () => {
    const receiver = await started(signedReceiver(whsec, now));
    await send("webhook", { url: `http://127.0.0.1:${receiver.port}/alerts`, secret: whsec }, receiver.port);
    expect(JSON.parse(receiver.taken[0] ?? "")).toMatchObject({
      type: "alert.begun",
      timestamp: "2026-06-01T09:15:00.000Z",
      data: { rule: "failing", connection: "zoho-eu", hub: "acme", since: "2026-06-01T09:00:00.000Z" },
    });
  });

  it("fails where the receiver does not believe it", async () => {
    const receiver = await started(signedReceiver(whsec, now));
    const config = { url: `http://127.0.0.1:${receiver.port}/`, secret: "another secret of mine" };
    await expect(send("webhook", config, receiver.port)).rejects.toThrow("it answered 401");
  });
});

describe("e-mail", () => {
  const from = "Hub <hub@acme.example>";
  const to = ["night@acme.example"];

  it("comes with subject, text and an id of its own, also in Chinese", async () => {
    const mail = await started(mailServer("hub", "pass-word"));
    const config = { host: "127.0.0.1", port: mail.port, tls: "none", user: "hub", password: "pass-word", from, to };
    await send("smtp", config, mail.port);
    const [message = ""] = mail.mails;
    expect(message).toContain("Message-ID: <alert_1@acme.example>");
    expect(message).toContain("Auto-Submitted: auto-generated");
    expect(message).toContain("To: night@acme.example");
    expect(message).toMatch(/Subject: =\?UTF-8\?/);
    expect(message).toContain("Since 09:00Z");
  });

  it("fails where the server refuses the user, without repeating the password", async () => {
    const mail = await started(mailServer("hub", "pass-word"));
    const config = { host: "127.0.0.1", port: mail.port, tls: "none", user: "hub", password: "wrong-one", from, to };
    const error = await send("smtp", config, mail.port).catch((failure: unknown) => failure);
    expect(String(error)).toContain("535");
    expect(String(error)).not.toContain("wrong-one");
  });

  it("is not sent unencrypted to a server that offers nothing else, unless said", async () => {
    const mail = await started(mailServer("hub", "pass-word"));
    const config = { host: "127.0.0.1", port: mail.port, user: "hub", password: "pass-word", from, to };
    await expect(send("smtp", config, mail.port)).rejects.toThrow();
    expect(mail.mails).toEqual([]);
  });
});

describe("addresses of channels", () => {
  const hidden = `${token}/${secret}`;

  it.each([
    ["wecom", { url: `https://127.0.0.1:9/?key=${token}` }],
    ["dingtalk", { url: `https://169.254.169.254/?access_token=${token}` }],
    ["feishu", { url: `https://10.0.0.1/open-apis/bot/v2/hook/${hidden}` }],
    ["webhook", { url: `https://[::1]:9/${hidden}`, secret }],
    ["smtp", { host: "127.0.0.1", port: 25, from: "a@b.example", to: ["c@d.example"] }],
    ["smtp", { host: "localhost", port: 25, from: "a@b.example", to: ["c@d.example"] }],
  ])("of %s that are private are refused, and not shown", async (channel, config) => {
    const error = await send(channel, config, null).catch((failure: unknown) => failure);
    expect(String(error)).toContain("private address; if it is meant, name the host in serve.hosts");
    expect(String(error)).not.toContain(token);
    expect(String(error)).not.toContain(secret);
  });

  it("are called at the port that is named only", async () => {
    const mail = await started(mailServer("hub", "pass-word"));
    const config = { host: "127.0.0.1", port: mail.port, tls: "none", from: "a@b.example", to: ["c@d.example"] };
    await expect(send("smtp", config, mail.port + 1)).rejects.toThrow("private address");
  });
});
