/** `npm run kills -- --count 1000 --seed 1`: exit status 1 and the seed on the last line if an edit is lost or doubled. */
import { parseArgs } from "node:util";
import { playKills } from "./kills.ts";

const { values } = parseArgs({ options: { count: { type: "string" }, seed: { type: "string" } } });
const [count, seed] = [Number(values.count ?? "100"), Number(values.seed ?? "1")];
if (![count, seed].every((number) => Number.isSafeInteger(number) && number > 0)) {
  console.error("--count and --seed take whole numbers above 0.");
  process.exit(1);
}
const report = await playKills({ count, seed, note: (line) => console.log(line) });
console.log(JSON.stringify(report, null, 2));
const { lost, differences, exits } = report;
if (lost.length + differences.length > 0 || exits.some((status) => status !== 0)) {
  console.log(`npm run kills -- --count ${count} --seed ${seed}`);
  process.exit(1);
}
