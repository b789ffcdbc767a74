/** Shapes that many routes share: instants, values, pages, and what queries are made of. */
import { Schema, SchemaTransformation } from "effect";
import { entities } from "../model/field.ts";
import { roles, scopes } from "../security/roles.ts";

/** The annotation that tells the reference which kind of text a query takes. */
export const queryKind = "x-query-kind";

/** Epoch milliseconds inside, ISO 8601 in UTC outside. */
export const Instant = Schema.String.annotate({ format: "date-time", description: "ISO 8601, UTC." }).pipe(
  Schema.decodeTo(
    Schema.Finite,
    SchemaTransformation.transform({
      // A text that is no time becomes NaN, which is not finite and so refused.
      decode: (text: string) => Date.parse(text),
      encode: (ms: number) => new Date(ms).toISOString(),
    }),
  ),
);

export const Entity = Schema.Literals(entities);
export const Role = Schema.Literals(roles);
export const Scope = Schema.Literals(scopes);

/** A value of a field. */
export const Value = Schema.Union([
  Schema.Null,
  Schema.String,
  Schema.Finite,
  Schema.Boolean,
  Schema.Array(Schema.String),
  Schema.Struct({ amount: Schema.String, currency: Schema.String }),
  Schema.Record(Schema.String, Schema.NullOr(Schema.String)),
]).annotate({
  identifier: "Value",
  description:
    "By the type of the field: a text, a number, true or false, a list of texts (sets, e-mails, phones), an object (addresses, names, money as { amount, currency }), or null for empty. Instants are ISO 8601. Without the scope `personal` a personal value is ••• in the same shape.",
});

export const Values = Schema.Record(Schema.String, Value).annotate({
  identifier: "Values",
  description: "Values by field; a field that is not known has no key.",
});

const words = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(200));

/** An id, a name of a connection, a field: short, and never a long text. */
export const Name = words.annotate({ description: "1 to 200 characters." });

export const limitMax = 500;
export const limitUnlessSaid = 50;

export const wholeNumber = (minimum: number, maximum: number, description: string) =>
  Schema.String.annotate({ description, [queryKind]: "integer" }).pipe(
    Schema.decodeTo(Schema.FiniteFromString.check(Schema.isInt(), Schema.isBetween({ minimum, maximum }))),
  );

export const Flag = (description: string) =>
  Schema.Literals(["true", "false"])
    .annotate({ description, [queryKind]: "boolean" })
    .pipe(
      Schema.decodeTo(
        Schema.Boolean,
        SchemaTransformation.transform({
          decode: (text: "true" | "false") => text === "true",
          encode: (flag: boolean): "true" | "false" => (flag ? "true" : "false"),
        }),
      ),
    );

/** One text or several, as a query may have them. */
export const Several = (description: string) =>
  Schema.Union([Schema.String, Schema.Array(Schema.String)])
    .annotate({ description, [queryKind]: "list" })
    .pipe(
      Schema.decodeTo(
        Schema.Array(Schema.String),
        SchemaTransformation.transform({
          decode: (given: string | ReadonlyArray<string>): ReadonlyArray<string> =>
            typeof given === "string" ? [given] : given,
          encode: (list: ReadonlyArray<string>): string | ReadonlyArray<string> => list,
        }),
      ),
    );

/** What every list takes. */
export const pageQuery = {
  limit: Schema.optionalKey(
    wholeNumber(1, limitMax, `Rows of a page, 1 to ${limitMax}; ${limitUnlessSaid} unless said.`),
  ),
  cursor: Schema.optionalKey(Name.annotate({ description: "`next` of the page before." })),
};

/** What every list gives. */
export const pageOf = <S extends Schema.Top>(item: S) =>
  Schema.Struct({
    items: Schema.Array(item),
    next: Schema.NullOr(Schema.String).annotate({
      description:
        "The cursor of the next page; null at the end. A page may hold fewer rows than asked for and still have a next one.",
    }),
  });

export const ById = Schema.Struct({ id: Name });
