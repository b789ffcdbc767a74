/** The YAML as people write it: one schema for reading, for editors (JSON Schema) and for the reference of all keys. */
import { Schema } from "effect";
import { entities } from "../model/field.ts";
import { fieldTypes } from "../model/value.ts";
import { AlertsShape } from "./alerts-shape.ts";
import { positive as Count, Duration, described, Text } from "./kinds.ts";

const Country = Schema.String.check(
  Schema.isPattern(/^[A-Z]{2}$/, { expected: "a country code of two capital letters, such as CN" }),
);

const Currency = Schema.String.check(
  Schema.isPattern(/^[A-Z]{3}$/, { expected: "a currency code of three capital letters, such as CNY" }),
);

/** Read in `create-filters.ts`, because its shorthand has the model's own field names as keys. */
const Create = Schema.Unknown;

/** Read in `chains.ts`. */
const ChainShape = Schema.Unknown;

const perEntity = <S extends Schema.Top>(account: S, contact: S = account) =>
  Schema.Struct({ account: Schema.optionalKey(account), contact: Schema.optionalKey(contact) });

const MapEntry = Schema.Union([
  Schema.Literal(false),
  Text,
  Schema.Struct({
    path: described(
      Schema.Union([
        Text,
        Schema.Array(Text).check(Schema.isMinLength(1, { expected: "at least one remote field" })),
        Schema.Record(Schema.String, Text),
      ]),
      "The remote field; a list of slots, or remote fields by member, for composed values. The connector's own unless said.",
    ),
    access: described(
      Schema.Literals(["both", "read", "create"]),
      "both (default) is read and written, read is never written, create is written only when the record is made.",
    ),
    values: described(
      Schema.Record(Schema.String, Text),
      "Choices that have other words here: the hub's word, then the one in this system.",
    ),
  }),
]);

const LimitShape = Schema.Struct({
  concurrency: described(Count, "Calls under way at the same time."),
  rate: described(
    Schema.Struct({ count: Count, window: Duration }),
    "At most `count` calls begun within any `window`.",
  ),
  daily: described(
    Schema.Struct({
      count: Count,
      offset: described(
        Schema.String.check(Schema.isPattern(/^[+-]\d{2}:\d{2}$/, { expected: "an offset from UTC such as +08:00" })),
        "Where the day ends: the offset of local midnight from UTC; +00:00 unless said.",
      ),
    }),
    "At most `count` cost units a day.",
  ),
});

export const HubShape = Schema.Struct({
  name: described(Text, "The hub's name, shown in logs and pages; syncline unless said."),
  store: described(
    Text,
    "Where the hub keeps its data: in a file, sqlite:data/hub.db unless said, or in a database, postgres://user:password@host/database.",
  ),
  country: described(Country, "Country of phone numbers and addresses that name none; US unless said."),
  currency: described(Currency, "Currency of amounts that name none; USD unless said."),
  timeZone: described(Text, "Time zone of schedules, such as Asia/Shanghai; UTC unless said."),
});

/** How the hub listens: for webhooks, the HTTP API and its pages. */
export const ServeShape = Schema.Struct({
  url: described(
    Schema.String.check(
      Schema.isPattern(/^https?:\/\/[^\s/?#]+(\/[^\s?#]*)?$/, {
        expected: "an address such as https://hub.acme.example",
      }),
    ),
    "The address at which vendors and people reach the hub; without one no vendor is asked to call it.",
  ),
  host: described(Text, "The address to listen on; 127.0.0.1 unless said, so that only this machine reaches it."),
  port: described(
    Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 }, { expected: "a port from 0 to 65535" })),
    "The port to listen on; 8787 unless said, 0 takes a free one.",
  ),
  tls: described(
    Schema.Struct({
      cert: Text.annotate({ description: "File of the certificate chain (PEM)." }),
      key: Text.annotate({ description: "File of the private key (PEM)." }),
    }),
    "Serves HTTPS itself; without it put a proxy in front that does.",
  ),
  origins: described(Schema.Array(Text), "Web pages that may call the API from a browser; none unless said."),
  hosts: described(
    Schema.Array(Text),
    "Private hosts (host or host:port) that alerts may be sent to; all other private addresses are refused.",
  ),
  lease: described(
    Duration,
    "With PostgreSQL: a process that has been silent for so long is replaced by another one; 15s unless said, at least 3s.",
  ),
});

const WebhookShape = Schema.Union([
  Schema.Boolean,
  Schema.Struct({
    secrets: described(
      Schema.Array(
        Schema.String.check(Schema.isMinLength(16, { expected: "a secret of at least 16 characters" })),
      ).check(Schema.isMinLength(1, { expected: "at least one secret" })),
      "Secrets of calls that are signed as Standard Webhooks says; two while a new one takes over.",
    ),
  }),
]);

/** The keys that every connection has; the others are the connector's own. */
export const ConnectionShape = Schema.Struct({
  use: Text.annotate({ description: "The system, such as zoho." }),
  pull: described(
    Schema.Struct({
      every: described(Text, "When changes are pulled, as a cron expression; only on request unless said."),
      sweep: described(Text, "When everything is read again to find what was missed, as a cron expression."),
    }),
    "When the connection is read.",
  ),
  push: described(
    Schema.Union([Schema.Literals(["on", "off"]), Schema.Boolean]),
    "off: nothing is written to this system; on unless said.",
  ),
  webhook: described(
    WebhookShape,
    "true takes the system's own webhooks; { secrets } takes calls signed as Standard Webhooks says; false unless said.",
  ),
  deletes: described(
    Schema.Literals(["detach", "archive", "propagate", "ignore"]),
    "What a delete in this system does: detach (default) unlinks and the others keep it, archive sets the status everywhere, propagate deletes in the others, ignore only logs.",
  ),
  deleteAgainstUpdate: described(
    Schema.Literals(["keep", "delete", "ask"]),
    "A record deleted here and changed elsewhere at the same time: keep (default), delete or ask.",
  ),
  duplicates: described(
    Schema.Literals(["ask", "separate", "fold"]),
    "A second record of this system that is the same account: ask (default) opens a case, separate keeps both, fold joins them.",
  ),
  quarantine: described(
    Duration,
    "How long a delete that may be a merge waits before it is passed on; 10m unless said.",
  ),
  map: described(
    perEntity(Schema.Record(Schema.String, MapEntry)),
    "Where canonical fields live in this system, over the connector's own map: a remote field, { path, access }, or false for not mapped.",
  ),
  key: described(
    perEntity(Text),
    "The remote field that holds the hub's id, by entity; without one nothing is created there.",
  ),
  create: described(
    perEntity(Create),
    "Which accounts and contacts are created in this system: true (default), false, or a filter over canonical fields.",
  ),
  owners: described(
    Schema.Record(Schema.String, Text),
    "E-mail addresses of owners that differ here: the hub's address, then the one (or the id) in this system.",
  ),
  defaultOwner: described(
    Text,
    "E-mail address or id of who takes the records of an owner that this system does not know.",
  ),
  country: described(Country, "As `hub.country`, for this connection."),
  currency: described(Currency, "As `hub.currency`, for this connection."),
  limits: described(
    Schema.Record(Schema.String, LimitShape),
    "Budgets for calls, by the connector's names, in place of its own.",
  ),
  brake: described(
    Schema.Struct({
      share: described(
        Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }, { expected: "a share from 0 to 1" })),
        "Share of the connection's records; 0.05 unless said.",
      ),
      records: described(
        Schema.Int.check(Schema.isGreaterThanOrEqualTo(0, { expected: "a whole number, 0 or more" })),
        "Below this many records nothing stops; 20 unless said.",
      ),
      window: described(Duration, "The time over which deletes, blanks and overwrites are counted; 1h unless said."),
    }),
    "When a run would delete, blank or overwrite more than this, the connection stops before the first write and asks.",
  ),
  skew: described(
    Duration,
    "How far the system's clock may be from the hub's, where its answers do not tell; what they tell counts as well.",
  ),
  lookback: described(Duration, "How far a pull reads back behind its cursor, for systems that list changes late."),
  timeout: described(Duration, "How long one call may take."),
});

const EntityPolicyShape = Schema.Struct({
  default: described(
    ChainShape,
    "Rules for all fields that have none of their own; newest, then the order of the connections.",
  ),
  fields: described(Schema.Record(Schema.String, ChainShape), "Rules by field."),
});

const CustomFieldShape = Schema.Struct({
  type: Schema.Literals(fieldTypes).annotate({ description: "What the field holds." }),
  title: described(
    Schema.Union([Text, Schema.Struct({ en: Schema.optionalKey(Text), zh: Schema.optionalKey(Text) })]),
    "The name for people; a text, or { en, zh }.",
  ),
  description: described(Text, "What the field means."),
  sensitivity: described(
    Schema.Literals(["business", "personal"]),
    "Personal values are sealed in the store; personal for contacts and contact points unless said.",
  ),
  options: described(Schema.Array(Text), "The choices of an option field."),
  target: described(Schema.Literals(entities), "What a reference points to."),
});

export const accountMatchKeys = ["taxId", "domain", "email", "phone"] as const;
export const contactMatchKeys = ["email", "login", "phone"] as const;

export const PolicyShape = perEntity(EntityPolicyShape);
export const FieldsShape = perEntity(Schema.Record(Schema.String, CustomFieldShape));
export const MatchShape = Schema.Struct({
  account: described(
    Schema.Array(Schema.Literals(accountMatchKeys)),
    "Keys by which two accounts are the same; taxId, domain, email, phone unless said.",
  ),
  contact: described(
    Schema.Array(Schema.Literals(contactMatchKeys)),
    "Keys by which two contacts are the same; email, login, phone unless said.",
  ),
});

/** The whole file; its sections are decoded one by one, so that a fault in one hides none in another. */
export const ConfigShape = Schema.Struct({
  hub: described(HubShape, "The hub itself."),
  serve: described(ServeShape, "How `serve` listens."),
  alerts: described(AlertsShape, "What is told to people while `serve` runs, and how."),
  connections: Schema.Record(Schema.String, ConnectionShape).annotate({
    description: "The tenants that are kept the same, by a name of your own such as zoho-eu.",
  }),
  policy: described(PolicyShape, "Which value survives when two systems changed one field."),
  fields: described(FieldsShape, "Fields of your own, by entity and name."),
  match: described(MatchShape, "By which keys records of different systems are known to be the same."),
});

export type WrittenConfig = typeof ConfigShape.Type;
export type WrittenConnection = typeof ConnectionShape.Type;
export type WrittenLimit = typeof LimitShape.Type;

export const connectionKeys: ReadonlyArray<string> = Object.keys(ConnectionShape.fields);
