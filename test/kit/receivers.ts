/** Simulated receivers of alerts: chat bots and webhooks over HTTP, and a mail server. They refuse what the real ones refuse. */
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createSocketServer } from "node:net";
import { standardWebhook } from "../../core/net/standard-webhook.ts";

export interface Receiver {
  readonly port: number;
  readonly taken: ReadonlyArray<string>;
  /** What it answers from now on, in place of judging. */
  readonly failWith: (status: number | null) => void;
  readonly close: () => Promise<void>;
}

type Verdict = { readonly status: number; readonly body: unknown; readonly taken?: string };
type Judge = (call: { readonly url: URL; readonly headers: Record<string, string>; readonly body: string }) => Verdict;

const hour = 3_600_000;

async function receive(judge: Judge): Promise<Receiver> {
  const taken: Array<string> = [];
  let failing: number | null = null;
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    const url = new URL(request.url ?? "/", "http://receiver");
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const verdict = failing === null ? judge({ url, headers, body }) : { status: failing, body: {} };
    if (verdict.taken !== undefined) taken.push(verdict.taken);
    response.writeHead(verdict.status, { "content-type": "application/json" }).end(JSON.stringify(verdict.body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    taken,
    failWith: (status) => {
      failing = status;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const refused = (errcode: number, errmsg: string): Verdict => ({ status: 200, body: { errcode, errmsg } });

export const wecomBot = (key: string): Promise<Receiver> =>
  receive(({ url, body }) => {
    if (url.searchParams.get("key") !== key) return refused(93000, "invalid webhook url");
    const { msgtype, markdown } = JSON.parse(body);
    if (msgtype !== "markdown" || Buffer.byteLength(markdown.content) > 4096) return refused(40058, "invalid content");
    return { status: 200, body: { errcode: 0, errmsg: "ok" }, taken: markdown.content };
  });

export const dingtalkBot = (token: string, secret: string, now: () => number): Promise<Receiver> =>
  receive(({ url, body }) => {
    if (url.searchParams.get("access_token") !== token) return refused(300005, "token is not exist");
    const timestamp = url.searchParams.get("timestamp") ?? "";
    const sign = createHmac("sha256", secret).update(`${timestamp}\n${secret}`).digest("base64");
    if (Math.abs(now() - Number(timestamp)) > hour || sign !== url.searchParams.get("sign"))
      return refused(310000, "sign not match");
    const { msgtype, markdown } = JSON.parse(body);
    if (msgtype !== "markdown" || !markdown.title) return refused(400402, "title is blank");
    return { status: 200, body: { errcode: 0, errmsg: "ok" }, taken: markdown.text };
  });

export const feishuBot = (token: string, secret: string, now: () => number): Promise<Receiver> =>
  receive(({ url, body }) => {
    const wrong = (code: number, msg: string): Verdict => ({ status: 200, body: { code, msg, data: {} } });
    if (url.pathname !== `/open-apis/bot/v2/hook/${token}`)
      return wrong(19001, "param invalid: incoming webhook access token invalid");
    const { timestamp, sign, msg_type, content } = JSON.parse(body);
    const right = createHmac("sha256", `${timestamp}\n${secret}`).update("").digest("base64");
    if (Math.abs(now() - Number(timestamp) * 1000) > hour || sign !== right) return wrong(19021, "sign match fail");
    if (msg_type !== "text") return wrong(9499, "Bad Request");
    return { status: 200, body: { code: 0, msg: "success", data: {} }, taken: content.text };
  });

/** Judges as the hub itself judges signed calls. */
export const signedReceiver = (secret: string, now: () => number): Promise<Receiver> =>
  receive(({ headers, body }) => {
    const call = { headers, query: {}, body: Buffer.from(body), receivedAt: now() };
    try {
      const accepted = standardWebhook({}).accept(call, [secret]);
      if (accepted.kind !== "delivery" || Math.abs(now() - (accepted.sentAt ?? 0)) > 300_000)
        throw new Error("too old");
      return { status: 202, body: {}, taken: body };
    } catch {
      return { status: 401, body: {} };
    }
  });

export interface MailServer {
  readonly port: number;
  /** Messages as they came, head and body. */
  readonly mails: ReadonlyArray<string>;
  readonly close: () => Promise<void>;
}

/** Takes mail from one user without encryption, line by line. */
export async function mailServer(user: string, password: string): Promise<MailServer> {
  const mails: Array<string> = [];
  const plain = Buffer.from(`\u0000${user}\u0000${password}`).toString("base64");
  const server = createSocketServer((socket) => {
    let buffer = "";
    let data: Array<string> | null = null;
    let isIn = false;
    const say = (line: string): void => {
      socket.write(`${line}\r\n`);
    };
    const answerTo = (line: string): string | null => {
      if (data !== null) {
        if (line !== ".") data.push(line);
        else {
          mails.push(data.join("\n"));
          data = null;
          return "250 taken";
        }
        return null;
      }
      switch (line.split(" ")[0]?.toUpperCase()) {
        case "EHLO":
          return "250-mail.test\r\n250 AUTH PLAIN";
        case "AUTH":
          isIn = line === `AUTH PLAIN ${plain}`;
          return isIn ? "235 welcome" : "535 5.7.8 authentication failed";
        case "MAIL":
        case "RCPT":
          return isIn ? "250 ok" : "530 sign in first";
        case "DATA":
          data = [];
          return "354 go on";
        case "QUIT":
          return "221 bye";
        default:
          return "250 ok";
      }
    };
    socket.on("data", (part) => {
      buffer += part.toString("utf8");
      const lines = buffer.split("\r\n");
      buffer = lines.pop() ?? "";
      for (const line of lines) {
        const answer = answerTo(line);
        if (answer !== null) say(answer);
      }
    });
    socket.on("error", () => {});
    say("220 mail.test");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    mails,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
