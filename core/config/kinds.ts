/** Kinds of values that many keys of the YAML have. */
import { Schema } from "effect";
import { durationPattern } from "./duration.ts";

export const described = <S extends Schema.Top>(schema: S, description: string) =>
  Schema.optionalKey(schema.annotate({ description }));

export const Text = Schema.String.check(Schema.isMinLength(1, { expected: "a text that is not empty" }));

export const Duration = Schema.String.check(
  Schema.isPattern(new RegExp(durationPattern), { expected: "a duration such as 30s, 10m, 1h or 2d" }),
);

export const positive = Schema.Int.check(Schema.isGreaterThan(0, { expected: "a whole number above 0" }));
