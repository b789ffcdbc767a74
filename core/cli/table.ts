/** Plain tables for terminals; Chinese characters take two columns. */
import stringWidth from "string-width";

const gap = "  ";
const cellMin = 8;

/** Shape   one line a row, columns padded; cells are cut so that a row fits into `width` columns. */
export function table(
  headings: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<string>>,
  width: number,
): ReadonlyArray<string> {
  const natural = headings.map((heading, index) =>
    Math.max(stringWidth(heading), ...rows.map((row) => stringWidth(row[index] ?? ""))),
  );
  const widths = fitted(natural, width - gap.length * (headings.length - 1));
  const line = (cells: ReadonlyArray<string>): string =>
    cells
      .map((cell, index) => padded(cell, widths[index] ?? 0))
      .join(gap)
      .trimEnd();
  return [line(headings), line(widths.map((size) => "─".repeat(size))), ...rows.map(line)];
}

/** Takes from the widest column until the row fits. */
function fitted(natural: ReadonlyArray<number>, room: number): ReadonlyArray<number> {
  const widths = [...natural];
  for (let over = widths.reduce((sum, size) => sum + size, 0) - room; over > 0; ) {
    const widest = widths.indexOf(Math.max(...widths));
    const size = widths[widest] ?? 0;
    if (size <= cellMin) break;
    const next = widths.filter((_, index) => index !== widest);
    const cut = Math.min(over, Math.max(1, size - Math.max(cellMin, ...next)));
    widths[widest] = size - cut;
    over -= cut;
  }
  return widths;
}

function padded(text: string, width: number): string {
  const cell = cut(text, width);
  return cell + " ".repeat(Math.max(0, width - stringWidth(cell)));
}

export function cut(text: string, width: number): string {
  const flat = text.replace(/\s+/g, " ");
  if (stringWidth(flat) <= width) return flat;
  let kept = "";
  for (const character of flat) {
    if (stringWidth(kept + character) > width - 1) break;
    kept += character;
  }
  return `${kept}…`;
}
