import { readFileSync } from "node:fs";

/** One line of a benchmark: a figure beside the machine's own limit for the same work, measured in the same run. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly limit: number;
  readonly records: number;
  readonly rssMb: number;
}

export const rssMb = (): number => Math.round(process.memoryUsage().rss / 1_048_576);

/** Of another process; 0 where the machine does not tell. */
export function rssMbOf(pid: number): number {
  try {
    const kb = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return Math.round(Number(kb ?? 0) / 1024);
  } catch {
    return 0;
  }
}

const rounded = (value: number): number => (value >= 100 ? Math.round(value) : Math.round(value * 1000) / 1000);

export function printFigures(figures: ReadonlyArray<Figure>, json: boolean): void {
  const rows = figures.map((figure) => ({
    name: figure.name,
    value: rounded(figure.value),
    unit: figure.unit,
    limit: rounded(figure.limit),
    ratio: rounded(figure.value / figure.limit),
    records: figure.records,
    rssMb: figure.rssMb,
  }));
  if (json) for (const row of rows) console.log(JSON.stringify(row));
  else console.table(rows);
}
