/**
 * Paging by cursor: opaque to the caller, and the next page begins behind it, whatever was added meanwhile. A cursor holds
 * an id or a position, never a value, and fits the list that gave it only.
 */
import { Effect } from "effect";
import type { Problem } from "./problem.ts";
import { invalid } from "./route.ts";
import { limitUnlessSaid } from "./shapes.ts";

export interface PageQuery {
  readonly limit?: number;
  readonly cursor?: string;
}

export interface Page {
  readonly limit: number;
  /** Where the page begins: behind this id or position. */
  readonly after: string | undefined;
}

export const cursorOf = (list: string, after: string): string =>
  Buffer.from(JSON.stringify([list, after])).toString("base64url");

/** What a list is asked for; fails where the cursor is not one of this list. */
export const pageFor = (list: string, { limit = limitUnlessSaid, cursor }: PageQuery): Effect.Effect<Page, Problem> => {
  if (cursor === undefined) return Effect.succeed({ limit, after: undefined });
  const after = readCursor(list, cursor);
  if (after !== null) return Effect.succeed({ limit, after });
  return Effect.fail(invalid([{ path: "query.cursor", what: "must be `next` of a page of this list" }]));
};

function readCursor(list: string, cursor: string): string | null {
  try {
    const read: unknown = JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
    if (!Array.isArray(read) || read.length !== 2 || read[0] !== list) return null;
    return typeof read[1] === "string" ? read[1] : null;
  } catch {
    return null;
  }
}

/** A page out of rows of which one more than asked for was read, to know whether there is a next one. */
export function paged<T>(list: string, rows: ReadonlyArray<T>, limit: number, idOf: (row: T) => string) {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? cursorOf(list, idOf(last)) : null };
}
