/**
 * Reads one sheet of a workbook. A workbook is a ZIP whose parts refer to each other, so it is read as a whole; its
 * size is bounded before anything is unpacked.
 */
import { readFile, stat } from "node:fs/promises";
import { unzipSync } from "fflate";
import { InvalidInputError, InvalidSpreadsheetError, readSheet, SheetNotFoundError } from "read-excel-file/node";
import { AuthFailed } from "../../core/connector.ts";
import { columnsOf, type Row, rowOf } from "./row.ts";

const workbookBytesMax = 60_000_000;
const unpackedBytesMax = 600_000_000;

const asCsv = "Save the sheet as CSV (UTF-8), which is read row by row whatever its size.";

/** Shape   the first row that is not empty is the heading; `line` is the row's number in the sheet. */
export async function* readXlsx(file: string, sheet: string | undefined): AsyncGenerator<Row> {
  const rows = await sheetOf(file, sheet);
  let columns: ReadonlyArray<string> | null = null;
  for (const [index, row] of rows.entries()) {
    const values = row.map(textOf);
    if (values.every((value) => value === null)) continue;
    if (columns === null) columns = columnsOf(withoutTail(values));
    // A sheet has no notion of a short row: cells that are not there are empty.
    else yield rowOf(columns, [...values, ...columns.slice(values.length).map(() => null)], index + 1);
  }
}

async function sheetOf(file: string, sheet: string | undefined) {
  if ((await stat(file)).size > workbookBytesMax) throw new AuthFailed(`${file} is too large for a workbook.`, asCsv);
  const bytes = await readFile(file);
  try {
    let unpacked = 0;
    unzipSync(bytes, {
      filter: ({ originalSize }) => {
        unpacked += originalSize;
        return false;
      },
    });
    if (unpacked > unpackedBytesMax) throw new AuthFailed(`${file} unpacks to too much data.`, asCsv);
    return await readSheet<string>(bytes, sheet ?? 1, { parseNumber: numberText });
  } catch (error) {
    if (error instanceof AuthFailed) throw error;
    if (error instanceof SheetNotFoundError) {
      throw new AuthFailed(
        `${file} has no sheet ${sheet ?? "at all"}.`,
        "Set `sheet:` to the name on the sheet's tab.",
      );
    }
    const known = error instanceof InvalidSpreadsheetError || error instanceof InvalidInputError;
    throw new AuthFailed(
      `${file} is not an .xlsx workbook${known ? "" : ", or it is damaged"}.`,
      "Open it in the program that made it and save it as .xlsx or CSV.",
    );
  }
}

function withoutTail(values: ReadonlyArray<string | null>): ReadonlyArray<string | null> {
  const last = values.findLastIndex((value) => value !== null);
  return values.slice(0, last + 1);
}

/** Workbooks hold 0.1 as 0.10000000000000001; longer numbers, which JavaScript would round, stay as they are. */
function numberText(text: string): string {
  const number = Number(text);
  return Number.isFinite(number) && Math.abs(number) <= Number.MAX_SAFE_INTEGER ? String(number) : text;
}

const dayMs = 86_400_000;

function textOf(value: unknown): string | null {
  if (value === null || value === undefined || value === "") return null;
  if (value instanceof Date) {
    const text = value.toISOString();
    return value.getTime() % dayMs === 0 ? text.slice(0, 10) : text;
  }
  return String(value);
}
