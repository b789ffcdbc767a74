/** A clock that stands still until something sleeps or the test moves it. */
import type { Clock } from "../../core/connector.ts";

export interface StillClock extends Clock {
  readonly advance: (ms: number) => void;
  /** What was slept, in order. */
  readonly slept: ReadonlyArray<number>;
}

export function stillClock(start = Date.UTC(2026, 5, 1, 9)): StillClock {
  let now = start;
  const slept: Array<number> = [];
  return {
    now: () => now,
    sleep: async (ms) => {
      slept.push(ms);
      const wake = now + ms;
      // Everyone else who can still go on does so first; those who fall asleep together wake together.
      await new Promise((resolve) => setImmediate(resolve));
      now = Math.max(now, wake);
    },
    advance: (ms) => {
      now += ms;
    },
    slept,
  };
}
