/**
 * One value sealed with AES-256-GCM.
 *
 * Shape   nonce (12 bytes), tag (16 bytes), ciphertext; what it is bound to is its additional data.
 */
import { createCipheriv, createDecipheriv, type KeyObject, randomFillSync } from "node:crypto";

const nonceBytes = 12;
const tagBytes = 16;
export const keyBytes = 32;
/** How many bytes a sealed value is longer than the plain one. */
export const headBytes = nonceBytes + tagBytes;

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

export function fillRandom(target: Buffer, bytes: number): void {
  if (poolUsed + bytes > pool.length) {
    randomFillSync(pool);
    poolUsed = 0;
  }
  pool.copy(target, 0, poolUsed, poolUsed + bytes);
  poolUsed += bytes;
}

export function sealBytes(key: KeyObject, plain: Buffer, bound: string): Buffer {
  const sealed = Buffer.allocUnsafe(headBytes + plain.length);
  plain.copy(sealed, headBytes);
  sealInPlace(key, sealed, bound);
  return sealed;
}

/** Seals the plain bytes that stand in `sealed`, behind the room for nonce and tag. */
export function sealInPlace(key: KeyObject, sealed: Buffer, bound: string): void {
  const nonce = sealed.subarray(0, nonceBytes);
  fillRandom(nonce, nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(Buffer.from(bound));
  cipher.update(sealed.subarray(headBytes)).copy(sealed, headBytes);
  cipher.final();
  cipher.getAuthTag().copy(sealed, nonceBytes);
}

export function openBytes(key: KeyObject, sealed: Uint8Array, bound: string): Buffer {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, nonceBytes));
    decipher.setAAD(Buffer.from(bound));
    decipher.setAuthTag(bytes.subarray(nonceBytes, headBytes));
    const plain = decipher.update(bytes.subarray(headBytes));
    decipher.final();
    return plain;
  } catch {
    throw new SealBroken(bound.split("\n")[0] ?? "value");
  }
}
