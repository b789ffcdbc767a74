/** Reads the filters of `create:`, with their shorthand: `{ industry: [Software, Banking], status: active }`. */
import type { Entity, Field, Fields } from "../model/field.ts";
import type { Filter } from "../model/filter.ts";
import type { FieldType, Value } from "../model/value.ts";
import type { Path } from "./diagnostics.ts";
import type { Report } from "./report.ts";
import { suggestion } from "./suggest.ts";

export interface FilterReading {
  readonly entity: Entity;
  readonly fields: Fields;
  readonly report: Report;
}

export const filterTests = ["is", "in", "exists", "greaterThan", "lessThan", "contains"] as const;
type Test = (typeof filterTests)[number];

const depthMax = 10;

/** The filter, or undefined after its problems were reported. */
export function readFilter(value: unknown, path: Path, reading: FilterReading): Filter | undefined {
  const { report } = reading;
  if (!isBlock(value)) {
    report.add(path, {
      what: `${value === null ? "nothing" : report.quote(path, value)} is not a condition`,
      remedy: "Write true, false, or a condition such as { industry: [Software, Banking] }.",
    });
    return undefined;
  }
  if (path.length > depthMax * 2) {
    report.add(path, { what: "the conditions nest too deeply", remedy: "Write the filter with fewer levels." });
    return undefined;
  }
  const keys = Object.keys(value);
  if (keys.length === 0) {
    report.add(path, { what: "the condition is empty", remedy: "Write true for all records, or name a field." });
    return undefined;
  }
  for (const join of ["all", "any", "not"] as const) {
    if (!(join in value) || reading.fields.has(join)) continue;
    for (const key of keys.filter((other) => other !== join)) {
      report.add([...path, key], {
        what: `\`${key}\` stands beside \`${join}\``,
        remedy: `Move it into the list of \`all:\`.`,
        atKey: true,
      });
    }
    return readJoin(join, value[join], [...path, join], reading);
  }
  if ("field" in value && !reading.fields.has("field")) return readTest(value, path, reading);
  const parts = keys.map((key) => readShort(key, value[key], [...path, key], reading));
  const sound = parts.filter((part) => part !== undefined);
  const [only] = sound;
  if (only === undefined || sound.length < parts.length) return undefined;
  return sound.length === 1 ? only : { all: sound };
}

function readJoin(join: "all" | "any" | "not", value: unknown, path: Path, reading: FilterReading): Filter | undefined {
  if (join === "not") {
    const inner = readFilter(value, path, reading);
    return inner === undefined ? undefined : { not: inner };
  }
  if (!Array.isArray(value) || value.length === 0) {
    reading.report.add(path, {
      what: `\`${join}\` needs a list of conditions`,
      remedy: `Write ${join}: [{ … }, { … }].`,
    });
    return undefined;
  }
  const parts = value.map((part: unknown, index) => readFilter(part, [...path, index], reading));
  const sound = parts.filter((part) => part !== undefined);
  if (sound.length < parts.length) return undefined;
  return join === "all" ? { all: sound } : { any: sound };
}

/** `{ field: industry, in: [Software] }` */
function readTest(value: Readonly<Record<string, unknown>>, path: Path, reading: FilterReading): Filter | undefined {
  const { report } = reading;
  const name = value.field;
  const field = fieldNamed(name, [...path, "field"], reading, false);
  const tests = Object.keys(value).filter((key) => key !== "field");
  const unknown = tests.filter((test) => !isTest(test));
  for (const test of unknown) {
    report.add([...path, test], {
      what: `unknown test \`${test}\``,
      remedy: suggestion(test, filterTests),
      atKey: true,
    });
  }
  const known = tests.filter(isTest);
  if (known.length === 0 && unknown.length === 0) {
    report.add(path, { what: "the condition tests nothing", remedy: `Add one of ${filterTests.join(", ")}.` });
  }
  if (field === undefined || unknown.length > 0) return undefined;
  const parts = known.map((test) => readOne(field, test, value[test], [...path, test], report));
  const sound = parts.filter((part) => part !== undefined);
  const [only] = sound;
  if (only === undefined || sound.length < parts.length) return undefined;
  return sound.length === 1 ? only : { all: sound };
}

/** `industry: Software`, `industry: [Software, Banking]`, `phone: null` */
function readShort(name: string, value: unknown, path: Path, reading: FilterReading): Filter | undefined {
  const field = fieldNamed(name, path, reading, true);
  if (field === undefined) return undefined;
  return readOne(field, Array.isArray(value) ? "in" : "is", value, path, reading.report);
}

function readOne(field: Field, test: Test, value: unknown, path: Path, report: Report): Filter | undefined {
  const { name, type } = field;
  const refuse = (expected: string): undefined => {
    report.add(path, { what: `\`${test}\` of \`${name}\` needs ${expected}`, remedy: `Write ${expected}.` });
    return undefined;
  };
  switch (test) {
    case "exists":
      return typeof value === "boolean" ? { field: name, exists: value } : refuse("true or false");
    case "greaterThan":
    case "lessThan": {
      if (!numeric.has(type)) {
        report.add(path, {
          what: `\`${name}\` holds no number`,
          remedy: "greaterThan and lessThan work on numbers, amounts and instants only.",
        });
        return undefined;
      }
      if (typeof value !== "number") return refuse("a number");
      return test === "greaterThan" ? { field: name, greaterThan: value } : { field: name, lessThan: value };
    }
    case "contains":
      return typeof value === "string" && value !== "" ? { field: name, contains: value } : refuse("a text");
    case "in": {
      if (!Array.isArray(value) || value.length === 0) return refuse("a list of values");
      const values = value.map((member: unknown) => scalarFor(type, member));
      const sound = values.filter((member) => member !== undefined);
      return sound.length === values.length ? { field: name, in: sound } : refuse(`values such as ${example(type)}`);
    }
    case "is": {
      const scalar = scalarFor(type, value);
      return scalar === undefined ? refuse(example(type)) : { field: name, is: scalar };
    }
  }
}

function fieldNamed(name: unknown, path: Path, reading: FilterReading, atKey: boolean): Field | undefined {
  const field = typeof name === "string" ? reading.fields.get(name) : undefined;
  if (field === undefined) {
    const names = [...reading.fields.keys()];
    const known = atKey ? [...names, "all", "any", "not"] : names;
    reading.report.add(path, {
      what: `there is no ${reading.entity} field ${reading.report.quote(path, name ?? null)}`,
      remedy: suggestion(typeof name === "string" ? name : "", known),
      atKey,
    });
  }
  return field;
}

const numeric: ReadonlySet<FieldType> = new Set(["integer", "decimal", "money", "instant"]);

/** A value of the field's type; decimals are texts in the model, and people write them as numbers. */
function scalarFor(type: FieldType, value: unknown): Value | undefined {
  if (value === null) return null;
  if (type === "boolean") return typeof value === "boolean" ? value : undefined;
  if (type === "integer" || type === "instant") return typeof value === "number" ? value : undefined;
  if (type === "decimal") return typeof value === "number" || typeof value === "string" ? String(value) : undefined;
  if (type === "money" || type === "address" || type === "name") return undefined;
  return typeof value === "string" ? value : undefined;
}

function example(type: FieldType): string {
  if (type === "boolean") return "true or false";
  if (type === "integer" || type === "instant" || type === "decimal") return "a number";
  if (type === "money" || type === "address" || type === "name") return "another test, as `exists`";
  return "a text (in quotes where it looks like a number)";
}

const isTest = (key: string): key is Test => filterTests.some((test) => test === key);

const isBlock = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
