/** The hub of the demo: `serve` in this process, and a way to wait until it has nothing left to do. */
import { Effect } from "effect";
import type { Cli } from "../../core/cli/cli.ts";
import { readYaml } from "../../core/cli/context.ts";
import type { Running } from "../../core/cli/sandbox.ts";
import { type Serving, startServing } from "../../core/cli/serve.ts";
import type { ServiceEvent } from "../../core/hub/events.ts";
import type { RunReport } from "../../core/hub/run.ts";
import { noCounts } from "../../core/model/world.ts";
import { countRun } from "../../core/store/browse.ts";
import { outbox } from "../../core/store/tables.ts";
import { measureAgreement } from "../../core/sync/agreement.ts";
import { addCounts } from "../../core/sync/apply.ts";
import type { ConnectionReport } from "../../core/sync/sync.ts";
import type { DemoClock } from "./clock.ts";

export interface DemoHub {
  readonly serving: Serving;
  /** Waits until nothing is under way and nothing is due; then tells what was done since the last call. */
  readonly rest: () => Promise<RunReport>;
  /** Makes every connection read on. */
  readonly readOn: () => void;
}

const lookMs = 20;
const looksMax = 3000;
/** What is due later, such as what a system's index does not show yet, is waited for by moving the clock. */
const waitsMax = 12;
const waitMs = 10 * 60_000;

export async function startDemoHub(
  cli: Cli,
  options: { readonly yaml: string; readonly running: ReadonlyArray<Running>; readonly clock: DemoClock },
): Promise<DemoHub> {
  const { running, clock } = options;
  let events: Array<ServiceEvent> = [];
  const serving = await startServing(cli, {
    read: () => readYaml(cli, { config: options.yaml, json: false }),
    listeners: [(event) => events.push(event)],
  });
  const { service, hub } = serving;
  const { database } = hub.store;
  const due = () => Effect.runPromise(database.read("counting", async () => database.db.$count(outbox)));

  const isBusy = async (): Promise<boolean> => {
    if (service.lanes().length < hub.config.connections.length) return true;
    return (await Promise.all(service.lanes().map((lane) => lane.isIdle()))).includes(false);
  };

  const settle = async (): Promise<void> => {
    let quiet = 0;
    for (let looks = 0; looks < looksMax && quiet < 3; looks += 1) {
      for (const { courier } of running) await courier?.deliver();
      quiet = (await isBusy()) ? 0 : quiet + 1;
      await cli.clock.sleep(lookMs);
    }
  };

  return {
    serving,
    readOn: () => {
      for (const lane of service.lanes()) lane.request(false);
    },
    rest: async () => {
      await settle();
      for (let waits = 0; waits < waitsMax && (await due()) > 0; waits += 1) {
        clock.advance(waitMs);
        for (const lane of service.lanes()) for (const loop of ["inbox", "push"] as const) lane.ring(loop);
        await settle();
      }
      const told = events;
      events = [];
      return reportOf(serving, told, await due());
    },
  };
}

/** What all connections did, as a sync would report it. */
async function reportOf(
  { hub, service }: Serving,
  events: ReadonlyArray<ServiceEvent>,
  left: number,
): Promise<RunReport> {
  const found = { filled: 0, settled: 0, opened: 0, deadLetters: 0 };
  const runs = new Set(events.flatMap((event) => ("run" in event ? [event.run] : [])));
  for (const run of runs) {
    const tally = await Effect.runPromise(countRun(hub, run));
    found.filled += tally.filled;
    found.settled += tally.settled;
    found.opened += tally.opened;
    found.deadLetters = tally.deadLetters;
  }
  const names = hub.config.connections.map((one) => one.name);
  const agreement = await Effect.runPromise(measureAgreement(service.engine(), names));
  const run = [...runs].at(-1) ?? "";
  return { run, connections: names.map((name) => together(name, events)), agreement, outbox: left, found };
}

function together(name: string, events: ReadonlyArray<ServiceEvent>): ConnectionReport {
  const applied = noCounts();
  const pushed = { created: 0, updated: 0, deleted: 0, rejected: 0 };
  let pulled = 0;
  let vanished = 0;
  let outcome: ConnectionReport["outcome"] = { kind: "ok" };
  for (const event of events) {
    if (!("connection" in event) || event.connection !== name) continue;
    if (event.kind === "pulled") {
      pulled += event.report.pulled;
      vanished += event.report.vanished;
      outcome = event.report.outcome;
      addCounts(applied, event.report.applied);
    } else if (event.kind === "read") {
      pulled += event.records;
      addCounts(applied, event.counts);
    } else if (event.kind === "pushed") {
      for (const key of ["created", "updated", "deleted", "rejected"] as const) pushed[key] += event.counts[key];
    }
  }
  return { name, pulled, applied, pushed, vanished, unclear: null, outcome };
}
