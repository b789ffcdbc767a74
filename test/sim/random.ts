/** One seeded source of randomness, split by name so that one part of a run may draw more without moving the others. */
import { seededRandom } from "../../core/simulator.ts";

export interface Random {
  /** In [0, 1). */
  readonly next: () => number;
  /** A whole number from `low` up to and including `high`. */
  readonly int: (low: number, high: number) => number;
  readonly chance: (share: number) => boolean;
  /** One of the items; undefined of none. */
  readonly pick: <A>(items: ReadonlyArray<A>) => A | undefined;
  readonly bytes: (count: number) => Uint8Array;
  /** A source of its own for this name. */
  readonly fork: (name: string) => Random;
}

export function createRandom(seed: number, name = ""): Random {
  const next = seededRandom(hashOf(`${seed}/${name}`));
  const int = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
  return {
    next,
    int,
    chance: (share) => next() < share,
    pick: (items) => items[Math.floor(next() * items.length)],
    bytes: (count) => Uint8Array.from({ length: count }, () => int(0, 255)),
    fork: (child) => createRandom(seed, `${name}/${child}`),
  };
}

/** FNV-1a, for a start that differs from seed to seed and name to name. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash;
}
