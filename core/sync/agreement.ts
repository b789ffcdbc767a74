/**
 * Green means proved: how many pairs of (link, mapped field that the connection can write) agree with the canonical
 * value, compared through `base`. Open conflicts and pending writes are left out and counted.
 */
import { and, asc, eq, gt, inArray } from "drizzle-orm";
import { Effect } from "effect";
import { canonicalValue } from "../model/canonical.ts";
import { sideOf } from "../model/settings.ts";
import { equalValues, isEmpty } from "../model/value.ts";
import { links, outbox } from "../store/tables.ts";
import { loadWorld } from "../store/world-store.ts";
import type { Engine } from "./engine.ts";

export interface Agreement {
  readonly pairs: number;
  readonly agreeing: number;
  /** Pairs left out because a conflict of the field is open or the field is frozen. */
  readonly open: number;
  /** Pairs left out because a write is on its way. */
  readonly pending: number;
  /** agreeing / pairs; 1 where there is nothing to compare. */
  readonly share: number;
}

const batchMax = 500;
const batchesMax = 1_000_000;

export interface MeasureOptions {
  /** Links compared in one go. */
  readonly batchLinks?: number;
  /** Run between two batches, to let others work. */
  readonly between?: Effect.Effect<void>;
}

/** Compares every live link. Reads in batches; the store may be as large as it likes. */
export const measureAgreement = Effect.fn("agreement.measure")(function* (
  engine: Engine,
  names: ReadonlyArray<string>,
  { batchLinks = batchMax, between = Effect.void }: MeasureOptions = {},
) {
  const { database, sealer } = engine.store;
  let pairs = 0;
  let agreeing = 0;
  let open = 0;
  let pending = 0;
  let after = 0;
  for (let batch = 0; batch < batchesMax; batch++) {
    const from = after;
    const rows = yield* database.read("comparing the systems", async () =>
      database.db
        .select()
        .from(links)
        .where(and(eq(links.state, "live"), inArray(links.connection, [...names]), gt(links.id, from)))
        .orderBy(asc(links.id))
        .limit(batchLinks),
    );
    if (rows.length === 0) break;
    if (batch > 0) yield* between;
    after = rows.at(-1)?.id ?? after;
    const { world } = yield* database.read("comparing the systems", () =>
      loadWorld(database, sealer, engine.model, { links: rows, withTargets: true }),
    );
    const waiting = yield* database.read("comparing the systems", () =>
      database.selectIn(
        outbox,
        "canonicalId",
        rows.flatMap((row) => (row.canonicalId === null ? [] : [row.canonicalId])),
      ),
    );
    const due = new Set(waiting.map((row) => `${row.connection}\n${row.canonicalId}`));
    for (const row of rows) {
      const link = world.linksById.get(row.id);
      const side = link === undefined ? undefined : sideOf(engine.settings, link.connection, link.entity);
      const canonical = link?.canonicalId == null ? undefined : world.canonical(link.canonicalId);
      if (link === undefined || side === undefined || canonical === undefined || !side.writable) continue;
      for (const [field, rule] of side.rules) {
        const shadow = link.shadow.fields[field];
        if (shadow === undefined || rule.access !== "both") continue;
        const value = canonicalValue(canonical, field);
        const equal = equalValues(shadow.base, value) || (isEmpty(shadow.base) && isEmpty(value));
        if (!equal && (shadow.frozen !== undefined || world.openConflict(canonical.id, field) !== undefined)) open += 1;
        else if (!equal && due.has(`${link.connection}\n${canonical.id}`)) pending += 1;
        else if (!equal && isUnreachable(engine, world, side, field, value)) continue;
        else {
          pairs += 1;
          if (equal) agreeing += 1;
        }
      }
    }
  }
  return { pairs, agreeing, open, pending, share: pairs === 0 ? 1 : agreeing / pairs } satisfies Agreement;
});

/** A reference whose target this connection does not have cannot be written, so it never becomes due. */
function isUnreachable(
  engine: Engine,
  world: Awaited<ReturnType<typeof loadWorld>>["world"],
  side: NonNullable<ReturnType<typeof sideOf>>,
  field: string,
  value: ReturnType<typeof canonicalValue>,
): boolean {
  if (engine.model[side.entity].get(field)?.type !== "reference" || typeof value !== "string") return false;
  const target = world.canonical(value);
  return target === undefined || world.liveLinks(target.id, side.connection).length === 0;
}
