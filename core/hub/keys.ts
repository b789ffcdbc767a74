/** API keys: made, shown once, listed, revoked, and recognised again. */
import { Effect } from "effect";
import { newKeyText, readKeyText, sameHash } from "../security/key-text.ts";
import type { Role, Scope } from "../security/roles.ts";
import { type ApiKey, findKey, insertKey, revokeRow, touchKey } from "../store/api-keys.ts";
import type { Hub } from "./open.ts";

export interface NewKey {
  /** Who or what uses it. */
  readonly name: string;
  readonly role: Role;
  readonly scopes: ReadonlyArray<Scope>;
  /** Only of a provisioner. */
  readonly connection?: string;
  readonly expiresAt: number | null;
}

export interface MadeKey {
  readonly key: ApiKey;
  /** The key itself; it is shown now and never again. */
  readonly text: string;
}

type Keyed = Pick<Hub, "store" | "clock">;

export const createKey = Effect.fn("hub.create-key")(function* (
  hub: Keyed & Pick<Hub, "ids">,
  actor: string,
  { connection, ...wanted }: NewKey,
) {
  const { id, text } = newKeyText(hub.ids.next("key"));
  const now = hub.clock.now();
  const key: ApiKey = {
    id,
    ...wanted,
    connection: connection ?? null,
    createdAt: now,
    createdBy: actor,
    revokedAt: null,
    revokedBy: null,
    lastUsedAt: null,
  };
  yield* insertKey(
    hub.store,
    { key, hash: hashOf(hub, text) },
    {
      at: now,
      actor,
      action: "create key",
      subject: id,
      detail: {
        role: wanted.role,
        scopes: wanted.scopes,
        expiresAt: wanted.expiresAt,
        ...(connection === undefined ? {} : { connection }),
      },
    },
  );
  return { key, text } satisfies MadeKey;
});

const hashOf = ({ store }: Keyed, text: string): string => store.sealer.print("api key", text);

/** False where there is no such key, or it was revoked already. */
export const revokeKey = Effect.fn("hub.revoke-key")(function* (hub: Keyed, actor: string, id: string) {
  return yield* revokeRow(hub.store, id, { at: hub.clock.now(), actor, action: "revoke key", subject: id });
});

export type Recognised =
  | { readonly kind: "known"; readonly key: ApiKey }
  | { readonly kind: "refused"; readonly why: "unknown" | "expired" | "revoked" };

/** Uses of a key are noted once in that time, so that reading costs no write. */
const touchEveryMs = 60_000;

/** Whose key this text is, if it is one and still good. */
export const recogniseKey = Effect.fn("hub.recognise-key")(function* (hub: Keyed, text: string) {
  const read = readKeyText(text);
  if (read === null) return refused("unknown");
  const stored = yield* findKey(hub.store, read.id);
  if (stored === null || !sameHash(stored.hash, hashOf(hub, text))) return refused("unknown");
  const { key } = stored;
  const now = hub.clock.now();
  if (key.revokedAt !== null) return refused("revoked");
  if (key.expiresAt !== null && key.expiresAt <= now) return refused("expired");
  const before = now - touchEveryMs;
  if (key.lastUsedAt === null || key.lastUsedAt < before) yield* touchKey(hub.store, key.id, { at: now, before });
  return { kind: "known", key } satisfies Recognised as Recognised;
});

const refused = (why: "unknown" | "expired" | "revoked"): Recognised => ({ kind: "refused", why });
