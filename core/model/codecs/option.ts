/** Choices from a list. The canonical value is a label; remote values are mapped by a fixed table or by the description. */
import { type Codec, type CodecContext, type Path, Refusal, type RemoteField } from "../codec.ts";
import { misfit, readText } from "./raw.ts";

export interface OptionOptions {
  /** `value`: both sides hold the remote value. `label`: labels come from the field's description. */
  readonly by?: "value" | "label";
  /** A fixed table from remote value to canonical label. */
  readonly values?: Readonly<Record<string, string>>;
}

export const option = ({ by = "value", values }: OptionOptions = {}): Codec => {
  const fixed = values === undefined ? undefined : tableOf(Object.entries(values));
  const tableFor = (context: CodecContext, path: Path): Table | undefined =>
    fixed ?? (by === "label" && typeof path === "string" ? describedTable(context.remote.get(path)) : undefined);
  return {
    name: "option",
    types: ["option", "text"],
    decode: (raw, context, path) => {
      const value = readText(raw);
      return typeof value === "string" ? (tableFor(context, path)?.labels.get(value) ?? value) : value;
    },
    encode: (value, context, path) => {
      if (value === null || value === "") return null;
      if (typeof value !== "string") return misfit(value, "one choice");
      const table = tableFor(context, path);
      if (table === undefined) return value;
      return table.values.get(value) ?? table.folded.get(fold(value)) ?? unknownLabel(table);
    },
  };
};

interface Table {
  /** Label by remote value. */
  readonly labels: ReadonlyMap<string, string>;
  /** Remote value by label, and by label without regard to case. */
  readonly values: ReadonlyMap<string, string>;
  readonly folded: ReadonlyMap<string, string>;
}

/** Tables by field description, which is fixed for one run. */
const described = new WeakMap<RemoteField, Table>();

function describedTable(field: RemoteField | undefined): Table | undefined {
  if (field?.options === undefined || field.options.length === 0) return undefined;
  const known = described.get(field);
  if (known !== undefined) return known;
  const table = tableOf(field.options.map(({ value, label }) => [value, label]));
  described.set(field, table);
  return table;
}

function tableOf(pairs: ReadonlyArray<readonly [value: string, label: string]>): Table {
  const labels = new Map<string, string>();
  const values = new Map<string, string>();
  const folded = new Map<string, string>();
  for (const [value, label] of pairs) {
    // Two values may carry one label; the first of them is written.
    if (!labels.has(value)) labels.set(value, label);
    if (!values.has(label)) values.set(label, value);
    if (!folded.has(fold(label))) folded.set(fold(label), value);
  }
  return { labels, values, folded };
}

const fold = (label: string): string => label.normalize("NFKC").toLowerCase();

const labelsShownMax = 20;

function unknownLabel(table: Table): Refusal {
  const labels = [...table.values.keys()];
  const shown = labels.slice(0, labelsShownMax).join(", ");
  return new Refusal(
    `This field knows only these choices: ${shown}${labels.length > labelsShownMax ? " and more" : ""}.`,
    "Add the choice in the system, or map it to one of these.",
  );
}
