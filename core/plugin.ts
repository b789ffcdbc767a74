/**
 * Door 2: all that a plugin sees of Syncline. A plugin is anything that can be taken away without losing a link.
 */
import type { Schema } from "effect";
import type { Field } from "./model/field.ts";
import type { Values } from "./model/value.ts";

export { Schema } from "effect";
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

/** What people are told of a trouble. It holds no secret and no value of a customer. */
export interface Notice {
  /** The same for the same message, however often it is sent. */
  readonly id: string;
  readonly kind: "begun" | "lasts" | "ended" | "test";
  /** Such as `failing`. */
  readonly rule: string;
  /** Null for the hub itself. */
  readonly connection: string | null;
  readonly hub: string;
  /** Epoch milliseconds: when the trouble began, and now. */
  readonly since: number;
  readonly at: number;
  /** One line, in the language of the channel. */
  readonly title: string;
  /** A few lines more. */
  readonly lines: ReadonlyArray<string>;
}

export interface NoticeAnswer {
  readonly status: number;
  readonly text: string;
  /** The parsed body; undefined if it is no JSON. */
  readonly json: unknown;
}

/** What the core lends to a channel. Private addresses are refused unless `serve.hosts` names them. */
export interface ChannelTools {
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly post: (request: {
    readonly url: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body: string;
  }) => Promise<NoticeAnswer>;
  /** An address of the host that may be called, for protocols other than HTTP. */
  readonly lookUp: (host: string, port: number) => Promise<string>;
}

/** One way to tell people. Sending again what was sent is allowed, and happens when an answer is lost. */
export interface NotificationChannel<Config = unknown> {
  /** The word after `use:`. */
  readonly channel: string;
  readonly title: { readonly en: string; readonly zh: string };
  readonly config: Schema.Codec<Config, unknown>;
  /** Resolves when it was taken; throws with the reason when not. */
  readonly send: (notice: Notice, config: Config, tools: ChannelTools) => Promise<void>;
}
