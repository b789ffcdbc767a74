/**
 * Errors of the API as RFC 9457 problems. They name what went wrong and the remedy, and never a secret or a value.
 */
import { type Fault, isFault } from "../net/fault.ts";
import { StoreFailed } from "../store/failure.ts";

/** Every kind of problem with its status and title. */
export const problemKinds = {
  "bad-request": { status: 400, title: "The request is not as it should be" },
  unauthorized: { status: 401, title: "No valid API key" },
  forbidden: { status: 403, title: "The key may not do this" },
  "not-found": { status: 404, title: "There is no such thing" },
  "method-not-allowed": { status: 405, title: "The method does not fit here" },
  refused: { status: 409, title: "It cannot be done as things stand" },
  asks: { status: 409, title: "It has changed meanwhile and asks a person" },
  "idempotency-mismatch": { status: 409, title: "The Idempotency-Key was used for another request" },
  "in-flight": { status: 409, title: "The same request is under way" },
  "precondition-failed": { status: 412, title: "It was changed by somebody else" },
  "too-large": { status: 413, title: "The request is too large" },
  "unsupported-media-type": { status: 415, title: "The body is not JSON" },
  "too-many-requests": { status: 429, title: "Too many requests" },
  failed: { status: 500, title: "The hub failed" },
  "system-failed": { status: 502, title: "A system did not answer as it should" },
  "store-failed": { status: 503, title: "The store does not answer" },
} as const;

export type ProblemKind = keyof typeof problemKinds;

/** One thing that is wrong with the request, and where. */
export interface Wrong {
  /** Such as `body.values.phone` or `query.limit`. */
  readonly path: string;
  readonly what: string;
}

interface Extra {
  readonly errors?: ReadonlyArray<Wrong>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Further members of the document, such as the conflict that asks. */
  readonly members?: Readonly<Record<string, unknown>>;
}

export class Problem extends Error {
  readonly _tag = "Problem";
  readonly kind: ProblemKind;
  readonly remedy: string;
  readonly extra: Extra;
  constructor(kind: ProblemKind, detail: string, remedy: string, extra: Extra = {}) {
    super(detail);
    this.name = "Problem";
    this.kind = kind;
    this.remedy = remedy;
    this.extra = extra;
  }
}

export const problemType = (kind: ProblemKind): string => `urn:syncline:problem:${kind}`;

export interface ProblemAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Shape   application/problem+json; `instance` names the request, as the log does. */
export function problemAnswer(problem: Problem, requestId: string): ProblemAnswer {
  const { status, title } = problemKinds[problem.kind];
  const { errors, headers, members } = problem.extra;
  const document = {
    type: problemType(problem.kind),
    title,
    status,
    detail: problem.message,
    remedy: problem.remedy,
    instance: `urn:uuid:${requestId}`,
    ...(errors === undefined ? {} : { errors }),
    ...members,
  };
  return {
    status,
    headers: { "Content-Type": "application/problem+json", "Cache-Control": "no-store", ...headers },
    body: JSON.stringify(document),
  };
}

export function problemResponse(problem: Problem, requestId: string): Response {
  const { status, headers, body } = problemAnswer(problem, requestId);
  return new Response(body, { status, headers });
}

/** Any failure as a problem. What is not foreseen tells nothing of itself: its words may hold values. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof StoreFailed) {
    return new Problem("store-failed", "The store failed while the request was answered.", error.remedy);
  }
  if (isFault(error)) return fromFault(error);
  if (error instanceof Error && "_tag" in error && error._tag === "ConnectorBroken") {
    return new Problem("system-failed", "A connector failed.", "Nothing was lost; the log tells more of this request.");
  }
  return new Problem(
    "failed",
    "Something failed that should not.",
    "Report it with the log of this request; nothing was half written.",
  );
}

function fromFault(fault: Fault): Problem {
  if (fault._tag === "RateLimited") {
    return new Problem("system-failed", fault.message, "The system asks to wait; try again later.");
  }
  const remedy = fault._tag === "AuthFailed" ? fault.remedy : "Try again; `syncline check` tells more.";
  return new Problem("system-failed", fault.message, remedy);
}

export const notFound = (what: string, remedy: string): Problem => new Problem("not-found", what, remedy);
