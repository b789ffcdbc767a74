/**
 * The YAML text as plain data, with the place of every key and value, and with environment references filled in.
 *
 * The tree is walked here and not by the parser, so that one walk bounds the expansion of aliases, knows positions, and
 * knows which values came from the environment and must never be shown.
 */
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type ParsedNode, parseDocument } from "yaml";
import type { Path } from "./diagnostics.ts";
import { type Environment, fill, holdsVeils, unveil, veil } from "./environment.ts";
import { syntaxWords } from "./syntax.ts";

/** Offsets into the text. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

export interface Place {
  readonly key: Range | null;
  readonly value: Range;
  /** The value must not be shown: it came from the environment, or its key says that it is secret. */
  readonly secret: boolean;
  /** A reference in it could not be filled in; what else is wrong with the value is not worth saying. */
  readonly broken: boolean;
}

export interface Finding {
  readonly range: Range;
  readonly path: Path;
  readonly what: string;
  readonly remedy: string;
  /** Found by the parser: the tree around it cannot be trusted. */
  readonly syntax: boolean;
}

export interface Source {
  readonly text: string;
  readonly lines: LineCounter;
  /** The data; undefined where the text is not YAML at all. */
  readonly value: unknown;
  readonly places: ReadonlyMap<string, Place>;
  /** Values that must be masked when their line is shown. */
  readonly secrets: ReadonlyArray<Range>;
  /** Secret texts themselves, so that a message that repeats one can be cleaned. */
  readonly secretTexts: ReadonlySet<string>;
  readonly findings: ReadonlyArray<Finding>;
  /** False where the parser found errors that make the data unreliable. */
  readonly sound: boolean;
}

export const placeKey = (path: Path): string => JSON.stringify(path);

export const textLengthMax = 1_000_000;
export const nodesMax = 50_000;
export const depthMax = 40;

export function readSource(text: string, env: Environment): Source {
  const lines = new LineCounter();
  const findings: Array<Finding> = [];
  const whole: Range = { start: 0, end: 0 };
  const refuse = (what: string, remedy: string): Source => ({
    text: "",
    lines: new LineCounter(),
    value: undefined,
    places: new Map(),
    secrets: [],
    secretTexts: new Set(),
    findings: [{ range: whole, path: [], what, remedy, syntax: true }],
    sound: false,
  });
  if (text.length > textLengthMax) {
    return refuse("the file is too large for a configuration", `Keep it below ${textLengthMax} characters.`);
  }
  if (holdsVeils(text)) {
    return refuse("the file holds Unicode noncharacters (U+FDD0 to U+FDEF)", "Remove them; they are not text.");
  }
  const document = parseDocument(veil(text), {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: true,
  });
  for (const error of [...document.errors, ...document.warnings]) {
    const [start, end] = error.pos;
    const syntax = error.code !== "DUPLICATE_KEY";
    findings.push({ range: { start, end }, path: [], ...syntaxWords(error.code), syntax });
  }
  const walk = new Walk(document, env);
  const root = document.contents;
  const value = root === null ? null : walk.read(root, [], null, false, 0);
  findings.push(...walk.findings);
  return {
    text,
    lines,
    value,
    places: walk.places,
    secrets: walk.secrets,
    secretTexts: walk.secretTexts,
    findings,
    sound: !findings.some((finding) => finding.syntax),
  };
}

const secretKey =
  /secret|token|passw|pwd|credential|private|permanentcode|(api|aes)_?key|authori[sz]ation|signature|cookie/i;

/** Whether values under this key are secret by its name. */
export const isSecretKey = (key: string): boolean => key === "auth" || secretKey.test(key);

/** Shorter texts are part of ordinary words. */
const secretLengthMin = 4;

class Walk {
  readonly places = new Map<string, Place>();
  readonly secrets: Array<Range> = [];
  readonly secretTexts = new Set<string>();
  readonly findings: Array<Finding> = [];
  readonly #document: Document.Parsed;
  readonly #env: Environment;
  #nodes = 0;
  #overfull = false;

  constructor(document: Document.Parsed, env: Environment) {
    this.#document = document;
    this.#env = env;
  }

  read(node: ParsedNode, path: Path, key: Range | null, secret: boolean, depth: number): unknown {
    this.#nodes += 1;
    const range: Range = { start: node.range[0], end: node.range[1] };
    if (this.#nodes > nodesMax || depth > depthMax) return this.#refuse(range, path);
    const place = { key, value: range, secret, broken: false };
    this.places.set(placeKey(path), place);
    if (isAlias(node)) {
      if (secret) this.secrets.push(range);
      const target = node.resolve(this.#document);
      if (target === undefined) {
        this.findings.push({ range, path, ...syntaxWords("BAD_ALIAS"), syntax: true });
        return null;
      }
      // A node of a parsed document has been parsed.
      return this.read(target as ParsedNode, path, key, secret, depth + 1);
    }
    if (isMap(node)) return this.#map(node.items, path, secret, depth);
    if (isSeq(node)) {
      return node.items.map((item, index) => this.read(item, [...path, index], null, secret, depth + 1));
    }
    if (!isScalar(node)) return null;
    if (typeof node.value !== "string") {
      if (secret && node.value !== null) this.secrets.push(range);
      return node.value;
    }
    const filled = fill(unveil(node.value), this.#env);
    for (const fault of filled.faults) this.findings.push({ range, path, ...fault, syntax: false });
    const referring = filled.names.length > 0;
    if ((secret || referring) && filled.value.length >= secretLengthMin) this.secretTexts.add(filled.value);
    this.places.set(placeKey(path), { ...place, secret: secret || referring, broken: filled.faults.length > 0 });
    // A reference may be shown as it is written; what stands there in clear may not.
    if (secret && !onlyReferences.test(unveil(node.value))) this.secrets.push(range);
    return filled.value;
  }

  #map(
    items: ReadonlyArray<{ readonly key: ParsedNode; readonly value: ParsedNode | null }>,
    path: Path,
    secret: boolean,
    depth: number,
  ): Readonly<Record<string, unknown>> {
    const entries: Array<[string, unknown]> = [];
    for (const { key, value } of items) {
      const range: Range = { start: key.range[0], end: key.range[1] };
      const name = isScalar(key) && key.value !== null ? String(key.value) : null;
      if (name === null || unveil(name) !== name) {
        this.findings.push({
          range,
          path,
          what: name === null ? "a key must be plain text" : "a reference to the environment cannot be a key",
          remedy: "Write the key as text.",
          syntax: false,
        });
        continue;
      }
      const under = secret || isSecretKey(name);
      const at = [...path, name];
      if (value === null) {
        this.places.set(placeKey(at), { key: range, value: range, secret: under, broken: false });
        entries.push([name, null]);
      } else entries.push([name, this.read(value, at, range, under, depth + 1)]);
    }
    // Later duplicates are reported by the parser; `fromEntries` makes own keys of all names.
    return Object.fromEntries(entries);
  }

  #refuse(range: Range, path: Path): null {
    if (!this.#overfull) {
      this.#overfull = true;
      this.findings.push({
        range,
        path: path.slice(0, 4),
        what: `the file nests too deeply or expands to more than ${nodesMax} values`,
        remedy: "Write repeated parts out, or use fewer aliases.",
        syntax: true,
      });
    }
    return null;
  }
}

const onlyReferences = /^(?:\$\{[A-Za-z_][A-Za-z0-9_]*\}|[\s:/@._-])+$/;
