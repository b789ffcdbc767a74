/** What `syncline demo` does: a whole story in a fresh folder, with simulated vendors on loopback and nothing else. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Effect } from "effect";
import { type Cli, CommandFailed, exit, untilStopped } from "../../core/cli/cli.ts";
import { conflictTable, namesOf } from "../../core/cli/conflicts.ts";
import { printJson, printLines, withHub } from "../../core/cli/context.ts";
import { explanationLines } from "../../core/cli/customers.ts";
import { exportCommand } from "../../core/cli/export.ts";
import { planLines } from "../../core/cli/plan.ts";
import { progressLines } from "../../core/cli/progress.ts";
import { closeSandbox, type Running, startSandbox } from "../../core/cli/sandbox.ts";
import { reportLines } from "../../core/cli/sync.ts";
import { checkup } from "../../core/hub/checkup.ts";
import { explain } from "../../core/hub/explain.ts";
import { createKey } from "../../core/hub/keys.ts";
import { connectHub } from "../../core/hub/open.ts";
import { plan } from "../../core/hub/plan.ts";
import type { Simulator } from "../../core/simulator.ts";
import { freePort } from "../../core/simulator-server.ts";
import { countCanonicals, countConflicts, listConflicts, listDeadLetters, search } from "../../core/store/browse.ts";
import type { SyncReport } from "../../core/sync/sync.ts";
import { type DemoClock, demoClock } from "./clock.ts";
import { type DemoHub, startDemoHub } from "./hub.ts";
import { workADay } from "./people.ts";
import { portalOutcome, workInThePortal } from "./portal.ts";
import { legacyList } from "./seed.ts";
import { type Words, wordsIn } from "./words.ts";
import { demoYaml } from "./yaml.ts";

const folder = ".demo";
const seed = 1;
const hourMs = 3_600_000;
const keyMs = 24 * hourMs;
/** What the demo's connections are called. */
const connectionNames: Readonly<Record<string, string>> = { zoho: "zoho-eu", fxiaoke: "fxiaoke-cn" };

interface Totals {
  readonly name: string;
  pulled: number;
  created: number;
  updated: number;
  deleted: number;
  rejected: number;
}

export interface DemoOptions {
  readonly json: boolean;
  /** End after the story instead of leaving the hub running. */
  readonly once: boolean;
  readonly lang: string;
}

export async function runDemo(cli: Cli, options: DemoOptions): Promise<number> {
  const began = performance.now();
  const words = wordsIn(options.lang);
  const clock = demoClock(cli.clock);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const files = {
    yaml: join(folder, "syncline.yaml"),
    store: join(folder, "hub.db"),
    list: join(folder, "old-list.csv"),
  };
  const quiet: Cli = { ...cli, clock, out: options.json ? async () => {} : cli.out };
  const say = (lines: string | ReadonlyArray<string>): Promise<void> =>
    printLines(quiet, typeof lines === "string" ? [lines] : lines);
  await say([words.title, "", words.starting]);
  const running = await startSandbox({ registry: cli.registry, clock }, { seed, only: "zoho,fxiaoke,scim" });
  const closing: Array<() => Promise<void>> = [];
  try {
    const list = legacyList(seed);
    writeFileSync(files.list, list);
    const port = await freePort();
    writeFileSync(files.yaml, demoYaml(running, files, port));
    for (const { system, simulator } of running)
      simulator.hookTo?.(`http://127.0.0.1:${port}/hooks/${connectionNames[system] ?? system}`);
    await foretell({ cli: quiet, words, running, files, rows: list.trim().split("\n").length - 1, say });
    const demoHub = await startDemoHub(quiet, { yaml: files.yaml, running, clock });
    closing.push(demoHub.serving.close);
    const story = await tell({
      cli: quiet,
      clock,
      words,
      running,
      files,
      say,
      hub: demoHub,
    });
    const { logins, ...figures } = story;
    const result = { ...figures, elapsedMs: Math.round(performance.now() - began) };
    if (options.json) await printJson(cli, result);
    if (!options.once) await stay(cli, { hub: demoHub, words, say });
    const isAtRest = story.agreement === 1 && story.outbox === 0 && story.secondRunWrites === 0;
    return isAtRest && logins.provisioned && logins.deactivated && logins.arrived ? exit.ok : exit.failed;
  } finally {
    for (const close of closing.reverse()) await close();
    await closeSandbox(running);
  }
}

interface Stage {
  readonly cli: Cli;
  readonly words: Words;
  readonly running: ReadonlyArray<Running>;
  readonly files: { readonly yaml: string; readonly store: string; readonly list: string };
  readonly say: (lines: string | ReadonlyArray<string>) => Promise<void>;
}

/** What will happen: check and plan, before anything is written. */
async function foretell(stage: Stage & { readonly rows: number }): Promise<void> {
  const { cli, words, running, files, say } = stage;
  const counts = ["zoho", "fxiaoke"].map((system) => simulatorOf(running, system).screen.list("account").length);
  await say(words.started(running.map(({ system, server }) => `${system} ${server.url}`)));
  await say([words.known(counts[0] ?? 0, counts[1] ?? 0, stage.rows), ""]);
  const global = { config: files.yaml, json: false };
  const progress = progressLines(cli);
  await withHub(cli, global, { mustExist: false, progress: progress.show }, (hub) =>
    Effect.gen(function* () {
      const tellLines = (lines: string | ReadonlyArray<string>) =>
        Effect.promise(async () => {
          progress.end();
          await say(lines);
        });
      yield* tellLines(words.check);
      const live = yield* connectHub(hub);
      const findings = (yield* checkup(hub, live)).filter((finding) => finding.severity === "error");
      if (findings.length > 0) {
        return yield* Effect.fail(
          new CommandFailed(
            findings.map(({ connection, what }) => `${connection}: ${what}`).join("\n"),
            "This is a fault of the demo.",
          ),
        );
      }
      yield* tellLines([words.checked, "", words.plan]);
      const planned = yield* plan(hub, live, { full: false, writesMax: 3 });
      yield* tellLines([...indented(planLines(cli, planned)), plannedTotal(words, planned.connections), ""]);
      yield* Effect.promise(live.close);
    }),
  ).finally(progress.end);
}

/** What happens: the hub runs, people work, webhooks come in, and everything comes to rest. */
async function tell(stage: Stage & { readonly clock: DemoClock; readonly hub: DemoHub }) {
  const { cli, clock, words, running, files, say } = stage;
  const { hub } = stage.hub.serving;
  const ask = <A, E>(work: Effect.Effect<A, E>): Promise<A> => Effect.runPromise(work);
  const zoho = simulatorOf(running, "zoho");
  const fxiaoke = simulatorOf(running, "fxiaoke");
  const directory = simulatorOf(running, "scim");
  const writesNow = (): number => running.reduce((sum, { simulator }) => sum + simulator.traffic().writes, 0);
  const totals = new Map<string, Totals>();

  await say(words.firstSync);
  const firstBegan = performance.now();
  const first = await stage.hub.rest();
  addTo(totals, first);
  const bad = await ask(listDeadLetters(hub, { limit: 100 }));
  await say([
    ...indented(reportLines(cli, first)),
    words.firstDone(
      await ask(countCanonicals(hub, "account")),
      await ask(countCanonicals(hub, "contact")),
      ((performance.now() - firstBegan) / 1000).toFixed(1),
    ),
    words.bad(bad.length),
    ...bad.map(
      (letter) => `     ${letter.connection}${letter.field === "" ? "" : ` ${letter.field}`}: ${letter.reason}`,
    ),
    "",
  ]);

  clock.advance(hourMs);
  const deeds = workADay(zoho, fxiaoke, clock);
  const { server, service } = stage.hub.serving;
  const portal = await workInThePortal({ zoho, directory, hub, url: server.url });
  for (const lane of service.lanes()) lane.ring("push");
  await say([words.day, ...words.deeds(deeds), ...words.portalDeeds(portal), "", words.secondSync]);
  const second = await stage.hub.rest();
  addTo(totals, second);
  clock.advance(hourMs);
  const before = writesNow();
  stage.hub.readOn();
  const last = await stage.hub.rest();
  addTo(totals, last);
  const secondRunWrites = writesNow() - before;
  const logins = portalOutcome({ zoho, fxiaoke, directory });
  await say([
    ...indented(reportLines(cli, second)),
    ...words.portalOutcome(portal, logins),
    words.rest(secondRunWrites),
    "",
  ]);

  await say(words.explain(deeds.contested));
  const [found] = await ask(search(hub, "account", deeds.contested));
  const explained = found === undefined ? null : await ask(explain(hub, found.id, "website"));
  if (explained !== null) await say([...indented(explanationLines(cli, explained, true)), ""]);

  const rows = await ask(listConflicts(hub, { limit: 1000 }));
  const tally = await ask(countConflicts(hub));
  const shown = rows.filter((row) => row.kind === "value").slice(-8);
  const open = rows.filter((row) => row.state === "open" && !shown.includes(row)).slice(0, 6);
  const letters = await ask(listDeadLetters(hub, { limit: 1000 }));
  const listed = [...shown, ...open];
  const names = await ask(namesOf(hub, listed));
  const canonical = {
    accounts: await ask(countCanonicals(hub, "account")),
    contacts: await ask(countCanonicals(hub, "contact")),
  };
  await say([
    words.conflicts(tally.settled, tally.open),
    ...indented(conflictTable(cli, hub.model, { found: listed, names })),
    words.openNote,
    words.agreement(`${(Math.floor(last.agreement.share * 10_000) / 100).toString()} %`, last.outbox, letters.length),
    "",
  ]);
  const output = join(folder, "customers.csv");
  const global = { config: files.yaml, json: false };
  await exportCommand({ ...cli, out: async () => {} }, global, { entity: "account", format: "csv", output });
  await say([words.exported(output, canonical.accounts), words.next(files.yaml)]);
  return {
    connections: [...totals.values()],
    canonical,
    conflicts: { settled: tally.settled, open: tally.open },
    agreement: last.agreement.share,
    outbox: last.outbox,
    deadLetters: letters.length,
    secondRunWrites,
    logins,
  };
}

/** Leaves the hub and the simulated vendors running until somebody stops them. */
async function stay(
  cli: Cli,
  { hub, words, say }: { readonly hub: DemoHub; readonly words: Words; readonly say: Stage["say"] },
): Promise<void> {
  const { server } = hub.serving;
  const expiresAt = hub.serving.hub.clock.now() + keyMs;
  const { text } = await Effect.runPromise(
    createKey(hub.serving.hub, "demo", { name: "demo viewer", role: "viewer", scopes: [], expiresAt }),
  );
  await say(["", ...words.stays(server.url, text)]);
  await untilStopped(cli);
}

function addTo(totals: Map<string, Totals>, report: SyncReport): void {
  for (const { name, pulled, pushed } of report.connections) {
    const total = totals.get(name) ?? { name, pulled: 0, created: 0, updated: 0, deleted: 0, rejected: 0 };
    total.pulled += pulled;
    total.created += pushed.created;
    total.updated += pushed.updated;
    total.deleted += pushed.deleted;
    total.rejected += pushed.rejected;
    totals.set(name, total);
  }
}

function plannedTotal(
  words: Words,
  connections: ReadonlyArray<{ readonly creates: number; readonly updates: number; readonly calls: number }>,
): string {
  const sum = (of: "creates" | "updates" | "calls"): number => connections.reduce((total, one) => total + one[of], 0);
  return words.planned(sum("creates"), sum("updates"), sum("calls"));
}

const indented = (lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.map((line) => (line === "" ? "" : `   ${line}`));

function simulatorOf(running: ReadonlyArray<Running>, system: string): Simulator {
  const found = running.find((one) => one.system === system);
  if (found === undefined) throw new Error(`the demo needs a simulator of ${system}`);
  return found.simulator;
}
