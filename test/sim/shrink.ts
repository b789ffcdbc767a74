/**
 * Makes a failing scenario smaller: parts are left out as long as the same promise still breaks, so that what is left is
 * what it takes.
 */
import { type Outcome, play } from "./run.ts";
import { type Scenario, scenarioOf } from "./scenario.ts";

const triesMax = 60;

/** Errors  none; a scenario that cannot be made smaller comes back as it was. */
export async function shrunk(failed: Outcome): Promise<Outcome> {
  const property = failed.violations[0]?.property;
  let best = failed;
  let scenario = scenarioOf(failed.seed);
  let tries = 0;
  const attempt = async (smaller: Scenario): Promise<boolean> => {
    if (tries >= triesMax) return false;
    tries += 1;
    const outcome = await play(smaller);
    if (!outcome.violations.some((one) => one.property === property)) return false;
    best = outcome;
    scenario = smaller;
    return true;
  };
  for (const part of ["storms", "crashes"] as const) await attempt({ ...scenario, [part]: [] });
  for (const share of Object.keys(scenario.shares))
    await attempt({ ...scenario, shares: { ...scenario.shares, [share]: 0 } });
  for (let size = Math.ceil(scenario.steps.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < scenario.steps.length; ) {
      const steps = scenario.steps.filter((_, index) => index < from || index >= from + size);
      if (!(await attempt({ ...scenario, steps }))) from += size;
    }
  }
  return best;
}
