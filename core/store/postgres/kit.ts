/** The column kit of PostgreSQL. Only the migrations are made from it: queries are written over SQLite's tables. */
import { bigint, customType, index, pgTable, primaryKey, uniqueIndex } from "drizzle-orm/pg-core";
import type { Kit } from "../kit.ts";

/** Texts are compared byte by byte, as SQLite and JavaScript do it with ids, whatever the language of the database. */
const text = customType<{ data: string; driverData: string }>({ dataType: () => 'text collate "C"' });

const bytes = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => "bytea" });

/** Instants are milliseconds, which 32 bits do not hold. */
function integer(name?: string) {
  const column = name === undefined ? bigint({ mode: "number" }) : bigint(name, { mode: "number" });
  const primary = column.primaryKey.bind(column);
  return Object.assign(column, {
    primaryKey: (options?: { readonly autoIncrement?: boolean }) =>
      options?.autoIncrement === true ? primary().generatedByDefaultAsIdentity() : primary(),
  });
}

// Its functions are called as SQLite's are, and give what drizzle-kit reads; the types of the tables stay SQLite's.
export const postgresKit = {
  table: pgTable,
  text,
  integer,
  json: text,
  bytes,
  index,
  uniqueIndex,
  primaryKey,
} as unknown as Kit;
