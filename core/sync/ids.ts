/**
 * Time-ordered ids that no other hub makes: a prefix, the millisecond in ten base-32 characters, and ten characters of
 * randomness that grow within one millisecond.
 */
import { randomBytes } from "node:crypto";

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

export interface Ids {
  readonly next: (prefix: string) => string;
}

/** `random` gives bytes; injected so that simulations repeat. */
export function createIds(now: () => number, random: (count: number) => Uint8Array = randomBytes): Ids {
  let lastMs = -1;
  let tail: Array<number> = [];
  return {
    next: (prefix) => {
      const ms = Math.max(now(), lastMs);
      if (ms !== lastMs) {
        lastMs = ms;
        tail = [...random(10)].map((byte) => byte & 31);
        // Room to count up within the millisecond.
        tail[0] = (tail[0] ?? 0) & 15;
      } else increment(tail);
      return `${prefix}_${encodeMs(ms)}${tail.map((digit) => alphabet[digit]).join("")}`;
    },
  };
}

function increment(digits: Array<number>): void {
  for (let index = digits.length - 1; index >= 0; index--) {
    const digit = (digits[index] ?? 0) + 1;
    digits[index] = digit & 31;
    if (digit < 32) return;
  }
}

function encodeMs(ms: number): string {
  let text = "";
  let rest = ms;
  for (let index = 0; index < 10; index++) {
    text = `${alphabet[rest % 32]}${text}`;
    rest = Math.floor(rest / 32);
  }
  return text;
}
