/** Which files a connection reads, and by what a later pull knows that they are the same. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { glob, readdir, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { AuthFailed, Schema, Unavailable } from "../../core/connector.ts";
import type { Config } from "./config.ts";

export const Print = Schema.Struct({
  path: Schema.String,
  bytes: Schema.Number,
  modifiedMs: Schema.Number,
  sha256: Schema.String,
});
export type Print = typeof Print.Type;

export type Kind = "csv" | "jsonl" | "xlsx";

const kinds: Readonly<Record<string, Kind>> = {
  ".csv": "csv",
  ".tsv": "csv",
  ".tab": "csv",
  ".txt": "csv",
  ".jsonl": "jsonl",
  ".ndjson": "jsonl",
  ".xlsx": "xlsx",
};

export const filesMax = 1_000;

const kindsText = "Files end in .csv, .tsv, .txt, .jsonl, .ndjson or .xlsx.";

export function kindOf(file: string): Kind {
  const kind = kinds[extname(file).toLowerCase()];
  if (kind === undefined) throw new AuthFailed(`${file} is of no kind that can be read.`, kindsText);
  return kind;
}

export interface Listing {
  /** Sorted, so that every pull reads in one order. */
  readonly files: ReadonlyArray<string>;
  /** The path names one file, and not a folder or a pattern. */
  readonly single: boolean;
}

/** Errors  Unavailable (nothing is there), AuthFailed (no right to read it, no kind that can be read). */
export async function filesOf({ path }: Config): Promise<Listing> {
  const status = await stat(path).catch((error: unknown) => faultUnlessMissing(error, path));
  if (status?.isFile()) {
    kindOf(path);
    return { files: [path], single: true };
  }
  const found: Array<string> = [];
  if (status?.isDirectory()) {
    for (const name of await readdir(path).catch((error: unknown) => fault(error, path))) {
      if (!name.startsWith(".") && !name.startsWith("~$")) found.push(join(path, name));
    }
  } else if (/[*?[{]/.test(path)) {
    for await (const name of glob(path)) found.push(name);
  } else {
    throw new Unavailable(`There is no file ${path}. Put it there, or mend \`path:\`; nothing counts as deleted.`, {
      sent: false,
    });
  }
  const files = found.filter((file) => kinds[extname(file).toLowerCase()] !== undefined).toSorted();
  if (files.length === 0) {
    throw new Unavailable(`${path} holds no file that can be read. ${kindsText} Nothing counts as deleted.`, {
      sent: false,
    });
  }
  if (files.length > filesMax) {
    throw new AuthFailed(`${path} holds more than ${filesMax} files.`, "Name fewer files, or join them.");
  }
  return { files, single: false };
}

/** The file's print; its bytes are read only where its size or time differ from those of `known`. */
export async function printOf(path: string, known: Print | undefined, signal?: AbortSignal): Promise<Print> {
  const { size, mtimeMs } = await stat(path).catch((error: unknown) => fault(error, path));
  if (known !== undefined && known.bytes === size && known.modifiedMs === mtimeMs) return known;
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(path, signal === undefined ? {} : { signal })) hash.update(chunk);
  } catch (error) {
    fault(error, path);
  }
  return { path, bytes: size, modifiedMs: mtimeMs, sha256: hash.digest("hex") };
}

/** Whether the file is still the one that the print was taken of. */
export async function isSame(print: Print): Promise<boolean> {
  const now = await stat(print.path).catch(() => undefined);
  return now !== undefined && now.size === print.bytes && now.mtimeMs === print.modifiedMs;
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "unknown error";

/** A failure of the file system as one of the four faults. */
export function fault(error: unknown, path: string): never {
  const code = codeOf(error);
  if (code === "EACCES" || code === "EPERM") {
    throw new AuthFailed(`The hub may not read ${path}.`, "Give the hub's user the right to read it.");
  }
  throw new Unavailable(`${path} cannot be read now (${code}).`, { sent: false, cause: error });
}

function faultUnlessMissing(error: unknown, path: string): undefined {
  const code = codeOf(error);
  return code === "ENOENT" || code === "ENOTDIR" ? undefined : fault(error, path);
}
