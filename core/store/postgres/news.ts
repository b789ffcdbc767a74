/**
 * Tells other processes on the database that something was committed, and hears it from them.
 *
 * What is told is only that there is news; whoever hears it looks. A message that is lost costs no more than a wait: every
 * few seconds it is looked anyway.
 */
import { randomUUID } from "node:crypto";
import { Client, type ClientConfig, type Pool } from "pg";
import type { Every } from "../every.ts";

const channel = "syncline";
/** Commits that follow each other closer than this are told together. */
const togetherMs = 50;
const lookMs = 5_000;
const againMs = 1_000;

export class News {
  readonly #pool: Pool;
  /** Who tells, so that nobody hears himself. */
  readonly #own = randomUUID();
  #toldAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #telling: Promise<unknown> = Promise.resolve();

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Something was committed here. */
  tell(): void {
    if (this.#timer !== undefined) return;
    const waitMs = Math.max(0, this.#toldAt + togetherMs - Date.now());
    this.#timer = setTimeout(() => this.#send(), waitMs);
  }

  /** Ends once all is told. */
  async flush(): Promise<void> {
    if (this.#timer !== undefined) this.#send();
    await this.#telling;
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#toldAt = Date.now();
    this.#telling = this.#pool.query("select pg_notify($1, $2)", [channel, this.#own]).catch(() => undefined);
  }

  /** In a session of its own, which is made again when it breaks. The answer ends it. */
  hear(listener: () => void, every: Every): () => Promise<void> {
    let client: Client | null = null;
    let again: NodeJS.Timeout | undefined;
    let ended = false;
    const connect = async (): Promise<void> => {
      // A pool keeps the options that its clients are made with.
      const next = new Client(this.#pool.options as ClientConfig);
      client = next;
      const lost = (): void => {
        if (client !== next) return;
        client = null;
        next.end().catch(() => undefined);
        if (!ended) again = setTimeout(() => void connect(), againMs).unref();
      };
      next.on("error", lost);
      next.on("end", lost);
      next.on("notification", ({ payload }) => {
        if (payload !== this.#own) listener();
      });
      try {
        await next.connect();
        await next.query(`listen ${channel}`);
        // Something may have been told while nobody listened.
        listener();
      } catch {
        lost();
      }
    };
    const still = every(lookMs, listener);
    const connecting = connect();
    return async () => {
      ended = true;
      still();
      clearTimeout(again);
      await connecting;
      const last = client;
      client = null;
      await last?.end().catch(() => undefined);
    };
  }
}
