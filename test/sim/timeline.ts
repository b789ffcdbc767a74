/**
 * Virtual time: everything that waits, waits here, and wakes one by one in the order of its instant.
 *
 * After each wake the program runs on until nothing of it moves any more; then the next one wakes. Nothing else decides
 * the order of things, so that a seed repeats a run.
 */

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly wake: () => void | Promise<void>;
  /** Whose sleep it is; a process that dies takes its sleeps with it. */
  readonly owner: object | undefined;
}

/** Turns of the event loop in which nothing may move before the program counts as asleep. */
const quietTurns = 3;
/** A run that does not come to rest within that many turns has a loop without a wait. */
const turnsMax = 20_000;

export class Timeline {
  #now: number;
  #order = 0;
  #moves = 0;
  /** Work outside of this process, such as a database's, that has not ended. */
  #held = 0;
  #onIdle = (): void => {};
  readonly #queue: Array<Entry> = [];

  constructor(start: number) {
    this.#now = start;
  }

  readonly now = (): number => this.#now;

  /** Counts as a movement: the program is not at rest. */
  touch(): void {
    this.#moves += 1;
  }

  /** The world waits for this: it is not at rest before it has ended. */
  async hold<A>(work: Promise<A>): Promise<A> {
    this.#held += 1;
    try {
      return await work;
    } finally {
      this.#held -= 1;
      this.touch();
      if (this.#held === 0) this.#onIdle();
    }
  }

  /** Runs something at an instant, as the world does: no process has to be alive for it. */
  at(instant: number, wake: () => void | Promise<void>, owner?: object): () => void {
    const entry: Entry = { at: Math.max(instant, this.#now), order: this.#order++, wake, owner };
    let index = this.#queue.length;
    while (index > 0 && isLater(this.#queue[index - 1], entry)) index -= 1;
    this.#queue.splice(index, 0, entry);
    this.#moves += 1;
    return () => {
      const where = this.#queue.indexOf(entry);
      if (where >= 0) this.#queue.splice(where, 1);
    };
  }

  /** Sleeps as a clock does; a sleep of a dead owner never ends. */
  sleep(ms: number, owner: object, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        this.#moves += 1;
        signal?.removeEventListener("abort", onAbort);
        resolve();
      };
      const cancel = this.at(this.#now + Math.max(0, ms), end, owner);
      const onAbort = (): void => {
        cancel();
        end();
      };
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Everything that this owner waits for is forgotten. */
  drop(owner: object): void {
    for (let index = this.#queue.length - 1; index >= 0; index--)
      if (this.#queue[index]?.owner === owner) this.#queue.splice(index, 1);
  }

  /** Lets the world go on until the instant. */
  async runTo(instant: number): Promise<void> {
    await this.#rest();
    for (;;) {
      const [next] = this.#queue;
      if (next === undefined || next.at > instant) break;
      this.#queue.shift();
      this.#now = next.at;
      await next.wake();
      await this.#rest();
    }
    this.#now = Math.max(this.#now, instant);
  }

  async #rest(): Promise<void> {
    let quiet = 0;
    for (let turns = 0; quiet < quietTurns; turns++) {
      if (this.#held > 0) {
        await new Promise<void>((resolve) => {
          this.#onIdle = resolve;
        });
        quiet = 0;
      }
      if (turns > turnsMax) throw new Error("something runs on and on without a wait");
      const before = this.#moves;
      await new Promise((resolve) => setImmediate(resolve));
      quiet = before === this.#moves ? quiet + 1 : 0;
    }
  }
}

const isLater = (one: Entry | undefined, other: Entry): boolean =>
  one !== undefined && (one.at > other.at || (one.at === other.at && one.order > other.order));
