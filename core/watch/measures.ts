/** What a running hub looks like at one moment: read from the service and the store at once, for metrics and alerts. */
import { Effect } from "effect";
import type { Clock } from "../connector.ts";
import type { ConnectionStatus } from "../hub/service.ts";
import type { RunningService } from "../hub/start-service.ts";
import { type ConnectionCounts, type OpenConflicts, readCounts } from "../store/measures.ts";
import type { Measured } from "./agreement.ts";

export interface ConnectionMeasures extends Omit<ConnectionCounts, "outboxDueAt" | "postponed"> {
  readonly name: string;
  readonly system: string;
  readonly state: ConnectionStatus["state"];
  readonly reason: string | null;
  /** This process keeps it going; another one does, or none, where not. */
  readonly isOurs: boolean;
  /** Since when something waits to be written. */
  readonly outboxSince: number | null;
  /** Daily budgets by name of the limit. */
  readonly quota: Readonly<Record<string, { readonly used: number; readonly of: number }>>;
  readonly agreement: Measured | null;
}

export interface Measures {
  readonly at: number;
  readonly connections: ReadonlyArray<ConnectionMeasures>;
  readonly openConflicts: ReadonlyArray<OpenConflicts>;
}

/** Fewer looks than askers: several scrapers, and the alerts, share one. */
const freshMs = 5_000;
/** A postponed record that is not seen for that long has been written. */
const forgetMs = 60_000;

export interface Measuring {
  /** Errors  StoreFailed. */
  readonly read: () => Promise<Measures>;
  /** Something has happened that a look of seconds ago does not show. */
  readonly forget: () => void;
}

export function createMeasures(
  service: Pick<RunningService, "hub" | "lanes" | "connections">,
  agreement: () => ReadonlyMap<string, Measured>,
  clock: Clock,
): Measuring {
  const waiting = createWaiting();
  let latest: Promise<Measures> | null = null;
  let takenAt = Number.NEGATIVE_INFINITY;

  const take = async (): Promise<Measures> => {
    const statuses = await Effect.runPromise(service.connections());
    const now = clock.now();
    const names = statuses.map((status) => status.name);
    const counts = await Effect.runPromise(readCounts(service.hub().store.database, names, now));
    const lanes = new Map(service.lanes().map((lane) => [lane.name, lane]));
    const connections: Array<ConnectionMeasures> = [];
    for (const { name, system, state, reason } of statuses) {
      const counted = counts.connections.get(name);
      if (counted === undefined) continue;
      const { outboxDueAt, postponed, ...rest } = counted;
      connections.push({
        name,
        system,
        state,
        reason,
        isOurs: (lanes.get(name)?.keeping ?? null) !== null,
        ...rest,
        outboxSince: waiting.since({ name, dueAt: outboxDueAt, postponed, now }),
        quota: (await lanes.get(name)?.quota()) ?? {},
        agreement: agreement().get(name) ?? null,
      });
    }
    return { at: now, connections, openConflicts: counts.openConflicts };
  };

  /** States of our own are in memory, so they are as of now. */
  const withStates = (measures: Measures): Measures => {
    const ours = service.lanes().filter((lane) => lane.keeping !== null);
    const present = new Map(ours.map((lane) => [lane.name, lane.status()]));
    const connections = measures.connections.map((one) => {
      const { state, reason } = present.get(one.name) ?? one;
      return { ...one, state, reason };
    });
    return { ...measures, connections };
  };

  return {
    forget: () => {
      takenAt = Number.NEGATIVE_INFINITY;
    },
    read: () => {
      const now = clock.now();
      if (latest === null || now - takenAt > freshMs) {
        takenAt = now;
        latest = take();
        // A failure is told to those who wait for it, and tried again by the next.
        latest.catch(() => {
          latest = null;
        });
      }
      return latest.then(withStates);
    },
  };
}

interface Waiting {
  readonly name: string;
  readonly dueAt: number | null;
  readonly postponed: ReadonlyArray<string>;
  readonly now: number;
}

/** A record that is tried again is due later each time, so it is remembered here since when it waits. */
function createWaiting() {
  const firstSeen = new Map<string, Map<string, { readonly at: number; seenAt: number }>>();
  return {
    since: ({ name, dueAt, postponed, now }: Waiting): number | null => {
      const known = firstSeen.get(name) ?? new Map<string, { readonly at: number; seenAt: number }>();
      firstSeen.set(name, known);
      for (const id of postponed) {
        const seen = known.get(id);
        if (seen === undefined) known.set(id, { at: now, seenAt: now });
        else seen.seenAt = now;
      }
      for (const [id, { seenAt }] of known) if (dueAt === null || now - seenAt > forgetMs) known.delete(id);
      if (dueAt === null) return null;
      const [oldest] = known.values();
      return Math.min(dueAt, oldest?.at ?? now, now);
    },
  };
}
