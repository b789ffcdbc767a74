/**
 * `npm run sim -- --seeds 1000 --from 1`: plays seeds one after the other. Ends with 1 at the first that breaks a promise,
 * with the seed on the last line.
 *
 * `--keep-going` plays on, `--story` tells what happened to the record, `--json` prints one object, `--mutations` takes
 * one rule after the other out of the sources and shows which seed finds it missing. `--postgres` has the store on a
 * server that is started for it.
 */
import { parseArgs } from "node:util";
import { administer, startServer, sweepDatabase, templateName } from "../kit/postgres-server.ts";
import { mutations, tryMutation } from "./mutations.ts";
import { type FaultKind, faultKinds } from "./nemesis.ts";
import { type Outcome, play } from "./run.ts";
import { scenarioOf } from "./scenario.ts";
import { shrunk } from "./shrink.ts";

/** Beyond that many, and that share of all edits. */
const limitsMax = {
  overwritten: { count: 4, share: 0.003 },
  landedLate: { count: 4, share: 0.002 },
  takenForRewrite: { count: 4, share: 0.002 },
  deleted: { count: 1, share: 0.0006 },
  orderUnknown: { count: 4, share: 0.001 },
} as const;

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "100" },
    from: { type: "string", default: "1" },
    json: { type: "boolean", default: false },
    "keep-going": { type: "boolean", default: false },
    story: { type: "boolean", default: false },
    shrink: { type: "boolean", default: false },
    mutations: { type: "boolean", default: false },
    rule: { type: "string" },
    postgres: { type: "boolean", default: false },
  },
});
const from = wholeNumber("from", values.from);
const count = wholeNumber("seeds", values.seeds);
const databaseName = "simulation";
let isMade = false;
if (values.mutations) await showMutations();
else await playAll();

async function playAll(): Promise<void> {
  const faults = Object.fromEntries(faultKinds.map((kind) => [kind, 0])) as Record<FaultKind, number>;
  const limits: Record<string, number> = {};
  const broken: Array<number> = [];
  let edits = 0;
  let writes = 0;
  const server = values.postgres ? await startServer() : undefined;
  const began = performance.now();
  for (let seed = from; seed < from + count; seed++) {
    const place = server === undefined ? undefined : await emptyDatabase(server.base);
    const outcome = await play(scenarioOf(seed), place);
    edits += outcome.edits;
    writes += outcome.writes;
    for (const kind of faultKinds) faults[kind] += outcome.faults[kind];
    for (const [name, met] of Object.entries(outcome.limits)) limits[name] = (limits[name] ?? 0) + met;
    const beyond = beyondBounds(limits, edits);
    if (outcome.violations.length > 0 || beyond !== null) {
      broken.push(seed);
      await report(outcome, beyond);
      if (!values["keep-going"]) break;
    }
    if (process.stderr.isTTY) process.stderr.write(`\r${seed - from + 1} of ${count} seeds, ${broken.length} broken`);
  }
  await server?.stop();
  const seconds = Math.round((performance.now() - began) / 100) / 10;
  const played = { seeds: count, broken: broken.length, edits, writes, seconds };
  if (values.json) console.log(JSON.stringify({ ...played, faults, limits }));
  else {
    console.table([played]);
    console.table([faults, limits]);
  }
  if (broken.length > 0) {
    console.log(broken.join(" "));
    process.exitCode = 1;
  }
}

/** One database for all runs, as long as it can be emptied. */
async function emptyDatabase(base: string): Promise<string> {
  if (isMade && (await sweepDatabase(base, databaseName))) return `${base}${databaseName}`;
  await administer(base, `create database ${databaseName} template ${templateName}`);
  isMade = true;
  return `${base}${databaseName}`;
}

/** An honest limit that is met too often is none any more: the hub does less than it could. */
function beyondBounds(limits: Readonly<Record<string, number>>, edits: number): string | null {
  for (const [name, bound] of Object.entries(limitsMax)) {
    const met = limits[name] ?? 0;
    if (met > bound.count && met > edits * bound.share)
      return `P1 the limit "${name}" was met ${met} times in ${edits} edits`;
  }
  return null;
}

async function report(outcome: Outcome, beyond: string | null): Promise<void> {
  console.log(`seed ${outcome.seed}`);
  if (beyond !== null) console.log(`  ${beyond}`);
  for (const { property, what } of outcome.violations.slice(0, 5)) console.log(`  ${property} ${what}`);
  const told = values.shrink ? await shrunk(outcome) : outcome;
  if (!values.story && !values.shrink) return;
  const about = new Set(told.violations.slice(0, 1).flatMap((one) => one.about));
  const lines = told.story
    .filter((entry) => about.has(entry.about) || /^(!! crash|the hub)/.test(entry.line))
    .sort((one, other) => one.at - other.at);
  for (const { at, line } of lines) console.log(`    ${(at / 1000).toFixed(3).padStart(9)} ${line}`);
}

async function showMutations(): Promise<void> {
  const chosen = mutations.filter(({ rule }) => values.rule === undefined || values.rule === rule);
  let unseen = 0;
  for (const mutation of chosen) {
    const { seed, property } = await tryMutation(mutation, count);
    if (seed === null) unseen += 1;
    console.log(
      `${mutation.rule.padEnd(4)} ${seed === null ? "NOT SEEN" : `seed ${seed}`}  without: ${mutation.without}`,
    );
    if (property !== "") console.log(`       ${property}`);
  }
  console.log(`${chosen.length - unseen} of ${chosen.length} mutations were seen within ${count} seeds each`);
  if (unseen > 0) process.exitCode = 1;
}

function wholeNumber(name: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  console.error(`--${name} takes a whole number, not "${text}".`);
  process.exit(2);
}
