/** What the core lends to one connection. */
import type { Clock, Log, Tools } from "../connector.ts";
import { createHttp } from "./client.ts";
import type { Limits } from "./http.ts";
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
}

export function createTools(options: ToolsOptions): Tools {
  const { connection, clock, log, tokens } = options;
  return { connection, http: createHttp(options), tokens: createTokens(tokens, clock), clock, log };
}
