/** What a schema finds wrong with the data, as problems at their places, in words for the person who wrote it. */
import { Result, Schema, SchemaAST, SchemaIssue } from "effect";
import type { Path } from "./diagnostics.ts";
import type { Report } from "./report.ts";
import { listed, suggestion } from "./suggest.ts";

export interface Decoding<T> {
  readonly schema: Schema.Codec<T, unknown>;
  readonly value: unknown;
  readonly path: Path;
  readonly report: Report;
  /** More keys that are right at the top level, for suggestions. */
  readonly alsoKnown?: ReadonlyArray<string>;
}

/** The decoded value, or undefined after its problems were reported; unknown keys are problems. */
export function decode<T>({ schema, value, path, report, alsoKnown = [] }: Decoding<T>): T | undefined {
  const parsed = Schema.decodeUnknownResult(schema)(value, { errors: "all", onExcessProperty: "error" });
  if (Result.isSuccess(parsed)) return parsed.success;
  const seen = new Set<string>();
  for (const found of flatten(parsed.failure.issue, [], undefined)) {
    const at = [...path, ...found.path];
    const known = found.path.length <= 1 ? alsoKnown : [];
    const note = noteOf(found, lookUp(value, found.path), at, report, known);
    const print = JSON.stringify([at, note.what]);
    if (report.isBroken(at) || seen.has(print)) continue;
    seen.add(print);
    report.add(at, note);
  }
  return undefined;
}

type Leaf = Exclude<SchemaIssue.Issue, SchemaIssue.Pointer | SchemaIssue.Composite | SchemaIssue.Encoding>;

interface Found {
  readonly path: Path;
  readonly issue: Leaf;
  /** The schema of the block that holds the key. */
  readonly parent: SchemaAST.AST | undefined;
}

function flatten(issue: SchemaIssue.Issue, path: Path, parent: SchemaAST.AST | undefined): ReadonlyArray<Found> {
  switch (issue._tag) {
    case "Pointer":
      return flatten(issue.issue, [...path, ...issue.path.map(keyOf)], parent);
    case "Encoding":
      return flatten(issue.issue, path, parent);
    case "Composite":
      return issue.issues.flatMap((inner) => flatten(inner, path, issue.ast));
    case "AnyOf": {
      // The member that fits best is the one that was meant.
      const members = issue.issues.map((inner) => flatten(inner, path, parent));
      const best = members.toSorted((one, other) => one.length - other.length)[0];
      return best === undefined || isChoice(issue.ast) ? [{ path, issue, parent }] : best;
    }
    case "Filter":
      return issue.issue._tag === "Pointer" || issue.issue._tag === "Composite"
        ? flatten(issue.issue, path, parent)
        : [{ path, issue, parent }];
    default:
      return [{ path, issue, parent }];
  }
}

const keyOf = (key: PropertyKey): string | number => (typeof key === "number" ? key : String(key));

interface Words {
  readonly what: string;
  readonly remedy: string;
  readonly atKey?: boolean;
}

function noteOf(found: Found, value: unknown, path: Path, report: Report, alsoKnown: ReadonlyArray<string>): Words {
  const { issue, parent } = found;
  const key = String(path.at(-1) ?? "");
  switch (issue._tag) {
    case "UnexpectedKey": {
      const known = [...keysOf(issue.ast), ...alsoKnown];
      return { what: `unknown key \`${key}\``, remedy: suggestion(key, known), atKey: true };
    }
    case "MissingKey": {
      const meaning = meaningOf(parent, key);
      return { what: `\`${key}\` is missing`, remedy: `Add \`${key}:\`${meaning === "" ? "." : ` (${meaning})`}` };
    }
    case "InvalidType":
      return misfit(issue.ast, value, path, report);
    case "AnyOf":
      return misfit(issue.ast, value, path, report);
    default: {
      const words = report.clean(SchemaIssue.makeFormatterDefault()(issue).split("\n")[0] ?? "");
      const expected = /^Expected (.*)$/s.exec(words)?.[1];
      if (expected === undefined) return { what: words, remedy: "See the description of the keys in the reference." };
      return { what: `${report.quote(path, value)} is not ${expected}`, remedy: `Write ${expected}.` };
    }
  }
}

function misfit(ast: SchemaAST.AST, value: unknown, path: Path, report: Report): Words {
  const expected = kindOf(ast);
  if (value === null || value === undefined) {
    return {
      what: `\`${path.at(-1) ?? ""}\` has no value`,
      remedy: `Write ${expected}, or remove the key.`,
      atKey: true,
    };
  }
  const choices = literalsOf(ast);
  if (choices.length > 0 && typeof value === "string") {
    const near = report.isSecret(path) ? `Write one of: ${listed(choices)}.` : suggestion(value, choices);
    return { what: `${report.quote(path, value)} is not one of ${listed(choices)}`, remedy: near };
  }
  if (typeof value !== "object" && SchemaAST.isString(ast)) {
    return { what: `${report.quote(path, value)} is not a text`, remedy: 'Put it in "quotes".' };
  }
  const actual =
    typeof value === "object" ? (Array.isArray(value) ? "a list" : "a block of keys") : report.quote(path, value);
  return { what: `${actual} stands where ${expected} is expected`, remedy: `Write ${expected}.` };
}

/** The kind of value that a schema wants, in plain words. */
export function kindOf(ast: SchemaAST.AST): string {
  const choices = literalsOf(ast);
  if (choices.length > 0) return choices.length === 1 ? `\`${choices[0]}\`` : `one of ${listed(choices)}`;
  if (SchemaAST.isUnion(ast)) return [...new Set(ast.types.map(kindOf))].join(" or ");
  if (SchemaAST.isString(ast)) return "a text";
  if (SchemaAST.isNumber(ast)) return "a number";
  if (SchemaAST.isBoolean(ast)) return "true or false";
  if (SchemaAST.isArrays(ast)) return "a list";
  if (SchemaAST.isObjects(ast)) return "a block of keys";
  return "another value";
}

function literalsOf(ast: SchemaAST.AST): ReadonlyArray<string> {
  if (SchemaAST.isLiteral(ast)) return [String(ast.literal)];
  if (!SchemaAST.isUnion(ast)) return [];
  const members = ast.types.map(literalsOf);
  return members.every((member) => member.length > 0) ? members.flat() : [];
}

const isChoice = (ast: SchemaAST.AST): boolean => literalsOf(ast).length > 0;

/** The keys that a schema knows at its top level. */
export function keysOf(ast: SchemaAST.AST): ReadonlyArray<string> {
  if (SchemaAST.isObjects(ast)) return ast.propertySignatures.map((property) => String(property.name));
  return SchemaAST.isUnion(ast) ? [...new Set(ast.types.flatMap(keysOf))] : [];
}

function meaningOf(parent: SchemaAST.AST | undefined, key: string): string {
  if (parent === undefined || !SchemaAST.isObjects(parent)) return "";
  const property = parent.propertySignatures.find((signature) => signature.name === key);
  const description = property === undefined ? undefined : SchemaAST.resolve(property.type)?.description;
  return typeof description === "string" ? description.replace(/\.$/, "") : "";
}

function lookUp(value: unknown, path: Path): unknown {
  let at = value;
  for (const key of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined;
    at = Reflect.get(at, key);
  }
  return at;
}
