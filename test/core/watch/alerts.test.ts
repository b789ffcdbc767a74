import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Effect } from "effect";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { registry } from "../../../config/registry.ts";
import { alertRules } from "../../../core/config/alerts-shape.ts";
import type { ChannelConfig } from "../../../core/config/hub-config.ts";
import { readConfig } from "../../../core/config/read.ts";
import { type Hub, openHub } from "../../../core/hub/open.ts";
import type { RunningService } from "../../../core/hub/start-service.ts";
import type { Notice, NotificationChannel } from "../../../core/plugin.ts";
import { noteAudit } from "../../../core/store/audit.ts";
import { StoreFailed } from "../../../core/store/failure.ts";
import { noticeOf } from "../../../core/watch/alert-words.ts";
import { createAlerts } from "../../../core/watch/alerts.ts";
import type { ConnectionMeasures, Measures } from "../../../core/watch/measures.ts";
import { createRedact } from "../../../core/watch/redact.ts";
import { type StillClock, stillClock } from "../../kit/clock.ts";

const minute = 60_000;
const hour = 60 * minute;
let folder = "";
let hub: Hub;
let clock: StillClock;

const text = "connections:\n  one: { use: memory, baseUrl: http://127.0.0.1:1, apiKey: key-1 }\n";

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "syncline-alerts-"));
  clock = stillClock();
  const { config } = readConfig({ text, file: "", env: {}, connectors: registry.connectors });
  if (config === null) throw new Error("the configuration is wrong");
  const log = { info: () => undefined, warn: () => undefined };
  const file = { ...config, hub: { ...config.hub, name: "acme", store: `sqlite:${join(folder, "hub.db")}` } };
  hub = await Effect.runPromise(openHub({ config: file, key: undefined, clock, log }));
});

afterEach(async () => {
  await hub.close();
  rmSync(folder, { recursive: true, force: true });
});

const fine: ConnectionMeasures = {
  name: "one",
  system: "memory",
  state: "running",
  reason: null,
  isOurs: true,
  outbox: 0,
  outboxSince: null,
  deadLetters: 0,
  unread: 0,
  unreadSince: null,
  pulledAt: null,
  lostChannels: 0,
  quota: {},
  agreement: null,
};

interface Heard {
  readonly at: number;
  readonly notice: Notice;
}

/** A channel that takes what it is told, after failing as often as said. */
function channel(name: string, heard: Array<Heard>, failures = 0, rules: ChannelConfig["rules"] = null): ChannelConfig {
  let left = failures;
  const plugin = {
    channel: name,
    send: async (notice: Notice) => {
      left -= 1;
      if (left >= 0) throw new Error("token=abcdefgh was refused for ann@example.com");
      heard.push({ at: clock.now() - began, notice });
    },
  } as unknown as NotificationChannel;
  return { name, use: name, plugin, config: {}, language: "en", rules };
}

let began = 0;
const log: Array<string> = [];

/** Looks until the clock has moved that far; `at` tells the world at a moment since the start. */
async function watch(
  channels: ReadonlyArray<ChannelConfig>,
  forMs: number,
  at: (sinceMs: number) => Partial<ConnectionMeasures> | "store fails",
  before: (alerts: ReturnType<typeof createAlerts>) => void = () => {},
): Promise<void> {
  began = clock.now();
  const stopping = new AbortController();
  const say = (_: string, message: string, fields: object) => void log.push(JSON.stringify({ message, ...fields }));
  const redact = createRedact(() => []);
  const alerts = createAlerts({ clock, redact, say, noteNotice: () => {}, signal: stopping.signal });
  before(alerts);
  const config = { ...hub.config, alerts: { ...hub.config.alerts, channels } };
  // Alerts ask the service for nothing else.
  const service = { hub: () => ({ ...hub, config }), keepsUpkeep: () => true } as unknown as RunningService;
  const measures = async (): Promise<Measures> => {
    const sinceMs = clock.now() - began;
    if (sinceMs > forMs) stopping.abort();
    const now = at(sinceMs);
    if (now === "store fails") throw new StoreFailed("The store cannot be read: the disk is full.", "", undefined);
    return { at: clock.now(), connections: [{ ...fine, ...now }], openConflicts: [] };
  };
  await alerts.run(service, measures);
}

const told = (heard: ReadonlyArray<Heard>) => heard.map(({ notice }) => `${notice.kind} ${notice.rule}`);

describe("alerts", () => {
  it("tell of a connection that fails for a quarter of an hour, again after four hours, and of its end", async () => {
    const heard: Array<Heard> = [];
    await watch([channel("team", heard)], 6 * hour, (since) =>
      since < 5 * hour ? { state: "failing", reason: "it answered 401 for ann@example.com" } : {},
    );
    expect(told(heard)).toEqual(["begun failing", "lasts failing", "ended failing"]);
    const [first, second, last] = heard;
    expect(first?.at).toBeGreaterThanOrEqual(15 * minute);
    expect(first?.at).toBeLessThan(16 * minute);
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(4 * hour);
    expect(last?.at).toBeGreaterThan(5 * hour);
    expect(first?.notice).toMatchObject({
      hub: "acme",
      connection: "one",
      title: "[acme] one has been failing for 15 min",
      lines: [expect.stringMatching(/^Since 2026-06-01 09:1/), "Reason: it answered 401 for •••", expect.anything()],
    });
  });

  it("say nothing of a connection that recovers in time", async () => {
    const heard: Array<Heard> = [];
    await watch([channel("team", heard)], hour, (since) =>
      since % (10 * minute) < 8 * minute ? { state: "failing" } : {},
    );
    expect(heard).toEqual([]);
  });

  it("are not told again after a restart", async () => {
    const heard: Array<Heard> = [];
    const held = () => ({ state: "held", reason: "a brake" }) as const;
    await watch([channel("team", heard)], hour, held);
    await watch([channel("team", heard)], hour, held);
    expect(told(heard)).toEqual(["begun brake"]);
  });

  it("reach the channels that work while another one fails, and are tried again within bounds", async () => {
    const heard: Array<Heard> = [];
    const late: Array<Heard> = [];
    log.length = 0;
    const channels = [channel("broken", [], 1_000), channel("slow", late, 2), channel("good", heard)];
    await watch(channels, hour, () => ({ deadLetters: 3 }));
    expect(heard[0]?.at).toBeLessThan(minute);
    expect(late[0]?.at).toBeGreaterThanOrEqual(35_000);
    expect([told(heard), told(late)]).toEqual([["begun deadLetters"], ["begun deadLetters"]]);
    const failed = log.filter((line) => line.includes("could not be sent"));
    expect(failed).toHaveLength(1);
    expect(failed[0]).toContain('"reason":"token=••• was refused for •••"');
  });

  it("go only to the channels that want the rule", async () => {
    const heard: Array<Heard> = [];
    const other: Array<Heard> = [];
    const channels = [channel("a", heard, 0, ["outbox"]), channel("b", other, 0, ["brake"])];
    await watch(channels, hour, () => ({ outbox: 4, outboxSince: began - 2 * hour }));
    expect([told(heard), told(other)]).toEqual([["begun outbox"], []]);
  });

  it("tell of the store from memory while it fails, and end no other trouble meanwhile", async () => {
    const heard: Array<Heard> = [];
    await watch([channel("team", heard)], hour, (since) =>
      since > 10 * minute && since < 20 * minute ? "store fails" : { state: "held", reason: null },
    );
    expect(told(heard)).toEqual(["begun brake", "begun store", "ended store"]);
  });

  it("tell of many refused sign-ins, exports and falling agreement", async () => {
    const heard: Array<Heard> = [];
    const { database } = hub.store;
    let isDone = false;
    await watch(
      [channel("team", heard)],
      hour,
      (since) => {
        if (since > 5 * minute && !isDone) {
          isDone = true;
          const entry = { at: clock.now(), actor: "key:1", action: "export accounts", subject: "csv" };
          const work = database.write("noting", () =>
            noteAudit(
              database,
              Array.from({ length: 12 }, () => entry),
            ),
          );
          void Effect.runPromise(work);
        }
        const agreement = { pairs: 100, agreeing: 90, open: 0, pending: 0, share: 0.9, at: clock.now() };
        return since < 10 * minute ? { agreement } : {};
      },
      (alerts) => {
        for (let times = 0; times < 25; times += 1) alerts.noteRefused();
      },
    );
    expect(told(heard).toSorted()).toEqual([
      "begun agreement",
      "begun exports",
      "begun signIns",
      "ended agreement",
      "ended signIns",
    ]);
    expect(heard.find(({ notice }) => notice.rule === "agreement")?.notice.title).toContain("90.00 %");
  });

  it("have words for every rule in both languages", () => {
    const detail = { forMs: 900_000, withinMs: hour, olderMs: hour, count: 3, share: 0.5, below: 0.9 };
    const row = { subject: "one", state: "firing", since: 0, toldAt: null, detail } as const;
    for (const rule of alertRules) {
      for (const kind of ["begun", "lasts", "ended"] as const) {
        const [en, zh] = (["en", "zh"] as const).map((language) =>
          noticeOf({ kind, row: { ...row, rule }, hub: "acme", at: 1, language }),
        );
        expect(en?.title.length).toBeLessThan(120);
        expect(en?.title).toMatch(/^[\x20-\x7e]+$/);
        expect(zh?.title).toMatch(/[\u4e00-\u9fff]/);
        expect(`${en?.title}${zh?.title}`).not.toMatch(/undefined|NaN| 0 /);
        expect(en?.lines).toHaveLength(kind === "ended" ? 1 : 2);
      }
    }
  });
});
