/** The configuration after reading: checked, complete, with every default filled in. */
import type { Connector } from "../connector.ts";
import type { Entity, Model } from "../model/field.ts";
import type { Filter } from "../model/filter.ts";
import type { Policy } from "../model/policy.ts";
import type { MapOverride } from "../model/settings.ts";
import type { Limits } from "../net/http.ts";
import type { NotificationChannel } from "../plugin.ts";
import type { AlertRule } from "./alerts-shape.ts";

export type MatchKeys = Readonly<Record<Entity, ReadonlyArray<string>>>;

export interface ConnectionConfig {
  readonly name: string;
  readonly use: string;
  readonly connector: Connector;
  /** The connector's own keys, decoded by its schema. Holds secrets. */
  readonly config: unknown;
  /** Cron expressions in the hub's time zone; null for "only on request". */
  readonly pull: { readonly every: string | null; readonly sweep: string | null };
  readonly push: boolean;
  /** `own`: as the system calls by itself. `signed`: Standard Webhooks with one of the secrets. */
  readonly webhook:
    | { readonly kind: "none" }
    | { readonly kind: "own" }
    | { readonly kind: "signed"; readonly secrets: ReadonlyArray<string> };
  readonly deletes: "detach" | "archive" | "propagate" | "ignore";
  readonly deleteAgainstUpdate: "keep" | "delete" | "ask";
  readonly duplicates: "ask" | "separate" | "fold";
  readonly quarantineMs: number;
  /** How far the system's clock may be from the hub's, whatever its answers tell. */
  readonly skewMs: number;
  readonly map: Partial<Record<Entity, Readonly<Record<string, MapOverride>>>>;
  readonly key: Partial<Record<Entity, string>>;
  readonly create: Partial<Record<Entity, boolean | Filter>>;
  /** Lower-case e-mail addresses of the hub to those (or ids) of the system. */
  readonly owners: Readonly<Record<string, string>>;
  readonly defaultOwner: string | undefined;
  readonly country: string;
  readonly currency: string;
  /** In place of the connector's own limits of the same name. */
  readonly limits: Limits;
  readonly brake: { readonly share: number; readonly records: number; readonly windowMs: number };
  /** Null where the connector's own value holds. */
  readonly lookbackMs: number | null;
  readonly timeoutMs: number | null;
}

/** How the hub listens. */
export interface ServeConfig {
  /** Where it is reached from outside, without a slash at the end; null where nobody said. */
  readonly url: string | null;
  readonly host: string;
  readonly port: number;
  readonly tls: { readonly cert: string; readonly key: string } | null;
  readonly origins: ReadonlyArray<string>;
  /** Private hosts that alerts may be sent to. */
  readonly hosts: ReadonlyArray<string>;
  /** A process that was silent for so long is replaced by another one. */
  readonly leaseMs: number;
}

/** Limits of the alert rules; null where a rule is off. */
export interface AlertLimits {
  readonly failing: { readonly forMs: number } | null;
  readonly agreement: { readonly below: number } | null;
  readonly outbox: { readonly olderMs: number } | null;
  readonly brake: boolean;
  readonly conflicts: { readonly count: number; readonly withinMs: number } | null;
  readonly deadLetters: { readonly above: number } | null;
  readonly channel: boolean;
  readonly signIns: { readonly count: number; readonly withinMs: number } | null;
  readonly exports: { readonly count: number; readonly withinMs: number } | null;
  readonly store: boolean;
}

/** Who is told. */
export interface ChannelConfig {
  readonly name: string;
  readonly use: string;
  readonly plugin: NotificationChannel;
  /** The plugin's own keys, decoded by its schema. Holds secrets. */
  readonly config: unknown;
  readonly language: "en" | "zh";
  /** Null for all. */
  readonly rules: ReadonlyArray<AlertRule> | null;
}

export interface AlertsConfig {
  readonly repeatMs: number;
  readonly limits: AlertLimits;
  readonly channels: ReadonlyArray<ChannelConfig>;
}

export interface HubConfig {
  readonly hub: {
    readonly name: string;
    readonly store: string;
    readonly country: string;
    readonly currency: string;
    readonly timeZone: string;
  };
  readonly serve: ServeConfig;
  readonly alerts: AlertsConfig;
  /** In the order of the YAML, which is the fixed tie-break. */
  readonly connections: ReadonlyArray<ConnectionConfig>;
  readonly policy: Policy;
  readonly model: Model;
  readonly match: MatchKeys;
}
