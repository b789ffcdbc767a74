/**
 * The audit log: who did what, as a hash chain (DESIGN 4). Entries hold ids and counts, never clear personal data.
 *
 * An entry goes in unlinked with its transaction; the linker gives it its number and its hash, which covers the hash
 * before it. `verify` walks the chain and names the first entry that does not fit.
 */
import { createHash } from "node:crypto";
import { asc, desc, isNotNull, isNull } from "drizzle-orm";
import { Effect } from "effect";
import type { Database, Row } from "./database.ts";
import { audit } from "./tables.ts";

export interface AuditEntry {
  readonly at: number;
  /** `hub` for the moves, else the person or key that asked. */
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly detail?: Readonly<Record<string, string | number | boolean | null | ReadonlyArray<string>>>;
}

/** Adds entries inside the caller's transaction. */
export async function noteAudit(database: Database, entries: ReadonlyArray<AuditEntry>): Promise<void> {
  await database.insert(
    audit,
    entries.map(({ detail, ...entry }) => ({ ...entry, detail: detail ?? {}, sequence: null, hash: null })),
  );
}

const origin = "syncline";
const batchMax = 1000;

type AuditRow = Row<typeof audit>;

function hashOf(previous: string, sequence: number, row: AuditRow): string {
  return createHash("sha256")
    .update(JSON.stringify([previous, sequence, row.at, row.actor, row.action, row.subject, row.detail]))
    .digest("base64url");
}

/** Links what is not linked yet, oldest first. One caller at a time: the lease of the moves, or a short transaction. */
export const linkAudit = Effect.fn("audit.link")(function* (database: Database) {
  for (let linked = batchMax; linked === batchMax; ) {
    linked = yield* database.write("linking the audit log", async () => {
      const last = await database.db
        .select()
        .from(audit)
        .where(isNotNull(audit.sequence))
        .orderBy(desc(audit.sequence))
        .limit(1)
        .get();
      const rows = await database.db
        .select()
        .from(audit)
        .where(isNull(audit.sequence))
        .orderBy(asc(audit.id))
        .limit(batchMax);
      let sequence = last?.sequence ?? 0;
      let previous = last?.hash ?? origin;
      const updates = rows.map((row) => {
        sequence += 1;
        previous = hashOf(previous, sequence, row);
        return { id: row.id, sequence, hash: previous };
      });
      await database.update(audit, ["id"], ["sequence", "hash"], updates);
      return rows.length;
    });
  }
});

export interface AuditVerdict {
  readonly entries: number;
  /** Entries that are not linked yet; they are not protected. */
  readonly unlinked: number;
  /** Hash of the last linked entry: note it elsewhere to see later that nothing was cut off. */
  readonly head: string;
  readonly broken: {
    readonly sequence: number;
    readonly at: number;
    readonly action: string;
    readonly why: string;
  } | null;
}

/** Walks the whole chain. */
export const verifyAudit = Effect.fn("audit.verify")(function* (database: Database) {
  let previous = origin;
  let expected = 1;
  let after = 0;
  for (;;) {
    const from = after;
    const rows = yield* database.read("reading the audit log", async () =>
      database.db
        .select()
        .from(audit)
        .where(isNotNull(audit.sequence))
        .orderBy(asc(audit.sequence))
        .limit(batchMax)
        .offset(from),
    );
    for (const row of rows) {
      const sequence = row.sequence ?? 0;
      const bad = (why: string): AuditVerdict["broken"] => ({ sequence, at: row.at, action: row.action, why });
      const broken =
        sequence !== expected
          ? bad(`entry ${expected} is missing`)
          : row.hash !== hashOf(previous, sequence, row)
            ? bad("its content or the entry before it was changed")
            : null;
      if (broken !== null) return { entries: expected - 1, unlinked: 0, head: previous, broken } satisfies AuditVerdict;
      previous = row.hash ?? "";
      expected += 1;
    }
    after += rows.length;
    if (rows.length < batchMax) break;
  }
  const unlinked = yield* database.read("reading the audit log", async () =>
    database.db.$count(audit, isNull(audit.sequence)),
  );
  return { entries: expected - 1, unlinked, head: previous, broken: null } satisfies AuditVerdict;
});
