/** Reads the rules of `policy:`: which value survives when two systems changed one field. */
import { type Entity, entities, type Field, type Model } from "../model/field.ts";
import type { Chain, EntityPolicy, Policy, Rule } from "../model/policy.ts";
import type { FieldType } from "../model/value.ts";
import type { Path } from "./diagnostics.ts";
import type { Report } from "./report.ts";
import { suggestion } from "./suggest.ts";

export interface ChainReading {
  readonly model: Model;
  /** In the order of the YAML. */
  readonly connections: ReadonlyArray<string>;
  /** Connections that map a field; undefined where a connection could not be read. */
  readonly mapping: (entity: Entity, field: string) => ReadonlyArray<string> | undefined;
  readonly report: Report;
}

export const ruleWords = ["newest", "newest-record", "union", "longest", "shortest", "max", "min", "manual"] as const;
type RuleWord = (typeof ruleWords)[number];

/** Reports all problems; a chain that could not be read is left out. */
export function readPolicy(written: unknown, reading: ChainReading): Policy {
  const usual: Chain = ["newest", { prefer: reading.connections }];
  const policyOf = (entity: Entity): EntityPolicy => {
    const told = isBlock(written) && isBlock(written[entity]) ? written[entity] : {};
    const path: Path = ["policy", entity];
    const fields: Array<readonly [string, Chain]> = [];
    for (const [name, value] of Object.entries(isBlock(told.fields) ? told.fields : {})) {
      const field = reading.model[entity].get(name);
      const at = [...path, "fields", name];
      if (field === undefined) {
        reading.report.add(at, {
          what: `there is no ${entity} field \`${name}\``,
          remedy: suggestion(name, [...reading.model[entity].keys()]),
          atKey: true,
        });
      }
      const chain = readChain(value, at, entity, field, reading);
      if (chain !== undefined && field !== undefined) fields.push([name, chain]);
    }
    const chain =
      told.default === undefined ? usual : readChain(told.default, [...path, "default"], entity, undefined, reading);
    return { default: chain ?? usual, fields: Object.fromEntries(fields) };
  };
  const [account, contact] = entities.map(policyOf);
  const none: EntityPolicy = { default: usual, fields: {} };
  return { account: account ?? none, contact: contact ?? none };
}

/** One rule, or a list of them. */
function readChain(
  value: unknown,
  path: Path,
  entity: Entity,
  field: Field | undefined,
  reading: ChainReading,
): Chain | undefined {
  const { report } = reading;
  const isList = Array.isArray(value);
  const written: ReadonlyArray<unknown> = isList ? value : [value];
  if (written.length === 0) {
    report.add(path, { what: "the list of rules is empty", remedy: "Write a rule, or remove the key." });
    return undefined;
  }
  const chain: Array<Rule> = [];
  let total: string | null = null;
  written.forEach((part, index) => {
    const at = isList ? [...path, index] : path;
    if (total !== null) {
      report.add(at, {
        severity: "warning",
        what: `this rule is never asked, because ${total} before it always decides`,
        remedy: "Remove it, or move it forward.",
      });
    }
    const rule = readRule(part, at, reading);
    if (rule === undefined) return;
    if (field !== undefined) checkFit(rule, field, at, report);
    chain.push(rule);
    total ??= isTotal(rule, entity, field, reading) ? (typeof rule === "string" ? `\`${rule}\`` : "`prefer`") : null;
  });
  return chain.length === written.length ? chain : undefined;
}

function readRule(value: unknown, path: Path, reading: ChainReading): Rule | undefined {
  const { report } = reading;
  if (typeof value === "string") {
    if (isRuleWord(value)) return value;
    const known = reading.connections.includes(value);
    report.add(path, {
      what: `${report.quote(path, value)} is not a rule`,
      remedy: known
        ? `Write { prefer: [${value}] } or { only: ${value} }.`
        : suggestion(value, [...ruleWords, "prefer", "only"]),
    });
    return undefined;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    report.add(path, {
      what: "this is not a rule",
      remedy: `Write one of ${ruleWords.join(", ")}, { prefer: [connections] } or { only: connection }.`,
    });
    return undefined;
  }
  const entries: ReadonlyArray<[string, unknown]> = Object.entries(value);
  const [first] = entries;
  if (first === undefined || entries.length > 1 || (first[0] !== "prefer" && first[0] !== "only")) {
    const key = entries.find(([name]) => name !== "prefer" && name !== "only")?.[0];
    report.add(key === undefined ? path : [...path, key], {
      what: key === undefined ? "a rule has one key" : `unknown rule \`${key}\``,
      remedy: key === undefined ? "Write a list of rules instead." : suggestion(key, ["prefer", "only", ...ruleWords]),
      atKey: key !== undefined,
    });
    return undefined;
  }
  const [kind, told] = first;
  const at = [...path, kind];
  if (kind === "only") return isConnection(told, at, reading) ? { only: told } : undefined;
  const names: ReadonlyArray<unknown> = Array.isArray(told) ? told : [told];
  const known = names.filter((name, index): name is string =>
    isConnection(name, Array.isArray(told) ? [...at, index] : at, reading),
  );
  return known.length === names.length && known.length > 0 ? { prefer: known } : undefined;
}

function isConnection(name: unknown, path: Path, { connections, report }: ChainReading): name is string {
  if (typeof name === "string" && connections.includes(name)) return true;
  report.add(path, {
    what:
      name === null || name === undefined
        ? "a connection is missing"
        : `there is no connection ${report.quote(path, name)}`,
    remedy: typeof name === "string" ? suggestion(name, connections) : `Name one of: ${connections.join(", ")}.`,
  });
  return false;
}

/** A total rule leaves nothing to those behind it. */
function isTotal(rule: Rule, entity: Entity, field: Field | undefined, reading: ChainReading): boolean {
  if (rule === "manual") return true;
  if (typeof rule !== "object" || !("prefer" in rule)) return false;
  const needed = field === undefined ? reading.connections : reading.mapping(entity, field.name);
  return needed?.every((name) => rule.prefer.includes(name)) === true;
}

const texts: ReadonlySet<FieldType> = new Set([
  "text",
  "longtext",
  "email",
  "phone",
  "url",
  "domain",
  "taxid",
  "option",
  "owner",
  "locale",
]);
const numbers: ReadonlySet<FieldType> = new Set(["integer", "decimal", "money", "boolean", "date", "instant"]);
const lists: ReadonlySet<FieldType> = new Set(["set", "emails", "phones"]);

const fits: Readonly<Partial<Record<RuleWord, readonly [ReadonlySet<FieldType>, string]>>> = {
  union: [lists, "lists, such as tags"],
  longest: [texts, "texts"],
  shortest: [texts, "texts"],
  max: [numbers, "numbers, amounts and dates"],
  min: [numbers, "numbers, amounts and dates"],
};

function checkFit(rule: Rule, field: Field, path: Path, report: Report): void {
  if (typeof rule !== "string") return;
  const fit = fits[rule];
  if (fit === undefined || fit[0].has(field.type)) return;
  report.add(path, {
    what: `\`${rule}\` has no opinion on \`${field.name}\`, which holds a value of type ${field.type}`,
    remedy: `\`${rule}\` works on ${fit[1]}. Take another rule, such as newest.`,
  });
}

const isRuleWord = (value: string): value is RuleWord => ruleWords.some((word) => word === value);

const isBlock = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
