/** What the core lends to one connection. */
import type { Clock, Log, Tools } from "../connector.ts";
import { createHttp, type HttpClient, type HttpOptions } from "./client.ts";
import type { Limits } from "./http.ts";
import type { Lane } from "./lanes.ts";
import type { Counters } from "./limits.ts";
import { createTokens, type Shelf } from "./tokens.ts";

export interface ToolsOptions {
  /** The connection's name. */
  readonly connection: string;
  /** The connector's limits, with the overrides of the YAML. */
  readonly limits: Limits;
  /** Hosts that the operator's YAML names (`host` or `host:port`). */
  readonly allowedHosts: ReadonlyArray<string>;
  readonly tokens: Shelf;
  readonly counters: Counters;
  readonly clock: Clock;
  readonly log: Log;
  /** Calls are made once, for a person who waits. */
  readonly once?: boolean;
  readonly before?: HttpOptions["before"];
  readonly objection?: HttpOptions["objection"];
}

/** The tools of one connection, for every lane over the same limits and tokens. */
export interface ToolSet {
  readonly forLane: (lane: Lane) => Tools;
  /** What is left of the daily budgets. */
  readonly quota: HttpClient["quota"];
  /** The calls of the last while, for whoever goes on with the connection. */
  readonly spent: HttpClient["spent"];
}

export function createTools(options: ToolsOptions): ToolSet {
  const { connection, clock, log, tokens } = options;
  const { http, quota, spent } = createHttp(options);
  const shared = { connection, tokens: createTokens(tokens, clock), clock, log };
  return { forLane: (lane) => ({ ...shared, http: (request) => http(request, lane) }), quota, spent };
}
