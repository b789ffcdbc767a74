/** The section `alerts:` as people write it: what is told, to whom, and how often. */
import { Schema } from "effect";
import { Duration, described, positive, Text } from "./kinds.ts";

const within = (count: string) =>
  Schema.Struct({
    count: described(positive, count),
    within: described(Duration, "The time over which they are counted; 1h unless said (10m for signIns)."),
  });

const rule = <S extends Schema.Top>(shape: S, description: string) =>
  described(Schema.Union([Schema.Literal(false), shape]), description);

export const alertRules = [
  "failing",
  "agreement",
  "outbox",
  "brake",
  "conflicts",
  "deadLetters",
  "channel",
  "signIns",
  "exports",
  "store",
] as const;

export type AlertRule = (typeof alertRules)[number];

const Language = Schema.Literals(["en", "zh"]);

export const RulesShape = Schema.Struct({
  failing: rule(
    Schema.Struct({ for: described(Duration, "15m unless said.") }),
    "A connection cannot be reached, or refuses the credentials, for that long.",
  ),
  agreement: rule(
    Schema.Struct({
      below: described(
        Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }, { expected: "a share from 0 to 1" })),
        "0.99 unless said.",
      ),
    }),
    "A smaller share of the compared fields agrees.",
  ),
  outbox: rule(
    Schema.Struct({ older: described(Duration, "1h unless said.") }),
    "A record has waited longer than that to be written.",
  ),
  brake: described(Schema.Boolean, "A brake holds a connection."),
  conflicts: rule(within("50 unless said."), "So many questions were opened within a short time."),
  deadLetters: rule(
    Schema.Struct({
      above: described(
        Schema.Int.check(Schema.isGreaterThanOrEqualTo(0, { expected: "a whole number, 0 or more" })),
        "0 unless said.",
      ),
    }),
    "More dead letters than that.",
  ),
  channel: described(Schema.Boolean, "A system does not take, or keep, the channel by which it calls the hub."),
  signIns: rule(within("20 unless said."), "So many requests came without a good key."),
  exports: rule(within("10 unless said."), "So many exports were begun: somebody may be carrying customers away."),
  store: described(Schema.Boolean, "The store does not read or write."),
});

/** The keys that every channel has; the others are the plugin's own. */
export const ChannelShape = Schema.Struct({
  use: Text.annotate({ description: "How it is told, such as smtp or wecom." }),
  language: described(Language, "As `alerts.language`, for this channel."),
  rules: described(Schema.Array(Schema.Literals(alertRules)), "Only these rules; all without."),
});

export const channelKeys: ReadonlyArray<string> = Object.keys(ChannelShape.fields);

export const AlertsShape = Schema.Struct({
  language: described(Language, "Language of the messages; en unless said."),
  repeat: described(Duration, "A trouble that lasts is told again after that time; 4h unless said."),
  rules: described(RulesShape, "What is a trouble; false turns a rule off."),
  channels: described(
    Schema.Record(Schema.String, ChannelShape),
    "Who is told, by a name of your own such as night-shift; without any, alerts stand in the log.",
  ),
});
