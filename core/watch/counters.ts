/** What is counted as it happens: pulls, pushes, webhook calls, requests. All labels have few values, and no personal ones. */
import type { Counter, Histogram, Registry } from "prom-client";
import type { ServiceEvent } from "../hub/events.ts";

/** One request that was answered. */
export interface Answer {
  readonly method: string;
  /** The pattern of the route, such as `/api/v1/accounts/:id`; never the address itself, which may hold values. */
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}

export interface Counters {
  readonly hear: (event: ServiceEvent) => void;
  readonly noteAnswer: (answer: Answer) => void;
  readonly noteRefused: (kind: string) => void;
  readonly noteNotice: (channel: string, outcome: "sent" | "failed") => void;
}

type Kinds = typeof import("prom-client");

const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const methods: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"]);

/** `isConnection`: anybody may call `/hooks/anything`, and a name that is none must not become a label. */
export function createCounters(
  { Counter, Histogram }: Kinds,
  register: Registry,
  isConnection: (name: string) => boolean,
): Counters {
  const counter = <L extends string>(name: string, help: string, labelNames: ReadonlyArray<L>): Counter<L> =>
    new Counter({ name, help, labelNames: [...labelNames], registers: [register] });
  const pulls = counter("syncline_pulls_total", "Pulls by outcome.", ["connection", "full", "outcome"]);
  const records = counter("syncline_pulled_records_total", "Records read by pulls.", ["connection"]);
  const changes = counter("syncline_changes_total", "What apply made of records read, by kind.", [
    "connection",
    "kind",
  ]);
  const pushes = counter("syncline_pushes_total", "Records written, by kind.", ["connection", "kind"]);
  const calls = counter("syncline_webhook_calls_total", "Webhook calls answered.", ["connection", "verdict", "status"]);
  const read = counter("syncline_webhook_calls_read_total", "Webhook calls read.", ["connection", "outcome"]);
  const refused = counter("syncline_sign_ins_refused_total", "Requests without a good key.", ["why"]);
  const notices = counter("syncline_notices_total", "Alert messages by channel and outcome.", ["channel", "outcome"]);
  const requests: Histogram<"method" | "route" | "status"> = new Histogram({
    name: "syncline_http_request_seconds",
    help: "Requests answered, by pattern of the route.",
    labelNames: ["method", "route", "status"],
    buckets,
    registers: [register],
  });

  const count = (connection: string, counts: Readonly<Record<string, number>>): void => {
    for (const [kind, times] of Object.entries(counts)) {
      if (times > 0 && kind !== "unchanged") changes.inc({ connection, kind }, times);
    }
  };

  return {
    hear: (event) => {
      switch (event.kind) {
        case "pulled": {
          const { connection, full, report } = event;
          pulls.inc({ connection, full: String(full), outcome: report.outcome.kind });
          records.inc({ connection }, report.pulled);
          count(connection, { ...report.applied });
          return;
        }
        case "pushed":
          for (const [kind, times] of Object.entries(event.counts)) {
            if (times > 0) pushes.inc({ connection: event.connection, kind }, times);
          }
          return;
        case "read":
          read.inc({ connection: event.connection, outcome: "read" }, event.calls - event.unreadable);
          read.inc({ connection: event.connection, outcome: "unreadable" }, event.unreadable);
          count(event.connection, { ...event.counts });
          return;
        case "hook":
          calls.inc({
            connection: isConnection(event.connection) ? event.connection : "unknown",
            verdict: event.verdict,
            status: event.status,
          });
          return;
        default:
          return;
      }
    },
    noteAnswer: ({ method, route, status, seconds }) =>
      requests.observe({ method: methods.has(method) ? method : "other", route, status }, seconds),
    noteRefused: (why) => refused.inc({ why }),
    noteNotice: (channel, outcome) => notices.inc({ channel, outcome }),
  };
}
