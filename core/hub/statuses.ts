/** What every connection does: as its lane knows it, as another process has noted it, or asleep in the store. */
import { Effect } from "effect";
import { readConnections } from "../store/connections.ts";
import { readCensus, type Who } from "../store/processes.ts";
import type { Lane } from "./lane.ts";
import type { Hub } from "./open.ts";
import type { ConnectionStatus } from "./service.ts";

type Noted = Effect.Success<ReturnType<typeof readConnections>>[number];

/** Errors  StoreFailed. */
export const statuses = (hub: Hub, lanes: ReadonlyMap<string, Lane>) =>
  Effect.gen(function* () {
    const rows = yield* readConnections(hub.store.database);
    const isShared = [...lanes.values()].some((lane) => lane.keeping === null);
    const census = isShared ? yield* readCensus(hub.store.database) : null;
    const noted = new Map(rows.map((row) => [row.name, row]));
    const named = [...lanes.values()].map((lane) =>
      lane.keeping === null ? elsewhere(lane, noted.get(lane.name), census?.holderOf(lane.name)) : lane.status(),
    );
    const asleep = rows
      .filter(({ name }) => !lanes.has(name))
      .map(
        ({ name, system }): ConnectionStatus => ({
          name,
          system,
          state: "sleeping",
          reason: "it is gone from the YAML; its links are kept",
          until: null,
          busyWith: [],
          nextPullAt: null,
          nextSweepAt: null,
          channel: null,
          elsewhere: null,
        }),
      );
    return [...named, ...asleep] as ReadonlyArray<ConnectionStatus>;
  });

const states: Readonly<Record<string, ConnectionStatus["state"]>> = {
  active: "running",
  paused: "waiting",
  held: "held",
  failing: "failing",
};

function elsewhere(lane: Lane, row: Noted | undefined, holder: Who | undefined): ConnectionStatus {
  const own = lane.status();
  const stoppedBy = row?.stoppedBy ?? null;
  const place = holder === undefined ? null : { pid: holder.pid, host: holder.host };
  if (stoppedBy !== null) return { ...own, state: "stopped", reason: `stopped by ${stoppedBy}`, elsewhere: place };
  return {
    ...own,
    state: holder === undefined ? "failing" : (states[row?.state ?? "active"] ?? "running"),
    reason: holder === undefined ? "no process keeps it going yet" : (row?.reason ?? null),
    until: row?.pausedUntil ?? null,
    elsewhere: place,
  };
}
