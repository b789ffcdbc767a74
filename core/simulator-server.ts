/** Mounts a simulator on a loopback port: for tests, the sandbox and the demo. */
import { createServer, type IncomingMessage } from "node:http";
import { createServer as createSocketServer } from "node:net";
import { ConnectionCut, type Simulator } from "./simulator.ts";

export interface SimulatorServer {
  /** Such as `http://127.0.0.1:41234`, without a slash at the end. */
  readonly url: string;
  readonly close: () => Promise<void>;
}

const bodyBytesMax = 50_000_000;

/** Listens on 127.0.0.1; port 0 takes a free one. A cut connection ends without an answer. */
export async function serveSimulator(simulator: Pick<Simulator, "fetch">, port = 0): Promise<SimulatorServer> {
  const server = createServer(async (incoming, outgoing) => {
    try {
      const response = await simulator.fetch(await requestOf(incoming));
      const body = Buffer.from(await response.arrayBuffer());
      // The simulated vendor has a clock of its own; ours would contradict it.
      outgoing.sendDate = false;
      outgoing.writeHead(response.status, [...response.headers].flat());
      outgoing.end(body);
    } catch (error) {
      if (!(error instanceof ConnectionCut)) console.error("a simulator failed", error);
      incoming.socket.destroy();
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the simulator has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function requestOf(incoming: IncomingMessage): Promise<Request> {
  const { method = "GET", url = "/", headers } = incoming;
  const parts: Array<Buffer> = [];
  let length = 0;
  for await (const part of incoming) {
    length += part.length;
    if (length > bodyBytesMax) throw new ConnectionCut();
    parts.push(part);
  }
  const pairs = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [value].flat().map((one): [string, string] => [name, one]),
  );
  return new Request(`http://${headers.host ?? "127.0.0.1"}${url}`, {
    method,
    headers: pairs,
    ...(length === 0 || method === "GET" || method === "HEAD" ? {} : { body: Buffer.concat(parts) }),
  });
}

/** A port that is free now. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createSocketServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
