/** JSON Lines of the unified customers: one object a line, values as in the canonical model, instants as ISO 8601. */
import type { Encoder } from "../../core/plugin.ts";

export const jsonl: Encoder = {
  format: "jsonl",
  extension: "jsonl",
  mediaType: "application/x-ndjson",
  module: import.meta.url,
  open: () => "",
  row: (columns) => (row) => {
    const line: Record<string, unknown> = {};
    for (const { name, field } of columns) {
      if (name === "id") line.id = row.id;
      else if (name === "createdAt") line.createdAt = new Date(row.createdAt).toISOString();
      else if (name === "updatedAt") line.updatedAt = new Date(row.updatedAt).toISOString();
      else if (field === null) line[name] = row.links[name] ?? [];
      else {
        const value = row.values[name];
        if (value !== undefined && value !== null)
          line[name] = field.type === "instant" && typeof value === "number" ? new Date(value).toISOString() : value;
      }
    }
    return `${JSON.stringify(line)}\n`;
  },
};
