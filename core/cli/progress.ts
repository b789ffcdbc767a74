/** Progress on a terminal: one line a connection, or one for a count, drawn over itself. Nothing where there is no terminal. */
import type { Progress } from "../sync/engine.ts";
import type { Cli } from "./cli.ts";
import { cut } from "./table.ts";
import { plainNumber } from "./words.ts";

export interface ProgressLines {
  readonly show: (event: Progress) => void;
  /** Clears what was drawn, before results are printed. */
  readonly end: () => void;
}

const drawEveryMs = 100;
const barWidth = 24;

export function progressLines(cli: Pick<Cli, "err" | "isTerminal" | "columns">): ProgressLines {
  if (!cli.isTerminal) return { show: () => {}, end: () => {} };
  const lines = new Map<string, string>();
  let drawn = 0;
  let drawnAt = 0;
  const erase = (): void => {
    if (drawn > 0) cli.err(`\u001b[${drawn}A\u001b[J`);
    drawn = 0;
  };
  const draw = (): void => {
    erase();
    for (const [name, text] of lines) cli.err(`${cut(`${name}  ${text}`, cli.columns - 1)}\n`);
    drawn = lines.size;
  };
  return {
    show: (event) => {
      lines.set(event.connection, textOf(event));
      const now = Date.now();
      if (now - drawnAt < drawEveryMs) return;
      drawnAt = now;
      draw();
    },
    end: erase,
  };
}

function textOf(event: Progress): string {
  switch (event.kind) {
    case "pulled":
      return `reading ${event.entity}s: ${plainNumber(event.records)}`;
    case "pushed": {
      const total = event.done + event.left;
      const filled = total === 0 ? barWidth : Math.round((event.done / total) * barWidth);
      return `writing ${"█".repeat(filled)}${"░".repeat(barWidth - filled)} ${plainNumber(event.done)} of ${plainNumber(total)}`;
    }
    case "note":
      return event.text;
  }
}

export interface CountingLine {
  readonly show: (text: string) => void;
  readonly end: () => void;
}

/** One line that is written over, for a person who waits. */
export function countingLine({ err, isTerminal }: Pick<Cli, "err" | "isTerminal">): CountingLine {
  const clearLine = "\r\u001b[2K";
  return {
    show: (text) => {
      if (isTerminal) err(`${clearLine}${text}`);
    },
    end: () => {
      if (isTerminal) err(clearLine);
    },
  };
}
