/** Watching a running hub: it hears what happens, measures what is, and gives both as metrics. */
import type { Clock } from "../connector.ts";
import type { Listener } from "../hub/events.ts";
import type { RunningService } from "../hub/start-service.ts";
import { createAgreementWatch } from "./agreement.ts";
import { type Answer, createCounters } from "./counters.ts";
import { createGauges } from "./gauges.ts";
import { createMeasures, type Measures } from "./measures.ts";

export type { Answer } from "./counters.ts";

export interface WatchOptions {
  readonly clock: Clock;
  readonly version: string;
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
export async function createWatch({ clock, version }: WatchOptions): Promise<Watch> {
  const kinds = await import("prom-client");
  const register = new kinds.Registry();
  const startedAt = clock.now();
  const stopping = new AbortController();
  const agreement = createAgreementWatch(clock, stopping.signal);
  const gauges = createGauges(kinds, register);
  let service: RunningService | null = null;
  let measures: () => Promise<Measures | null> = async () => null;
  let measuring: Promise<void> = Promise.resolve();
  let storeOk = true;
  const counters = createCounters(kinds, register, (name) => service?.lane(name) !== undefined);

  return {
    hear: (event) => {
      if (event.kind === "store") storeOk = event.ok;
      agreement.hear(event);
      counters.hear(event);
    },
    start: (running) => {
      service = running;
      measures = createMeasures(running, agreement.latest, clock);
      measuring = agreement.run(running);
    },
    metrics: async () => {
      let answers = true;
      const measured = await measures().catch(() => {
        answers = false;
        return null;
      });
      const ready = service?.readiness().ready ?? false;
      gauges.set({ startedAt, now: clock.now(), storeOk: storeOk && answers, ready, version }, measured);
      return register.metrics();
    },
    noteAnswer: counters.noteAnswer,
    noteRefused: counters.noteRefused,
    stop: async () => {
      stopping.abort();
      gauges.stop();
      await measuring;
    },
  };
}
