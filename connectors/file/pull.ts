/**
 * Reading: all rows of all files, in pages.
 *
 * A file tells neither which rows changed nor which were deleted. An unchanged source is not read again; a changed one
 * is read wholly, and the core compares. Only a source that was read wholly, without one bad row and without a change
 * under way, proves that what it does not hold is gone.
 */
import { hash } from "node:crypto";
import { type Change, type Page, type PullRequest, Schema, type Tools } from "../../core/connector.ts";
import type { Config } from "./config.ts";
import { filesOf, isSame, Print, printOf } from "./files.ts";
import { scan } from "./scan.ts";

/** The files as they were last read wholly, and what was read of them. */
export const Cursor = Schema.Struct({ files: Schema.Array(Print), reading: Schema.String });
export type Cursor = typeof Cursor.Type;

export const pageRows = 500;

/** A file that was written less long ago may still be written; what it does not hold is then not proven gone. */
export const stillMs = 5_000;

export async function* pull(
  config: Config,
  tools: Tools,
  request: PullRequest<Cursor>,
): AsyncGenerator<Page<Cursor>, void, void> {
  const { mode, cursor, fields, signal } = request;
  const now = (): number => tools.clock.now();
  let readBegan = now();
  const { files, single } = await filesOf(config);
  // Other fields or another meaning of the columns make an unchanged file new.
  const reading = hash("sha256", JSON.stringify([config, [...fields].sort()]), "hex");
  const same = cursor !== null && cursor.reading === reading;
  const before = new Map(same ? cursor.files.map((print) => [print.path, print]) : []);
  const prints: Array<Print> = [];
  for (const file of files) prints.push(await printOf(file, before.get(file), signal));
  const finished: Cursor = { files: prints, reading };
  if (mode === "changes" && same && isUnchanged(cursor.files, prints)) {
    yield { changes: [], cursor: finished, readBegan, readEnded: now() };
    return;
  }
  // Until all is read, the cursor is the one from before: a run that dies reads again from the beginning.
  const unfinished: Cursor = cursor ?? { files: [], reading: "" };
  let page: Array<Change> = [];
  let rows = 0;
  let bad = 0;
  for await (const change of scan(files, config, fields, signal)) {
    if (signal.aborted) return;
    if (page.length === pageRows) {
      yield { changes: page, cursor: unfinished, readBegan, readEnded: now() };
      page = [];
      readBegan = now();
    }
    page.push(change);
    if (change.kind === "bad") bad += 1;
    else rows += 1;
  }
  const settled = (await Promise.all(prints.map(isSame))).every((held) => held) && !(await hasNew(config, files));
  if (!settled)
    tools.log.warn("a file changed while it was read; it is read again at the next pull", { path: config.path });
  const still = prints.every(({ modifiedMs }) => now() < modifiedMs || now() - modifiedMs >= stillMs);
  const whole = settled && still && bad === 0 && (single || config.allRows === true);
  const complete = whole && (rows > 0 || config.allowEmpty === true);
  if (rows === 0 && config.allowEmpty !== true) {
    tools.log.warn("no row was read; nothing counts as deleted unless allowEmpty is true", { path: config.path, bad });
  }
  yield {
    changes: page,
    cursor: settled ? finished : unfinished,
    readBegan,
    readEnded: now(),
    ...(complete ? { complete: true } : {}),
  };
}

function isUnchanged(before: ReadonlyArray<Print>, now: ReadonlyArray<Print>): boolean {
  return (
    before.length === now.length &&
    now.every((print, index) => before[index]?.path === print.path && before[index]?.sha256 === print.sha256)
  );
}

async function hasNew(config: Config, files: ReadonlyArray<string>): Promise<boolean> {
  const after = await filesOf(config).catch(() => undefined);
  return after === undefined || after.files.join("\n") !== files.join("\n");
}
