/** Reads one connection: the keys that every connection has, and the connector's own. */
import { Cron, Result } from "effect";
import type { Connector, EntityMap } from "../connector.ts";
import { type Entity, entities, type Model } from "../model/field.ts";
import type { Filter } from "../model/filter.ts";
import type { Limit, Limits } from "../net/http.ts";
import { readFilter } from "./create-filters.ts";
import type { Path } from "./diagnostics.ts";
import { durationMs } from "./duration.ts";
import type { ConnectionConfig, HubConfig } from "./hub-config.ts";
import { decode, keysOf } from "./issues.ts";
import type { Report } from "./report.ts";
import { ConnectionShape, connectionKeys, type WrittenConnection, type WrittenLimit } from "./shape.ts";
import { suggestion } from "./suggest.ts";

export interface ConnectionReading {
  readonly name: string;
  readonly value: unknown;
  readonly hub: HubConfig["hub"];
  readonly model: Model;
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly report: Report;
}

export interface ReadConnection {
  readonly config: ConnectionConfig;
  readonly maps: Partial<Record<Entity, EntityMap>>;
}

const defaults = {
  quarantineMs: 600_000,
  skewMs: 0,
  brake: { share: 0.05, records: 20, windowMs: 3_600_000 },
} as const;

const connectionName = /^[A-Za-z][A-Za-z0-9_.-]{0,62}$/;

/** The connection, or undefined after its problems were reported. */
export function readConnection(reading: ConnectionReading): ReadConnection | undefined {
  const { name, value, report } = reading;
  const path: Path = ["connections", name];
  checkName(name, path, report);
  if (!isBlock(value)) {
    report.add(path, { what: "the connection has no keys", remedy: "Write at least `use:` and its credentials." });
    return undefined;
  }
  const connector = connectorOf(value, path, reading);
  const hubKeys = new Set(connectionKeys);
  const split = Object.entries(value);
  const shared = Object.fromEntries(split.filter(([key]) => hubKeys.has(key)));
  const own = Object.fromEntries(split.filter(([key]) => !hubKeys.has(key)));
  const written = decode({ schema: ConnectionShape, value: shared, path, report });
  const config =
    connector === undefined
      ? undefined
      : decode({ schema: connector.config, value: own, path, report, alsoKnown: connectionKeys });
  // Cron expressions, filters and limits are read even where another key of the connection is wrong.
  const pull = isBlock(value.pull) ? value.pull : {};
  checkCron(pull.every, [...path, "pull", "every"], reading);
  checkCron(pull.sweep, [...path, "pull", "sweep"], reading);
  const create = readCreate(value.create, [...path, "create"], reading);
  const faulty = config === undefined || report.holdsBroken(path);
  const maps = connector === undefined || faulty ? undefined : connector.entities(config);
  const limits = connector === undefined || faulty ? undefined : connector.limits(config);
  checkMap(value.map, [...path, "map"], maps, reading);
  checkEntities(value, path, maps, report);
  checkLimits(value.limits, [...path, "limits"], limits, report);
  if (written === undefined || connector === undefined || maps === undefined) return undefined;
  const complete = completed(written, { ...reading, connector, config, create });
  warnUncreated(complete, maps, path, report);
  warnUnpulled(complete, path, report);
  return { config: complete, maps };
}

function checkName(name: string, path: Path, report: Report): void {
  if (name === "hub") {
    report.add(path, { what: "`hub` is the hub's own name", remedy: "Rename the connection.", atKey: true });
  } else if (!connectionName.test(name)) {
    report.add(path, {
      what: `\`${name}\` cannot name a connection`,
      remedy: "Begin with a letter; use letters, digits, - _ and . only, such as zoho-eu.",
      atKey: true,
    });
  }
}

function connectorOf(
  value: Readonly<Record<string, unknown>>,
  path: Path,
  { connectors, report }: ConnectionReading,
): Connector | undefined {
  const { use } = value;
  if (typeof use !== "string") return undefined;
  const at = [...path, "use"];
  const connector = connectors.get(use);
  if (connector === undefined) {
    if (!report.isBroken(at)) {
      report.add(at, {
        what: `there is no system ${report.quote(at, use)}`,
        remedy: suggestion(use, [...connectors.keys()]),
      });
    }
    return undefined;
  }
  const clash = keysOf(connector.config.ast).find((key) => connectionKeys.includes(key));
  if (clash === undefined) return connector;
  report.add(at, {
    what: `the connector of ${use} wants the key \`${clash}\`, which belongs to the hub`,
    remedy: "Rename the key in the connector.",
  });
  return undefined;
}

function checkCron(expression: unknown, path: Path, { hub, report }: ConnectionReading): void {
  if (typeof expression !== "string" || expression === "" || report.isBroken(path)) return;
  if (Result.isSuccess(Cron.parse(expression, isTimeZone(hub.timeZone) ? hub.timeZone : "UTC"))) return;
  report.add(path, {
    what: `${report.quote(path, expression)} is not a cron expression`,
    remedy: 'Write five fields (minute hour day month weekday), such as "*/5 * * * *" for every five minutes.',
  });
}

function readCreate(value: unknown, path: Path, reading: ConnectionReading): ConnectionConfig["create"] {
  if (!isBlock(value)) return {};
  const create: Partial<Record<Entity, boolean | Filter>> = {};
  for (const entity of entities) {
    const told = value[entity];
    if (told === undefined) continue;
    const fields = reading.model[entity];
    const filter =
      typeof told === "boolean"
        ? told
        : readFilter(told, [...path, entity], { entity, fields, report: reading.report });
    if (filter !== undefined) create[entity] = filter;
  }
  return create;
}

function checkMap(
  value: unknown,
  path: Path,
  maps: ReadConnection["maps"] | undefined,
  { model, report }: ConnectionReading,
): void {
  if (!isBlock(value)) return;
  for (const entity of entities) {
    const told = value[entity];
    if (!isBlock(told)) continue;
    for (const [name, override] of Object.entries(told)) {
      const at = [...path, entity, name];
      const field = model[entity].get(name);
      if (field === undefined) {
        report.add(at, {
          what: `there is no ${entity} field \`${name}\``,
          remedy: `${suggestion(name, [...model[entity].keys()])} A field of your own is declared under \`fields:\`.`,
          atKey: true,
        });
        continue;
      }
      const composed = isBlock(override) && typeof override.path === "object" && override.path !== null;
      if (
        composed &&
        maps?.[entity] !== undefined &&
        maps[entity]?.fields[name] === undefined &&
        !isComposed(field.type)
      ) {
        report.add([...at, "path"], {
          what: `\`${name}\` holds one value of type ${field.type}`,
          remedy: "Name one remote field.",
        });
      }
    }
  }
}

const isComposed = (type: string): boolean => ["address", "name", "emails", "phones", "money"].includes(type);

/** `map`, `key` and `create` for an entity that the system does not have. */
function checkEntities(
  value: Readonly<Record<string, unknown>>,
  path: Path,
  maps: ReadConnection["maps"] | undefined,
  report: Report,
): void {
  if (maps === undefined) return;
  for (const section of ["map", "key", "create"] as const) {
    const told = value[section];
    if (!isBlock(told)) continue;
    for (const entity of entities) {
      if (told[entity] === undefined || told[entity] === false || maps[entity] !== undefined) continue;
      report.add([...path, section, entity], {
        what: `this connection has no ${entity}s`,
        remedy: `Remove \`${entity}\` here.`,
        atKey: true,
      });
    }
  }
}

function checkLimits(value: unknown, path: Path, limits: Limits | undefined, report: Report): void {
  if (!isBlock(value) || limits === undefined) return;
  for (const name of Object.keys(value)) {
    if (Object.hasOwn(limits, name)) continue;
    report.add([...path, name], {
      what: `the connector has no limit \`${name}\``,
      remedy: suggestion(name, Object.keys(limits)),
      atKey: true,
    });
  }
}

/** Calls get lost, at the vendor or on the way; only a pull finds out. */
function warnUnpulled(config: ConnectionConfig, path: Path, report: Report): void {
  if (config.webhook.kind === "none" || config.pull.every !== null) return;
  report.add([...path, "webhook"], {
    severity: "warning",
    what: "there is no schedule beside the webhook: what a lost call was about is found by nobody",
    remedy: 'Add `pull: { every: "*/15 * * * *" }`.',
    atKey: true,
  });
}

function warnUncreated(config: ConnectionConfig, maps: ReadConnection["maps"], path: Path, report: Report): void {
  if (!config.push) return;
  const without = entities.filter(
    (entity) => maps[entity]?.writable === true && config.key[entity] === undefined && config.create[entity] !== false,
  );
  if (without.length === 0) return;
  report.add(path, {
    severity: "warning",
    what: `no ${without.join(" and no ")} will be created in ${config.name}, because \`key\` names no field for the hub's id`,
    remedy: `Add \`key: { ${without.map((entity) => `${entity}: …`).join(", ")} }\`, or say so with \`create: { ${without.map((entity) => `${entity}: false`).join(", ")} }\`.`,
    atKey: true,
  });
}

interface Completion extends ConnectionReading {
  readonly connector: Connector;
  readonly config: unknown;
  readonly create: ConnectionConfig["create"];
}

function completed(written: WrittenConnection, { name, hub, connector, config, create }: Completion): ConnectionConfig {
  const ms = (text: string | undefined): number | null => (text === undefined ? null : durationMs(text));
  return {
    name,
    use: connector.system,
    connector,
    config,
    pull: { every: written.pull?.every ?? null, sweep: written.pull?.sweep ?? null },
    push: written.push !== "off" && written.push !== false,
    webhook: webhookOf(written.webhook),
    deletes: written.deletes ?? "detach",
    deleteAgainstUpdate: written.deleteAgainstUpdate ?? "keep",
    duplicates: written.duplicates ?? "ask",
    quarantineMs: ms(written.quarantine) ?? defaults.quarantineMs,
    skewMs: ms(written.skew) ?? defaults.skewMs,
    map: mapOf(written.map),
    key: perEntityOf(written.key),
    create,
    owners: Object.fromEntries(
      Object.entries(written.owners ?? {}).map(([ours, theirs]) => [ours.trim().toLowerCase(), theirs.trim()]),
    ),
    defaultOwner: written.defaultOwner,
    country: written.country ?? hub.country,
    currency: written.currency ?? hub.currency,
    limits: Object.fromEntries(Object.entries(written.limits ?? {}).map(([limit, told]) => [limit, limitOf(told)])),
    brake: {
      share: written.brake?.share ?? defaults.brake.share,
      records: written.brake?.records ?? defaults.brake.records,
      windowMs: ms(written.brake?.window) ?? defaults.brake.windowMs,
    },
    lookbackMs: ms(written.lookback),
    timeoutMs: ms(written.timeout),
  };
}

function webhookOf(written: WrittenConnection["webhook"]): ConnectionConfig["webhook"] {
  if (written === undefined || written === false) return { kind: "none" };
  return written === true ? { kind: "own" } : { kind: "signed", secrets: written.secrets ?? [] };
}

const mapOf = (written: WrittenConnection["map"]): ConnectionConfig["map"] => perEntityOf(written);

function perEntityOf<T>(
  written: { readonly account?: T; readonly contact?: T } | undefined,
): Partial<Record<Entity, T>> {
  return { ...written };
}

function limitOf({ concurrency, rate, daily }: WrittenLimit): Limit {
  return {
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(rate === undefined ? {} : { rate: { count: rate.count, windowMs: durationMs(rate.window) ?? 0 } }),
    ...(daily === undefined ? {} : { daily: { count: daily.count, offsetMinutes: offsetMinutes(daily.offset) } }),
  };
}

/** `+08:00` is 480. */
function offsetMinutes(text: string | undefined): number {
  const [, sign, hours, minutes] = /^([+-])(\d{2}):(\d{2})$/.exec(text ?? "+00:00") ?? [];
  const size = Number(hours ?? 0) * 60 + Number(minutes ?? 0);
  return sign === "-" && size > 0 ? -size : size;
}

export function isTimeZone(text: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: text });
    return true;
  } catch {
    return false;
  }
}

export const isBlock = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
