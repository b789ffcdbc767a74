/**
 * A fence around the writes of somebody who holds a lease: a transaction that finds the lease in other hands leaves
 * nothing behind, however long ago it was begun.
 *
 * It stands in the context of an effect, so that whatever is done for a connection is inside it without being told.
 */
import { Context, Effect } from "effect";

export interface Fence {
  /** Inside a transaction. Errors  StoreFailed when the lease is not held any more. */
  readonly check: () => Promise<void>;
}

export const CurrentFence = Context.Reference<Fence | null>("store/CurrentFence", { defaultValue: () => null });

/** The body of a transaction, behind the fence that stands. */
export const fenced = <A>(body: () => Promise<A>): Effect.Effect<() => Promise<A>> =>
  Effect.map(CurrentFence, (fence) =>
    fence === null
      ? body
      : async () => {
          await fence.check();
          return body();
        },
  );

export const behind =
  (fence: Fence | null) =>
  <A, E>(work: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.provideService(work, CurrentFence, fence);
