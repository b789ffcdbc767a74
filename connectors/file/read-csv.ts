/** Reads CSV and TSV row by row. */
import { Readable } from "node:stream";
import { type CsvError, type Info, parse } from "csv-parse";
import { decoded } from "./encoding.ts";
import { columnsOf, type Row, rowLengthMax, rowOf } from "./row.ts";

export interface CsvSource {
  readonly file: string;
  readonly encoding: string;
  readonly delimiter: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Shape   the first row is the heading; `line` is where a row begins, from 1. */
export async function* readCsv({ file, encoding, delimiter, signal }: CsvSource): AsyncGenerator<Row> {
  const pieces = decoded(file, encoding, signal);
  const head = await pieces.next();
  const sample = head.done === true ? "" : head.value;
  const skipped: Array<Row> = [];
  const parser = parse({
    delimiter: delimiter ?? (/\.(tsv|tab)$/i.test(file) ? "\t" : delimiterOf(sample)),
    bom: false,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    max_record_size: rowLengthMax,
    on_skip: (error) => {
      skipped.push(badRow(error));
      return undefined;
    },
  });
  async function* whole(): AsyncGenerator<string> {
    yield sample;
    yield* pieces;
  }
  const input = Readable.from(whole(), { objectMode: true });
  input.on("error", (error) => parser.destroy(error));
  input.pipe(parser);
  let columns: ReadonlyArray<string> | null = null;
  try {
    for await (const parsed of parser) {
      while (skipped.length > 0) yield* skipped.splice(0);
      // With `info`, the parser yields a record with its place.
      const { record, info } = parsed as { readonly record: ReadonlyArray<string>; readonly info: Info };
      if (columns === null) columns = columnsOf(record);
      else yield rowOf(columns, record, info.lines - newlinesIn(record));
    }
  } catch (error) {
    // A record beyond the bound ends the file: what follows cannot be told apart from it.
    if (!(error instanceof Error) || !("code" in error) || !String(error.code).startsWith("CSV_")) throw error;
    // The parser's errors carry the line.
    yield badRow(error as CsvError);
  } finally {
    input.destroy();
  }
  yield* skipped;
}

function badRow(error: CsvError | undefined): Row {
  const code = String(error?.code ?? "");
  const lines: unknown = error?.lines;
  const line = typeof lines === "number" ? lines : 0;
  if (code === "CSV_QUOTE_NOT_CLOSED" || code === "CSV_MAX_RECORD_SIZE") {
    return {
      kind: "bad",
      line,
      problem: "a quote is opened and never closed, so that the rest of the file could not be read",
      remedy: 'Close the quote; a quote inside a quoted text is written twice ("").',
    };
  }
  return {
    kind: "bad",
    line,
    problem: "a quote stands where none may stand",
    remedy: 'Put the whole cell in "quotes"; a quote inside it is written twice ("").',
  };
}

const newlines = /\r\n|\r|\n/g;

function newlinesIn(record: ReadonlyArray<string>): number {
  let count = 0;
  for (const cell of record) if (cell.includes("\n") || cell.includes("\r")) count += cell.match(newlines)?.length ?? 0;
  return count;
}

const delimiters = [",", "\t", ";", "|"] as const;

/** The candidate that the heading holds most often outside quotes. */
export function delimiterOf(sample: string): string {
  const heading = (
    sample
      .replace(/^[\r\n]+/, "")
      .replace(/"(?:[^"]|"")*"/g, "")
      .split(/\r\n|\r|\n/)[0] ?? ""
  ).slice(0, 100_000);
  let best: string = ",";
  let most = 0;
  for (const candidate of delimiters) {
    const count = heading.split(candidate).length - 1;
    if (count > most) {
      best = candidate;
      most = count;
    }
  }
  return best;
}
