/** What a person does to one connection: stop it, let it go on, read its webhook calls again, rename it, take it out. */
import { Effect } from "effect";
import { closest } from "../config/suggest.ts";
import type { Hub } from "../hub/open.ts";
import { noteAudit } from "../store/audit.ts";
import { removeConnection, renameConnection, tallyConnection } from "../store/connection-names.ts";
import { noteStopped, readNames } from "../store/connections.ts";
import { replayCalls } from "../store/inbox.ts";
import { withStore } from "../store/leases.ts";
import { type Cli, CommandFailed, exit, type Global } from "./cli.ts";
import { printJson, printLines, withHub } from "./context.ts";
import { counted, timeText } from "./words.ts";

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

/** The YAML has the new name already: links, cursors and decisions follow it. */
export async function renameCommand(cli: Cli, global: Global, from: string, to: string): Promise<number> {
  const links = await withHub(cli, global, {}, (hub) => {
    named(hub, to);
    if (hub.config.connections.some(({ name }) => name === from))
      throw new CommandFailed(
        `${global.config} still names ${from}.`,
        `Rename it there to ${to} first, then run this again.`,
        exit.usage,
      );
    return withStore(hub.store.database, { command: "connections rename", alone: true }, () =>
      renaming(cli, hub, from, to),
    );
  });
  if (global.json) await printJson(cli, { from, to, links });
  else
    await printLines(cli, [`${from} is ${to} now, with its ${counted(links, "link")}. A sync goes on where it was.`]);
  return exit.ok;
}

const renaming = Effect.fn("connections.rename")(function* (cli: Cli, hub: Hub, from: string, to: string) {
  const old = yield* tallyConnection(hub, from);
  const taken = yield* tallyConnection(hub, to);
  if (!old.known) return yield* Effect.fail(yield* unknownTo(hub, from));
  if (taken.known || taken.links > 0)
    return yield* Effect.fail(
      new CommandFailed(
        `The store knows a connection ${to} already, with ${counted(taken.links, "link")}.`,
        `Take it out first (npx syncline connections remove ${to}, with it gone from the YAML), or choose another name.`,
        exit.usage,
      ),
    );
  yield* renameConnection(hub, { from, to, actor: cli.actor, at: hub.clock.now() });
  return old.links;
});

const unknownTo = (hub: Hub, name: string) =>
  Effect.map(readNames(hub.store.database), (rows) => {
    const names = rows.map((row) => row.name);
    const known = names.length === 0 ? "It knows none yet." : `It knows: ${names.join(", ")}.`;
    return new CommandFailed(`The store knows no connection ${name}.`, known, exit.usage);
  });

/** Shows what would end, and ends it with `yes`. No record is touched at the system. */
export async function removeCommand(
  cli: Cli,
  global: Global,
  name: string,
  { yes }: { readonly yes: boolean },
): Promise<number> {
  const tally = await withHub(cli, global, {}, (hub) => {
    if (hub.config.connections.some((one) => one.name === name))
      throw new CommandFailed(`${global.config} still names ${name}.`, "Take it out there first.", exit.usage);
    return Effect.gen(function* () {
      const found = yield* tallyConnection(hub, name);
      if (!found.known) return yield* Effect.fail(yield* unknownTo(hub, name));
      const removing = removeConnection(hub, { name, actor: cli.actor, at: hub.clock.now() });
      if (yes) yield* withStore(hub.store.database, { command: "connections remove", alone: true }, () => removing);
      return found;
    });
  });
  if (global.json) {
    await printJson(cli, { connection: name, removed: yes, ...tally });
    return exit.ok;
  }
  const { links, due, open, deadLetters, channel } = tally;
  await printLines(cli, [
    `${name}: ${counted(links, "link")}, ${counted(due, "due write")}, ${counted(open, "open question")}, ${counted(deadLetters, "dead letter")}.`,
    "Its records stay as they are, and what was learned from them stays in the accounts.",
    ...(channel === null
      ? []
      : [
          `Its channel ${channel.id} at the vendor calls on until ${channel.expiresAt === null ? "it is removed there" : timeText(channel.expiresAt)}; the calls are refused.`,
        ]),
    yes
      ? `${name} is out of the store.`
      : `Nothing was done. To take it out: npx syncline connections remove ${name} --yes`,
  ]);
  return exit.ok;
}
