/** What was alarmed about: one row a rule and subject, so that one trouble is told once, and its end too. */
import { and, asc, count, desc, gt, gte, like } from "drizzle-orm";
import type { Database } from "./database.ts";
import { alerts, audit, conflicts } from "./tables.ts";
import { isQuestion } from "./waiting.ts";

export type AlertDetail = Readonly<Record<string, string | number | null>>;

export interface AlertRow {
  readonly rule: string;
  /** The connection, or "" for the hub. */
  readonly subject: string;
  readonly state: "firing" | "ended";
  readonly since: number;
  /** When people were told of this state; null while they were not. */
  readonly toldAt: number | null;
  /** Numbers and states; `goneAt` is when a firing trouble was first not seen any more. */
  readonly detail: AlertDetail;
}

const rowsMax = 10_000;

export const readAlertRows = (database: Database) =>
  database.read("reading the alerts", async (): Promise<ReadonlyArray<AlertRow>> => {
    const rows = await database.db.select().from(alerts).orderBy(desc(alerts.since), asc(alerts.rule)).limit(rowsMax);
    return rows.map((row) => ({
      ...row,
      state: row.state === "firing" ? "firing" : "ended",
      // Written by saveAlertRows only.
      detail: row.detail as AlertDetail,
    }));
  });

export const saveAlertRows = (database: Database, rows: ReadonlyArray<AlertRow>) =>
  database.write("noting alerts", () => database.insert(alerts, [...rows], "replace"));

/** Questions that were opened at or after the instant, and wait. */
export const countOpened = (database: Database, from: number) =>
  database.read("counting new questions", async () => {
    const row = await database.db
      .select({ count: count() })
      .from(conflicts)
      .where(and(isQuestion, gte(conflicts.openedAt, from)))
      .get();
    return row?.count ?? 0;
  });

/** When exports were begun that stand behind this position of the audit log, and the position that was read to. */
export const readExports = (database: Database, after: number | null) =>
  database.read("looking for exports", async () => {
    const last = await database.db.select({ id: audit.id }).from(audit).orderBy(desc(audit.id)).limit(1).get();
    const position = last?.id ?? 0;
    if (after === null || position === after) return { position, at: [] };
    const rows = await database.db
      .select({ at: audit.at })
      .from(audit)
      .where(and(gt(audit.id, after), like(audit.action, "export%")))
      .limit(rowsMax);
    return { position, at: rows.map((row) => row.at) };
  });
