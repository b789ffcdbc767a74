/** `store copy`: moves a hub to another file or database, such as from SQLite to PostgreSQL and back. */
import { existsSync, readFileSync } from "node:fs";
import { Effect } from "effect";
import { tableName } from "../store/columns.ts";
import { openStore } from "../store/open.ts";
import { placeOf } from "../store/place.ts";
import type { TablePage } from "../store/table-pages.ts";
import { transfer } from "../store/transfer.ts";
import { type Cli, exit, type Global } from "./cli.ts";
import { printJson, printLines } from "./context.ts";
import { countingLine } from "./progress.ts";
import { table } from "./table.ts";
import { plainNumber } from "./words.ts";

export interface CopyOptions {
  readonly from: string;
  readonly to: string;
}

export async function copyStoreCommand(cli: Cli, global: Global, { from, to }: CopyOptions): Promise<number> {
  const key = keyFor(cli, from);
  const progress = countingLine(cli);
  let rows = 0;
  const hear = (page: TablePage): void => {
    rows += page.rows.length;
    progress.show(`${plainNumber(rows)} rows, ${tableName(page.table)}`);
  };
  const copied = await Effect.runPromise(
    Effect.acquireUseRelease(
      openStore({ place: from, key, readOnly: true }),
      (source) =>
        Effect.acquireUseRelease(
          openStore({ place: to, key }),
          (target) => transfer(source, target, hear),
          (target) => Effect.promise(target.close),
        ),
      (source) => Effect.promise(source.close),
    ),
    { signal: cli.signal },
  );
  progress.end();
  const [shownFrom, shownTo] = [placeOf(from).shown, placeOf(to).shown];
  if (global.json) {
    await printJson(cli, { from: shownFrom, to: shownTo, tables: copied });
    return exit.ok;
  }
  const lines = copied.map((one) => [one.table, plainNumber(one.rows), one.sum]);
  await printLines(cli, [
    ...table(["table", "rows", "sum of both"], lines, cli.columns),
    "",
    `Copied ${plainNumber(rows)} rows from ${shownFrom} to ${shownTo}; both hold the same.`,
    "Now name the new place in hub.store. Its key goes into SYNCLINE_KEY: the same as before, or what the key file of the old store holds.",
  ]);
  return exit.ok;
}

/** Both stores have one key: that of the environment, or the one in the file beside the store that is copied. */
function keyFor(cli: Cli, from: string): string | undefined {
  const given = cli.env.SYNCLINE_KEY;
  const place = placeOf(from);
  if ((given !== undefined && given !== "") || place.engine !== "sqlite") return given;
  const file = `${place.file}.key`;
  return existsSync(file) ? readFileSync(file, "utf8").trim() : given;
}
