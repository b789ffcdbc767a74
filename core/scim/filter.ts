/**
 * The filter language: text to a tree. One pass over the text, with a bound on its length, its depth and its terms, so
 * that no filter costs more than it is long.
 *
 * Source  RFC 7644, section 3.4.2.2, with errata 4690, 7319 and 7322.
 * Shape   Beyond the RFC: `emails[type eq "work"].value eq "x"` (Entra asks so), and a bare word as a text (the RFC's
 *         own examples have one).
 */
import { badRequest, type ScimError } from "./error.ts";

export const operators = ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"] as const;
export type Operator = (typeof operators)[number];
export type Literal = string | number | boolean | null;

export type Filter =
  | { readonly kind: "and" | "or"; readonly parts: ReadonlyArray<Filter> }
  | { readonly kind: "not"; readonly part: Filter }
  | { readonly kind: "compare"; readonly path: string; readonly operator: Operator; readonly value: Literal }
  | { readonly kind: "present"; readonly path: string }
  /** One and the same element meets `filter`, and its `sub` the condition behind the bracket. */
  | { readonly kind: "element"; readonly path: string; readonly filter: Filter; readonly sub: Filter | null };

export const filterBytesMax = 8 * 1024;
const depthMax = 32;
const termsMax = 100;

/** Errors  throws a ScimError of type `invalidFilter`. */
export function parseFilter(text: string): Filter {
  const parser = parserOf(text);
  const filter = parser.or(0);
  parser.end();
  return filter;
}

/** A path of PATCH: an attribute, or elements of one by a filter, each with or without a sub-attribute. */
export interface ValuePath {
  readonly path: string;
  readonly filter: Filter | null;
  /** The sub-attribute behind a bracket. */
  readonly sub: string | null;
}

/** Errors  throws a ScimError of type `invalidPath`, or `invalidFilter` for what stands in the bracket. */
export function parseValuePath(text: string): ValuePath {
  const bracket = text.indexOf("[");
  if (bracket < 0) {
    if (!/^[^\s"()[\]]+$/.test(text)) throw badRequest("invalidPath", "A path is the name of an attribute.");
    return { path: text, filter: null, sub: null };
  }
  const parser = parserOf(text);
  const valuePath = parser.valuePath();
  parser.end();
  return valuePath;
}

/** How many conditions a filter asks of a resource. */
export function termsOf(filter: Filter): number {
  switch (filter.kind) {
    case "and":
    case "or":
      return filter.parts.reduce((sum, part) => sum + termsOf(part), 0);
    case "not":
      return termsOf(filter.part);
    case "element":
      return termsOf(filter.filter) + (filter.sub === null ? 0 : termsOf(filter.sub));
    default:
      return 1;
  }
}

interface Token {
  readonly kind: "(" | ")" | "[" | "]" | "word" | "text" | "end";
  readonly text: string;
  readonly at: number;
}

function parserOf(text: string) {
  if (Buffer.byteLength(text) > filterBytesMax) {
    throw badRequest("invalidFilter", `A filter may have ${filterBytesMax} bytes.`);
  }
  let at = 0;
  let terms = 0;
  let token = read();

  function read(): Token {
    while (at < text.length && isSpace(text.charCodeAt(at))) at += 1;
    const began = at;
    if (at >= text.length) return { kind: "end", text: "", at: began };
    const first = text[at] ?? "";
    if (first === "(" || first === ")" || first === "[" || first === "]") {
      at += 1;
      return { kind: first, text: first, at: began };
    }
    if (first === '"') return { kind: "text", text: readString(), at: began };
    while (at < text.length && !endsWord(text.charCodeAt(at))) at += 1;
    if (at === began) throw wrong(began);
    return { kind: "word", text: text.slice(began, at), at: began };
  }

  function readString(): string {
    const began = at;
    at += 1;
    while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
    at += 1;
    try {
      // A text literal is a text of JSON.
      return String(JSON.parse(text.slice(began, at)));
    } catch {
      throw badRequest("invalidFilter", `The text at ${began + 1} does not end, or is no text of JSON.`);
    }
  }

  function advance(): Token {
    const before = token;
    token = read();
    return before;
  }

  const isWord = (word: string): boolean => token.kind === "word" && token.text.toLowerCase() === word;

  function word(): string {
    if (token.kind !== "word") throw wrong(token.at);
    return advance().text;
  }

  function expect(kind: Token["kind"]): void {
    if (token.kind !== kind) throw wrong(token.at);
    advance();
  }

  function deeper(depth: number): number {
    if (depth >= depthMax) throw badRequest("invalidFilter", `A filter may be ${depthMax} levels deep.`);
    return depth + 1;
  }

  function or(depth: number): Filter {
    const parts = [and(depth)];
    while (isWord("or")) {
      advance();
      parts.push(and(depth));
    }
    return joined("or", parts);
  }

  function and(depth: number): Filter {
    const parts = [negation(depth)];
    while (isWord("and")) {
      advance();
      parts.push(negation(depth));
    }
    return joined("and", parts);
  }

  function negation(depth: number): Filter {
    const isNegated = isWord("not");
    if (isNegated) advance();
    if (token.kind === "(") {
      advance();
      const inner = or(deeper(depth));
      expect(")");
      return isNegated ? { kind: "not", part: inner } : inner;
    }
    if (isNegated) throw wrong(token.at);
    return term(depth);
  }

  function term(depth: number): Filter {
    terms += 1;
    if (terms > termsMax) throw badRequest("invalidFilter", `A filter may have ${termsMax} terms.`);
    const path = word();
    if (token.kind !== "[") return condition(path);
    advance();
    const filter = or(deeper(depth));
    expect("]");
    const sub = afterBracket();
    return { kind: "element", path, filter, sub: sub === null ? null : condition(sub) };
  }

  /** `.value` right behind a bracket. */
  function afterBracket(): string | null {
    if (token.kind !== "word" || !token.text.startsWith(".")) return null;
    return advance().text.slice(1);
  }

  function condition(path: string): Filter {
    if (isWord("pr")) {
      advance();
      return { kind: "present", path };
    }
    const name = token.kind === "word" ? token.text.toLowerCase() : "";
    const operator = operators.find((one) => one === name);
    if (operator === undefined) throw wrong(token.at);
    advance();
    const literal = advance();
    if (literal.kind === "text") return { kind: "compare", path, operator, value: literal.text };
    if (literal.kind !== "word" || literal.text.startsWith("'")) throw wrong(literal.at);
    return { kind: "compare", path, operator, value: bareLiteral(literal.text) };
  }

  return {
    or,
    end: (): void => {
      if (token.kind !== "end") throw wrong(token.at);
    },
    valuePath: (): ValuePath => {
      const path = word();
      expect("[");
      const filter = or(1);
      expect("]");
      return { path, filter, sub: afterBracket() };
    },
  };
}

const wrong = (at: number): ScimError =>
  badRequest("invalidFilter", `The filter is not understood at character ${at + 1}.`);

const joined = (kind: "and" | "or", parts: ReadonlyArray<Filter>): Filter => {
  const [first] = parts;
  return parts.length === 1 && first !== undefined ? first : { kind, parts };
};

/** JSON's own words and numbers; any other bare word is a text. */
function bareLiteral(word: string): Literal {
  const lower = word.toLowerCase();
  if (lower === "true" || lower === "false") return lower === "true";
  if (lower === "null") return null;
  return /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(word) ? Number(word) : word;
}

const isSpace = (code: number): boolean => code === 0x20 || (code >= 0x09 && code <= 0x0d);

/** White space, brackets and quotes end a word. */
const endsWord = (code: number): boolean =>
  isSpace(code) || code === 0x28 || code === 0x29 || code === 0x5b || code === 0x5d || code === 0x22;
