/** A clock that runs as the real one does, and can be moved ahead: an hour passes in the demo without waiting. */
import type { Clock } from "../../core/connector.ts";

export interface DemoClock extends Clock {
  readonly advance: (ms: number) => void;
}

export function demoClock(real: Clock): DemoClock {
  let ahead = 0;
  return {
    now: () => real.now() + ahead,
    sleep: (ms, signal) => real.sleep(ms, signal),
    advance: (ms) => {
      ahead += ms;
    },
  };
}
