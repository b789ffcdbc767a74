/** Idempotency-Key: the same write, sent twice, is done once, and its answer given again. */
import { Effect } from "effect";
import type { Hub } from "../hub/open.ts";
import { type Call, claimCall, dropCall, type KeptAnswer, keepAnswer } from "../store/idempotency.ts";
import { Problem, problemKinds, problemOf } from "./problem.ts";
import { invalid } from "./route.ts";

/** Tells that an answer was kept from an earlier call. */
export const replayedHeader = "Idempotency-Replayed";

/** What may stand in the header, so that its length and letters are bounded. */
const keyShape = /^[\x21-\x7e]{1,200}$/;

export interface Sent {
  readonly actor: string;
  readonly key: string;
  readonly method: string;
  readonly url: string;
  readonly body: string;
  /** The answer may not be kept, because it shows a secret. */
  readonly isSecret: boolean;
}

/** Runs the write at most once for its key. Failures of the hub (5xx) are not kept: the call may be made again. */
export const once = <E>(
  hub: Hub,
  sent: Sent,
  write: Effect.Effect<KeptAnswer, E>,
  problemAnswer: (problem: Problem) => KeptAnswer,
) =>
  Effect.gen(function* () {
    if (!keyShape.test(sent.key)) {
      return yield* Effect.fail(
        invalid([{ path: "header.Idempotency-Key", what: "must be 1 to 200 visible ASCII characters" }]),
      );
    }
    const { store } = hub;
    const call: Call = {
      actor: sent.actor,
      key: sent.key,
      print: store.sealer.print("request", JSON.stringify([sent.method, sent.url, sent.body])),
    };
    const claimed = yield* claimCall(store, call, hub.clock.now());
    switch (claimed.kind) {
      case "answered":
        return { ...claimed.answer, headers: { ...claimed.answer.headers, [replayedHeader]: "true" } };
      case "other":
        return yield* Effect.fail(
          new Problem(
            "idempotency-mismatch",
            "This Idempotency-Key came with another request before.",
            "Make a new key for each write, and repeat it only with the same method, path and body.",
          ),
        );
      case "in-flight":
        return yield* Effect.fail(
          new Problem(
            "in-flight",
            "A request with this Idempotency-Key has not ended yet, or the hub stopped before it did.",
            "Try again in a moment; if it stays so, look whether the change was made and use a new key.",
          ),
        );
      default: {
        const answer = yield* write.pipe(
          Effect.catchCause((cause) => {
            const [reason] = cause.reasons;
            const error = reason?._tag === "Fail" ? reason.error : reason?._tag === "Die" ? reason.defect : undefined;
            const problem = problemOf(error);
            if (problemKinds[problem.kind].status < 500) return Effect.succeed(problemAnswer(problem));
            return Effect.andThen(dropCall(store, call), Effect.failCause(cause));
          }),
        );
        yield* keepAnswer(store, call, sent.isSecret ? secretAnswer(answer) : answer);
        return answer;
      }
    }
  });

/** In place of an answer that shows a secret: it was shown once. */
const secretAnswer = (answer: KeptAnswer): KeptAnswer => ({ ...answer, body: secretBody(answer.body) });

function secretBody(body: string): string {
  // Made by JSON.stringify of an answer, which is an object.
  const { key: _, ...rest } = JSON.parse(body) as Record<string, unknown>;
  return JSON.stringify({ ...rest, key: null });
}
