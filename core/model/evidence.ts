/**
 * Which read to believe (SEMANTICS D3, D7, D15). A read is judged by its record's version and by when it began and ended,
 * against what the shadow knows.
 */
import type { RemoteRecord } from "./record.ts";
import type { Link } from "./world.ts";

export interface Read {
  /** Our clock. */
  readonly began: number;
  readonly ended: number;
}

/** apply it; drop it as older; fetch the record again and believe that. `wentBack` marks a version that became smaller. */
export type Judgement =
  | { readonly kind: "apply"; readonly wentBack: boolean }
  | { readonly kind: "drop" }
  | { readonly kind: "fetch" };

export function judgeRead(link: Link, record: RemoteRecord, read: Read, samePrint: boolean): Judgement {
  if (beganBeforeSettle(link, read)) return { kind: "fetch" };
  const order = compareVersions(record, link);
  if (read.began > link.readEnded) return { kind: "apply", wentBack: order === "lower" };
  if (order === "higher" || samePrint) return { kind: "apply", wentBack: false };
  return order === "lower" ? { kind: "drop" } : { kind: "fetch" };
}

/**
 * D15: against a tombstone the version proves nothing, only the reads do. A read of the live record counts as a restore
 * when it began after the tombstone had been read; where the two overlap, the record is fetched.
 */
export function judgeRestore(link: Link, read: Read): Judgement {
  if (beganBeforeSettle(link, read)) return { kind: "fetch" };
  if (read.began > link.readEnded) return { kind: "apply", wentBack: false };
  return read.ended < link.readBegan ? { kind: "drop" } : { kind: "fetch" };
}

/** D15 the other way round: whether a tombstone is newer than the last read that showed the record alive. */
export function judgeTombstone(link: Link, read: Read): "believe" | "drop" | "fetch" {
  if (beganBeforeSettle(link, read)) return "fetch";
  if (read.began > link.readEnded) return "believe";
  return read.ended < link.readBegan ? "drop" : "fetch";
}

/** D3: what a read began to see before our last write was settled may be half of it. */
const beganBeforeSettle = (link: Link, read: Read): boolean => link.settledAt !== null && read.began < link.settledAt;

type Order = "higher" | "lower" | "equal" | "unknown";

export function compareVersions(
  record: { readonly version?: string; readonly modifiedAt?: number },
  link: { readonly version: string | null; readonly modifiedAt: number | null },
): Order {
  if (record.version !== undefined && link.version !== null) {
    const [ours, theirs] = [decimal(record.version), decimal(link.version)];
    if (ours !== undefined && theirs !== undefined) return order(ours, theirs);
    return record.version === link.version ? "equal" : "unknown";
  }
  if (record.modifiedAt !== undefined && link.modifiedAt !== null) return order(record.modifiedAt, link.modifiedAt);
  return "unknown";
}

function order(left: number | bigint, right: number | bigint): Order {
  if (left === right) return "equal";
  return left > right ? "higher" : "lower";
}

/** Version counters may pass 2^53; an opaque tag has no order. */
const decimal = (text: string): bigint | undefined => (/^\d{1,40}$/.test(text) ? BigInt(text) : undefined);

/**
 * D6: a version of resolution r is closed once a read of it began at least r plus the skew after it; only then can no
 * other edit share it.
 */
export function isClosed(link: Link, resolutionMs: number, skewMs: number): boolean {
  return link.modifiedAt !== null && link.readBegan >= link.modifiedAt + resolutionMs + skewMs;
}

/** Whether a counter has moved by that many steps; undefined where there is no counter to tell. */
export function isExactly(before: string | undefined, after: string | undefined, steps: number): boolean | undefined {
  if (before === undefined || after === undefined || !/^\d+$/.test(before) || !/^\d+$/.test(after)) return undefined;
  return BigInt(after) === BigInt(before) + BigInt(steps);
}
