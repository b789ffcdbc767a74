/** Creates that were sent and not answered: they wait until they can neither land nor hide any more (SEMANTICS D12). */
import { and, countDistinct, eq, inArray, max } from "drizzle-orm";
import { Effect } from "effect";
import { sent } from "../store/tables.ts";
import type { Engine, LiveConnection } from "./engine.ts";

export interface Unclear {
  /** Accounts and contacts whose create is not answered. */
  readonly creates: number;
  /** When the last of them is looked up, and made again if it is not there; epoch milliseconds. */
  readonly until: number;
}

/** What waits in one connection; null when nothing does. */
export const unclearCreates = Effect.fn("sync.unclear")(function* (engine: Engine, live: LiveConnection) {
  const { database } = engine.store;
  const rows = yield* database.read("counting unanswered creates", async () =>
    database.db
      .select({ entity: sent.entity, creates: countDistinct(sent.canonicalId), lastAt: max(sent.at) })
      .from(sent)
      .where(and(eq(sent.connection, live.name), eq(sent.kind, "create"), inArray(sent.state, ["open", "unclear"])))
      .groupBy(sent.entity),
  );
  if (rows.length === 0) return null;
  const untils = rows.map(({ entity, lastAt }) => {
    const side = [...live.sides.values()].find((one) => one.entity === entity);
    return (lastAt ?? 0) + (side === undefined ? 0 : side.lateMs + side.settleMs);
  });
  return {
    creates: rows.reduce((sum, { creates }) => sum + creates, 0),
    until: Math.max(...untils),
  } satisfies Unclear;
});
