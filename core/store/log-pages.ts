/** Runs, dead letters and the audit log by page. */
import { and, asc, desc, eq, gt, lt, sql } from "drizzle-orm";
import { Effect } from "effect";
import { noCounts } from "../model/world.ts";
import type { Row } from "./database.ts";
import type { Store } from "./open.ts";
import { audit, deadLetters, runs } from "./tables.ts";

export interface LogPage {
  readonly after: string | undefined;
  readonly limit: number;
}

/** One connection's part of a run. */
export interface RunRow {
  readonly id: string;
  readonly run: string;
  readonly connection: string;
  readonly startedAt: number;
  readonly endedAt: number | null;
  /** running, ok, paused, held, failed */
  readonly outcome: string;
  /** What it read, applied and wrote, by name. */
  readonly counts: Readonly<Record<string, number>>;
}

/** Rows are made by the engine, with the run before the connection in their id. */
function runOf(row: Row<typeof runs>): RunRow {
  const [run = ""] = row.id.split("/");
  return { ...row, run, counts: flatCounts(row.counts) };
}

const knownCounts = new Set(["pulled", ...Object.keys(noCounts())]);

function flatCounts(counts: unknown): Record<string, number> {
  if (typeof counts !== "object" || counts === null) return {};
  const flat: Record<string, number> = {};
  for (const [name, count] of Object.entries(counts)) {
    if (typeof count === "number" && knownCounts.has(name)) flat[name] = count;
  }
  const pushed: unknown = Reflect.get(counts, "pushed");
  if (typeof pushed !== "object" || pushed === null) return flat;
  for (const [name, count] of Object.entries(pushed)) {
    if (typeof count === "number") flat[`pushed.${name}`] = count;
  }
  return flat;
}

/** Newest first. */
export const pageRuns = Effect.fn("page.runs")(function* (
  { database }: Store,
  filter: { readonly connection?: string },
  { after, limit }: LogPage,
) {
  return yield* database.read("listing runs", async () => {
    const rows = await database.db
      .select()
      .from(runs)
      .where(
        and(
          after === undefined ? undefined : lt(runs.id, after),
          filter.connection === undefined ? undefined : eq(runs.connection, filter.connection),
        ),
      )
      .orderBy(desc(runs.id))
      .limit(limit);
    return rows.map(runOf);
  });
});

const connectionsMax = 1000;

/** Every connection's part of one run. */
export const readRun = Effect.fn("page.run")(function* ({ database }: Store, run: string) {
  return yield* database.read("reading a run", async () => {
    const rows = await database.db
      .select()
      .from(runs)
      .where(and(gt(runs.id, `${run}/`), lt(runs.id, `${run}0`)))
      .orderBy(asc(runs.id))
      .limit(connectionsMax);
    return rows.map(runOf);
  });
});

/** In the order of ids; values stay sealed. */
export const pageDeadLetters = Effect.fn("page.dead-letters")(function* (
  { database }: Store,
  filter: { readonly connection?: string; readonly all: boolean },
  { after, limit }: LogPage,
) {
  return yield* database.read("listing dead letters", async () => {
    const rows = await database.db
      .select()
      .from(deadLetters)
      .where(
        and(
          after === undefined ? undefined : gt(deadLetters.id, after),
          filter.all ? undefined : eq(deadLetters.state, "open"),
          filter.connection === undefined ? undefined : eq(deadLetters.connection, filter.connection),
        ),
      )
      .orderBy(asc(deadLetters.id))
      .limit(limit);
    return rows.map(({ sealed: _, ...row }) => row);
  });
});

export interface AuditFilter {
  readonly actor?: string;
  readonly action?: string;
  readonly subject?: string;
}

/** Newest first. */
export const pageAudit = Effect.fn("page.audit")(function* (
  { database }: Store,
  { actor, action, subject }: AuditFilter,
  { after, limit }: LogPage,
) {
  return yield* database.read("listing the audit log", async () =>
    database.db
      .select()
      .from(audit)
      .where(
        and(
          after === undefined ? undefined : sql`${audit.id} < ${Number(after)}`,
          actor === undefined ? undefined : eq(audit.actor, actor),
          action === undefined ? undefined : eq(audit.action, action),
          subject === undefined ? undefined : eq(audit.subject, subject),
        ),
      )
      .orderBy(desc(audit.id))
      .limit(limit),
  );
});
