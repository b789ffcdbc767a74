/** Counts what happens over a sliding window of time, in a bounded memory. */
export interface Burst {
  readonly note: (at: number) => void;
  /** How many lie within the window before `now`. */
  readonly count: (now: number, withinMs: number) => number;
}

const keptMax = 10_000;

export function createBurst(): Burst {
  const times: Array<number> = [];
  return {
    note: (at) => {
      times.push(at);
      if (times.length > keptMax * 2) times.splice(0, keptMax);
    },
    count: (now, withinMs) => times.filter((at) => at > now - withinMs).length,
  };
}
