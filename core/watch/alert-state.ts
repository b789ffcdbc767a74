/**
 * One trouble is told once, its end once, and it is told again only after a set time. Pure: what was told before, and
 * what is wrong now, decide what is to be told.
 *
 * A trouble that comes and goes is one trouble until it has been gone for a while. What was not told yet, because the
 * hub died first, is told at the next look.
 */
import type { AlertRow } from "../store/alerts.ts";
import type { Trouble } from "./troubles.ts";

export interface Told {
  readonly kind: "begun" | "lasts" | "ended";
  readonly row: AlertRow;
}

export interface Looking {
  readonly now: number;
  readonly repeatMs: number;
  readonly calmMs: number;
  /** What is being told at this moment, by `alertKey`. */
  readonly inFlight: ReadonlySet<string>;
  /**
   * `unseen` cannot be seen now, and keeps what it has. `away` was stopped, removed or turned off by a person: nobody
   * needs to hear that the trouble is over, which it may not be.
   */
  readonly sightOf: (row: Pick<AlertRow, "rule" | "subject">) => "seen" | "unseen" | "away";
}

export interface Step {
  /** Rows that are new or changed. */
  readonly rows: ReadonlyArray<AlertRow>;
  readonly toTell: ReadonlyArray<Told>;
}

export const alertKey = ({ rule, subject }: Pick<AlertRow, "rule" | "subject">): string => `${rule}\n${subject}`;

export function step(known: ReadonlyArray<AlertRow>, troubles: ReadonlyArray<Trouble>, looking: Looking): Step {
  const { now, repeatMs, calmMs, inFlight, sightOf } = looking;
  const before = new Map(known.map((row) => [alertKey(row), row]));
  const present = new Set(troubles.map(alertKey));
  const rows: Array<AlertRow> = [];
  const toTell: Array<Told> = [];
  const tell = (kind: Told["kind"], row: AlertRow): void => {
    rows.push(row);
    toTell.push({ kind, row });
  };

  for (const { rule, subject, detail } of troubles) {
    const row = before.get(alertKey({ rule, subject }));
    const isBusy = inFlight.has(alertKey({ rule, subject }));
    if (row === undefined || row.state === "ended") {
      if (!isBusy) tell("begun", { rule, subject, state: "firing", since: now, toldAt: null, detail });
    } else if (isBusy) {
      if (goneAt(row) !== null) rows.push({ ...row, detail });
    } else if (row.toldAt === null) tell("begun", { ...row, detail });
    else if (now - row.toldAt >= repeatMs) tell("lasts", { ...row, detail });
    else if (goneAt(row) !== null) rows.push({ ...row, detail });
  }

  for (const row of known) {
    if (present.has(alertKey(row)) || inFlight.has(alertKey(row))) continue;
    const sight = sightOf(row);
    if (sight === "unseen") continue;
    if (sight === "away" && row.state === "firing") {
      rows.push({ ...row, state: "ended", toldAt: now });
      continue;
    }
    if (row.state === "ended") {
      if (row.toldAt === null) tell("ended", row);
      continue;
    }
    const since = goneAt(row);
    if (since === null) rows.push({ ...row, detail: { ...row.detail, goneAt: now } });
    else if (now - since >= calmMs) {
      // Of what nobody heard of, nobody needs to hear the end.
      if (row.toldAt === null) rows.push({ ...row, state: "ended", toldAt: now });
      else tell("ended", { ...row, state: "ended", toldAt: null });
    }
  }
  return { rows, toTell };
}

/** Since when a firing trouble was not seen. */
function goneAt({ detail }: AlertRow): number | null {
  return typeof detail.goneAt === "number" ? detail.goneAt : null;
}
