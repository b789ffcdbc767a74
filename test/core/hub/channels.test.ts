/** The upkeep of a channel against the simulated Zoho, with a clock that the test moves. */
import { Effect } from "effect";
import { describe, expect, it } from "vitest";
import { zoho } from "../../../connectors/zoho/index.ts";
import type { ConnectionConfig } from "../../../core/config/hub-config.ts";
import type { Channel, Channels } from "../../../core/connector.ts";
import { RateLimited } from "../../../core/connector.ts";
import { type ChannelKeeper, createChannelKeeper } from "../../../core/hub/channels.ts";
import type { ServiceEvent } from "../../../core/hub/events.ts";
import type { Hub } from "../../../core/hub/open.ts";
import { openStore, type Store } from "../../../core/store/open.ts";
import { listSubscriptions } from "../../../core/store/subscriptions.ts";
import { audit, subscriptions } from "../../../core/store/tables.ts";
import { channelAt, type ZohoWorld, zohoWorld } from "../../connectors/zoho/kit.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const name = "zoho-eu";
const serveUrl = "https://hub.acme.example";
const address = `${serveUrl}/hooks/${name}`;

interface Settings {
  /** Null where the YAML does not name it. */
  serveUrl: string | null;
  webhook: ConnectionConfig["webhook"];
  store: Store;
  channels: Channels;
}

/** A keeper over a fresh organisation, or over what another one has left. */
async function keeping(given: Partial<Settings> & { readonly world?: ZohoWorld } = {}) {
  const world = given.world ?? (await zohoWorld());
  const own = world.api.webhook;
  if (own?.channels === undefined) throw new Error("Zoho has channels");
  const key = Buffer.alloc(32, 9).toString("base64");
  const store = given.store ?? (await Effect.runPromise(openStore({ place: ":memory:", key })));
  const { clock } = world;
  const events: Array<ServiceEvent> = [];
  const warnings: Array<string> = [];
  let secrets: ReadonlyArray<string> = [];
  let renewals = 0;
  const settings: Settings = {
    serveUrl,
    webhook: { kind: "own" },
    store,
    channels: own.channels,
    ...given,
  };
  // The keeper looks at nothing else of these.
  const hub = {
    config: { serve: { url: settings.serveUrl } },
    clock,
    store,
    log: { info: () => undefined, warn: (words: string) => warnings.push(words) },
  } as unknown as Hub;
  const connection = { name, webhook: settings.webhook, connector: zoho, config: { region: "us", auth: {} } };
  const keeper: ChannelKeeper = createChannelKeeper({
    fence: null,
    hub: () => hub,
    connection: connection as unknown as ConnectionConfig,
    webhook: { ...own, channels: settings.channels },
    setSecrets: (told) => {
      secrets = told;
    },
    onNew: () => {
      renewals += 1;
    },
    emit: (event) => events.push(event),
  });
  await keeper.load();
  const channels = own.channels;
  return {
    world,
    store,
    keeper,
    channels,
    clock,
    warnings,
    secrets: () => secrets,
    pulls: () => renewals,
    said: () => events.flatMap((event) => (event.kind === "channel" ? [event.what] : [])),
    events,
    ours: async () => (await channels.list()).filter(({ url }) => url === address),
    known: () => Effect.runPromise(listSubscriptions(store)),
    /** Does what is due for this long, as the loop does. */
    live: async (forMs: number) => {
      const end = clock.now() + forMs;
      for (let steps = 0; steps < 10_000; steps++) {
        const waitMs = await keeper.step();
        if (clock.now() + waitMs > end) break;
        clock.advance(Math.max(1, waitMs));
      }
      clock.advance(Math.max(0, end - clock.now()));
    },
  };
}

describe("the channel of a connection", () => {
  it("is made, with a random secret that is sealed, and nothing is done while it is good", async () => {
    const { keeper, ours, secrets, store, said, known, pulls, clock } = await keeping();
    const waitMs = await keeper.step();
    const [channel, ...others] = await ours();
    expect(others).toEqual([]);
    expect(channel?.entities).toEqual(["account", "contact"]);
    expect(secrets()).toEqual([channel?.secret]);
    expect(channel?.secret).toMatch(/^[A-Za-z0-9_-]{32}$/);
    expect((channel?.expiresAt ?? 0) - clock.now()).toBeGreaterThan(6 * dayMs);
    expect(waitMs).toBe(hourMs);
    expect(keeper.status()).toEqual({ state: "live", reason: null, expiresAt: channel?.expiresAt });
    expect([said(), pulls()]).toEqual([["registered"], 1]);
    expect(await known()).toMatchObject([{ connection: name, id: channel?.id, state: "live", url: address }]);
    const [row] = await store.database.db.select().from(subscriptions);
    expect(Buffer.from(row?.sealed ?? []).includes(channel?.secret ?? "?")).toBe(false);
    clock.advance(hourMs);
    await keeper.step();
    expect(said()).toEqual(["registered"]);
    const actions = (await store.database.db.select().from(audit)).map(({ action }) => action);
    expect(actions).toEqual(["channel asked", "channel registered"]);
  });

  it("is renewed every day, stays one, and changes its secret now and then with an overlap", async () => {
    const { live, ours, secrets, said, clock } = await keeping();
    await live(1);
    const [first] = await ours();
    const seen = new Set(secrets());
    let twoAtOnce = 0;
    for (let day = 0; day < 40; day++) {
      await live(dayMs);
      const [channel, ...others] = await ours();
      expect(others).toEqual([]);
      expect(channel?.id).toBe(first?.id);
      expect((channel?.expiresAt ?? 0) - clock.now()).toBeGreaterThan(5 * dayMs);
      expect(secrets()[0]).toBe(channel?.secret);
      for (const secret of secrets()) seen.add(secret);
      if (secrets().length > 1) twoAtOnce += 1;
    }
    expect(seen.size).toBe(2);
    expect(twoAtOnce).toBeGreaterThan(0);
    expect(twoAtOnce).toBeLessThan(4);
    expect(said().filter((what) => what === "renewed").length).toBeGreaterThanOrEqual(39);
    expect(new Set(said())).toEqual(new Set(["registered", "renewed"]));
  });

  it("is renewed in time when the vendor grants one hour only", async () => {
    const made = await keeping();
    const { channels } = made;
    // A clock that is far ahead of Zoho's asks for more than the week.
    const far: Channels = { ...channels, lifeMs: 10 * dayMs };
    const { live, keeper, ours, clock } = await keeping({ world: made.world, channels: far });
    await keeper.step();
    expect((keeper.status()?.expiresAt ?? 0) - clock.now()).toBeLessThanOrEqual(hourMs);
    for (let half = 0; half < 20; half++) {
      await live(hourMs / 2);
      expect((await ours()).length).toBe(1);
    }
  });

  it("is made again when the vendor has lost it, and what was missed is pulled", async () => {
    const { live, world, ours, secrets, said, events, pulls } = await keeping();
    await live(1);
    const before = secrets();
    world.simulator.loseChannel((await ours())[0]?.id ?? "");
    await live(2 * hourMs);
    expect(await ours()).toHaveLength(1);
    expect(secrets()).toEqual(before);
    expect([said(), pulls()]).toEqual([["registered", "registered"], 2]);
    expect(events.at(-1)).toMatchObject({ reason: expect.stringContaining("lost") });
  });

  it("is taken over, with our secret, when the vendor has one that we do not know; others of ours go", async () => {
    const { channels, live, keeper, ours, secrets, said, clock } = await keeping();
    const foreign = { ...channelAt(clock.now() + dayMs), id: "7", url: "https://other.example/hooks/zoho-eu" };
    const old = (id: string, days: number): Channel => ({
      ...channelAt(clock.now() + days * dayMs),
      id,
      url: address,
      secret: `old-${id}`,
    });
    for (const one of [foreign, old("1", 2), old("2", 5), old("3", 3)]) await channels.save(one, false);
    await keeper.step();
    expect(await ours()).toMatchObject([{ id: "2", secret: secrets()[0] }]);
    expect(secrets()).not.toContain("old-2");
    expect(said()).toEqual(["adopted", "removed"]);
    expect((await channels.list()).find(({ id }) => id === "7")).toEqual(foreign);
    await live(3 * hourMs);
    expect(said()).toEqual(["adopted", "removed"]);
  });

  it("is known again after a restart, whose calls are let in before anything is asked", async () => {
    const { world, store, keeper, secrets, ours } = await keeping();
    await keeper.step();
    const again = await keeping({ world, store });
    expect(again.secrets()).toEqual(secrets());
    await again.keeper.step();
    expect([again.said(), (await ours()).length]).toEqual([[], 1]);
  });

  it("is found, and not made twice, when the hub died before it heard the vendor's answer", async () => {
    const { world, store, keeper, channels, ours } = await keeping({});
    const dying: Channels = {
      ...channels,
      save: async (channel, exists) => {
        await channels.save(channel, exists);
        throw new Error("killed");
      },
    };
    const first = await keeping({ world, store, channels: dying });
    await first.keeper.step();
    expect(first.keeper.status()).toMatchObject({ state: "failing", reason: "killed" });
    expect(first.secrets()).toEqual([(await ours())[0]?.secret]);
    const again = await keeping({ world, store });
    await again.keeper.step();
    expect(await ours()).toHaveLength(1);
    expect(again.secrets()).toEqual(first.secrets());
    expect(again.keeper.status()?.state).toBe("live");
    expect(keeper.status()).toBeNull();
  });

  it("moves when the hub's address does", async () => {
    const { world, store, keeper, channels } = await keeping();
    await keeper.step();
    const moved = await keeping({ world, store, serveUrl: "https://hub2.acme.example" });
    await moved.keeper.step();
    expect((await channels.list()).map(({ url }) => url)).toEqual([`https://hub2.acme.example/hooks/${name}`]);
  });

  it.each<[string, Partial<Settings>]>([
    ["webhook is switched off", { webhook: { kind: "none" } }],
    ["signed calls take its place", { webhook: { kind: "signed", secrets: ["s"] } }],
    ["serve.url is taken out", { serveUrl: null }],
  ])("is removed when %s, and others stay", async (_, change) => {
    const { world, store, keeper, channels, clock } = await keeping();
    await channels.save({ ...channelAt(clock.now() + dayMs), id: "7", url: "https://other.example/x" }, false);
    await keeper.step();
    expect(await channels.list()).toHaveLength(2);
    const after = await keeping({ world, store, ...change });
    await after.keeper.step();
    expect((await channels.list()).map(({ id }) => id)).toEqual(["7"]);
    expect(after.said()).toEqual(["removed"]);
    expect(await after.known()).toEqual([]);
  });

  it("is removed when the connection goes from the YAML", async () => {
    const { keeper, channels, said } = await keeping();
    await keeper.step();
    await keeper.retire();
    expect([await channels.list(), said()]).toEqual([[], ["registered", "removed"]]);
  });

  it("costs no call where no webhook is wanted and none was made", async () => {
    const { keeper, world } = await keeping({ webhook: { kind: "none" } });
    await keeper.step();
    expect(world.calls("")).toBe(0);
    expect(keeper.status()).toBeNull();
  });

  it("is not made without serve.url, which is said once", async () => {
    const { live, world, warnings, keeper } = await keeping({ serveUrl: null });
    await live(5 * hourMs);
    expect(warnings).toEqual([expect.stringContaining("serve.url is not set")]);
    expect(world.calls("")).toBe(0);
    expect(keeper.status()?.reason).toContain("serve.url");
  });

  it("is tried again, later and later, when it fails; told once, shown, and kept for other processes", async () => {
    const { channels } = await keeping();
    let tries = 0;
    let fault: Error | null = new Error("no right to notifications");
    const failing: Channels = {
      ...channels,
      save: async (channel, exists) => {
        tries += 1;
        if (fault !== null) throw fault;
        return channels.save(channel, exists);
      },
      list: async () => channels.list(),
    };
    const made = await keeping({ channels: failing });
    await made.live(dayMs);
    expect(tries).toBeGreaterThan(20);
    expect(tries).toBeLessThan(40);
    expect(made.said()).toEqual(["failed"]);
    expect(made.keeper.status()).toMatchObject({ state: "failing", reason: "no right to notifications" });
    expect(await made.known()).toMatchObject([{ state: "asked", reason: "no right to notifications" }]);
    fault = new RateLimited("too many calls", made.clock.now() + 3 * hourMs);
    await made.live(2 * hourMs);
    tries = 0;
    await made.live(30 * 60_000);
    expect(tries).toBe(0);
    fault = null;
    await made.live(2 * hourMs);
    expect(made.keeper.status()).toMatchObject({ state: "live", reason: null });
    expect(await made.known()).toMatchObject([{ state: "live", reason: null }]);
  });

  it("is shown as failing where it cannot even be looked for, and forgotten when it is not wanted any more", async () => {
    const world = await zohoWorld({ simulator: { missingScopes: ["ZohoCRM.notifications.ALL"] } });
    const { keeper, store, known, said } = await keeping({ world });
    await keeper.step();
    expect(await known()).toMatchObject([{ state: "asked", reason: expect.stringContaining("OAUTH_SCOPE_MISMATCH") }]);
    expect(said()).toEqual(["failed"]);
    const off = await keeping({ world, store, webhook: { kind: "none" } });
    await off.keeper.step();
    expect([await off.known(), off.keeper.status()]).toEqual([[], null]);
  });
});
