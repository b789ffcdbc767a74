/**
 * Sealing: AES-256-GCM over one JSON value, bound to the place where it is stored.
 *
 * Shape   a sealed value is: nonce (12 bytes), tag (16 bytes), ciphertext. Its additional data is the purpose and the
 *         owner, so that a value moved to another row or owner does not open.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  type KeyObject,
  randomFillSync,
} from "node:crypto";
import type { HubKey } from "./hub-key.ts";

const nonceBytes = 12;
const tagBytes = 16;
const keyBytes = 32;

export class SealBroken extends Error {
  readonly _tag = "SealBroken";
  constructor(purpose: string) {
    super(
      `A sealed value (${purpose}) does not open: the store was changed outside Syncline, or its key is not this one. ` +
        "Restore the store and the key from the same backup.",
    );
    this.name = "SealBroken";
  }
}

// Random bytes are drawn in blocks: one call per nonce costs as much as the seal itself.
const pool = Buffer.alloc(48 * 256);
let poolUsed = pool.length;

function random(bytes: number): Buffer {
  if (poolUsed + bytes > pool.length) {
    randomFillSync(pool);
    poolUsed = 0;
  }
  const slice = Buffer.from(pool.subarray(poolUsed, poolUsed + bytes));
  poolUsed += bytes;
  return slice;
}

function sealBytes(key: KeyObject, plain: Buffer, bound: string): Buffer {
  const nonce = random(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(Buffer.from(bound));
  const body = cipher.update(plain);
  cipher.final();
  const sealed = Buffer.allocUnsafe(nonceBytes + tagBytes + body.length);
  nonce.copy(sealed, 0);
  cipher.getAuthTag().copy(sealed, nonceBytes);
  body.copy(sealed, nonceBytes + tagBytes);
  return sealed;
}

function openBytes(key: KeyObject, sealed: Uint8Array, bound: string): Buffer {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, nonceBytes));
    decipher.setAAD(Buffer.from(bound));
    decipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
    const plain = decipher.update(bytes.subarray(nonceBytes + tagBytes));
    decipher.final();
    return plain;
  } catch {
    throw new SealBroken(bound.split("\n")[0] ?? "value");
  }
}

/** The key of one account or contact, ready for use. */
export interface DataKey {
  readonly owner: string;
  readonly key: KeyObject;
}

/** All sealing of a hub. Cheap to keep, holds no state but the hub key. */
export interface Sealer {
  /** A new data key and its wrapped form, to be stored once. */
  readonly newDataKey: (owner: string) => { readonly dataKey: DataKey; readonly wrapped: Buffer };
  readonly unwrap: (owner: string, wrapped: Uint8Array) => DataKey;
  readonly seal: (dataKey: DataKey, purpose: string, value: unknown) => Buffer;
  readonly open: (dataKey: DataKey, purpose: string, sealed: Uint8Array) => unknown;
  /** For what belongs to no account or contact. */
  readonly sealHub: (purpose: string, value: unknown) => Buffer;
  readonly openHub: (purpose: string, sealed: Uint8Array) => unknown;
  /** A blind index: the same text gives the same 16 characters (96 bits), and nobody without the key can go back. */
  readonly blind: (purpose: string, text: string) => string;
}

export function createSealer(hubKey: HubKey): Sealer {
  const parse = (plain: Buffer): unknown => JSON.parse(plain.toString("utf8"));
  return {
    newDataKey: (owner) => {
      const raw = random(keyBytes);
      return {
        dataKey: { owner, key: createSecretKey(raw) },
        wrapped: sealBytes(hubKey.wrapping, raw, `key\n${owner}`),
      };
    },
    unwrap: (owner, wrapped) => ({ owner, key: createSecretKey(openBytes(hubKey.wrapping, wrapped, `key\n${owner}`)) }),
    seal: (dataKey, purpose, value) =>
      sealBytes(dataKey.key, Buffer.from(JSON.stringify(value)), `${purpose}\n${dataKey.owner}`),
    open: (dataKey, purpose, sealed) => parse(openBytes(dataKey.key, sealed, `${purpose}\n${dataKey.owner}`)),
    sealHub: (purpose, value) => sealBytes(hubKey.sealing, Buffer.from(JSON.stringify(value)), purpose),
    openHub: (purpose, sealed) => parse(openBytes(hubKey.sealing, sealed, purpose)),
    blind: (purpose, text) =>
      createHmac("sha256", hubKey.blinding).update(purpose).update("\n").update(text).digest("base64url").slice(0, 16),
  };
}
