/** What every reader of a file yields: rows by column, and what could not be read as a row. */

/** An empty cell is null; a column that the row does not have (in JSON lines) has no key. */
export type Cells = Readonly<Record<string, unknown>>;

export type Row =
  | { readonly kind: "row"; readonly line: number; readonly columns: ReadonlyArray<string>; readonly cells: Cells }
  | { readonly kind: "bad"; readonly line: number; readonly problem: string; readonly remedy: string };

/** Longer rows are taken for a quote that was never closed, or for a file of another kind. */
export const rowLengthMax = 1_000_000;

export const columnsMax = 2_000;

/** Headings as columns: trimmed, named where they are empty, numbered where they are there twice. */
export function columnsOf(headings: ReadonlyArray<unknown>): ReadonlyArray<string> {
  const seen = new Map<string, number>();
  return headings.slice(0, columnsMax).map((heading, index) => {
    const name =
      String(heading ?? "")
        .replace(/\s+/g, " ")
        .trim() || `column ${index + 1}`;
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name} (${count})`;
  });
}

/** The cells of one row under its columns, or what is wrong with it. */
export function rowOf(columns: ReadonlyArray<string>, values: ReadonlyArray<string | null>, line: number): Row {
  const extra = values.slice(columns.length).some((value) => value !== null && value !== "");
  if (extra || values.length < columns.length) {
    return {
      kind: "bad",
      line,
      problem: `the row has ${values.length} cells, and the heading has ${columns.length}`,
      remedy: 'Add or remove cells; put a text that holds the delimiter in "quotes".',
    };
  }
  const broken = values.findIndex((value) => value?.includes("\ufffd") === true);
  if (broken >= 0) {
    return {
      kind: "bad",
      line,
      problem: `the bytes of ${columns[broken] ?? "a cell"} do not fit the file's encoding`,
      remedy: "Save the file as UTF-8, or name its encoding with `encoding:`.",
    };
  }
  // A column may be called __proto__, so the cells have no prototype.
  const cells: Record<string, unknown> = Object.create(null);
  columns.forEach((column, index) => {
    const value = values[index];
    cells[column] = value === undefined || value === null || value.trim() === "" ? null : value;
  });
  return { kind: "row", line, columns, cells };
}
