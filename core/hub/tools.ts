/** The tools that one connection is lent, and how far its clock seems to be from ours. */
import type { ConnectionConfig } from "../config/hub-config.ts";
import type { HttpResponse, Tools } from "../connector.ts";
import { createTools } from "../net/tools.ts";
import { counterShelf, tokenShelf } from "../store/secrets.ts";
import type { Hub } from "./open.ts";
import { namedHosts } from "./setup.ts";

export interface LentTools {
  readonly tools: Tools;
  /** The largest distance between the remote's clock and ours that the answers so far allow; 0 before any of them. */
  readonly skewMs: () => number;
}

export function toolsFor(hub: Pick<Hub, "store" | "clock" | "log">, connection: ConnectionConfig): LentTools {
  const { name, connector, config, limits, timeoutMs } = connection;
  const tools = createTools({
    connection: name,
    limits: { ...connector.limits(config), ...limits },
    allowedHosts: namedHosts(config),
    tokens: tokenShelf(hub.store, name),
    counters: counterShelf(hub.store, name),
    clock: hub.clock,
    log: hub.log,
  });
  const skew = createSkew();
  return {
    tools: {
      ...tools,
      http: async (request) => {
        const response = await tools.http(timeoutMs === null ? request : { timeoutMs, ...request });
        skew.learn(response);
        return response;
      },
    },
    skewMs: skew.boundMs,
  };
}

/** A Date header names a whole second. */
const grainMs = 1000;

/**
 * Each answer's Date header leaves an interval for how far the remote's clock is ahead of ours; the intersection of all
 * is kept, so that the bound narrows from call to call. A clock that was set makes it empty, and it begins anew.
 */
function createSkew() {
  let least = Number.NEGATIVE_INFINITY;
  let most = Number.POSITIVE_INFINITY;
  return {
    learn: ({ remoteNow, began, ended }: HttpResponse): void => {
      if (remoteNow === undefined) return;
      const [low, high] = [remoteNow - ended, remoteNow + grainMs - began];
      const isApart = low > most || high < least;
      least = isApart ? low : Math.max(least, low);
      most = isApart ? high : Math.min(most, high);
    },
    boundMs: (): number => (most === Number.POSITIVE_INFINITY ? 0 : Math.max(Math.abs(least), Math.abs(most))),
  };
}
