/** Keys of the HTTP API as rows: who they are for, what they may, and the keyed hash of their text. */
import { and, asc, eq, gt, isNull, lt, or } from "drizzle-orm";
import { Effect } from "effect";
import type { Role, Scope } from "../security/roles.ts";
import { type AuditEntry, noteAudit } from "./audit.ts";
import type { Row } from "./database.ts";
import type { Store } from "./open.ts";
import { apiKeys } from "./tables.ts";

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** Scopes beside those of the role. */
  readonly scopes: ReadonlyArray<Scope>;
  /** The connection that a provisioner pushes into. */
  readonly connection: string | null;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  readonly revokedBy: string | null;
  readonly lastUsedAt: number | null;
}

export interface StoredKey {
  readonly key: ApiKey;
  readonly hash: string;
}

// Written by insertKey only, which takes roles and scopes that the types know.
const keyOf = ({ hash: _, ...row }: Row<typeof apiKeys>): ApiKey => ({
  ...row,
  role: row.role as Role,
  scopes: row.scopes as ReadonlyArray<Scope>,
});

export const insertKey = Effect.fn("keys.insert")(function* (store: Store, stored: StoredKey, entry: AuditEntry) {
  const { database } = store;
  yield* database.write("making a key", async () => {
    await database.insert(apiKeys, [{ ...stored.key, hash: stored.hash }]);
    await noteAudit(database, [entry]);
  });
});

export const findKey = Effect.fn("keys.find")(function* ({ database }: Store, id: string) {
  return yield* database.read("looking up a key", async (): Promise<StoredKey | null> => {
    const [row] = await database.selectIn(apiKeys, "id", [id]);
    return row === undefined ? null : { key: keyOf(row), hash: row.hash };
  });
});

/** In the order of their making, revoked and expired ones too. */
export const listKeys = Effect.fn("keys.list")(function* (
  { database }: Store,
  page: { readonly after?: string; readonly limit: number },
) {
  return yield* database.read("listing keys", async () => {
    const rows = await database.db
      .select()
      .from(apiKeys)
      .where(page.after === undefined ? undefined : gt(apiKeys.id, page.after))
      .orderBy(asc(apiKeys.id))
      .limit(page.limit);
    return rows.map(keyOf);
  });
});

/** Ends a key from now on; false where there is none, or it has ended already. */
export const revokeRow = Effect.fn("keys.revoke")(function* ({ database }: Store, id: string, entry: AuditEntry) {
  return yield* database.write("revoking a key", async () => {
    const [row] = await database.selectIn(apiKeys, "id", [id]);
    if (row === undefined || row.revokedAt !== null) return false;
    await database.update(
      apiKeys,
      ["id"],
      ["revokedAt", "revokedBy"],
      [{ id, revokedAt: entry.at, revokedBy: entry.actor }],
    );
    await noteAudit(database, [entry]);
    return true;
  });
});

/** Notes that a key was used, unless that was noted after `before`. */
export const touchKey = Effect.fn("keys.touch")(function* (
  { database }: Store,
  id: string,
  { at, before }: { readonly at: number; readonly before: number },
) {
  yield* database.write("noting the use of a key", async () => {
    await database.db
      .update(apiKeys)
      .set({ lastUsedAt: at })
      .where(and(eq(apiKeys.id, id), or(isNull(apiKeys.lastUsedAt), lt(apiKeys.lastUsedAt, before))));
  });
});
