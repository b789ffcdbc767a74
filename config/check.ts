/** `npm run check`: types, lint and formatting, and whether the generated files are fresh. The import rule is a test. */
import { spawnSync } from "node:child_process";
import { staleFiles } from "./generate.ts";

const steps: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = [
  ["types", ["node_modules/typescript/bin/tsc", "--noEmit"]],
  ["lint and formatting", ["node_modules/@biomejs/biome/bin/biome", "check", "--error-on-warnings", "."]],
  ["import rule", ["node_modules/vitest/vitest.mjs", "run", "--config", "config/vitest.ts", "test/tidy.test.ts"]],
];

let failures = 0;
for (const [name, command] of steps) {
  console.log(`check: ${name}`);
  const { status } = spawnSync(process.execPath, [...command], { stdio: "inherit" });
  if (status !== 0) failures += 1;
}
console.log("check: generated files");
for (const file of await staleFiles()) {
  console.error(`${file} is not what the sources generate. Run: npm run docs`);
  failures += 1;
}
console.log(failures === 0 ? "check: all good" : `check: ${failures} failed`);
process.exitCode = failures === 0 ? 0 : 1;
