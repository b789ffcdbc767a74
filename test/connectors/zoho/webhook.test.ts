import { describe, expect, it } from "vitest";
import { addressKeyOf, createWebhook } from "../../../connectors/zoho/webhook.ts";
import { AuthFailed, type Channel, type Channels, type HookCall, Unreadable } from "../../../core/connector.ts";
import { seededRandom } from "../../../core/simulator.ts";
import { channelAt, channelSecret, type ZohoWorldOptions, zohoWorld } from "./kit.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

const none: Channels = {
  lifeMs: dayMs,
  newId: () => "1",
  list: async () => [],
  save: async (channel) => channel,
  remove: async () => undefined,
};
const webhook = createWebhook(none);

const notice = {
  server_time: 1_780_304_407_123,
  module: "Accounts",
  operation: "update",
  resource_uri: "https://www.zohoapis.com/crm/v2/Accounts",
  channel_id: "100000000000000001",
  token: channelSecret,
  ids: ["5000000000000300001", "5000000000000300002"],
  query_params: {},
  affected_fields: [{ "5000000000000300001": ["Phone"] }],
};

const callWith = (change: object): HookCall => ({
  headers: {},
  query: { k: addressKeyOf(channelSecret) },
  body: Buffer.from(JSON.stringify({ ...notice, ...change })),
  receivedAt: notice.server_time,
});
const accept = (change: object) => webhook.accept(callWith(change), [channelSecret]);

describe("a notification of Zoho", () => {
  it("names all its records, and is told from others by channel, module, operation, ids and time", () => {
    expect(accept({})).toEqual({
      kind: "delivery",
      key: JSON.stringify([notice.channel_id, "Accounts", "update", notice.ids, notice.server_time]),
      sentAt: notice.server_time,
    });
    expect(webhook.read(callWith({}))).toEqual([{ kind: "records", entity: "account", ids: notice.ids }]);
    expect(webhook.read(callWith({ module: "Contacts" }))).toMatchObject([{ entity: "contact" }]);
  });

  it.each([
    ["edit", "update"],
    ["create", "insert"],
  ])("may call its operation %s or %s", (event, operation) => {
    expect(accept({ operation: event })).toEqual(accept({ operation }));
  });

  it("is kept, and never taken for another one, when it does not tell its time", () => {
    expect(accept({ server_time: null })).toEqual({ kind: "delivery", key: null, sentAt: null });
  });

  it("asks for a pull where it names no record, and is unreadable where it is about something else", () => {
    expect(webhook.read(callWith({ ids: [] }))).toEqual([{ kind: "pull", entity: "account" }]);
    expect(webhook.read(callWith({ module: "Deals" }))).toBeInstanceOf(Unreadable);
    // A number of that length has lost its last digits.
    expect(webhook.read(callWith({ ids: [Number("5000000000000300001")] }))).toBeInstanceOf(Unreadable);
  });

  it("needs the key of its own secret in the address, not that of another accepted one", () => {
    const other = "another-secret-of-32-characters-";
    const call = { ...callWith({}), query: { k: addressKeyOf(other) } };
    expect(() => webhook.accept(call, [channelSecret, other])).toThrow();
  });
});

/** The channels of a fresh organisation. */
async function channelsWith(options: ZohoWorldOptions = {}) {
  const world = await zohoWorld(options);
  const channels = world.api.webhook?.channels;
  if (channels === undefined) throw new Error("Zoho has channels");
  const channel = (change: Partial<Channel> = {}): Channel => ({ ...channelAt(world.clock.now() + dayMs), ...change });
  return { ...world, channels, channel };
}

describe("the channels of Zoho", () => {
  it("are made, listed as they were asked for, renewed and removed", async () => {
    const { channels, channel, clock } = await channelsWith();
    expect(await channels.list()).toEqual([]);
    const made = channel();
    expect(await channels.save(made, false)).toEqual(made);
    expect(await channels.list()).toEqual([made]);
    clock.advance(hourMs);
    const renewed = channel({ secret: "another-secret-of-32-characters-" });
    expect(await channels.save(renewed, true)).toEqual(renewed);
    expect(await channels.list()).toEqual([renewed]);
    await channels.remove([made.id]);
    expect(await channels.list()).toEqual([]);
    await channels.remove([made.id]);
  });

  it("tell when an expiry beyond the week has shrunk to one hour", async () => {
    const { channels, channel, clock } = await channelsWith();
    const kept = await channels.save(channel({ expiresAt: clock.now() + 8 * dayMs }), false);
    expect((kept.expiresAt ?? 0) - clock.now()).toBeLessThanOrEqual(hourMs);
    const whole = await channels.save(channel({ expiresAt: clock.now() + channels.lifeMs }), true);
    expect((whole.expiresAt ?? 0) - clock.now()).toBeGreaterThan(6 * dayMs);
  });

  it("are made again when Zoho has forgotten the one to renew", async () => {
    const { channels, channel, simulator } = await channelsWith();
    await channels.save(channel(), false);
    simulator.loseChannel(channel().id);
    await channels.save(channel(), true);
    expect(await channels.list()).toHaveLength(1);
  });

  it("are listed to the last page", async () => {
    const { channels, channel, calls } = await channelsWith();
    const random = seededRandom(5);
    const ids = new Set(Array.from({ length: 120 }, () => channels.newId(random)));
    expect(ids.size).toBe(120);
    for (const id of ids) await channels.save(channel({ id }), false);
    expect(new Set((await channels.list()).map(({ id }) => id))).toEqual(ids);
    expect(calls("GET /crm/v8/actions/watch")).toBe(2);
  });

  it("refuse an address that Zoho does not take, with what to do", async () => {
    const { channels, channel } = await channelsWith();
    const long = channel({ url: `https://hub.example/${"x".repeat(250)}` });
    await expect(channels.save(long, false)).rejects.toBeInstanceOf(AuthFailed);
    await expect(channels.save(channel({ url: "hub.example" }), false)).rejects.toMatchObject({
      remedy: expect.stringContaining("serve.url"),
    });
    expect(await channels.list()).toEqual([]);
  });

  it("need a scope of their own, which check looks for where webhooks are wanted", async () => {
    const { api } = await channelsWith({ simulator: { missingScopes: ["ZohoCRM.notifications.ALL"] } });
    const keys = { account: "Hub_Id", contact: "Hub_Id" };
    expect(await api.check({ keys })).toEqual([]);
    expect(await api.check({ keys, webhook: true })).toEqual([
      expect.objectContaining({ severity: "error", remedy: expect.stringContaining("ZohoCRM.notifications.ALL") }),
    ]);
  });
});
