/** How far the remote's clock is from ours, as its Date headers tell. */
import type { HttpResponse } from "./http.ts";

export interface Skew {
  /** Takes one answer's Date header into account, if it has one. */
  readonly learn: (response: HttpResponse) => void;
  /** The least that the remote can be ahead of ours; undefined before any Date header. A "now" by it is never too late. */
  readonly leastMs: () => number | undefined;
  /** The largest distance that is possible, either way; 0 before any Date header. */
  readonly boundMs: () => number;
}

/** A Date header names a whole second. */
const grainMs = 1000;

/**
 * Each Date header leaves an interval for the distance of the clocks; the intersection of all is kept, so that it
 * narrows from call to call. A clock that was set makes it empty, and it begins anew.
 */
export function createSkew(): Skew {
  let least = Number.NEGATIVE_INFINITY;
  let most = Number.POSITIVE_INFINITY;
  const isKnown = (): boolean => most !== Number.POSITIVE_INFINITY;
  return {
    learn: ({ remoteNow, began, ended }) => {
      if (remoteNow === undefined) return;
      const [low, high] = [remoteNow - ended, remoteNow + grainMs - began];
      const isApart = low > most || high < least;
      least = isApart ? low : Math.max(least, low);
      most = isApart ? high : Math.min(most, high);
    },
    leastMs: () => (isKnown() ? least : undefined),
    boundMs: () => (isKnown() ? Math.max(Math.abs(least), Math.abs(most)) : 0),
  };
}
