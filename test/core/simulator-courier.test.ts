import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createNotices, type Notice, type NoticeAnswer } from "../../core/simulator.ts";
import { type Courier, type CourierFaults, startCourier } from "../../core/simulator-courier.ts";

const ends: Array<() => Promise<void>> = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** A receiver that notes bodies, and a vendor that has calls to make. */
async function world(faults: CourierFaults = {}, status = 200) {
  const received: Array<string> = [];
  const server = createServer(async (incoming, outgoing) => {
    let body = "";
    for await (const part of incoming) body += String(part);
    received.push(body);
    outgoing.writeHead(status).end(`heard ${body}`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ends.push(() => new Promise((resolve) => server.close(() => resolve())));
  const { port } = server.address() as AddressInfo;
  let due: Array<Notice> = [];
  const answers = new Map<string, NoticeAnswer>();
  const notices = createNotices({
    take: () => {
      const taken = due;
      due = [];
      return taken;
    },
    answered: ({ id }, answer) => answers.set(id, answer),
  });
  const courier: Courier = startCourier(notices, faults);
  ends.unshift(courier.close);
  const say = (id: string, url = `http://127.0.0.1:${port}/hooks/one`): void => {
    due.push({ id, url, headers: { "content-type": "text/plain" }, body: id });
    notices.ring();
  };
  return { courier, received, answers, say };
}

describe("the courier of a simulated vendor", () => {
  it("posts what is due without being asked, and tells the vendor what came back", async () => {
    const { received, answers, say } = await world();
    say("a");
    await expect.poll(() => received).toEqual(["a"]);
    await expect.poll(() => answers.get("a")).toEqual({ status: 200, body: "heard a" });
  });

  it("never calls an address outside this machine", async () => {
    const { courier, answers, say } = await world();
    for (const url of [
      "http://192.0.2.1/x",
      "https://hub.example/x",
      "ftp://127.0.0.1/x",
      "http://127.0.0.1.evil.example/",
      "?",
    ])
      say(url, url);
    await courier.deliver();
    expect(courier.counts()).toMatchObject({ posted: 0, refused: 5 });
    expect([...answers.values()]).toEqual([null, null, null, null, null]);
  });

  it("does not come again by itself when a call is refused", async () => {
    const { courier, received, answers, say } = await world({}, 503);
    say("a");
    await courier.deliver();
    await courier.deliver();
    expect(received).toEqual(["a"]);
    expect(answers.get("a")?.status).toBe(503);
    expect(courier.counts()).toMatchObject({ posted: 1, taken: 0 });
  });

  it("doubles, drops and reorders by its seed", async () => {
    const send = async () => {
      const { courier, received, say } = await world({ seed: 7, double: 0.3, drop: 0.3, reorder: 0.3 });
      const ids = Array.from({ length: 60 }, (_, index) => String(index));
      for (const id of ids) say(id);
      await courier.deliver();
      return { received, counts: courier.counts() };
    };
    const first = await send();
    const { posted, doubled, dropped, reordered } = first.counts;
    expect(posted).toBe(60 - dropped + doubled);
    expect(Math.min(doubled, dropped, reordered)).toBeGreaterThan(5);
    expect(new Set(first.received).size).toBe(60 - dropped);
    expect((await send()).counts).toEqual(first.counts);
  });
});
