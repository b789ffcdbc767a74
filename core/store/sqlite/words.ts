/** The conditions that SQLite writes in its own way. */
import { type Column, like, type SQL, sql } from "drizzle-orm";
import type { Words } from "../database.ts";

const at = (column: Column, path: ReadonlyArray<string>): SQL => sql`json_extract(${column}, ${pathOf(path)})`;

/** Names of members are letters and digits. */
const pathOf = (path: ReadonlyArray<string>): string => ["$", ...path].join(".");

export const sqliteWords: Words = {
  now: sql`cast(unixepoch('subsec') * 1000 as integer)`,
  contains: (column, part) => like(column, `%${part.replace(/[%_]/g, "")}%`),
  equalsAt: (column, path, value) =>
    value === null
      ? sql`${at(column, path)} is null`
      : sql`${at(column, path)} = ${typeof value === "boolean" ? Number(value) : value}`,
  hasMemberAt: (column, path, member) =>
    sql`exists (select 1 from json_each(${column}, ${pathOf(path)}) where value = ${member})`,
};
