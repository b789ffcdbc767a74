/**
 * Answers to writes that came with an Idempotency-Key, sealed, for when the same call comes again.
 *
 * Bound   24 hours, and a number of answers a caller; the oldest go first.
 */
import { and, asc, eq, lt } from "drizzle-orm";
import { Effect } from "effect";
import type { Store } from "./open.ts";
import { idempotency } from "./tables.ts";

export interface KeptAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One call, as its sender names it. */
export interface Call {
  readonly actor: string;
  /** The Idempotency-Key. */
  readonly key: string;
  /** Keyed print of method, path and body. */
  readonly print: string;
}

export type Claimed =
  | { readonly kind: "new" }
  | { readonly kind: "answered"; readonly answer: KeptAnswer }
  /** The key was used for another request. */
  | { readonly kind: "other" }
  | { readonly kind: "in-flight" };

const keptMs = 24 * 3_600_000;
export const answersMax = 10_000;

const purpose = ({ actor, key }: Call): string => `answer ${actor} ${key}`;

/** Takes the call as the first of its key, or tells what became of the first one. */
export const claimCall = Effect.fn("idempotency.claim")(function* (
  { database, sealer }: Store,
  call: Call,
  at: number,
) {
  return yield* database.write("noting a call", async (): Promise<Claimed> => {
    const { db } = database;
    const { actor, key, print } = call;
    await db.delete(idempotency).where(lt(idempotency.at, at - keptMs));
    const mine = eq(idempotency.actor, actor);
    const row = await db
      .select()
      .from(idempotency)
      .where(and(mine, eq(idempotency.key, key)))
      .get();
    if (row !== undefined) {
      if (row.print !== print) return { kind: "other" };
      if (row.status === null || row.sealed === null) return { kind: "in-flight" };
      // Written by keepAnswer only.
      return { kind: "answered", answer: sealer.openHub(purpose(call), row.sealed) as KeptAnswer };
    }
    if ((await db.$count(idempotency, mine)) >= answersMax) {
      const [oldest] = await db.select().from(idempotency).where(mine).orderBy(asc(idempotency.at)).limit(1);
      if (oldest !== undefined) await database.remove(idempotency, ["actor", "key"], [oldest]);
    }
    await database.insert(idempotency, [{ actor, key, print, at, status: null, sealed: null }]);
    return { kind: "new" };
  });
});

export const keepAnswer = Effect.fn("idempotency.keep")(function* (
  { database, sealer }: Store,
  call: Call,
  answer: KeptAnswer,
) {
  const sealed = sealer.sealHub(purpose(call), answer);
  yield* database.write("keeping an answer", () =>
    database.update(idempotency, ["actor", "key"], ["status", "sealed"], [{ ...call, status: answer.status, sealed }]),
  );
});

/** Nothing was done: the call may be made again with the same key. */
export const dropCall = Effect.fn("idempotency.drop")(function* ({ database }: Store, call: Call) {
  yield* database.write("forgetting a call", () => database.remove(idempotency, ["actor", "key"], [call]));
});
