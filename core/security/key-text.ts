/**
 * The text of an API key: `syn_<id>_<secret>`, of which the hub keeps a keyed hash only.
 *
 * Shape   id: 20 characters, as in `key_<id>`; secret: 160 random bits as 40 hex digits, then the CRC-32 of all before it
 *         as 8, so that a scanner of repositories or a typing error is told apart without a look into the store.
 *         As a pattern for secret scanners: `\bsyn_[0-9a-z]{20}_[0-9a-f]{48}\b`
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { crc32 } from "node:zlib";

export interface KeyText {
  /** The id of its row. */
  readonly id: string;
  readonly text: string;
}

const secretBytes = 20;
const shape = /^(syn_([0-9a-z]{20})_[0-9a-f]{40})([0-9a-f]{8})$/;

const checksum = (text: string): string => crc32(text).toString(16).padStart(8, "0");

/** A new key text for the row `key_…`. */
export function newKeyText(id: string): KeyText {
  const text = `syn_${id.replace(/^key_/, "")}_${randomBytes(secretBytes).toString("hex")}`;
  return { id, text: `${text}${checksum(text)}` };
}

/** The id of the row that a text may belong to; null if it is no key of this kind, or was not copied whole. */
export function readKeyText(text: string): KeyText | null {
  const match = shape.exec(text);
  if (match === null) return null;
  const [, body = "", id = "", sum = ""] = match;
  return checksum(body) === sum ? { id: `key_${id}`, text } : null;
}

/** Compares in a time that tells nothing of where they differ. */
export function sameHash(one: string, other: string): boolean {
  const left = Buffer.from(one);
  const right = Buffer.from(other);
  return left.length === right.length && timingSafeEqual(left, right);
}
