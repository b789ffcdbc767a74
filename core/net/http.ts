/** The shapes of the HTTP client that the core lends to connectors. */
import type { Fault } from "./fault.ts";

/** A named budget for calls. All given bounds hold at once. */
export interface Limit {
  /** Calls under way at the same time. */
  readonly concurrency?: number;
  /** At most `count` calls begun within any `windowMs`. */
  readonly rate?: { readonly count: number; readonly windowMs: number };
  /** At most `count` cost units a day; the day ends at local midnight of the fixed offset, in minutes east of UTC. */
  readonly daily?: { readonly count: number; readonly offsetMinutes: number };
}

export type Limits = Readonly<Record<string, Limit>>;

export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as application/x-www-form-urlencoded. */
  readonly form?: Readonly<Record<string, string>>;
  /** Sent as it is; its media type stands in the headers. */
  readonly text?: string;
  /** Names of limits of the connector that this call counts against. */
  readonly limits?: ReadonlyArray<string>;
  /** Cost units for `daily` limits; 1 unless said. */
  readonly cost?: number;
  /** `safe`: may be repeated after any failure. `unsent`: only when it surely was not carried out (429, refused connection). */
  readonly retry: "safe" | "unsent";
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Bound on the answer's body. */
  readonly bodyBytesMax?: number;
  /** Answer as bytes, such as a ZIP. */
  readonly binary?: boolean;
  /**
   * Lets a connector name a fault that hides behind a status, such as an error code over HTTP 200. A returned
   * RateLimited or Unavailable is retried like a 429 or 503; AuthFailed is thrown at once.
   */
  readonly judge?: (response: HttpResponse) => Fault | undefined;
}

export interface HttpResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Text of the body; empty for `binary`. */
  readonly text: string;
  readonly bytes?: Uint8Array;
  /** Parsed JSON, or undefined if the body is not JSON. Integers beyond 2^53 are the connector's concern: parse `text`. */
  readonly json: unknown;
  /** Our clock when the request began and the answer ended; the remote's clock from the Date header, if it sent one. */
  readonly began: number;
  readonly ended: number;
  readonly remoteNow?: number;
}
