/** A temporary folder, a still clock, and a small workbook for tests of the file connector. */
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zipSync } from "fflate";
import { afterEach } from "vitest";
import type { Config } from "../../../connectors/file/config.ts";
import { connectFile } from "../../../connectors/file/index.ts";
import { entitiesOf } from "../../../connectors/file/map.ts";
import type { Cursor } from "../../../connectors/file/pull.ts";
import type { BadRecord, CodecContext, Page, RemoteRecord, Tools } from "../../../core/connector.ts";
import { pathNames } from "../../../core/connector.ts";
import { decodeField } from "../../../core/model/mapping.ts";

export const nowMs = Date.UTC(2026, 0, 1);

const folders: Array<string> = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "syncline-file-"));
  folders.push(folder);
  return folder;
}

/** Writes a file that has been still since `ageMs` before now. */
export function put(path: string, content: string | Uint8Array, ageMs = 3_600_000): string {
  writeFileSync(path, content);
  const at = new Date(nowMs - ageMs);
  utimesSync(path, at, at);
  return path;
}

export const file = (name: string, content: string | Uint8Array): string => put(join(temporaryFolder(), name), content);

const tools: Tools = {
  connection: "list",
  http: async () => {
    throw new Error("a file is never called");
  },
  tokens: {
    get: async () => {
      throw new Error("a file needs no token");
    },
    drop: async () => undefined,
  },
  clock: { now: () => nowMs, sleep: async () => undefined },
  log: { info: () => undefined, warn: () => undefined },
};

export const connect = (config: Config) => connectFile(config, tools);

export interface Pulled {
  readonly pages: ReadonlyArray<Page<Cursor>>;
  readonly records: ReadonlyArray<RemoteRecord>;
  readonly bad: ReadonlyArray<BadRecord>;
  readonly complete: boolean;
  readonly cursor: Cursor | null;
}

interface Asked {
  readonly mode?: "changes" | "listing";
  readonly cursor?: Cursor | null;
  readonly fields?: ReadonlyArray<string>;
}

export async function pullAll(
  config: Config,
  { mode = "listing", cursor = null, fields }: Asked = {},
): Promise<Pulled> {
  const entity = config.entity ?? "account";
  const names =
    fields ?? Object.values(entitiesOf(config)[entity]?.fields ?? {}).flatMap((rule) => pathNames(rule.path));
  const pages: Array<Page<Cursor>> = [];
  const signal = new AbortController().signal;
  for await (const page of connect(config).pull(entity, { mode, cursor, fields: names, signal })) pages.push(page);
  const changes = pages.flatMap((page) => page.changes);
  return {
    pages,
    records: changes.filter((change) => change.kind === "record"),
    bad: changes.filter((change) => change.kind === "bad"),
    complete: pages.at(-1)?.complete === true,
    cursor: pages.at(-1)?.cursor ?? null,
  };
}

const context: CodecContext = {
  country: "CN",
  currency: "CNY",
  people: { emailOf: () => undefined, idOf: () => undefined },
  remote: new Map(),
};

/** What the map makes of a record. */
export function valuesOf(config: Config, record: RemoteRecord | undefined): Readonly<Record<string, unknown>> {
  const rules = entitiesOf(config)[config.entity ?? "account"]?.fields ?? {};
  const values: Record<string, unknown> = {};
  for (const [name, rule] of Object.entries(rules)) {
    const value = decodeField(rule, record?.fields ?? {}, context);
    if (value !== undefined) values[name] = value;
  }
  return values;
}

const text = (content: string): Uint8Array =>
  new TextEncoder().encode(`<?xml version="1.0" encoding="UTF-8"?>${content}`);

/** A workbook with inline texts and numbers; undefined leaves a cell out. */
export function workbook(
  sheets: Readonly<Record<string, ReadonlyArray<ReadonlyArray<string | number | undefined>>>>,
): Uint8Array {
  const main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
  const relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
  const names = Object.keys(sheets);
  const parts: Record<string, Uint8Array> = {
    "[Content_Types].xml": text(`<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"></Types>`),
    "xl/workbook.xml": text(
      `<workbook xmlns="${main}" xmlns:r="${relations}"><sheets>${names.map((name, index) => `<sheet name="${name}" sheetId="${index + 1}" r:id="rId${index + 1}"/>`).join("")}</sheets></workbook>`,
    ),
    "xl/_rels/workbook.xml.rels": text(
      `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${names.map((_, index) => `<Relationship Id="rId${index + 1}" Type="${relations}/worksheet" Target="worksheets/sheet${index + 1}.xml"/>`).join("")}</Relationships>`,
    ),
  };
  for (const [index, rows] of Object.values(sheets).entries()) {
    const body = rows.map(
      (row, at) =>
        `<row r="${at + 1}">${row.map((cell, column) => cellOf(cell, `${String.fromCharCode(65 + column)}${at + 1}`)).join("")}</row>`,
    );
    parts[`xl/worksheets/sheet${index + 1}.xml`] = text(
      `<worksheet xmlns="${main}"><sheetData>${body.join("")}</sheetData></worksheet>`,
    );
  }
  return zipSync(parts);
}

function cellOf(cell: string | number | undefined, reference: string): string {
  if (cell === undefined) return "";
  if (typeof cell === "number") return `<c r="${reference}"><v>${cell}</v></c>`;
  return `<c r="${reference}" t="inlineStr"><is><t>${cell}</t></is></c>`;
}
