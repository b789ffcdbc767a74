/** Who calls: the key behind a request, what it may do, and how it is kept from trying too often. */
import { Effect } from "effect";
import { recogniseKey } from "../hub/keys.ts";
import type { Hub } from "../hub/open.ts";
import { type Masking, maskingFor } from "../security/mask.ts";
import { type Scope, scopesOf } from "../security/roles.ts";
import type { ApiKey } from "../store/api-keys.ts";
import { type Buckets, createBuckets } from "./buckets.ts";
import { type AppOptions, type Refusal, ratesUnlessSaid, refusedRate } from "./options.ts";
import { Problem } from "./problem.ts";

export interface Caller {
  readonly key: ApiKey;
  readonly scopes: ReadonlyArray<Scope>;
  /** For the audit log: `key:<id>`. */
  readonly actor: string;
  readonly seesPersonal: boolean;
  readonly masking: Masking;
}

export interface Gate {
  /** Lets a caller with this scope in, or fails with 401, 403 or 429. */
  readonly enter: (
    hub: Hub,
    asking: { readonly authorization: string | undefined; readonly address: string; readonly scope: Scope },
  ) => Effect.Effect<Caller, Problem | Effect.Error<ReturnType<typeof recogniseKey>>>;
}

type GateOptions = Pick<AppOptions, "rates" | "onRefused" | "clock">;

export function createGate(options: GateOptions): Gate {
  const ofKeys = createBuckets();
  const ofAddresses = createBuckets();
  return {
    enter: Effect.fn("gate.enter")(function* (hub, { authorization, address, scope }) {
      const text = bearerOf(authorization);
      const found = text === null ? null : yield* recogniseKey(hub, text);
      if (found === null || found.kind === "refused") {
        return yield* Effect.fail(turnedAway(options, ofAddresses, found === null ? "missing" : found.why, address));
      }
      const { key } = found;
      const waitMs = ofKeys.take(key.id, options.rates?.[key.role] ?? ratesUnlessSaid[key.role], options.clock.now());
      if (waitMs > 0) return yield* Effect.fail(tooMany("This key makes too many requests.", waitMs));
      const scopes = scopesOf(key.role, key.scopes);
      if (!scopes.includes(scope)) return yield* Effect.fail(forbidden(key, scope));
      const seesPersonal = scopes.includes("personal");
      return {
        key,
        scopes,
        actor: `key:${key.id}`,
        seesPersonal,
        masking: maskingFor(hub.model, seesPersonal),
      } satisfies Caller;
    }),
  };
}

function bearerOf(authorization: string | undefined): string | null {
  const match = /^Bearer +(\S+) *$/i.exec(authorization ?? "");
  return match?.[1] ?? null;
}

const whyWords: Readonly<Record<Refusal, string>> = {
  missing: "The request carries no API key.",
  unknown: "The API key is not known here.",
  expired: "The API key has expired.",
  revoked: "The API key was revoked.",
};

/** A good key is let in from any address; one without is told so, until its address has tried too often. */
function turnedAway({ onRefused, clock }: GateOptions, addresses: Buckets, why: Refusal, address: string): Problem {
  onRefused?.(why, address);
  const waitMs = addresses.take(networkOf(address), refusedRate, clock.now());
  if (waitMs > 0) return tooMany("Too many requests without a good key came from this address.", waitMs);
  return new Problem(
    "unauthorized",
    whyWords[why],
    "Send `Authorization: Bearer <key>`; make a key with `syncline keys create`.",
    { headers: { "WWW-Authenticate": `Bearer realm="syncline"${why === "missing" ? "" : ', error="invalid_token"'}` } },
  );
}

/** One network of IPv6 is one household or server; it has more addresses than there is memory. */
function networkOf(address: string): string {
  if (!address.includes(":") || address.includes(".")) return address;
  const [head = "", tail = ""] = address.split("::");
  const left = head.split(":");
  const right = tail === "" ? [] : tail.split(":");
  const zeros = address.includes("::") ? Array.from({ length: 8 - left.length - right.length }, () => "0") : [];
  return [...left, ...zeros, ...right].slice(0, 4).join(":");
}

const tooMany = (detail: string, waitMs: number): Problem => {
  const seconds = Math.ceil(waitMs / 1000);
  return new Problem("too-many-requests", detail, `Wait ${seconds} s, and make fewer requests.`, {
    headers: { "Retry-After": String(seconds) },
  });
};

const forbidden = (key: ApiKey, scope: Scope): Problem =>
  new Problem(
    "forbidden",
    `The role ${key.role} has not the scope ${scope}.`,
    `Use a key with the scope ${scope}, such as one made with \`--scopes ${scope}\`.`,
    { headers: { "WWW-Authenticate": `Bearer realm="syncline", error="insufficient_scope", scope="${scope}"` } },
  );
