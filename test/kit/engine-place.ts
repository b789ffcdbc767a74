/**
 * Where tests keep their store: in SQLite, or in a database of its own on the server of the run. The tests do not know
 * which; vitest runs those that matter on both engines.
 */
import { Effect } from "effect";
import { expect, inject, onTestFinished } from "vitest";
import type { Shelf } from "../../core/store/browse.ts";
import { replayLog } from "../../core/store/replay.ts";
import { administer, sweepDatabase, templateName } from "./postgres-server.ts";
import "./postgres-setup.ts";

export const onPostgres = inject("postgres") !== undefined;

/** Databases of the tests that run, by the file that they stand for. */
const taken = new Map<string, string>();
/** Empty ones that an earlier test has left: making one takes ten times as long as emptying it. */
const free: Array<string> = [];
let count = 0;

/** A place for a store; the same file names the same store until the test has ended. */
export async function placeFor(file?: string): Promise<string> {
  const base = inject("postgres");
  if (base === undefined) return file ?? ":memory:";
  count += 1;
  const subject = file ?? `unnamed ${count}`;
  const known = taken.get(subject);
  if (known !== undefined) return `${base}${known}`;
  const name = free.pop() ?? (await create(base));
  taken.set(subject, name);
  whenTestEnds(async () => {
    taken.delete(subject);
    if (await sweepDatabase(base, name)) free.push(name);
  });
  return `${base}${name}`;
}

/** A place for a store, as hub.store names it. */
export async function storeFor(file: string): Promise<string> {
  const place = await placeFor(file);
  return place === file ? `sqlite:${file}` : place;
}

/**
 * Makes the test prove at its end, or when it closes the store by the answer, that the change log folds to what the store
 * holds. A store that a test has broken or closed itself proves nothing.
 */
export function provenAtEnd(shelf: Shelf): () => Promise<void> {
  let isClosed = false;
  const prove = async (): Promise<void> => {
    if (isClosed) return;
    const replayed = await Effect.runPromise(Effect.result(replayLog(shelf, () => {})));
    if (replayed._tag === "Failure") return;
    const { differences, orphans } = replayed.success;
    expect({ differences, orphans }).toEqual({ differences: [], orphans: [] });
  };
  whenTestEnds(prove);
  return async () => {
    await prove();
    isClosed = true;
    await shelf.store.close();
  };
}

async function create(base: string): Promise<string> {
  const name = `test_${process.pid}_${Math.random().toString(36).slice(2)}`;
  await administer(base, `create database ${name} template ${templateName}`);
  return name;
}

function whenTestEnds(leave: () => Promise<void>): void {
  try {
    onTestFinished(leave);
  } catch {
    // Made for a whole file of tests, outside any of them: it goes with the server.
  }
}
