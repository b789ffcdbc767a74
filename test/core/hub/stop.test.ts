import { createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { Clock } from "../../../core/connector.ts";
import { systemClock } from "../../../core/net/clock.ts";
import { createServiceKit, type ServiceKit } from "../../kit/service-kit.ts";

let kit: ServiceKit | undefined;
afterEach(() => kit?.stop());

/** An address at which nothing listens any more. */
const deadAddress = (): Promise<string> =>
  new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(`http://127.0.0.1:${port}`));
    });
  });

describe("a hub that is stopped", () => {
  it("ends the waits of calls that would be tried again, and tells of no trouble", async () => {
    let sleeping = 0;
    const clock: Clock = {
      now: systemClock.now,
      sleep: async (ms, signal) => {
        sleeping += 1;
        await systemClock.sleep(ms, signal);
        sleeping -= 1;
      },
    };
    const warnings: Array<string> = [];
    const baseUrl = await deadAddress();
    kit = await createServiceKit({
      clock,
      keys: { one: { baseUrl }, two: { baseUrl } },
      log: { info: () => {}, warn: (message) => warnings.push(message) },
    });
    const { service, events, until } = kit;
    await until("calls are tried again", () => warnings.length > 3);
    await service.stop(0);
    await until("nothing is waited for but what watches", () => sleeping <= 2);
    expect(events.filter((event) => event.kind === "store")).toEqual([]);
  });
});
