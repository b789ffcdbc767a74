/** apply: a first load, an unchanged re-pull and growth, beside the floor: the same rows by raw prepared statements. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { Effect } from "effect";
import type { Page, RemoteRecord, Tools } from "../../core/connector.ts";
import { modelOf } from "../../core/model/fields.ts";
import { type Settings, sideKey } from "../../core/model/settings.ts";
import { openStore, type Store } from "../../core/store/open.ts";
import { pragmas } from "../../core/store/sqlite/pragmas.ts";
import { applyPage } from "../../core/sync/apply.ts";
import { connect } from "../../core/sync/connect.ts";
import type { Engine } from "../../core/sync/engine.ts";
import { createIds } from "../../core/sync/ids.ts";
import { setupOf } from "../kit/engine-kit.ts";
import { Toy } from "../kit/toy-system.ts";
import type { Figure } from "./figure.ts";
import { rssMb } from "./figure.ts";

const pageRows = 1000;

/** Records as a CRM would send them: what a typical account has filled in. */
function record(index: number, of: string): RemoteRecord {
  return {
    kind: "record",
    id: `${of}${`0000000000${index}`.slice(-10)}`,
    fields: {
      Name: `Company ${index} Manufacturing`,
      Legal: `Company ${index} Manufacturing GmbH`,
      Tax: null,
      Domain: `company-${of}${index}.com`,
      Phone: `+49${of === "a" ? 30 : 40}${1_000_000 + index}`,
      Email: `office@company-${of}${index}.test`,
      Industry: "Machinery",
      Employees: index % 5000,
      Status: "active",
      Owner: `owner${index % 50}@acme.test`,
      Tags: null,
      Parent: null,
      Notes: "Met at the fair, wants the new catalogue.",
      Street: `${index} Main Street`,
      City: "Berlin",
      State: null,
      Zip: "10115",
      Country: "DE",
    },
    version: "1",
    modifiedAt: 1_767_000_000_000,
    createdAt: 1_766_000_000_000,
  };
}

function page(from: number, count: number, of: string): Pick<Page, "changes" | "readBegan" | "readEnded"> {
  const at = Date.now();
  const changes = Array.from({ length: count }, (_, index) => record(from + index, of));
  return { changes, readBegan: at, readEnded: at };
}

/** `name`: the connection; records of different ones are different companies. */
export async function openEngine(file: string, name: "a" | "b" = "a"): Promise<Engine> {
  const model = modelOf({});
  const store = await Effect.runPromise(openStore({ place: file, key: Buffer.alloc(32, 5).toString("base64") }));
  const toy = new Toy("a-", Date.now);
  // A toy uses none of the tools.
  const { live } = await Effect.runPromise(connect(setupOf(name, toy), model, {} as Tools));
  const policy = { default: ["newest" as const], fields: {} };
  const settings: Settings = {
    model,
    policy: { account: policy, contact: policy },
    order: [name],
    sides: new Map([...live.sides].map(([entity, side]) => [sideKey(name, entity), side])),
    match: { account: ["taxId", "domain", "email", "phone"], contact: ["email", "login", "phone"] },
    flipsMax: 3,
    flipWindowMs: 86_400_000,
  };
  const clock = { now: Date.now, sleep: async () => {} };
  return { store, model, settings, connections: [live], clock, ids: createIds(Date.now), progress: () => {} };
}

/** Applies records in pages; returns records per second. */
export async function load(engine: Engine, records: number): Promise<number> {
  const [live] = engine.connections;
  if (live === undefined) throw new Error("no connection");
  let busy = 0;
  for (let from = 0; from < records; from += pageRows) {
    // Making the records is the source's work, not ours.
    const next = page(from, Math.min(pageRows, records - from), live.name);
    const began = performance.now();
    await Effect.runPromise(
      applyPage(engine, {
        live,
        entity: "account",
        page: next,
        cursor: { mode: "changes", value: from },
        run: "run_bench",
        deferMeetings: true,
      }),
    );
    busy += performance.now() - began;
  }
  return (records / busy) * 1000;
}

/** The floor: the rows that the load wrote, written again into an empty store by raw prepared statements. */
function writeFloor(source: Store, file: string, records: number): number {
  const from = new DatabaseSync(source.place, { readOnly: true });
  const schema = from.prepare("select sql from sqlite_master where sql is not null and name not like 'sqlite_%'").all();
  const target = new DatabaseSync(file);
  // As pages are kept: without a wait for the disk.
  target.exec(`${pragmas}; pragma synchronous = normal`);
  for (const row of schema) target.exec(String(row.sql));
  // Each table in the order in which the load wrote it: its ids grow with time.
  const tables = {
    data_keys: "owner",
    canonicals: "id",
    links: "id",
    shadows: "link_id",
    match_keys: "canonical_id",
    changes: "position",
  };
  const statements = Object.entries(tables).map(([table, order]) => {
    const columns = from
      .prepare(`select * from ${table} limit 1`)
      .columns()
      .map((column) => column.name);
    return {
      insert: target.prepare(
        `insert into ${table} (${columns.join(", ")}) values (${columns.map(() => "?").join(", ")})`,
      ),
      rows: from.prepare(`select * from ${table} order by ${order}`).iterate() as IterableIterator<
        Record<string, unknown>
      >,
      sorted: table === "match_keys",
      total: Number(from.prepare(`select count(*) as n from ${table}`).get()?.n),
    };
  });
  const cursor = target.prepare(
    "insert or replace into cursors (connection, entity, mode, cursor, saved_at) values ('a', 'account', 'changes', ?, 0)",
  );
  let busy = 0;
  const pages = Math.ceil(records / pageRows);
  for (let index = 0; index < pages; index++) {
    const batches = statements.map(({ insert, rows, total, sorted }) => {
      const batch: Array<Array<SQLInputValue>> = [];
      const count = Math.ceil(total / pages);
      for (let taken = 0; taken < count; taken++) {
        const next = rows.next();
        if (next.done === true) break;
        batch.push(Object.values(next.value) as Array<SQLInputValue>);
      }
      // As the load does: random keys go in sorted.
      if (sorted) batch.sort(([one], [other]) => (String(one) < String(other) ? -1 : 1));
      return { insert, batch };
    });
    const began = performance.now();
    target.exec("begin immediate");
    for (const { insert, batch } of batches) for (const row of batch) insert.run(...row);
    cursor.run(String(index));
    target.exec("commit");
    busy += performance.now() - began;
  }
  target.close();
  from.close();
  return (records / busy) * 1000;
}

interface Measured {
  readonly first: number;
  readonly floor: number;
  readonly unchanged: number;
  readonly rss: number;
}

async function measure(records: number): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), "syncline-bench-"));
  try {
    const engine = await openEngine(join(folder, "hub.db"));
    const first = await load(engine, records);
    const unchanged = await load(engine, records);
    const rss = rssMb();
    const floor = writeFloor(engine.store, join(folder, "floor.db"), records);
    engine.store.close();
    return { first, floor, unchanged, rss };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** An unchanged re-pull writes next to nothing, so the floor of a first load is only its yardstick. */
function figuresOf(records: number, { first, floor, unchanged, rss }: Measured): ReadonlyArray<Figure> {
  const common = { unit: "records/s", limit: floor, records, rssMb: rss };
  return [
    { name: "apply-first-load", value: first, ...common },
    { name: "apply-unchanged", value: unchanged, ...common },
  ];
}

/** Figures for 100,000 records, and the growth from there to 1,000,000. */
export async function benchApply(options: { readonly growth: boolean }): Promise<ReadonlyArray<Figure>> {
  await measure(5_000);
  const small = await measure(100_000);
  const figures = figuresOf(100_000, small);
  if (!options.growth) return figures;
  const large = await measure(1_000_000);
  const ratio = large.first / large.floor / (small.first / small.floor);
  return [
    ...figures,
    ...figuresOf(1_000_000, large),
    { name: "apply-growth", value: ratio, unit: "ratio of ratios", limit: 1, records: 1_000_000, rssMb: large.rss },
  ];
}
