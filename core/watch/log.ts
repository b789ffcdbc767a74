/**
 * The log of a running hub: one line an event, as JSON for collectors, or as text for a person at a terminal.
 *
 * Fields are ids, counts, states and short words; every text goes through the redactor, whoever wrote it.
 */
import type { Clock, Log, LogFields } from "../connector.ts";
import type { Listener } from "../hub/events.ts";
import { type Level, levels, lineOf } from "./event-lines.ts";
import type { Redact } from "./redact.ts";

export type { Level } from "./event-lines.ts";

export interface LogOptions {
  readonly clock: Clock;
  readonly level: Level;
  /** Lines for a person in place of JSON. */
  readonly isText: boolean;
  readonly redact: Redact;
  readonly write: (line: string) => void;
}

export interface HubLog extends Log {
  /** To be among the listeners of the service. */
  readonly hear: (isConnection: (name: string) => boolean) => Listener;
  readonly say: (level: Level, message: string, fields?: LogFields) => void;
}

/** The library is loaded here, because only a running hub needs it. */
export async function createLog({ clock, level, isText, redact, write }: LogOptions): Promise<HubLog> {
  const { pino } = await import("pino");
  const line = isText ? (json: string) => write(textOf(json)) : write;
  const logger = pino(
    {
      level,
      base: null,
      messageKey: "message",
      formatters: { level: (label) => ({ level: label }) },
      timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"`,
    },
    { write: line },
  );
  const say: HubLog["say"] = (at, message, fields = {}) => {
    if (logger.isLevelEnabled(at)) logger[at](cleaned(fields, redact), redact(message));
  };
  return {
    say,
    info: (message, fields) => say("info", message, fields),
    warn: (message, fields) => say("warn", message, fields),
    hear: (isConnection) => (event) => {
      const { level: at, message, fields } = lineOf(event, isConnection);
      say(at, message, fields);
    },
  };
}

export const isLevel = (text: string): text is Level => levels.some((level) => level === text);

/** Only plain values go in: an object could hold a record. */
function cleaned(fields: LogFields, redact: Redact): Readonly<Record<string, string | number | boolean | null>> {
  const clean: Record<string, string | number | boolean | null> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (typeof value === "string") clean[name] = redact(value);
    else if (typeof value === "number" || typeof value === "boolean" || value === null) clean[name] = value;
  }
  return clean;
}

/** `09:30:12 warn  zoho-eu failing: it did not answer. run=run_1` */
function textOf(json: string): string {
  // Written by the logger above.
  const { level, time, message, connection, reason, ...fields } = JSON.parse(json) as Record<string, unknown>;
  const who = connection === undefined ? "" : `${printable(connection)} `;
  const why = reason === undefined ? "" : `: ${printable(reason)}`;
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${printable(value)}`);
  return `${String(time).slice(11, 19)} ${String(level).padEnd(5)} ${who}${printable(message)}${why}${rest.join("")}\n`;
}

/** A system's words must not move the cursor of the terminal. */
const printable = (value: unknown): string => String(value).replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ");
