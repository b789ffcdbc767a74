/**
 * The column kit of SQLite. Tables are defined once, over a kit; another engine brings another kit of the same shape.
 */
import { blob, customType, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

/** JSON kept as text; parsed when read. */
const json = customType<{ data: unknown; driverData: string }>({
  dataType: () => "text",
  toDriver: (value) => JSON.stringify(value),
  fromDriver: (value) => JSON.parse(value),
});

const bytes = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => "blob" });

export const sqliteKit = { table: sqliteTable, text, integer, blob, json, bytes, index, uniqueIndex, primaryKey };

export type Kit = typeof sqliteKit;
