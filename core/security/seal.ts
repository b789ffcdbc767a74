/**
 * Sealing: AES-256-GCM over one JSON value, bound to whom it belongs to and what it is for: its additional data is the
 * purpose and the owner, so that a value moved to another owner or purpose does not open.
 */
import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import { BulkSealer } from "./bulk-seal.ts";
import { fillRandom, keyBytes, openBytes, sealBytes } from "./gcm.ts";
import type { HubKey } from "./hub-key.ts";

/** The key of one account or contact, ready for use. */
export interface DataKey {
  readonly owner: string;
  readonly key: KeyObject;
  /**
   * What it sealed last. A record that comes in says the same in the canonical row, in the shadow and in the log, and
   * is sealed once for the three.
   */
  last?: { readonly purpose: string; readonly text: string; readonly sealed: Uint8Array };
}

/** All sealing of a hub. Cheap to keep, holds no state but the hub key and, once it was needed, a thread. */
export interface Sealer {
  /** Another thread makes its own sealer from it. */
  readonly hubKey: HubKey;
  /** A new data key and its wrapped form, to be stored once. */
  readonly newDataKey: (owner: string) => { readonly dataKey: DataKey; readonly wrapped: Buffer };
  readonly unwrap: (owner: string, wrapped: Uint8Array) => DataKey;
  readonly seal: (dataKey: DataKey, purpose: string, value: unknown) => Uint8Array;
  readonly open: (dataKey: DataKey, purpose: string, sealed: Uint8Array) => unknown;
  /** For what belongs to no account or contact. */
  readonly sealHub: (purpose: string, value: unknown) => Buffer;
  readonly openHub: (purpose: string, sealed: Uint8Array) => unknown;
  /** As `sealHub`, for bytes as they are. */
  readonly sealHubBytes: (purpose: string, plain: Buffer) => Buffer;
  readonly openHubBytes: (purpose: string, sealed: Uint8Array) => Buffer;
  /** A blind index: the same text gives the same 16 characters (96 bits), and nobody without the key can go back. */
  readonly blind: (purpose: string, text: string | Uint8Array) => string;
  /** A keyed print of a secret or a request, whole (256 bits): two texts with one print are one text. */
  readonly print: (purpose: string, text: string) => string;
  /** Seals on another thread what a large page brings. */
  readonly bulk: () => BulkSealer;
  readonly close: () => void;
}

export function createSealer(hubKey: HubKey): Sealer {
  let bulk: BulkSealer | undefined;
  const parse = (plain: Buffer): unknown => JSON.parse(plain.toString("utf8"));
  return {
    hubKey,
    newDataKey: (owner) => {
      const raw = Buffer.allocUnsafe(keyBytes);
      fillRandom(raw, keyBytes);
      return {
        dataKey: { owner, key: createSecretKey(raw) },
        wrapped: sealBytes(hubKey.wrapping, raw, `key\n${owner}`),
      };
    },
    unwrap: (owner, wrapped) => ({ owner, key: createSecretKey(openBytes(hubKey.wrapping, wrapped, `key\n${owner}`)) }),
    seal: (dataKey, purpose, value) => {
      const { last } = dataKey;
      const text = JSON.stringify(value);
      if (last?.text === text && last.purpose === purpose) return last.sealed;
      const sealed = sealBytes(dataKey.key, Buffer.from(text), `${purpose}\n${dataKey.owner}`);
      dataKey.last = { purpose, text, sealed };
      return sealed;
    },
    open: (dataKey, purpose, sealed) => parse(openBytes(dataKey.key, sealed, `${purpose}\n${dataKey.owner}`)),
    sealHub: (purpose, value) => sealBytes(hubKey.sealing, Buffer.from(JSON.stringify(value)), purpose),
    openHub: (purpose, sealed) => parse(openBytes(hubKey.sealing, sealed, purpose)),
    sealHubBytes: (purpose, plain) => sealBytes(hubKey.sealing, plain, purpose),
    openHubBytes: (purpose, sealed) => openBytes(hubKey.sealing, sealed, purpose),
    blind: (purpose, text) =>
      createHmac("sha256", hubKey.blinding).update(purpose).update("\n").update(text).digest("base64url").slice(0, 16),
    print: (purpose, text) =>
      createHmac("sha256", hubKey.blinding).update(`print ${purpose}`).update("\n").update(text).digest("base64url"),
    bulk: () => {
      bulk ??= new BulkSealer(hubKey);
      return bulk;
    },
    close: () => bulk?.close(),
  };
}
