/** What is measured when somebody asks: each gauge is set anew from the measures, so that what is gone shows no more. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Gauge, Registry } from "prom-client";
import type { ConnectionStatus } from "../hub/service.ts";
import type { AlertRow } from "../store/alerts.ts";
import type { ConnectionMeasures, Measures } from "./measures.ts";

const states: ReadonlyArray<ConnectionStatus["state"]> = [
  "running",
  "stopped",
  "waiting",
  "held",
  "failing",
  "sleeping",
];

export interface HubFacts {
  readonly startedAt: number;
  readonly now: number;
  readonly storeOk: boolean;
  readonly ready: boolean;
  readonly version: string;
}

export interface Gauges {
  /** `measures` is null while the store does not answer: then the connections show nothing, rather than what was. */
  readonly set: (facts: HubFacts, measures: Measures | null, firing: ReadonlyArray<AlertRow>) => void;
  readonly stop: () => void;
}

type Kinds = typeof import("prom-client");
type Show = (one: ConnectionMeasures, set: (value: number, labels?: Readonly<Record<string, string>>) => void) => void;

const loopResolutionMs = 20;

export function createGauges({ Gauge }: Kinds, register: Registry): Gauges {
  const gauge = (name: string, help: string, labelNames: ReadonlyArray<string> = []): Gauge =>
    new Gauge({ name, help, labelNames: [...labelNames], registers: [register] });
  const loop = monitorEventLoopDelay({ resolution: loopResolutionMs });
  loop.enable();

  const hub = {
    info: gauge("syncline_info", "Always 1; the version is a label.", ["version"]),
    uptime: gauge("syncline_uptime_seconds", "Since the start."),
    store: gauge("syncline_store_ok", "1 while the store answers."),
    ready: gauge("syncline_ready", "1 while /readyz says ready."),
    memory: gauge("process_resident_memory_bytes", "Memory of the process."),
    cpu: gauge("process_cpu_seconds_total", "Processor time of the process."),
    delay: gauge("syncline_event_loop_delay_seconds", "How late timers came since the last look.", ["quantile"]),
    alerts: gauge("syncline_alerts_firing", "1 for each trouble that people are told of.", ["rule", "connection"]),
    conflicts: gauge(
      "syncline_conflicts_open",
      "Questions that wait for a person; no connection where several differ.",
      ["connection", "kind"],
    ),
  };

  const perConnection = connectionGauges(gauge);

  return {
    set: ({ startedAt, now, storeOk, ready, version }, measures, firing) => {
      hub.info.set({ version }, 1);
      hub.uptime.set((now - startedAt) / 1000);
      hub.store.set(storeOk ? 1 : 0);
      hub.ready.set(ready ? 1 : 0);
      hub.memory.set(process.memoryUsage.rss());
      const { user, system } = process.cpuUsage();
      hub.cpu.set((user + system) / 1e6);
      // The resolution itself is part of what is measured.
      for (const quantile of [50, 99]) {
        const late = Math.max(0, loop.percentile(quantile) / 1e9 - loopResolutionMs / 1000);
        hub.delay.set({ quantile: String(quantile / 100) }, late);
      }
      loop.reset();
      hub.alerts.reset();
      for (const { rule, subject } of firing) hub.alerts.set({ rule, connection: subject }, 1);
      hub.conflicts.reset();
      for (const { connection, kind, count } of measures?.openConflicts ?? []) {
        hub.conflicts.set({ connection, kind }, count);
      }
      for (const [shown, show] of perConnection(now)) {
        shown.reset();
        for (const one of measures?.connections ?? []) {
          show(one, (value, labels) => shown.set({ connection: one.name, ...labels }, value));
        }
      }
    },
    stop: () => loop.disable(),
  };
}

function connectionGauges(
  gauge: (name: string, help: string, labelNames?: ReadonlyArray<string>) => Gauge,
): (now: number) => ReadonlyArray<readonly [Gauge, Show]> {
  const of = (name: string, help: string, ...labels: ReadonlyArray<string>) =>
    gauge(`syncline_${name}`, help, ["connection", ...labels]);
  const state = of("connection_state", "1 for the state that it is in.", "system", "state");
  const pulled = of("pull_age_seconds", "Since the end of the last pull that succeeded.");
  const unread = of("inbox_unread", "Webhook calls that were kept and not read yet.");
  const oldestCall = of("inbox_oldest_seconds", "Age of the oldest of them; 0 without.");
  const outbox = of("outbox_due", "Records that wait to be written.");
  const oldestDue = of("outbox_oldest_seconds", "How long the oldest of them has waited; 0 without.");
  const letters = of("dead_letters", "What will not succeed alone.");
  const quota = of("quota_units", "Units of a daily budget.", "limit");
  const quotaLeft = of("quota_left_units", "Units of it that are left today.", "limit");
  const agreement = of("agreement_ratio", "Share of compared fields that agree.");
  const pairs = of("agreement_fields", "Fields that were compared.");
  const measuredAge = of("agreement_age_seconds", "Since agreement was measured.");
  const ageOf = (now: number, at: number | null): number => (at === null ? 0 : Math.max(0, now - at) / 1000);
  return (now) => [
    [
      state,
      (one, set) => {
        for (const name of states) set(name === one.state ? 1 : 0, { system: one.system, state: name });
      },
    ],
    [pulled, (one, set) => one.pulledAt !== null && set(ageOf(now, one.pulledAt))],
    [unread, (one, set) => set(one.unread)],
    [oldestCall, (one, set) => set(ageOf(now, one.unreadSince))],
    [outbox, (one, set) => set(one.outbox)],
    [oldestDue, (one, set) => set(ageOf(now, one.outboxSince))],
    [letters, (one, set) => set(one.deadLetters)],
    [
      quota,
      (one, set) => {
        for (const [limit, { of: units }] of Object.entries(one.quota)) set(units, { limit });
      },
    ],
    [
      quotaLeft,
      (one, set) => {
        for (const [limit, { used, of: units }] of Object.entries(one.quota)) set(Math.max(0, units - used), { limit });
      },
    ],
    [agreement, (one, set) => one.agreement !== null && set(one.agreement.share)],
    [pairs, (one, set) => one.agreement !== null && set(one.agreement.pairs)],
    [measuredAge, (one, set) => one.agreement !== null && set(ageOf(now, one.agreement.at))],
  ];
}
