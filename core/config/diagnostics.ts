/** What is wrong with a configuration, and how it is shown to the person who wrote it. */

export type Path = ReadonlyArray<string | number>;

export interface Problem {
  readonly severity: "error" | "warning";
  readonly file: string;
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
  /** The keys that lead there, such as `connections.zoho-eu.deletes`; empty for the whole file. */
  readonly path: string;
  readonly what: string;
  /** The line of the file, with secrets masked; empty where it must not be shown. */
  readonly text: string;
  /** Where in `text` the problem begins, from 0. */
  readonly caret: number;
  readonly remedy: string;
}

/**
 * Shape   `syncline.yaml:12:5: error: …`, the line with its number, a caret under the place, and the remedy.
 */
export function formatProblem(problem: Problem): string {
  const { file, line, column, severity, path, what, text, caret, remedy } = problem;
  const lines = [`${file}:${line}:${column}: ${severity}: ${what}${path === "" ? "" : ` (${path})`}`];
  if (text !== "") {
    const number = String(line);
    const { shown, before } = window(text, caret);
    lines.push(`  ${number} | ${shown}`, `  ${" ".repeat(number.length)} | ${blank(before)}^`);
  }
  if (remedy !== "") lines.push(`  ${remedy}`);
  return lines.join("\n");
}

/** Errors first, then in the order of the file. */
export function sortProblems(problems: ReadonlyArray<Problem>): ReadonlyArray<Problem> {
  return problems.toSorted(
    (one, other) =>
      Number(one.severity === "warning") - Number(other.severity === "warning") ||
      one.line - other.line ||
      one.column - other.column,
  );
}

/** `connections.zoho-eu.owners["ann@acme.com"]` */
export function pathText(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    if (!plainKey.test(key)) return `${text}[${JSON.stringify(key)}]`;
    return text === "" ? key : `${text}.${key}`;
  }, "");
}

const plainKey = /^[\p{L}\p{N}_-]+$/u;

const shownMax = 120;

/** A long line is cut around the caret. */
function window(text: string, caret: number): { readonly shown: string; readonly before: string } {
  const start = text.length <= shownMax || caret < shownMax - 20 ? 0 : caret - shownMax / 2;
  const head = start > 0 ? "… " : "";
  const tail = text.length > start + shownMax ? " …" : "";
  return {
    shown: `${head}${text.slice(start, start + shownMax)}${tail}`,
    before: `${head}${text.slice(start, Math.max(start, caret))}`,
  };
}

/** As wide as the text before the caret: Chinese characters take two columns in a terminal. */
const blank = (before: string): string =>
  [...before].map((character) => (character === "\t" ? "\t" : wide.test(character) ? "  " : " ")).join("");

const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u;
