/**
 * Door 2: all that a plugin sees of Syncline. A plugin is anything that can be taken away without losing a link.
 */
import type { Field } from "./model/field.ts";
import type { Values } from "./model/value.ts";

export { displayName, shortText } from "./model/display.ts";
export type { Entity, Field } from "./model/field.ts";
export { type Group, isGroup, isList, isMoney, type List, type Money, type Value, type Values } from "./model/value.ts";

/** A column of an export: a field of the model, or a fact about the row. */
export interface Column {
  readonly name: string;
  readonly field: Field | null;
}

export interface ExportRow {
  readonly id: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly values: Values;
  /** Remote ids by connection. */
  readonly links: Readonly<Record<string, ReadonlyArray<string>>>;
}

/** Turns rows of the unified customers into one file format. Pure; called row by row. */
export interface Encoder {
  /** The word after `--format`. */
  readonly format: string;
  readonly extension: string;
  readonly mediaType: string;
  /**
   * `import.meta.url` of the module that exports the encoder, so that threads can load it; without it one thread encodes.
   * An encoder that wraps another one leaves it out: threads would load the one inside.
   */
  readonly module?: string;
  /** Text before the first row. */
  readonly open: (columns: ReadonlyArray<Column>) => string;
  /** A function that encodes one row, made once per export. */
  readonly row: (columns: ReadonlyArray<Column>) => (row: ExportRow) => string;
}
