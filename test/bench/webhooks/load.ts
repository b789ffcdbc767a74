/**
 * The load generator, in a process of its own: a number of connections, each with one call under way, for a while.
 * Calls are signed before the clock starts; answers are read from the socket as they come. Prints one JSON line.
 */
import { connect, type Socket } from "node:net";
import { signatureOf } from "../../../core/net/standard-webhook.ts";

const [url = "", secret = "", secondsText = "5", connectionsText = "64"] = process.argv.slice(2);
const { port, host } = new URL(url);
const seconds = Number(secondsText);
const connections = Number(connectionsText);
const bodyBytes = 2048;
const callsMax = 400_000;

/** One call as bytes; every one has an id of its own. */
function callOf(number: number): Buffer {
  const id = `msg_${number.toString(36).padStart(10, "0")}`;
  const head = `{"type":"companies.updated","data":{"id":"${9_007_199_254_740_993n + BigInt(number % 1000)}","note":"`;
  const body = `${head}${"x".repeat(bodyBytes - head.length - 3)}"}}`;
  const timestamp = String(Math.floor(Date.now() / 1000));
  return Buffer.from(
    `POST /hooks/one HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\nwebhook-id: ${id}\r\nwebhook-timestamp: ${timestamp}\r\nwebhook-signature: v1,${signatureOf(secret, { id, timestamp, body })}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
}

const calls: Array<Buffer> = [];
const prepared = Math.min(callsMax, Math.ceil(seconds * 30_000));
for (let number = 0; number < prepared; number += 1) calls.push(callOf(number));

const latencies = new Float64Array(prepared);
let next = 0;
let done = 0;
let failed = 0;

function drive(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ port: Number(port), host: "127.0.0.1", noDelay: true });
    let sentAt = 0;
    const send = (): void => {
      const call = calls[next];
      if (call === undefined || performance.now() >= endAt) {
        socket.destroy();
        resolve();
        return;
      }
      next += 1;
      sentAt = performance.now();
      socket.write(call);
    };
    socket.on("connect", send);
    socket.on("error", reject);
    socket.on("data", (part: Buffer) => {
      // Answers are small: each comes in one part, and the next call waits for it.
      if (part.toString("latin1", 9, 12) === "200") {
        latencies[done] = performance.now() - sentAt;
        done += 1;
      } else failed += 1;
      send();
    });
  });
}

const began = performance.now();
const endAt = began + seconds * 1000;
await Promise.all(Array.from({ length: connections }, drive));
const tookMs = performance.now() - began;
const sorted = latencies.subarray(0, done).sort();
const at = (share: number): number => sorted[Math.min(done - 1, Math.floor(done * share))] ?? 0;
console.log(JSON.stringify({ calls: done, failed, rate: (done / tookMs) * 1000, p50: at(0.5), p99: at(0.99) }));
