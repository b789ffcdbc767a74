/**
 * The limit of the webhook benchmark: bare node:http that keeps bodies with the same commit batching, and does nothing
 * else: no proof, no sealing, no router. Prints its port; ends when its standard input does.
 */
import { createServer, type ServerResponse } from "node:http";
import { DatabaseSync } from "node:sqlite";
import { pragmas } from "../../../core/store/sqlite/pragmas.ts";

const [file = ""] = process.argv.slice(2);
const client = new DatabaseSync(file);
client.exec(pragmas);
client.exec(
  "create table inbox (id integer primary key autoincrement, connection text, kind text, state text, key text, received_at integer, sealed blob)",
);
client.exec("create unique index inbox_key on inbox (connection, key) where key is not null");
client.exec("create index inbox_open on inbox (connection, state, id) where state in ('held', 'unread')");
const insert = client.prepare(
  "insert or ignore into inbox (connection, kind, state, key, received_at, sealed) values (?, ?, ?, ?, ?, ?)",
);

const batchMax = 1000;
const waiting: Array<{ readonly key: string; readonly body: Buffer; readonly answer: ServerResponse }> = [];
let working = false;

function work(): void {
  const batch = waiting.splice(0, batchMax);
  client.exec("begin immediate");
  for (const { key, body } of batch) insert.run("one", "delivery", "unread", key, Date.now(), body);
  client.exec("commit");
  for (const { answer } of batch) {
    answer.writeHead(200, { "content-type": "application/json" });
    answer.end('{"ok":true}');
  }
  working = waiting.length > 0;
  if (working) setImmediate(work);
}

const server = createServer((incoming, answer) => {
  const parts: Array<Buffer> = [];
  incoming.on("data", (part: Buffer) => parts.push(part));
  incoming.on("end", () => {
    waiting.push({ key: String(incoming.headers["webhook-id"]), body: Buffer.concat(parts), answer });
    if (working) return;
    working = true;
    setImmediate(work);
  });
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  console.log(JSON.stringify({ url: `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}` }));
});
process.stdin.on("end", () => process.exit(0)).resume();
