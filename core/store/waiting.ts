/**
 * Conditions of partial indexes, word by word as the tables have them: SQLite uses such an index only for a query that
 * repeats its condition as text, not with values beside it.
 */
import { sql } from "drizzle-orm";

/** Rows of the inbox that are held or not read yet. */
export const isWaiting = sql`state in ('held', 'unread')`;

/** Rows of the conflict log that wait for a person. */
export const isQuestion = sql`state in ('open', 'reopened')`;
