/** Seeds 76 to 150 of the simulation; in files of their own, so that they run beside each other. */
import { expect, it } from "vitest";
import { playSeeds } from "./judged.ts";
import { faultKinds } from "./nemesis.ts";

it("keeps every promise in the runs of seeds 76 to 150, and has met every kind of fault", {
  timeout: 600_000,
}, async () => {
  const faults = await playSeeds(76, 75);
  for (const kind of faultKinds) expect(faults[kind], kind).toBeGreaterThan(0);
});
