/** One run: a scenario, played to its end, brought to rest, and judged. */

import { Effect } from "effect";
import { replayLog } from "../../core/store/replay.ts";
import { SimulatedHub } from "./hub.ts";
import { Ledger } from "./ledger.ts";
import { type FaultKind, Nemesis } from "./nemesis.ts";
import { type Judgement, judge } from "./oracle.ts";
import { act, answerBrakes, newAccount } from "./people.ts";
import { createRandom } from "./random.ts";
import { brake, busyMs, type Scenario, skewMsMax, systemNames } from "./scenario.ts";
import { snapshotOf } from "./snapshot.ts";
import { styles } from "./styles.ts";
import { System } from "./system.ts";
import { Timeline } from "./timeline.ts";
import { connectorOf } from "./wire.ts";

export interface Outcome extends Judgement {
  readonly seed: number;
  readonly edits: number;
  readonly writes: number;
  readonly faults: Readonly<Record<FaultKind, number>>;
  /** What happened, in order: the line and what it is about. */
  readonly story: ReadonlyArray<{ readonly at: number; readonly line: string; readonly about: string }>;
}

const start = Date.UTC(2026, 0, 5, 9);
/** How long the hub gets to come to rest once nothing goes wrong any more. */
const restMs = 330_000;
/** And then it must write nothing for that long. */
const quietMs = 70_000;
/** How often somebody looks whether a brake waits for him. */
const brakeLookMs = 25_000;
const hookTriesMax = 3;
const hookAgainMs = 10_000;

/** `place`: an empty store; in memory without. */
export async function play(scenario: Scenario, place?: string): Promise<Outcome> {
  const timeline = new Timeline(start);
  const random = createRandom(scenario.seed, "run");
  const story: Array<{ at: number; line: string; about: string }> = [];
  const tell = (line: string, about: string): void => void story.push({ at: timeline.now() - start, line, about });
  const ledger = new Ledger();
  const storms = scenario.storms.map((storm) => ({ ...storm, from: start + storm.from, to: start + storm.to }));
  const { extras } = scenario;
  const nemesis = new Nemesis({
    timeline,
    random: random.fork("nemesis"),
    shares: { ...scenario.shares, twice: extras.twice },
    storms,
    tell,
  });
  const kinds = {
    a: { ...styles.lossy, namesMaster: extras.merging },
    b: styles.seconds,
    c: { ...styles.silent, shifting: extras.shifting },
  };
  const systems: Record<string, System> = {};
  for (const name of systemNames) {
    const skewMs = extras.skewMs[name] ?? 0;
    const system = new System(name, { ...kinds[name], skewMs }, { timeline, ledger, tell });
    system.onShift = () => nemesis.note("page shifted", name, "hub");
    systems[name] = system;
    if (skewMs !== 0) nemesis.note("clock apart", `${name} by ${skewMs} ms`, "hub");
  }
  const { c: third } = systems;
  if (third !== undefined) third.stubborn = scenario.stubborn;
  const hub: SimulatedHub = new SimulatedHub({
    timeline,
    random: random.fork("hub"),
    nemesis,
    tell,
    policy: policyOf(scenario),
    place,
    connections: Object.values(systems).map((system) => ({
      name: system.name,
      connector: connectorOf({
        system,
        timeline,
        ledger,
        nemesis,
        random: random.fork(`wire ${system.name}`),
        life: () => hub.life(),
      }),
      yaml: {
        deletes: scenario.deletes[system.name],
        quarantine: "10s",
        ...(system.style.shifting === true ? { pull: { every: "* * * * *", sweep: "* * * * *" } } : {}),
        ...(system.style.skewMs === 0 ? {} : { skew: `${skewMsMax / 1000}s` }),
        ...(extras.braked
          ? { brake: { share: 0.0001, records: brake.records, window: `${brake.windowMs / 1000}s` } }
          : {}),
      },
    })),
  });
  await hub.open();
  try {
    const couriers = { timeline, nemesis, hub };
    for (const system of Object.values(systems)) if (system.style.webhooks) deliverFor(system, couriers);
    settle(scenario, systems, ledger);
    await timeline.runTo(start + 1);
    hub.start();
    const town = { timeline, ledger, hub, systems, nemesis, tell };
    if (extras.braked) {
      const draw = random.fork("operator");
      for (let at = brakeLookMs; at < busyMs + restMs; at += brakeLookMs) {
        const releases = at > busyMs || draw.chance(0.7);
        timeline.at(start + at, () => answerBrakes(town, releases));
      }
    }
    for (const step of scenario.steps) timeline.at(start + step.at, () => act(town, step));
    for (const crash of scenario.crashes)
      timeline.at(start + crash.at, () => {
        if (!hub.isAlive()) return;
        nemesis.note("crash", "the hub dies", "hub");
        hub.die();
        timeline.at(timeline.now() + crash.downMs, () => hub.start());
      });
    await timeline.runTo(start + busyMs);
    nemesis.rest();
    tell("nothing goes wrong any more", "hub");
    if (!hub.isAlive()) hub.start();
    await wakeAll(hub, timeline);
    await timeline.runTo(start + busyMs + restMs / 2);
    await sweep(hub);
    await timeline.runTo(start + busyMs + restMs);
    await sweep(hub);
    const before = writesOf(systems);
    await timeline.runTo(start + busyMs + restMs + quietMs);
    const lateWrites = writesOf(systems) - before;
    const snapshot = await snapshotOf(hub.store, hub.config.model);
    const replayed = await Effect.runPromise(replayLog({ store: hub.store, model: hub.config.model }, () => {}));
    const judgement = judge({ systems, ledger, nemesis, snapshot, replayed, lateWrites, braked: extras.braked });
    return {
      ...judgement,
      seed: scenario.seed,
      edits: ledger.edits.length,
      writes: writesOf(systems),
      faults: nemesis.counts,
      story: [...story, ...rowsOf(snapshot)],
    };
  } finally {
    await hub.close();
  }
}

/** What the systems hold when the hub comes: some of it in several of them. */
function settle(scenario: Scenario, systems: Readonly<Record<string, System>>, ledger: Ledger): void {
  const random = createRandom(scenario.seed, "settle");
  for (let number = 0; number < scenario.accounts; number++) {
    const domain = `company-${ledger.nextNumber()}.com`;
    const homes = Object.values(systems).filter(() => random.chance(0.6));
    for (const system of homes) system.create("account", newAccount(ledger, domain, random.next()));
  }
}

/** Calls the hub about every change, as well as the way lets it. */
function deliverFor(
  system: System,
  { timeline, nemesis, hub }: { readonly timeline: Timeline; readonly nemesis: Nemesis; readonly hub: SimulatedHub },
): void {
  let number = 0;
  const deliver = async (key: string, body: string, tries: number): Promise<void> => {
    const service = hub.service();
    if (service === null) {
      if (tries < hookTriesMax) timeline.at(timeline.now() + hookAgainMs, () => void deliver(key, body, tries + 1));
      return;
    }
    const call = { headers: {}, query: {}, body: Buffer.from(body), receivedAt: timeline.now() };
    service.receiver.take({ connection: system.name, key, call }).then(
      () => timeline.touch(),
      () => {
        timeline.touch();
        if (tries < hookTriesMax) timeline.at(timeline.now() + hookAgainMs, () => void deliver(key, body, tries + 1));
      },
    );
  };
  system.onChange = (entity, id) => {
    number += 1;
    const key = `${system.name}-${number}`;
    const body = JSON.stringify({ type: `${entity}.updated`, data: { id } });
    for (const at of nemesis.hookTimes(system)) timeline.at(at, () => void deliver(key, body, 0));
  };
}

/** An operator who knows that all is well again lets no connection wait for the end of its backoff. */
async function wakeAll(hub: SimulatedHub, timeline: Timeline): Promise<void> {
  await timeline.runTo(timeline.now() + 5_000);
  const service = hub.service();
  if (service === null) return;
  for (const name of systemNames) {
    void Effect.runPromise(Effect.andThen(service.pause(name, "simulation"), service.resume(name, "simulation")));
  }
}

async function sweep(hub: SimulatedHub): Promise<void> {
  const service = hub.service();
  if (service === null) return;
  for (const name of systemNames) void Effect.runPromise(service.syncNow(name, true, "simulation"));
}

const writesOf = (systems: Readonly<Record<string, System>>): number =>
  Object.values(systems).reduce((sum, system) => sum + system.arrivals.length, 0);

function policyOf({ manual, stubborn }: Scenario): Readonly<Record<string, unknown>> {
  const prefer = { prefer: [...systemNames] };
  const fields = {
    ...(manual ? { industry: "manual" } : {}),
    // The hub corrects what the workflow puts back: that is a war.
    ...(stubborn ? { phone: [{ only: "a" }, "newest", prefer] } : {}),
  };
  return { account: { default: ["newest", prefer], fields }, contact: { default: ["newest", prefer] } };
}

/** The hub's own rows, for the story of a violation. */
function rowsOf(snapshot: Awaited<ReturnType<typeof snapshotOf>>): Outcome["story"] {
  return [
    ...snapshot.changes.map((change) => ({
      at: change.at - start,
      line: `log: ${change.kind} ${change.connection}/${change.remoteId ?? ""} ${JSON.stringify({ from: change.from, news: change.news, set: change.set, note: change.note })}`,
      about: change.canonicalId ?? `${change.connection}/${change.remoteId ?? ""}`,
    })),
    ...snapshot.audit.flatMap(({ at, action, subject, intent }) =>
      intent === null ? [] : [{ at: at - start, line: `audit: ${action} ${subject} (${intent})`, about: intent }],
    ),
    ...snapshot.conflicts.map((row) => ({
      at: row.openedAt - start,
      line: `row: ${row.kind} ${row.field ?? ""} ${row.state} ${row.rule ?? ""} ${row.reason} ${JSON.stringify(row.candidates)} -> ${JSON.stringify(row.result)}`,
      about: row.canonicalId ?? `${row.connection ?? ""}/${row.remoteId ?? ""}`,
    })),
  ];
}
