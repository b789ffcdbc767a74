/** What a person does to one connection: stop it, let it go on, read its webhook calls again. */
import { Effect } from "effect";
import { closest } from "../config/suggest.ts";
import type { Hub } from "../hub/open.ts";
import { noteAudit } from "../store/audit.ts";
import { noteStopped } from "../store/connections.ts";
import { replayCalls } from "../store/inbox.ts";
import { type Cli, CommandFailed, exit, type Global } from "./cli.ts";
import { printJson, printLines, withHub } from "./context.ts";
import { counted } from "./words.ts";

/** The connection of the YAML by this name. */
function named(hub: Hub, name: string) {
  const found = hub.config.connections.find((one) => one.name === name);
  if (found !== undefined) return found;
  const names = hub.config.connections.map((one) => one.name);
  const near = closest(name, names);
  throw new CommandFailed(
    `There is no connection ${name}.`,
    near === null ? `There are: ${names.join(", ")}.` : `Did you mean ${near}?`,
    exit.usage,
  );
}

/** Works beside a running hub, which sees it within a second. */
export async function pauseCommand(cli: Cli, global: Global, name: string, isStopped: boolean): Promise<number> {
  await withHub(cli, global, {}, (hub) => {
    const { use } = named(hub, name);
    const by = isStopped ? cli.actor : null;
    return noteStopped(hub.store.database, { name, system: use, by, at: hub.clock.now(), actor: cli.actor });
  });
  if (global.json) await printJson(cli, { connection: name, stopped: isStopped });
  else if (isStopped)
    await printLines(cli, [
      `${name} is stopped. Its webhook calls are kept until: npx syncline connections resume ${name}`,
    ]);
  else await printLines(cli, [`${name} goes on.`]);
  return exit.ok;
}

/** Marks kept calls as unread; the running hub reads them, or the next one that is started. */
export async function replayCallsCommand(
  cli: Cli,
  global: Global,
  name: string,
  options: { readonly since?: string },
): Promise<number> {
  const since = options.since === undefined ? null : Date.parse(options.since);
  if (since !== null && Number.isNaN(since)) {
    throw new CommandFailed(
      `${options.since} is no time.`,
      "Write it as 2026-11-24 or 2026-11-24T08:00:00Z.",
      exit.usage,
    );
  }
  const count = await withHub(cli, global, {}, (hub) => {
    named(hub, name);
    const { database } = hub.store;
    return Effect.tap(replayCalls(database, { connection: name, since }), (calls) =>
      database.write("noting the replay", () =>
        noteAudit(database, [
          { at: hub.clock.now(), actor: cli.actor, action: "replay calls", subject: name, detail: { calls } },
        ]),
      ),
    );
  });
  if (global.json) await printJson(cli, { replayed: count });
  else await printLines(cli, [`${counted(count, "call")} of ${name} will be read again by the hub that runs.`]);
  return exit.ok;
}
