/** Listens: HTTP or HTTPS on one port, with bounds on time and headers, and an end that lets answers out. */
import { readFileSync } from "node:fs";
import { createServer as createHttp, type Server } from "node:http";
import { createServer as createHttps } from "node:https";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { ServeConfig } from "../config/hub-config.ts";

export interface Listening {
  /** Such as `http://127.0.0.1:8787`: where this machine reaches it. */
  readonly url: string;
  readonly port: number;
  /** Takes no new calls; resolves when those under way are answered, or the grace is over. */
  readonly close: (graceMs: number) => Promise<void>;
}

/** The address cannot be listened on, or the certificate cannot be read. */
export class CannotListen extends Error {
  readonly _tag = "CannotListen";
  readonly remedy: string;
  constructor(message: string, remedy: string) {
    super(message);
    this.name = "CannotListen";
    this.remedy = remedy;
  }
}

const bounds = {
  /** Slow senders hold a socket, not a thread; still they must come to an end. */
  requestTimeout: 30_000,
  headersTimeout: 10_000,
  keepAliveTimeout: 65_000,
  maxHeaderSize: 16 * 1024,
} as const;
const connectionsMax = 10_000;

type Fetch = Parameters<typeof getRequestListener>[0];

/**
 * Errors  CannotListen.
 */
export async function listen(fetch: Fetch, serve: Pick<ServeConfig, "host" | "port" | "tls">): Promise<Listening> {
  const { host, port, tls } = serve;
  const handle = getRequestListener(fetch);
  const server: Server =
    tls === null ? createHttp(bounds, handle) : createHttps({ ...bounds, ...certificate(tls) }, handle);
  server.maxConnections = connectionsMax;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(wordsOf(error, host, port)));
    server.listen(port, host, resolve);
  });
  // A server that listens on a host and a port has such an address.
  const address = server.address() as AddressInfo;
  const shown = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
  return {
    url: `${tls === null ? "http" : "https"}://${shown}:${address.port}`,
    port: address.port,
    close: (graceMs) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => server.closeAllConnections(), graceMs);
        server.close(() => {
          clearTimeout(timer);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}

function certificate({ cert, key }: NonNullable<ServeConfig["tls"]>) {
  try {
    return { cert: readFileSync(cert), key: readFileSync(key), minVersion: "TLSv1.2" as const };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CannotListen(`The certificate cannot be read: ${reason}.`, "Check serve.tls in the YAML.");
  }
}

function wordsOf(error: NodeJS.ErrnoException, host: string, port: number): CannotListen {
  switch (error.code) {
    case "EADDRINUSE":
      return new CannotListen(
        `Port ${port} on ${host} is taken by another program.`,
        "Set another serve.port in the YAML, or stop the other program.",
      );
    case "EACCES":
      return new CannotListen(
        `This user may not listen on port ${port}.`,
        "Set serve.port above 1023, and let a proxy take the port below.",
      );
    case "EADDRNOTAVAIL":
      return new CannotListen(`This machine has no address ${host}.`, "Set serve.host to one it has, or to 0.0.0.0.");
    default:
      return new CannotListen(`Cannot listen on ${host}:${port}: ${error.message}.`, "Check serve in the YAML.");
  }
}
