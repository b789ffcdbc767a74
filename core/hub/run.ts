/** One sync under the store's lease; connections that could not be reached are part of its report. */
import { Effect } from "effect";
import { noCounts } from "../model/world.ts";
import { linkAudit } from "../store/audit.ts";
import { countRun, type RunTally } from "../store/browse.ts";
import { noteConnections } from "../store/connections.ts";
import { behind } from "../store/fence.ts";
import { type Lease, type Member, withStore } from "../store/leases.ts";
import { StoreBusy, upkeepRole } from "../store/processes.ts";
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
  const { database } = hub.store;
  const named = hub.config.connections.map((one) => one.name);
  const chosen = named.filter((name) => options.names === undefined || options.names.includes(name));
  return yield* withStore(
    database,
    { command: "sync" },
    Effect.fnUntraced(function* (member) {
      const leases = yield* member.take(chosen);
      const report = yield* behind(member.fence(leases))(syncWith(hub, options, member, leases));
      yield* linkWhereAllowed(hub, member);
      return report;
    }),
  );
});

const syncWith = (hub: Hub, options: RunOptions, member: Member, leases: ReadonlyArray<Lease>) =>
  Effect.acquireUseRelease(
    connectHub(hub, options.names, (name) => {
      const lease = leases.find((one) => one.name === name);
      return lease === undefined ? null : { lease, fence: member.fence([lease]) };
    }),
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
      for (const { name } of leases) yield* member.release(name, live.spent(name));
      return { ...inOrder(hub, { ...report, connections: [...report.connections, ...failed] }), found };
    }),
    (live) => Effect.promise(live.close),
  );

/** A hub that runs beside this links by itself. */
const linkWhereAllowed = Effect.fnUntraced(function* (hub: Hub, member: Member) {
  const taken = yield* Effect.result(member.take([upkeepRole]));
  if (taken._tag === "Success") yield* linkAudit(hub.store.database);
  else if (!(taken.failure instanceof StoreBusy)) return yield* Effect.fail(taken.failure);
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
