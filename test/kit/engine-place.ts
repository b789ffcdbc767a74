/**
 * Where tests keep their store: in SQLite, or in a database of its own on the server of the run. The tests do not know
 * which; vitest runs those that matter on both engines.
 */
import { createHash } from "node:crypto";
import { inject, onTestFinished } from "vitest";
import { administer, templateName } from "./postgres-server.ts";
import "./postgres-setup.ts";

export const onPostgres = inject("postgres") !== undefined;

const made = new Set<string>();
let count = 0;

/** A place for a store; the same file names the same store. */
export async function placeFor(file?: string): Promise<string> {
  const base = inject("postgres");
  if (base === undefined) return file ?? ":memory:";
  count += 1;
  const unique = file ?? `${process.pid} ${count}`;
  const name = `test_${createHash("sha256").update(unique).digest("hex").slice(0, 16)}`;
  if (!made.has(name)) {
    made.add(name);
    await administer(base, `create database ${name} template ${templateName}`);
    dropLater(() => administer(base, `drop database ${name} with (force)`));
  }
  return `${base}${name}`;
}

/** As `placeFor`, as hub.store names it. */
export async function storeFor(file: string): Promise<string> {
  const place = await placeFor(file);
  return place === file ? `sqlite:${file}` : place;
}

function dropLater(drop: () => Promise<void>): void {
  try {
    onTestFinished(drop);
  } catch {
    // Made for a whole file of tests, outside any of them: it goes with the server.
  }
}
