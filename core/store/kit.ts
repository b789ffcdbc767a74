/**
 * The column kits. Tables are defined once, over a kit; each engine brings its own, with the same names.
 *
 * The types of SQLite's tables are the types of both: the columns hold the same JavaScript values.
 */
import { blob, customType, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

/** JSON kept as text, which keeps its members in order; parsed when read. */
const json = customType<{ data: unknown; driverData: string }>({
  dataType: () => "text",
  toDriver: (value) => JSON.stringify(value),
  fromDriver: (value) => JSON.parse(value),
});

const bytes = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => "blob" });

export const sqliteKit = { table: sqliteTable, text, integer, blob, json, bytes, index, uniqueIndex, primaryKey };

export type Kit = typeof sqliteKit;
