/** The tools that one connection is lent, and how far its clock seems to be from ours. */
import type { ConnectionConfig } from "../config/hub-config.ts";
import type { HttpResponse, Tools } from "../connector.ts";
import { createTools } from "../net/tools.ts";
import { counterShelf, tokenShelf } from "../store/secrets.ts";
import type { Hub } from "./open.ts";
import { namedHosts } from "./setup.ts";

export interface LentTools {
  readonly tools: Tools;
  /** The largest distance between the remote's clock and ours that the answers so far allow; 0 before any. */
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
  let skewMs = 0;
  return {
    tools: {
      ...tools,
      http: async (request) => {
        const response = await tools.http(timeoutMs === null ? request : { timeoutMs, ...request });
        skewMs = Math.max(skewMs, skewOf(response));
        return response;
      },
    },
    skewMs: () => skewMs,
  };
}

/** Below this nobody can tell a skew from the whole seconds of a Date header. */
const grainMs = 1000;

/** The remote's clock showed some moment of the second `remoteNow` while our call was under way. */
function skewOf({ remoteNow, began, ended }: HttpResponse): number {
  if (remoteNow === undefined) return 0;
  const ahead = remoteNow - ended;
  const behind = began - (remoteNow + grainMs);
  return Math.max(0, ahead, behind);
}
