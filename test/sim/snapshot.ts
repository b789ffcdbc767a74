/** What the store says at the end of a run, as the oracle needs it. */
import { asc } from "drizzle-orm";
import { Effect } from "effect";
import type { Model } from "../../core/model/field.ts";
import type { Canonical, ChangeRow, Conflict, Link } from "../../core/model/world.ts";
import { listConflicts, sealingFor } from "../../core/store/browse.ts";
import type { Store } from "../../core/store/open.ts";
import { canonicalOf, changeOf, linkOf } from "../../core/store/rows.ts";
import {
  audit,
  canonicals as canonicalTable,
  changes as changeTable,
  deadLetters as deadLetterTable,
  inbox as inboxTable,
  links as linkTable,
  outbox as outboxTable,
} from "../../core/store/tables.ts";

export interface Snapshot {
  readonly canonicals: ReadonlyMap<string, Canonical>;
  readonly links: ReadonlyArray<Link>;
  readonly conflicts: ReadonlyArray<Conflict>;
  readonly changes: ReadonlyArray<ChangeRow>;
  readonly deadLetters: ReadonlyArray<{
    readonly connection: string;
    readonly canonicalId: string;
    readonly field: string;
    readonly state: string;
  }>;
  readonly audit: ReadonlyArray<{
    readonly at: number;
    readonly action: string;
    readonly subject: string;
    readonly intent: string | null;
  }>;
  readonly inbox: ReadonlyArray<{ readonly connection: string; readonly state: string }>;
  readonly outbox: number;
}

export async function snapshotOf(store: Store, model: Model): Promise<Snapshot> {
  const { db } = store.database;
  const rows = await db.select().from(canonicalTable);
  const sealing = await sealingFor(
    { store, model },
    rows.map((row) => row.id),
  );
  const changes = await db.select().from(changeTable).orderBy(asc(changeTable.position));
  return {
    canonicals: new Map(rows.map((row) => [row.id, canonicalOf(sealing, row)])),
    links: (await db.select().from(linkTable)).map((row) => linkOf(row, { fields: {} })),
    conflicts: await Effect.runPromise(listConflicts({ store, model }, { limit: 100_000 })),
    changes: changes.map((row) => changeOf(sealing, row)),
    deadLetters: await db.select().from(deadLetterTable),
    audit: (await db.select().from(audit).orderBy(asc(audit.id))).map(({ at, action, subject, detail }) => ({
      at,
      action,
      subject,
      // Written by the claim and by the settling of writes.
      intent: (detail as { readonly intent?: string }).intent ?? null,
    })),
    inbox: await db.select().from(inboxTable),
    outbox: await db.$count(outboxTable),
  };
}
