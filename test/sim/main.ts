/**
 * `npm run sim -- --seeds 1000 --from 1 [--json]`: plays seeds, one after the other. Ends with 1 at the first that breaks
 * a promise, with the seed on the last line.
 */
import { parseArgs } from "node:util";
import { type FaultKind, faultKinds } from "./nemesis.ts";
import { type Outcome, play } from "./run.ts";
import { scenarioOf } from "./scenario.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "100" },
    from: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
    "keep-going": { type: "boolean", default: false },
    story: { type: "boolean", default: false },
  },
});
const from = Number(values.from);
const count = Number(values.seeds);
const faults = Object.fromEntries(faultKinds.map((kind) => [kind, 0])) as Record<FaultKind, number>;
const limits: Record<string, number> = {};
let edits = 0;
let writes = 0;
const broken: Array<number> = [];
const began = performance.now();
for (let seed = from; seed < from + count; seed++) {
  const outcome = await play(scenarioOf(seed));
  edits += outcome.edits;
  writes += outcome.writes;
  for (const kind of faultKinds) faults[kind] += outcome.faults[kind];
  for (const [name, met] of Object.entries(outcome.limits)) limits[name] = (limits[name] ?? 0) + met;
  if (outcome.violations.length > 0) {
    broken.push(seed);
    report(outcome);
    if (!values["keep-going"]) break;
  }
}
const seconds = (performance.now() - began) / 1000;
console.log(JSON.stringify({ seeds: count, broken: broken.length, edits, writes, faults, limits, seconds }));
if (broken.length > 0) {
  console.log(broken.join(" "));
  process.exitCode = 1;
}

function report(outcome: Outcome): void {
  console.log(`seed ${outcome.seed}`);
  for (const { property, what } of outcome.violations.slice(0, 5)) console.log(`  ${property} ${what}`);
  if (!values.story) return;
  const about = new Set(outcome.violations.slice(0, 1).flatMap((one) => one.about));
  const lines = outcome.story
    .filter((entry) => about.has(entry.about) || entry.line.startsWith("!! crash") || entry.line.startsWith("the hub"))
    .sort((one, other) => one.at - other.at);
  for (const { at, line } of lines) console.log(`    ${(at / 1000).toFixed(3).padStart(9)} ${line}`);
}
