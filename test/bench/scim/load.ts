/** The load generator, in a process of its own: connections with one GET under way each, over a list of paths. Prints one JSON line. */
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";

const [baseUrl = "", token = "", file = "", secondsText = "5", connectionsText = "8"] = process.argv.slice(2);
const paths = JSON.parse(readFileSync(file, "utf8")) as ReadonlyArray<string>;
const connections = Number(connectionsText);
const agent = new Agent({ keepAlive: true, maxSockets: connections });
const latencies: Array<number> = [];
let failed = 0;
let next = 0;

function get(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const call = request(`${baseUrl}${path}`, { agent, headers: { authorization: `Bearer ${token}` } }, (answer) => {
      if (answer.statusCode !== 200) failed += 1;
      answer.resume();
      answer.on("end", () => {
        latencies.push(performance.now() - began);
        resolve();
      });
    });
    call.on("error", reject);
    call.end();
  });
}

const began = performance.now();
const endAt = began + Number(secondsText) * 1000;
await Promise.all(
  Array.from({ length: connections }, async () => {
    while (performance.now() < endAt) await get(paths[next++ % paths.length] ?? "/Users");
  }),
);
const tookMs = performance.now() - began;
console.log(JSON.stringify({ calls: latencies.length, failed, rate: (latencies.length / tookMs) * 1000 }));
agent.destroy();
