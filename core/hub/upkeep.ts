/** Small things that nobody waits for: by one process of the store at a time. */
import { Effect } from "effect";
import { linkAudit } from "../store/audit.ts";
import { behind } from "../store/fence.ts";
import { pruneCalls } from "../store/inbox.ts";
import type { Member } from "../store/leases.ts";
import { upkeepRole } from "../store/processes.ts";
import type { Hub } from "./open.ts";

const linkEveryMs = 2_000;
const pruneEveryMs = 600_000;
/** Calls are kept that long after they were received, for a replay. */
const callsKeptMs = 7 * 24 * 3_600_000;

/** Does what is due now; nothing where another process does it. */
export function createUpkeep(hub: Pick<Hub, "store" | "clock">, member: Member): () => Promise<void> {
  const { clock } = hub;
  const { database } = hub.store;
  let linkedAt = clock.now();
  let prunedAt = 0;
  return async () => {
    const lease = member.held(upkeepRole);
    if (lease === undefined) return;
    const run = <A, E>(work: Effect.Effect<A, E>): Promise<A> => Effect.runPromise(behind(member.fence([lease]))(work));
    const now = clock.now();
    if (now - linkedAt >= linkEveryMs) {
      linkedAt = now;
      await run(linkAudit(database));
    }
    if (now - prunedAt >= pruneEveryMs) {
      prunedAt = now;
      await run(pruneCalls(database, now - callsKeptMs));
    }
  };
}
