/** Everything that goes wrong, drawn from the seed and counted by kind. */

import type { Random } from "./random.ts";
import type { System } from "./system.ts";
import type { Timeline } from "./timeline.ts";
import { down, type Life, signedOut, tooMany } from "./wire.ts";

export const faultKinds = [
  "429 storm",
  "5xx storm",
  "token lost",
  "answer lost",
  "late landing",
  "slow answer",
  "half-failed batch",
  "webhook dropped",
  "webhook doubled",
  "webhook delayed",
  "crash",
  "store write failed",
  "clock apart",
  "merge in a system",
  "page shifted",
  "brake",
  "transaction run twice",
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** A time in which one system refuses everything. */
export interface Storm {
  readonly system: string;
  readonly kind: "429 storm" | "5xx storm" | "token lost";
  readonly from: number;
  readonly to: number;
}

/** How often each thing happens, as shares of calls. */
export interface Shares {
  readonly answerLost: number;
  readonly late: number;
  readonly slow: number;
  readonly halfFails: number;
  readonly hookDropped: number;
  readonly hookDoubled: number;
  readonly hookDelayed: number;
  readonly storeFails: number;
  readonly twice: number;
}

export interface NemesisOptions {
  readonly timeline: Timeline;
  readonly random: Random;
  readonly shares: Shares;
  readonly storms: ReadonlyArray<Storm>;
  readonly tell: (line: string, about: string) => void;
}

export class Nemesis {
  readonly counts: Record<FaultKind, number> = Object.fromEntries(faultKinds.map((kind) => [kind, 0])) as Record<
    FaultKind,
    number
  >;
  /** Calls beyond a system's limit that the hub has made; none are allowed while one life goes on. */
  readonly overruns: Array<string> = [];
  #resting = false;
  readonly #options: NemesisOptions;
  readonly #begun = new Map<string, Array<{ readonly at: number; readonly life: number }>>();

  constructor(options: NemesisOptions) {
    this.#options = options;
  }

  /** From now on nothing goes wrong any more. */
  rest(): void {
    this.#resting = true;
  }

  note(kind: FaultKind, line: string, about = ""): void {
    this.counts[kind] += 1;
    this.#options.tell(`!! ${kind}: ${line}`, about);
  }

  /** What becomes of a call on its way. */
  fate(system: System, what: string): "good" | "answer lost" | "late" {
    const { random, shares } = this.#options;
    const drawn = random.next();
    if (this.#resting) return "good";
    if (drawn < shares.answerLost) {
      this.note("answer lost", `${system.name} ${what}`);
      return "answer lost";
    }
    if (what === "push" && drawn < shares.answerLost + shares.late) {
      this.note("late landing", system.name);
      return "late";
    }
    return "good";
  }

  /** What a system says instead of serving a call; null where it serves. */
  refusal(system: System, life: Life): Error | null {
    const now = this.#options.timeline.now();
    const storm = this.#resting
      ? undefined
      : this.#options.storms.find((one) => one.system === system.name && one.from <= now && now < one.to);
    if (storm !== undefined) {
      this.counts[storm.kind] += 1;
      if (storm.kind === "429 storm") return tooMany(Math.min(storm.to, now + 15_000));
      return storm.kind === "5xx storm" ? down() : signedOut();
    }
    return this.#overrun(system, life, now) ? tooMany(now + system.style.rate.windowMs) : null;
  }

  /** The system counts calls in a window, as its vendor says; a little slack for the way of a call. */
  #overrun(system: System, life: Life, now: number): boolean {
    const { count, windowMs } = system.style.rate;
    const slackMs = 250;
    const begun = this.#begun.get(system.name) ?? [];
    while (begun[0] !== undefined && begun[0].at <= now - windowMs + slackMs) begun.shift();
    this.#begun.set(system.name, begun);
    if (begun.length >= count) {
      // A new life does not know what the one before it has called.
      if (begun.every((one) => one.life === life.number)) this.overruns.push(`${system.name} at ${now}`);
      return true;
    }
    begun.push({ at: now, life: life.number });
    return false;
  }

  /** How long an answer takes on its way back. */
  backMs(system: System): number {
    const { random, shares } = this.#options;
    const isSlow = random.chance(shares.slow) && !this.#resting;
    if (isSlow) this.note("slow answer", system.name);
    return isSlow ? random.int(1_000, 6_000) : random.int(5, 120);
  }

  halfFails(system: System): boolean {
    const { random, shares } = this.#options;
    const fails = random.chance(shares.halfFails) && !this.#resting;
    if (fails) this.note("half-failed batch", system.name);
    return fails;
  }

  storeFails(what: string): boolean {
    const { random, shares } = this.#options;
    const fails = random.chance(shares.storeFails) && !this.#resting;
    if (fails) this.note("store write failed", what);
    return fails;
  }

  runsTwice(what: string): boolean {
    const { random, shares } = this.#options;
    // Runs without it draw nothing, so that they stay as they are.
    const isTwice = shares.twice > 0 && random.chance(shares.twice) && !this.#resting;
    if (isTwice) this.note("transaction run twice", what);
    return isTwice;
  }

  /** When the calls about one change come: none, one or two instants. */
  hookTimes(system: System): ReadonlyArray<number> {
    const { random, shares, timeline } = this.#options;
    const [dropped, doubled, delayed] = [random.next(), random.next(), random.next()];
    const soon = timeline.now() + random.int(50, 900);
    if (this.#resting) return [soon];
    if (dropped < shares.hookDropped) {
      this.note("webhook dropped", system.name);
      return [];
    }
    const first = delayed < shares.hookDelayed ? soon + random.int(2_000, 40_000) : soon;
    if (first !== soon) this.counts["webhook delayed"] += 1;
    if (doubled >= shares.hookDoubled) return [first];
    this.counts["webhook doubled"] += 1;
    return [first, first + random.int(0, 5_000)];
  }
}
