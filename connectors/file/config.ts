/** The YAML keys of a file connection. */
import { Schema } from "../../core/connector.ts";
import { slots } from "./columns.ts";

const described = <S extends Schema.Top>(schema: S, description: string) =>
  Schema.optionalKey(schema.annotate({ description }));

const Text = Schema.String.check(Schema.isMinLength(1, { expected: "a text that is not empty" }));

export const Config = Schema.Struct({
  path: Text.annotate({
    description: "A file, a folder, or a pattern such as data/*.csv, relative to the working directory.",
  }),
  entity: described(Schema.Literals(["account", "contact"]), "What a row is: account (default) or contact."),
  id: Schema.Union([
    Text,
    Schema.Array(Text).check(Schema.isMinLength(1, { expected: "at least one column" })),
  ]).annotate({ description: "The column that identifies a row, or a list of columns that do so together." }),
  headers: described(
    Schema.Record(Schema.String, Schema.Literals(slots)),
    "Columns whose heading does not tell their meaning: the column, then the canonical field.",
  ),
  encoding: described(
    Text,
    "auto (default: by byte order mark, then UTF-8 or GB18030 by their bytes), or a name such as gb18030 or windows-1252.",
  ),
  delimiter: described(
    Schema.String.check(Schema.isBetweenLength(1, 1, { expected: "one character" })),
    "The character between columns; found out unless said.",
  ),
  sheet: described(Text, "The sheet of a workbook; the first one unless said."),
  modifiedColumn: described(
    Text,
    "The column that holds when a row was changed; without it the hub knows no times of rows.",
  ),
  choices: described(
    Schema.Literals(["english", "as-is"]),
    "english reads the usual Chinese words for industries as the English ones (制造业 as Manufacturing), for hubs whose other systems speak English; as-is (default) takes them as they stand.",
  ),
  allowEmpty: described(
    Schema.Boolean,
    "A file without any row means that all rows are gone; false (default) takes it for a mistake.",
  ),
  allRows: described(
    Schema.Boolean,
    "The files of a folder or pattern together always hold every row, so that a row in none of them is gone; false unless said. A single file always does.",
  ),
});

export type Config = typeof Config.Type;
