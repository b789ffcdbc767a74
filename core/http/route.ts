/**
 * A route of the API, declared: what it is called, who may use it, what it takes and gives. From the same declaration
 * come the checks, the answer and the reference.
 */
import { Effect, Result, Schema } from "effect";
import type { Hub } from "../hub/open.ts";
import type { Fault } from "../net/fault.ts";
import type { Scope, Words } from "../security/roles.ts";
import type { StoreFailed } from "../store/failure.ts";
import type { ConnectorBroken } from "../sync/call.ts";
import type { Caller } from "./caller.ts";
import { wrongsOf } from "./invalid.ts";
import type { AppOptions } from "./options.ts";
import { Problem, type Wrong } from "./problem.ts";

export type Method = "GET" | "POST" | "PATCH" | "DELETE";

/** A schema that decodes and encodes without asking anybody. */
export type Shape<T> = Schema.Codec<T, unknown>;

export type Failure = Problem | StoreFailed | Fault | ConnectorBroken;

/** What every handler is given. */
export interface Asking {
  readonly caller: Caller;
  readonly hub: Hub;
  readonly app: AppOptions;
  readonly header: (name: string) => string | undefined;
}

export interface Asked<P, Q, B> extends Asking {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
}

export interface Reply<A> {
  readonly body: A;
  readonly status?: 200 | 201 | 202;
  /** The revision of the one record that is shown; it becomes the ETag. */
  readonly revision?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer of text that is made while it is sent. */
export interface Streamed {
  readonly stream: ReadableStream<Uint8Array>;
  readonly headers: Readonly<Record<string, string>>;
}

/** A handler is an Effect, or a generator of them. */
export type Handled<A> = Effect.Effect<A, Failure> | Effect.fn.Return<A, Failure>;

export interface Spec<P, Q, B, A> {
  readonly method: Method;
  /** Below /api/v1, such as `/accounts/:id`. */
  readonly path: string;
  /** The name of the call in the reference, unique. */
  readonly operation: string;
  readonly summary: Words;
  readonly scope: Scope;
  readonly params?: Shape<P>;
  readonly query?: Shape<Q>;
  readonly body?: Shape<B>;
  readonly response: Shape<A>;
  /** The answer holds a secret, so it is not kept for an Idempotency-Key. */
  readonly secret?: true;
  /** The handler takes If-Match, for the reference. */
  readonly ifMatch?: true;
  readonly handle: (asked: Asked<P, Q, B>) => Handled<Reply<NoInfer<A>>>;
}

export interface StreamSpec<P, Q>
  extends Omit<Spec<P, Q, unknown, unknown>, "handle" | "response" | "body" | "secret" | "ifMatch"> {
  /** Media types that it may give. */
  readonly media: ReadonlyArray<string>;
  readonly handle: (asked: Asked<P, Q, unknown>) => Handled<Streamed>;
}

/** The parts of a request, as they came. */
export interface Raw {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

export type Answered =
  | { readonly kind: "json"; readonly status: number; readonly json: string; readonly reply: Reply<unknown> }
  | { readonly kind: "stream"; readonly streamed: Streamed };

/** A route with its types behind it. */
export interface Route {
  readonly method: Method;
  readonly path: string;
  readonly operation: string;
  readonly summary: Words;
  readonly scope: Scope;
  readonly params: Shape<unknown> | null;
  readonly query: Shape<unknown> | null;
  readonly body: Shape<unknown> | null;
  readonly response: Shape<unknown> | null;
  readonly media: ReadonlyArray<string>;
  readonly secret: boolean;
  readonly ifMatch: boolean;
  readonly run: (raw: Raw, asking: Asking) => Effect.Effect<Answered, Failure>;
}

export function route<P, Q, B, A>(spec: Spec<P, Q, B, A>): Route {
  const encode = Schema.encodeUnknownSync(spec.response);
  return {
    ...declared(spec),
    body: spec.body ?? null,
    response: spec.response,
    media: ["application/json"],
    secret: spec.secret === true,
    ifMatch: spec.ifMatch === true,
    run: Effect.fn(`http.${spec.operation}`)(function* (raw, asking) {
      const asked = yield* decoded(spec, raw, asking);
      const reply = yield* spec.handle(asked);
      return { kind: "json", status: reply.status ?? 200, json: JSON.stringify(encode(reply.body)), reply };
    }),
  };
}

export function streamRoute<P, Q>(spec: StreamSpec<P, Q>): Route {
  return {
    ...declared(spec),
    body: null,
    response: null,
    media: spec.media,
    secret: false,
    ifMatch: false,
    run: Effect.fn(`http.${spec.operation}`)(function* (raw, asking) {
      const asked = yield* decoded(spec, raw, asking);
      return { kind: "stream", streamed: yield* spec.handle(asked) };
    }),
  };
}

type Declared = Pick<Route, "method" | "path" | "operation" | "summary" | "scope" | "params" | "query">;

const declared = <P, Q>(spec: Pick<Spec<P, Q, unknown, unknown>, Exclude<keyof Declared, "body">>): Declared => ({
  method: spec.method,
  path: spec.path,
  operation: spec.operation,
  summary: spec.summary,
  scope: spec.scope,
  params: spec.params ?? null,
  query: spec.query ?? null,
});

/** All that is wrong with a request is told at once. */
const decoded = Effect.fnUntraced(function* <P, Q, B>(
  spec: { readonly params?: Shape<P>; readonly query?: Shape<Q>; readonly body?: Shape<B> },
  raw: Raw,
  asking: Asking,
) {
  const wrongs: Array<Wrong> = [];
  const read = <T>(shape: Shape<T> | undefined, part: keyof Raw): T => {
    const result = shape === undefined ? none<T>(raw[part], part) : decode(shape, raw[part], part);
    if (result.kind === "read") return result.value;
    wrongs.push(...result.wrongs);
    // Never used: the request is refused below.
    return undefined as T;
  };
  const asked: Asked<P, Q, B> = {
    ...asking,
    params: read(spec.params, "params"),
    query: read(spec.query, "query"),
    body: read(spec.body, "body"),
  };
  if (wrongs.length === 0) return asked;
  return yield* Effect.fail(invalid(wrongs));
});

type Read<T> =
  | { readonly kind: "read"; readonly value: T }
  | { readonly kind: "wrong"; readonly wrongs: ReadonlyArray<Wrong> };

function decode<T>(shape: Shape<T>, given: unknown, part: string): Read<T> {
  const result = Schema.decodeUnknownResult(shape)(given, { errors: "all", onExcessProperty: "error" });
  if (Result.isSuccess(result)) return { kind: "read", value: result.success };
  return { kind: "wrong", wrongs: wrongsOf(result.failure, part) };
}

/** A part that the route does not take. */
function none<T>(given: unknown, part: string): Read<T> {
  const keys = typeof given === "object" && given !== null ? Object.keys(given) : [];
  if (keys.length > 0) {
    return { kind: "wrong", wrongs: keys.map((key) => ({ path: `${part}.${key}`, what: "is not known here" })) };
  }
  // The handler of a route without this part does not look at it.
  return { kind: "read", value: {} as T };
}

/** 400 with every place that is wrong. */
export const invalid = (errors: ReadonlyArray<Wrong>): Problem =>
  new Problem(
    "bad-request",
    errors.map(({ path, what }) => `${path} ${what}`).join("; "),
    "Mend the places named in `errors`; the reference at /api/v1/docs has the forms.",
    { errors },
  );
