/** The conditions that PostgreSQL writes in its own way. */
import { type Column, type SQL, sql } from "drizzle-orm";
import type { Words } from "../database.ts";

/** Names of members are letters and digits. */
const at = (column: Column, path: ReadonlyArray<string>): SQL =>
  sql`(${column}::jsonb #> ${`{${path.join(",")}}`}::text[])`;

const asJson = (value: string | number | boolean): SQL => sql`${JSON.stringify(value)}::jsonb`;

export const postgresWords: Words = {
  now: sql`(extract(epoch from clock_timestamp()) * 1000)::bigint`,
  contains: (column, part) => sql`${column} ilike ${`%${part.replace(/[%_]/g, "")}%`} escape ''`,
  equalsAt: (column, path, value) =>
    value === null ? isEmpty(at(column, path)) : sql`${at(column, path)} = ${asJson(value)}`,
  // A list of JSON contains a text that is one of its members.
  hasMemberAt: (column, path, member) => sql`${at(column, path)} @> ${asJson(member)}`,
};

const isEmpty = (value: SQL): SQL => sql`coalesce(${value}, 'null'::jsonb) = 'null'::jsonb`;
