import { expect, it } from "vitest";
import { systemClock } from "../../../core/net/clock.ts";

it("wakes early and without an error when the signal is aborted", async () => {
  const stop = new AbortController();
  const sleeping = systemClock.sleep(3_600_000, stop.signal);
  stop.abort();
  await sleeping;
  await systemClock.sleep(3_600_000, AbortSignal.abort());
});

it("sleeps at least as long as asked", async () => {
  const began = systemClock.now();
  await systemClock.sleep(5);
  // A timer may be a fraction of a millisecond early.
  expect(systemClock.now() - began).toBeGreaterThanOrEqual(4);
});
