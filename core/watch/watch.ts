/** Watching a running hub: it hears what happens, measures what is, gives both as metrics, and tells people of troubles. */
import type { Clock } from "../connector.ts";
import type { Listener } from "../hub/events.ts";
import type { RunningService } from "../hub/start-service.ts";
import { createAgreementWatch } from "./agreement.ts";
import { type AlertsOptions, createAlerts } from "./alerts.ts";
import { type Answer, createCounters } from "./counters.ts";
import { createGauges } from "./gauges.ts";
import { createMeasures, type Measuring } from "./measures.ts";
import { createRedact, type Redact } from "./redact.ts";

export type { Answer } from "./counters.ts";

export interface WatchOptions {
  readonly clock: Clock;
  readonly version: string;
  /** Alerts stand in the log too. */
  readonly say?: AlertsOptions["say"];
  readonly redact?: Redact;
}

export interface Watch {
  /** To be among the listeners of the service. */
  readonly hear: Listener;
  /** Begins to measure. */
  readonly start: (service: RunningService) => void;
  /** In the text format of Prometheus. */
  readonly metrics: () => Promise<string>;
  readonly noteAnswer: (answer: Answer) => void;
  /** A call without a good key. */
  readonly noteRefused: (kind: string) => void;
  readonly stop: () => Promise<void>;
}

/** The library is loaded here, because only a running hub needs it. */
export async function createWatch(options: WatchOptions): Promise<Watch> {
  const { clock, version, say = () => {}, redact = createRedact(() => []) } = options;
  const kinds = await import("prom-client");
  const register = new kinds.Registry();
  const startedAt = clock.now();
  const stopping = new AbortController();
  const agreement = createAgreementWatch(clock, stopping.signal);
  const gauges = createGauges(kinds, register);
  let service: RunningService | null = null;
  let measuring: Measuring | null = null;
  let working: Promise<unknown> = Promise.resolve();
  let storeOk = true;
  const counters = createCounters(kinds, register, (name) => service?.lane(name) !== undefined);

  const { signal } = stopping;
  const alerts = createAlerts({ clock, redact, say, signal, noteNotice: counters.noteNotice });

  return {
    hear: (event) => {
      if (event.kind === "store") storeOk = event.ok;
      // Pulls come by the minute; calls and pushes by the thousand, and a look may be a few seconds old.
      if (event.kind === "pulled" || event.kind === "channel") measuring?.forget();
      agreement.hear(event);
      counters.hear(event);
      alerts.hear(event);
    },
    start: (running) => {
      service = running;
      measuring = createMeasures(running, agreement.latest, clock);
      working = Promise.all([agreement.run(running), alerts.run(running, measuring.read)]);
    },
    metrics: async () => {
      let answers = true;
      const measured = await (measuring?.read() ?? Promise.resolve(null)).catch(() => {
        answers = false;
        return null;
      });
      const ready = service?.readiness().ready ?? false;
      const facts = { startedAt, now: clock.now(), storeOk: storeOk && answers, ready, version };
      gauges.set(facts, measured, alerts.firing());
      return register.metrics();
    },
    noteAnswer: counters.noteAnswer,
    noteRefused: (kind) => {
      counters.noteRefused(kind);
      alerts.noteRefused();
    },
    stop: async () => {
      stopping.abort();
      gauges.stop();
      await working;
    },
  };
}
