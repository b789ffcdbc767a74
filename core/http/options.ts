/** What the API is given by whoever runs it. */
import type { Context, Hono } from "hono";
import type { Clock, Log } from "../connector.ts";
import type { Service } from "../hub/service.ts";
import type { Encoder } from "../plugin.ts";
import type { Role } from "../security/roles.ts";
import type { Answer } from "../watch/counters.ts";
import type { Rate } from "./buckets.ts";

/** Why somebody was not let in. */
export type Refusal = "missing" | "unknown" | "expired" | "revoked";

export interface AppOptions {
  readonly service: Service;
  /** Export formats by their names. */
  readonly encoders: ReadonlyMap<string, Encoder>;
  readonly clock: Clock;
  readonly log: Log;
  /** The hub's version, for the reference. */
  readonly version: string;
  /** Adds what is served beside the API without a key (webhooks, health, metrics), such as `(app) => app.route("/", hooks)`. */
  readonly hooks?: (app: Hono) => void;
  /** The hub speaks TLS itself, so browsers may be told to stay with it. */
  readonly tls?: boolean;
  /** Web origins whose pages may call the API, such as https://tools.example.com; none unless said. */
  readonly origins?: ReadonlyArray<string>;
  /** Requests a key may make, by role. */
  readonly rates?: Partial<Readonly<Record<Role, Rate>>>;
  /** Whom a request comes from; the socket's address unless said, which behind a proxy is the proxy's. */
  readonly addressOf?: (context: Context) => string;
  /** Told of every call without a good key, for alerts. */
  readonly onRefused?: (kind: Refusal, address: string) => void;
  /** Told of every answer, for metrics. */
  readonly onAnswered?: (answer: Answer) => void;
}

export const ratesUnlessSaid: Readonly<Record<Role, Rate>> = {
  viewer: { perMinute: 300, burst: 60 },
  analyst: { perMinute: 300, burst: 60 },
  steward: { perMinute: 600, burst: 120 },
  operator: { perMinute: 600, burst: 120 },
  auditor: { perMinute: 300, burst: 60 },
  // Entra ID sends up to 25 requests a second.
  provisioner: { perMinute: 6_000, burst: 600 },
  admin: { perMinute: 600, burst: 120 },
};

/** Calls without a good key that one address may make before it has to wait. */
export const refusedRate: Rate = { perMinute: 10, burst: 20 };
