import { request } from "node:http";
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { Effect } from "effect";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inbox } from "../../../core/store/tables.ts";
import { createServiceKit, type HookParts, type ServiceKit, signedHeaders } from "../../kit/service-kit.ts";

let kit: ServiceKit;
beforeAll(async () => {
  kit = await createServiceKit({ names: ["one"], keys: { one: { webhook: { secrets: [old, young] } } } });
});
afterAll(() => kit.stop());

const old = "whsec_b2xkLXNlY3JldC0wMTIzNDU2Nzg5MDEyMzQ1Njc4OQ==";
const young = "whsec_eW91bmctc2VjcmV0LTAxMjM0NTY3ODkwMTIzNDU2Nzg=";

const stored = (): Promise<number> => {
  const { database } = kit.service.hub().store;
  return Effect.runPromise(database.read("counting", async () => database.db.$count(inbox)));
};

const body = JSON.stringify({ type: "companies.updated", data: { id: "1" } });
const send = (parts: Partial<HookParts> = {}) => kit.hook("one", { body, secret: young, ...parts });

/** Sends raw bytes, and answers with the status line; null if the hub cut the line. */
const raw = (text: string): Promise<string | null> =>
  new Promise((resolve) => {
    const socket = connect(kit.server.port, "127.0.0.1", () => socket.write(text));
    let answer = "";
    socket.on("data", (part) => {
      answer += part;
      socket.end();
    });
    socket.on("close", () => resolve(answer.split("\r\n")[0] ?? null));
    socket.on("error", () => resolve(null));
    socket.setTimeout(5000, () => socket.destroy());
  });

describe("a webhook call", () => {
  it("is kept, and answered with 200", async () => {
    const before = await stored();
    expect((await send()).status).toBe(200);
    expect(await stored()).toBe(before + 1);
  });

  it("is taken under the old and the new secret while one takes over from the other", async () => {
    expect((await send({ secret: old })).status).toBe(200);
    expect((await send({ secret: young })).status).toBe(200);
    expect((await send({ secret: "whsec_bm9ib2R5J3Mtc2VjcmV0LTAxMjM0NTY3ODkwMTIzNDU2" })).status).toBe(401);
  });

  it("is answered alike and kept once when it comes again inside the window", async () => {
    const before = await stored();
    const parts = { id: "msg_twice", atMs: Date.now() - 60_000 };
    const answers = await Promise.all([send(parts), send(parts), send(parts)]);
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200]);
    expect(await stored()).toBe(before + 1);
  });

  it("is refused outside the window, whatever it is signed with", async () => {
    const before = await stored();
    expect((await send({ atMs: Date.now() - 6 * 60_000 })).status).toBe(401);
    expect((await send({ atMs: Date.now() + 6 * 60_000 })).status).toBe(401);
    expect(await stored()).toBe(before);
  });

  it("is refused for any flipped bit in id, timestamp, body or signature", async () => {
    const before = await stored();
    const headers = signedHeaders({ id: "msg_flip", body, secret: young });
    const flip = (text: string, bit: number): string => {
      const bytes = Buffer.from(text);
      const at = bit % (bytes.length * 7);
      bytes[Math.floor(at / 7)] = (bytes[Math.floor(at / 7)] ?? 0) ^ (1 << (at % 7));
      return bytes.toString("latin1");
    };
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("webhook-id", "webhook-timestamp", "webhook-signature", "body"),
        fc.nat(10_000),
        async (part, bit) => {
          const spoilt = part === "body" ? headers : { ...headers, [part]: flip(headers[part] ?? "", bit) };
          const sent = part === "body" ? flip(body, bit) : body;
          // Some bytes cannot stand in a header at all; then nothing is sent.
          if (Object.values(spoilt).some((value) => /[^\x21-\x7e ]/.test(value) || value !== value.trim())) return;
          const answer = await fetch(`${kit.server.url}/hooks/one`, { method: "POST", headers: spoilt, body: sent });
          expect([400, 401]).toContain(answer.status);
        },
      ),
      { numRuns: 200 },
    );
    expect(await stored()).toBe(before);
  });

  it("is refused before it is parsed when it nests a hundred thousand levels deep", async () => {
    const before = await stored();
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    expect((await send({ body: deep })).status).toBe(400);
    expect(await stored()).toBe(before);
  });

  it("is refused when it is larger than the bound, told or not", async () => {
    const before = await stored();
    const large = `{"x":"${"y".repeat(2_000_000)}"}`;
    expect((await send({ body: large })).status).toBe(413);
    const chunked = await new Promise<number | undefined>((resolve) => {
      const call = request(`${kit.server.url}/hooks/one`, {
        method: "POST",
        headers: { ...signedHeaders({ body: large, secret: young }), "transfer-encoding": "chunked" },
      });
      call.on("response", (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      call.on("error", () => resolve(undefined));
      for (let at = 0; at < large.length; at += 65_536) call.write(large.slice(at, at + 65_536));
      call.end();
    });
    // The hub may cut the line before the sender has seen the answer.
    expect([413, undefined]).toContain(chunked);
    expect(await stored()).toBe(before);
  });

  it("is refused when it is compressed: a small bomb stays small", async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000, 0x20));
    const before = process.memoryUsage().rss;
    const answer = await fetch(`${kit.server.url}/hooks/one`, {
      method: "POST",
      headers: { ...signedHeaders({ body: bomb, secret: young }), "content-encoding": "gzip" },
      body: bomb,
    });
    expect(answer.status).toBe(415);
    expect(process.memoryUsage().rss - before).toBeLessThan(40_000_000);
  });

  it("is refused in another media type, another encoding, or with bytes that are no UTF-8", async () => {
    expect((await send({ headers: { "content-type": "text/plain" } })).status).toBe(415);
    expect((await send({ headers: { "content-type": "application/json; charset=gb18030" } })).status).toBe(415);
    expect((await send({ body: Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]) })).status).toBe(400);
    expect((await send({ headers: { "content-type": "application/vnd.acme+json; charset=UTF-8" } })).status).toBe(200);
  });

  it("leaves nothing behind when its sender goes away in the middle", async () => {
    const before = await stored();
    const head = `POST /hooks/one HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{"type":`;
    await new Promise<void>((resolve) => {
      const socket = connect(kit.server.port, "127.0.0.1", () => socket.write(head, () => socket.destroy()));
      socket.on("close", () => resolve());
    });
    expect((await send()).status).toBe(200);
    expect(await stored()).toBe(before + 1);
  });

  it("is refused when its length lies", async () => {
    const headers = signedHeaders({ body, secret: young });
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const cut = [`POST /hooks/one HTTP/1.1`, "host: x", ...lines, "content-length: 10", "", body].join("\r\n");
    expect(await raw(cut)).toMatch(/ 40[01] /);
    const both = [
      `POST /hooks/one HTTP/1.1`,
      "host: x",
      ...lines,
      "content-length: 10",
      "transfer-encoding: chunked",
      "",
      "",
    ];
    expect(await raw(both.join("\r\n"))).toMatch(/ 400 /);
  });

  it("finds no address where no connection takes calls, and no other method", async () => {
    expect((await kit.hook("two", { body })).status).toBe(404);
    expect((await fetch(`${kit.server.url}/hooks/one`)).status).toBe(405);
    expect((await kit.hook("%2e%2e%2fapi", { body })).status).toBe(404);
  });

  it("that cannot be read is kept for a look, and stops nobody", async () => {
    expect((await send({ body: '{"type":"invoices.updated","data":{"id":"1"}}' })).status).toBe(200);
    await kit.until("it is put aside", async () => {
      const { database } = kit.service.hub().store;
      const rows = await Effect.runPromise(database.read("reading", async () => database.db.select().from(inbox)));
      return rows.some((row) => row.state === "unreadable") && rows.every((row) => row.state !== "unread");
    });
  });
});
