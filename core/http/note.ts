/** A request that shows personal data is one entry in the audit log, written before the answer goes out. */
import { Effect } from "effect";
import { type AuditEntry, noteAudit } from "../store/audit.ts";
import type { StoreFailed } from "../store/failure.ts";
import type { Asking } from "./route.ts";

type Noted = Pick<AuditEntry, "action" | "subject" | "detail">;

/** Of a caller who sees masks only, nothing is noted. */
export const noteRead = (asking: Asking, entry: Noted): Effect.Effect<void, StoreFailed> =>
  asking.caller.seesPersonal ? noteAccess(asking, entry) : Effect.void;

export const noteAccess = ({ hub, caller }: Asking, entry: Noted): Effect.Effect<void, StoreFailed> =>
  hub.store.database.write("noting a read", () =>
    noteAudit(hub.store.database, [{ at: hub.clock.now(), actor: caller.actor, ...entry }]),
  );
