/** Compares secrets without telling by the time it takes where they differ. */
import { timingSafeEqual } from "node:crypto";

export function isSameSecret(one: string, other: string): boolean {
  const left = Buffer.from(one);
  const right = Buffer.from(other);
  // Lengths are no secret; the comparison needs equal ones.
  return left.length === right.length && timingSafeEqual(left, right);
}
