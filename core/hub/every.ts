/** Repeats by the clock of the hub, so that a simulation can drive what would else be real time. */
import type { Clock } from "../connector.ts";
import type { Every } from "../store/every.ts";

export const everyOf =
  (clock: Clock): Every =>
  (ms, work) => {
    const stopping = new AbortController();
    const { signal } = stopping;
    void (async () => {
      while (!signal.aborted) {
        await clock.sleep(ms, signal);
        if (!signal.aborted) work();
      }
    })();
    return () => stopping.abort();
  };
