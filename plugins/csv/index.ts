/**
 * CSV of the unified customers, by RFC 4180, for people who open it in a spreadsheet.
 *
 * Shape   UTF-8 with a byte order mark (Excel reads Chinese names only with it), comma, CRLF, every text quoted.
 *         Groups become one column a member, lists are joined by "; ", money is amount and currency.
 * Safety  a text that a spreadsheet would run as a formula gets an apostrophe before it (OWASP, "CSV Injection").
 */
import { type Column, type Encoder, type ExportRow, isGroup, isList, isMoney, type Value } from "../../core/plugin.ts";

const groupMembers: Readonly<Record<string, ReadonlyArray<string>>> = {
  address: ["street", "city", "state", "postalCode", "country"],
  name: ["given", "family"],
};

/** Characters that make a spreadsheet take a cell for a formula: = + - @ tab carriage-return, and their full-width forms. */
const formulaStarts = new Set(["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"]);
const plainNumber = /^[+-]?\d+([.,]\d+)*$/;

export function csvCell(text: string): string {
  if (text === "") return "";
  const first = text[0] ?? "";
  const guarded = formulaStarts.has(first) && !plainNumber.test(text) ? `'${text}` : text;
  return guarded.includes('"') ? `"${guarded.replaceAll('"', '""')}"` : `"${guarded}"`;
}

type Cells = (value: Value | undefined) => string;

export const csv: Encoder = {
  format: "csv",
  extension: "csv",
  mediaType: "text/csv; charset=utf-8",
  module: import.meta.url,
  open: (columns) => `\uFEFF${columns.flatMap(titles).map(csvCell).join(",")}\r\n`,
  row: (columns) => {
    const fields = columns.map((column) => ({
      name: column.name,
      isField: column.field !== null,
      cells: cellsFor(column),
    }));
    return (row) => {
      let line = "";
      for (let index = 0; index < fields.length; index++) {
        const field = fields[index];
        if (field === undefined) continue;
        const cell = field.isField ? field.cells(row.values[field.name]) : csvCell(fact(row, field.name));
        line = index === 0 ? cell : `${line},${cell}`;
      }
      return `${line}\r\n`;
    };
  },
};

const isoTime = (at: number): string => new Date(at).toISOString();

function fact(row: ExportRow, name: string): string {
  if (name === "id") return row.id;
  if (name === "createdAt") return isoTime(row.createdAt);
  if (name === "updatedAt") return isoTime(row.updatedAt);
  return (row.links[name] ?? []).join("; ");
}

function titles({ name, field }: Column): ReadonlyArray<string> {
  if (field?.type === "money") return [name, `${name}.currency`];
  const members = field === null ? undefined : groupMembers[field.type];
  return members === undefined ? [name] : members.map((member) => `${name}.${member}`);
}

function cellsFor({ field }: Column): Cells {
  if (field?.type === "money")
    return (value) => (isMoney(value) ? `${csvCell(value.amount)},${csvCell(value.currency)}` : ",");
  const members = field === null ? undefined : groupMembers[field.type];
  if (members !== undefined) {
    const empty = ",".repeat(members.length - 1);
    return (value) => (isGroup(value) ? members.map((member) => csvCell(value[member] ?? "")).join(",") : empty);
  }
  if (field?.type === "instant") return (value) => (typeof value === "number" ? csvCell(isoTime(value)) : "");
  return (value) => {
    if (typeof value === "string") return csvCell(value);
    if (value === null || value === undefined) return "";
    if (isList(value)) return csvCell(value.join("; "));
    return csvCell(String(value));
  };
}
