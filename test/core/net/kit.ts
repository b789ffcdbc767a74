/** A loopback server that answers as the test says, and an HTTP client with a still clock. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { afterEach } from "vitest";
import type { LogFields } from "../../../core/connector.ts";
import { createHttp, type HttpOptions } from "../../../core/net/client.ts";
import { stillClock } from "../../kit/clock.ts";

const closers: Array<() => Promise<void>> = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

export interface Loopback {
  readonly url: string;
  readonly host: string;
  readonly seen: ReadonlyArray<Seen>;
}

type Answer = (outgoing: ServerResponse, incoming: IncomingMessage, index: number) => void;

export async function loopback(answer: Answer): Promise<Loopback> {
  const seen: Array<Seen> = [];
  const server = createServer(async (incoming, outgoing) => {
    const parts: Array<Buffer> = [];
    for await (const part of incoming) parts.push(part);
    const { method = "", url = "", headers } = incoming;
    seen.push({ method, url, headers, body: Buffer.concat(parts).toString() });
    answer(outgoing, incoming, seen.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  closers.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const host = `127.0.0.1:${address.port}`;
  return { url: `http://${host}`, host, seen };
}

export const json = (outgoing: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}) => {
  outgoing.writeHead(status, { "content-type": "application/json", ...headers });
  outgoing.end(JSON.stringify(body));
};

export function client(options: Partial<HttpOptions> = {}) {
  const clock = stillClock();
  const warnings: Array<LogFields | undefined> = [];
  const { http } = createHttp({
    connection: "toy-one",
    limits: {},
    clock,
    log: { info: () => undefined, warn: (_message, fields) => warnings.push(fields) },
    allowedHosts: ["127.0.0.1"],
    random: () => 0.5,
    ...options,
  });
  return { http, clock, warnings };
}

/** The fault that a promise ends with. */
export const faultOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );
