/** `alerts`: what people were told of, and whether messages reach them. */
import { secretsOf } from "../config/secrets.ts";
import { createChannelTools } from "../net/notices.ts";
import { type AlertRow, readAlertRows } from "../store/alerts.ts";
import { noticeOf, testNotice } from "../watch/alert-words.ts";
import { reasonOf, sendOnce } from "../watch/delivery.ts";
import { createRedact } from "../watch/redact.ts";
import { type Cli, CommandFailed, exit, type Global } from "./cli.ts";
import { printJson, printLines, soundConfig, withHub } from "./context.ts";
import { table } from "./table.ts";
import { timeText } from "./words.ts";

export async function listAlertsCommand(cli: Cli, global: Global, options: { readonly all: boolean }): Promise<number> {
  const { hub } = soundConfig(cli, global);
  const rows = await withHub(cli, global, {}, ({ store }) => readAlertRows(store.database));
  const shown = rows.filter((row) => options.all || row.state === "firing");
  if (global.json) await printJson(cli, { items: shown });
  else if (shown.length === 0) await printLines(cli, ["No alerts: nothing is wrong that the rules know."]);
  else {
    const lines = shown.map((row) => [
      row.state,
      row.rule,
      timeText(row.since),
      timeText(row.toldAt),
      whatOf(row, hub.name),
    ]);
    await printLines(cli, table(["state", "rule", "since", "told", "what"], lines, cli.columns));
  }
  return exit.ok;
}

const whatOf = (row: AlertRow, hub: string): string =>
  noticeOf({ kind: "begun", row, hub, at: row.since, language: "en" }).title.replace(/^\[.*?\] /, "");

/** Sends one message through each channel, or the one that is named; once, for a person who waits. */
export async function testAlertsCommand(cli: Cli, global: Global, name: string | undefined): Promise<number> {
  const config = soundConfig(cli, global);
  const { channels } = config.alerts;
  const chosen = channels.filter((channel) => name === undefined || channel.name === name);
  if (chosen.length === 0) {
    throw new CommandFailed(
      name === undefined ? "The YAML names no channels." : `There is no channel ${name}.`,
      name === undefined
        ? "Add one under alerts.channels, such as `team: { use: wecom, url: … }`."
        : `There are: ${channels.map((channel) => channel.name).join(", ") || "none"}.`,
      exit.usage,
    );
  }
  const redact = createRedact(() => secretsOf(config));
  const tools = createChannelTools(config.serve.hosts, cli.clock);
  const results = await Promise.all(
    chosen.map(async (channel) => {
      const notice = testNotice(config.hub.name, cli.clock.now(), channel.language);
      const reason = await sendOnce(channel, notice, tools).then(
        () => null,
        (error: unknown) => reasonOf(error, redact),
      );
      return { channel: channel.name, use: channel.use, sent: reason === null, reason };
    }),
  );
  if (global.json) await printJson(cli, { items: results });
  else {
    await printLines(
      cli,
      results.map(
        ({ channel, use, reason }) => `${channel} (${use}): ${reason === null ? "sent" : `not sent: ${reason}`}`,
      ),
    );
  }
  return results.every((one) => one.sent) ? exit.ok : exit.failed;
}
