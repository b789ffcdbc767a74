import { describe, expect, it } from "vitest";
import { createMemorySimulator, hookSecret } from "../../../connectors/memory/simulator.ts";
import { standardWebhook } from "../../../core/net/standard-webhook.ts";
import { stillClock } from "../../kit/clock.ts";

describe("the calls of Memory", () => {
  it("are signed, name the record, and are made to the address that is set", async () => {
    const clock = stillClock();
    const simulator = createMemorySimulator({ clock });
    simulator.screen.create("account", { Name: "Before" });
    const url = "http://127.0.0.1:1/hooks/memory-one";
    expect(simulator.hookTo(url)).toEqual({ webhook: { secrets: [hookSecret] } });
    const id = simulator.screen.create("account", { Name: "Acme" });
    simulator.screen.edit("account", id, { Name: "Acme Ltd" });
    simulator.screen.remove("account", id);
    const calls = simulator.notices.take();
    expect(calls.map((call) => [call.url, JSON.parse(call.body).type])).toEqual(
      ["created", "updated", "deleted"].map((what) => [url, `companies.${what}`]),
    );
    const webhook = standardWebhook({ account: "companies", contact: "people" });
    for (const { headers, body } of calls) {
      const call = { headers, query: {}, body: Buffer.from(body), receivedAt: clock.now() };
      expect(webhook.accept(call, [hookSecret])).toMatchObject({ kind: "delivery", key: headers["webhook-id"] });
      expect(webhook.read(call)).toEqual([{ kind: "records", entity: "account", ids: [id] }]);
    }
    expect(simulator.notices.take()).toEqual([]);
  });
});
