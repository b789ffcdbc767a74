/** The tools that one connection is lent, and how far its clock seems to be from ours. */
import type { ConnectionConfig } from "../config/hub-config.ts";
import type { Tools } from "../connector.ts";
import type { HttpRequest } from "../net/http.ts";
import type { Lane } from "../net/lanes.ts";
import { createSkew } from "../net/skew.ts";
import { createTools, type ToolSet } from "../net/tools.ts";
import type { Fence } from "../store/fence.ts";
import type { Lease } from "../store/leases.ts";
import { counterShelf, tokenShelf } from "../store/secrets.ts";
import type { Hub } from "./open.ts";
import { namedHosts } from "./setup.ts";
import { shelfFor } from "./shelf.ts";

export interface LentTools {
  readonly forLane: (lane: Lane) => Tools;
  readonly quota: ToolSet["quota"];
  readonly spent: ToolSet["spent"];
  /** The largest distance between the remote's clock and ours that the answers so far allow; 0 before any of them. */
  readonly skewMs: () => number;
}

export interface Lending {
  /** Ends the calls that are under way, and the waits between two tries. */
  readonly signal?: AbortSignal;
  /** Nothing is sent or kept once the connection may be somebody else's; without one nobody asks. */
  readonly keeping?: Keeping | null;
}

/** What lets this process keep a connection going. */
export interface Keeping {
  readonly lease: Lease;
  readonly fence: Fence;
}

export function toolsFor(
  hub: Pick<Hub, "store" | "clock" | "log" | "once">,
  connection: ConnectionConfig,
  { signal, keeping = null }: Lending = {},
): LentTools {
  const { name, connector, config, limits, timeoutMs } = connection;
  const fence = keeping?.fence ?? null;
  const { forLane, quota, spent } = createTools({
    connection: name,
    limits: { ...connector.limits(config), ...limits },
    allowedHosts: namedHosts(config),
    tokens: tokenShelf(hub.store, name, config, fence),
    counters: counterShelf(hub.store, name, fence),
    clock: hub.clock,
    log: hub.log,
    once: hub.once,
    ...(keeping === null ? {} : guardOf(keeping)),
  });
  const skew = createSkew();
  return {
    forLane: (lane) => {
      const tools = forLane(lane);
      return {
        ...tools,
        ...(connector.resident === true ? { shelf: shelfFor(hub, name) } : {}),
        http: async (request) => {
          const bounded = timeoutMs === null ? request : { timeoutMs, ...request };
          const response = await tools.http(signal === undefined ? bounded : ending(bounded, signal));
          skew.learn(response);
          return response;
        },
      };
    },
    quota,
    spent,
    skewMs: skew.boundMs,
  };
}

const guardOf = ({ lease }: Keeping) => ({
  before: lease.before,
  objection: () => (lease.holds() ? null : "another process may keep the connection going now"),
});

const ending = (request: HttpRequest, signal: AbortSignal): HttpRequest => ({
  ...request,
  signal: request.signal === undefined ? signal : AbortSignal.any([request.signal, signal]),
});
