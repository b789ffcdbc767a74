/** Which pushes of this process are under way: their claims are alive, all others were left by a dead process (D3). */
import { Effect } from "effect";
import type { Store } from "../store/open.ts";

const alive = new WeakMap<Store, Map<string, number>>();

/** Counts the run as alive while the work runs, whatever its end. */
export const whileAlive = <A, E>(store: Store, run: string, work: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.acquireUseRelease(
    Effect.sync(() => count(store, run, 1)),
    () => work,
    () => Effect.sync(() => count(store, run, -1)),
  );

export const isAlive = (store: Store, run: string): boolean => (alive.get(store)?.get(run) ?? 0) > 0;

function count(store: Store, run: string, by: 1 | -1): void {
  const runs = alive.get(store) ?? new Map<string, number>();
  alive.set(store, runs);
  const left = (runs.get(run) ?? 0) + by;
  if (left > 0) runs.set(run, left);
  else runs.delete(run);
}
