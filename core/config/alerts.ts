/** Reads the section `alerts:`: the limits of the rules, and the channels by the schemas of their plugins. */
import type { NotificationChannel } from "../plugin.ts";
import { AlertsShape, ChannelShape, channelKeys } from "./alerts-shape.ts";
import { isBlock } from "./connection.ts";
import type { Path } from "./diagnostics.ts";
import { durationMs } from "./duration.ts";
import type { AlertLimits, AlertsConfig, ChannelConfig } from "./hub-config.ts";
import { decode, keysOf } from "./issues.ts";
import type { Report } from "./report.ts";
import { suggestion } from "./suggest.ts";

type Plugins = ReadonlyMap<string, NotificationChannel>;

const hourMs = 3_600_000;

/** What is told without a word in the YAML. */
const limits: AlertLimits = {
  failing: { forMs: 15 * 60_000 },
  agreement: { below: 0.99 },
  outbox: { olderMs: hourMs },
  brake: true,
  conflicts: { count: 50, withinMs: hourMs },
  deadLetters: { above: 0 },
  channel: true,
  signIns: { count: 20, withinMs: 10 * 60_000 },
  exports: { count: 10, withinMs: hourMs },
  store: true,
};

const repeatMs = 4 * hourMs;

export function readAlerts(value: unknown, plugins: Plugins, report: Report): AlertsConfig {
  if (value === undefined) return { repeatMs, limits, channels: [] };
  const { channels, ...rest } = isBlock(value) ? value : { channels: undefined };
  const written = decode({
    schema: AlertsShape,
    value: isBlock(value) ? rest : value,
    path: ["alerts"],
    report,
    alsoKnown: ["channels"],
  });
  const language = written?.language ?? "en";
  return {
    repeatMs: msOf(written?.repeat, repeatMs),
    limits: limitsOf(written?.rules ?? {}),
    channels: readChannels(channels, { plugins, report, language }),
  };
}

type Written = NonNullable<(typeof AlertsShape.Type)["rules"]>;

function limitsOf(rules: Written): AlertLimits {
  const { failing, agreement, outbox, conflicts, deadLetters, signIns, exports } = rules;
  const burst = (told: false | { readonly count?: number; readonly within?: string } | undefined, own: Burst) =>
    told === false ? null : { count: told?.count ?? own.count, withinMs: msOf(told?.within, own.withinMs) };
  return {
    failing: failing === false ? null : { forMs: msOf(failing?.for, 15 * 60_000) },
    agreement: agreement === false ? null : { below: agreement?.below ?? 0.99 },
    outbox: outbox === false ? null : { olderMs: msOf(outbox?.older, hourMs) },
    brake: rules.brake ?? limits.brake,
    conflicts: burst(conflicts, { count: 50, withinMs: hourMs }),
    deadLetters: deadLetters === false ? null : { above: deadLetters?.above ?? 0 },
    channel: rules.channel ?? limits.channel,
    signIns: burst(signIns, { count: 20, withinMs: 10 * 60_000 }),
    exports: burst(exports, { count: 10, withinMs: hourMs }),
    store: rules.store ?? limits.store,
  };
}

interface Burst {
  readonly count: number;
  readonly withinMs: number;
}

const msOf = (text: string | undefined, own: number): number => (text === undefined ? own : (durationMs(text) ?? own));

interface Reading {
  readonly plugins: Plugins;
  readonly report: Report;
  readonly language: "en" | "zh";
}

function readChannels(value: unknown, reading: Reading): ReadonlyArray<ChannelConfig> {
  if (value === undefined) return [];
  if (!isBlock(value)) {
    reading.report.add(["alerts", "channels"], {
      what: "`channels` is not a block of keys",
      remedy: "Write each channel under a name of its own: `night-shift: { use: smtp, … }`.",
    });
    return [];
  }
  return Object.entries(value).flatMap(([name, told]) => readChannel(name, told, reading));
}

function readChannel(
  name: string,
  value: unknown,
  { plugins, report, language }: Reading,
): ReadonlyArray<ChannelConfig> {
  const path: Path = ["alerts", "channels", name];
  if (!isBlock(value)) {
    report.add(path, { what: "the channel has no keys", remedy: "Write at least `use:` and where it tells." });
    return [];
  }
  const entries = Object.entries(value);
  const shared = Object.fromEntries(entries.filter(([key]) => channelKeys.includes(key)));
  const own = Object.fromEntries(entries.filter(([key]) => !channelKeys.includes(key)));
  const written = decode({ schema: ChannelShape, value: shared, path, report });
  const plugin = typeof value.use === "string" ? plugins.get(value.use) : undefined;
  if (plugin === undefined) {
    if (typeof value.use === "string" && !report.isBroken([...path, "use"])) {
      report.add([...path, "use"], {
        what: `there is no channel ${report.quote([...path, "use"], value.use)}`,
        remedy: suggestion(value.use, [...plugins.keys()]),
      });
    }
    return [];
  }
  const clash = keysOf(plugin.config.ast).find((key) => channelKeys.includes(key));
  if (clash !== undefined) throw new Error(`the channel ${plugin.channel} wants the key ${clash}, which is the hub's`);
  const config = decode({ schema: plugin.config, value: own, path, report, alsoKnown: channelKeys });
  if (written === undefined || config === undefined) return [];
  const { use, rules } = written;
  return [{ name, use, plugin, config, language: written.language ?? language, rules: rules ?? null }];
}
