/**
 * Token buckets, one a caller: a bucket holds `burst` tokens, a request takes one, and `perMinute` come back.
 *
 * Bound   a number of callers; the one that was seen longest ago is forgotten first.
 */
export interface Rate {
  readonly perMinute: number;
  readonly burst: number;
}

export interface Buckets {
  /** Milliseconds until the next token; 0 when one was taken. */
  readonly take: (caller: string, rate: Rate, now: number) => number;
}

interface Bucket {
  tokens: number;
  at: number;
}

const minuteMs = 60_000;

export function createBuckets(callersMax = 10_000): Buckets {
  const buckets = new Map<string, Bucket>();
  return {
    take: (caller, rate, now) => {
      const known = buckets.get(caller);
      const tokens =
        known === undefined
          ? rate.burst
          : Math.min(rate.burst, known.tokens + (Math.max(0, now - known.at) * rate.perMinute) / minuteMs);
      const isLet = tokens >= 1;
      // A Map keeps the order of insertion: taking out and putting in moves a caller to the end.
      buckets.delete(caller);
      buckets.set(caller, { tokens: isLet ? tokens - 1 : tokens, at: now });
      if (buckets.size > callersMax) {
        const [oldest] = buckets.keys();
        if (oldest !== undefined) buckets.delete(oldest);
      }
      return isLet ? 0 : Math.ceil(((1 - tokens) * minuteMs) / rate.perMinute);
    },
  };
}
