/** replay: the whole change log folded and compared, beside the floor: the same rows merely read. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Effect } from "effect";
import { replayLog } from "../../core/store/replay.ts";
import { load, openEngine } from "./apply.ts";
import { type Figure, rssMb } from "./figure.ts";

const records = 100_000;

export async function benchReplay(): Promise<ReadonlyArray<Figure>> {
  const folder = mkdtempSync(join(tmpdir(), "syncline-bench-"));
  const file = join(folder, "hub.db");
  const engine = await openEngine(file);
  try {
    await load(engine, records);
    const began = performance.now();
    const { changes, different } = await Effect.runPromise(replayLog(engine, () => {}));
    const took = performance.now() - began;
    if (different > 0) throw new Error(`${different} accounts are not what the log says`);
    const value = (changes / took) * 1000;
    return [{ name: "replay", value, unit: "changes/s", limit: floor(file), records: changes, rssMb: rssMb() }];
  } finally {
    await engine.store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Rows of accounts and of the log, read side by side without a look at what they hold. */
function floor(file: string): number {
  const database = new DatabaseSync(file, { readOnly: true });
  const began = performance.now();
  let changes = 0;
  for (const _ of database.prepare("select * from canonicals order by id").iterate()) changes += 0;
  for (const _ of database.prepare("select * from changes order by canonical_id, position").iterate()) changes += 1;
  const rate = (changes / (performance.now() - began)) * 1000;
  database.close();
  return rate;
}
