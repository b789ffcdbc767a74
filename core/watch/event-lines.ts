/** What the log says of each event: ids, counts and states. */
import type { LogFields } from "../connector.ts";
import type { ServiceEvent } from "../hub/events.ts";

export const levels = ["error", "warn", "info", "debug"] as const;

export type Level = (typeof levels)[number];

export interface Line {
  readonly level: Level;
  readonly message: string;
  readonly fields: LogFields;
}

/** `isConnection`: webhook calls may name connections that there are not; such names are not repeated. */
export function lineOf(event: ServiceEvent, isConnection: (name: string) => boolean): Line {
  switch (event.kind) {
    case "pulled": {
      const { connection, run, full, report } = event;
      const { outcome } = report;
      const counts = nonZero({ ...report.applied, vanished: report.vanished });
      const fields = { connection, run, full, outcome: outcome.kind, records: report.pulled, ...counts };
      if (outcome.kind === "ok") {
        const isNews = Object.keys(counts).some((name) => name !== "unchanged");
        return { level: isNews || full ? "info" : "debug", message: "pulled", fields };
      }
      const until = outcome.kind === "paused" && outcome.until !== null ? { until: timeOf(outcome.until) } : {};
      return { level: "warn", message: "pull ended early", fields: { ...fields, ...until, reason: outcome.reason } };
    }
    case "pushed": {
      const counts = nonZero({ ...event.counts });
      const level = event.counts.rejected > 0 ? "warn" : Object.keys(counts).length > 0 ? "info" : "debug";
      return { level, message: "pushed", fields: { connection: event.connection, run: event.run, ...counts } };
    }
    case "read": {
      const { connection, run, calls, records, unreadable, counts } = event;
      const fields = { connection, run, calls, records, unreadable, ...nonZero({ ...counts }) };
      return { level: unreadable > 0 ? "warn" : "info", message: "webhook calls read", fields };
    }
    case "hook": {
      const { verdict, status } = event;
      const connection = isConnection(event.connection) ? event.connection : "unknown";
      const level = verdict === "refused" ? "info" : "debug";
      return { level, message: "webhook call", fields: { connection, verdict, status } };
    }
    case "state": {
      const { connection, state, reason } = event;
      const level = state === "failing" || state === "held" || state === "waiting" ? "warn" : "info";
      return { level, message: state, fields: { connection, ...(reason === null ? {} : { reason }) } };
    }
    case "channel": {
      const { connection, what, reason } = event;
      const fields = { connection, ...(reason === null ? {} : { reason }) };
      return { level: what === "failed" ? "warn" : "info", message: `webhook channel ${what}`, fields };
    }
    case "lease": {
      const { connection, what } = event;
      const message = {
        taken: "this process keeps the connection going",
        given: "another process shall keep the connection going",
        lost: "another process has taken the connection: this one was silent for too long",
      }[what];
      return { level: what === "lost" ? "warn" : "info", message, fields: { connection } };
    }
    case "reloaded": {
      const { added, gone, changed, needsRestart } = event.plan;
      const fields = {
        added: added.join(" "),
        gone: gone.join(" "),
        changed: changed.map((one) => one.connection).join(" "),
        needsRestart: needsRestart.join(" "),
      };
      return { level: needsRestart.length > 0 ? "warn" : "info", message: "configuration read again", fields };
    }
    case "store":
      return event.ok
        ? { level: "info", message: "the store answers again", fields: {} }
        : { level: "error", message: "the store fails", fields: { reason: event.reason ?? "" } };
  }
}

const nonZero = (counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));

const timeOf = (at: number): string => new Date(at).toISOString();
