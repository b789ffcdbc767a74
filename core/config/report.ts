/** Collects problems while a configuration is read; knows where each path stands and what must not be shown. */

import { type Path, type Problem, pathText } from "./diagnostics.ts";
import { isSecretKey, type Place, placeKey, type Range, type Source } from "./source.ts";

export interface Note {
  readonly what: string;
  readonly remedy: string;
  readonly severity?: Problem["severity"];
  /** Points at the key instead of the value. */
  readonly atKey?: boolean;
}

export interface Report {
  readonly problems: ReadonlyArray<Problem>;
  readonly add: (path: Path, note: Note) => void;
  /** A value for a sentence, in backquotes; in other words where it is secret. */
  readonly quote: (path: Path, value: unknown) => string;
  /** A text of a connector's own making, without the secrets that it may repeat. */
  readonly clean: (text: string) => string;
  readonly isBroken: (path: Path) => boolean;
  /** Whether a reference to the environment at or below the path could not be filled in. */
  readonly holdsBroken: (path: Path) => boolean;
  readonly isSecret: (path: Path) => boolean;
  readonly hasErrors: () => boolean;
}

export function createReport(file: string, source: Source): Report {
  const problems: Array<Problem> = [];
  const placeOf = (path: Path): Place | undefined => source.places.get(placeKey(path));
  const isSecret = (path: Path): boolean => placeOf(path)?.secret === true;

  const add = (range: Range, path: Path, note: Note, syntax: boolean): void => {
    const { line, col } = source.lines.linePos(range.start);
    const shown = shownLine(source, range.start, syntax);
    problems.push({
      severity: note.severity ?? "error",
      file,
      line: Math.max(line, 1),
      column: Math.max(col, 1),
      path: pathText(path),
      what: note.what,
      ...shown,
      remedy: note.remedy,
    });
  };
  for (const finding of source.findings) add(finding.range, finding.path, finding, finding.syntax);

  return {
    problems,
    add: (path, note) => {
      let place = placeOf(path);
      let depth = path.length;
      while (place === undefined && depth > 0) {
        depth -= 1;
        place = placeOf(path.slice(0, depth));
      }
      const missing = depth < path.length;
      const useKey = (note.atKey === true || missing) && place?.key;
      add(useKey || (place?.value ?? { start: 0, end: 0 }), path, note, false);
    },
    quote: (path, value) => {
      if (isSecret(path)) return "the value";
      const text = typeof value === "string" ? value : JSON.stringify(value);
      return text.length > 60 ? "the value" : `\`${text}\``;
    },
    clean: (text) => [...source.secretTexts].reduce((left, secret) => left.replaceAll(secret, mask), text),
    isBroken: (path) => path.some((_, index) => placeOf(path.slice(0, index + 1))?.broken === true),
    holdsBroken: (path) => {
      const own = placeKey(path);
      const below = `${own.slice(0, -1)},`;
      return [...source.places].some(([key, place]) => place.broken && (key === own || key.startsWith(below)));
    },
    isSecret,
    hasErrors: () => problems.some((problem) => problem.severity === "error"),
  };
}

/** The line at an offset with its secrets masked, and where the offset stands in it. */
function shownLine(source: Source, offset: number, syntax: boolean): Pick<Problem, "text" | "caret"> {
  const { text } = source;
  const start = text.lastIndexOf("\n", offset - 1) + 1;
  const newline = text.indexOf("\n", start);
  const end = newline < 0 ? text.length : newline;
  const masks = source.secrets.filter((range) => range.start < end && range.end > start);
  const inside = masks.find((mask) => offset > mask.start && offset < mask.end);
  const line = masked(text, masks, start, end).replace(/\r$/, "");
  const before = masked(text, masks, start, Math.max(start, inside?.start ?? offset));
  if (!syntax) return { text: line, caret: Math.min(before.length, line.length) };
  // The tree of a broken file may not know that a value is secret: go by the words of the line.
  if (!keyLine.test(line)) return { text: "", caret: 0 };
  const safe = line.replace(keyAndRest, (whole, key: string, colon: string) =>
    isSecretKey(key) ? `${key}${colon}${mask}` : whole,
  );
  return { text: safe, caret: Math.min(before.length, safe.length) };
}

const mask = "•••";
/** A password that stands in an address, such as that of a database. */
const addressPassword = /(:\/\/[^\s:@/]*:)[^\s@]+(@)/g;
const keyLine = /^\s*(?:-\s+)*["']?[\p{L}\p{N}_.@-]+["']?\s*:(?:\s|$)/u;
const keyAndRest = /([\p{L}\p{N}_-]+)(["']?\s*:\s*)(?!\s|\$\{|[{[])\S[^\n]*?(?=,\s*[\p{L}\p{N}_-]+["']?\s*:|$)/gu;

function masked(text: string, masks: ReadonlyArray<Range>, from: number, to: number): string {
  let shown = "";
  let at = from;
  for (const range of masks.toSorted((one, other) => one.start - other.start)) {
    if (range.start >= to) break;
    shown += text.slice(at, Math.max(at, range.start)) + mask;
    at = Math.max(at, Math.min(range.end, to));
  }
  return (shown + text.slice(at, to)).replace(addressPassword, `$1${mask}$2`);
}
