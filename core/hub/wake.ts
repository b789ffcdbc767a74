/** A bell for a loop: it sleeps until the bell rings or its time has come; rings while it works are not lost. */
import type { Clock } from "../connector.ts";

export interface Wake {
  readonly ring: () => void;
  /** Ends when the bell has rung since the last wait, after `ms`, or when the signal is aborted. */
  readonly wait: (ms: number) => Promise<void>;
}

export function createWake(clock: Clock, signal: AbortSignal): Wake {
  let rung = false;
  let sleeper: AbortController | undefined;
  return {
    ring: () => {
      rung = true;
      sleeper?.abort();
    },
    wait: async (ms) => {
      if (!rung && !signal.aborted && ms > 0) {
        sleeper = new AbortController();
        await clock.sleep(ms, AbortSignal.any([signal, sleeper.signal]));
        sleeper = undefined;
      }
      rung = false;
    },
  };
}
