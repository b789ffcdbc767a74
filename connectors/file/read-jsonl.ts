/** Reads JSON lines: one object per line. A nested object's members are columns such as `address.city`. */
import { decoded } from "./encoding.ts";
import { columnsMax, type Row, rowLengthMax } from "./row.ts";

export interface JsonlSource {
  readonly file: string;
  readonly encoding: string;
  readonly signal?: AbortSignal | undefined;
}

/** Shape   a key that a line does not have is not known; null is empty. */
export async function* readJsonl({ file, encoding, signal }: JsonlSource): AsyncGenerator<Row> {
  let rest = "";
  let line = 0;
  let overlong = false;
  const tooLong = (): Row =>
    bad(line, `the line is longer than ${rowLengthMax} characters`, "Write one object per line.");
  for await (const piece of decoded(file, encoding, signal)) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop() ?? "";
    for (const text of lines) {
      line += 1;
      if (overlong || text.length > rowLengthMax) yield tooLong();
      else yield* rowsOf(text, line);
      overlong = false;
    }
    if (rest.length > rowLengthMax) {
      overlong = true;
      rest = "";
    }
  }
  line += 1;
  if (overlong) yield tooLong();
  else yield* rowsOf(rest, line);
}

function* rowsOf(text: string, line: number): Generator<Row> {
  if (text.trim() === "") return;
  if (text.includes("\ufffd")) {
    yield bad(
      line,
      "the bytes of the line do not fit the file's encoding",
      "Save the file as UTF-8, or set `encoding:`.",
    );
    return;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message repeats a part of the line, which may be personal.
    yield bad(line, "the line is not JSON", "Write one JSON object per line.");
    return;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    yield bad(line, "the line is not a JSON object", "Write one JSON object per line.");
    return;
  }
  const cells: Record<string, unknown> = Object.create(null);
  flatten(value, "", cells, 0);
  yield { kind: "row", line, columns: Object.keys(cells), cells };
}

const bad = (line: number, problem: string, remedy: string): Row => ({ kind: "bad", line, problem, remedy });

const depthMax = 4;

function flatten(value: object, prefix: string, cells: Record<string, unknown>, depth: number): void {
  let columns = 0;
  for (const [key, inner] of Object.entries(value)) {
    columns += 1;
    if (columns > columnsMax) return;
    const name = `${prefix}${key}`;
    if (Array.isArray(inner)) cells[name] = inner.filter((member) => typeof member !== "object").join("; ") || null;
    else if (typeof inner === "object" && inner !== null) {
      if (depth < depthMax) flatten(inner, `${name}.`, cells, depth + 1);
    } else cells[name] = inner === null || inner === "" ? null : String(inner);
  }
}
