/** The tables as drizzle-kit reads them to write PostgreSQL's migrations. */
import { defineTables } from "../tables.ts";
import { postgresKit } from "./kit.ts";

export const {
  meta,
  leases,
  connections,
  cursors,
  tokens,
  counters,
  dataKeys,
  canonicals,
  links,
  shadows,
  matchKeys,
  words,
  changes,
  conflicts,
  meetings,
  outbox,
  sent,
  inbox,
  subscriptions,
  schedules,
  apiKeys,
  resources,
  idempotency,
  alerts,
  deadLetters,
  runs,
  brakeMarks,
  audit,
} = defineTables(postgresKit);
