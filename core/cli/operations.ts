/** `connections`, `dead-letters`, `audit`: what runs, what will not succeed alone, and whether the log is whole. */
import { Effect } from "effect";
import { replay } from "../hub/dead-letters.ts";
import { verifyAudit } from "../store/audit.ts";
import { listConnections, listDeadLetters } from "../store/browse.ts";
import { readCensus } from "../store/processes.ts";
import { replayLog } from "../store/replay.ts";
import { listSubscriptions, type Subscription } from "../store/subscriptions.ts";
import { type Cli, exit, type Global } from "./cli.ts";
import { printJson, printLines, soundConfig, withHub } from "./context.ts";
import { countingLine } from "./progress.ts";
import { table } from "./table.ts";
import { counted, plainNumber, timeText } from "./words.ts";

/** All connections of the YAML and of the store, with their state. */
export async function connectionsCommand(cli: Cli, global: Global): Promise<number> {
  const written = soundConfig(cli, global).connections;
  await withHub(cli, global, { mustExist: false }, (hub) =>
    Effect.gen(function* () {
      const known = yield* listConnections(hub);
      const { members } = yield* readCensus(hub.store.database);
      const channels = yield* listSubscriptions(hub.store);
      const names = [...new Set([...written.map((one) => one.name), ...known.map((one) => one.name)])];
      const items = names.map((name) => {
        const state = known.find((one) => one.name === name);
        const config = written.find((one) => one.name === name);
        return {
          name,
          system: config?.use ?? state?.system ?? "",
          configured: config !== undefined,
          push: config?.push ?? false,
          state: config === undefined ? "asleep" : (state?.state ?? "new"),
          reason: state?.reason ?? null,
          pausedUntil: state?.pausedUntil ?? null,
          lastRunAt: state?.lastRunAt ?? null,
          records: state?.records ?? 0,
          due: state?.due ?? 0,
          deadLetters: state?.deadLetters ?? 0,
          held: state?.held ?? 0,
          webhook: config?.webhook.kind ?? "none",
          /** The channel that the hub has made at the system, for its calls. */
          channel: shownChannel(channels.find((one) => one.connection === name)),
        };
      });
      if (global.json) {
        yield* Effect.promise(() =>
          printJson(cli, { items, running: members.map(({ pid, host, command }) => ({ pid, host, command })) }),
        );
        return;
      }
      const rows = items.map((one) => [
        one.name,
        one.system,
        one.push || !one.configured ? one.state : `${one.state}, push off`,
        plainNumber(one.records),
        plainNumber(one.due),
        plainNumber(one.deadLetters),
        timeText(one.lastRunAt),
      ]);
      const reasons = items.flatMap((one) => (one.reason === null ? [] : ["", `${one.name}: ${one.reason}`]));
      const calls = items.flatMap(({ name, channel }) => (channel === null ? [] : ["", channelText(name, channel)]));
      const running =
        members.length === 0
          ? []
          : ["", ...members.map(({ command, pid, host }) => `Running now: ${command}, pid ${pid} on ${host}.`)];
      yield* Effect.promise(() =>
        printLines(cli, [
          ...table(["connection", "system", "state", "records", "due", "dead letters", "last run"], rows, cli.columns),
          ...reasons,
          ...calls,
          ...running,
        ]),
      );
    }),
  );
  return exit.ok;
}

type ShownChannel = Pick<Subscription, "id" | "state" | "reason" | "url" | "expiresAt" | "checkedAt">;

/** Without its secrets. */
function shownChannel(channel: Subscription | undefined): ShownChannel | null {
  if (channel === undefined) return null;
  const { id, state, reason, url, expiresAt, checkedAt } = channel;
  return { id, state, reason, url, expiresAt, checkedAt };
}

function channelText(name: string, { state, reason, url, expiresAt }: ShownChannel): string {
  const until = expiresAt === null ? "" : ` until ${timeText(expiresAt)}`;
  const now = state === "live" ? `calls ${url}${until}` : `is asked to call ${url}`;
  return `${name}: the system ${now}${reason === null ? "" : `; the last try failed: ${reason}`}`;
}

export async function listDeadLettersCommand(
  cli: Cli,
  global: Global,
  options: { readonly all: boolean; readonly limit: number; readonly connection?: string },
): Promise<number> {
  await withHub(cli, global, {}, (hub) =>
    Effect.gen(function* () {
      const found = yield* listDeadLetters(hub, options);
      if (global.json) {
        yield* Effect.promise(() => printJson(cli, { items: found }));
        return;
      }
      const blocks = found.flatMap((letter) => [
        `${letter.id}  ${letter.connection} ${letter.entity} ${letter.remoteId || letter.canonicalId}${letter.field === "" ? "" : `, field ${letter.field}`}  (${letter.move}, ${letter.state})`,
        `  ${letter.reason}`,
        `  ${letter.remedy}`,
        `  ${tries(letter.attempts)}, first ${timeText(letter.firstAt)}, last ${timeText(letter.lastAt)}`,
        "",
      ]);
      const last =
        found.length === 0
          ? ["No dead letters: everything that was read was taken, everything that was due was written."]
          : [`${counted(found.length, "dead letter")}. When mended: npx syncline dead-letters replay`];
      yield* Effect.promise(() => printLines(cli, [...blocks, ...last]));
    }),
  );
  return exit.ok;
}

export async function replayCommand(
  cli: Cli,
  global: Global,
  ids: ReadonlyArray<string>,
  options: { readonly connection?: string },
): Promise<number> {
  const count = await withHub(cli, global, {}, (hub) =>
    replay(hub, cli.actor, { ...options, ...(ids.length === 0 ? {} : { ids }) }),
  );
  if (global.json) await printJson(cli, { replayed: count });
  else await printLines(cli, [`${counted(count, "dead letter")} will be tried again at the next sync.`]);
  return exit.ok;
}

/** Walks the hash chain; a break ends with exit code 1. */
export async function auditVerify(cli: Cli, global: Global): Promise<number> {
  const verdict = await withHub(cli, global, {}, (hub) => verifyAudit(hub.store.database));
  const { entries, unlinked, head, broken } = verdict;
  if (global.json) await printJson(cli, verdict);
  else if (broken !== null) {
    await printLines(cli, [
      `The audit log is broken at entry ${broken.sequence} (${broken.action}, ${timeText(broken.at)}): ${broken.why}.`,
      `The ${plainNumber(entries)} entries before it are whole. Compare with a backup of the store.`,
    ]);
  } else {
    await printLines(cli, [
      `The audit log is whole: ${entriesText(entries)} in the chain, ${plainNumber(unlinked)} not linked yet.`,
      `Head: ${head}  (keep it elsewhere to see later that nothing was cut off)`,
    ]);
  }
  return broken === null ? exit.ok : exit.failed;
}

/** `replay --verify`: the change log must fold to the accounts and contacts as they are. */
export async function replayLogCommand(cli: Cli, global: Global): Promise<number> {
  const progress = countingLine(cli);
  const show = (compared: number): void => progress.show(`${plainNumber(compared)} accounts and contacts compared`);
  const replayed = await withHub(cli, global, {}, (hub) => replayLog(hub, show)).finally(progress.end);
  const { canonicals, changes, different, differences, orphans } = replayed;
  const isWhole = different === 0 && orphans.length === 0;
  if (global.json) await printJson(cli, replayed);
  else if (isWhole) {
    await printLines(cli, [
      `The log holds: ${counted(changes, "change")} fold to the ${plainNumber(canonicals)} accounts and contacts exactly as they are.`,
    ]);
  } else {
    const rows = differences.map(({ id, what }) => [
      id,
      what.length === 0 ? "the log does not know it" : what.join(", "),
    ]);
    const unknown = orphans.map((id) => [id, "in the log, and nowhere else"]);
    await printLines(cli, [
      `Of ${plainNumber(canonicals)} accounts and contacts ${plainNumber(different + orphans.length)} are not what the log says:`,
      "",
      ...table(["id", "differs in"], [...rows, ...unknown], cli.columns),
      "",
      "The store was changed by something else than the hub. Compare with a backup; `explain <id>` shows each value's history.",
    ]);
  }
  return isWhole ? exit.ok : exit.failed;
}

const tries = (count: number): string => (count === 1 ? "1 try" : `${plainNumber(count)} tries`);
const entriesText = (count: number): string => (count === 1 ? "1 entry" : `${plainNumber(count)} entries`);
