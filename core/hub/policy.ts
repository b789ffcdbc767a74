/** A changed policy: which settled fields it would settle otherwise, and carrying that out as edits of a person. */
import { and, desc, eq, lt } from "drizzle-orm";
import { Effect } from "effect";
import { decideEdit } from "../model/edits.ts";
import type { Moment } from "../model/moment.ts";
import { type Difference, judgeAgain } from "../model/policy-change.ts";
import { noteAudit } from "../store/audit.ts";
import { countCanonicals } from "../store/browse.ts";
import { conflictOf } from "../store/rows.ts";
import { conflicts } from "../store/tables.ts";
import { loadWorld, saveWorld } from "../store/world-store.ts";
import type { Hub } from "./open.ts";

const batchMax = 500;

/** Every settled field whose winner would differ under the policy of today; the newest row of a field counts. */
export const differences = Effect.fn("policy.differences")(function* (hub: Hub) {
  const { database, sealer } = hub.store;
  const seen = new Set<string>();
  const found: Array<Difference> = [];
  for (let before: string | undefined; ; ) {
    const under = before;
    const rows = yield* database.read("reading settled conflicts", async () =>
      database.db
        .select()
        .from(conflicts)
        .where(
          and(
            eq(conflicts.kind, "value"),
            eq(conflicts.state, "settled"),
            under === undefined ? undefined : lt(conflicts.id, under),
          ),
        )
        .orderBy(desc(conflicts.id))
        .limit(batchMax),
    );
    if (rows.length === 0) return found;
    before = rows.at(-1)?.id;
    const { world, sealing } = yield* database.read("judging again", () =>
      loadWorld(database, sealer, hub.model, { canonicalIds: rows.flatMap((row) => row.canonicalId ?? []) }),
    );
    for (const row of rows) {
      const key = `${row.canonicalId}\n${row.field}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const difference = judgeAgain(world, hub.settings, conflictOf(sealing, row));
      if (difference !== undefined) found.push(difference);
    }
  }
});

/** The share and number of customers beyond which applying a policy must be asked for twice, as with every brake. */
const brake = { share: 0.05, records: 20 };

export type Applied =
  | { readonly kind: "done"; readonly changed: number; readonly asks: number }
  | { readonly kind: "braked"; readonly customers: number; readonly bound: number };

/** Makes every difference an edit of this person; what has changed meanwhile asks. */
export const applyPolicy = Effect.fn("policy.apply")(function* (
  hub: Hub,
  actor: string,
  options: { readonly beyondBrake: boolean },
) {
  const { database, sealer } = hub.store;
  const found = yield* differences(hub);
  const customers = new Set(found.map((one) => one.canonicalId)).size;
  const all = (yield* countCanonicals(hub, "account")) + (yield* countCanonicals(hub, "contact"));
  const bound = Math.max(brake.records, Math.floor(brake.share * all));
  if (customers > bound && !options.beyondBrake) return { kind: "braked", customers, bound } satisfies Applied;
  let changed = 0;
  let asks = 0;
  for (let start = 0; start < found.length; start += batchMax) {
    const batch = found.slice(start, start + batchMax);
    yield* database.write("applying the policy", async () => {
      const canonicalIds = batch.map((one) => one.canonicalId);
      const { world, sealing } = await loadWorld(database, sealer, hub.model, { canonicalIds, withTargets: true });
      const now = hub.clock.now();
      const moment: Moment = { now, run: hub.ids.next("run"), newId: hub.ids.next, deferMeetings: false };
      for (const { canonicalId, field, from, to, conflict } of batch) {
        const edit = { canonicalId, field, value: to, base: from, hold: false };
        const outcome = decideEdit(world, hub.settings, edit, moment, { policy: conflict });
        if (outcome.kind === "done") changed += 1;
        else if (outcome.kind === "asks") asks += 1;
      }
      await saveWorld(database, sealing, world, { now, newId: hub.ids.next, settings: hub.settings });
      await noteAudit(database, [{ at: now, actor, action: "apply policy", subject: `${batch.length} fields` }]);
    });
  }
  return { kind: "done", changed, asks } satisfies Applied;
});
