import { gzipSync } from "node:zlib";
import { HttpResponse, http as mock } from "msw";
import { setupServer } from "msw/node";
import { describe, expect, it } from "vitest";
import { AuthFailed, RateLimited, Unavailable } from "../../../core/connector.ts";
import { triesMax } from "../../../core/net/client.ts";
import { client, faultOf, json, loopback } from "./kit.ts";

/** A port where nothing listens. */
async function deadUrl(): Promise<string> {
  const { createServer } = await import("node:net");
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return address === null || typeof address === "string" ? "" : `http://127.0.0.1:${address.port}`;
}

describe("a call that is answered", () => {
  it("carries JSON, a form or nothing, and gives back status, headers, text, JSON and both clocks", async () => {
    const date = "Mon, 01 Jun 2026 08:59:00 GMT";
    const server = await loopback((outgoing) => json(outgoing, 201, { id: "1" }, { date, "X-Left": "7" }));
    const { http, clock } = client();
    const answer = await http({ method: "POST", url: `${server.url}/a?b=1`, json: { n: null }, retry: "unsent" });
    expect(answer).toMatchObject({ status: 201, text: '{"id":"1"}', json: { id: "1" } });
    expect(answer.headers["x-left"]).toBe("7");
    expect(answer.remoteNow).toBe(Date.parse(date));
    expect([answer.began, answer.ended]).toEqual([clock.now(), clock.now()]);
    await http({ method: "POST", url: server.url, form: { a: "x y&z" }, retry: "safe" });
    await http({ method: "GET", url: server.url, headers: { Authorization: "Bearer t" }, retry: "safe" });
    expect(server.seen.map(({ method, url, body, headers }) => [method, url, body, headers["content-type"]])).toEqual([
      ["POST", "/a?b=1", '{"n":null}', "application/json"],
      ["POST", "/", "a=x+y%26z", "application/x-www-form-urlencoded"],
      ["GET", "/", "", undefined],
    ]);
    expect(server.seen[2]?.headers.authorization).toBe("Bearer t");
  });

  it("hands back a refusal of the remote as it is", async () => {
    const server = await loopback((outgoing) => json(outgoing, 401, { code: "INVALID_TOKEN" }));
    const answer = await client().http({ method: "GET", url: server.url, retry: "safe" });
    expect([answer.status, answer.json]).toEqual([401, { code: "INVALID_TOKEN" }]);
    expect(server.seen).toHaveLength(1);
  });

  it("reads an answer without a body, and one that is not JSON", async () => {
    const server = await loopback((outgoing, _incoming, index) => {
      if (index === 1) outgoing.writeHead(204).end();
      else outgoing.end("<html>");
    });
    const { http } = client();
    expect(await http({ method: "GET", url: server.url, retry: "safe" })).toMatchObject({ status: 204, text: "" });
    const second = await http({ method: "GET", url: server.url, retry: "safe" });
    expect([second.text, second.json]).toEqual(["<html>", undefined]);
  });

  it("gives bytes where they are asked for", async () => {
    const server = await loopback((outgoing) => outgoing.end(Buffer.from([80, 75, 0, 255])));
    const answer = await client().http({ method: "GET", url: server.url, retry: "safe", binary: true });
    expect([...(answer.bytes ?? [])]).toEqual([80, 75, 0, 255]);
    expect(answer.text).toBe("");
  });

  it("is seen by msw", async () => {
    const mocks = setupServer(mock.get("https://api.vendor.example/x", () => HttpResponse.json({ mocked: true })));
    mocks.listen({ onUnhandledFrame: "bypass" });
    try {
      const answer = await client().http({ method: "GET", url: "https://api.vendor.example/x", retry: "safe" });
      expect(answer.json).toEqual({ mocked: true });
    } finally {
      mocks.close();
    }
  });
});

describe("whether a request was sent", () => {
  it("was not when the connection is refused", async () => {
    const { http, clock } = client();
    const fault = await faultOf(http({ method: "POST", url: `${await deadUrl()}/x?key=s3cret`, retry: "unsent" }));
    expect(fault).toBeInstanceOf(Unavailable);
    expect(fault).toMatchObject({ sent: false });
    expect(String(fault)).toMatch(/127\.0\.0\.1:\d+\/x refused the connection/);
    expect(String(fault)).not.toContain("s3cret");
    // Nothing was carried out, so even a write is repeated.
    expect(clock.slept).toHaveLength(triesMax - 1);
  });

  it("was not when the host name does not exist", async () => {
    const { http } = client({ allowedHosts: ["no-such-host.invalid"] });
    const fault = await faultOf(http({ method: "POST", url: "http://no-such-host.invalid/", retry: "unsent" }));
    expect(fault).toMatchObject({ _tag: "Unavailable", sent: false });
    expect(String(fault)).toMatch(/no-such-host\.invalid\/ (has no such host|cannot be looked up)/);
  });

  it("was not when TLS fails, and says so at once", async () => {
    const server = await loopback((outgoing) => outgoing.end());
    const { http, clock } = client();
    const fault = await faultOf(http({ method: "GET", url: server.url.replace("http:", "https:"), retry: "safe" }));
    expect(fault).toMatchObject({ _tag: "Unavailable", sent: false });
    expect(String(fault)).toContain("does not speak TLS on this port");
    expect(clock.slept).toEqual([]);
  });

  it("may have been when the connection is cut after the request", async () => {
    const server = await loopback((outgoing) => outgoing.socket?.destroy());
    const fault = await faultOf(client().http({ method: "POST", url: server.url, json: {}, retry: "unsent" }));
    expect(fault).toMatchObject({ _tag: "Unavailable", sent: true });
    expect(String(fault)).toContain("cut the connection");
    expect(server.seen).toHaveLength(1);
  });

  it("may have been when the connection is cut inside the answer", async () => {
    const server = await loopback((outgoing) => {
      outgoing.writeHead(200, { "content-length": "100" });
      outgoing.write("half", () => outgoing.socket?.destroy());
    });
    const fault = await faultOf(client().http({ method: "POST", url: server.url, json: {}, retry: "unsent" }));
    expect(fault).toMatchObject({ _tag: "Unavailable", sent: true });
  });

  it("may have been when no answer comes in time", async () => {
    const server = await loopback(() => undefined);
    const fault = await faultOf(
      client().http({ method: "POST", url: server.url, json: {}, retry: "unsent", timeoutMs: 40 }),
    );
    expect(fault).toMatchObject({ _tag: "Unavailable", sent: true });
    expect(String(fault)).toContain("did not answer within 40 ms");
  });

  it("may have been when the caller stops it under way", async () => {
    const stop = new AbortController();
    const server = await loopback(() => stop.abort());
    const { http, clock } = client();
    const fault = await faultOf(http({ method: "GET", url: server.url, retry: "safe", signal: stop.signal }));
    expect(fault).toMatchObject({ _tag: "Unavailable", sent: true });
    expect(clock.slept).toEqual([]);
  });

  it("was not when the caller had stopped before", async () => {
    const server = await loopback((outgoing) => outgoing.end());
    const signal = AbortSignal.abort();
    const fault = await faultOf(client().http({ method: "GET", url: server.url, retry: "safe", signal }));
    expect(fault).toMatchObject({ _tag: "Unavailable", sent: false });
    expect(server.seen).toHaveLength(0);
  });
});

describe("a call that may not be made any more", () => {
  it("is held back before its first byte, also when that is found out while it connects", async () => {
    const server = await loopback((outgoing) => json(outgoing, 200, {}));
    const words = "another process may keep the connection going now";
    for (const looksAllowed of [0, 1]) {
      let looks = 0;
      const objection = () => {
        looks += 1;
        return looks > looksAllowed ? words : null;
      };
      const { http, clock } = client({ objection });
      const fault = await faultOf(http({ method: "POST", url: server.url, json: {}, retry: "unsent" }));
      expect(fault).toMatchObject({ _tag: "Unavailable", sent: false });
      expect(String(fault)).toContain(words);
      expect([looks, clock.slept]).toEqual([looksAllowed + 1, []]);
    }
    expect(server.seen).toHaveLength(0);
  });
});

describe("what is repeated", () => {
  it("repeats a read after 500, 503 and a cut connection, and a write after none of them", async () => {
    const failing = () =>
      loopback((outgoing, _incoming, index) => {
        if (index === 1) json(outgoing, 500, {});
        else if (index === 2) json(outgoing, 503, {});
        else if (index === 3) outgoing.socket?.destroy();
        else json(outgoing, 200, { good: true });
      });
    const reading = await failing();
    const { http, clock } = client();
    const answer = await http({ method: "GET", url: reading.url, retry: "safe" });
    expect(answer.json).toEqual({ good: true });
    // Half of 2, 4 and 8 seconds: the lot of the test is always one half.
    expect(clock.slept).toEqual([1_000, 2_000, 4_000]);
    const writing = await failing();
    const fault = await faultOf(http({ method: "POST", url: writing.url, json: {}, retry: "unsent" }));
    expect(fault).toMatchObject({ _tag: "Unavailable", sent: true });
    expect(writing.seen).toHaveLength(1);
  });

  it("repeats a write after 429, because it was not carried out", async () => {
    const server = await loopback((outgoing, _incoming, index) => json(outgoing, index < 3 ? 429 : 201, { index }));
    const answer = await client().http({ method: "POST", url: server.url, json: { a: 1 }, retry: "unsent" });
    expect(answer.status).toBe(201);
    expect(server.seen.map(({ body }) => body)).toEqual(['{"a":1}', '{"a":1}', '{"a":1}']);
  });

  it("gives up after a bounded number of tries", async () => {
    const server = await loopback((outgoing) => json(outgoing, 429, {}));
    const fault = await faultOf(client().http({ method: "GET", url: `${server.url}/p`, retry: "safe" }));
    expect(fault).toBeInstanceOf(RateLimited);
    expect(server.seen).toHaveLength(triesMax);
  });

  it("never waits longer than a minute between tries", async () => {
    const server = await loopback((outgoing) => json(outgoing, 500, {}));
    const { http, clock } = client({ random: () => 0.999 });
    await faultOf(http({ method: "GET", url: server.url, retry: "safe" }));
    expect(Math.max(...clock.slept)).toBeLessThanOrEqual(60_000);
  });

  it("waits as long as Retry-After says, in seconds or as a date by the remote's clock", async () => {
    const date = (at: number) => new Date(at).toUTCString();
    // The remote is an hour ahead of us.
    const remote = Date.UTC(2026, 5, 1, 10);
    const server = await loopback((outgoing, _incoming, index) => {
      if (index === 1) json(outgoing, 429, {}, { "retry-after": "7" });
      else if (index === 2) json(outgoing, 503, {}, { "retry-after": date(remote + 5_000), date: date(remote) });
      else json(outgoing, 200, {});
    });
    const { http, clock } = client();
    await http({ method: "GET", url: server.url, retry: "safe" });
    expect(clock.slept).toEqual([7_000, 5_000]);
  });

  it("turns a long Retry-After into a pause instead of sleeping", async () => {
    const server = await loopback((outgoing) => json(outgoing, 429, {}, { "retry-after": "3600" }));
    const { http, clock } = client();
    const began = clock.now();
    const fault = await faultOf(http({ method: "GET", url: server.url, retry: "safe" }));
    expect(fault).toMatchObject({ _tag: "RateLimited", retryAt: began + 3_600_000 });
    expect(clock.slept).toEqual([]);
    expect(server.seen).toHaveLength(1);
  });

  it("pauses a read, and never a write, after a 503 with a long Retry-After", async () => {
    const server = await loopback((outgoing) => json(outgoing, 503, {}, { "retry-after": "3600" }));
    const { http } = client();
    expect(await faultOf(http({ method: "GET", url: server.url, retry: "safe" }))).toBeInstanceOf(RateLimited);
    const writing = await faultOf(http({ method: "POST", url: server.url, json: {}, retry: "unsent" }));
    expect(writing).toMatchObject({ _tag: "Unavailable", sent: true });
  });

  it("follows the connector's judgement: rate and outage are repeated, credentials are not", async () => {
    const server = await loopback((outgoing, _incoming, index) => json(outgoing, 200, { index }));
    const { http } = client();
    const answer = await http({
      method: "GET",
      url: server.url,
      retry: "safe",
      judge: ({ json: body }) => {
        const index = (body as { index: number }).index;
        if (index === 1) return new RateLimited("slow down", null);
        return index === 2 ? new Unavailable("maintenance", { sent: true }) : undefined;
      },
    });
    expect(answer.json).toEqual({ index: 3 });
    const judge = () => new AuthFailed("no", "mend it");
    expect(await faultOf(http({ method: "GET", url: server.url, retry: "safe", judge }))).toBeInstanceOf(AuthFailed);
    expect(server.seen).toHaveLength(4);
  });

  it("takes a 429 for a refusal for rate even where the connector cannot read its page", async () => {
    const server = await loopback((outgoing, _incoming, index) => {
      if (index < 3) outgoing.writeHead(429).end("<html>");
      else json(outgoing, 200, { good: true });
    });
    const judge = ({ json: body }: { readonly json: unknown }) =>
      body === undefined ? new Unavailable("no JSON", { sent: true }) : undefined;
    const { http } = client();
    const answer = await http({ method: "POST", url: server.url, json: {}, retry: "unsent", judge });
    expect(answer.json).toEqual({ good: true });
  });

  it("notes a repeated call without its query", async () => {
    const server = await loopback((outgoing, _incoming, index) => json(outgoing, index === 1 ? 500 : 200, {}));
    const { http, warnings } = client();
    await http({ method: "GET", url: `${server.url}/p?token=s3cret`, retry: "safe" });
    const why = `${server.host}/p answered 500.`;
    expect(warnings).toEqual([{ connection: "toy-one", why, tries: 1, triesMax, waitMs: 1_000 }]);
  });
});

describe("the bounds of an answer", () => {
  const bodyBytesMax = 1_000;

  it("refuses a body that says that it is too long, and one that does not say so", async () => {
    const server = await loopback((outgoing, _incoming, index) => {
      if (index === 1) outgoing.writeHead(200, { "content-length": "5000" }).end(Buffer.alloc(5_000));
      else for (let part = 0; part < 50; part += 1) outgoing.write(Buffer.alloc(100));
      if (index > 1) outgoing.end();
    });
    const { http } = client();
    for (const _ of [1, 2]) {
      const fault = await faultOf(http({ method: "GET", url: server.url, retry: "safe", bodyBytesMax }));
      expect(String(fault)).toContain("answered more than 1000 bytes");
      expect(fault).toMatchObject({ _tag: "Unavailable", sent: true });
    }
    expect(server.seen).toHaveLength(2);
  });

  it("counts what a packed body becomes", async () => {
    const packed = gzipSync(Buffer.alloc(1_000_000));
    const server = await loopback((outgoing) => {
      outgoing.writeHead(200, { "content-encoding": "gzip", "content-length": String(packed.length) }).end(packed);
    });
    expect(packed.length).toBeLessThan(5_000);
    const { http } = client();
    const fault = await faultOf(http({ method: "GET", url: server.url, retry: "safe", bodyBytesMax: 5_000 }));
    expect(String(fault)).toContain("answered more than 5000 bytes");
  });
});

describe("redirects", () => {
  it("follows a read inside the same origin", async () => {
    const server = await loopback((outgoing, { url }) => {
      if (url === "/new") json(outgoing, 200, { here: true });
      else outgoing.writeHead(302, { location: "/new" }).end();
    });
    const answer = await client().http({ method: "GET", url: `${server.url}/old`, retry: "safe" });
    expect(answer.json).toEqual({ here: true });
  });

  it("never carries credentials to another host", async () => {
    const other = await loopback((outgoing) => json(outgoing, 200, {}));
    const server = await loopback((outgoing) => outgoing.writeHead(302, { location: `${other.url}/x` }).end());
    const headers = { authorization: "Bearer s3cret" };
    const fault = await faultOf(client().http({ method: "GET", url: server.url, headers, retry: "safe" }));
    expect(fault).toBeInstanceOf(Unavailable);
    expect(String(fault)).toContain(`it has moved to ${other.host}`);
    expect(other.seen).toHaveLength(0);
    expect(server.seen).toHaveLength(1);
  });

  it("does not follow a write, and ends in a circle of redirects", async () => {
    const server = await loopback((outgoing) => outgoing.writeHead(307, { location: "/again" }).end());
    const { http } = client();
    const fault = await faultOf(http({ method: "POST", url: server.url, json: {}, retry: "unsent" }));
    expect(fault).toMatchObject({ _tag: "Unavailable", sent: true });
    expect(server.seen).toHaveLength(1);
    const circle = await faultOf(http({ method: "GET", url: server.url, retry: "safe" }));
    expect(String(circle)).toContain("redirects more than");
    expect(server.seen.length).toBeLessThan(10);
  });
});

describe("addresses that are not called", () => {
  it("refuses private addresses that the operator has not named, by number and by name", async () => {
    const server = await loopback((outgoing) => json(outgoing, 200, {}));
    const { http, clock } = client({ allowedHosts: ["crm.acme.example"] });
    const port = server.host.split(":")[1];
    for (const host of ["127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]", "[::1]", "169.254.169.254"]) {
      const fault = await faultOf(http({ method: "POST", url: `https://${host}:${port}/`, json: {}, retry: "unsent" }));
      expect(fault).toMatchObject({ _tag: "Unavailable", sent: false });
      expect(String(fault)).toContain("private address");
    }
    expect(server.seen).toHaveLength(0);
    expect(clock.slept).toEqual([]);
  });

  it("calls a named host, and with a named port no other port of it", async () => {
    const server = await loopback((outgoing) => json(outgoing, 200, {}));
    const other = await loopback((outgoing) => json(outgoing, 200, {}));
    const { http } = client({ allowedHosts: [server.host] });
    expect((await http({ method: "GET", url: server.url, retry: "safe" })).status).toBe(200);
    expect(await faultOf(http({ method: "GET", url: other.url, retry: "safe" }))).toBeInstanceOf(Unavailable);
    const byName = client({ allowedHosts: ["localhost"] });
    const localhost = server.url.replace("127.0.0.1", "localhost");
    expect((await byName.http({ method: "GET", url: localhost, retry: "safe" })).status).toBe(200);
  });

  it("sends nothing unencrypted to a host that was not named, and calls only http and https", async () => {
    const { http } = client();
    for (const url of ["http://api.vendor.example/", "ftp://127.0.0.1/", "file:///etc/passwd", "no url at all"]) {
      const fault = await faultOf(http({ method: "GET", url, retry: "safe" }));
      expect(fault).toMatchObject({ _tag: "Unavailable", sent: false });
      expect(String(fault)).toContain("was not called");
    }
  });

  it("never repeats a user name, a password or a query in its words", async () => {
    const { http } = client();
    const fault = await faultOf(http({ method: "GET", url: "https://ann:s3cret@[::1]/p?q=t0ken", retry: "safe" }));
    expect(String(fault)).not.toMatch(/s3cret|t0ken|ann/);
  });
});
