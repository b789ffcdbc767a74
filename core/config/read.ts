/**
 * Reads the YAML configuration. Pure: the caller reads the file and gives the environment.
 *
 * All problems are found in one go, each with its place and a remedy; with an error among them there is no configuration.
 */
import type { Connector } from "../connector.ts";
import { type Entity, entities, type Model } from "../model/field.ts";
import { builtInFields, type CustomField, type CustomFields, modelOf, problemOfCustom } from "../model/fields.ts";
import { fieldTypes } from "../model/value.ts";
import type { NotificationChannel } from "../plugin.ts";
import { readAlerts } from "./alerts.ts";
import { readPolicy } from "./chains.ts";
import { isBlock, isTimeZone, type ReadConnection, readConnection } from "./connection.ts";
import { type Problem, sortProblems } from "./diagnostics.ts";
import { durationMs } from "./duration.ts";
import type { Environment } from "./environment.ts";
import type { HubConfig, MatchKeys, ServeConfig } from "./hub-config.ts";
import { decode } from "./issues.ts";
import { createReport, type Report } from "./report.ts";
import {
  accountMatchKeys,
  ConfigShape,
  contactMatchKeys,
  FieldsShape,
  HubShape,
  MatchShape,
  PolicyShape,
  ServeShape,
} from "./shape.ts";
import { readSource } from "./source.ts";
import { closest, suggestion } from "./suggest.ts";

export interface ConfigInput {
  readonly text: string;
  /** The file's name as it is shown in problems. */
  readonly file: string;
  readonly env: Environment;
  /** The known connectors by system. */
  readonly connectors: ReadonlyMap<string, Connector>;
  /** The known channels of alerts by their words; none without. */
  readonly channels?: ReadonlyMap<string, NotificationChannel>;
}

export interface ConfigReading {
  /** Null if there is any error. */
  readonly config: HubConfig | null;
  /** Errors first, then warnings, each in the order of the file. */
  readonly problems: ReadonlyArray<Problem>;
}

export function readConfig({ text, file, env, connectors, channels = new Map() }: ConfigInput): ConfigReading {
  const source = readSource(text.replace(/^\ufeff/, ""), env);
  const report = createReport(file, source);
  const answer = (config: HubConfig | null): ConfigReading => ({
    config: report.hasErrors() ? null : config,
    problems: sortProblems(report.problems),
  });
  // What a broken file seems to say would only bring problems that are none.
  if (!source.sound) return answer(null);
  const root = source.value ?? {};
  if (!isBlock(root)) {
    report.add([], {
      what: "the file holds no keys",
      remedy: "Begin with `connections:`; `syncline init` writes an example.",
    });
    return answer(null);
  }
  checkSections(root, report);
  const hub = readHub(root.hub, report);
  const serve = readServe(root.serve, report);
  const alerts = readAlerts(root.alerts, channels, report);
  const model = readFields(root.fields, report);
  const match = readMatch(root.match, report);
  const names = isBlock(root.connections) ? Object.keys(root.connections) : [];
  const read = new Map<string, ReadConnection | undefined>();
  if (isBlock(root.connections)) {
    for (const name of names) {
      const value = root.connections[name];
      read.set(name, readConnection({ name, value, hub, model, connectors, report }));
    }
  }
  if (names.length === 0) {
    const given = Object.hasOwn(root, "connections");
    report.add(given ? ["connections"] : [], {
      what: "there are no connections",
      remedy: "Add at least one under `connections:`; `syncline init` writes an example.",
      atKey: given,
    });
  }
  if (root.policy !== undefined) decode({ schema: PolicyShape, value: root.policy, path: ["policy"], report });
  const mapping = (entity: Entity, field: string): ReadonlyArray<string> | undefined =>
    [...read.values()].includes(undefined) ? undefined : names.filter((name) => maps(read.get(name), entity, field));
  const policy = readPolicy(root.policy, { model, connections: names, mapping, report });
  const connections = [...read.values()].flatMap((connection) => (connection === undefined ? [] : [connection.config]));
  return answer({ hub, serve, alerts, connections, policy, model, match });
}

function maps(read: ReadConnection | undefined, entity: Entity, field: string): boolean {
  const override = read?.config.map[entity]?.[field];
  if (override !== undefined) return override !== false;
  return read?.maps[entity]?.fields[field] !== undefined;
}

function checkSections(root: Readonly<Record<string, unknown>>, report: Report): void {
  const known = Object.keys(ConfigShape.fields);
  for (const key of Object.keys(root)) {
    if (!known.includes(key)) {
      report.add([key], { what: `unknown key \`${key}\``, remedy: suggestion(key, known), atKey: true });
    }
  }
  if (root.connections !== undefined && root.connections !== null && !isBlock(root.connections)) {
    report.add(["connections"], {
      what: "`connections` is not a block of keys",
      remedy: "Write each connection under a name of its own: `zoho-eu: { use: zoho, … }`.",
    });
  }
}

const hubDefaults: HubConfig["hub"] = {
  name: "syncline",
  store: "sqlite:data/hub.db",
  country: "US",
  currency: "USD",
  timeZone: "UTC",
};

function readHub(value: unknown, report: Report): HubConfig["hub"] {
  const written = value === undefined ? {} : decode({ schema: HubShape, value, path: ["hub"], report });
  // Read loosely, so that a fault in one key hides none in another.
  const told = isBlock(value) ? value : {};
  if (typeof told.store === "string") checkStore(told.store, report);
  if (typeof told.timeZone === "string") checkTimeZone(told.timeZone, report);
  if (told.country !== undefined && told.country !== hubDefaults.country && told.currency === undefined) {
    report.add(["hub", "country"], {
      severity: "warning",
      what: `amounts without a currency are read as ${hubDefaults.currency}, because \`currency\` is not said`,
      remedy: "Add `currency:`, such as CNY or EUR.",
    });
  }
  return { ...hubDefaults, ...written };
}

const serveDefaults: ServeConfig = {
  url: null,
  host: "127.0.0.1",
  port: 8787,
  tls: null,
  origins: [],
  hosts: [],
  leaseMs: 15_000,
};
/** A shorter one leaves no time to show that a busy process lives. */
const leaseMsMin = 3_000;

function readServe(value: unknown, report: Report): ServeConfig {
  const written = value === undefined ? {} : decode({ schema: ServeShape, value, path: ["serve"], report });
  const read = { ...serveDefaults, ...written };
  const { lease, ...rest } = { lease: undefined, ...read };
  const leaseMs = (lease === undefined ? null : durationMs(lease)) ?? serveDefaults.leaseMs;
  if (leaseMs < leaseMsMin) {
    report.add(["serve", "lease"], {
      what: `${report.quote(["serve", "lease"], lease)} is too short for a process to show in time that it lives`,
      remedy: `Write at least ${leaseMsMin / 1000}s.`,
    });
  }
  return { ...rest, leaseMs, url: rest.url?.replace(/\/$/, "") ?? null };
}

function checkTimeZone(timeZone: string, report: Report): void {
  const path = ["hub", "timeZone"];
  if (isTimeZone(timeZone) || report.isBroken(path)) return;
  const near = closest(timeZone, Intl.supportedValuesOf("timeZone"));
  report.add(path, {
    what: `${report.quote(path, timeZone)} is not a time zone`,
    remedy: near === null ? "Write a name such as Asia/Shanghai, Europe/Berlin or UTC." : `Did you mean \`${near}\`?`,
  });
}

function checkStore(store: string, report: Report): void {
  const path = ["hub", "store"];
  if (report.isBroken(path) || /^sqlite:./.test(store)) return;
  const isPostgres = /^postgres(?:ql)?:/.test(store);
  if (isPostgres && (URL.parse(store)?.pathname.length ?? 0) > 1) return;
  report.add(path, {
    what: isPostgres ? "this names no database of PostgreSQL" : "this is not a store",
    remedy: isPostgres
      ? "Write postgres://user:password@host:5432/database; in user and password, write %40 for @ and %2F for /."
      : "Write sqlite: and a file, such as sqlite:data/hub.db, or the address of a database: postgres://user:password@host/database.",
  });
}

function readFields(value: unknown, report: Report): Model {
  if (value === undefined) return builtInFields;
  const written = decode({ schema: FieldsShape, value, path: ["fields"], report });
  if (written === undefined) return modelOf(guessedFields(value));
  const custom: Partial<Record<Entity, Record<string, CustomField>>> = {};
  for (const entity of entities) {
    for (const [name, declared] of Object.entries(written[entity] ?? {})) {
      const { title, ...rest } = declared;
      const titles = typeof title === "string" ? { en: title } : title;
      const field: CustomField = { ...rest, ...(titles === undefined ? {} : { title: titles }) };
      const problem = problemOfCustom(entity, name, field);
      if (problem !== null) {
        const [what, remedy] = sentences(problem);
        report.add(["fields", entity, name], { what, remedy, atKey: true });
      }
      custom[entity] = { ...custom[entity], [name]: field };
    }
  }
  return modelOf(custom);
}

/** Where one declaration is wrong, the names of all still stand, so that their uses are not reported as well. */
function guessedFields(value: unknown): CustomFields {
  const guessed: Partial<Record<Entity, Record<string, CustomField>>> = {};
  for (const entity of entities) {
    const told = isBlock(value) ? value[entity] : undefined;
    for (const [name, declared] of isBlock(told) ? Object.entries(told) : []) {
      const type = fieldTypes.find((known) => isBlock(declared) && declared.type === known);
      guessed[entity] = { ...guessed[entity], [name]: { type: type ?? "text" } };
    }
  }
  return guessed;
}

/** What is wrong, and the last sentence, which says what to do. */
function sentences(text: string): readonly [string, string] {
  const cut = text.slice(0, -1).lastIndexOf(". ");
  return cut < 0 ? [text, ""] : [text.slice(0, cut), text.slice(cut + 2)];
}

function readMatch(value: unknown, report: Report): MatchKeys {
  const written = value === undefined ? {} : decode({ schema: MatchShape, value, path: ["match"], report });
  return { account: written?.account ?? accountMatchKeys, contact: written?.contact ?? contactMatchKeys };
}
