/**
 * Agreement of a running hub, measured in the background: after a sweep, and else every quarter of an hour if anything
 * was read or written meanwhile.
 *
 * The whole store is compared, so it goes in small slices with rests between them: nobody waits for a measurement.
 */
import { Effect, Exit } from "effect";
import type { Clock } from "../connector.ts";
import type { ServiceEvent } from "../hub/events.ts";
import type { RunningService } from "../hub/start-service.ts";
import { createWake } from "../hub/wake.ts";
import { type Agreement, measureAgreement } from "../sync/agreement.ts";

export interface Measured extends Agreement {
  readonly at: number;
}

export interface AgreementWatch {
  /** By connection; absent where it was not measured yet. */
  readonly latest: () => ReadonlyMap<string, Measured>;
  readonly hear: (event: ServiceEvent) => void;
  /** Measures until it is stopped. */
  readonly run: (service: Measurable) => Promise<void>;
}

type Measurable = Pick<RunningService, "engine" | "lanes">;

const lookMs = 30_000;
const everyMs = 15 * 60_000;
/** What a sweep has found is written first. */
const afterSweepMs = 10_000;
const sliceLinks = 100;
/** A slice rests three times as long as it worked: a quarter of one processor at most. */
const restShare = 3;
const restMsMax = 1_000;

/** `signal` ends a measurement that is under way, and the rest. */
export function createAgreementWatch(clock: Clock, signal: AbortSignal): AgreementWatch {
  const wake = createWake(clock, signal);
  const latest = new Map<string, Measured>();
  /** When a connection is to be measured again. */
  const dueAt = new Map<string, number>();
  const soonest = (name: string, at: number): void => {
    dueAt.set(name, Math.min(dueAt.get(name) ?? Number.POSITIVE_INFINITY, at));
  };

  const measureOne = async (service: Measurable, name: string) => {
    const began = clock.now();
    dueAt.delete(name);
    const work = measureAgreement(service.engine(), [name], {
      batchLinks: sliceLinks,
      between: rest(performance.now()),
    });
    const exit = await Effect.runPromiseExit(work, { signal });
    if (Exit.isSuccess(exit)) latest.set(name, { ...exit.value, at: clock.now() });
    // A store that fails tells so elsewhere; here it is only tried again later.
    else soonest(name, began + everyMs);
  };

  return {
    latest: () => latest,
    hear: (event) => {
      if (event.kind === "pulled") {
        soonest(event.connection, clock.now() + (event.full ? afterSweepMs : everyMs));
        if (!latest.has(event.connection)) wake.ring();
      } else if (event.kind === "pushed" || event.kind === "read") soonest(event.connection, clock.now() + everyMs);
    },
    run: async (service) => {
      while (!signal.aborted) {
        const lanes = service.lanes().filter((lane) => lane.isLoaded() && lane.live() !== null);
        for (const { name } of lanes) {
          const isDue = !latest.has(name) || (dueAt.get(name) ?? Number.POSITIVE_INFINITY) <= clock.now();
          if (isDue && !signal.aborted) await measureOne(service, name);
        }
        const known = new Set(service.lanes().map((lane) => lane.name));
        for (const name of latest.keys()) if (!known.has(name)) latest.delete(name);
        await wake.wait(lookMs);
      }
    },
  };
}

/** Real time: it shares out a processor, whatever the hub's clock says. */
function rest(began: number): Effect.Effect<void> {
  let sliceBegan = began;
  return Effect.promise(async () => {
    const restMs = Math.min(restMsMax, (performance.now() - sliceBegan) * restShare);
    await new Promise((resolve) => setTimeout(resolve, restMs));
    sliceBegan = performance.now();
  });
}
