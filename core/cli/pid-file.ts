/** The pid file beside the store, or in this folder where the store is a database: how `stop` and `reload` find the hub that runs. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { Schema } from "effect";

const PidFile = Schema.Struct({ pid: Schema.Int, url: Schema.String, startedAt: Schema.Int });
export type PidFile = typeof PidFile.Type;

const fileOf = (store: string): string => `${store}.pid`;

export function writePid(store: string, content: PidFile): void {
  writeFileSync(fileOf(store), `${JSON.stringify(content)}\n`, { mode: 0o600 });
}

/** Removes the file if it still is ours. */
export function removePid(store: string): void {
  if (readPid(store)?.pid === process.pid) rmSync(fileOf(store), { force: true });
}

/** The hub that runs on this store; null if none does. */
export function readPid(store: string): PidFile | null {
  try {
    const parsed = Schema.decodeUnknownResult(PidFile)(JSON.parse(readFileSync(fileOf(store), "utf8")));
    return parsed._tag === "Success" && isRunning(parsed.success.pid) ? parsed.success : null;
  } catch {
    return null;
  }
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
