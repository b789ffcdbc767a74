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
  if (link.settledAt !== null && read.began < link.settledAt) return { kind: "fetch" };
  const order = compareVersions(record, link);
  if (read.began >= link.readEnded) return { kind: "apply", wentBack: order === "lower" };
  if (order === "higher" || samePrint) return { kind: "apply", wentBack: false };
  return order === "lower" ? { kind: "drop" } : { kind: "fetch" };
}

type Order = "higher" | "lower" | "equal" | "unknown";

export function compareVersions(
  record: { readonly version?: string; readonly modifiedAt?: number },
  link: { readonly version: string | null; readonly modifiedAt: number | null },
): Order {
  if (record.version !== undefined && link.version !== null)
    return order(decimal(record.version), decimal(link.version));
  if (record.modifiedAt !== undefined && link.modifiedAt !== null) return order(record.modifiedAt, link.modifiedAt);
  return "unknown";
}

function order(left: number | bigint, right: number | bigint): Order {
  if (left === right) return "equal";
  return left > right ? "higher" : "lower";
}

/** Version counters may pass 2^53. */
const decimal = (text: string): bigint => (/^\d{1,40}$/.test(text) ? BigInt(text) : 0n);

/**
 * D6: a version of resolution r is closed once a read of it began at least r plus the skew after it; only then can no
 * other edit share it.
 */
export function isClosed(link: Link, resolutionMs: number, skewMs: number): boolean {
  return link.modifiedAt !== null && link.readBegan >= link.modifiedAt + resolutionMs + skewMs;
}
