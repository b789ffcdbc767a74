import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Encoder } from "../../../core/plugin.ts";
import { exportChunks } from "../../../core/store/export.ts";
import { canonicals } from "../../../core/store/tables.ts";
import type { Engine } from "../../../core/sync/engine.ts";
import { csv } from "../../../plugins/csv/index.ts";
import { load, openEngine } from "../../bench/apply.ts";
import { onPostgres, placeFor } from "../../kit/engine-place.ts";

// More than a small export, so that threads read it.
const records = 11_000;

/** The same encoder, which no thread can load. */
const { module: _, ...unsendable } = csv;

describe("an export that threads read", () => {
  const folder = mkdtempSync(join(tmpdir(), "syncline-export-"));
  let engine: Engine;

  beforeAll(async () => {
    engine = await openEngine(await placeFor(join(folder, "hub.db")));
    await load(engine, records);
  }, 60_000);

  afterAll(async () => {
    await engine.store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const chunksOf = (encoder: Encoder) => exportChunks(engine.store, engine.model, { entity: "account", encoder });

  async function textOf(encoder: Encoder): Promise<string> {
    let text = "";
    for await (const chunk of chunksOf(encoder)) text += Buffer.from(chunk);
    return text;
  }

  it("says the same as one thread, in the order of the ids", async () => {
    const text = await textOf(csv);
    expect(text === (await textOf(unsendable))).toBe(true);
    const ids = text
      .split("\r\n")
      .slice(1, -1)
      .map((line) => line.slice(0, line.indexOf(",")));
    expect(ids).toHaveLength(records);
    expect(ids).toEqual(ids.toSorted());
  });

  it("shows the store as it was when the export began", async () => {
    const chunks = chunksOf(csv);
    let text = Buffer.from((await chunks.next()).value as Uint8Array).toString();
    await engine.store.database.db.update(canonicals).set({ clear: sql`replace(clear, 'Machinery', 'Meanwhile')` });
    for await (const chunk of chunks) text += Buffer.from(chunk);
    expect(text.split("Machinery")).toHaveLength(records + 1);
    expect(text).not.toContain("Meanwhile");
    expect(await textOf(csv)).toContain("Meanwhile");
  });

  it("ends its threads when the reader stops early, and counts what it gave", async () => {
    const stopped = chunksOf(csv);
    await stopped.next();
    await stopped.next();
    await stopped.return({ rows: 0 });
    const whole = chunksOf(csv);
    for (;;) {
      const next = await whole.next();
      if (next.done !== true) continue;
      expect(next.value).toEqual({ rows: records });
      break;
    }
  });

  it.skipIf(onPostgres)("fails with words when a thread cannot read", async () => {
    const nowhere: Encoder = { ...csv, format: "no-such-format" };
    await expect(textOf(nowhere)).rejects.toThrow(/exports no encoder of no-such-format/);
  });
});
