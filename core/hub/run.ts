/** One sync under the store's lease; connections that could not be reached are part of its report. */
import { Effect } from "effect";
import { noCounts } from "../model/world.ts";
import { countRun, type RunTally } from "../store/browse.ts";
import { noteConnections } from "../store/connections.ts";
import { withLease } from "../store/lease.ts";
import { type ConnectionReport, outcomeOf, type SyncOptions, type SyncReport, sync } from "../sync/sync.ts";
import { connectHub, type Hub, type Unreachable } from "./open.ts";

export interface RunReport extends SyncReport {
  readonly found: RunTally;
}

export interface RunOptions {
  /** Only these connections; all without. */
  readonly names?: ReadonlyArray<string>;
  /** Full sweep beside the live pull. */
  readonly full: boolean;
  /** What may be written; all that is due without it. */
  readonly permit?: SyncOptions["permit"];
}

/**
 * Connects and syncs.
 *
 * Errors  StoreBusy when another process runs the moves, StoreFailed. Faults of systems are outcomes in the report.
 */
export const runSync = Effect.fn("hub.run")(function* (hub: Hub, options: RunOptions) {
  const work = Effect.acquireUseRelease(
    connectHub(hub, options.names),
    Effect.fnUntraced(function* (live) {
      const report = yield* sync(live.engine, {
        full: options.full,
        pushes: true,
        ...(options.permit === undefined ? {} : { permit: options.permit }),
      });
      const failed = live.unreachable.map(reportOf);
      yield* noteConnections(
        hub.store.database,
        failed.map(({ name, outcome }) => ({ name, system: systemOf(hub, name), outcome })),
      );
      const found = yield* countRun(hub, report.run);
      return { ...inOrder(hub, { ...report, connections: [...report.connections, ...failed] }), found };
    }),
    (live) => Effect.promise(live.close),
  );
  return yield* withLease(hub.store.database, "sync", work);
});

const systemOf = (hub: Hub, name: string): string =>
  hub.config.connections.find((connection) => connection.name === name)?.use ?? "";

function reportOf({ name, failure }: Unreachable): ConnectionReport {
  return {
    name,
    pulled: 0,
    applied: noCounts(),
    pushed: { created: 0, updated: 0, deleted: 0, rejected: 0 },
    vanished: 0,
    unclear: null,
    outcome: outcomeOf(failure),
  };
}

function inOrder(hub: Hub, report: SyncReport): SyncReport {
  const order = hub.settings.order;
  return {
    ...report,
    connections: report.connections.toSorted((one, other) => order.indexOf(one.name) - order.indexOf(other.name)),
  };
}
