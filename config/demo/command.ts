/** `syncline demo`: a whole story in a fresh folder, with simulated vendors on loopback and nothing else. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Effect } from "effect";
import { type Cli, CommandFailed, exit } from "../../core/cli/cli.ts";
import { conflictTable, namesOf } from "../../core/cli/conflicts.ts";
import { printJson, printLines, withHub } from "../../core/cli/context.ts";
import { explanationLines } from "../../core/cli/customers.ts";
import { exportCommand } from "../../core/cli/export.ts";
import type { ExtraCommand } from "../../core/cli/program.ts";
import { progressLines } from "../../core/cli/progress.ts";
import { closeSandbox, type Running, startSandbox } from "../../core/cli/sandbox.ts";
import { planLines, reportLines } from "../../core/cli/sync.ts";
import { checkup } from "../../core/hub/checkup.ts";
import { explain } from "../../core/hub/explain.ts";
import { connectHub, type Hub } from "../../core/hub/open.ts";
import { plan } from "../../core/hub/plan.ts";
import { type RunReport, runSync } from "../../core/hub/run.ts";
import type { Simulator } from "../../core/simulator.ts";
import { countCanonicals, countConflicts, listConflicts, listDeadLetters, search } from "../../core/store/browse.ts";
import type { SyncReport } from "../../core/sync/sync.ts";
import { type DemoClock, demoClock } from "./clock.ts";
import { workADay } from "./people.ts";
import { legacyList } from "./seed.ts";
import { type Words, wordsIn } from "./words.ts";
import { demoYaml } from "./yaml.ts";

const folder = ".demo";
const seed = 1;
/** A sync may leave work for the next one, such as what a system's index does not show yet. */
const roundsMax = 5;
const hourMs = 3_600_000;

export const demo: ExtraCommand = {
  name: "demo",
  description: "tell the whole story with simulated CRMs; nothing else is needed",
  options: [
    { flags: "--once", description: "end after the story" },
    { flags: "--lang <language>", description: "en or zh; the locale's unless said" },
  ],
  run: (cli, options) => runDemo(cli, { json: options.json, lang: languageOf(cli, options.lang) }),
};

const languageOf = (cli: Cli, told: unknown): string =>
  typeof told === "string" ? told : /^zh/i.test(cli.env.LC_ALL ?? cli.env.LANG ?? "") ? "zh" : "en";

interface Totals {
  readonly name: string;
  pulled: number;
  created: number;
  updated: number;
  deleted: number;
  rejected: number;
}

async function runDemo(cli: Cli, options: { readonly json: boolean; readonly lang: string }): Promise<number> {
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
  const running = await startSandbox({ registry: cli.registry, clock }, { seed, only: "zoho,fxiaoke" });
  try {
    const list = legacyList(seed);
    writeFileSync(files.list, list);
    writeFileSync(files.yaml, demoYaml(running, files));
    const story = await tell({
      cli: quiet,
      clock,
      words,
      running,
      files,
      rows: list.trim().split("\n").length - 1,
      say,
    });
    const result = { ...story, elapsedMs: Math.round(performance.now() - began) };
    if (options.json) await printJson(cli, result);
    return story.agreement === 1 && story.outbox === 0 && story.secondRunWrites === 0 ? exit.ok : exit.failed;
  } finally {
    await closeSandbox(running);
  }
}

interface Stage {
  readonly cli: Cli;
  readonly clock: DemoClock;
  readonly words: Words;
  readonly running: ReadonlyArray<Running>;
  readonly files: { readonly yaml: string; readonly store: string; readonly list: string };
  readonly rows: number;
  readonly say: (lines: string | ReadonlyArray<string>) => Promise<void>;
}

async function tell(stage: Stage) {
  const { cli, words, running, files, say } = stage;
  const zoho = simulatorOf(running, "zoho");
  const fxiaoke = simulatorOf(running, "fxiaoke");
  const counts = [zoho, fxiaoke].map((simulator) => simulator.screen.list("account").length);
  await say(words.started(running.map(({ system, server }) => `${system} ${server.url}`)));
  await say([words.known(counts[0] ?? 0, counts[1] ?? 0, stage.rows), ""]);
  const progress = progressLines(cli);
  const global = { config: files.yaml, json: false };
  const totals = new Map<string, Totals>();
  const story = await withHub(cli, global, { mustExist: false, progress: progress.show }, (hub) =>
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

      yield* tellLines(words.firstSync);
      const firstBegan = performance.now();
      const first = yield* syncUntilDone(hub, totals, stage.clock);
      const bad = yield* listDeadLetters({ store: hub.store, model: hub.model }, { limit: 100 });
      yield* tellLines([
        ...indented(reportLines(cli, first)),
        words.firstDone(
          yield* countCanonicals(hub, "account"),
          yield* countCanonicals(hub, "contact"),
          ((performance.now() - firstBegan) / 1000).toFixed(1),
        ),
        words.bad(bad.length),
        ...bad.map(
          (letter) => `     ${letter.connection}${letter.field === "" ? "" : ` ${letter.field}`}: ${letter.reason}`,
        ),
        "",
      ]);

      stage.clock.advance(hourMs);
      const deeds = workADay(zoho, fxiaoke, stage.clock);
      yield* tellLines([words.day, ...words.deeds(deeds), "", words.secondSync]);
      const second = yield* syncUntilDone(hub, totals, stage.clock);
      stage.clock.advance(hourMs);
      const before = zoho.traffic().writes + fxiaoke.traffic().writes;
      const last = yield* syncUntilDone(hub, totals, stage.clock, 1);
      const secondRunWrites = zoho.traffic().writes + fxiaoke.traffic().writes - before;
      yield* tellLines([...indented(reportLines(cli, second)), words.rest(secondRunWrites), ""]);

      yield* tellLines(words.explain(deeds.contested));
      const [found] = yield* search(hub, "account", deeds.contested);
      const explained = found === undefined ? null : yield* explain(hub, found.id, "website");
      if (explained !== null) yield* tellLines([...indented(explanationLines(cli, explained, true)), ""]);

      const rows = yield* listConflicts(hub, { limit: 1000 });
      const tally = yield* countConflicts(hub);
      const shown = rows.filter((row) => row.kind === "value").slice(-8);
      const open = rows.filter((row) => row.state === "open" && !shown.includes(row)).slice(0, 6);
      const letters = yield* listDeadLetters(hub, { limit: 1000 });
      const listed = [...shown, ...open];
      const names = yield* namesOf(hub, listed);
      yield* tellLines([
        words.conflicts(tally.settled, tally.open),
        ...indented(conflictTable(cli, hub.model, { found: listed, names })),
        words.openNote,
        words.agreement(
          `${(Math.floor(last.agreement.share * 10_000) / 100).toString()} %`,
          last.outbox,
          letters.length,
        ),
        "",
      ]);
      return {
        connections: [...totals.values()],
        canonical: {
          accounts: yield* countCanonicals(hub, "account"),
          contacts: yield* countCanonicals(hub, "contact"),
        },
        conflicts: { settled: tally.settled, open: tally.open },
        agreement: last.agreement.share,
        outbox: last.outbox,
        deadLetters: letters.length,
        secondRunWrites,
      };
    }),
  ).finally(progress.end);
  const output = join(folder, "customers.csv");
  await exportCommand({ ...cli, out: async () => {} }, global, { entity: "account", format: "csv", output });
  await say([words.exported(output, story.canonical.accounts), words.next(files.yaml)]);
  return story;
}

/** Syncs until nothing is due any more; returns what all rounds did together. */
const syncUntilDone = Effect.fn("demo.sync")(function* (
  hub: Hub,
  totals: Map<string, Totals>,
  clock: DemoClock,
  rounds = roundsMax,
) {
  const reports: Array<RunReport> = [];
  for (let round = 0; round < rounds; round++) {
    if (round > 0) clock.advance(hourMs / 6);
    const report: RunReport = yield* runSync(hub, { full: false });
    addTo(totals, report);
    reports.push(report);
    if (report.outbox === 0) break;
  }
  return together(reports);
});

/** Counts of all rounds, and how things stand after the last one. */
function together(reports: ReadonlyArray<RunReport>): RunReport {
  const last = reports.at(-1);
  if (last === undefined) throw new Error("no sync was made");
  const total = (of: (report: RunReport) => number): number => reports.reduce((sum, report) => sum + of(report), 0);
  return {
    ...last,
    found: {
      filled: total((report) => report.found.filled),
      settled: total((report) => report.found.settled),
      opened: total((report) => report.found.opened),
      deadLetters: last.found.deadLetters,
    },
    connections: last.connections.map((one) => {
      const same = reports.flatMap((report) => report.connections.filter((other) => other.name === one.name));
      const sum = (of: (report: (typeof same)[number]) => number): number =>
        same.reduce((total, report) => total + of(report), 0);
      return {
        ...one,
        pulled: sum((report) => report.pulled),
        applied: {
          ...one.applied,
          created: sum((report) => report.applied.created),
          changed: sum((report) => report.applied.changed),
          filled: sum((report) => report.applied.filled),
        },
        pushed: {
          created: sum((report) => report.pushed.created),
          updated: sum((report) => report.pushed.updated),
          deleted: sum((report) => report.pushed.deleted),
          rejected: sum((report) => report.pushed.rejected),
        },
      };
    }),
  };
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
