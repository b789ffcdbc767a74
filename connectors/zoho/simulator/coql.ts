/**
 * A subset of COQL: select, where with pairwise brackets, order by, limit and offset.
 *
 * Source  Zoho CRM API v8, "Query API (COQL)" and "Limitations"; Zoho's Kaizen post 171.
 */
import type { Renderer } from "./render.ts";
import type { Row, Store } from "./store.ts";
import { isModule, type Module, type Schema } from "./tenant.ts";
import { answer, empty, isJson, type Json, Refused } from "./wire.ts";

type Literal = string | number | boolean | null;

type Condition =
  | { readonly kind: "both"; readonly by: "and" | "or"; readonly left: Condition; readonly right: Condition }
  | {
      readonly kind: "compare";
      readonly column: string;
      readonly operator: string;
      readonly values: ReadonlyArray<Literal>;
    };

interface Query {
  readonly columns: ReadonlyArray<string>;
  readonly module: Module;
  readonly where: Condition;
  readonly order: ReadonlyArray<{ readonly column: string; readonly direction: 1 | -1 }>;
  readonly limit: number;
  readonly offset: number;
}

const limitMax = 2000;
const reachMax = 100_000;
const columnsMax = 50;
const criteriaMax = 25;
const valuesMax = 50;

interface Word {
  readonly kind: "name" | "text" | "number" | "sign";
  readonly text: string;
  readonly at: number;
}

const syntax = (details: Json) => new Refused(400, "SYNTAX_ERROR", "error occured while parsing the query", details);
const invalid = (column: string, reason: string) =>
  new Refused(400, "INVALID_QUERY", reason, { column_name: column, reason });
const limited = (details: Json) => new Refused(400, "LIMIT_EXCEEDED", "the limit has been exceeded", details);

function wordsOf(text: string): ReadonlyArray<Word> {
  const words: Array<Word> = [];
  const pattern = /\s+|('(?:[^']|'')*')|([A-Za-z_][\w.$]*)|(\d+(?:\.\d+)?)|(!=|>=|<=|[=<>(),])/y;
  while (pattern.lastIndex < text.length) {
    const at = pattern.lastIndex;
    const match = pattern.exec(text);
    if (match === null) throw syntax({ line: 1, column: at + 1, near: text.slice(at, at + 10) });
    const [, quoted, name, number, sign] = match;
    if (quoted !== undefined) words.push({ kind: "text", text: quoted.slice(1, -1).replaceAll("''", "'"), at });
    else if (name !== undefined) words.push({ kind: "name", text: name, at });
    else if (number !== undefined) words.push({ kind: "number", text: number, at });
    else if (sign !== undefined) words.push({ kind: "sign", text: sign, at });
  }
  return words;
}

function parse(text: string): Query {
  const words = wordsOf(text);
  let place = 0;
  let criteria = 0;
  const peek = (): string => words[place]?.text.toLowerCase() ?? "";
  const isWord = (word: string): boolean => words[place]?.kind !== "text" && peek() === word;
  const fail = (clause: string): Refused => syntax({ clause, near: words[place]?.text ?? "" });
  const take = (word: string, clause: string): void => {
    if (!isWord(word)) throw fail(clause);
    place += 1;
  };
  const name = (clause: string): string => {
    const word = words[place];
    if (word?.kind !== "name") throw fail(clause);
    place += 1;
    return word.text;
  };
  const number = (clause: string): number => {
    const word = words[place];
    if (word?.kind !== "number") throw fail(clause);
    place += 1;
    return Number(word.text);
  };
  const value = (): Literal => {
    const word = words[place];
    place += 1;
    if (word?.kind === "text") return word.text;
    // Ids are written as numbers as well, and are longer than a number holds.
    if (word?.kind === "number") return word.text.length > 15 ? word.text : Number(word.text);
    if (word?.kind === "name" && /^(true|false)$/i.test(word.text)) return word.text.toLowerCase() === "true";
    place -= 1;
    throw fail("where");
  };

  const compare = (): Condition => {
    criteria += 1;
    const column = name("where");
    if (isWord("is")) {
      place += 1;
      const not = isWord("not");
      if (not) place += 1;
      take("null", "where");
      return { kind: "compare", column, operator: not ? "is not null" : "is null", values: [] };
    }
    if (isWord("not")) {
      place += 1;
      take("in", "where");
      return { kind: "compare", column, operator: "not in", values: valueList() };
    }
    if (isWord("in")) {
      place += 1;
      return { kind: "compare", column, operator: "in", values: valueList() };
    }
    if (isWord("between")) {
      place += 1;
      const low = value();
      take("and", "where");
      return { kind: "compare", column, operator: "between", values: [low, value()] };
    }
    const operator = peek();
    if (!["=", "!=", ">", ">=", "<", "<=", "like"].includes(operator)) throw fail("where");
    place += 1;
    return { kind: "compare", column, operator, values: [value()] };
  };

  const valueList = (): ReadonlyArray<Literal> => {
    take("(", "where");
    const values = [value()];
    while (isWord(",")) {
      place += 1;
      values.push(value());
    }
    take(")", "where");
    if (values.length > valuesMax) throw limited({ limit: valuesMax, clause: "in" });
    return values;
  };

  const term = (): Condition => {
    if (!isWord("(")) return compare();
    place += 1;
    const inside = pair();
    take(")", "where");
    return inside;
  };

  /** At most two criteria on one level; more need brackets. */
  const pair = (): Condition => {
    const left = term();
    const by = isWord("and") ? "and" : isWord("or") ? "or" : undefined;
    if (by === undefined) return left;
    place += 1;
    return { kind: "both", by, left, right: term() };
  };

  take("select", "select");
  const columns = [name("select")];
  while (isWord(",")) {
    place += 1;
    columns.push(name("select"));
  }
  take("from", "from");
  const module = name("from");
  if (!isModule(module)) throw new Refused(400, "INVALID_MODULE", "the module name given seems to be invalid", {});
  take("where", "where");
  const where = pair();
  const order: Array<{ readonly column: string; readonly direction: 1 | -1 }> = [];
  if (isWord("order")) {
    place += 1;
    take("by", "order by");
    do {
      if (isWord(",")) place += 1;
      const column = name("order by");
      const direction = isWord("desc") ? -1 : 1;
      if (isWord("desc") || isWord("asc")) place += 1;
      order.push({ column, direction });
    } while (isWord(","));
  }
  let limit = 200;
  let offset = 0;
  if (isWord("limit")) {
    place += 1;
    limit = number("limit");
  }
  if (isWord("offset")) {
    place += 1;
    offset = number("offset");
  }
  if (place < words.length) throw syntax({ line: 1, column: (words[place]?.at ?? 0) + 1, near: words[place]?.text });
  if (limit > limitMax || limit < 1) throw limited({ limit: limitMax, clause: "limit" });
  if (offset + limit > reachMax) throw limited({ limit: reachMax, clause: "offset" });
  if (columns.length > columnsMax) throw limited({ limit: columnsMax, clause: "select" });
  if (criteria > criteriaMax) throw limited({ limit: criteriaMax, clause: "where" });
  return { columns, module, where, order, limit, offset };
}

/** The limit decides what a query costs. */
export function costOfQuery(body: unknown): number {
  const text = isJson(body) && typeof body.select_query === "string" ? body.select_query : "";
  const limit = Number(/\blimit\s+(\d+)/i.exec(text)?.[1] ?? 200);
  return limit <= 200 ? 1 : limit <= 1000 ? 2 : 3;
}

export function runQuery(store: Store, schema: Schema, render: Renderer, body: unknown): Response {
  const text = isJson(body) ? body.select_query : undefined;
  if (typeof text !== "string") {
    throw new Refused(400, "MANDATORY_NOT_FOUND", "required field not found", { api_name: "select_query" });
  }
  const query = parse(text);
  const { module } = query;
  const check = (column: string): void => {
    const [base = "", joined] = column.split(".");
    const field = base === "id" ? undefined : schema[module].get(base);
    if (base !== "id" && field === undefined) throw invalid(column, "column given seems to be invalid");
    if (joined !== undefined && (field?.target === undefined || !schema[field.target].has(joined))) {
      throw invalid(column, "the column cannot be joined");
    }
  };
  query.columns.forEach(check);
  for (const { column } of query.order) check(column);
  checkCondition(query.where, schema, module, check);

  const read = (row: Row, column: string): unknown => {
    const [base = "", joined] = column.split(".");
    const value = render.raw(module, row, base);
    if (joined === undefined) return value;
    const target = schema[module].get(base)?.target;
    const other = isJson(value) && target !== undefined ? store.find(target, String(value.id)) : undefined;
    return other === undefined || target === undefined ? null : render.raw(target, other, joined);
  };

  const order = query.order.length > 0 ? query.order : [{ column: "id", direction: 1 as const }];
  const found = store
    .visible(module)
    .filter((row) => meets(query.where, (column) => read(row, column)))
    .sort((left, right) => {
      for (const { column, direction } of order) {
        const difference = compareValues(read(left, column), read(right, column));
        if (difference !== 0) return difference * direction;
      }
      return 0;
    });
  const shown = found.slice(query.offset, query.offset + query.limit);
  if (shown.length === 0) return empty(204);
  return answer({
    // Lookups and users come with their id alone.
    data: shown.map((row) => ({
      ...Object.fromEntries(query.columns.map((column) => [column, read(row, column)])),
      id: row.id,
    })),
    info: { count: shown.length, more_records: found.length > query.offset + shown.length },
  });
}

function checkCondition(condition: Condition, schema: Schema, module: Module, check: (column: string) => void): void {
  if (condition.kind === "both") {
    checkCondition(condition.left, schema, module, check);
    checkCondition(condition.right, schema, module, check);
    return;
  }
  const { column, values } = condition;
  check(column);
  const type = schema[module].get(column)?.type;
  if (type === "textarea") throw invalid(column, "multi-line fields are not supported in criteria");
  const isOffset = (value: Literal) => typeof value === "string" && /T.*(Z|[+-]\d{2}:\d{2})$/.test(value);
  if (type === "datetime" && !values.every(isOffset)) throw invalid(column, "the value needs an offset");
}

const plain = (value: unknown): unknown => (isJson(value) ? value.id : value);

const isTime = (text: string): boolean => /^\d{4}-\d{2}-\d{2}T/.test(text);

function compareValues(left: unknown, right: unknown): number {
  const a = plain(left);
  const b = plain(right);
  if (a === null || a === undefined || b === null || b === undefined) return Number(a != null) - Number(b != null);
  if (typeof a === "number" || typeof b === "number") return Number(a) - Number(b);
  const [x, y] = [String(a), String(b)];
  if (isTime(x) && isTime(y)) return Date.parse(x) - Date.parse(y);
  if (/^\d+$/.test(x) && /^\d+$/.test(y))
    return Number(BigInt(x) - BigInt(y) > 0n) - Number(BigInt(y) - BigInt(x) > 0n);
  const [low, high] = [x.toLowerCase(), y.toLowerCase()];
  return low < high ? -1 : low > high ? 1 : 0;
}

function meets(condition: Condition, read: (column: string) => unknown): boolean {
  if (condition.kind === "both") {
    const left = meets(condition.left, read);
    return condition.by === "and" ? left && meets(condition.right, read) : left || meets(condition.right, read);
  }
  const held = plain(read(condition.column));
  const { operator, values } = condition;
  const [first = null, second = null] = values;
  if (operator === "is null") return held === null;
  if (operator === "is not null") return held !== null;
  if (held === null || held === undefined) return false;
  const difference = (value: Literal) => compareValues(held, value);
  switch (operator) {
    case "=":
      return difference(first) === 0;
    case "!=":
      return difference(first) !== 0;
    case ">":
      return difference(first) > 0;
    case ">=":
      return difference(first) >= 0;
    case "<":
      return difference(first) < 0;
    case "<=":
      return difference(first) <= 0;
    case "in":
      return values.some((value) => difference(value) === 0);
    case "not in":
      return values.every((value) => difference(value) !== 0);
    case "between":
      return difference(first) >= 0 && difference(second) <= 0;
    default:
      return String(held).toLowerCase().includes(String(first).replaceAll("%", "").toLowerCase());
  }
}
