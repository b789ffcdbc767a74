/** `export`: the unified customers as a file or on standard output, streamed. */

import { once } from "node:events";
import { createWriteStream, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { finished } from "node:stream/promises";
import { Effect } from "effect";
import type { Entity } from "../model/field.ts";
import { type ExportResult, exportChunks } from "../store/export.ts";
import { type Cli, CommandFailed, exit, type Global } from "./cli.ts";
import { noteRead, printJson, printLines, withHub } from "./context.ts";
import { counted } from "./words.ts";

export interface ExportCommandOptions {
  readonly entity: Entity;
  readonly format: string;
  /** A file; standard output without. */
  readonly output?: string;
  readonly fields?: ReadonlyArray<string>;
}

/** A file appears under its name only when it is whole. */
export async function exportCommand(cli: Cli, global: Global, options: ExportCommandOptions): Promise<number> {
  const { entity, format, output, fields } = options;
  const encoder = cli.registry.encoders.get(format);
  if (encoder === undefined) {
    throw new CommandFailed(
      `There is no format ${format}.`,
      `There are: ${[...cli.registry.encoders.keys()].join(", ")}.`,
      exit.usage,
    );
  }
  if (global.json && output === undefined) {
    throw new CommandFailed(
      "Standard output can hold the rows or a JSON report, not both.",
      "Name a file with -o, or leave --json out; for rows as JSON use --format jsonl.",
      exit.usage,
    );
  }
  const rows = await withHub(cli, global, {}, (hub) =>
    Effect.gen(function* () {
      const unknown = fields?.filter((name) => !hub.model[entity].has(name)) ?? [];
      if (unknown.length > 0) {
        const names = [...hub.model[entity].keys()].join(", ");
        return yield* Effect.fail(
          new CommandFailed(`The ${entity} has no field ${unknown.join(", ")}.`, `There are: ${names}.`, exit.usage),
        );
      }
      yield* noteRead(cli, hub, `export ${entity}s`, output ?? "standard output");
      const chunks = exportChunks(hub.store, hub.model, {
        entity,
        encoder,
        connections: hub.settings.order,
        ...(fields === undefined ? {} : { fields }),
      });
      return yield* Effect.tryPromise({
        try: () =>
          output === undefined
            ? pour(chunks, (chunk) => cli.out(Buffer.from(chunk).toString("utf8")))
            : toFile(chunks, output),
        catch: (error) => error,
      });
    }),
  );
  if (output === undefined) return exit.ok;
  if (global.json) await printJson(cli, { file: output, rows });
  else await printLines(cli, [`Wrote ${counted(rows, entity)} to ${output}`]);
  return exit.ok;
}

async function pour(
  chunks: AsyncGenerator<Uint8Array, ExportResult>,
  write: (chunk: Uint8Array) => Promise<void>,
): Promise<number> {
  for (;;) {
    const next = await chunks.next();
    if (next.done === true) return next.value.rows;
    await write(next.value);
  }
}

async function toFile(chunks: AsyncGenerator<Uint8Array, ExportResult>, file: string): Promise<number> {
  const partial = `${file}.partial`;
  const stream = createWriteStream(partial, { mode: 0o600 });
  const ended = finished(stream);
  try {
    const rows = await pour(chunks, async (chunk) => {
      if (!stream.write(chunk)) await Promise.race([once(stream, "drain"), ended]);
    });
    stream.end();
    await ended;
    renameSync(partial, file);
    return rows;
  } catch (error) {
    stream.destroy();
    await ended.catch(() => {});
    rmSync(partial, { force: true });
    throw notWritten(file, error);
  }
}

function notWritten(file: string, error: unknown): CommandFailed {
  const failed = (why: string, remedy: string): CommandFailed =>
    new CommandFailed(`${file} was not written: ${why}.`, remedy);
  switch (error instanceof Error && "code" in error ? error.code : "") {
    case "ENOENT":
    case "ENOTDIR":
      return failed(`there is no folder ${dirname(file)}`, "Make it, or name another file.");
    case "EISDIR":
      return failed("it is a folder", "Name a file in it.");
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return failed(`${dirname(file)} may not be written to`, "Name a file elsewhere.");
    case "ENOSPC":
      return failed("the disk is full", "Free space, or name a file elsewhere.");
    default:
      return failed(error instanceof Error ? error.message : String(error), "Name another file, and run again.");
  }
}
