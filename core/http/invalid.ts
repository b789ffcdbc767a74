/** What a schema finds wrong with a request: every place, in words that name the form and never the value. */
import { type Schema, SchemaIssue } from "effect";
import type { Wrong } from "./problem.ts";

const wrongMax = 50;
const formatter = SchemaIssue.makeFormatterDefault();

/** Shape   at most 50, one a place, such as `body.values.phone`. */
export function wrongsOf(error: Schema.SchemaError, part: string): ReadonlyArray<Wrong> {
  const places = new Set<string>();
  return flatten(error.issue, [part])
    .filter(({ path }) => !places.has(path) && places.add(path))
    .slice(0, wrongMax);
}

type Path = ReadonlyArray<string>;

function flatten(issue: SchemaIssue.Issue, path: Path): ReadonlyArray<Wrong> {
  switch (issue._tag) {
    case "Pointer":
      return flatten(issue.issue, [...path, ...issue.path.map(String)]);
    case "Encoding":
      return flatten(issue.issue, path);
    case "Composite":
      return issue.issues.flatMap((inner) => flatten(inner, path));
    case "AnyOf": {
      // The member that fits best is the one that was meant.
      const members = issue.issues.map((inner) => flatten(inner, path));
      const best = members.toSorted((one, other) => one.length - other.length)[0];
      return best === undefined || best.length > 1 ? [wrong(issue, path)] : best;
    }
    default:
      return [wrong(issue, path)];
  }
}

function wrong(issue: SchemaIssue.Issue, path: Path): Wrong {
  const at = path.join(".");
  if (issue._tag === "MissingKey") return { path: at, what: "is missing" };
  if (issue._tag === "UnexpectedKey") return { path: at, what: "is not known here" };
  const text = formatter(issue).split("\n")[0] ?? "";
  return { path: at, what: text.replace(/^Expected /, "must be ").replace(/, got .*$/s, "") };
}
