/** export: a million accounts as CSV, beside the limit: the same rows read by the same statement and written as they are. */
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { exportChunks } from "../../core/store/export.ts";
import { csv } from "../../plugins/csv/index.ts";
import { load, openEngine } from "./apply.ts";
import { type Figure, rssMb } from "./figure.ts";

const records = 1_000_000;

export async function benchExport(): Promise<ReadonlyArray<Figure>> {
  const folder = mkdtempSync(join(tmpdir(), "syncline-bench-"));
  try {
    const engine = await openEngine(join(folder, "hub.db"));
    await load(engine, records);
    const { store, model } = engine;
    const clear = [...model.account.values()]
      .filter((field) => field.sensitivity === "business")
      .map((field) => field.name);
    const write = async (fields?: ReadonlyArray<string>): Promise<number> => {
      const file = openSync(join(folder, "out.csv"), "w");
      const began = performance.now();
      for await (const chunk of exportChunks(store, model, {
        entity: "account",
        encoder: csv,
        ...(fields === undefined ? {} : { fields }),
      })) {
        writeSync(file, chunk);
      }
      const seconds = (performance.now() - began) / 1000;
      closeSync(file);
      return records / seconds;
    };
    const clearRows = await write(clear);
    const allRows = await write();
    const rss = rssMb();
    const clearLimit = writeRaw(store.place, folder, "c.clear, c.created_at, c.updated_at");
    const allLimit = writeRaw(store.place, folder, "c.clear, hex(c.sealed), c.created_at, c.updated_at");
    store.close();
    return [
      { name: "export-csv-clear", value: clearRows, unit: "rows/s", limit: clearLimit, records, rssMb: rss },
      { name: "export-csv", value: allRows, unit: "rows/s", limit: allLimit, records, rssMb: rss },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Reads the rows and writes their bytes without looking at them. */
function writeRaw(store: string, folder: string, columns: string): number {
  const client = new DatabaseSync(store, { readOnly: true });
  const file = openSync(join(folder, "raw.txt"), "w");
  const began = performance.now();
  const statement = client.prepare(
    `select c.id || ${columns.split(", ").join(" || ',' || ")} as line from canonicals c where c.entity = 'account' and c.state = 'live' order by c.id`,
  );
  let chunk = "";
  let rows = 0;
  for (const row of statement.iterate()) {
    chunk += `${String(row.line)}\n`;
    rows += 1;
    if (rows % 2000 === 0) {
      writeSync(file, chunk);
      chunk = "";
    }
  }
  writeSync(file, chunk);
  const seconds = (performance.now() - began) / 1000;
  closeSync(file);
  client.close();
  return rows / seconds;
}
